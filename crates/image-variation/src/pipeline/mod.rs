//! The whole way: a picture and its region to new pictures.

mod builder;
mod files;
mod fit;
#[cfg(test)]
mod golden;
mod keep;
mod part;
mod request;
mod run;
#[cfg(test)]
mod tests;
mod variation;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use alpha_clip::{Filter, Preprocess, Resampling, VisionInput, VisionTower};
use candle_core::{DType, Device, Tensor};
use serde_json::Value;

pub use builder::PipelineBuilder;
pub use request::{Condition, Keep, Request, Start, Subject};
pub use run::{Run, Step};
pub use variation::Variation;
pub(crate) use variation::to_rgb8;

use crate::error::{Error, Result};
use crate::safety::SafetyChecker;
use crate::scheduler::{SchedulerChoice, SchedulerConfig};
use crate::unet::{Unet, UnetConfig};
use crate::vae::{Vae, VaeConfig};
use part::{Loan, Part};

/// How a picture is brought to the square that the image encoder takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recipe {
    /// Squeezed to the square as floats, the picture without antialiasing: what the published
    /// model was trained on and its card asks for. Another recipe visibly changes its results.
    #[default]
    ModelCard,
    /// As the pipeline's feature extractor says: the middle, by Pillow's bicubic resampling.
    FeatureExtractor,
}

/// Stable Diffusion image variation, conditioned on the embedding of a picture or of a region of
/// it; the [front page](crate) has an example.
pub struct Pipeline {
    encoder: Part<VisionTower>,
    /// Without alpha weights, where there are some.
    plain_encoder: Option<Part<VisionTower>>,
    unet: Part<Unet>,
    vae: Part<Vae>,
    safety: Option<Part<SafetyChecker>>,
    place: PathBuf,
    image_size: usize,
    unet_config: UnetConfig,
    vae_config: VaeConfig,
    scheduler: (Value, String),
    feature_extractor: Option<Value>,
    low_memory: bool,
    fingerprint: String,
    dtype: DType,
    device: Device,
}

