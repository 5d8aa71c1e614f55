//! Latent consistency sampling (Luo et al. 2023).

use candle_core::Tensor;

use super::config::SchedulerConfig;
use super::{NoiseSource, Solver, Step, mix};
use crate::error::Result;

/// Standard deviation of the data that the boundary condition is made for.
const SIGMA_DATA: f64 = 0.5;

pub(super) struct Lcm {
    timestep_scaling: f64,
    clip: Option<f64>,
}

impl Lcm {
    pub(super) fn new(config: &SchedulerConfig) -> Self {
        Self {
            timestep_scaling: config.timestep_scaling,
            clip: config.clip_sample.then_some(config.clip_sample_range),
        }
    }
}

impl Solver for Lcm {
    fn step(
        &mut self,
        at: &Step<'_>,
        output: &Tensor,
        x: &Tensor,
        noise: &mut NoiseSource<'_>,
    ) -> Result<Tensor> {
        let alpha = at.schedule.alpha(at.timestep() as i64, 1.);
        let (a, s) = (alpha.sqrt(), (1. - alpha).sqrt());
        let mut clean = at.clean(output, x, a, s)?;
        if let Some(range) = self.clip {
            clean = clean.clamp(-range, range)?;
        }
        let scaled = at.timestep() * self.timestep_scaling;
        let square = scaled * scaled + SIGMA_DATA * SIGMA_DATA;
        let skip = SIGMA_DATA * SIGMA_DATA / square;
        let denoised = mix(&[(scaled / square.sqrt(), &clean), (skip, x)])?;
        if at.is_last() {
            return Ok(denoised);
        }
        let next = at
            .schedule
            .timesteps
            .get(at.index + 1)
            .copied()
            .unwrap_or(0.);
        let alpha = at.schedule.alpha(next as i64, 1.);
        mix(&[(alpha.sqrt(), &denoised), ((1. - alpha).sqrt(), &noise()?)])
    }

    fn is_stochastic(&self) -> bool {
        true
    }
}
