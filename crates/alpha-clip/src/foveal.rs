//! Foveal attention: an attention bias that draws the class token's eye to a region.
//!
//! FALIP (Zhuang et al., ECCV 2024, arXiv 2407.05578) leaves a CLIP as it is and adds, in its last
//! blocks, a bump over the region's tokens to the row of the class token. Boxes follow the
//! published code; regions of any shape are an extension of it.

use candle_core::{DType, Device, Tensor};

use crate::attention_bias::AttentionBias;
use crate::config::{VisionConfig, VisionKind};
use crate::error::{Error, Result};

/// Keeps the normalisation away from 0/0 where all weights are equal.
const EPSILON: f64 = 1e-6;

/// Below this coverage a token does not count as touched.
const TOUCHED: f64 = 1e-12;

/// How strongly, how widely and from which block on the class token is drawn to a region.
///
/// ```
/// use alpha_clip::{FovealAttention, TransformerConfig, VisionConfig};
/// # use alpha_clip::{Activation, VisionKind};
/// use candle_core::{DType, Device, Tensor};
///
/// # fn main() -> Result<(), alpha_clip::Error> {
/// # let blocks = TransformerConfig { width: 768, layers: 12, heads: 12, mlp_width: 3072,
/// #     activation: Activation::QuickGelu, layer_norm_eps: 1e-5 };
/// # let kind = VisionKind::Transformer { patch: 16, blocks };
/// # let config = VisionConfig { image_size: 224, embed_dim: 512, alpha: false, kind };
/// // Two views of a ViT-B/16; look at the whole of each.
/// let alpha = Tensor::ones((2, 1, 224, 224), DType::F32, &Device::Cpu)?;
/// let bias = FovealAttention::default().bias(&alpha, &config)?;
/// assert_eq!(bias.block(11).map(|b| b.dims().to_vec()), Some(vec![2, 1, 197, 197]));
/// assert!(bias.block(7).is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FovealAttention {
    strength: f64,
    sigma: f64,
    first_block: Option<usize>,
}

impl Default for FovealAttention {
    /// Strength 0.2 and σ 100 as published. The first block is two thirds of the way up: block 8
    /// of the 12 of a ViT-B, as published, and in proportion for other towers.
    fn default() -> Self {
        Self {
            strength: 0.2,
            sigma: 100.,
            first_block: None,
        }
    }
}

impl FovealAttention {
    /// Published values, see [`Default`](Self::default).
    pub fn new() -> Self {
        Self::default()
    }

    /// With this largest bias: it multiplies the class token's odds for the middle of the region
    /// by e to this power in each block. 0 is plain CLIP; negative values look away.
    #[must_use]
    pub const fn with_strength(mut self, strength: f64) -> Self {
        self.strength = strength;
        self
    }

    /// With this width of the Gaussian, in tokens. At the published 100 it is a paraboloid that
    /// falls to almost nothing at the corners of the region.
    #[must_use]
    pub const fn with_sigma(mut self, sigma: f64) -> Self {
        self.sigma = sigma;
        self
    }

    /// With a bias from block `index` (from 0) on. The published code says 8 for any tower.
    #[must_use]
    pub const fn with_first_block(mut self, index: usize) -> Self {
        self.first_block = Some(index);
        self
    }

    /// The bias for V views whose alpha planes [V, 1, H, W] have values in 0..=1; they are cut
    /// into the tower's grid as they are, so they must have the geometry of its input. A view
    /// whose plane is 0 everywhere gets no bias.
    ///
    /// A token's bias is that of the rectangle around all touched tokens times the share of the
    /// token that the region covers: soft planes and any outline work. For a region of whole
    /// tokens that fill a rectangle it is FALIP's.
    ///
    /// # Errors
    /// [`Error::Input`] if the planes have another shape, the numbers are not finite, or the tower
    /// is a ResNet or has no such block.
    pub fn bias(&self, alpha: &Tensor, config: &VisionConfig) -> Result<AttentionBias> {
        let &[views, 1, height, width] = alpha.dims() else {
            return Err(Error::input(
                format!("the alpha planes have shape {:?}", alpha.dims()),
                "give [V, 1, H, W]",
            ));
        };
        if views * height * width == 0 {
            return Err(Error::input(
                "the alpha planes are empty",
                "give at least one value",
            ));
        }
        let values = alpha
            .to_dtype(DType::F32)?
            .flatten_all()?
            .to_vec1::<f32>()?;
        let planes = values.chunks_exact(height * width);
        let rows: Vec<Vec<f64>> = planes
            .map(|plane| self.row_of_plane(plane, width, config))
            .collect::<Result<_>>()?;
        self.in_blocks(&rows, config, alpha.device())
    }

