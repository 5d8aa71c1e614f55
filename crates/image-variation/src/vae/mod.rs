//! The autoencoder of Stable Diffusion: pictures to latents and back.

mod blocks;
mod config;
mod tiling;

use candle_core::{DType, Device, Tensor};
use checkpoint::Checkpoint;

pub use config::VaeConfig;

use crate::error::{Error, Result};
use crate::names::{LDM_MARK, Names};
use crate::ops::{FeatureMap, activation_dtype};
use crate::weights::Weights;
use blocks::{Decoder, Encoder};
use tiling::Tiles;

/// Tiles of 512 pixels that share 128.
const TILE: usize = 64;
const OVERLAP: usize = 16;

/// `AutoencoderKL` (Rombach et al. 2022; Kingma and Welling 2013).
///
/// Pictures are [B, 3, H, W] in [-1, 1]; latents are [B, 4, H/8, W/8] as the UNet takes them,
/// that is, multiplied by the scaling factor. Both are f32. Each picture of a batch is computed by
/// itself, which costs nothing and keeps memory small.
#[derive(Debug)]
pub struct Vae {
    config: VaeConfig,
    encoder: Encoder,
    decoder: Decoder,
    dtype: DType,
    device: Device,
    tiling: bool,
}

/// The distribution of latents that a picture is encoded to; not yet multiplied by the scaling
/// factor.
#[derive(Debug, Clone)]
pub struct Posterior {
    /// [B, 4, h, w]
    pub mean: Tensor,
    /// Logarithm of the variance, within -30 and 20; [B, 4, h, w].
    pub log_variance: Tensor,
}

impl Posterior {
    /// mean + standard deviation · `noise`.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the shapes differ.
    pub fn sample(&self, noise: &Tensor) -> Result<Tensor> {
        let deviation = (&self.log_variance * 0.5)?.exp()?;
        Ok((&self.mean + deviation * noise)?)
    }
}

impl Vae {
    /// Loads the network from a diffusers folder's `vae` or from a single file.
    ///
    /// # Errors
    /// [`Error::Pipeline`] if tensors are missing or of another shape.
    pub fn load(
        file: &Checkpoint,
        config: &VaeConfig,
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        let names = if file.contains(LDM_MARK) {
            config.ldm_names()
        } else {
            Names::Diffusers
        };
        let weights = Weights::new(file, &names, dtype, device);
        Self::build(&weights, config, dtype, device)
    }

    /// A network of this shape with random weights, for measuring speed and memory.
    ///
    /// # Errors
    /// [`Error::Tensor`] if memory is short.
    pub fn random(config: &VaeConfig, seed: u64, dtype: DType, device: &Device) -> Result<Self> {
        Self::build(&Weights::random(seed, dtype, device), config, dtype, device)
    }

    fn build(
        weights: &Weights<'_>,
        config: &VaeConfig,
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        Ok(Self {
            encoder: Encoder::load(weights, config)?,
            decoder: Decoder::load(weights, config)?,
            config: config.clone(),
            dtype: activation_dtype(device, dtype),
            device: device.clone(),
            tiling: false,
        })
    }

    /// Works in tiles of 512×512 pixels, whatever the size: memory then does not grow with the
    /// picture. Results differ a little from whole ones.
    #[must_use]
    pub fn with_tiling(mut self, tiling: bool) -> Self {
        self.tiling = tiling;
        self
    }

    /// Its shape.
    pub fn config(&self) -> &VaeConfig {
        &self.config
    }

    /// Encodes pictures [B, 3, H, W]; H and W are multiples of 8.
    ///
    /// # Errors
    /// [`Error::Input`] for another shape; [`Error::Tensor`].
    pub fn encode(&self, pictures: &Tensor) -> Result<Posterior> {
        let factor = self.config.factor();
        let fits = matches!(pictures.dims(), &[b, 3, h, w]
            if b > 0 && h > 0 && w > 0 && h.is_multiple_of(factor) && w.is_multiple_of(factor));
        if !fits {
            return Err(Error::input(
                format!(
                    "the VAE cannot encode pictures of shape {:?}",
                    pictures.dims()
                ),
                format!("give [B, 3, H, W] with sides that {factor} divides"),
            ));
        }
        let run = |x: &Tensor| {
            let x = x.to_device(&self.device)?.to_dtype(self.dtype)?;
            let moments = self.encoder.forward(&FeatureMap::from_nchw(&x)?)?;
            Ok(moments.to_nchw()?.to_dtype(DType::F32)?)
        };
        let tiles = Tiles {
            side: TILE * factor,
            overlap: OVERLAP * factor,
        };
        let moments = self.each(pictures, tiles, (1, factor), run)?;
        let channels = self.config.latent_channels;
        Ok(Posterior {
            mean: moments.narrow(1, 0, channels)?,
            log_variance: moments.narrow(1, channels, channels)?.clamp(-30., 20.)?,
        })
    }

