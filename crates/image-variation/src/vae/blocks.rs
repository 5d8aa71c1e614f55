//! The encoder's and decoder's layers.

use kernels::Precision;

use crate::error::{Error, Result};
use crate::ops::{Conv2d, FeatureMap, GroupNorm, Linear, Padding, Then, attention};
use crate::unet::resnet::{Norm, ResnetBlock};
use crate::vae::VaeConfig;
use crate::weights::Weights;

/// Epsilon of every group normalisation.
const EPS: f64 = 1e-6;

/// Attention with a single head over all positions.
#[derive(Debug)]
struct Attention {
    norm: GroupNorm,
    qkv: Linear,
    out: Linear,
    precision: Precision,
}

impl Attention {
    fn load(weights: &Weights<'_>, width: usize, norm: Norm) -> Result<Self> {
        Ok(Self {
            norm: weights.group_norm("group_norm", width, norm.groups, norm.eps)?,
            qkv: weights.joined_with_bias(&["to_q", "to_k", "to_v"], width)?,
            out: weights.linear("to_out.0", [width, width])?,
            precision: weights.precision(),
        })
    }

    fn forward(&self, x: &FeatureMap) -> Result<FeatureMap> {
        let width = x.channels()?;
        let qkv = self
            .qkv
            .forward(&self.norm.forward(x, Then::Nothing)?.tokens()?)?;
        let [q, k, v] = [0, 1, 2].map(|i| qkv.narrow(2, i * width, width));
        let attended = attention([&q?, &k?, &v?], 1, self.precision)?;
        x.with_tokens(self.out.forward_add(&attended, &x.tokens()?, None)?)
    }
}

#[derive(Debug)]
struct Middle {
    first: ResnetBlock,
    attention: Attention,
    second: ResnetBlock,
}

impl Middle {
    fn load(weights: &Weights<'_>, width: usize, norm: Norm) -> Result<Self> {
        let here = weights.at("mid_block");
        Ok(Self {
            first: ResnetBlock::load(&here.at("resnets.0"), [width, width], norm, None)?,
            attention: Attention::load(&here.at("attentions.0"), width, norm)?,
            second: ResnetBlock::load(&here.at("resnets.1"), [width, width], norm, None)?,
        })
    }

    fn forward(&self, x: &FeatureMap) -> Result<FeatureMap> {
        let x = self.first.forward(x, None)?;
        let x = self.attention.forward(&x)?;
        self.second.forward(&x, None)
    }
}

/// Resnets of one resolution, and the way to the next one.
#[derive(Debug)]
struct Level {
    resnets: Vec<ResnetBlock>,
    sampler: Option<Conv2d>,
}

impl Level {
    fn resnets(
        weights: &Weights<'_>,
        count: usize,
        [inputs, outputs]: [usize; 2],
        norm: Norm,
    ) -> Result<Vec<ResnetBlock>> {
        (0..count)
            .map(|i| {
                let inputs = if i == 0 { inputs } else { outputs };
                let here = weights.at(format_args!("resnets.{i}"));
                ResnetBlock::load(&here, [inputs, outputs], norm, None)
            })
            .collect()
    }

    fn through_resnets(&self, x: FeatureMap) -> Result<FeatureMap> {
        self.resnets
            .iter()
            .try_fold(x, |x, resnet| resnet.forward(&x, None))
    }
}

fn ends(config: &VaeConfig) -> Result<(usize, usize)> {
    match (config.widths.first(), config.widths.last()) {
        (Some(&finest), Some(&coarsest)) => Ok((finest, coarsest)),
        _ => Err(Error::input(
            "a VAE without blocks",
            "give at least one width",
        )),
    }
}

/// Pictures [B, 3, H, W] to [B, 2·latents, H/8, W/8].
#[derive(Debug)]
pub(super) struct Encoder {
    conv_in: Conv2d,
    levels: Vec<Level>,
    middle: Middle,
    norm_out: GroupNorm,
    conv_out: Conv2d,
    quant: Option<Conv2d>,
}

