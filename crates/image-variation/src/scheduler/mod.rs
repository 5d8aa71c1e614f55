//! Samplers: how a noisy latent is walked back to a clean one.
//!
//! [`SchedulerConfig`] reads `scheduler_config.json`; [`Scheduler`] walks one run. Formulas and
//! conventions are those of diffusers 0.42, to which the outputs are equal to 1e-5.

mod config;
mod ddim;
mod dpm_solver;
mod euler;
#[cfg(test)]
mod golden;
mod kind;
mod lcm;
mod pndm;
mod schedule;
mod unipc;

use candle_core::Tensor;

pub use config::{
    BetaSchedule, FinalSigmas, PredictionType, SchedulerConfig, SolverType, TimestepSpacing,
};
pub use kind::{SchedulerChoice, SchedulerKind};

use crate::error::{Error, Result};
use schedule::Schedule;

/// Where a step gets its noise from: called at most once a step, it gives a unit normal tensor of
/// the sample's shape.
pub type NoiseSource<'a> = dyn FnMut() -> Result<Tensor> + 'a;

/// One run of a sampler.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use image_variation::scheduler::{Scheduler, SchedulerConfig};
///
/// let mut scheduler = Scheduler::new(&SchedulerConfig::stable_diffusion(), 10, 0.0)?;
/// let mut x = (Tensor::ones((1, 4, 8, 8), candle_core::DType::F32, &Device::Cpu)?
///     * scheduler.init_noise_sigma())?;
/// while let Some(_timestep) = scheduler.timestep() {
///     let input = scheduler.scale_input(&x)?;
///     let output = (input * 0.3)?; // here stands the network
///     x = scheduler.step(&output, &x, &mut || unreachable!("PNDM needs no noise"))?;
/// }
/// assert_eq!(scheduler.timesteps().len(), 11);
/// # Ok::<(), image_variation::Error>(())
/// ```
pub struct Scheduler {
    schedule: Schedule,
    prediction: PredictionType,
    kind: SchedulerKind,
    init_noise_sigma: f64,
    solver: Box<dyn Solver + Send>,
    /// The next timestep.
    index: usize,
    /// Steps taken since the start.
    done: usize,
}

/// What a solver knows of the step that it takes.
struct Step<'a> {
    schedule: &'a Schedule,
    prediction: PredictionType,
    index: usize,
    done: usize,
}

/// The rule of one method.
trait Solver {
    /// The sample after the step.
    fn step(
        &mut self,
        at: &Step<'_>,
        output: &Tensor,
        x: &Tensor,
        noise: &mut NoiseSource<'_>,
    ) -> Result<Tensor>;

    /// Forgets earlier steps.
    fn reset(&mut self) {}

    /// Whether steps draw noise.
    fn is_stochastic(&self) -> bool {
        false
    }
}

impl Scheduler {
    /// Prepares a run of `steps` steps. `eta` is the part of DDIM's noise, 0 to 1; other methods
    /// do not look at it.
    ///
    /// # Errors
    /// [`Error::Setting`] for 0 steps or more than there are timesteps, and an `eta` out of range.
    pub fn new(config: &SchedulerConfig, steps: usize, eta: f64) -> Result<Self> {
        if !(0. ..=1.).contains(&eta) {
            return Err(Error::setting(
                format!("eta is {eta}"),
                "give a number from 0 to 1",
            ));
        }
        let schedule = Schedule::new(config, steps)?;
        let solver: Box<dyn Solver + Send> = match config.kind {
            SchedulerKind::Pndm => Box::new(pndm::Pndm::new(config, &schedule)),
            SchedulerKind::Ddim => Box::new(ddim::Ddim::new(config, &schedule, eta)),
            SchedulerKind::Euler => Box::new(euler::Euler),
            SchedulerKind::EulerAncestral => Box::new(euler::EulerAncestral),
            SchedulerKind::DpmSolver => Box::new(dpm_solver::DpmSolver::new(config)),
            SchedulerKind::UniPc => Box::new(unipc::UniPc::new(config)),
            SchedulerKind::Lcm => Box::new(lcm::Lcm::new(config)),
        };
        let largest = schedule.sigmas.iter().copied().fold(0., f64::max);
        let init_noise_sigma = match (config.kind, config.timestep_spacing) {
            (SchedulerKind::Euler | SchedulerKind::EulerAncestral, TimestepSpacing::Leading) => {
                (largest * largest + 1.).sqrt()
            }
            (SchedulerKind::Euler | SchedulerKind::EulerAncestral, _) => largest,
            _ => 1.,
        };
        Ok(Self {
            schedule,
            prediction: config.prediction_type,
            kind: config.kind,
            init_noise_sigma,
            solver,
            index: 0,
            done: 0,
        })
    }

    /// Timesteps in the order in which the network is called with them. Some methods call it more
    /// often than there are steps.
    pub fn timesteps(&self) -> &[f64] {
        &self.schedule.timesteps
    }

    /// Noise levels at the timesteps and after the last one; empty for methods that do not work on
    /// them (PNDM, DDIM, LCM).
    pub fn sigmas(&self) -> &[f64] {
        &self.schedule.sigmas
    }

    /// What a unit normal start is multiplied by.
    pub fn init_noise_sigma(&self) -> f64 {
        self.init_noise_sigma
    }

    /// Whether steps draw noise.
    pub fn is_stochastic(&self) -> bool {
        self.solver.is_stochastic()
    }

    /// Starts (again) at a timestep by its index: later than 0 to vary a picture.
    pub fn begin_at(&mut self, index: usize) {
        self.index = index;
        self.done = 0;
        self.solver.reset();
    }

