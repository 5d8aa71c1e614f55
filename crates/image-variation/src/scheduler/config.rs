//! `scheduler_config.json`.

use serde::Serialize;
use serde_json::Value;

use super::kind::{SchedulerChoice, SchedulerKind};
use crate::error::Result;
use crate::json::Object;

/// How the variance of one step of the forward process grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BetaSchedule {
    /// Evenly.
    Linear,
    /// Its square root evenly: Stable Diffusion.
    ScaledLinear,
    /// So that ᾱ follows a squared cosine (Nichol and Dhariwal 2021).
    SquaredcosCapV2,
}

/// What the network's output stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PredictionType {
    /// The noise.
    Epsilon,
    /// The velocity √ᾱ·ε − √(1−ᾱ)·x₀ (Salimans and Ho 2022).
    VPrediction,
    /// The clean sample.
    Sample,
}

/// How timesteps are spread over those of training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TimestepSpacing {
    /// Multiples of T/N from 0, plus `steps_offset`.
    Leading,
    /// N points from 0 to T−1.
    Linspace,
    /// Multiples of T/N back from T.
    Trailing,
}

/// The noise level after the last step of samplers that work on noise levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FinalSigmas {
    /// None.
    Zero,
    /// The smallest of training.
    SigmaMin,
}

/// Form of the multistep formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SolverType {
    /// DPM-Solver++, midpoint.
    Midpoint,
    /// DPM-Solver++, Heun.
    Heun,
    /// UniPC with B(h) = h.
    Bh1,
    /// UniPC with B(h) = eʰ − 1.
    Bh2,
}

/// Configuration of a scheduler, each missing key filled with the default of its class in
/// diffusers.
///
/// One exception: `clip_sample`, which ruins latents, is true by default only if the file is a
/// DDIM configuration itself, not if DDIM was chosen over another one.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs)] // the keys of scheduler_config.json; formulas at their use
pub struct SchedulerConfig {
    pub kind: SchedulerKind,
    pub num_train_timesteps: usize,
    pub beta_start: f64,
    pub beta_end: f64,
    pub beta_schedule: BetaSchedule,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trained_betas: Option<Vec<f64>>,
    pub prediction_type: PredictionType,
    pub timestep_spacing: TimestepSpacing,
    pub steps_offset: usize,
    pub rescale_betas_zero_snr: bool,
    pub clip_sample: bool,
    pub clip_sample_range: f64,
    pub set_alpha_to_one: bool,
    pub skip_prk_steps: bool,
    pub use_karras_sigmas: bool,
    pub final_sigmas_type: FinalSigmas,
    pub solver_order: usize,
    pub solver_type: SolverType,
    /// Whether `algorithm_type` is `sde-dpmsolver++`.
    pub stochastic: bool,
    pub lower_order_final: bool,
    pub euler_at_final: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lambda_min_clipped: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub disable_corrector: Vec<usize>,
    pub original_inference_steps: usize,
    pub timestep_scaling: f64,
}

/// Most timesteps that a configuration may claim.
const LARGEST_TRAINING: usize = 100_000;

impl SchedulerConfig {
    /// The configuration of Stable Diffusion 1.x: for single files, which carry none.
    pub fn stable_diffusion() -> Self {
        Self {
            kind: SchedulerKind::Pndm,
            num_train_timesteps: 1000,
            beta_start: 0.00085,
            beta_end: 0.012,
            beta_schedule: BetaSchedule::ScaledLinear,
            trained_betas: None,
            prediction_type: PredictionType::Epsilon,
            timestep_spacing: TimestepSpacing::Leading,
            steps_offset: 1,
            rescale_betas_zero_snr: false,
            clip_sample: false,
            clip_sample_range: 1.0,
            set_alpha_to_one: false,
            skip_prk_steps: true,
            use_karras_sigmas: false,
            final_sigmas_type: FinalSigmas::Zero,
            solver_order: 2,
            solver_type: SolverType::Midpoint,
            stochastic: false,
            lower_order_final: true,
            euler_at_final: false,
            lambda_min_clipped: None,
            disable_corrector: Vec::new(),
            original_inference_steps: 50,
            timestep_scaling: 10.0,
        }
    }

