//! Attention over the positions of a feature map, and to the context.

use candle_core::Tensor;

use crate::error::Result;
use crate::ops::{Conv2d, FeatureMap, GroupNorm, LayerNorm, Linear, Padding, Then};
use crate::ops::{attention, geglu};
use crate::weights::Weights;

/// Epsilon of the group normalisation before attention, whatever the configuration says.
const NORM_EPS: f64 = 1e-6;

/// What one attention layer keeps of the context for a whole run.
#[derive(Debug, Clone)]
pub(super) enum Context {
    /// Attention to a single token gives the same vector everywhere: [B, 1, C].
    Constant(Tensor),
    /// Keys and values, [B, T, C] each.
    Tokens(Tensor, Tensor),
}

/// `Transformer2DModel` with one block.
#[derive(Debug)]
pub(super) struct SpatialTransformer {
    norm: GroupNorm,
    proj_in: Projection,
    norm1: LayerNorm,
    self_qkv: Linear,
    self_out: Linear,
    norm2: LayerNorm,
    cross_q: Linear,
    cross_k: Linear,
    cross_v: Linear,
    cross_out: Linear,
    norm3: LayerNorm,
    feed_in: Linear,
    feed_out: Linear,
    proj_out: Projection,
    heads: usize,
}

/// A 1×1 convolution (SD 1.x) or a linear layer (SD 2.x): the same thing.
#[derive(Debug)]
enum Projection {
    Conv(Conv2d),
    Linear(Linear),
}

impl Projection {
    fn load(weights: &Weights<'_>, name: &str, width: usize, linear: bool) -> Result<Self> {
        Ok(if linear {
            Self::Linear(weights.linear(name, [width, width])?)
        } else {
            Self::Conv(weights.conv(name, [width, width], 1, 1, Padding::Same)?)
        })
    }

    fn forward(&self, x: &FeatureMap) -> Result<FeatureMap> {
        match self {
            Self::Conv(conv) => conv.forward(x),
            Self::Linear(layer) => x.with_tokens(layer.forward(&x.tokens()?)?),
        }
    }
}

impl SpatialTransformer {
    pub(super) fn load(
        weights: &Weights<'_>,
        width: usize,
        heads: usize,
        groups: usize,
        context_width: usize,
        linear_projection: bool,
    ) -> Result<Self> {
        let block = weights.at("transformer_blocks.0");
        let same = [width, width];
        let (own, cross) = (block.at("attn1"), block.at("attn2"));
        Ok(Self {
            norm: weights.group_norm("norm", width, groups, NORM_EPS)?,
            proj_in: Projection::load(weights, "proj_in", width, linear_projection)?,
            norm1: block.layer_norm("norm1", width)?,
            self_qkv: own.joined(&["to_q", "to_k", "to_v"], same)?,
            self_out: own.linear("to_out.0", same)?,
            norm2: block.layer_norm("norm2", width)?,
            cross_q: cross.joined(&["to_q"], same)?,
            cross_k: cross.joined(&["to_k"], [context_width, width])?,
            cross_v: cross.joined(&["to_v"], [context_width, width])?,
            cross_out: cross.linear("to_out.0", same)?,
            norm3: block.layer_norm("norm3", width)?,
            feed_in: block.linear("ff.net.0.proj", [width, 8 * width])?,
            feed_out: block.linear("ff.net.2", [4 * width, width])?,
            proj_out: Projection::load(weights, "proj_out", width, linear_projection)?,
            heads,
        })
    }

    /// What this layer needs of the context [B, T, D].
    pub(super) fn prepare(&self, context: &Tensor) -> Result<Context> {
        let values = self.cross_v.forward(context)?;
        if context.dim(1)? == 1 {
            return Ok(Context::Constant(self.cross_out.forward(&values)?));
        }
        Ok(Context::Tokens(self.cross_k.forward(context)?, values))
    }

    pub(super) fn forward(&self, x: &FeatureMap, context: &Context) -> Result<FeatureMap> {
        let map = self
            .proj_in
            .forward(&self.norm.forward(x, Then::Nothing)?)?;
        let tokens = map.tokens()?;
        let tokens = self.attend_self(&tokens)?;
        let tokens = match context {
            Context::Constant(vector) => tokens.broadcast_add(vector)?,
            Context::Tokens(keys, values) => {
                let queries = self.cross_q.forward(&self.norm2.forward(&tokens)?)?;
                let attended = attention(&queries, keys, values, self.heads)?;
                self.cross_out.forward_add(&attended, &tokens)?
            }
        };
        let hidden = geglu(&self.feed_in.forward(&self.norm3.forward(&tokens)?)?)?;
        let tokens = self.feed_out.forward_add(&hidden, &tokens)?;
        self.proj_out.forward(&map.with_tokens(tokens)?)?.add(x)
    }

    fn attend_self(&self, tokens: &Tensor) -> Result<Tensor> {
        let width = tokens.dim(2)?;
        let qkv = self.self_qkv.forward(&self.norm1.forward(tokens)?)?;
        let [q, k, v] = [0, 1, 2].map(|i| qkv.narrow(2, i * width, width));
        let attended = attention(&q?, &k?, &v?, self.heads)?;
        self.self_out.forward_add(&attended, tokens)
    }
}
