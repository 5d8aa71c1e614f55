//! Pseudo numerical methods (Liu et al. 2022): linear multistep (PLMS), and with a Runge–Kutta
//! start (PRK).

use candle_core::Tensor;

use super::config::SchedulerConfig;
use super::schedule::Schedule;
use super::{NoiseSource, PredictionType, Solver, Step, mix};
use crate::error::Result;

/// Network calls of the Runge–Kutta start.
const PRK_CALLS: usize = 12;

pub(super) struct Pndm {
    alpha_before: f64,
    with_prk: bool,
    /// Outputs kept for the multistep formula, the newest last, four at most.
    outputs: Vec<Tensor>,
    /// The sample that the repeated call, or a group of four calls, starts from.
    kept: Option<Tensor>,
    /// Timestep of a group's first call.
    group: f64,
    /// Weighted sum of the outputs of a group.
    sum: Option<Tensor>,
}

impl Pndm {
    pub(super) fn new(config: &SchedulerConfig, schedule: &Schedule) -> Self {
        Self {
            alpha_before: if config.set_alpha_to_one {
                1.
            } else {
                schedule.alpha(0, 1.)
            },
            with_prk: !config.skip_prk_steps,
            outputs: Vec::new(),
            kept: None,
            group: 0.,
            sum: None,
        }
    }

    fn keep(&mut self, output: &Tensor) {
        if self.outputs.len() == 4 {
            self.outputs.remove(0);
        }
        self.outputs.push(output.clone());
    }

    /// Equation 9 of the paper: x at timestep `from` to timestep `to`.
    fn moved(
        &self,
        at: &Step<'_>,
        x: &Tensor,
        from: i64,
        to: i64,
        output: &Tensor,
    ) -> Result<Tensor> {
        let alpha = at.schedule.alpha(from, self.alpha_before);
        let next = at.schedule.alpha(to, self.alpha_before);
        let epsilon = match at.prediction {
            PredictionType::VPrediction => {
                mix(&[(alpha.sqrt(), output), ((1. - alpha).sqrt(), x)])?
            }
            _ => output.clone(),
        };
        let divisor = alpha * (1. - next).sqrt() + (alpha * (1. - alpha) * next).sqrt();
        mix(&[
            ((next / alpha).sqrt(), x),
            (-(next - alpha) / divisor, &epsilon),
        ])
    }

    /// Adams–Bashforth over the outputs that are kept.
    fn multistep(&self, output: &Tensor) -> Result<Tensor> {
        match self.outputs.as_slice() {
            [h4, h3, h2, h1] => mix(&[
                (55. / 24., h1),
                (-59. / 24., h2),
                (37. / 24., h3),
                (-9. / 24., h4),
            ]),
            [h3, h2, h1] => mix(&[(23. / 12., h1), (-16. / 12., h2), (5. / 12., h3)]),
            [h2, h1] => mix(&[(1.5, h1), (-0.5, h2)]),
            _ => Ok(output.clone()),
        }
    }

    fn prk(&mut self, at: &Step<'_>, output: &Tensor, x: &Tensor) -> Result<Tensor> {
        let half = at.schedule.stride as i64 / 2;
        let call = at.done % 4;
        if call == 0 {
            self.sum = None;
            self.keep(output);
            self.kept = Some(x.clone());
            self.group = at.timestep();
        }
        let weight = if call == 0 || call == 3 {
            1. / 6.
        } else {
            1. / 3.
        };
        let sum = match self.sum.take() {
            Some(sum) => mix(&[(1., &sum), (weight, output)])?,
            None => mix(&[(weight, output)])?,
        };
        let slope = if call == 3 {
            sum.clone()
        } else {
            output.clone()
        };
        self.sum = Some(sum);
        let to = at.timestep() as i64 - if at.done.is_multiple_of(2) { half } else { 0 };
        let start = self.kept.clone().unwrap_or_else(|| x.clone());
        self.moved(at, &start, self.group as i64, to, &slope)
    }

    fn plms(&mut self, at: &Step<'_>, output: &Tensor, x: &Tensor) -> Result<Tensor> {
        let timestep = at.timestep() as i64;
        let stride = at.schedule.stride as i64;
        // The second call repeats the second timestep, for a better slope from the start.
        if !self.with_prk
            && at.done == 1
            && let (Some(kept), Some(first)) = (self.kept.take(), self.outputs.last())
        {
            let slope = mix(&[(0.5, output), (0.5, first)])?;
            return self.moved(at, &kept, timestep + stride, timestep, &slope);
        }
        self.keep(output);
        if at.done == 0 {
            self.kept = Some(x.clone());
        }
        let slope = self.multistep(output)?;
        self.moved(at, x, timestep, timestep - stride, &slope)
    }
}

impl Solver for Pndm {
    fn step(
        &mut self,
        at: &Step<'_>,
        output: &Tensor,
        x: &Tensor,
        _noise: &mut NoiseSource<'_>,
    ) -> Result<Tensor> {
        if self.with_prk && at.done < PRK_CALLS {
            self.prk(at, output, x)
        } else {
            self.plms(at, output, x)
        }
    }

    fn reset(&mut self) {
        self.outputs.clear();
        self.kept = None;
        self.sum = None;
    }
}
