//! Large pictures in overlapping tiles.
//!
//! Each tile is normalised by itself, so that a tiled result differs a little from a whole one;
//! the overlaps are faded into each other so that no seam shows.

use candle_core::{Device, Tensor};

use crate::error::Result;

/// How a picture is cut; all in positions of the input of the network that is tiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tiles {
    /// Side of a tile.
    pub(super) side: usize,
    /// What neighbours share.
    pub(super) overlap: usize,
}

impl Tiles {
    /// Starts of the tiles along an axis: evenly spread, each of full size, overlapping by at
    /// least `overlap`.
    fn starts(self, length: usize) -> Vec<usize> {
        if length <= self.side {
            return vec![0];
        }
        let step = self.side.saturating_sub(self.overlap).max(1);
        let gaps = (length - self.side).div_ceil(step);
        // A multiple of 8, so that starts in pixels and in latents agree.
        let start = |i: usize| ((length - self.side) * i / gaps) / 8 * 8;
        (0..gaps).map(start).chain([length - self.side]).collect()
    }

    /// Applies `run` to the tiles of `x` [1, C, H, W] and fades the results into one of
    /// `up`/`down` times the size.
    pub(super) fn apply(
        self,
        x: &Tensor,
        (up, down): (usize, usize),
        mut run: impl FnMut(&Tensor) -> Result<Tensor>,
    ) -> Result<Tensor> {
        let (_, _, height, width) = x.dims4()?;
        let (rows, columns) = (self.starts(height), self.starts(width));
        let scaled = |length: usize| length * up / down;
        let mut sum: Option<Tensor> = None;
        let mut weights = vec![0f32; scaled(height) * scaled(width)];
        for &top in &rows {
            for &left in &columns {
                let size = [self.side.min(height), self.side.min(width)];
                let tile = x
                    .narrow(2, top, size[0])?
                    .narrow(3, left, size[1])?
                    .contiguous()?;
                let out = run(&tile)?;
                let (_, _, h, w) = out.dims4()?;
                let (top, left) = (scaled(top), scaled(left));
                let (total_height, total_width) = (scaled(height), scaled(width));
                let fade = scaled(self.overlap);
                let vertical = ramp(h, fade, top > 0, top + h < total_height);
                let horizontal = ramp(w, fade, left > 0, left + w < total_width);
                for (y, v) in vertical.iter().enumerate() {
                    let start = (top + y) * total_width + left;
                    let line = weights.iter_mut().skip(start);
                    line.zip(&horizontal)
                        .for_each(|(weight, u)| *weight += v * u);
                }
                let device = out.device().clone();
                let vertical = Tensor::from_vec(vertical, (1, 1, h, 1), &device)?;
                let horizontal = Tensor::from_vec(horizontal, (1, 1, 1, w), &device)?;
                let part = out.broadcast_mul(&vertical)?.broadcast_mul(&horizontal)?;
                let part = part
                    .pad_with_zeros(2, top, total_height - top - h)?
                    .pad_with_zeros(3, left, total_width - left - w)?;
                sum = Some(match sum {
                    Some(sum) => (sum + part)?,
                    None => part,
                });
            }
        }
        let Some(sum) = sum else { return Ok(x.clone()) };
        let shape = (1, 1, scaled(height), scaled(width));
        let weights = Tensor::from_vec(weights, shape, &Device::Cpu)?.to_device(sum.device())?;
        Ok(sum.broadcast_div(&weights)?)
    }
}

/// Weights along a tile: rising over `fade` positions where it has a neighbour.
fn ramp(length: usize, fade: usize, before: bool, after: bool) -> Vec<f32> {
    let fade = fade.max(1);
    let edge = |distance: usize| ((distance + 1) as f32 / (fade + 1) as f32).min(1.);
    (0..length)
        .map(|i| {
            let rise = if before { edge(i) } else { 1. };
            let fall = if after { edge(length - 1 - i) } else { 1. };
            rise.min(fall)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_cover_everything() {
        let tiles = Tiles {
            side: 64,
            overlap: 16,
        };
        for length in [8, 64, 72, 100, 128, 250, 1000] {
            let starts = tiles.starts(length);
            assert_eq!(starts[0], 0);
            assert_eq!(starts.last().unwrap() + 64.min(length), length);
            let overlaps = starts
                .windows(2)
                .all(|w| w[1] > w[0] && w[0] + 64 >= w[1] + 16 - 8);
            assert!(overlaps, "{length}: {starts:?}");
        }
    }

    #[test]
    fn a_pointwise_function_is_not_changed_by_tiling() {
        let x = Tensor::arange(0f32, 3. * 20. * 28., &Device::Cpu).unwrap();
        let x = x.reshape((1, 3, 20, 28)).unwrap();
        let tiles = Tiles {
            side: 12,
            overlap: 4,
        };
        let mut count = 0;
        let got = tiles
            .apply(&x, (2, 1), |tile| {
                count += 1;
                Ok(tile.upsample_nearest2d(24, 24)?)
            })
            .unwrap();
        assert_eq!(count, 2 * 3);
        let wanted = x.upsample_nearest2d(40, 56).unwrap();
        let difference = (got - wanted)
            .unwrap()
            .abs()
            .unwrap()
            .flatten_all()
            .unwrap();
        assert!(difference.max(0).unwrap().to_scalar::<f32>().unwrap() < 1e-3);
    }
}
