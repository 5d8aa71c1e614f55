//! Euler's method on noise levels (Karras et al. 2022), with and without ancestral noise.

use candle_core::Tensor;

use super::{NoiseSource, PredictionType, Solver, Step, mix, noise_of, signal_of};
use crate::error::Result;

/// The slope (x − x₀) / σ.
fn slope(at: &Step<'_>, output: &Tensor, x: &Tensor) -> Result<Tensor> {
    let sigma = at.sigma(0);
    let clean = match at.prediction {
        PredictionType::Epsilon => return Ok(output.clone()),
        PredictionType::VPrediction => {
            // The output is for the scaled input x / √(σ² + 1); x itself is not scaled.
            let signal = signal_of(sigma);
            mix(&[(-noise_of(sigma), output), (signal * signal, x)])?
        }
        PredictionType::Sample => output.clone(),
    };
    mix(&[(1. / sigma, x), (-1. / sigma, &clean)])
}

pub(super) struct Euler;

impl Solver for Euler {
    fn step(
        &mut self,
        at: &Step<'_>,
        output: &Tensor,
        x: &Tensor,
        _noise: &mut NoiseSource<'_>,
    ) -> Result<Tensor> {
        mix(&[(1., x), (at.sigma(1) - at.sigma(0), &slope(at, output, x)?)])
    }
}

pub(super) struct EulerAncestral;

impl Solver for EulerAncestral {
    fn step(
        &mut self,
        at: &Step<'_>,
        output: &Tensor,
        x: &Tensor,
        noise: &mut NoiseSource<'_>,
    ) -> Result<Tensor> {
        let (from, to) = (at.sigma(0), at.sigma(1));
        let up = (to * to * (from * from - to * to) / (from * from))
            .max(0.)
            .sqrt();
        let down = (to * to - up * up).max(0.).sqrt();
        // Drawn on the last step too, where it counts for nothing: generators must advance.
        let noise = noise()?;
        mix(&[(1., x), (down - from, &slope(at, output, x)?), (up, &noise)])
    }

    fn is_stochastic(&self) -> bool {
        true
    }
}