    /// The latents of a posterior's mean, multiplied by the scaling factor.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn encode_mean(&self, pictures: &Tensor) -> Result<Tensor> {
        Ok((self.encode(pictures)?.mean * self.config.scaling_factor)?)
    }

    /// Decodes latents [B, 4, h, w] to pictures [B, 3, 8h, 8w], about in [-1, 1] but not clamped.
    ///
    /// # Errors
    /// [`Error::Input`] for another shape; [`Error::Tensor`].
    pub fn decode(&self, latents: &Tensor) -> Result<Tensor> {
        let channels = self.config.latent_channels;
        if !matches!(latents.dims(), &[b, c, h, w] if b > 0 && c == channels && h > 0 && w > 0) {
            return Err(Error::input(
                format!(
                    "the VAE cannot decode latents of shape {:?}",
                    latents.dims()
                ),
                format!("give [B, {channels}, h, w]"),
            ));
        }
        let latents = (latents / self.config.scaling_factor)?;
        let run = |x: &Tensor| {
            let x = x.to_device(&self.device)?.to_dtype(self.dtype)?;
            let out = self.decoder.forward(&FeatureMap::from_nchw(&x)?)?;
            Ok(out.to_nchw()?.to_dtype(DType::F32)?)
        };
        let tiles = Tiles {
            side: TILE,
            overlap: OVERLAP,
        };
        self.each(&latents, tiles, (self.config.factor(), 1), run)
    }

    fn each(
        &self,
        batch: &Tensor,
        tiles: Tiles,
        scale: (usize, usize),
        mut run: impl FnMut(&Tensor) -> Result<Tensor>,
    ) -> Result<Tensor> {
        let mut out = Vec::new();
        for item in batch.chunk(batch.dim(0)?, 0)? {
            out.push(if self.tiling {
                tiles.apply(&item, scale, &mut run)?
            } else {
                run(&item)?
            });
        }
        Ok(Tensor::cat(&out, 0)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::golden::{self, assert_relative, assert_within, flat, tensor, values};

    fn vae() -> Vae {
        let file = golden::part("pipeline/vae", "diffusion_pytorch_model.safetensors");
        let config = VaeConfig::from_json(&golden::config("pipeline/vae"), "vae").unwrap();
        Vae::load(&file, &config, DType::F32, &Device::Cpu).unwrap()
    }

    fn check(got: &Tensor, name: &str, tolerance: f32) {
        assert_within(&flat(got), &values(name), tolerance, name);
        assert_relative(got, name, 1e-4);
    }

    #[test]
    fn encoding_and_decoding_equal_the_reference() {
        let vae = vae();
        for size in ["64x64", "64x96"] {
            let posterior = vae.encode(&tensor(&format!("vae/image_{size}"))).unwrap();
            check(&posterior.mean, &format!("vae/mean_{size}"), 6e-5);
            check(&posterior.log_variance, &format!("vae/logvar_{size}"), 6e-5);
            let sample = posterior
                .sample(&tensor(&format!("vae/noise_{size}")))
                .unwrap();
            check(&sample, &format!("vae/sample_{size}"), 5e-5);
        }
        for size in ["8x8", "8x12"] {
            let decoded = vae.decode(&tensor(&format!("vae/latent_{size}"))).unwrap();
            check(&decoded, &format!("vae/decoded_{size}"), 5e-5);
        }
        let mean = vae.encode_mean(&tensor("vae/image_64x64")).unwrap();
        check(&mean, "i2i/z0", 2e-5);
    }

    #[test]
    fn the_size_of_a_batch_does_not_change_a_byte() {
        let vae = vae();
        let one = tensor("vae/latent_8x8");
        let four = Tensor::cat(&[&one, &(&one * 0.5).unwrap(), &one, &one], 0).unwrap();
        let (alone, among) = (vae.decode(&one).unwrap(), vae.decode(&four).unwrap());
        assert_eq!(flat(&alone), flat(&among.get(3).unwrap()));
    }

    #[test]
    fn small_pictures_are_one_tile() {
        let (whole, tiled) = (vae(), vae().with_tiling(true));
        let latents = tensor("vae/latent_8x12");
        assert_eq!(
            flat(&whole.decode(&latents).unwrap()),
            flat(&tiled.decode(&latents).unwrap())
        );
    }

    #[test]
    fn inputs_that_do_not_fit_are_refused() {
        let vae = vae();
        let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
        let said = vae.encode(&zeros(&[1, 3, 60, 64])).unwrap_err().to_string();
        assert!(said.contains("sides that 8 divides"), "{said}");
        assert!(vae.decode(&zeros(&[1, 3, 8, 8])).is_err());
        assert!(vae.decode(&zeros(&[0, 4, 8, 8])).is_err());
    }
}
