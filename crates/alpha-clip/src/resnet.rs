//! CLIP's modified ResNet: a stem of three convolutions, bottlenecks that shrink by average
//! pooling, and an attention pool in place of the mean.
//!
//! Every BatchNorm is folded into the convolution before it when the tower is loaded.

use candle_core::{DType, Device, Tensor};

use crate::block::{Linear, attend};
use crate::config::VisionConfig;
use crate::error::{Error, Result};
use crate::ops::Then;
use crate::positions;
use crate::source::Weights;
use crate::vision::{AttentionTap, VisionOptions, VisionOutput};

/// Epsilon of every BatchNorm.
const BATCH_NORM_EPS: f64 = 1e-5;

/// What the bottlenecks of a stage widen their planes by.
pub(crate) const EXPANSION: usize = 4;

/// The type that convolutions compute in: candle's on the CPU are f32 only in effect (bf16 has
/// none, f16 a slow one).
fn convolution_type(dtype: DType, device: &Device) -> DType {
    if device.is_cpu() { DType::F32 } else { dtype }
}

/// A convolution without bias of its own and the BatchNorm after it, as one convolution in f32.
pub(crate) struct Folded {
    /// [O, I, k, k].
    pub(crate) weight: Tensor,
    /// [O].
    pub(crate) bias: Tensor,
}

impl Folded {
    /// `kernel` [O, I, k, k] with the BatchNorm called `norm`.
    pub(crate) fn new(
        weights: &Weights<'_>,
        kernel: &Tensor,
        norm: &str,
        outputs: usize,
    ) -> Result<Self> {
        let norm = weights.at(norm);
        let part = |name| norm.get_f32(name, &[outputs]);
        let (scale, shift) = (part("weight")?, part("bias")?);
        let (mean, variance) = (part("running_mean")?, part("running_var")?);
        let factor = || -> Result<Tensor> { Ok((&scale / (&variance + BATCH_NORM_EPS)?.sqrt()?)?) };
        Ok(Self {
            weight: weights
                .derive(|| Ok(kernel.broadcast_mul(&factor()?.reshape((outputs, 1, 1, 1))?)?))?,
            bias: weights.derive(|| Ok((&shift - (&mean * factor()?)?)?))?,
        })
    }
}

/// Refuses an attention bias, which a ResNet has no place for.
pub(crate) fn no_bias(options: &VisionOptions) -> Result<()> {
    match &options.bias {
        Some(bias) if !bias.is_empty() => Err(Error::input(
            "a ResNet has no transformer blocks for an attention bias",
            "use a vision transformer, or no bias",
        )),
        _ => Ok(()),
    }
}

/// A convolution with what is folded into it.
struct Convolution {
    weight: Tensor,
    /// [1, O, 1, 1].
    bias: Tensor,
    stride: usize,
    padding: usize,
}

impl Convolution {
    /// `names` of the convolution and of its BatchNorm, `shape` [O, I, k, k].
    fn load(
        weights: &Weights<'_>,
        names: [&str; 2],
        shape: [usize; 4],
        stride: usize,
    ) -> Result<Self> {
        let [conv, norm] = names;
        let kernel = weights.get_f32(&format!("{conv}.weight"), &shape)?;
        Self::fold(weights, &kernel, norm, shape, stride)
    }