    /// Index of the next timestep.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The next timestep; `None` when the run is over.
    pub fn timestep(&self) -> Option<f64> {
        self.schedule.timesteps.get(self.index).copied()
    }

    /// The network's input at the next timestep.
    ///
    /// # Errors
    /// [`Error::Tensor`].
    pub fn scale_input(&self, x: &Tensor) -> Result<Tensor> {
        let euler = matches!(
            self.kind,
            SchedulerKind::Euler | SchedulerKind::EulerAncestral
        );
        match self.schedule.sigmas.get(self.index) {
            Some(sigma) if euler => Ok((x / (sigma * sigma + 1.).sqrt())?),
            _ => Ok(x.clone()),
        }
    }

    /// Takes a step: the sample at the timestep after the next one, from the network's `output`
    /// and the (unscaled) sample `x` at the next one. Both are f32 of the same shape.
    ///
    /// # Errors
    /// [`Error::Setting`] if the run is over; [`Error::Tensor`]; what `noise` gives.
    pub fn step(
        &mut self,
        output: &Tensor,
        x: &Tensor,
        noise: &mut NoiseSource<'_>,
    ) -> Result<Tensor> {
        if self.timestep().is_none() {
            return Err(Error::setting("all steps are taken", "begin another run"));
        }
        let at = Step {
            schedule: &self.schedule,
            prediction: self.prediction,
            index: self.index,
            done: self.done,
        };
        let next = self.solver.step(&at, output, x, noise)?;
        self.index += 1;
        self.done += 1;
        Ok(next)
    }

    /// A clean sample with unit normal `noise` laid over it as at timestep number `index`; after
    /// the last one, the clean sample itself.
    ///
    /// # Errors
    /// [`Error::Tensor`].
    pub fn add_noise(&self, clean: &Tensor, noise: &Tensor, index: usize) -> Result<Tensor> {
        let Some(&timestep) = self.schedule.timesteps.get(index) else {
            return Ok(clean.clone());
        };
        let (signal, strength) = match (self.kind, self.schedule.sigmas.get(index)) {
            (SchedulerKind::Euler | SchedulerKind::EulerAncestral, Some(&sigma)) => (1., sigma),
            (_, Some(&sigma)) => (signal_of(sigma), noise_of(sigma)),
            (_, None) => {
                let alpha = self.schedule.alpha(timestep as i64, 1.);
                (alpha.sqrt(), (1. - alpha).sqrt())
            }
        };
        mix(&[(signal, clean), (strength, noise)])
    }

    /// Number of the timestep at which a run of `steps` steps begins that changes a picture by
    /// `strength`, 0 (not at all) to 1 (the picture is lost but for its traces in the noise).
    pub fn start_index(steps: usize, strength: f64) -> usize {
        let taken = ((steps as f64 * strength) as usize).min(steps);
        steps - taken
    }
}

impl std::fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scheduler")
            .field("kind", &self.kind)
            .field("timesteps", &self.schedule.timesteps)
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

impl Step<'_> {
    fn timestep(&self) -> f64 {
        self.schedule
            .timesteps
            .get(self.index)
            .copied()
            .unwrap_or(0.)
    }

    /// Noise level at the timestep `ahead` of the current one.
    fn sigma(&self, ahead: isize) -> f64 {
        let index = self.index.checked_add_signed(ahead);
        index
            .and_then(|i| self.schedule.sigmas.get(i).copied())
            .unwrap_or(0.)
    }

    fn is_last(&self) -> bool {
        self.index + 1 >= self.schedule.timesteps.len()
    }

    /// The clean sample that the output predicts, where x = a·x₀ + s·ε.
    fn clean(&self, output: &Tensor, x: &Tensor, a: f64, s: f64) -> Result<Tensor> {
        match self.prediction {
            PredictionType::Epsilon => mix(&[(1. / a, x), (-s / a, output)]),
            PredictionType::VPrediction => mix(&[(a, x), (-s, output)]),
            PredictionType::Sample => Ok(output.clone()),
        }
    }

    /// The noise that the output predicts.
    fn noise(&self, output: &Tensor, x: &Tensor, a: f64, s: f64) -> Result<Tensor> {
        match self.prediction {
            PredictionType::Epsilon => Ok(output.clone()),
            PredictionType::VPrediction => mix(&[(a, output), (s, x)]),
            PredictionType::Sample => mix(&[(1. / s, x), (-a / s, output)]),
        }
    }
}

/// Part of the picture in a unit variance sample of noise level σ: √ᾱ = 1 / √(σ² + 1).
fn signal_of(sigma: f64) -> f64 {
    1. / (sigma * sigma + 1.).sqrt()
}

/// Part of the noise in it: √(1 − ᾱ).
fn noise_of(sigma: f64) -> f64 {
    sigma * signal_of(sigma)
}

/// Σ factor · tensor; a factor of 0 leaves its tensor out.
fn mix(terms: &[(f64, &Tensor)]) -> Result<Tensor> {
    let mut sum: Option<Tensor> = None;
    for &(factor, tensor) in terms {
        if factor == 0. {
            continue;
        }
        let term = (tensor * factor)?;
        sum = Some(match sum {
            Some(sum) => (sum + term)?,
            None => term,
        });
    }
    match (sum, terms.first()) {
        (Some(sum), _) => Ok(sum),
        (None, Some((_, tensor))) => Ok(tensor.zeros_like()?),
        (None, None) => Err(Error::input("nothing to add up", "give at least one term")),
    }
}
