//! transformers' names (`CLIPModel`, `CLIPVisionModelWithProjection`, `CLIPTextModel`).

use super::{Mapping, prefix_of};
use crate::checkpoint::Checkpoint;
use crate::entry::Entry;
use crate::error::Result;

/// Tensors that tell where the names of a model begin.
const ANCHORS: [&str; 2] = [
    "vision_model.embeddings.class_embedding",
    "text_model.embeddings.token_embedding.weight",
];

/// Names before the blocks and after them: transformers', ours. A name that ends in a dot stands
/// for its weight and bias.
const VISION: [(&str, &str); 7] = [
    ("embeddings.class_embedding", "class_embedding"),
    ("embeddings.patch_embedding.weight", "conv1.weight"),
    (
        "embeddings.patch_embedding_alpha.weight",
        "conv1_alpha.weight",
    ),
    (
        "embeddings.position_embedding.weight",
        "positional_embedding",
    ),
    ("pre_layrnorm.", "ln_pre."),
    ("pre_layernorm.", "ln_pre."),
    ("post_layernorm.", "ln_post."),
];
const TEXT: [(&str, &str); 3] = [
    (
        "embeddings.token_embedding.weight",
        "token_embedding.weight",
    ),
    (
        "embeddings.position_embedding.weight",
        "positional_embedding",
    ),
    ("final_layer_norm.", "ln_final."),
];

/// Names inside a block.
const BLOCK: [(&str, &str); 5] = [
    ("self_attn.out_proj.", "attn.out_proj."),
    ("layer_norm1.", "ln_1."),
    ("layer_norm2.", "ln_2."),
    ("mlp.fc1.", "mlp.c_fc."),
    ("mlp.fc2.", "mlp.c_proj."),
];

/// Matrices that transformers keeps as [embedding, width] and we as [width, embedding].
const PROJECTIONS: [(&str, &str); 2] = [
    ("visual_projection.weight", "visual.proj"),
    ("text_projection.weight", "text_projection"),
];

pub(super) fn prefix(file: &Checkpoint) -> Option<String> {
    ANCHORS
        .iter()
        .find_map(|anchor| prefix_of(file, anchor))
        .map(str::to_owned)
}

pub(super) fn map(mapping: &mut Mapping) -> Result<()> {
    for (theirs, ours) in PROJECTIONS {
        // A safety checker nests the tower once more, but not its projection.
        if let Some(name) = mapping.file.names().find(|name| *name == theirs) {
            mapping.left.entry(theirs.to_owned()).or_insert(name);
        }
        if let Some(entry) = mapping.take(theirs) {
            mapping.put(ours.into(), entry.transposed())?;
        }
    }
    for (tower, table, start) in [
        ("vision_model.", &VISION[..], "visual."),
        ("text_model.", &TEXT[..], ""),
    ] {
        for name in mapping.left_names() {
            let Some(inner) = name.strip_prefix(tower) else {
                continue;
            };
            if inner == "embeddings.position_ids" {
                mapping.drop(&name);
            } else if let Some(block) = inner.strip_prefix("encoder.layers.") {
                map_block(
                    mapping,
                    &name,
                    block,
                    &format!("{start}transformer.resblocks."),
                    tower,
                )?;
            } else if let Some(ours) = renamed(inner, table)
                && let Some(entry) = mapping.take(&name)
            {
                mapping.put(format!("{start}{ours}"), Ok(entry))?;
            }
        }
    }
    mapping.put_rest()
}

/// Maps one tensor of a block; `block` is what follows `encoder.layers.` in `name`.
fn map_block(
    mapping: &mut Mapping,
    name: &str,
    block: &str,
    start: &str,
    tower: &str,
) -> Result<()> {
    let Some((index, inner)) = block.split_once('.') else {
        return Ok(());
    };
    if let Some(ours) = renamed(inner, &BLOCK) {
        if let Some(entry) = mapping.take(name) {
            mapping.put(format!("{start}{index}.{ours}"), Ok(entry))?;
        }
    } else if let Some(end) = inner.strip_prefix("self_attn.q_proj.") {
        let parts = ["q", "k", "v"]
            .map(|p| format!("{tower}encoder.layers.{index}.self_attn.{p}_proj.{end}"));
        let there = parts.iter().all(|part| mapping.left.contains_key(part));
        if there {
            let parts: Vec<Entry> = parts.iter().filter_map(|part| mapping.take(part)).collect();
            mapping.put(
                format!("{start}{index}.attn.in_proj_{end}"),
                Entry::stacked(&parts),
            )?;
        }
    }
    Ok(())
}

/// Looks a name up; entries that end in a dot match the weight and the bias.
fn renamed(name: &str, table: &[(&str, &str)]) -> Option<String> {
    table.iter().find_map(|(theirs, ours)| {
        let rest = name.strip_prefix(theirs)?;
        let suits = if theirs.ends_with('.') {
            rest == "weight" || rest == "bias"
        } else {
            rest.is_empty()
        };
        suits.then(|| format!("{ours}{rest}"))
    })
}
