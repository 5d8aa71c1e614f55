//! Noise levels of the forward process, and the timesteps that a run visits.

use super::config::{BetaSchedule, FinalSigmas, SchedulerConfig, TimestepSpacing};
use super::kind::SchedulerKind;
use crate::error::{Error, Result};

/// Stands for ᾱ = 0 where a sampler divides by it: 2⁻²⁴, a noise level of 4096.
const SMALLEST_ALPHA: f64 = 1. / 16_777_216.;

/// Exponent of Karras's noise levels (Karras et al. 2022, equation 5).
const RHO: f64 = 7.;

/// Timesteps and noise levels of one run, and the table of training that they are from.
#[derive(Debug, Clone)]
pub(super) struct Schedule {
    /// ᾱ of each timestep of training.
    pub(super) alphas: Vec<f64>,
    /// Timesteps in the order in which the network is called.
    pub(super) timesteps: Vec<f64>,
    /// Noise level √((1−ᾱ)/ᾱ) at each timestep, and the one after the last; empty for samplers
    /// that work on timesteps.
    pub(super) sigmas: Vec<f64>,
    /// Distance of two timesteps of the "leading" spacing, T / N.
    pub(super) stride: usize,
}

impl Schedule {
    pub(super) fn new(config: &SchedulerConfig, steps: usize) -> Result<Self> {
        let training = config.num_train_timesteps;
        let most = match config.kind {
            SchedulerKind::Lcm => config.original_inference_steps,
            _ => training,
        };
        if steps == 0 || steps > most {
            return Err(Error::setting(
                format!("{steps} steps cannot be taken"),
                format!("give 1 to {most} steps"),
            ));
        }
        let alphas = alphas(config);
        let stride = training / steps;
        let mut out = Self {
            alphas,
            timesteps: Vec::new(),
            sigmas: Vec::new(),
            stride,
        };
        match config.kind {
            SchedulerKind::Ddim => out.timesteps = spread(config, steps, true),
            SchedulerKind::Pndm => out.timesteps = pndm(config, steps)?,
            SchedulerKind::Lcm => out.timesteps = lcm(config, steps),
            SchedulerKind::Euler | SchedulerKind::EulerAncestral => out.euler(config, steps),
            SchedulerKind::DpmSolver | SchedulerKind::UniPc => out.solver(config, steps),
        }
        Ok(out)
    }

    /// ᾱ at a timestep; at a negative one, `before`.
    pub(super) fn alpha(&self, timestep: i64, before: f64) -> f64 {
        match usize::try_from(timestep) {
            Ok(i) => self
                .alphas
                .get(i)
                .or(self.alphas.last())
                .copied()
                .unwrap_or(1.),
            Err(_) => before,
        }
    }

    fn sigma_table(&self) -> Vec<f64> {
        self.alphas.iter().map(|a| ((1. - a) / a).sqrt()).collect()
    }

    /// Noise level at a timestep of training, between two of them by interpolation.
    fn sigma_at(table: &[f64], timestep: f64) -> f64 {
        let low = (timestep.floor() as usize).min(table.len() - 1);
        let high = (low + 1).min(table.len() - 1);
        table[low] + (timestep - low as f64) * (table[high] - table[low])
    }

    fn euler(&mut self, config: &SchedulerConfig, steps: usize) {
        let table = self.sigma_table();
        self.timesteps = spread(config, steps, false);
        self.sigmas = self
            .timesteps
            .iter()
            .map(|&t| Self::sigma_at(&table, t))
            .collect();
        let ancestral = config.kind == SchedulerKind::EulerAncestral;
        if config.use_karras_sigmas && !ancestral {
            self.sigmas = karras(self.sigmas[0], self.sigmas[steps - 1], steps);
            self.timesteps = self
                .sigmas
                .iter()
                .map(|&s| timestep_of(&table, s))
                .collect();
        }
        let last = match config.final_sigmas_type {
            FinalSigmas::SigmaMin if !ancestral => table[0],
            _ => 0.,
        };
        self.sigmas.push(last);
        // The reference keeps timesteps in single precision.
        self.timesteps
            .iter_mut()
            .for_each(|t| *t = f64::from(*t as f32));
    }

