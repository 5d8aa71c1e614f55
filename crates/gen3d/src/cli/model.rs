//! The model that a command uses.

use std::sync::Arc;

use alpha_clip::{AlphaClip, LoadOptions};
use anyhow::anyhow;
use checkpoint::Checkpoint;
use checkpoint::hub::{Cache, locate};

use super::args::ModelArgs;
use super::context::Context;
use super::failure::Failure;

/// A loaded CLIP and how results call it.
pub(crate) struct Model {
    pub(crate) clip: Arc<AlphaClip>,
    /// `gen3d-mini 0.1.0`, or what the user gave.
    pub(crate) name: String,
}

impl Model {
    /// Loads what `args` name, the embedded model if they name none.
    pub(crate) fn load(args: &ModelArgs, context: &Context) -> Result<Self, Failure> {
        let (weights, name) = match args.model.as_deref() {
            None | Some(gen3d::embedded::NAME) => {
                let weights = gen3d::embedded::checkpoint().map_err(Failure::missing)?;
                let version = weights
                    .metadata()
                    .get("version")
                    .cloned()
                    .unwrap_or_default();
                (weights, format!("{} {version}", gen3d::embedded::NAME))
            }
            Some(given) => (open(given, "--model")?, given.to_owned()),
        };
        let alpha_weights = match &args.alpha_weights {
            None => None,
            Some(path) => Some(open(&path.display().to_string(), "--alpha-weights")?),
        };
        let name = match &args.alpha_weights {
            None => name,
            Some(path) => format!("{name} + {}", path.display()),
        };
        let options = LoadOptions {
            device: context.device.clone(),
            dtype: context.dtype,
            alpha_weights,
            ..LoadOptions::default()
        };
        let clip = AlphaClip::load(&weights, &options)
            .map_err(|e| Failure::missing(anyhow!("{}: {e}", weights.name())))?;
        Ok(Self {
            clip: Arc::new(clip),
            name,
        })
    }

    /// Whether the model was made for renders of shapes and knows no photographs.
    pub(crate) fn knows_shapes_only(&self) -> bool {
        self.clip
            .metadata()
            .get("domain")
            .is_some_and(|d| d == "shapes")
    }
}

/// Opens weights by path or known name; the flag that gave it is named where that fails.
pub(crate) fn open<'a>(
    given: &str,
    flag: impl Into<Option<&'a str>>,
) -> Result<Checkpoint, Failure> {
    let weights = locate(given, &Cache::from_env()).and_then(Checkpoint::open);
    weights.map_err(|error| match flag.into() {
        Some(flag) => Failure::missing(anyhow!("{flag}: {error}")),
        None => Failure::missing(error),
    })
}
