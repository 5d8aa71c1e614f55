//! The UNet of Stable Diffusion 1.x: noisy latents and a context to predicted noise.

mod config;
#[cfg(test)]
mod golden;
pub(crate) mod resnet;
mod time;
mod transformer;

use candle_core::{DType, Device, Tensor};
use checkpoint::Checkpoint;

pub use config::UnetConfig;

use crate::error::{Error, Result};
use crate::names::{LDM_MARK, Names};
use crate::ops::{Conv2d, FeatureMap, GroupNorm, Padding, Then, activation_dtype};
use crate::weights::Weights;
use resnet::{Norm, ResnetBlock};
use time::TimeEmbedding;
use transformer::{Context, SpatialTransformer};

/// What the network keeps of a context for all steps of a run; see [`Unet::condition`].
#[derive(Debug, Clone)]
pub struct Conditioning {
    /// One for each attention layer, in the order in which they are called.
    layers: Vec<Context>,
    items: usize,
}

/// `UNet2DConditionModel` of Stable Diffusion 1.x and 2.x.
///
/// ```no_run
/// use candle_core::{DType, Device, Tensor};
/// use checkpoint::Checkpoint;
/// use image_variation::unet::{Unet, UnetConfig};
///
/// # fn main() -> Result<(), image_variation::Error> {
/// let weights = Checkpoint::open("sd-image-variations/unet")?;
/// let config = UnetConfig::from_json(weights.config("config.json").unwrap(), "unet/config.json")?;
/// let unet = Unet::load(&weights, &config, DType::F32, &Device::Cpu)?;
/// // One image embedding, and the zeros that stand for no condition.
/// let embedding = Tensor::zeros((1, 1, 768), DType::F32, &Device::Cpu)?;
/// let conditioning = unet.condition(&embedding)?;
/// let latents = Tensor::zeros((1, 4, 64, 64), DType::F32, &Device::Cpu)?;
/// let noise = unet.forward(&latents, &[501.0], &conditioning)?;
/// assert_eq!(noise.dims(), latents.dims());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Unet {
    config: UnetConfig,
    time: TimeEmbedding,
    conv_in: Conv2d,
    down: Vec<Block>,
    mid: (ResnetBlock, SpatialTransformer, ResnetBlock),
    up: Vec<Block>,
    norm_out: GroupNorm,
    conv_out: Conv2d,
    dtype: DType,
    device: Device,
}

/// The layers of one resolution, on the way down or up.
#[derive(Debug)]
struct Block {
    resnets: Vec<ResnetBlock>,
    /// One behind each resnet, or none.
    attentions: Vec<SpatialTransformer>,
    /// To the next resolution; the last block has none.
    sampler: Option<Conv2d>,
}