    fn solver(&mut self, config: &SchedulerConfig, steps: usize) {
        let table = self.sigma_table();
        let training = config.num_train_timesteps;
        let dpm = config.kind == SchedulerKind::DpmSolver;
        let usable = match config.lambda_min_clipped.filter(|_| dpm) {
            // λ = ln(√ᾱ / √(1−ᾱ)) = −ln σ.
            Some(clip) => training - table.iter().filter(|s| -s.ln() < clip).count(),
            None => training,
        }
        .max(1);
        if config.use_karras_sigmas {
            self.sigmas = karras(table[training - 1], table[0], steps);
            let truncated = dpm && config.beta_schedule == BetaSchedule::SquaredcosCapV2;
            let whole = |t: f64| {
                if truncated {
                    t.trunc()
                } else {
                    t.round_ties_even()
                }
            };
            self.timesteps = self
                .sigmas
                .iter()
                .map(|&s| whole(timestep_of(&table, s)))
                .collect();
        } else {
            let even = linspace(0., (usable - 1) as f64, steps + 1);
            let offset = config.steps_offset;
            let timesteps = (0..steps).map(|i| match config.timestep_spacing {
                TimestepSpacing::Linspace => even[steps - i].round_ties_even(),
                TimestepSpacing::Leading => ((steps - i) * (usable / (steps + 1)) + offset) as f64,
                TimestepSpacing::Trailing => {
                    let back = i as f64 * (training as f64 / steps as f64);
                    (usable as f64 - back).round_ties_even() - 1.
                }
            });
            self.timesteps = timesteps
                .map(|t| t.clamp(0., (training - 1) as f64))
                .collect();
            self.sigmas = self
                .timesteps
                .iter()
                .map(|&t| Self::sigma_at(&table, t))
                .collect();
        }
        let last = match config.final_sigmas_type {
            FinalSigmas::Zero => 0.,
            // UniPC repeats the last of Karras's levels.
            FinalSigmas::SigmaMin if config.use_karras_sigmas && !dpm => self.sigmas[steps - 1],
            FinalSigmas::SigmaMin => table[0],
        };
        self.sigmas.push(last);
    }
}

/// ᾱ_t, the product of all 1 − β up to t.
fn alphas(config: &SchedulerConfig) -> Vec<f64> {
    let count = config.num_train_timesteps;
    let betas: Vec<f64> = match (&config.trained_betas, config.beta_schedule) {
        (Some(betas), _) => betas.clone(),
        (None, BetaSchedule::Linear) => linspace(config.beta_start, config.beta_end, count),
        (None, BetaSchedule::ScaledLinear) => {
            let roots = linspace(config.beta_start.sqrt(), config.beta_end.sqrt(), count);
            roots.into_iter().map(|root| root * root).collect()
        }
        (None, BetaSchedule::SquaredcosCapV2) => {
            let f = |u: f64| {
                ((u + 0.008) / 1.008 * std::f64::consts::FRAC_PI_2)
                    .cos()
                    .powi(2)
            };
            let at = |i: usize| f(i as f64 / count as f64);
            (0..count)
                .map(|i| (1. - at(i + 1) / at(i)).min(0.999))
                .collect()
        }
    };
    let mut product = 1.;
    let mut alphas: Vec<f64> = betas
        .into_iter()
        .map(|beta| {
            product *= 1. - beta;
            product
        })
        .collect();
    // PNDM has no such option.
    if config.rescale_betas_zero_snr && config.kind != SchedulerKind::Pndm {
        rescale_to_zero_snr(&mut alphas);
        let divides = !matches!(config.kind, SchedulerKind::Ddim | SchedulerKind::Lcm);
        if let Some(last) = alphas.last_mut().filter(|_| divides) {
            *last = SMALLEST_ALPHA;
        }
    }
    alphas
}

/// Shifts √ᾱ so that nothing of the picture is left at the last timestep (Lin et al. 2023).
fn rescale_to_zero_snr(alphas: &mut [f64]) {
    let (Some(first), Some(last)) = (alphas.first(), alphas.last()) else {
        return;
    };
    let (first, last) = (first.sqrt(), last.sqrt());
    for alpha in alphas.iter_mut() {
        *alpha = ((alpha.sqrt() - last) * first / (first - last)).powi(2);
    }
}

/// As numpy computes it, so that ties round to the same side.
fn linspace(from: f64, to: f64, count: usize) -> Vec<f64> {
    let step = (to - from) / count.saturating_sub(1).max(1) as f64;
    let mut out: Vec<f64> = (0..count).map(|i| from + i as f64 * step).collect();
    if let Some(last) = out.get_mut(1..).and_then(<[f64]>::last_mut) {
        *last = to;
    }
    out
}

/// The spacings of PNDM, DDIM and Euler, the largest timestep first; `whole` rounds.
fn spread(config: &SchedulerConfig, steps: usize, whole: bool) -> Vec<f64> {
    let training = config.num_train_timesteps;
    let last = (training - 1) as f64;
    let timesteps: Vec<f64> = match config.timestep_spacing {
        TimestepSpacing::Leading => {
            let stride = training / steps;
            (0..steps)
                .rev()
                .map(|i| (i * stride + config.steps_offset) as f64)
                .collect()
        }
        TimestepSpacing::Linspace => {
            let ascending = linspace(0., last, steps).into_iter().rev();
            ascending
                .map(|t| if whole { t.round_ties_even() } else { t })
                .collect()
        }
        TimestepSpacing::Trailing => {
            let stride = training as f64 / steps as f64;
            (0..steps)
                .map(|i| (training as f64 - i as f64 * stride).round_ties_even() - 1.)
                .collect()
        }
    };
    timesteps.into_iter().map(|t| t.clamp(0., last)).collect()
}

