//! [`PipelineBuilder`]: how a pipeline is opened.

use std::path::PathBuf;

use alpha_clip::{LoadOptions, VisionTower};
use candle_core::{DType, Device};
use checkpoint::Checkpoint;

use super::Pipeline;
use super::files::{Files, Instead};
use super::part::Part;
use crate::error::{Error, Result};
use crate::safety::SafetyChecker;
use crate::unet::Unet;
use crate::vae::Vae;

/// How a pipeline is opened.
///
/// ```no_run
/// use candle_core::{DType, Device};
/// use checkpoint::Checkpoint;
/// use image_variation::Pipeline;
///
/// # fn main() -> Result<(), image_variation::Error> {
/// let pipeline = Pipeline::builder("sd-image-variations-diffusers")
///     .alpha_weights(Checkpoint::open("clip_l14_grit20m_fultune_2xe.pth")?)
///     .device(Device::cuda_if_available(0)?)
///     .dtype(DType::F16)
///     .open()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct PipelineBuilder {
    path: PathBuf,
    instead: Instead,
    alpha_weights: Option<Checkpoint>,
    device: Device,
    dtype: Option<DType>,
    low_memory: bool,
    vae_tiling: bool,
    safety_check: bool,
}

impl PipelineBuilder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            instead: Instead::default(),
            alpha_weights: None,
            device: Device::Cpu,
            dtype: None,
            low_memory: false,
            vae_tiling: false,
            safety_check: true,
        }
    }

    /// Where to compute: the CPU unless set.
    #[must_use]
    pub fn device(mut self, device: Device) -> Self {
        self.device = device;
        self
    }

    /// What the weights of the UNet and the VAE are: f32 on a CPU, f16 elsewhere unless set. In bf16 a
    /// CPU rounds what it multiplies, with half the memory and, where [`alpha_clip::fastest_dtype`]
    /// says so, faster; it keeps f16 as f32. The VAE is f32 in place of f16, whose range its
    /// activations leave, and the image encoder is f32 everywhere.
    #[must_use]
    pub fn dtype(mut self, dtype: DType) -> Self {
        self.dtype = Some(dtype);
        self
    }

    /// Lays an Alpha-CLIP vision tower over the image encoder, whose projection stays: then the
    /// region counts (Sun et al. 2023).
    #[must_use]
    pub fn alpha_weights(mut self, weights: Checkpoint) -> Self {
        self.alpha_weights = Some(weights);
        self
    }

    /// An image encoder in place of the pipeline's, any file or folder with a CLIP vision tower.
    #[must_use]
    pub fn image_encoder(mut self, path: impl Into<PathBuf>) -> Self {
        self.instead.image_encoder = Some(path.into());
        self
    }

    /// A diffusers folder whose configurations describe a single file; weights in it are not
    /// read. Without one, a single file is taken for Stable Diffusion 1.x.
    #[must_use]
    pub fn configs(mut self, folder: impl Into<PathBuf>) -> Self {
        self.instead.configs = Some(folder.into());
        self
    }

    /// Loads each network when it is needed and frees it when it is done, so that never more than
    /// one of them is in memory.
    #[must_use]
    pub fn low_memory(mut self, low: bool) -> Self {
        self.low_memory = low;
        self
    }

    /// Encodes and decodes large pictures in tiles of 512×512 pixels; see [`Vae::with_tiling`].
    #[must_use]
    pub fn vae_tiling(mut self, tiling: bool) -> Self {
        self.vae_tiling = tiling;
        self
    }

    /// Whether the pipeline's safety checker runs, if it has one: it does unless switched off.
    #[must_use]
    pub fn safety_check(mut self, check: bool) -> Self {
        self.safety_check = check;
        self
    }

    /// Opens the pipeline and, but for low memory, loads its networks.
    ///
    /// # Errors
    /// [`Error::Pipeline`] if a part is missing, does not fit the others, or is of another kind
    /// than Stable Diffusion 1.x, which it names; [`Error::Checkpoint`] for weight files that
    /// cannot be read; [`Error::Clip`] for image encoders and alpha weights that do not fit.
    pub fn open(self) -> Result<Pipeline> {
        let files = Files::open(&self.path, &self.instead)?;
        let device = self.device;
        let dtype = match self.dtype {
            Some(dtype @ (DType::F32 | DType::F16 | DType::BF16)) => dtype,
            Some(other) => {
                return Err(Error::setting(
                    format!("a UNet cannot be kept as {other:?}"),
                    "choose f32, f16 or bf16",
                ));
            }
            None if device.is_cpu() => DType::F32,
            None => DType::F16,
        };
        let options = LoadOptions {
            device: device.clone(),
            alpha_weights: self.alpha_weights,
            keep_projection: Some(true),
            ..LoadOptions::default()
        };
        let plain = LoadOptions {
            alpha_weights: None,
            ..options.clone()
        };
        let tower = |options: LoadOptions| {
            let file = files.encoder.clone();
            Part::lazy(move || Ok(VisionTower::load(&file, &options)?))
        };
        let (unet_config, vae_config) = (files.unet.1.clone(), files.vae.1.clone());
        let fingerprint = fingerprint(&files, options.alpha_weights.as_ref());
        let has_alpha = options.alpha_weights.is_some();
        let mut pipeline = Pipeline {
            plain_encoder: has_alpha.then(|| tower(plain.clone())),
            encoder: tower(options),
            unet: {
                let ((file, config), device) = (files.unet, device.clone());
                Part::lazy(move || Unet::load(&file, &config, dtype, &device))
            },
            vae: {
                let ((file, config), device) = (files.vae, device.clone());
                let tiling = self.vae_tiling;
                let dtype = match dtype {
                    DType::BF16 => dtype,
                    _ => DType::F32,
                };
                let load = move || Vae::load(&file, &config, dtype, &device);
                Part::lazy(move || Ok(load()?.with_tiling(tiling)))
            },
            safety: {
                let file = files.safety_checker.filter(|_| self.safety_check);
                file.map(|file| Part::lazy(move || SafetyChecker::load(&file, &plain)))
            },
            place: self.path,
            image_size: 0,
            unet_config,
            vae_config,
            scheduler: files.scheduler,
            feature_extractor: files.feature_extractor,
            low_memory: self.low_memory,
            fingerprint,
            dtype,
            device,
        };
        pipeline.prepare()?;
        Ok(pipeline)
    }
}

/// One after another, the fingerprints of the parts, the first digits of each.
fn fingerprint(files: &Files, alpha: Option<&Checkpoint>) -> String {
    let parts = [
        Some(&files.unet.0),
        Some(&files.vae.0),
        Some(&files.encoder),
        alpha,
    ];
    let short = |file: &Checkpoint| file.fingerprint().chars().take(16).collect::<String>();
    let parts: Vec<String> = parts.into_iter().flatten().map(short).collect();
    parts.join("-")
}
