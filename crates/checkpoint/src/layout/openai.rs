//! OpenAI's names, whole or of the vision tower alone.

use super::{Mapping, prefix_of};
use crate::checkpoint::Checkpoint;
use crate::entry::Entry;
use crate::error::Result;

/// Tensors that tell where the names of a model begin.
const ANCHORS: [&str; 2] = ["visual.conv1.weight", "token_embedding.weight"];

/// The same for a vision tower without `visual.`: a ViT and a ResNet.
const BARE_ANCHORS: [[&str; 2]; 2] = [
    ["conv1.weight", "transformer.resblocks.0.ln_1.weight"],
    ["conv1.weight", "attnpool.positional_embedding"],
];

/// Integers and masks that are saved with the weights but hold nothing that was learnt.
const NOT_WEIGHTS: [&str; 4] = [
    "input_resolution",
    "context_length",
    "vocab_size",
    "attn_mask",
];

/// The second position table of Long-CLIP.
pub(super) const LONG_TABLE: &str = "positional_embedding_res";
/// Rows that Long-CLIP keeps of the first table.
const LONG_KEPT: usize = 20;

/// Prefix of a whole model, or of one of its towers under OpenAI's names.
pub(super) fn prefix(file: &Checkpoint) -> Option<String> {
    let [vision, text] = ANCHORS;
    if let Some(prefix) = prefix_of(file, vision) {
        return Some(prefix.to_owned());
    }
    let prefix = prefix_of(file, text)?;
    let has = |name: &str| file.contains(&format!("{prefix}{name}"));
    (has("positional_embedding") && has("transformer.resblocks.0.ln_1.weight"))
        .then(|| prefix.to_owned())
}

/// Prefix of a vision tower that is not called `visual`.
pub(super) fn bare_prefix(file: &Checkpoint) -> Option<String> {
    BARE_ANCHORS.iter().find_map(|[first, second]| {
        let prefix = prefix_of(file, second)?;
        file.contains(&format!("{prefix}{first}"))
            .then(|| prefix.to_owned())
    })
}

/// Puts every tensor under `tower` + its name.
pub(super) fn map(mapping: &mut Mapping, tower: &str) -> Result<()> {
    for name in mapping.left_names() {
        let last = name.rsplit('.').next().unwrap_or_default();
        if NOT_WEIGHTS.contains(&name.as_str()) || last == "num_batches_tracked" {
            mapping.drop(&name);
        } else if let Some(entry) = mapping.take(&name) {
            mapping.put(format!("{tower}{}", underscored(&name)), Ok(entry))?;
        }
    }
    Ok(())
}

/// Alpha-CLIP writes `attn.in_proj.weight` where OpenAI has `attn.in_proj_weight`.
fn underscored(name: &str) -> String {
    for end in ["weight", "bias"] {
        if let Some(start) = name
            .strip_suffix(end)
            .and_then(|n| n.strip_suffix("attn.in_proj."))
        {
            return format!("{start}attn.in_proj_{end}");
        }
    }
    name.to_owned()
}

/// Rows 0..20 of the first table, the rest of the second.
pub(super) fn join_long_tables(mapping: &mut Mapping) -> Result<()> {
    let first = mapping.made.remove("positional_embedding");
    let second = mapping.made.remove(LONG_TABLE);
    if let (Some(first), Some(second)) = (first, second) {
        mapping.put("positional_embedding".into(), joined(&first, &second))?;
    }
    Ok(())
}

fn joined(first: &Entry, second: &Entry) -> Result<Entry, String> {
    let (one, two) = (&first.info().shape, &second.info().shape);
    if one != two {
        return Err(format!("and {LONG_TABLE} have shapes {one:?} and {two:?}"));
    }
    let rows = one.first().copied().unwrap_or(0);
    Entry::stacked([&first.rows(0..LONG_KEPT)?, &second.rows(LONG_KEPT..rows)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_joint_input_projection_is_respelt() {
        assert_eq!(
            underscored("a.attn.in_proj.weight"),
            "a.attn.in_proj_weight"
        );
        assert_eq!(underscored("a.attn.in_proj.bias"), "a.attn.in_proj_bias");
        assert_eq!(
            underscored("a.attn.in_proj_weight"),
            "a.attn.in_proj_weight"
        );
        assert_eq!(
            underscored("a.attn.out_proj.weight"),
            "a.attn.out_proj.weight"
        );
        assert_eq!(underscored("attn.in_proj.lora_A"), "attn.in_proj.lora_A");
    }
}
