//! The vision transformer on a CPU.

use candle_core::{DType, Device, Tensor};
use kernels::gemm::{PackedMatrix, Rows, multiply};
use kernels::{Activation, Precision};

use super::block::{Block, BlockBias, Stream};
use super::linear::{LayerNorm, Linear, pack};
use super::values;
use crate::config::{TransformerConfig, VisionConfig};
use crate::error::Result;
use crate::positions;
use crate::source::Weights;
use crate::vision::{AttentionTap, VisionOptions, VisionOutput};

/// Non-overlapping patches through the RGB and the alpha convolution, as one matrix product.
struct PatchEmbedding {
    weight: PackedMatrix,
    patch: usize,
}

impl PatchEmbedding {
    fn load(weights: &Weights<'_>, width: usize, patch: usize, alpha: bool) -> Result<Self> {
        let area = patch * patch;
        let rgb = weights.get("conv1.weight", &[width, 3, patch, patch])?;
        let channels = if alpha { 4 } else { 3 };
        let both = match alpha {
            true => {
                let alpha = weights.get("conv1_alpha.weight", &[width, 1, patch, patch])?;
                weights.derive(|| Ok(Tensor::cat(&[&rgb, &alpha], 1)?))?
            }
            false => rgb,
        };
        let inputs = channels * area;
        Ok(Self {
            weight: pack(weights, &both, [width, inputs], |row, column| {
                row * inputs + column
            })?,
            patch,
        })
    }
}

/// The patches of pictures [B, 3, R, R] and alpha planes [B, 1, R, R] as rows [B·G·G, C·P·P].
struct Patches<'a> {
    pixels: &'a [f32],
    alpha: Option<&'a [f32]>,
    items: usize,
    side: usize,
    patch: usize,
}

impl Rows for Patches<'_> {
    fn count(&self) -> usize {
        let grid = self.side / self.patch;
        self.items * grid * grid
    }

    fn width(&self) -> usize {
        let channels = if self.alpha.is_some() { 4 } else { 3 };
        channels * self.patch * self.patch
    }

    fn copy(&self, row: usize, start: usize, to: &mut [f32]) {
        let (patch, side) = (self.patch, self.side);
        let grid = side / patch;
        let (item, cell) = (row / (grid * grid), row % (grid * grid));
        let corner = cell / grid * patch * side + cell % grid * patch;
        let (mut at, mut to) = (start, to);
        while !to.is_empty() {
            let (channel, place) = (at / (patch * patch), at % (patch * patch));
            let (y, x) = (place / patch, place % patch);
            let count = to.len().min(patch - x);
            let plane = match self.alpha {
                Some(alpha) if channel == 3 => &alpha[item * side * side..],
                _ => &self.pixels[(item * 3 + channel) * side * side..],
            };
            let (now, later) = to.split_at_mut(count);
            now.copy_from_slice(&plane[corner + y * side + x..][..count]);
            (at, to) = (at + count, later);
        }
    }
}

pub(crate) struct VisionTransformer {
    patches: PatchEmbedding,
    /// Positions [1 + G·G, W], the class embedding added to the first.
    table: Vec<f32>,
    ln_pre: LayerNorm,
    blocks: Vec<Block>,
    ln_post: LayerNorm,
    proj: Linear,
    heads: usize,
    width: usize,
    /// The type of what it hands out.
    dtype: DType,
}

