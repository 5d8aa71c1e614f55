//! The vision transformer, with Alpha-CLIP's alpha convolution.

use candle_core::{D, Tensor};

use crate::block::{LayerNorm, TransformerBlock};
use crate::config::{TransformerConfig, VisionConfig};
use crate::error::Result;
use crate::positions;
use crate::source::Weights;
use crate::vision::{AttentionTap, VisionOptions, VisionOutput};

/// Non-overlapping patches through the RGB and the alpha convolution, as one matrix product.
struct PatchEmbedding {
    /// [W, C·P·P]: RGB and, if there is one, alpha.
    weight: Tensor,
    patch: usize,
}

impl PatchEmbedding {
    fn load(weights: &Weights<'_>, width: usize, patch: usize, alpha: bool) -> Result<Self> {
        let area = patch * patch;
        let mut parts = vec![(
            weights.get("conv1.weight", &[width, 3, patch, patch])?,
            3 * area,
        )];
        if alpha {
            let alpha = weights.get("conv1_alpha.weight", &[width, 1, patch, patch])?;
            parts.push((alpha, area));
        }
        let weight = weights.derive(|| {
            let parts = parts
                .iter()
                .map(|(part, inputs)| part.reshape((width, *inputs)));
            Ok(Tensor::cat(
                &parts.collect::<candle_core::Result<Vec<_>>>()?,
                1,
            )?)
        })?;
        Ok(Self { weight, patch })
    }

    /// Pixels [B, C, R, R] to tokens [B, G·G, W], row by row from the top left.
    fn forward(&self, pixels: &Tensor) -> Result<Tensor> {
        let (items, channels, side, _) = pixels.dims4()?;
        let (patch, grid) = (self.patch, side / self.patch);
        let cells = pixels
            .reshape(&[items, channels, grid, patch, grid, patch][..])?
            .permute([0, 2, 4, 1, 3, 5])?
            .reshape((items * grid * grid, channels * patch * patch))?;
        let tokens = cells.matmul(&self.weight.t()?)?;
        Ok(tokens.reshape((items, grid * grid, self.weight.dim(0)?))?)
    }
}

pub(crate) struct VisionTransformer {
    patches: PatchEmbedding,
    /// [1, 1, W], its position added.
    class_token: Tensor,
    /// [1, G·G, W].
    positions: Tensor,
    ln_pre: LayerNorm,
    blocks: Vec<TransformerBlock>,
    ln_post: LayerNorm,
    /// [W, E].
    proj: Tensor,
    heads: usize,
}

impl VisionTransformer {
    /// `stored_grid` is the side of the grid that the file's position table is for.
    pub(crate) fn load(
        weights: &Weights<'_>,
        stored_grid: usize,
        config: &VisionConfig,
        patch: usize,
        blocks: &TransformerConfig,
    ) -> Result<Self> {
        let (width, eps) = (blocks.width, blocks.layer_norm_eps);
        let rows = stored_grid * stored_grid + 1;
        let table = weights.get_f32("positional_embedding", &[rows, width])?;
        let class = weights.get_f32("class_embedding", &[width])?;
        let dtype = weights.dtype();
        let table = weights.derive(|| positions::resized(&table, config.grid()))?;
        let class_token = weights.derive(|| {
            let class = (class.reshape((1, width))? + table.narrow(0, 0, 1)?)?;
            Ok(class.unsqueeze(0)?.to_dtype(dtype)?)
        })?;
        let positions = weights.derive(|| {
            let patches = table.narrow(0, 1, table.dim(0)? - 1)?;
            Ok(patches.unsqueeze(0)?.to_dtype(dtype)?)
        })?;
        Ok(Self {
            patches: PatchEmbedding::load(weights, width, patch, config.alpha)?,
            class_token,
            positions,
            ln_pre: LayerNorm::load(&weights.at("ln_pre"), width, eps)?,
            blocks: TransformerBlock::load_stack(&weights.at("transformer"), blocks)?,
            ln_post: LayerNorm::load(&weights.at("ln_post"), width, eps)?,
            proj: weights.get("proj", &[width, config.embed_dim])?,
            heads: blocks.heads,
        })
    }

    /// Pixels [B, 3, R, R] and, for a tower with an alpha convolution, alpha [B, 1, R, R].
    pub(crate) fn forward(
        &self,
        pixels: &Tensor,
        alpha: Option<&Tensor>,
        options: &VisionOptions,
    ) -> Result<VisionOutput> {
        let taps = options.taps;
        let mut x = self.tokens(pixels, alpha)?;
        let (items, tokens, _) = x.dims3()?;
        let shape = [items, self.heads, tokens, tokens];
        let bias = match &options.bias {
            Some(bias) => Some(bias.fitted(self.blocks.len(), shape, x.device())?),
            None => None,
        };
        let bias = |block| bias.as_ref().and_then(|b| b.block(block));
        let mut output = VisionOutput {
            features: x.clone(),
            attention: Vec::new(),
            hidden: Vec::new(),
            tokens: None,
        };
        if taps.hidden {
            output.hidden.push(x.clone());
        }
        let last = self.blocks.len().saturating_sub(1);
        for (i, block) in self.blocks.iter().enumerate() {
            let keep = match taps.attention {
                AttentionTap::None => false,
                AttentionTap::Last => i == last,
                AttentionTap::All => true,
            };
            if i == last && !keep && !taps.hidden && !taps.tokens {
                x = block.forward_first(&x, bias(i))?;
                break;
            }
            let (next, attention) = block.forward(&x, bias(i))?;
            x = next;
            if keep {
                output.attention.push(attention);
            }
            if taps.hidden {
                output.hidden.push(x.clone());
            }
        }
        if taps.tokens {
            let normed = self.ln_post.forward(&x)?;
            let (items, tokens, width) = normed.dims3()?;
            let projected = normed
                .reshape((items * tokens, width))?
                .matmul(&self.proj)?;
            output.tokens = Some(projected.reshape((items, tokens, self.proj.dim(D::Minus1)?))?);
        }
        let class = x.narrow(1, 0, 1)?.squeeze(1)?.contiguous()?;
        output.features = self.ln_post.forward(&class)?.matmul(&self.proj)?;
        Ok(output)
    }

    /// Everything before the first block.
    fn tokens(&self, pixels: &Tensor, alpha: Option<&Tensor>) -> Result<Tensor> {
        let pixels = match alpha {
            Some(alpha) => Tensor::cat(&[pixels, alpha], 1)?,
            None => pixels.clone(),
        };
        let patches = self
            .patches
            .forward(&pixels)?
            .broadcast_add(&self.positions)?;
        let (items, _, width) = patches.dims3()?;
        let class = self.class_token.broadcast_as((items, 1, width))?;
        self.ln_pre.forward(&Tensor::cat(&[class, patches], 1)?)
    }
}