impl Unet {
    /// Loads the network from a diffusers folder's `unet` or from a single file.
    ///
    /// Weights are of `dtype`. A CPU multiplies in f32 or, if asked for it, in bf16 with sums and
    /// everything between products in f32, and keeps f16 as f32; other devices compute in `dtype`,
    /// but for norms.
    ///
    /// # Errors
    /// [`Error::Pipeline`] if tensors are missing or of another shape.
    pub fn load(
        file: &Checkpoint,
        config: &UnetConfig,
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

    /// A network of this shape with random weights, for measuring speed and memory: its outputs
    /// are of about unit size and mean nothing.
    ///
    /// # Errors
    /// [`Error::Tensor`] if memory is short.
    pub fn random(config: &UnetConfig, seed: u64, dtype: DType, device: &Device) -> Result<Self> {
        Self::build(&Weights::random(seed, dtype, device), config, dtype, device)
    }

    fn build(
        weights: &Weights<'_>,
        config: &UnetConfig,
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        let widths = &config.widths;
        let (first, last) = match (widths.first(), widths.last()) {
            (Some(&first), Some(&last)) => (first, last),
            _ => {
                return Err(Error::input(
                    "a UNet without blocks",
                    "give at least one width",
                ));
            }
        };
        let norm = Norm {
            groups: config.groups,
            eps: config.norm_eps,
        };
        let time_width = Some(4 * first);
        let resnet =
            |weights: &Weights<'_>, widths| ResnetBlock::load(weights, widths, norm, time_width);
        let transformer = |weights: &Weights<'_>, level: usize| {
            SpatialTransformer::load(
                weights,
                widths[level],
                config.heads[level],
                config.groups,
                config.context_width,
                config.linear_projection,
            )
        };

        // Widths of the skips, in the order in which they are pushed.
        let mut skips = vec![first];
        let mut down = Vec::new();
        let mut inputs = first;
        for (level, &width) in widths.iter().enumerate() {
            let here = weights.at(format_args!("down_blocks.{level}"));
            let mut block = Block {
                resnets: Vec::new(),
                attentions: Vec::new(),
                sampler: None,
            };
            for i in 0..config.layers {
                let names = here.at(format_args!("resnets.{i}"));
                block.resnets.push(resnet(&names, [inputs, width])?);
                if config.attention[level] {
                    let names = here.at(format_args!("attentions.{i}"));
                    block.attentions.push(transformer(&names, level)?);
                }
                inputs = width;
                skips.push(width);
            }
            if level + 1 < widths.len() {
                let name = "downsamplers.0.conv";
                block.sampler = Some(here.conv(name, [width, width], 3, 2, Padding::Same)?);
                skips.push(width);
            }
            down.push(block);
        }

        let here = weights.at("mid_block");
        let mid = (
            resnet(&here.at("resnets.0"), [last, last])?,
            transformer(&here.at("attentions.0"), widths.len() - 1)?,
            resnet(&here.at("resnets.1"), [last, last])?,
        );

        let mut up = Vec::new();
        let mut inputs = last;
        for (i, level) in config.upwards().enumerate() {
            let here = weights.at(format_args!("up_blocks.{i}"));
            let width = widths[level];
            let mut block = Block {
                resnets: Vec::new(),
                attentions: Vec::new(),
                sampler: None,
            };
            for i in 0..=config.layers {
                let names = here.at(format_args!("resnets.{i}"));
                let skip = skips.pop().unwrap_or(width);
                block.resnets.push(resnet(&names, [inputs + skip, width])?);
                if config.attention[level] {
                    let names = here.at(format_args!("attentions.{i}"));
                    block.attentions.push(transformer(&names, level)?);
                }
                inputs = width;
            }
            if level > 0 {
                let name = "upsamplers.0.conv";
                block.sampler = Some(here.conv(name, [width, width], 3, 1, Padding::Same)?);
            }
            up.push(block);
        }
        Ok(Self {
            time: TimeEmbedding::load(weights, config)?,
            conv_in: weights.conv("conv_in", [config.channels, first], 3, 1, Padding::Same)?,
            down,
            mid,
            up,
            norm_out: weights.group_norm("conv_norm_out", first, norm.groups, norm.eps)?,
            conv_out: weights.conv("conv_out", [first, config.channels], 3, 1, Padding::Same)?,
            config: config.clone(),
            dtype: activation_dtype(device, dtype),
            device: device.clone(),
        })
    }

    /// Its shape.
    pub fn config(&self) -> &UnetConfig {
        &self.config
    }

    /// The device that it computes on.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Prepares a context [B, T, D] for the steps of a run. With one token, which image variation
    /// has, all of the attention to it is done here.
    ///
    /// # Errors
    /// [`Error::Input`] if the context does not have the width that the network takes.
    pub fn condition(&self, context: &Tensor) -> Result<Conditioning> {
        let &[items, tokens, width] = context.dims() else {
            return Err(Error::input(
                format!("the context has shape {:?}", context.dims()),
                "give [B, T, D]",
            ));
        };
        if width != self.config.context_width || items == 0 || tokens == 0 {
            return Err(Error::input(
                format!("the context has shape {:?}", context.dims()),
                format!(
                    "this UNet takes [B, T, {}]: use the image encoder that it was trained with",
                    self.config.context_width
                ),
            ));
        }
        let context = context.to_device(&self.device)?.to_dtype(self.dtype)?;
        let down = self.down.iter().flat_map(|block| &block.attentions);
        let up = self.up.iter().flat_map(|block| &block.attentions);
        let layers: Result<Vec<Context>> = down
            .chain([&self.mid.1])
            .chain(up)
            .map(|layer| layer.prepare(&context))
            .collect();
        Ok(Conditioning {
            layers: layers?,
            items,
        })
    }

