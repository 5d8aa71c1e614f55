//! The model that a command uses.

use std::collections::BTreeMap;
use std::sync::Arc;

use alpha_clip::{Activation, AlphaClip, FovealAttention, LoadOptions, Preprocess, VisionTower};
use anyhow::anyhow;
use checkpoint::Checkpoint;
use checkpoint::hub::{Cache, locate};
use point_clip::recognize::{Focus, ShapeEncoder, ShapeOptions};

use super::args::{ActivationChoice, ModelArgs};
use super::context::Context;
use super::failure::Failure;

/// A loaded CLIP and how results call it.
pub(crate) struct Model {
    pub(crate) clip: Arc<AlphaClip>,
    /// `gen3d-mini 0.5.0`, or what the user gave.
    pub(crate) name: String,
}

impl Model {
    /// Loads what `args` name, the embedded model if they name none.
    pub(crate) fn load(args: &ModelArgs, context: &Context) -> Result<Self, Failure> {
        let given = args.weights(context)?;
        let clip = AlphaClip::load(&given.weights, &given.options).map_err(Failure::missing)?;
        Ok(Self {
            clip: Arc::new(clip),
            name: given.name,
        })
    }

    /// What turns shapes into its features.
    pub(crate) fn shape_encoder(&self, options: ShapeOptions) -> Result<ShapeEncoder, Failure> {
        check_focus(options.focus, self.clip.vision(), &self.name)?;
        Ok(ShapeEncoder::new(self.clip.clone(), options))
    }
}

/// Whether the tower can look as `--focus` says: known before any input is read.
pub(crate) fn check_focus(focus: Focus, tower: &VisionTower, name: &str) -> Result<(), Failure> {
    let fits = match focus {
        Focus::Foveal => FovealAttention::default().check(tower.config()),
        Focus::None | Focus::Alpha => Ok(()),
    };
    fits.map_err(|e| Failure::usage(anyhow!("--focus foveal, {name}: {e}")))
}

/// What turns pictures into features: the vision half of a CLIP, or a vision tower that is alone
/// in its file.
pub(crate) struct ImageModel {
    pub(crate) tower: Arc<VisionTower>,
    pub(crate) preprocess: Preprocess,
    /// As [`Model::name`].
    pub(crate) name: String,
    /// Whether it was made for renders of shapes and knows no photographs.
    pub(crate) knows_shapes_only: bool,
}

impl ImageModel {
    /// Loads the vision tower of what `args` name.
    pub(crate) fn load(args: &ModelArgs, context: &Context) -> Result<Self, Failure> {
        let given = args.weights(context)?;
        let tower = VisionTower::load(&given.weights, &given.options).map_err(Failure::missing)?;
        let side = tower.config().image_size;
        Ok(Self {
            preprocess: Preprocess::of(&given.weights, side).map_err(Failure::missing)?,
            knows_shapes_only: for_shapes(given.weights.metadata()),
            tower: Arc::new(tower),
            name: given.name,
        })
    }
}

impl From<&Model> for ImageModel {
    fn from(model: &Model) -> Self {
        Self {
            tower: model.clip.vision().clone(),
            preprocess: model.clip.preprocess().clone(),
            name: model.name.clone(),
            knows_shapes_only: for_shapes(model.clip.metadata()),
        }
    }
}

fn for_shapes(metadata: &BTreeMap<String, String>) -> bool {
    metadata.get("domain").is_some_and(|d| d == "shapes")
}

/// What was asked for, before any tower is built of it.
struct Given {
    weights: Checkpoint,
    name: String,
    options: LoadOptions,
}

impl ModelArgs {
    fn weights(&self, context: &Context) -> Result<Given, Failure> {
        let (mut weights, mut name) = match self.model.as_deref() {
            None | Some(gen3d::embedded::NAME) => {
                let weights = gen3d::embedded::checkpoint().map_err(Failure::missing)?;
                let version = weights.metadata().get("version").cloned();
                let version = version.unwrap_or_default();
                (weights, format!("{} {version}", gen3d::embedded::NAME))
            }
            Some(given) => (open(given, "--model")?, given.to_owned()),
        };
        if let Some(path) = &self.model_config {
            weights = weights
                .with_config_file(path)
                .map_err(|e| Failure::missing(anyhow!("--model-config: {e}")))?;
        }
        let mut alpha_weights = None;
        if let Some(path) = &self.alpha_weights {
            let path = path.display().to_string();
            alpha_weights = Some(open(&path, "--alpha-weights")?);
            name = format!("{name} + {path}");
        }
        let activation = self.activation.map(|choice| match choice {
            ActivationChoice::QuickGelu => Activation::QuickGelu,
            ActivationChoice::Gelu => Activation::Gelu,
        });
        let options = LoadOptions {
            alpha_weights,
            activation,
            image_size: self.image_size,
            ..context.load_options()
        };
        Ok(Given {
            weights,
            name,
            options,
        })
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
