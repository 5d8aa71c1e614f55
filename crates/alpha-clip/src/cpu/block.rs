//! The transformer block of both towers, over one stream of tokens.

use candle_core::Tensor;
use kernels::Precision;
use kernels::attention::{Attention, Heads, LogitBias, Sequence};
use kernels::gemm::Matrix;

use super::linear::{LayerNorm, Linear};
use super::values;
use crate::config::{self, TransformerConfig};
use crate::error::Result;
use crate::source::Weights;

/// The tokens of all items, one row of W values each, and memory for what blocks make of them.
pub(super) struct Stream {
    pub(super) x: Vec<f32>,
    /// The rows of each item.
    pub(super) sequences: Vec<Sequence>,
    /// Whether a token sees only those before it.
    causal: bool,
    width: usize,
    /// Q, K and V of the tokens; then the hidden layer of the MLP.
    wide: Vec<f32>,
    /// What attention gives for the tokens.
    context: Vec<f32>,
}

impl Stream {
    /// Rows of `width` values of items that have so many tokens.
    pub(super) fn new(x: Vec<f32>, width: usize, lengths: &[usize], causal: bool) -> Self {
        let mut start = 0;
        let sequences = lengths.iter().map(|length| {
            let rows = start..start + length;
            start = rows.end;
            Sequence {
                queries: rows.clone(),
                keys: rows,
            }
        });
        Self {
            sequences: sequences.collect(),
            context: vec![0.; x.len()],
            wide: Vec::new(),
            x,
            causal,
            width,
        }
    }
}

/// The first `count` values of memory that grows when it must.
fn room(memory: &mut Vec<f32>, count: usize) -> &mut [f32] {
    if memory.len() < count {
        memory.resize(count, 0.);
    }
    &mut memory[..count]
}

/// An attention bias [B, H, Q, N], with axes of length 1 where it is shared.
pub(super) struct BlockBias {
    values: Vec<f32>,
    strides: [usize; 4],
}

impl BlockBias {
    pub(super) fn new(bias: &Tensor) -> Result<Self> {
        let (b, h, q, n) = bias.dims4()?;
        let mut strides = [h * q * n, q * n, n, 1];
        for (stride, length) in strides.iter_mut().zip([b, h, q, n]) {
            if length == 1 {
                *stride = 0;
            }
        }
        Ok(Self {
            values: values(bias)?,
            strides,
        })
    }

    fn as_kernel(&self) -> LogitBias<'_> {
        LogitBias {
            values: &self.values,
            strides: self.strides,
        }
    }
}

/// One pre-norm block: x ← x + attention(ln_1(x)); x ← x + mlp(ln_2(x)).
pub(super) struct Block {
    ln_1: LayerNorm,
    qkv: Linear,
    out: Linear,
    ln_2: LayerNorm,
    fc: Linear,
    proj: Linear,
    heads: usize,
    activation: kernels::Activation,
    precision: Precision,
}

