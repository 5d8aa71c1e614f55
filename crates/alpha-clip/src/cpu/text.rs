//! The text transformer on a CPU.

use candle_core::{DType, Device, Tensor};
use kernels::{Activation, Precision};

use super::block::{Block, Stream};
use super::linear::{LayerNorm, Linear};
use super::values;
use crate::config::TextConfig;
use crate::error::Result;
use crate::source::Weights;

pub(crate) struct TextTransformer {
    /// [V, T].
    token_embedding: Tensor,
    /// [C, T].
    positions: Vec<f32>,
    blocks: Vec<Block>,
    ln_final: LayerNorm,
    projection: Linear,
    width: usize,
    /// The type of what it hands out.
    dtype: DType,
}

impl TextTransformer {
    pub(crate) fn load(
        weights: &Weights<'_>,
        config: &TextConfig,
        precision: Precision,
    ) -> Result<Self> {
        let (width, eps) = (config.blocks.width, config.blocks.layer_norm_eps);
        let vocabulary = [config.vocabulary, width];
        Ok(Self {
            token_embedding: weights.get("token_embedding.weight", &vocabulary)?,
            positions: values(&weights.get_f32("positional_embedding", &[config.context, width])?)?,
            blocks: Block::load_stack(&weights.at("transformer"), &config.blocks, precision)?,
            ln_final: LayerNorm::load(&weights.at("ln_final"), width, eps)?,
            projection: Linear::projection(weights, "text_projection", width, config.embed_dim)?,
            width,
            dtype: weights.dtype(),
        })
    }

    /// The type of its features.
    pub(crate) fn dtype(&self) -> DType {
        self.dtype
    }

    /// Features [B, E] of rows of ids, each of which ends with the token that becomes the feature.
    pub(crate) fn encode(&self, rows: &[&[u32]]) -> Result<Tensor> {
        let mut stream = self.stream(rows)?;
        let ends: Vec<usize> = rows.iter().map(|row| row.len() - 1).collect();
        let mut ended = None;
        for (i, block) in self.blocks.iter().enumerate() {
            if i + 1 == self.blocks.len() {
                ended = Some(block.forward_one(&mut stream, &ends, None));
            } else {
                block.forward(&mut stream, None, None);
            }
        }
        let x = ended.unwrap_or(stream.x);
        let embed_dim = self.projection.outputs();
        let mut features = vec![0f32; rows.len() * embed_dim];
        let normed = self.ln_final.of(&x);
        self.projection
            .write(&normed, Activation::Identity, &mut features);
        self.tensor(features, &[rows.len(), embed_dim])
    }

    /// Tokens [B, n, T] after each block, for rows of one length n.
    pub(crate) fn hidden_states(&self, rows: &[&[u32]]) -> Result<Vec<Tensor>> {
        let mut stream = self.stream(rows)?;
        let tokens = rows.first().map_or(0, |row| row.len());
        let mut hidden = Vec::with_capacity(self.blocks.len());
        for block in &self.blocks {
            block.forward(&mut stream, None, None);
            hidden.push(self.tensor(stream.x.clone(), &[rows.len(), tokens, self.width])?);
        }
        Ok(hidden)
    }

    fn tensor(&self, values: Vec<f32>, shape: &[usize]) -> Result<Tensor> {
        Ok(Tensor::from_vec(values, shape, &Device::Cpu)?.to_dtype(self.dtype)?)
    }

    /// The tokens of all rows, each with its own length, before the first block.
    fn stream(&self, rows: &[&[u32]]) -> Result<Stream> {
        let ids: Vec<u32> = rows.concat();
        let ids = Tensor::from_vec(ids.clone(), ids.len(), &Device::Cpu)?;
        let mut x = values(&self.token_embedding.index_select(&ids, 0)?)?;
        let lengths: Vec<usize> = rows.iter().map(|row| row.len()).collect();
        let mut rest = &mut x[..];
        for length in &lengths {
            let (row, later) = rest.split_at_mut(length * self.width);
            for (x, position) in row.iter_mut().zip(&self.positions) {
                *x += position;
            }
            rest = later;
        }
        Ok(Stream::new(x, self.width, &lengths, true))
    }
}