    /// The row of the class token for one plane of values in 0..=1, row by row of `width` pixels:
    /// a bias for each token, the class token first.
    ///
    /// # Errors
    /// As [`bias`](Self::bias).
    pub fn row_of_plane(
        &self,
        plane: &[f32],
        width: usize,
        config: &VisionConfig,
    ) -> Result<Vec<f64>> {
        let grid = self.grid(config)?;
        if plane.is_empty() || width == 0 || !plane.len().is_multiple_of(width) {
            return Err(Error::input(
                format!("{} values are not rows of {width}", plane.len()),
                "give a plane that is not empty",
            ));
        }
        if let Some(odd) = plane.iter().find(|value| !value.is_finite()) {
            return Err(Error::input(
                format!("an alpha plane has the value {odd}"),
                "give 0..=1",
            ));
        }
        Ok(self.covered(&coverage(plane, width, grid), grid))
    }

    /// The bias for one picture of `size` (width, height) and a box [left, top, right, bottom] for
    /// each item of the batch, all in pixels of the picture, which is squeezed to the tower's
    /// square: FALIP's own way for referring expressions.
    ///
    /// As in the published code an edge exactly on the border of a patch touches the patch before
    /// it, and an empty box touches one.
    ///
    /// # Errors
    /// [`Error::Input`] if there is no box, the numbers are not finite, or the tower is a ResNet
    /// or has no such block.
    pub fn bias_of_boxes(
        &self,
        boxes: &[[f64; 4]],
        size: (usize, usize),
        config: &VisionConfig,
        device: &Device,
    ) -> Result<AttentionBias> {
        let rows: Vec<Vec<f64>> = boxes
            .iter()
            .map(|b| self.row_of_box(*b, size, config))
            .collect::<Result<_>>()?;
        if rows.is_empty() {
            return Err(Error::input("there are no boxes", "give at least one"));
        }
        self.in_blocks(&rows, config, device)
    }

    /// The row of the class token for one box: a bias for each token, the class token first.
    ///
    /// # Errors
    /// As [`bias_of_boxes`](Self::bias_of_boxes).
    pub fn row_of_box(
        &self,
        [left, top, right, bottom]: [f64; 4],
        (width, height): (usize, usize),
        config: &VisionConfig,
    ) -> Result<Vec<f64>> {
        let grid = self.grid(config)?;
        if width == 0 || height == 0 || ![left, top, right, bottom].iter().all(|x| x.is_finite()) {
            return Err(Error::input(
                format!("a box {left},{top},{right},{bottom} in a picture of {width} x {height}"),
                "give finite numbers and a picture that is not empty",
            ));
        }
        let side = config.image_size as f64;
        let patch = side / grid as f64;
        let token = |edge: f64, extent: usize| {
            let scaled = edge.clamp(0., extent as f64) * side / extent as f64;
            (((scaled.min(side) / patch).ceil().max(1.)) as usize).min(grid)
        };
        let span = |low, high, extent| {
            let first = token(low, extent) - 1;
            (first, token(high, extent).max(first + 1))
        };
        let (columns, rows) = (span(left, right, width), span(top, bottom, height));
        let mut row = vec![0.; grid * grid + 1];
        self.bump(columns, rows, |column, line, bias| {
            row[1 + line * grid + column] = bias
        });
        Ok(row)
    }

    /// The row for a region that covers these shares of the tokens.
    fn covered(&self, coverage: &[f64], grid: usize) -> Vec<f64> {
        let touched = |i: &usize| coverage[*i] > TOUCHED;
        let around = |place: fn(usize, usize) -> usize| {
            let all = || (0..coverage.len()).filter(touched).map(|i| place(i, grid));
            Some((all().min()?, all().max()? + 1))
        };
        let mut row = vec![0.; coverage.len() + 1];
        if let (Some(columns), Some(rows)) = (around(|i, g| i % g), around(|i, g| i / g)) {
            self.bump(columns, rows, |column, line, bias| {
                let token = line * grid + column;
                row[1 + token] = bias * coverage[token];
            });
        }
        row
    }

