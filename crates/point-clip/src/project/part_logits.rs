//! Patch tokens to logits of parts at any pixel.

use super::score::{V2_LOGIT_SCALE, unit};
use super::{INPUT_SIZE, ScoreError};
use candle_core::{DType, Tensor};

/// The averaging window over patches: this many before and after the middle.
const BEFORE: usize = 2;
const AFTER: usize = 3;

/// Smoothed logits of parts on the patch grid of each view.
pub(super) struct PatchLogits {
    views: usize,
    /// Patches along each side.
    grid: usize,
    parts: usize,
    /// `[views, grid, grid, parts]`.
    values: Vec<f32>,
}

impl PatchLogits {
    /// From `tokens` `[views, grid², width]` and `text` `[parts, width]`.
    pub(super) fn new(tokens: &Tensor, text: &Tensor) -> Result<Self, ScoreError> {
        let shapes = (tokens.dims().to_vec(), text.dims().to_vec());
        let (&[views, patches, width], &[parts, text_width]) = (&shapes.0[..], &shapes.1[..])
        else {
            return Err(misfit(tokens, text));
        };
        let grid = patches.isqrt();
        if grid * grid != patches || patches == 0 || width != text_width || parts == 0 {
            return Err(misfit(tokens, text));
        }
        let text = unit(&text.to_dtype(DType::F32)?)?;
        let tokens = unit(&tokens.to_dtype(DType::F32)?)?.reshape((views * patches, width))?;
        let logits = (tokens.matmul(&text.t()?)? * V2_LOGIT_SCALE)?;
        let raw = logits.flatten_all()?.to_vec1::<f32>()?;
        let values = raw
            .chunks_exact(patches * parts)
            .flat_map(|map| smooth(map, grid, parts))
            .collect();
        Ok(PatchLogits {
            views,
            grid,
            parts,
            values,
        })
    }

    pub(super) fn views(&self) -> usize {
        self.views
    }

    pub(super) fn parts(&self) -> usize {
        self.parts
    }

    /// Adds the logits at a pixel, times `weight`, to `sum` `[parts]`. Bilinear between patch
    /// centres (corners not aligned).
    pub(super) fn add_at(
        &self,
        view: usize,
        row: usize,
        column: usize,
        weight: f32,
        sum: &mut [f32],
    ) {
        let (rows, columns) = (self.taps(row), self.taps(column));
        for (i, across) in rows {
            for (j, along) in columns {
                let at = ((view * self.grid + i) * self.grid + j) * self.parts;
                for (sum, v) in sum.iter_mut().zip(&self.values[at..at + self.parts]) {
                    *sum += weight * across * along * v;
                }
            }
        }
    }

    /// The two patches around a pixel with their shares.
    fn taps(&self, pixel: usize) -> [(usize, f32); 2] {
        let ratio = self.grid as f32 / INPUT_SIZE as f32;
        let position = ((pixel as f32 + 0.5) * ratio - 0.5).max(0.0);
        let first = (position as usize).min(self.grid - 1);
        let share = position - first as f32;
        [
            (first, 1.0 - share),
            ((first + 1).min(self.grid - 1), share),
        ]
    }
}

fn misfit(tokens: &Tensor, text: &Tensor) -> ScoreError {
    ScoreError::input(
        format!(
            "tokens of shape {:?} do not go with texts of {:?}",
            tokens.dims(),
            text.dims()
        ),
        "give the patch tokens [views, patches, width] of square views and texts [parts, width]",
    )
}

/// The mean of a window of patches around each; the border repeats.
fn smooth(map: &[f32], grid: usize, parts: usize) -> Vec<f32> {
    let mut out = vec![0.0; map.len()];
    let around =
        |i: usize| (i..=i + BEFORE + AFTER).map(move |k| k.saturating_sub(BEFORE).min(grid - 1));
    let share = 1.0 / ((BEFORE + AFTER + 1) * (BEFORE + AFTER + 1)) as f32;
    for (k, out) in out.chunks_exact_mut(parts).enumerate() {
        for i in around(k / grid) {
            for j in around(k % grid) {
                let source = &map[(i * grid + j) * parts..];
                out.iter_mut()
                    .zip(source)
                    .for_each(|(out, v)| *out += v * share);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    /// Values of PyTorch: `avg_pool2d(pad(x, (2, 3, 2, 3), "replicate"), 6, 1)`, then
    /// `interpolate` to 224, bilinear, corners not aligned.
    #[test]
    fn smoothing_and_upsampling_are_those_of_pytorch() {
        let map: Vec<f32> = (0..196).map(|i| (i * 37 % 101) as f32 / 10.0).collect();
        let logits = PatchLogits {
            views: 1,
            grid: 14,
            parts: 1,
            values: smooth(&map, 14, 1),
        };
        for (row, column, expected) in [
            (0, 0, 3.036_111),
            (0, 223, 4.905_555),
            (100, 37, 5.002_298),
            (223, 223, 4.144_443_5),
            (8, 207, 4.958_072),
            (150, 3, 4.276_301_f32),
        ] {
            let mut sum = [0.0];
            logits.add_at(0, row, column, 1.0, &mut sum);
            assert!(
                (sum[0] - expected).abs() < 1e-5,
                "{row} {column}: {} {expected}",
                sum[0]
            );
        }
    }

    #[test]
    fn logits_are_scaled_cosines() {
        let tokens = Tensor::new(&[[[3.0_f32, 0.0]], [[0.0, 5.0]]], &Device::Cpu).unwrap();
        let text = Tensor::new(&[[2.0_f32, 0.0], [1.0, 1.0]], &Device::Cpu).unwrap();
        let logits = PatchLogits::new(&tokens, &text).unwrap();
        let near = |v: f32, expected: f32| (v - expected).abs() < 1e-4;
        let half = 100.0 / 2.0_f32.sqrt();
        let expected = [100.0, half, 0.0, half];
        assert!(
            logits.values.iter().zip(expected).all(|(&v, e)| near(v, e)),
            "{:?}",
            logits.values
        );
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
        let fits = |tokens: &[usize], text: &[usize]| {
            PatchLogits::new(&zeros(tokens), &zeros(text)).is_ok()
        };
        assert!(fits(&[10, 9, 4], &[2, 4]));
        for (tokens, text) in [
            (&[10, 10, 4][..], &[2, 4][..]),
            (&[10, 9, 4], &[2, 5]),
            (&[10, 9, 4], &[0, 4]),
            (&[10, 0, 4], &[2, 4]),
            (&[90, 4], &[2, 4]),
        ] {
            assert!(!fits(tokens, text), "{tokens:?} {text:?}");
        }
    }
}
