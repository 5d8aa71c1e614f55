//! The transformer block that the vision and the text tower share.

use candle_core::Tensor;

use crate::config::{Activation, TransformerConfig};
use crate::error::Result;
use crate::ops::{self, Then};
use crate::source::Weights;

/// LayerNorm with its parameters, which stay in f32 whatever the model computes in.
pub(crate) struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    eps: f64,
}

impl LayerNorm {
    pub(crate) fn load(weights: &Weights<'_>, width: usize, eps: f64) -> Result<Self> {
        Ok(Self {
            weight: weights.get_f32("weight", &[width])?,
            bias: weights.get_f32("bias", &[width])?,
            eps,
        })
    }

    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(ops::layer_norm(x, &self.weight, &self.bias, self.eps)?)
    }
}

/// x·Wᵀ + b.
pub(crate) struct Linear {
    weight: Tensor,
    bias: Tensor,
}

impl Linear {
    pub(crate) fn load(weights: &Weights<'_>, inputs: usize, outputs: usize) -> Result<Self> {
        Self::named(weights, ["weight", "bias"], inputs, outputs)
    }

    fn named(
        weights: &Weights<'_>,
        [weight, bias]: [&str; 2],
        inputs: usize,
        outputs: usize,
    ) -> Result<Self> {
        Ok(Self {
            weight: weights.get(weight, &[outputs, inputs])?,
            bias: weights.get(bias, &[outputs])?,
        })
    }

    /// The layer that gives outputs `start..start + count` of this one.
    fn narrow(&self, start: usize, count: usize) -> Result<Self> {
        Ok(Self {
            weight: self.weight.narrow(0, start, count)?,
            bias: self.bias.narrow(0, start, count)?,
        })
    }

    pub(crate) fn forward(&self, x: &Tensor, then: Then<'_>) -> Result<Tensor> {
        Ok(ops::linear(x, &self.weight, &self.bias, then)?)
    }
}

/// Multi-head attention logits, softmax and weighted values of `q` [B, Q, W] over `k` and `v`
/// [B, N, W]: (context [B, Q, W], attention [B, H, Q, N]).
pub(crate) fn attend(
    [q, k, v]: [&Tensor; 3],
    heads: usize,
    bias: Option<&Tensor>,
) -> Result<(Tensor, Tensor)> {
    let (items, queries, width) = q.dims3()?;
    let head_width = width / heads;
    let split = |x: &Tensor| -> Result<Tensor> {
        let tokens = x.dim(1)?;
        Ok(x.reshape((items, tokens, heads, head_width))?
            .transpose(1, 2)?
            .contiguous()?)
    };
    let (q, k, v) = (split(q)?, split(k)?, split(v)?);
    let scores = q.matmul(&k.transpose(2, 3)?)?;
    let attention = ops::softmax(scores, 1. / (head_width as f64).sqrt(), bias)?;
    let context = attention
        .matmul(&v)?
        .transpose(1, 2)?
        .reshape((items, queries, width))?;
    Ok((context, attention))
}

/// One pre-norm block: x ← x + attention(ln_1(x)); x ← x + mlp(ln_2(x)).
pub(crate) struct TransformerBlock {
    ln_1: LayerNorm,
    qkv: Linear,
    out: Linear,
    ln_2: LayerNorm,
    fc: Linear,
    proj: Linear,
    heads: usize,
    activation: Activation,
}

impl TransformerBlock {
    fn load(weights: &Weights<'_>, config: &TransformerConfig) -> Result<Self> {
        let &TransformerConfig {
            width,
            mlp_width,
            heads,
            activation,
            layer_norm_eps,
            ..
        } = config;
        let in_proj = ["in_proj_weight", "in_proj_bias"];
        Ok(Self {
            ln_1: LayerNorm::load(&weights.at("ln_1"), width, layer_norm_eps)?,
            qkv: Linear::named(&weights.at("attn"), in_proj, width, 3 * width)?,
            out: Linear::load(&weights.at("attn.out_proj"), width, width)?,
            ln_2: LayerNorm::load(&weights.at("ln_2"), width, layer_norm_eps)?,
            fc: Linear::load(&weights.at("mlp.c_fc"), width, mlp_width)?,
            proj: Linear::load(&weights.at("mlp.c_proj"), mlp_width, width)?,
            heads,
            activation,
        })
    }

    /// The blocks `resblocks.0`, `resblocks.1`, … below `weights`.
    pub(crate) fn load_stack(
        weights: &Weights<'_>,
        config: &TransformerConfig,
    ) -> Result<Vec<Self>> {
        (0..config.layers)
            .map(|i| Self::load(&weights.at(format_args!("resblocks.{i}")), config))
            .collect()
    }

    /// Tokens [B, N, W] after the block, and its attention [B, H, N, N]. `bias` is f32 and
    /// broadcasts to the attention.
    pub(crate) fn forward(&self, x: &Tensor, bias: Option<&Tensor>) -> Result<(Tensor, Tensor)> {
        let width = x.dim(2)?;
        let qkv = self.qkv.forward(&self.ln_1.forward(x)?, Then::Nothing)?;
        let [q, k, v] = [0, 1, 2].map(|i| qkv.narrow(2, i * width, width));
        let (context, attention) = attend([&q?, &k?, &v?], self.heads, bias)?;
        Ok((self.finish(x, &context)?, attention))
    }

    /// Only the first token [B, 1, W] of [`forward`](Self::forward), for a fraction of the work.
    pub(crate) fn forward_first(&self, x: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
        let width = x.dim(2)?;
        let normed = self.ln_1.forward(x)?;
        let first = x.narrow(1, 0, 1)?.contiguous()?;
        let q = self
            .qkv
            .narrow(0, width)?
            .forward(&normed.narrow(1, 0, 1)?, Then::Nothing)?;
        let kv = self
            .qkv
            .narrow(width, 2 * width)?
            .forward(&normed, Then::Nothing)?;
        let [k, v] = [0, 1].map(|i| kv.narrow(2, i * width, width));
        let bias = match bias {
            Some(bias) => Some(bias.narrow(2, 0, 1)?),
            None => None,
        };
        let (context, _) = attend([&q, &k?, &v?], self.heads, bias.as_ref())?;
        self.finish(&first, &context)
    }

    fn finish(&self, x: &Tensor, context: &Tensor) -> Result<Tensor> {
        let x = self.out.forward(context, Then::Add(x))?;
        let hidden = self
            .fc
            .forward(&self.ln_2.forward(&x)?, Then::Activate(self.activation))?;
        self.proj.forward(&hidden, Then::Add(&x))
    }
}