    /// Calls `set(column, row, bias)` for the tokens of a rectangle, given as first and one past
    /// last column and row.
    fn bump(
        &self,
        columns: (usize, usize),
        rows: (usize, usize),
        mut set: impl FnMut(usize, usize, f64),
    ) {
        let middle = |(first, end): (usize, usize)| (end - first - 1) as f64 / 2.;
        let (x, y) = (middle(columns), middle(rows));
        let weight = |column: usize, row: usize| {
            let (dx, dy) = ((column - columns.0) as f64 - x, (row - rows.0) as f64 - y);
            (-0.5 * (dx * dx + dy * dy) / (self.sigma * self.sigma)).exp()
        };
        // Corners are farthest from the middle, the tokens beside it nearest.
        let least = weight(columns.0, rows.0);
        let most = weight((columns.0 + columns.1 - 1) / 2, (rows.0 + rows.1 - 1) / 2);
        for row in rows.0..rows.1 {
            for column in columns.0..columns.1 {
                let share = (weight(column, row) - least + EPSILON) / (most - least + EPSILON);
                set(column, row, self.strength * share);
            }
        }
    }

    /// Matrices [V, 1, N, N] that are 0 but for their first rows, in the blocks that get them.
    fn in_blocks(
        &self,
        rows: &[Vec<f64>],
        config: &VisionConfig,
        device: &Device,
    ) -> Result<AttentionBias> {
        let layers = config.layers();
        let first = self.first_block.unwrap_or(layers * 2 / 3);
        if first >= layers {
            return Err(Error::input(
                format!("foveal attention from block {first} on in a tower of {layers}"),
                "choose a first block below that, counted from 0",
            ));
        }
        let tokens = rows.first().map_or(0, Vec::len);
        let mut matrices = vec![0f32; rows.len() * tokens * tokens];
        for (matrix, row) in matrices.chunks_exact_mut(tokens * tokens).zip(rows) {
            for (value, bias) in matrix.iter_mut().zip(row) {
                *value = *bias as f32;
            }
        }
        let bias = Tensor::from_vec(matrices, (rows.len(), 1, tokens, tokens), device)?;
        Ok(AttentionBias::new().with_blocks(first..layers, &bias))
    }

    /// Whether a tower of this configuration can look so.
    ///
    /// # Errors
    /// [`Error::Input`] where it has no class token, as a ResNet has none, or a number is unusable.
    pub fn check(&self, config: &VisionConfig) -> Result<()> {
        self.grid(config).map(|_| ())
    }

    /// Side of the tower's grid, once the numbers are known to be usable.
    fn grid(&self, config: &VisionConfig) -> Result<usize> {
        if !self.strength.is_finite() || !self.sigma.is_finite() || self.sigma <= 0. {
            return Err(Error::input(
                format!(
                    "foveal attention of strength {} and sigma {}",
                    self.strength, self.sigma
                ),
                "give a finite strength and a sigma above 0",
            ));
        }
        match config.kind {
            VisionKind::Transformer { .. } if config.grid() > 0 => Ok(config.grid()),
            _ => Err(Error::input(
                "foveal attention needs the class token of a vision transformer",
                "use a ViT, or another way to look at the region",
            )),
        }
    }
}

/// The mean of a plane over each of `grid` x `grid` equal cells, row by row; a pixel on a border
/// counts in both cells by its share of area.
fn coverage(plane: &[f32], width: usize, grid: usize) -> Vec<f64> {
    let height = plane.len() / width;
    let (across, down) = (shares(width, grid), shares(height, grid));
    let mut cells = vec![0.; grid * grid];
    for (line, (first, weights)) in cells.chunks_exact_mut(grid).zip(&down) {
        for (row, weight) in plane.chunks_exact(width).skip(*first).zip(weights) {
            for (cell, (first, weights)) in line.iter_mut().zip(&across) {
                let pixels = row.iter().skip(*first).zip(weights);
                *cell += weight
                    * pixels
                        .map(|(value, share)| f64::from(*value) * share)
                        .sum::<f64>();
            }
        }
    }
    cells
}