/// DDIM's timesteps with the second one twice (PLMS), or with the Runge–Kutta start (PRK).
fn pndm(config: &SchedulerConfig, steps: usize) -> Result<Vec<f64>> {
    let descending = spread(config, steps, true);
    if config.skip_prk_steps {
        let mut out = descending;
        if let Some(&second) = out.get(1) {
            out.insert(1, second);
        }
        return Ok(out);
    }
    if steps < 4 {
        return Err(Error::setting(
            format!("{steps} steps are too few for PNDM's Runge-Kutta start"),
            "give at least 4 steps",
        ));
    }
    let half = (config.num_train_timesteps / steps / 2) as f64;
    let ascending: Vec<f64> = descending.iter().rev().copied().collect();
    let start: Vec<f64> = ascending[steps - 4..]
        .iter()
        .flat_map(|&t| [t, t + half])
        .collect();
    let doubled: Vec<f64> = start[..7].iter().flat_map(|&t| [t, t]).collect();
    let last = (config.num_train_timesteps - 1) as f64;
    let start = doubled[1..13].iter().rev().map(|t| t.min(last));
    Ok(start
        .chain(ascending[..steps - 3].iter().rev().copied())
        .collect())
}

/// Every k-th of the timesteps that the model was distilled for.
fn lcm(config: &SchedulerConfig, steps: usize) -> Vec<f64> {
    let original = config.original_inference_steps;
    let stride = config.num_train_timesteps / original;
    (0..steps)
        .map(|i| ((original - i * original / steps) * stride - 1) as f64)
        .collect()
}

/// Karras's noise levels from the largest to the smallest.
fn karras(largest: f64, smallest: f64, steps: usize) -> Vec<f64> {
    let (from, to) = (largest.powf(1. / RHO), smallest.powf(1. / RHO));
    linspace(0., 1., steps)
        .into_iter()
        .map(|u| (from + u * (to - from)).powf(RHO))
        .collect()
}

/// The (fractional) timestep of training with this noise level.
fn timestep_of(table: &[f64], sigma: f64) -> f64 {
    let log = sigma.max(1e-10).ln();
    let below = table.iter().rposition(|s| s.ln() <= log).unwrap_or(0);
    let low = below.min(table.len().saturating_sub(2));
    let (l, h) = (table[low].ln(), table[low + 1].ln());
    let w = ((l - log) / (l - h)).clamp(0., 1.);
    (1. - w) * low as f64 + w * (low + 1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::{SchedulerChoice, SchedulerKind};

    fn config(kind: SchedulerKind) -> SchedulerConfig {
        SchedulerConfig {
            kind,
            ..SchedulerConfig::stable_diffusion()
        }
    }

    #[test]
    fn the_two_families_space_differently() {
        let of = |kind| Schedule::new(&config(kind), 10).unwrap().timesteps;
        assert_eq!(of(SchedulerKind::Ddim)[..3], [901., 801., 701.]);
        assert_eq!(of(SchedulerKind::UniPc)[..3], [901., 811., 721.]);
        assert_eq!(of(SchedulerKind::Pndm)[..4], [901., 801., 801., 701.]);
        assert_eq!(of(SchedulerKind::Lcm)[..3], [999., 899., 799.]);
    }

    #[test]
    fn any_number_of_steps_stays_inside_the_table() {
        for kind in SchedulerKind::ALL {
            for karras in [false, true] {
                let config = SchedulerConfig {
                    use_karras_sigmas: karras,
                    ..config(kind)
                };
                for steps in [1, 2, 3, 7, 50, 333, 999, 1000] {
                    let Ok(schedule) = Schedule::new(&config, steps) else {
                        assert!(kind == SchedulerKind::Lcm && steps > 50, "{kind} {steps}");
                        continue;
                    };
                    let inside = |t: &f64| (0. ..1000.).contains(t);
                    assert!(schedule.timesteps.iter().all(inside), "{kind} {steps}");
                    assert!(
                        schedule.sigmas.iter().all(|s| s.is_finite()),
                        "{kind} {steps}"
                    );
                    let calls = steps + usize::from(kind == SchedulerKind::Pndm && steps > 1);
                    assert_eq!(schedule.timesteps.len(), calls, "{kind}");
                }
                assert!(Schedule::new(&config, 0).is_err());
                assert!(Schedule::new(&config, 1001).is_err());
            }
        }
    }

    #[test]
    fn zero_snr_leaves_nothing() {
        let choice = SchedulerChoice::from(SchedulerKind::Ddim);
        let zero = SchedulerConfig {
            rescale_betas_zero_snr: true,
            ..config(choice.kind)
        };
        assert_eq!(alphas(&zero)[999], 0.);
        let euler = SchedulerConfig {
            kind: SchedulerKind::Euler,
            ..zero
        };
        let sigma = Schedule::new(&euler, 10).unwrap().sigma_table()[999];
        assert!((sigma - 4096.).abs() < 1e-3, "{sigma}");
    }
}