    /// Reads `scheduler_config.json`; `file` stands for it in messages. `choice` takes the place
    /// of the file's `_class_name`, as diffusers' `from_config` does with another class.
    ///
    /// # Errors
    /// [`Error::Pipeline`](crate::Error::Pipeline) for a class or an option that this crate does
    /// not run, and for values that cannot be.
    pub fn from_json(config: &Value, file: &str, choice: Option<SchedulerChoice>) -> Result<Self> {
        let json = Object::new(config, file)?;
        let class = json.text("_class_name")?.unwrap_or("PNDMScheduler");
        let own = SchedulerKind::from_class_name(class);
        let Some(kind) = choice.map(|c| c.kind).or(own) else {
            let names = SchedulerKind::ALL.map(SchedulerKind::name).join(", ");
            return Err(json.wrong(
                format!("the scheduler {class:?} is not one of those built in"),
                format!("choose one of {names}"),
            ));
        };
        refuse_unknown_options(&json)?;
        let by_sigma = matches!(
            kind,
            SchedulerKind::Euler
                | SchedulerKind::EulerAncestral
                | SchedulerKind::DpmSolver
                | SchedulerKind::UniPc
        );
        let lcm = kind == SchedulerKind::Lcm;
        let betas = if lcm {
            (0.00085, 0.012, "scaled_linear")
        } else {
            (0.0001, 0.02, "linear")
        };
        let solver = match json.text("solver_type")? {
            Some("heun") if kind == SchedulerKind::DpmSolver => SolverType::Heun,
            Some("bh1") if kind == SchedulerKind::UniPc => SolverType::Bh1,
            _ if kind == SchedulerKind::UniPc => SolverType::Bh2,
            _ => SolverType::Midpoint,
        };
        let mut out = Self {
            kind,
            num_train_timesteps: json.count("num_train_timesteps")?.unwrap_or(1000),
            beta_start: json.number("beta_start")?.unwrap_or(betas.0),
            beta_end: json.number("beta_end")?.unwrap_or(betas.1),
            beta_schedule: match json.text("beta_schedule")?.unwrap_or(betas.2) {
                "linear" => BetaSchedule::Linear,
                "scaled_linear" => BetaSchedule::ScaledLinear,
                "squaredcos_cap_v2" => BetaSchedule::SquaredcosCapV2,
                other => return Err(json.unknown("beta_schedule", other)),
            },
            trained_betas: json.numbers("trained_betas")?,
            prediction_type: match json.text("prediction_type")?.unwrap_or("epsilon") {
                "epsilon" => PredictionType::Epsilon,
                "v_prediction" => PredictionType::VPrediction,
                "sample" => PredictionType::Sample,
                other => return Err(json.unknown("prediction_type", other)),
            },
            timestep_spacing: match json.text("timestep_spacing")? {
                Some("leading") => TimestepSpacing::Leading,
                Some("linspace") => TimestepSpacing::Linspace,
                Some("trailing") => TimestepSpacing::Trailing,
                Some(other) => return Err(json.unknown("timestep_spacing", other)),
                None if by_sigma => TimestepSpacing::Linspace,
                None => TimestepSpacing::Leading,
            },
            steps_offset: json.count("steps_offset")?.unwrap_or(0),
            rescale_betas_zero_snr: json.flag("rescale_betas_zero_snr")?.unwrap_or(false),
            clip_sample: json
                .flag("clip_sample")?
                .unwrap_or(kind == SchedulerKind::Ddim && own == Some(SchedulerKind::Ddim)),
            clip_sample_range: json.number("clip_sample_range")?.unwrap_or(1.0),
            set_alpha_to_one: json
                .flag("set_alpha_to_one")?
                .unwrap_or(kind != SchedulerKind::Pndm),
            skip_prk_steps: json.flag("skip_prk_steps")?.unwrap_or(false),
            use_karras_sigmas: json.flag("use_karras_sigmas")?.unwrap_or(false),
            final_sigmas_type: match json.text("final_sigmas_type")?.unwrap_or("zero") {
                "zero" => FinalSigmas::Zero,
                "sigma_min" => FinalSigmas::SigmaMin,
                other => return Err(json.unknown("final_sigmas_type", other)),
            },
            solver_order: json.count("solver_order")?.unwrap_or(2),
            solver_type: solver,
            stochastic: kind == SchedulerKind::DpmSolver
                && match json.text("algorithm_type")?.unwrap_or("dpmsolver++") {
                    "dpmsolver++" | "deis" => false,
                    "sde-dpmsolver++" => true,
                    other => return Err(json.unknown("algorithm_type", other)),
                },
            lower_order_final: json.flag("lower_order_final")?.unwrap_or(true),
            euler_at_final: json.flag("euler_at_final")?.unwrap_or(false),
            lambda_min_clipped: json.number("lambda_min_clipped")?,
            disable_corrector: json.counts("disable_corrector")?.unwrap_or_default(),
            original_inference_steps: json.count("original_inference_steps")?.unwrap_or(50),
            timestep_scaling: json.number("timestep_scaling")?.unwrap_or(10.0),
        };
        if let Some(karras) = choice.and_then(|c| c.karras) {
            out.use_karras_sigmas = karras;
        }
        out.check(&json)?;
        Ok(out)
    }

