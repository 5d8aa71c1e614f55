//! Timestep embedding.

use candle_core::{Device, Tensor};

use super::config::UnetConfig;
use crate::error::Result;
use crate::ops::{Linear, silu};
use crate::weights::Weights;

/// Longest period of the sinusoids.
const LONGEST: f32 = 10_000.;

/// Sinusoids of the timesteps, then two linear layers with SiLU between them.
#[derive(Debug)]
pub(super) struct TimeEmbedding {
    linear_1: Linear,
    linear_2: Linear,
    width: usize,
    flip: bool,
    freq_shift: f64,
}

impl TimeEmbedding {
    pub(super) fn load(weights: &Weights<'_>, config: &UnetConfig) -> Result<Self> {
        let here = weights.at("time_embedding");
        let width = config.widths[0];
        Ok(Self {
            linear_1: here.linear("linear_1", [width, 4 * width])?,
            linear_2: here.linear("linear_2", [4 * width, 4 * width])?,
            width,
            flip: config.flip_sin_to_cos,
            freq_shift: config.freq_shift,
        })
    }

    /// [B, 4·width] with the SiLU that every layer puts in front of it.
    pub(super) fn forward(
        &self,
        timesteps: &[f32],
        dtype: candle_core::DType,
        device: &Device,
    ) -> Result<Tensor> {
        let rows: Vec<f32> = timesteps
            .iter()
            .flat_map(|&t| sinusoids(t, self.width, self.flip, self.freq_shift))
            .collect();
        let rows = Tensor::from_vec(rows, (timesteps.len(), self.width), device)?;
        let hidden = silu(&self.linear_1.forward(&rows.to_dtype(dtype)?)?)?;
        silu(&self.linear_2.forward(&hidden)?)
    }
}

/// The sinusoids of one timestep, always in f32: in half precision the angles have no digits left.
fn sinusoids(timestep: f32, width: usize, flip: bool, freq_shift: f64) -> Vec<f32> {
    let half = width / 2;
    let divisor = (half as f64 - freq_shift) as f32;
    let angle = |i: usize| timestep * (-(LONGEST.ln()) * i as f32 / divisor).exp();
    let sines = (0..half).map(|i| angle(i).sin());
    let cosines = (0..half).map(|i| angle(i).cos());
    let mut out: Vec<f32> = if flip {
        cosines.chain(sines).collect()
    } else {
        sines.chain(cosines).collect()
    };
    out.resize(width, 0.);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::golden;

    #[test]
    fn sinusoids_equal_the_reference() {
        let wanted = golden::values("unet/mid/time_proj");
        let got = sinusoids(501., 16, true, 0.);
        golden::assert_within(&got, &wanted, 2e-6, "time_proj");
        assert_eq!(sinusoids(3., 5, false, 0.)[4], 0.);
        assert_eq!(sinusoids(3., 4, false, 0.)[2], 3f32.cos());
    }
}