    fn fold(
        weights: &Weights<'_>,
        kernel: &Tensor,
        norm: &str,
        [outputs, _, side, _]: [usize; 4],
        stride: usize,
    ) -> Result<Self> {
        let folded = Folded::new(weights, kernel, norm, outputs)?;
        let dtype = convolution_type(weights.dtype(), weights.device());
        let weight = weights.derive(|| Ok(folded.weight.to_dtype(dtype)?))?;
        let bias = weights.derive(|| {
            let bias = folded.bias.reshape((1, outputs, 1, 1))?;
            Ok(bias.to_dtype(dtype)?)
        })?;
        Ok(Self {
            weight,
            bias,
            stride,
            padding: side / 2,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let y = x.conv2d(&self.weight, self.padding, self.stride, 1, 1)?;
        Ok(y.broadcast_add(&self.bias)?)
    }
}

/// Three convolutions and an average pool. Alpha goes through a convolution beside the first, its
/// output added before the BatchNorm: one convolution of four channels.
struct Stem([Convolution; 3]);

impl Stem {
    fn load(weights: &Weights<'_>, width: usize, alpha: bool) -> Result<Self> {
        let half = width / 2;
        let rgb = weights.get_f32("conv1.weight", &[half, 3, 3, 3])?;
        let first = if alpha {
            let alpha = weights.get_f32("conv1_alpha.weight", &[half, 1, 3, 3])?;
            weights.derive(|| Ok(Tensor::cat(&[&rgb, &alpha], 1)?))?
        } else {
            rgb
        };
        let channels = if alpha { 4 } else { 3 };
        Ok(Self([
            Convolution::fold(weights, &first, "bn1", [half, channels, 3, 3], 2)?,
            Convolution::load(weights, ["conv2", "bn2"], [half, half, 3, 3], 1)?,
            Convolution::load(weights, ["conv3", "bn3"], [width, half, 3, 3], 1)?,
        ]))
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mut x = x.clone();
        for convolution in &self.0 {
            x = convolution.forward(&x)?.relu()?;
        }
        Ok(x.avg_pool2d(2)?)
    }
}

struct Bottleneck {
    narrow: Convolution,
    middle: Convolution,
    widen: Convolution,
    /// The path of the identity where the width or the size changes.
    shortcut: Option<Convolution>,
    halve: bool,
}

impl Bottleneck {
    fn load(weights: &Weights<'_>, inputs: usize, planes: usize, stride: usize) -> Result<Self> {
        let outputs = planes * EXPANSION;
        let shortcut = match stride > 1 || inputs != outputs {
            true => {
                let names = ["downsample.0", "downsample.1"];
                Some(Convolution::load(
                    weights,
                    names,
                    [outputs, inputs, 1, 1],
                    1,
                )?)
            }
            false => None,
        };
        Ok(Self {
            narrow: Convolution::load(weights, ["conv1", "bn1"], [planes, inputs, 1, 1], 1)?,
            middle: Convolution::load(weights, ["conv2", "bn2"], [planes, planes, 3, 3], 1)?,
            widen: Convolution::load(weights, ["conv3", "bn3"], [outputs, planes, 1, 1], 1)?,
            shortcut,
            halve: stride > 1,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let halved = |x: Tensor| if self.halve { x.avg_pool2d(2) } else { Ok(x) };
        let y = self.narrow.forward(x)?.relu()?;
        let y = halved(self.middle.forward(&y)?.relu()?)?;
        let y = self.widen.forward(&y)?;
        let identity = match &self.shortcut {
            Some(shortcut) => shortcut.forward(&halved(x.clone())?)?,
            None => x.clone(),
        };
        Ok((y + identity)?.relu()?)
    }
}

/// Attention with the mean of the map as the query.
struct AttentionPool {
    /// [1, 1 + S·S, C].
    positions: Tensor,
    q: Linear,
    k: Linear,
    v: Linear,
    out: Linear,
    heads: usize,
}

impl AttentionPool {
    fn load(
        weights: &Weights<'_>,
        stored_grid: usize,
        grid: usize,
        channels: usize,
        embed_dim: usize,
        heads: usize,
    ) -> Result<Self> {
        let rows = stored_grid * stored_grid + 1;
        let table = weights.get_f32("positional_embedding", &[rows, channels])?;
        let dtype = weights.dtype();
        let square = |name| Linear::load(&weights.at(name), channels, channels);
        Ok(Self {
            positions: weights.derive(|| {
                Ok(positions::resized(&table, grid)?
                    .unsqueeze(0)?
                    .to_dtype(dtype)?)
            })?,
            q: square("q_proj")?,
            k: square("k_proj")?,
            v: square("v_proj")?,
            out: Linear::load(&weights.at("c_proj"), channels, embed_dim)?,
            heads,
        })
    }

    /// A map [B, C, S, S] to (projected tokens [B, Q, E], attention [B, H, Q, N]), where Q is N
    /// for `all` tokens and else 1, the mean's.
    fn forward(&self, map: &Tensor, all: bool) -> Result<(Tensor, Tensor)> {
        let cells = map.flatten_from(2)?.transpose(1, 2)?.contiguous()?;
        let tokens = Tensor::cat(&[&cells.mean_keepdim(1)?, &cells], 1)?;
        let tokens = tokens.broadcast_add(&self.positions)?;
        let queries = if all {
            tokens.clone()
        } else {
            tokens.narrow(1, 0, 1)?
        };
        let q = self.q.forward(&queries, Then::Nothing)?;
        let k = self.k.forward(&tokens, Then::Nothing)?;
        let v = self.v.forward(&tokens, Then::Nothing)?;
        let (context, attention) = attend([&q, &k, &v], self.heads, None)?;
        Ok((self.out.forward(&context, Then::Nothing)?, attention))
    }
}

pub(crate) struct ModifiedResNet {
    stem: Stem,
    stages: Vec<Vec<Bottleneck>>,
    pool: AttentionPool,
    dtype: DType,
    convolution_type: DType,
}

impl ModifiedResNet {
    /// `stored_grid` is the side of the grid that the file's position table is for.
    pub(crate) fn load(
        weights: &Weights<'_>,
        stored_grid: usize,
        config: &VisionConfig,
        (width, layers, heads): (usize, [usize; 4], usize),
    ) -> Result<Self> {
        let stem = Stem::load(weights, width, config.alpha)?;
        let mut inputs = width;
        let mut stages = Vec::with_capacity(layers.len());
        for (stage, blocks) in layers.into_iter().enumerate() {
            let planes = width << stage;
            let mut bottlenecks = Vec::new();
            for block in 0..blocks {
                let stride = if block == 0 && stage > 0 { 2 } else { 1 };
                let weights = weights.at(format_args!("layer{}.{block}", stage + 1));
                bottlenecks.push(Bottleneck::load(&weights, inputs, planes, stride)?);
                inputs = planes * EXPANSION;
            }
            stages.push(bottlenecks);
        }
        let pool = weights.at("attnpool");
        let (grid, embed_dim) = (config.grid(), config.embed_dim);
        Ok(Self {
            stem,
            stages,
            pool: AttentionPool::load(&pool, stored_grid, grid, inputs, embed_dim, heads)?,
            dtype: weights.dtype(),
            convolution_type: convolution_type(weights.dtype(), weights.device()),
        })
    }

    /// Pixels [B, 3, R, R] and, for a tower with an alpha convolution, alpha [B, 1, R, R].
    pub(crate) fn forward(
        &self,
        pixels: &Tensor,
        alpha: Option<&Tensor>,
        options: &VisionOptions,
    ) -> Result<VisionOutput> {
        no_bias(options)?;
        let taps = options.taps;
        let x = match alpha {
            Some(alpha) => Tensor::cat(&[pixels, alpha], 1)?,
            None => pixels.clone(),
        };
        let mut x = self.stem.forward(&x.to_dtype(self.convolution_type)?)?;
        let mut hidden = Vec::new();
        if taps.hidden {
            hidden.push(x.to_dtype(self.dtype)?);
        }
        for stage in &self.stages {
            for bottleneck in stage {
                x = bottleneck.forward(&x)?;
            }
            if taps.hidden {
                hidden.push(x.to_dtype(self.dtype)?);
            }
        }
        let (tokens, attention) = self.pool.forward(&x.to_dtype(self.dtype)?, taps.tokens)?;
        let attention = match taps.attention {
            AttentionTap::None => Vec::new(),
            AttentionTap::Last | AttentionTap::All => vec![attention.narrow(2, 0, 1)?],
        };
        Ok(VisionOutput {
            features: tokens.narrow(1, 0, 1)?.squeeze(1)?.contiguous()?,
            attention,
            hidden,
            tokens: taps.tokens.then_some(tokens),
        })
    }
}