impl VisionTransformer {
    /// `stored_grid` is the side of the grid that the file's position table is for.
    pub(crate) fn load(
        weights: &Weights<'_>,
        stored_grid: usize,
        config: &VisionConfig,
        patch: usize,
        blocks: &TransformerConfig,
        precision: Precision,
    ) -> Result<Self> {
        let (width, eps) = (blocks.width, blocks.layer_norm_eps);
        let rows = stored_grid * stored_grid + 1;
        let table = weights.get_f32("positional_embedding", &[rows, width])?;
        let class = weights.get_f32("class_embedding", &[width])?;
        let table = weights.derive(|| positions::resized(&table, config.grid()))?;
        let (mut table, class) = (values(&table)?, values(&class)?);
        for (position, class) in table.iter_mut().zip(class) {
            *position += class;
        }
        Ok(Self {
            patches: PatchEmbedding::load(weights, width, patch, config.alpha)?,
            table,
            ln_pre: LayerNorm::load(&weights.at("ln_pre"), width, eps)?,
            blocks: Block::load_stack(&weights.at("transformer"), blocks, precision)?,
            ln_post: LayerNorm::load(&weights.at("ln_post"), width, eps)?,
            proj: Linear::projection(weights, "proj", width, config.embed_dim)?,
            heads: blocks.heads,
            width,
            dtype: weights.dtype(),
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
        let (items, tokens, width) = (pixels.dim(0)?, self.table.len() / self.width, self.width);
        let mut stream = self.stream(pixels, alpha, tokens)?;
        let shape = [items, self.heads, tokens, tokens];
        let bias = match &options.bias {
            Some(bias) => Some(bias.fitted(self.blocks.len(), shape, &Device::Cpu)?),
            None => None,
        };
        let (mut attention, mut hidden) = (Vec::new(), Vec::new());
        let tensor = |values: &[f32], shape: &[usize]| -> Result<Tensor> {
            Ok(Tensor::from_slice(values, shape, &Device::Cpu)?.to_dtype(self.dtype)?)
        };
        if taps.hidden {
            hidden.push(tensor(&stream.x, &[items, tokens, width])?);
        }
        let last = self.blocks.len().saturating_sub(1);
        let mut class = None;
        for (i, block) in self.blocks.iter().enumerate() {
            let bias = bias.as_ref().and_then(|b| b.block(i));
            let bias = bias.map(BlockBias::new).transpose()?;
            let keep = match taps.attention {
                AttentionTap::None => false,
                AttentionTap::Last => i == last,
                AttentionTap::All => true,
            };
            if i == last && !keep && !taps.hidden && !taps.tokens {
                class = Some(block.forward_one(&mut stream, &vec![0; items], bias.as_ref()));
                break;
            }
            let mut weights = keep.then(|| vec![0f32; shape.iter().product()]);
            block.forward(&mut stream, bias.as_ref(), weights.as_deref_mut());
            if let Some(weights) = weights {
                attention.push(tensor(&weights, &shape)?);
            }
            if taps.hidden {
                hidden.push(tensor(&stream.x, &[items, tokens, width])?);
            }
        }
        let embed_dim = self.proj.outputs();
        let project = |x: &[f32]| {
            let mut y = vec![0f32; x.len() / width * embed_dim];
            self.proj
                .write(&self.ln_post.of(x), Activation::Identity, &mut y);
            y
        };
        let class = class.unwrap_or_else(|| {
            let rows = stream.x.chunks_exact(tokens * width);
            rows.flat_map(|item| &item[..width]).copied().collect()
        });
        Ok(VisionOutput {
            features: tensor(&project(&class), &[items, embed_dim])?,
            attention,
            hidden,
            tokens: match taps.tokens {
                true => Some(tensor(&project(&stream.x), &[items, tokens, embed_dim])?),
                false => None,
            },
        })
    }

    /// Everything before the first block.
    fn stream(&self, pixels: &Tensor, alpha: Option<&Tensor>, tokens: usize) -> Result<Stream> {
        let (items, _, side, _) = pixels.dims4()?;
        let (pixels, alpha) = (values(pixels)?, alpha.map(values).transpose()?);
        let patches = Patches {
            pixels: &pixels,
            alpha: alpha.as_deref(),
            items,
            side,
            patch: self.patches.patch,
        };
        let width = self.width;
        let mut cells = vec![0f32; patches.count() * width];
        multiply(
            &patches,
            &self.patches.weight,
            kernels::gemm::Epilogue::default(),
            &mut cells,
        );
        let mut x: Vec<f32> = self.table.repeat(items);
        let rows = x.chunks_exact_mut(tokens * width);
        for (x, cells) in rows.zip(cells.chunks_exact((tokens - 1) * width)) {
            for (x, cell) in x[width..].iter_mut().zip(cells) {
                *x += cell;
            }
        }
        let mut normed = vec![0f32; x.len()];
        self.ln_pre.of(&x).write(&mut normed);
        Ok(Stream::new(normed, width, &vec![tokens; items], false))
    }
}
