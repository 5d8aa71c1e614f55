//! [`TextTower`]: token ids to features.

use candle_core::{DType, Device, Tensor};
use kernels::rows::in_pool;

use crate::block::{LayerNorm, TransformerBlock};
use crate::config::{TextConfig, TextPooling};
use crate::cpu;
use crate::error::{Error, Result};
use crate::source::Weights;

/// The text tower of a CLIP.
pub struct TextTower {
    config: TextConfig,
    body: Body,
    int8: bool,
    device: Device,
}

enum Body {
    /// Over the kernels of the CPU.
    Packed(cpu::TextTransformer),
    Transformer(TextTransformer),
}

impl TextTower {
    pub(crate) fn load(weights: &Weights<'_>, config: TextConfig) -> Result<Self> {
        let body = match cpu::precision(weights.dtype(), weights.device()) {
            Some(precision) => {
                Body::Packed(cpu::TextTransformer::load(weights, &config, precision)?)
            }
            None => Body::Transformer(TextTransformer::load(weights, &config)?),
        };
        Ok(Self {
            int8: cpu::int8(weights, &config.blocks),
            config,
            body,
            device: weights.device().clone(),
        })
    }

    /// Its architecture.
    pub fn config(&self) -> &TextConfig {
        &self.config
    }

    /// The type that it computes in and that its features have.
    pub fn dtype(&self) -> DType {
        match &self.body {
            Body::Packed(body) => body.dtype(),
            Body::Transformer(body) => body.projection.dtype(),
        }
    }

    /// Whether its blocks multiply in int8, as [`LoadOptions`](crate::LoadOptions) asked.
    pub fn int8(&self) -> bool {
        self.int8
    }

    /// The device that it computes on.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Features [B, E] of B token rows [B, n] (u32, n at most the context length), not normalised.
    ///
    /// A row is start token, text, end token; what follows the end token changes nothing, so the
    /// rows are cut behind it (on a GPU behind the last end token of all): short texts cost little.
    ///
    /// # Errors
    /// [`Error::Input`] if the shape does not fit, an id is outside the vocabulary, or a row lacks
    /// the end token that the tower looks for.
    pub fn encode(&self, ids: &Tensor) -> Result<Tensor> {
        let rows = self.checked(ids)?;
        let ends = self.ends(&rows)?;
        match &self.body {
            Body::Packed(body) => {
                let rows = rows.iter().zip(&ends);
                let rows: Vec<&[u32]> = rows.map(|(row, end)| &row[..=*end as usize]).collect();
                in_pool(|| body.encode(&rows))
            }
            Body::Transformer(body) => body.encode(ids, &ends),
        }
    }

    /// Tokens [B, n, T] after each block, before `ln_final`.
    ///
    /// # Errors
    /// [`Error::Input`] as for [`encode`](Self::encode).
    pub fn hidden_states(&self, ids: &Tensor) -> Result<Vec<Tensor>> {
        let rows = self.checked(ids)?;
        match &self.body {
            Body::Packed(body) => {
                body.hidden_states(&rows.iter().map(Vec::as_slice).collect::<Vec<_>>())
            }
            Body::Transformer(body) => {
                let mut hidden = Vec::with_capacity(body.blocks.len());
                body.run(ids, |x| hidden.push(x.clone()))?;
                Ok(hidden)
            }
        }
    }

    fn checked(&self, ids: &Tensor) -> Result<Vec<Vec<u32>>> {
        let context = self.config.context;
        match *ids.dims() {
            [items, tokens] if items > 0 && (1..=context).contains(&tokens) => {}
            _ => {
                return Err(Error::input(
                    format!("the token ids have shape {:?}", ids.dims()),
                    format!("the tower takes [B, n] with B > 0 and n from 1 to {context}"),
                ));
            }
        }
        let rows = ids.to_dtype(DType::U32)?.to_vec2::<u32>()?;
        let vocabulary = self.config.vocabulary;
        match rows.iter().flatten().find(|id| **id as usize >= vocabulary) {
            Some(id) => Err(Error::input(
                format!("token id {id} is outside the vocabulary of {vocabulary}"),
                "use the tokenizer that belongs to the model",
            )),
            None => Ok(rows),
        }
    }