impl Pipeline {
    /// Opens a diffusers folder or a single-file checkpoint with the defaults of
    /// [`PipelineBuilder`].
    ///
    /// # Errors
    /// As [`PipelineBuilder::open`].
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        Self::builder(path).open()
    }

    /// Sets how a pipeline is opened: a diffusers folder, safetensors or PyTorch files, or a
    /// single-file checkpoint.
    pub fn builder(path: impl Into<PathBuf>) -> PipelineBuilder {
        PipelineBuilder::new(path.into())
    }

    /// Loads what is to be kept, and whatever else could fail only after hours of work.
    fn prepare(&mut self) -> Result<()> {
        self.scheduler_config(None)?;
        if !self.low_memory {
            self.encoder.keep()?;
            self.unet.keep()?;
            self.vae.keep()?;
            if let Some(safety) = &mut self.safety {
                safety.keep()?;
            }
        } else {
            self.vae.borrow()?;
            if let Some(safety) = &self.safety {
                safety.borrow()?;
            }
        }
        let encoder = self.encoder.borrow()?;
        let (image_size, width) = (encoder.config().image_size, encoder.config().embed_dim);
        drop(encoder);
        self.image_size = image_size;
        if width != self.unet_config.context_width {
            return Err(Error::pipeline(
                &self.place,
                format!(
                    "the image encoder gives {width} values and the UNet takes {}",
                    self.unet_config.context_width
                ),
                "use the image encoder that the UNet was trained with",
            ));
        }
        Ok(())
    }

    /// How pictures and regions are prepared for [`Condition`].
    ///
    /// # Errors
    /// [`Error::Clip`] if the feature extractor's configuration asks for something else.
    pub fn preprocess(&self, recipe: Recipe) -> Result<Preprocess> {
        let stated = match &self.feature_extractor {
            Some(config) => Preprocess::from_hugging_face(config, self.image_size)?,
            None => Preprocess::clip(self.image_size),
        };
        Ok(match recipe {
            Recipe::FeatureExtractor => stated,
            Recipe::ModelCard => Preprocess {
                mean: stated.mean,
                std: stated.std,
                // The mask of Alpha-CLIP's demonstration goes through another resize, which
                // antialiases.
                region_resampling: Resampling::Float {
                    filter: Filter::Bilinear,
                    antialias: true,
                },
                ..Preprocess::alpha_clip_variation(self.image_size, false)
            },
        })
    }

    /// The embedding [1, D] of a condition in f32, not normalised.
    ///
    /// # Errors
    /// [`Error::Input`] or [`Error::Clip`] if it is not of the shape that [`Condition`] says.
    pub fn embed(&self, condition: &Condition) -> Result<Tensor> {
        let width = self.unet_config.context_width;
        let embedding = match condition {
            Condition::Embedding(embedding) => {
                if embedding.elem_count() != width || !matches!(embedding.rank(), 1..=3) {
                    return Err(Error::input(
                        format!("the embedding has shape {:?}", embedding.dims()),
                        format!("this pipeline takes [1, {width}]"),
                    ));
                }
                embedding.reshape((1, width))?
            }
            Condition::View(input) => encode(&self.encoder, input)?,
            Condition::Plain(input) => {
                encode(self.plain_encoder.as_ref().unwrap_or(&self.encoder), input)?
            }
        };
        let embedding = embedding.to_device(&self.device)?.to_dtype(DType::F32)?;
        let sum = embedding.sqr()?.sum_all()?.to_scalar::<f32>()?;
        if !sum.is_finite() {
            return Err(Error::input(
                "the embedding is not finite",
                "check the picture and the weights",
            ));
        }
        Ok(embedding)
    }

    /// The scheduler's configuration for a run: the pipeline's own, or that of a choice.
    ///
    /// # Errors
    /// As [`SchedulerConfig::from_json`].
    pub fn scheduler_config(&self, choice: Option<SchedulerChoice>) -> Result<SchedulerConfig> {
        let (config, place) = &self.scheduler;
        SchedulerConfig::from_json(config, place, choice)
    }

    /// Makes the pictures of a request. `on_step` is called after each step; when it breaks, the
    /// pictures that are finished are given.
    ///
    /// # Errors
    /// [`Error::Setting`] and [`Error::Input`] for a request that cannot be; [`Error::Tensor`] if
    /// memory is short. To have finished pictures in spite of a later error, use
    /// [`start`](Self::start).
    pub fn generate(
        &self,
        request: &Request,
        on_step: &mut dyn FnMut(Step<'_>) -> ControlFlow<()>,
    ) -> Result<Vec<Variation>> {
        let mut run = self.start(request)?;
        let mut all = Vec::new();
        while let Some(batch) = run.next_batch(on_step)? {
            all.extend(batch);
        }
        Ok(all)
    }

    /// Checks a request and encodes its conditions; its pictures are then made batch by batch.
    ///
    /// # Errors
    /// As [`generate`](Self::generate).
    pub fn start(&self, request: &Request) -> Result<Run<'_>> {
        Run::new(self, request)
    }

    /// The path that it was opened by.
    pub fn path(&self) -> &Path {
        &self.place
    }

    /// Width and height of its pictures unless a request says another.
    pub fn default_size(&self) -> (usize, usize) {
        let side = self.unet_config.sample_size * self.size_factor();
        (side, side)
    }

    /// Width and height in the shape of a picture of this width and height, with about the area
    /// of its own.
    pub fn size_like(&self, width: usize, height: usize) -> (usize, usize) {
        fit::size_like((width, height), self.default_size().0, self.size_factor())
    }

    /// What divides width and height of its pictures: 8.
    pub fn size_factor(&self) -> usize {
        self.vae_config.factor()
    }

    /// Shape of the UNet.
    pub fn unet_config(&self) -> &UnetConfig {
        &self.unet_config
    }

    /// Shape of the VAE.
    pub fn vae_config(&self) -> &VaeConfig {
        &self.vae_config
    }

    /// Whether a safety checker looks at the pictures.
    pub fn has_safety_checker(&self) -> bool {
        self.safety.is_some()
    }

    /// Whether alpha weights lie over the image encoder.
    pub fn has_alpha_weights(&self) -> bool {
        self.plain_encoder.is_some()
    }

    /// A name for its weights that changes when they change; see
    /// [`Checkpoint::fingerprint`](checkpoint::Checkpoint::fingerprint).
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// What the UNet's weights are kept as.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Where it computes.
    pub fn device(&self) -> &Device {
        &self.device
    }
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline")
            .field("place", &self.place)
            .field("unet", &self.unet_config)
            .field("dtype", &self.dtype)
            .field("device", &self.device.location())
            .finish_non_exhaustive()
    }
}

fn encode(tower: &Part<VisionTower>, input: &VisionInput) -> Result<Tensor> {
    if input.pixels.dims().first() != Some(&1) {
        return Err(Error::input(
            format!("the condition has shape {:?}", input.pixels.dims()),
            "give one picture; several are given as subjects",
        ));
    }
    Ok(tower.borrow()?.encode(input)?)
}