    fn check(&self, json: &Object<'_>) -> Result<()> {
        let wrong = |what: String| Err(json.wrong(what, "correct the scheduler configuration"));
        let training = self.num_train_timesteps;
        if !(2..=LARGEST_TRAINING).contains(&training) {
            return wrong(format!("num_train_timesteps is {training}"));
        }
        let variance = |beta: f64| beta > 0. && beta < 1.;
        if !variance(self.beta_start) || !variance(self.beta_end) {
            let Self {
                beta_start,
                beta_end,
                ..
            } = self;
            return wrong(format!(
                "the betas {beta_start} to {beta_end} are not between 0 and 1"
            ));
        }
        if let Some(betas) = &self.trained_betas
            && (betas.len() != training || !betas.iter().all(|&beta| variance(beta)))
        {
            return wrong(format!(
                "trained_betas should be {training} numbers between 0 and 1 but are {}",
                betas.len()
            ));
        }
        if self.steps_offset >= training {
            return wrong(format!("steps_offset is {}", self.steps_offset));
        }
        if !(1..=3).contains(&self.solver_order) {
            return wrong(format!(
                "solver_order is {}, not 1, 2 or 3",
                self.solver_order
            ));
        }
        if !(1..=training).contains(&self.original_inference_steps) {
            return wrong(format!(
                "original_inference_steps is {}",
                self.original_inference_steps
            ));
        }
        if self.stochastic && (self.solver_order > 2 || self.solver_type != SolverType::Midpoint) {
            return wrong("sde-dpmsolver++ is built in for orders 1 and 2, midpoint".into());
        }
        let bh1 = self.kind == SchedulerKind::UniPc && self.solver_type == SolverType::Bh1;
        if bh1 && self.final_sigmas_type == FinalSigmas::Zero {
            return wrong("UniPC's bh1 divides by zero if final_sigmas_type is zero".into());
        }
        Ok(())
    }
}

/// Options of diffusers' schedulers that change the result and are not built in.
fn refuse_unknown_options(json: &Object<'_>) -> Result<()> {
    const SWITCHES: [&str; 5] = [
        "thresholding",
        "use_exponential_sigmas",
        "use_beta_sigmas",
        "use_lu_lambdas",
        "use_flow_sigmas",
    ];
    for name in SWITCHES {
        if json.flag(name)? == Some(true) {
            return Err(json.wrong(
                format!("the scheduler option {name} is not built in"),
                "set it to false or choose another scheduler",
            ));
        }
    }
    if json.flag("predict_x0")? == Some(false) {
        return Err(json.wrong(
            "UniPC is built in for predict_x0 only",
            "set predict_x0 to true or choose another scheduler",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(config: &Value, choice: Option<SchedulerKind>) -> Result<SchedulerConfig> {
        SchedulerConfig::from_json(config, "scheduler_config.json", choice.map(Into::into))
    }

    #[test]
    fn defaults_are_those_of_the_class() {
        let short = json!({"_class_name": "PNDMScheduler", "beta_schedule": "scaled_linear"});
        let pndm = read(&short, None).unwrap();
        assert_eq!(pndm.timestep_spacing, TimestepSpacing::Leading);
        assert!(!pndm.set_alpha_to_one && !pndm.skip_prk_steps);
        let euler = read(&short, Some(SchedulerKind::Euler)).unwrap();
        assert_eq!(euler.timestep_spacing, TimestepSpacing::Linspace);
        assert!(!read(&short, Some(SchedulerKind::Ddim)).unwrap().clip_sample);
        assert!(
            read(&json!({"_class_name": "DDIMScheduler"}), None)
                .unwrap()
                .clip_sample
        );
    }

    #[test]
    fn what_is_not_built_in_is_named() {
        let said = |config: Value| read(&config, None).unwrap_err().to_string();
        assert!(said(json!({"_class_name": "HeunDiscreteScheduler"})).contains("Heun"));
        assert!(said(json!({"thresholding": true})).contains("thresholding"));
        assert!(said(json!({"beta_schedule": "sigmoid"})).contains("sigmoid"));
        assert!(said(json!({"num_train_timesteps": 10_000_000})).contains("10000000"));
        assert!(said(json!({"num_train_timesteps": -4})).contains("num_train_timesteps"));
        assert!(said(json!({"beta_end": 2.0})).contains("between 0 and 1"));
        assert!(said(json!({"trained_betas": [0.1]})).contains("trained_betas"));
        assert!(said(json!([])).contains("object"));
        let other = json!({"_class_name": "HeunDiscreteScheduler"});
        assert!(read(&other, Some(SchedulerKind::Ddim)).is_ok());
    }
}