    /// Position of the token that becomes the feature, for each row.
    fn ends(&self, rows: &[Vec<u32>]) -> Result<Vec<u32>> {
        let end = |row: &Vec<u32>| match self.config.pooling {
            TextPooling::LargestId => {
                let largest = row.iter().max()?;
                row.iter().position(|id| id == largest)
            }
            TextPooling::FirstId(end) => row.iter().position(|id| *id == end),
        };
        rows.iter()
            .map(|row| {
                end(row).map(|position| position as u32).ok_or_else(|| {
                    Error::input(
                        "a text has no end token",
                        "end each row with the end token of the tokenizer",
                    )
                })
            })
            .collect()
    }
}

/// The text transformer in candle's operations, for any device.
struct TextTransformer {
    /// [V, T].
    token_embedding: Tensor,
    /// [C, T].
    positions: Tensor,
    blocks: Vec<TransformerBlock>,
    ln_final: LayerNorm,
    /// [T, E].
    projection: Tensor,
    width: usize,
}

impl TextTransformer {
    fn load(weights: &Weights<'_>, config: &TextConfig) -> Result<Self> {
        let (width, eps) = (config.blocks.width, config.blocks.layer_norm_eps);
        let vocabulary = [config.vocabulary, width];
        Ok(Self {
            token_embedding: weights.get("token_embedding.weight", &vocabulary)?,
            positions: weights.get("positional_embedding", &[config.context, width])?,
            blocks: TransformerBlock::load_stack(&weights.at("transformer"), &config.blocks)?,
            ln_final: LayerNorm::load(&weights.at("ln_final"), width, eps)?,
            projection: weights.get("text_projection", &[width, config.embed_dim])?,
            width,
        })
    }

    /// Features of the tokens at these positions of the rows.
    fn encode(&self, ids: &Tensor, ends: &[u32]) -> Result<Tensor> {
        let length = ends.iter().max().map_or(1, |end| *end as usize + 1);
        let ids = ids.narrow(1, 0, length)?;
        let x = self.run(&ids, |_| ())?;
        let (items, tokens, width) = x.dims3()?;
        let rows: Vec<u32> = ends
            .iter()
            .enumerate()
            .map(|(item, end)| (item * tokens) as u32 + end)
            .collect();
        let rows = Tensor::from_vec(rows, items, x.device())?;
        let ended = x.reshape((items * tokens, width))?.index_select(&rows, 0)?;
        Ok(self.ln_final.forward(&ended)?.matmul(&self.projection)?)
    }

    fn run(&self, ids: &Tensor, mut after_block: impl FnMut(&Tensor)) -> Result<Tensor> {
        let (items, tokens) = ids.dims2()?;
        let device = self.projection.device();
        let flat = ids.to_device(device)?.to_dtype(DType::U32)?.flatten_all()?;
        let embedded = self
            .token_embedding
            .index_select(&flat, 0)?
            .reshape((items, tokens, self.width))?;
        let mut x = embedded.broadcast_add(&self.positions.narrow(0, 0, tokens)?)?;
        let causal = causal_mask(tokens, device)?;
        for block in &self.blocks {
            x = block.forward(&x, Some(&causal))?.0;
            after_block(&x);
        }
        Ok(x)
    }
}

/// [1, 1, n, n]: zero, and -inf above the diagonal.
fn causal_mask(tokens: usize, device: &Device) -> Result<Tensor> {
    let mut mask = vec![0f32; tokens * tokens];
    for (i, row) in mask.chunks_mut(tokens.max(1)).enumerate() {
        row[i + 1..].fill(f32::NEG_INFINITY);
    }
    Ok(Tensor::from_vec(mask, (1, 1, tokens, tokens), device)?)
}

impl std::fmt::Debug for TextTower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TextTower")
            .field("config", &self.config)
            .field("dtype", &self.dtype())
            .field("device", &self.device().location())
            .finish_non_exhaustive()
    }
}
