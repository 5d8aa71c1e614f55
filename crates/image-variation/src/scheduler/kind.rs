//! Which scheduler, by name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// A sampling method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SchedulerKind {
    /// Pseudo numerical methods, PLMS (Liu et al. 2022): what most SD 1.x pipelines are stored
    /// with. One network call more than there are steps.
    Pndm,
    /// Denoising diffusion implicit models (Song et al. 2020), with eta.
    Ddim,
    /// Euler's method on the probability flow ODE (Karras et al. 2022).
    Euler,
    /// Euler's method with ancestral noise.
    EulerAncestral,
    /// DPM-Solver++ multistep (Lu et al. 2022), of second order unless configured otherwise.
    #[serde(rename = "dpm++")]
    DpmSolver,
    /// UniPC (Zhao et al. 2023).
    #[serde(rename = "unipc")]
    UniPc,
    /// Latent consistency sampling (Luo et al. 2023); needs a distilled UNet.
    Lcm,
}

impl SchedulerKind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Pndm,
        Self::Ddim,
        Self::Euler,
        Self::EulerAncestral,
        Self::DpmSolver,
        Self::UniPc,
        Self::Lcm,
    ];

    /// The name that [`FromStr`] takes and `Display` gives.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pndm => "pndm",
            Self::Ddim => "ddim",
            Self::Euler => "euler",
            Self::EulerAncestral => "euler-ancestral",
            Self::DpmSolver => "dpm++",
            Self::UniPc => "unipc",
            Self::Lcm => "lcm",
        }
    }

    /// The class name in `scheduler_config.json`.
    pub fn class_name(self) -> &'static str {
        match self {
            Self::Pndm => "PNDMScheduler",
            Self::Ddim => "DDIMScheduler",
            Self::Euler => "EulerDiscreteScheduler",
            Self::EulerAncestral => "EulerAncestralDiscreteScheduler",
            Self::DpmSolver => "DPMSolverMultistepScheduler",
            Self::UniPc => "UniPCMultistepScheduler",
            Self::Lcm => "LCMScheduler",
        }
    }

    /// The scheduler of a class name.
    pub fn from_class_name(class: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.class_name() == class)
    }
}

impl fmt::Display for SchedulerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A scheduler chosen in place of the one that a pipeline is stored with.
///
/// Written as a name of [`SchedulerKind`], with `-karras` behind it for Karras's noise levels:
/// `dpm++-karras`. `plms`, `euler-a` and `dpm++-2m` are understood too.
///
/// ```
/// use image_variation::scheduler::{SchedulerChoice, SchedulerKind};
///
/// let choice: SchedulerChoice = "dpm++-karras".parse()?;
/// assert_eq!(choice.kind, SchedulerKind::DpmSolver);
/// assert_eq!(choice.karras, Some(true));
/// assert_eq!(choice.to_string(), "dpm++-karras");
/// # Ok::<(), image_variation::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SchedulerChoice {
    /// The method.
    pub kind: SchedulerKind,
    /// Karras's noise levels: as chosen, or as the pipeline's configuration says.
    pub karras: Option<bool>,
}

impl From<SchedulerKind> for SchedulerChoice {
    fn from(kind: SchedulerKind) -> Self {
        Self { kind, karras: None }
    }
}

impl fmt::Display for SchedulerChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        if self.karras == Some(true) {
            f.write_str("-karras")
        } else {
            Ok(())
        }
    }
}

impl From<SchedulerChoice> for String {
    fn from(choice: SchedulerChoice) -> Self {
        choice.to_string()
    }
}

impl TryFrom<String> for SchedulerChoice {
    type Error = Error;

    fn try_from(name: String) -> Result<Self, Error> {
        name.parse()
    }
}

impl FromStr for SchedulerChoice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let name = text.trim().to_ascii_lowercase().replace(['_', ' '], "-");
        let (name, karras) = match name.strip_suffix("-karras") {
            Some(name) => (name, Some(true)),
            None => (name.as_str(), None),
        };
        let kind = match name {
            "pndm" | "plms" => SchedulerKind::Pndm,
            "ddim" => SchedulerKind::Ddim,
            "euler" => SchedulerKind::Euler,
            "euler-ancestral" | "euler-a" => SchedulerKind::EulerAncestral,
            "dpm++" | "dpm++-2m" | "dpmpp" | "dpmpp-2m" | "dpm-solver++" => {
                SchedulerKind::DpmSolver
            }
            "unipc" | "uni-pc" => SchedulerKind::UniPc,
            "lcm" => SchedulerKind::Lcm,
            _ => {
                let names = SchedulerKind::ALL.map(SchedulerKind::name).join(", ");
                return Err(Error::setting(
                    format!("there is no scheduler {text:?}"),
                    format!("choose one of {names}"),
                ));
            }
        };
        let by_sigma = matches!(
            kind,
            SchedulerKind::Euler | SchedulerKind::DpmSolver | SchedulerKind::UniPc
        );
        if karras.is_some() && !by_sigma {
            return Err(Error::setting(
                format!("the scheduler {kind} has no Karras noise levels"),
                "choose euler-karras, dpm++-karras or unipc-karras",
            ));
        }
        Ok(Self { kind, karras })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_there_and_back() {
        for kind in SchedulerKind::ALL {
            let choice: SchedulerChoice = kind.name().parse().unwrap();
            assert_eq!(choice, SchedulerChoice::from(kind));
            assert_eq!(
                SchedulerKind::from_class_name(kind.class_name()),
                Some(kind)
            );
            let json = serde_json::to_string(&choice).unwrap();
            assert_eq!(
                serde_json::from_str::<SchedulerChoice>(&json).unwrap(),
                choice
            );
        }
        assert_eq!(
            "Euler A".parse::<SchedulerChoice>().unwrap().kind,
            SchedulerKind::EulerAncestral
        );
        let error = "heun".parse::<SchedulerChoice>().unwrap_err().to_string();
        assert!(error.contains("heun") && error.contains("dpm++"), "{error}");
        assert!("ddim-karras".parse::<SchedulerChoice>().is_err());
    }
}
