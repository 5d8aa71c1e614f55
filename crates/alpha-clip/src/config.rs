//! Architecture of a CLIP: read from the shapes of its tensors, and from its configuration for
//! what shapes do not tell (activation, head counts, epsilon).

use checkpoint::Checkpoint;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::hints::Hints;

/// Activation of the hidden layer of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// x·sigmoid(1.702x): every OpenAI and Alpha-CLIP model.
    QuickGelu,
    /// x·Φ(x) with the exact error function: most open_clip models.
    Gelu,
}

/// Shape of a stack of transformer blocks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TransformerConfig {
    /// Width of a token.
    pub width: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Attention heads in a block; `width` is a multiple of it.
    pub heads: usize,
    /// Width of the hidden layer of a block's MLP, 4·`width` in most models.
    pub mlp_width: usize,
    /// Activation of that layer.
    pub activation: Activation,
    /// Epsilon of every LayerNorm, 1e-5 in most models.
    pub layer_norm_eps: f64,
}

/// The kind of a vision tower.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum VisionKind {
    /// Vision transformer.
    Transformer {
        /// Side of a patch in pixels.
        patch: usize,
        /// Its blocks.
        #[serde(flatten)]
        blocks: TransformerConfig,
    },
    /// CLIP's modified ResNet with an attention pool.
    ResNet {
        /// Channels after the stem; the last stage has 32 times as many.
        width: usize,
        /// Bottlenecks in each of the four stages.
        layers: [usize; 4],
        /// Heads of the attention pool.
        heads: usize,
    },
}

/// Architecture of a vision tower.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VisionConfig {
    /// Side of the square input in pixels (R).
    pub image_size: usize,
    /// Width of the feature (E).
    pub embed_dim: usize,
    /// Whether it has Alpha-CLIP's alpha convolution.
    pub alpha: bool,
    /// What it is made of.
    #[serde(flatten)]
    pub kind: VisionKind,
}

/// Which token of a text becomes its feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TextPooling {
    /// The first one with the largest id, which is the end token.
    LargestId,
    /// The first one with this id.
    FirstId(u32),
}

/// Architecture of a text tower.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TextConfig {
    /// Number of token ids.
    pub vocabulary: usize,
    /// Longest text in tokens (C).
    pub context: usize,
    /// Width of the feature (E).
    pub embed_dim: usize,
    /// Which token becomes the feature.
    pub pooling: TextPooling,
    /// Its blocks.
    #[serde(flatten)]
    pub blocks: TransformerConfig,
}

/// Architecture of a CLIP: both towers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClipConfig {
    /// The vision tower.
    pub vision: VisionConfig,
    /// The text tower.
    pub text: TextConfig,
}

impl VisionConfig {
    /// Side of the grid of patch tokens (a transformer) or of the last map (a ResNet).
    pub fn grid(&self) -> usize {
        match self.kind {
            VisionKind::Transformer { patch, .. } => self.image_size / patch,
            VisionKind::ResNet { .. } => self.image_size / 32,
        }
    }

    /// Number of blocks that take an attention bias: none for a ResNet.
    pub fn layers(&self) -> usize {
        match &self.kind {
            VisionKind::Transformer { blocks, .. } => blocks.layers,
            VisionKind::ResNet { .. } => 0,
        }
    }

    /// The same tower for another image size, if one is given.
    pub(crate) fn resized(&self, image_size: Option<usize>) -> Result<Self> {
        /// Attention over more tokens than a grid of this side would not fit any memory.
        const LARGEST_GRID: usize = 256;
        let Some(side) = image_size else {
            return Ok(self.clone());
        };
        let cell = match self.kind {
            VisionKind::Transformer { patch, .. } => patch,
            VisionKind::ResNet { .. } => 32,
        };
        if side == 0 || !side.is_multiple_of(cell) || side / cell > LARGEST_GRID {
            return Err(Error::model(
                format!("the tower cannot take pictures of {side} pixels"),
                format!("choose a multiple of {cell} up to {}", cell * LARGEST_GRID),
            ));
        }
        Ok(Self {
            image_size: side,
            ..self.clone()
        })
    }

