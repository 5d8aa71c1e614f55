//! DPM-Solver++ multistep (Lu et al. 2022), deterministic and stochastic.

use candle_core::Tensor;

use super::config::{FinalSigmas, SchedulerConfig, SolverType};
use super::{NoiseSource, Solver, Step, mix, noise_of, signal_of};
use crate::error::Result;

pub(super) struct DpmSolver {
    order: usize,
    heun: bool,
    stochastic: bool,
    lower_order_final: bool,
    first_order_at_end: bool,
    /// Predicted clean samples, the newest last, three at most.
    clean: Vec<Tensor>,
}

impl DpmSolver {
    pub(super) fn new(config: &SchedulerConfig) -> Self {
        Self {
            order: config.solver_order,
            heun: config.solver_type == SolverType::Heun,
            stochastic: config.stochastic,
            lower_order_final: config.lower_order_final,
            first_order_at_end: config.euler_at_final
                || config.final_sigmas_type == FinalSigmas::Zero,
            clean: Vec::new(),
        }
    }

    /// Few steps are less stable: the last ones then fall back to lower orders.
    fn order_at(&self, at: &Step<'_>) -> usize {
        let steps = at.schedule.timesteps.len();
        let few = self.lower_order_final && steps < 15;
        let left = steps - at.index;
        let allowed = match left {
            1 if self.first_order_at_end || few => 1,
            2 if few => 2,
            _ => 3,
        };
        self.order.min(allowed).min(at.done + 1)
    }
}

impl Solver for DpmSolver {
    fn step(
        &mut self,
        at: &Step<'_>,
        output: &Tensor,
        x: &Tensor,
        noise: &mut NoiseSource<'_>,
    ) -> Result<Tensor> {
        let (from, to) = (at.sigma(0), at.sigma(1));
        let clean = at.clean(output, x, signal_of(from), noise_of(from))?;
        if self.clean.len() == 3 {
            self.clean.remove(0);
        }
        self.clean.push(clean);
        let noise = if self.stochastic {
            Some(noise()?)
        } else {
            None
        };

        // λ = −ln σ; at σ = 0 it is infinite, and the step goes all the way to the clean sample.
        let log_snr = |sigma: f64| -sigma.ln();
        let h = log_snr(to) - log_snr(from);
        let signal = signal_of(to);
        let ratio = noise_of(to) / noise_of(from);
        let shrink = (-h).exp_m1();
        let r0 = (log_snr(from) - log_snr(at.sigma(-1))) / h;
        let r1 = (log_snr(at.sigma(-1)) - log_snr(at.sigma(-2))) / h;
        // The factor of the first difference, where the order is above one.
        let slope = if self.heun {
            signal * (shrink / h + 1.)
        } else {
            -0.5 * signal * shrink
        };

        let (order, history) = (self.order_at(at), self.clean.as_slice());
        if let Some(noise) = noise {
            let decay = -(-2. * h).exp_m1();
            let kept = (ratio * (-h).exp(), x);
            let fresh = (noise_of(to) * decay.sqrt(), &noise);
            return match (order, history) {
                (2.., [.., m1, m0]) => {
                    let half = 0.5 * signal * decay / r0;
                    mix(&[kept, (signal * decay + half, m0), (-half, m1), fresh])
                }
                (_, [.., m0]) => mix(&[kept, (signal * decay, m0), fresh]),
                (_, []) => Ok(x.clone()),
            };
        }
        match (order, history) {
            (3, [m2, m1, m0]) => {
                let near = mix(&[(1. / r0, m0), (-1. / r0, m1)])?;
                let far = mix(&[(1. / r1, m1), (-1. / r1, m2)])?;
                let bend = mix(&[(1., &near), (-1., &far)])?;
                let first = mix(&[(1., &near), (r0 / (r0 + r1), &bend)])?;
                let second = (bend / (r0 + r1))?;
                mix(&[
                    (ratio, x),
                    (-signal * shrink, m0),
                    (signal * (shrink / h + 1.), &first),
                    (-signal * ((shrink + h) / (h * h) - 0.5), &second),
                ])
            }
            (2.., [.., m1, m0]) => {
                let difference = mix(&[(1. / r0, m0), (-1. / r0, m1)])?;
                mix(&[(ratio, x), (-signal * shrink, m0), (slope, &difference)])
            }
            (_, [.., m0]) => mix(&[(ratio, x), (-signal * shrink, m0)]),
            (_, []) => Ok(x.clone()),
        }
    }

    fn reset(&mut self) {
        self.clean.clear();
    }

    fn is_stochastic(&self) -> bool {
        self.stochastic
    }
}