impl Encoder {
    pub(super) fn load(weights: &Weights<'_>, config: &VaeConfig) -> Result<Self> {
        let norm = Norm {
            groups: config.groups,
            eps: EPS,
        };
        let here = weights.at("encoder");
        let (first, last) = ends(config)?;
        let mut levels = Vec::new();
        let mut inputs = first;
        for (i, &width) in config.widths.iter().enumerate() {
            let here = here.at(format_args!("down_blocks.{i}"));
            let resnets = Level::resnets(&here, config.layers, [inputs, width], norm)?;
            let sampler = (i + 1 < config.widths.len()).then(|| {
                here.conv(
                    "downsamplers.0.conv",
                    [width, width],
                    3,
                    2,
                    Padding::BottomRight,
                )
            });
            levels.push(Level {
                resnets,
                sampler: sampler.transpose()?,
            });
            inputs = width;
        }
        let moments = 2 * config.latent_channels;
        let quant = config
            .quant_conv
            .then(|| weights.conv("quant_conv", [moments, moments], 1, 1, Padding::Same));
        Ok(Self {
            conv_in: here.conv("conv_in", [3, first], 3, 1, Padding::Same)?,
            levels,
            middle: Middle::load(&here, last, norm)?,
            norm_out: here.group_norm("conv_norm_out", last, norm.groups, norm.eps)?,
            conv_out: here.conv("conv_out", [last, moments], 3, 1, Padding::Same)?,
            quant: quant.transpose()?,
        })
    }

    pub(super) fn forward(&self, x: &FeatureMap) -> Result<FeatureMap> {
        let mut x = self.conv_in.forward(x)?;
        for level in &self.levels {
            x = level.through_resnets(x)?;
            if let Some(sampler) = &level.sampler {
                x = sampler.forward(&x)?;
            }
        }
        let x = self.middle.forward(&x)?;
        let x = self
            .conv_out
            .forward(&self.norm_out.forward(&x, Then::Silu)?)?;
        match &self.quant {
            Some(conv) => conv.forward(&x),
            None => Ok(x),
        }
    }
}

/// Latents [B, latents, h, w] to pictures [B, 3, 8h, 8w].
#[derive(Debug)]
pub(super) struct Decoder {
    post_quant: Option<Conv2d>,
    conv_in: Conv2d,
    middle: Middle,
    levels: Vec<Level>,
    norm_out: GroupNorm,
    conv_out: Conv2d,
}

impl Decoder {
    pub(super) fn load(weights: &Weights<'_>, config: &VaeConfig) -> Result<Self> {
        let norm = Norm {
            groups: config.groups,
            eps: EPS,
        };
        let here = weights.at("decoder");
        let (first, last) = ends(config)?;
        let mut levels = Vec::new();
        let mut inputs = last;
        for (i, &width) in config.widths.iter().rev().enumerate() {
            let here = here.at(format_args!("up_blocks.{i}"));
            let resnets = Level::resnets(&here, config.layers + 1, [inputs, width], norm)?;
            let sampler = (i + 1 < config.widths.len())
                .then(|| here.conv("upsamplers.0.conv", [width, width], 3, 1, Padding::Same));
            levels.push(Level {
                resnets,
                sampler: sampler.transpose()?,
            });
            inputs = width;
        }
        let latents = config.latent_channels;
        let post_quant = config
            .post_quant_conv
            .then(|| weights.conv("post_quant_conv", [latents, latents], 1, 1, Padding::Same));
        Ok(Self {
            post_quant: post_quant.transpose()?,
            conv_in: here.conv("conv_in", [latents, last], 3, 1, Padding::Same)?,
            middle: Middle::load(&here, last, norm)?,
            levels,
            norm_out: here.group_norm("conv_norm_out", first, norm.groups, norm.eps)?,
            conv_out: here.conv("conv_out", [first, 3], 3, 1, Padding::Same)?,
        })
    }

    pub(super) fn forward(&self, x: &FeatureMap) -> Result<FeatureMap> {
        let x = match &self.post_quant {
            Some(conv) => conv.forward(x)?,
            None => x.clone(),
        };
        let mut x = self.middle.forward(&self.conv_in.forward(&x)?)?;
        for level in &self.levels {
            x = level.through_resnets(x)?;
            if let Some(sampler) = &level.sampler {
                x = sampler.forward_scaled(&x, (2 * x.height(), 2 * x.width()))?;
            }
        }
        self.conv_out
            .forward(&self.norm_out.forward(&x, Then::Silu)?)
    }
}