    pub(crate) fn infer(source: &Checkpoint, hints: &Hints) -> Result<Self> {
        let shapes = Shapes(source);
        if source.contains("visual.proj") {
            return Self::infer_transformer(&shapes, hints);
        }
        if source.contains("visual.layer1.0.conv1.weight") {
            return Self::infer_resnet(&shapes, hints);
        }
        Err(if source.names().any(|n| n.starts_with("visual.")) {
            Error::model(
                "the vision tower has no projection to the shared space (visual.proj)",
                "give a CLIP, or a CLIPVisionModelWithProjection",
            )
        } else if source.contains("token_embedding.weight") {
            Error::model(
                "these weights hold only a text tower",
                "give the whole CLIP",
            )
        } else {
            Error::model(
                "these are not the weights of a CLIP (neither visual.proj nor a ResNet stem)",
                "give a CLIP in OpenAI's, Hugging Face's or open_clip's layout",
            )
        })
    }

    fn infer_transformer(shapes: &Shapes<'_>, hints: &Hints) -> Result<Self> {
        let [width, channels, patch, patch_y] = shapes.dims("visual.conv1.weight")?;
        if channels != 3 || patch != patch_y || patch == 0 {
            return Err(Error::model(
                format!("visual.conv1.weight is [{width}, {channels}, {patch}, {patch_y}]"),
                "only square patches of three channels make a CLIP",
            ));
        }
        let [rows, _] = shapes.dims("visual.positional_embedding")?;
        let [_, embed_dim] = shapes.dims("visual.proj")?;
        some_features(embed_dim)?;
        let grid = grid_of(rows, "visual.positional_embedding")?;
        let stack = "visual.transformer";
        Ok(Self {
            image_size: grid * patch,
            embed_dim,
            alpha: shapes.0.contains("visual.conv1_alpha.weight"),
            kind: VisionKind::Transformer {
                patch,
                blocks: shapes.blocks(stack, width, hints.vision_heads, hints.vision(), hints)?,
            },
        })
    }

    fn infer_resnet(shapes: &Shapes<'_>, hints: &Hints) -> Result<Self> {
        let [width, _, _, _] = shapes.dims("visual.layer1.0.conv1.weight")?;
        let [rows, channels] = shapes.dims("visual.attnpool.positional_embedding")?;
        let [embed_dim, _] = shapes.dims("visual.attnpool.c_proj.weight")?;
        some_features(embed_dim)?;
        if width < 2 || channels != 32 * width {
            return Err(Error::model(
                format!("the attention pool is {channels} wide on a ResNet of width {width}"),
                "only CLIP's own ResNets can be built (RN50 to RN50x64)",
            ));
        }
        let layers = [1, 2, 3, 4].map(|i| shapes.count(&format!("visual.layer{i}.")));
        if layers.contains(&0) {
            return Err(Error::model(
                format!("the stages of the ResNet have {layers:?} blocks"),
                "check that the file is complete",
            ));
        }
        let heads = heads_of(channels, hints.vision_heads, "the attention pool")?;
        Ok(Self {
            image_size: 32 * grid_of(rows, "visual.attnpool.positional_embedding")?,
            embed_dim,
            alpha: shapes.0.contains("visual.conv1_alpha.weight"),
            kind: VisionKind::ResNet {
                width,
                layers,
                heads,
            },
        })
    }
}

impl TextConfig {
    pub(crate) fn infer(source: &Checkpoint, hints: &Hints) -> Result<Self> {
        let shapes = Shapes(source);
        let there = source.towers().is_none_or(|towers| towers.text);
        if !there || !source.contains("token_embedding.weight") {
            return Err(if source.names().any(|n| n.starts_with("visual.")) {
                Error::model(
                    "this file holds only the vision tower",
                    "give the base CLIP with --model and this one with --alpha-weights",
                )
            } else {
                Error::model(
                    "these are not the weights of a CLIP (token_embedding.weight is absent)",
                    "give a CLIP in OpenAI's, Hugging Face's or open_clip's layout",
                )
            });
        }
        let [vocabulary, width] = shapes.dims("token_embedding.weight")?;
        let [context, _] = shapes.dims("positional_embedding")?;
        let [_, embed_dim] = shapes.dims("text_projection")?;
        if vocabulary == 0 || context == 0 {
            return Err(Error::model(
                format!("the text tower has {vocabulary} ids and {context} positions"),
                "check that the file is complete",
            ));
        }
        Ok(Self {
            vocabulary,
            context,
            embed_dim,
            pooling: hints.pooling,
            blocks: shapes.blocks("transformer", width, hints.text_heads, hints.text(), hints)?,
        })
    }
}

