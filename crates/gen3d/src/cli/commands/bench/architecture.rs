//! Architectures by the names that people know, for towers of random weights.

use alpha_clip::{
    Activation, AlphaClip, ClipConfig, LoadOptions, TextConfig, TextPooling, TransformerConfig,
    VisionConfig, VisionKind,
};
use anyhow::anyhow;

use crate::cli::failure::Failure;

/// Size of a published CLIP; all have heads of 64 and the same vocabulary.
struct Published {
    name: &'static str,
    pixels: usize,
    patch: usize,
    vision_width: usize,
    vision_layers: usize,
    text_width: usize,
    embedding: usize,
}

const fn published(
    name: &'static str,
    [pixels, patch]: [usize; 2],
    [vision_width, vision_layers]: [usize; 2],
    [text_width, embedding]: [usize; 2],
) -> Published {
    Published {
        name,
        pixels,
        patch,
        vision_width,
        vision_layers,
        text_width,
        embedding,
    }
}

const PUBLISHED: [Published; 4] = [
    published("ViT-B-32", [224, 32], [768, 12], [512, 512]),
    published("ViT-B-16", [224, 16], [768, 12], [512, 512]),
    published("ViT-L-14", [224, 14], [1024, 24], [768, 768]),
    published("ViT-L-14-336", [336, 14], [1024, 24], [768, 768]),
];

/// The architecture called `name`, with an alpha channel.
///
/// # Errors
/// A wrong command line if there is none.
pub(super) fn named(name: &str) -> Result<ClipConfig, Failure> {
    if name == gen3d::embedded::NAME {
        let weights = gen3d::embedded::checkpoint().map_err(Failure::missing)?;
        let clip = AlphaClip::load(&weights, &LoadOptions::default()).map_err(Failure::missing)?;
        return Ok(clip.config().clone());
    }
    let known = PUBLISHED.iter().find(|p| p.name == name);
    known.map(Published::config).ok_or_else(|| {
        let all: Vec<&str> = PUBLISHED.iter().map(|p| p.name).collect();
        Failure::usage(anyhow!(
            "--arch: unknown architecture '{name}'; give one of {}, {}",
            all.join(", "),
            gen3d::embedded::NAME
        ))
    })
}

impl Published {
    fn config(&self) -> ClipConfig {
        let vision = VisionKind::Transformer {
            patch: self.patch,
            blocks: blocks(self.vision_width, self.vision_layers),
        };
        ClipConfig {
            vision: VisionConfig {
                image_size: self.pixels,
                embed_dim: self.embedding,
                alpha: true,
                kind: vision,
            },
            text: TextConfig {
                vocabulary: 49_408,
                context: 77,
                embed_dim: self.embedding,
                pooling: TextPooling::LargestId,
                blocks: blocks(self.text_width, 12),
            },
        }
    }
}

fn blocks(width: usize, layers: usize) -> TransformerConfig {
    TransformerConfig {
        width,
        layers,
        heads: width / 64,
        mlp_width: 4 * width,
        activation: Activation::QuickGelu,
        layer_norm_eps: 1e-5,
    }
}