impl Block {
    fn load(
        weights: &Weights<'_>,
        config: &TransformerConfig,
        precision: Precision,
    ) -> Result<Self> {
        let &TransformerConfig {
            width,
            mlp_width,
            heads,
            layer_norm_eps,
            ..
        } = config;
        let in_proj = ["in_proj_weight", "in_proj_bias"];
        let int8 = super::int8(weights, config);
        let linear = |weights: &Weights<'_>, names, inputs, outputs| {
            Linear::named(weights, names, [inputs, outputs], int8)
        };
        let names = ["weight", "bias"];
        Ok(Self {
            ln_1: LayerNorm::load(&weights.at("ln_1"), width, layer_norm_eps)?,
            qkv: linear(&weights.at("attn"), in_proj, width, 3 * width)?,
            out: linear(&weights.at("attn.out_proj"), names, width, width)?,
            ln_2: LayerNorm::load(&weights.at("ln_2"), width, layer_norm_eps)?,
            fc: linear(&weights.at("mlp.c_fc"), names, width, mlp_width)?,
            proj: linear(&weights.at("mlp.c_proj"), names, mlp_width, width)?,
            heads,
            activation: match config.activation {
                config::Activation::QuickGelu => kernels::Activation::QuickGelu,
                config::Activation::Gelu => kernels::Activation::Gelu,
            },
            precision,
        })
    }

    /// The blocks `resblocks.0`, `resblocks.1`, … below `weights`.
    pub(super) fn load_stack(
        weights: &Weights<'_>,
        config: &TransformerConfig,
        precision: Precision,
    ) -> Result<Vec<Self>> {
        (0..config.layers)
            .map(|i| {
                Self::load(
                    &weights.at(format_args!("resblocks.{i}")),
                    config,
                    precision,
                )
            })
            .collect()
    }

    /// Takes the stream through the block. `weights` gets the attention, [H, N, N] of one item
    /// after the other.
    pub(super) fn forward(
        &self,
        stream: &mut Stream,
        bias: Option<&BlockBias>,
        weights: Option<&mut [f32]>,
    ) {
        let width = stream.width;
        let qkv = room(&mut stream.wide, 3 * stream.x.len());
        self.qkv
            .write(&self.ln_1.of(&stream.x), kernels::Activation::Identity, qkv);
        let part = |i: usize| Heads {
            values: &qkv[i * width..],
            stride: 3 * width,
        };
        Attention {
            q: part(0),
            k: part(1),
            v: part(2),
            heads: self.heads,
            head_width: width / self.heads,
            sequences: &stream.sequences,
            bias: bias.map(BlockBias::as_kernel),
            causal: stream.causal,
        }
        .run(self.precision, &mut stream.context, weights);
        self.finish(&mut stream.x, &stream.context, &mut stream.wide);
    }

    /// Only one token of each item, `tokens` holding its number: [B, W] for a fraction of the work.
    pub(super) fn forward_one(
        &self,
        stream: &mut Stream,
        tokens: &[usize],
        bias: Option<&BlockBias>,
    ) -> Vec<f32> {
        let width = stream.width;
        let qkv = room(&mut stream.wide, 3 * stream.x.len());
        self.qkv
            .write(&self.ln_1.of(&stream.x), kernels::Activation::Identity, qkv);
        let mut x = Vec::with_capacity(tokens.len() * width);
        let mut q = Vec::with_capacity(tokens.len() * width);
        let mut sequences = Vec::with_capacity(tokens.len());
        for (i, (token, all)) in tokens.iter().zip(&stream.sequences).enumerate() {
            let row = all.keys.start + token;
            x.extend_from_slice(&stream.x[row * width..][..width]);
            q.extend_from_slice(&qkv[row * 3 * width..][..width]);
            let end = if stream.causal { row + 1 } else { all.keys.end };
            sequences.push(Sequence {
                queries: i..i + 1,
                keys: all.keys.start..end,
            });
        }
        let mut context = vec![0.; x.len()];
        let part = |i: usize| Heads {
            values: &qkv[i * width..],
            stride: 3 * width,
        };
        Attention {
            q: Heads {
                values: &q,
                stride: width,
            },
            k: part(1),
            v: part(2),
            heads: self.heads,
            head_width: width / self.heads,
            sequences: &sequences,
            bias: bias.map(BlockBias::as_kernel),
            causal: false,
        }
        .run(self.precision, &mut context, None);
        self.finish(&mut x, &context, &mut stream.wide);
        x
    }

    fn finish(&self, x: &mut [f32], context: &[f32], wide: &mut Vec<f32>) {
        let rows = context.len() / self.out.outputs();
        self.out.add(&Matrix::new(context, self.out.outputs()), x);
        let hidden = room(wide, rows * self.fc.outputs());
        self.fc.write(&self.ln_2.of(x), self.activation, hidden);
        self.proj.add(&Matrix::new(hidden, self.fc.outputs()), x);
    }
}
