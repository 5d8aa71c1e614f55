//! Attention over the positions of a feature map, and to the context.

use candle_core::Tensor;
use kernels::Precision;

use crate::error::Result;
use crate::ops::attention;
use crate::ops::{Conv2d, FeatureMap, FeedForward, GroupNorm, LayerNorm, Linear, Padding, Then};
use crate::weights::Weights;

/// Epsilon of the group normalisation before attention, whatever the configuration says.
const NORM_EPS: f64 = 1e-6;

/// What one attention layer keeps of the context for a whole run.
#[derive(Debug, Clone)]
pub(super) enum Context {
    /// Attention to a single token gives the same vector everywhere: [B, C].
    Constant(Tensor),
    /// Keys and values side by side, [B, T, 2·C].
    Tokens(Tensor),
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
    cross_kv: Linear,
    cross_out: Linear,
    feed: FeedForward,
    proj_out: Projection,
    heads: usize,
    precision: Precision,
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

    fn forward_add(&self, x: &FeatureMap, residual: &FeatureMap) -> Result<FeatureMap> {
        match self {
            Self::Conv(conv) => conv.forward_add(x, residual),
            Self::Linear(layer) => {
                x.with_tokens(layer.forward_add(&x.tokens()?, &residual.tokens()?, None)?)
            }
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
            cross_kv: cross.joined(&["to_k", "to_v"], [context_width, width])?,
            cross_out: cross.linear("to_out.0", same)?,
            feed: FeedForward::new(
                block.layer_norm("norm3", width)?,
                block.linear("ff.net.0.proj", [width, 8 * width])?,
                block.linear("ff.net.2", [4 * width, width])?,
            ),
            proj_out: Projection::load(weights, "proj_out", width, linear_projection)?,
            heads,
            precision: weights.precision(),
        })
    }

    /// What this layer needs of the context [B, T, D].
    pub(super) fn prepare(&self, context: &Tensor) -> Result<Context> {
        let keys_values = self.cross_kv.forward(context)?;
        if context.dim(1)? != 1 {
            return Ok(Context::Tokens(keys_values));
        }
        let width = keys_values.dim(2)? / 2;
        let values = keys_values.narrow(2, width, width)?;
        Ok(Context::Constant(
            self.cross_out.forward(&values)?.squeeze(1)?,
        ))
    }

    pub(super) fn forward(&self, x: &FeatureMap, context: &Context) -> Result<FeatureMap> {
        let map = self
            .proj_in
            .forward(&self.norm.forward(x, Then::Nothing)?)?;
        let tokens = map.tokens()?;
        let tokens = match context {
            Context::Constant(vector) => self.attend_self(&tokens, Some(vector))?,
            Context::Tokens(keys_values) => {
                let tokens = self.attend_self(&tokens, None)?;
                let queries = self.cross_q.forward_normalised(&self.norm2, &tokens)?;
                let width = tokens.dim(2)?;
                let [k, v] = [0, 1].map(|i| keys_values.narrow(2, i * width, width));
                let attended = attention([&queries, &k?, &v?], self.heads, self.precision)?;
                self.cross_out.forward_add(&attended, &tokens, None)?
            }
        };
        let tokens = self.feed.forward(&tokens)?;
        self.proj_out.forward_add(&map.with_tokens(tokens)?, x)
    }

    /// With `shift` [B, C] added to all tokens of an item.
    fn attend_self(&self, tokens: &Tensor, shift: Option<&Tensor>) -> Result<Tensor> {
        let width = tokens.dim(2)?;
        let qkv = self.self_qkv.forward_normalised(&self.norm1, tokens)?;
        let [q, k, v] = [0, 1, 2].map(|i| qkv.narrow(2, i * width, width));
        let attended = attention([&q?, &k?, &v?], self.heads, self.precision)?;
        self.self_out.forward_add(&attended, tokens, shift)
    }
}