    /// The prediction for latents [B, 4, h, w], in f32. There is one timestep for each item, or
    /// one for all; timesteps may be fractions.
    ///
    /// # Errors
    /// [`Error::Input`] if batches do not agree; [`Error::Tensor`].
    pub fn forward(
        &self,
        latents: &Tensor,
        timesteps: &[f32],
        conditioning: &Conditioning,
    ) -> Result<Tensor> {
        let (items, channels, height, width) = latents.dims4()?;
        let one_each = timesteps.len() == items || timesteps.len() == 1;
        if conditioning.items != items || channels != self.config.channels || !one_each {
            return Err(Error::input(
                format!(
                    "latents {:?}, {} timesteps and {} contexts do not go together",
                    latents.dims(),
                    timesteps.len(),
                    conditioning.items
                ),
                format!("give [B, {}, h, w] and B of each", self.config.channels),
            ));
        }
        if height == 0 || width == 0 {
            return Err(Error::input(
                "the latents are empty",
                "give at least one position",
            ));
        }
        let timesteps = match timesteps {
            &[one] => vec![one; items],
            several => several.to_vec(),
        };
        let time = self.time.forward(&timesteps, self.dtype, &self.device)?;
        let mut contexts = conditioning.layers.iter();
        let latents = latents.to_device(&self.device)?.to_dtype(self.dtype)?;

        let mut x = self.conv_in.forward(&FeatureMap::from_nchw(&latents)?)?;
        let mut skips = vec![x.clone()];
        for block in &self.down {
            for (i, resnet) in block.resnets.iter().enumerate() {
                x = block.layer(i, resnet, &x, &time, &mut contexts)?;
                skips.push(x.clone());
            }
            if let Some(sampler) = &block.sampler {
                x = sampler.forward(&x)?;
                skips.push(x.clone());
            }
        }
        x = self.mid.0.forward(&x, Some(&time))?;
        if let Some(context) = contexts.next() {
            x = self.mid.1.forward(&x, context)?;
        }
        x = self.mid.2.forward(&x, Some(&time))?;
        for block in &self.up {
            for (i, resnet) in block.resnets.iter().enumerate() {
                if let Some(skip) = skips.pop() {
                    x = x.cat(&skip)?;
                }
                x = block.layer(i, resnet, &x, &time, &mut contexts)?;
            }
            if let Some(sampler) = &block.sampler {
                // Twice the size, or that of the next skip where halving had rounded up.
                let size = skips
                    .last()
                    .map_or((2 * x.height(), 2 * x.width()), |s| (s.height(), s.width()));
                x = sampler.forward_scaled(&x, size)?;
            }
        }
        let out = self
            .conv_out
            .forward(&self.norm_out.forward(&x, Then::Silu)?)?;
        Ok(out.to_nchw()?.to_dtype(DType::F32)?)
    }
}

impl Block {
    /// Resnet number `i` and the attention behind it.
    fn layer<'a>(
        &self,
        i: usize,
        resnet: &ResnetBlock,
        x: &FeatureMap,
        time: &Tensor,
        contexts: &mut impl Iterator<Item = &'a Context>,
    ) -> Result<FeatureMap> {
        let x = resnet.forward(x, Some(time))?;
        match self.attentions.get(i) {
            Some(attention) => match contexts.next() {
                Some(context) => attention.forward(&x, context),
                None => Ok(x),
            },
            None => Ok(x),
        }
    }
}