impl ClipConfig {
    pub(crate) fn infer(source: &Checkpoint, hints: &Hints) -> Result<Self> {
        let text = TextConfig::infer(source, hints)?;
        let vision = VisionConfig::infer(source, hints)?;
        if vision.embed_dim != text.embed_dim {
            return Err(Error::model(
                format!(
                    "the vision tower's features have {} values, the text tower's {}",
                    vision.embed_dim, text.embed_dim
                ),
                "give two towers of one model size",
            ));
        }
        Ok(Self { vision, text })
    }
}

/// Questions about the shapes in a source.
struct Shapes<'a>(&'a Checkpoint);

impl Shapes<'_> {
    fn dims<const N: usize>(&self, name: &str) -> Result<[usize; N]> {
        let info = self.0.info(name).ok_or_else(|| {
            Error::model(
                format!("tensor {name} is missing"),
                "check that the file is complete",
            )
        })?;
        <[usize; N]>::try_from(info.shape.as_slice()).map_err(|_| {
            Error::model(
                format!("tensor {name} has {} axes, not {N}", info.shape.len()),
                "check that this is a CLIP",
            )
        })
    }

    /// How many different numbers follow `prefix`.
    fn count(&self, prefix: &str) -> usize {
        let numbers = self.0.names().filter_map(|name| {
            let number = name.strip_prefix(prefix)?.split('.').next()?;
            number.parse::<usize>().ok()
        });
        numbers.collect::<std::collections::BTreeSet<_>>().len()
    }

    fn blocks(
        &self,
        stack: &str,
        width: usize,
        heads: Option<usize>,
        (activation, layer_norm_eps): (Activation, f64),
        hints: &Hints,
    ) -> Result<TransformerConfig> {
        let layers = self.count(&format!("{stack}.resblocks."));
        if layers == 0 {
            return Err(Error::model(
                format!("there are no blocks named {stack}.resblocks.N"),
                "check that the file is complete",
            ));
        }
        let [mlp_width, _] = self.dims(&format!("{stack}.resblocks.0.mlp.c_fc.weight"))?;
        let heads = heads_of(width, heads, stack)?;
        let activation = hints.forced_activation.unwrap_or(activation);
        Ok(TransformerConfig {
            width,
            layers,
            heads,
            mlp_width,
            activation,
            layer_norm_eps,
        })
    }
}

/// Head count: what the configuration says, else heads of 64.
fn heads_of(width: usize, told: Option<usize>, place: &str) -> Result<usize> {
    match told {
        Some(heads) if heads > 0 && width > 0 && width.is_multiple_of(heads) => Ok(heads),
        Some(heads) => Err(Error::model(
            format!("{place} is {width} wide, which {heads} heads do not divide"),
            "check the configuration beside the weights",
        )),
        None if width > 0 && width.is_multiple_of(64) => Ok(width / 64),
        None => Err(Error::model(
            format!("{place} is {width} wide, which heads of 64 do not divide"),
            "give the model's config.json or open_clip_config.json with --model-config",
        )),
    }
}

fn some_features(embed_dim: usize) -> Result<()> {
    if embed_dim > 0 {
        return Ok(());
    }
    Err(Error::model(
        "the projection gives features of no values",
        "check that the file is complete",
    ))
}

/// Side of the square grid that a table of `rows` (one of them the class token's) describes.
fn grid_of(rows: usize, table: &str) -> Result<usize> {
    let cells = rows.saturating_sub(1);
    let side = cells.isqrt();
    if side == 0 || side * side != cells {
        return Err(Error::model(
            format!("{table} has {rows} rows, not one more than a square"),
            "only towers with a class token and a square input can be built",
        ));
    }
    Ok(side)
}