/// For each of `cells` equal parts of `pixels`: the first pixel in it, and what share of the part
/// each pixel from there on is.
fn shares(pixels: usize, cells: usize) -> Vec<(usize, Vec<f64>)> {
    let size = pixels as f64 / cells as f64;
    let part = |cell: usize| {
        let (start, end) = (cell as f64 * size, (cell + 1) as f64 * size);
        let first = (start.floor() as usize).min(pixels.saturating_sub(1));
        let last = (end.ceil() as usize).clamp(first + 1, pixels);
        let overlap =
            |pixel: usize| (end.min((pixel + 1) as f64) - start.max(pixel as f64)).max(0.);
        (
            first,
            (first..last).map(|pixel| overlap(pixel) / size).collect(),
        )
    };
    (0..cells).map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Activation, TransformerConfig};

    fn tower(image_size: usize, patch: usize, layers: usize) -> VisionConfig {
        let blocks = TransformerConfig {
            width: 64,
            layers,
            heads: 1,
            mlp_width: 256,
            activation: Activation::QuickGelu,
            layer_norm_eps: 1e-5,
        };
        let kind = VisionKind::Transformer { patch, blocks };
        VisionConfig {
            image_size,
            embed_dim: 32,
            alpha: false,
            kind,
        }
    }

    #[test]
    fn shares_of_a_part_sum_to_one() {
        for (pixels, cells) in [(224, 14), (201, 14), (5, 14), (1, 3), (7, 7)] {
            for (first, weights) in shares(pixels, cells) {
                assert!(first + weights.len() <= pixels);
                assert!((weights.iter().sum::<f64>() - 1.).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn a_plane_of_whole_tokens_equals_the_box_around_it() {
        let config = tower(64, 16, 3);
        let foveal = FovealAttention::new().with_first_block(0);
        // Tokens of columns 1 and 2, rows 1 to 3. On a border a box touches the patch before.
        let mut plane = vec![0f32; 64 * 64];
        for (i, value) in plane.iter_mut().enumerate() {
            let (column, row) = (i % 64 / 16, i / 64 / 16);
            *value = f32::from(u8::from((1..3).contains(&column) && (1..4).contains(&row)));
        }
        let alpha = Tensor::from_vec(plane, (1, 1, 64, 64), &Device::Cpu).unwrap();
        let boxed = [[17., 17., 48., 64.]];
        let one = foveal.bias(&alpha, &config).unwrap();
        let two = foveal
            .bias_of_boxes(&boxed, (64, 64), &config, &Device::Cpu)
            .unwrap();
        for block in 0..3 {
            let values = |bias: &AttentionBias| -> Vec<f32> {
                bias.block(block)
                    .unwrap()
                    .flatten_all()
                    .unwrap()
                    .to_vec1()
                    .unwrap()
            };
            let (one, two) = (values(&one), values(&two));
            assert!(one.iter().zip(&two).all(|(a, b)| (a - b).abs() < 1e-7));
            assert!(
                one[17..].iter().all(|x| *x == 0.),
                "only the class token is drawn"
            );
            assert!((one[10] - 0.2).abs() < 1e-6, "the middle gets the strength");
        }
    }

    #[test]
    fn nothing_to_look_at_is_no_bias() {
        let alpha = Tensor::zeros((1, 1, 20, 20), DType::F32, &Device::Cpu).unwrap();
        let bias = FovealAttention::new()
            .bias(&alpha, &tower(64, 16, 3))
            .unwrap();
        let sum = bias.block(2).unwrap().abs().unwrap().sum_all().unwrap();
        assert_eq!(sum.to_scalar::<f32>().unwrap(), 0.);
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        let alpha = Tensor::ones((1, 1, 8, 8), DType::F32, &Device::Cpu).unwrap();
        let config = tower(64, 16, 3);
        let said = |foveal: FovealAttention, config: &VisionConfig| {
            foveal.bias(&alpha, config).unwrap_err().to_string()
        };
        let late = said(FovealAttention::new().with_first_block(8), &config);
        assert!(late.contains("block 8 on in a tower of 3"), "{late}");
        assert!(said(FovealAttention::new().with_sigma(0.), &config).contains("sigma above 0"));
        let kind = VisionKind::ResNet {
            width: 8,
            layers: [1; 4],
            heads: 4,
        };
        let resnet = VisionConfig {
            kind,
            ..config.clone()
        };
        assert!(said(FovealAttention::new(), &resnet).contains("use a ViT"));
        let foveal = FovealAttention::new();
        assert!(
            foveal
                .row_of_box([0., 0., f64::NAN, 1.], (9, 9), &config)
                .is_err()
        );
        assert!(
            foveal
                .bias_of_boxes(&[], (9, 9), &config, &Device::Cpu)
                .is_err()
        );
    }
}
