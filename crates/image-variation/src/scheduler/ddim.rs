//! DDIM (Song, Meng and Ermon 2020), equation 12.

use candle_core::Tensor;

use super::config::SchedulerConfig;
use super::schedule::Schedule;
use super::{NoiseSource, Solver, Step, mix};
use crate::error::Result;

pub(super) struct Ddim {
    /// ᾱ before the first timestep of training.
    alpha_before: f64,
    /// Largest absolute value of a predicted clean sample.
    clip: Option<f64>,
    eta: f64,
}

impl Ddim {
    pub(super) fn new(config: &SchedulerConfig, schedule: &Schedule, eta: f64) -> Self {
        Self {
            alpha_before: if config.set_alpha_to_one {
                1.
            } else {
                schedule.alpha(0, 1.)
            },
            clip: config.clip_sample.then_some(config.clip_sample_range),
            eta,
        }
    }
}

impl Solver for Ddim {
    fn step(
        &mut self,
        at: &Step<'_>,
        output: &Tensor,
        x: &Tensor,
        noise: &mut NoiseSource<'_>,
    ) -> Result<Tensor> {
        let timestep = at.timestep() as i64;
        // Not the next timestep of the run: the two differ where the spacing is not "leading".
        let previous = timestep - at.schedule.stride as i64;
        let alpha = at.schedule.alpha(timestep, 1.);
        let next = at.schedule.alpha(previous, self.alpha_before);
        let (a, s) = (alpha.sqrt(), (1. - alpha).sqrt());
        let epsilon = at.noise(output, x, a, s)?;
        let mut clean = at.clean(output, x, a, s)?;
        if let Some(range) = self.clip {
            clean = clean.clamp(-range, range)?;
        }
        let variance = (1. - next) / (1. - alpha) * (1. - alpha / next);
        let deviation = self.eta * variance.max(0.).sqrt();
        let direction = (1. - next - deviation * deviation).max(0.).sqrt();
        let sum = mix(&[(next.sqrt(), &clean), (direction, &epsilon)])?;
        if self.eta > 0. {
            mix(&[(1., &sum), (deviation, &noise()?)])
        } else {
            Ok(sum)
        }
    }

    fn is_stochastic(&self) -> bool {
        self.eta > 0.
    }
}
