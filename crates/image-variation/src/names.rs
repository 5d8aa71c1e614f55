//! What files call the tensors of a UNet and a VAE.
//!
//! Networks ask for the names that diffusers uses today. Files of 2022 call the VAE's attention
//! otherwise, and single files use the names of the latent diffusion code (LDM).

use checkpoint::Checkpoint;

/// Prefixes of the parts in a single file.
pub(crate) const LDM_UNET: &str = "model.diffusion_model.";
pub(crate) const LDM_VAE: &str = "first_stage_model.";
/// A tensor that every single file has, and a diffusers folder never.
pub(crate) const LDM_MARK: &str = "model.diffusion_model.input_blocks.0.0.weight";

/// How one file names the tensors of one network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Names {
    /// As diffusers does, now or in 2022.
    Diffusers,
    /// A UNet in a single file.
    LdmUnet {
        /// Resnets of a down block.
        layers: usize,
        /// Whether each up block has attention.
        up_attention: Vec<bool>,
    },
    /// A VAE in a single file.
    LdmVae {
        /// Number of blocks.
        blocks: usize,
    },
}

impl Names {
    /// The name in the file of the tensor that diffusers calls `name`, if it is there.
    pub(crate) fn find(&self, file: &Checkpoint, name: &str) -> Option<String> {
        let candidates = match self {
            Self::Diffusers => vec![Some(name.to_owned()), old_vae_attention(name)],
            Self::LdmUnet {
                layers,
                up_attention,
            } => vec![ldm_unet(name, *layers, up_attention)],
            Self::LdmVae { blocks } => vec![ldm_vae(name, *blocks)],
        };
        candidates
            .into_iter()
            .flatten()
            .find(|candidate| file.contains(candidate))
    }
}

/// Names before diffusers 0.15: `query`, `key`, `value`, `proj_attn`.
fn old_vae_attention(name: &str) -> Option<String> {
    const RENAMED: [(&str, &str); 4] = [
        (".to_q.", ".query."),
        (".to_k.", ".key."),
        (".to_v.", ".value."),
        (".to_out.0.", ".proj_attn."),
    ];
    let (new, old) = RENAMED.into_iter().find(|(new, _)| name.contains(new))?;
    name.contains("mid_block.attentions.0.")
        .then(|| name.replacen(new, old, 1))
}

/// Splits `down_blocks.2.resnets.1.norm1.weight` into ("down_blocks", 2, "resnets", 1,
/// "norm1.weight").
fn split(name: &str) -> Option<(&str, usize, &str, usize, &str)> {
    let mut parts = name.splitn(5, '.');
    let (group, block) = (parts.next()?, parts.next()?.parse().ok()?);
    let (kind, index) = (parts.next()?, parts.next()?.parse().ok()?);
    Some((group, block, kind, index, parts.next()?))
}

/// Looks a prefix up in a table of (diffusers, LDM) and replaces it.
fn replaced(name: &str, table: &[(&str, &str)]) -> Option<String> {
    table
        .iter()
        .find_map(|(theirs, ldm)| Some(format!("{ldm}{}", name.strip_prefix(theirs)?)))
}

fn ldm_unet(name: &str, layers: usize, up_attention: &[bool]) -> Option<String> {
    const ENDS: [(&str, &str); 8] = [
        ("time_embedding.linear_1.", "time_embed.0."),
        ("time_embedding.linear_2.", "time_embed.2."),
        ("conv_in.", "input_blocks.0.0."),
        ("conv_norm_out.", "out.0."),
        ("conv_out.", "out.2."),
        ("mid_block.resnets.0.", "middle_block.0."),
        ("mid_block.attentions.0.", "middle_block.1."),
        ("mid_block.resnets.1.", "middle_block.2."),
    ];
    const RESNET: [(&str, &str); 6] = [
        ("norm1.", "in_layers.0."),
        ("conv1.", "in_layers.2."),
        ("time_emb_proj.", "emb_layers.1."),
        ("norm2.", "out_layers.0."),
        ("conv2.", "out_layers.3."),
        ("conv_shortcut.", "skip_connection."),
    ];
    let inner = |rest: &str| replaced(rest, &RESNET);
    if let Some(start) = ["mid_block.resnets.0.", "mid_block.resnets.1."]
        .into_iter()
        .find(|start| name.starts_with(start))
    {
        let block = replaced(start, &ENDS)?;
        return Some(format!("{LDM_UNET}{block}{}", inner(&name[start.len()..])?));
    }
    if let Some(end) = replaced(name, &ENDS) {
        return Some(format!("{LDM_UNET}{end}"));
    }
    let (group, block, kind, index, rest) = split(name)?;
    let (start, place, tail) = match (group, kind) {
        ("down_blocks", "resnets") => (
            "input_blocks",
            (layers + 1) * block + index + 1,
            format!("0.{}", inner(rest)?),
        ),
        ("down_blocks", "attentions") => (
            "input_blocks",
            (layers + 1) * block + index + 1,
            format!("1.{rest}"),
        ),
        ("down_blocks", "downsamplers") => {
            let rest = rest.strip_prefix("conv.")?;
            (
                "input_blocks",
                (layers + 1) * (block + 1),
                format!("0.op.{rest}"),
            )
        }
        ("up_blocks", "resnets") => (
            "output_blocks",
            (layers + 1) * block + index,
            format!("0.{}", inner(rest)?),
        ),
        ("up_blocks", "attentions") => (
            "output_blocks",
            (layers + 1) * block + index,
            format!("1.{rest}"),
        ),
        ("up_blocks", "upsamplers") => {
            // It comes last in its group: behind the attention, where there is one.
            let position = if *up_attention.get(block)? { 2 } else { 1 };
            (
                "output_blocks",
                (layers + 1) * block + layers,
                format!("{position}.{rest}"),
            )
        }
        _ => return None,
    };
    Some(format!("{LDM_UNET}{start}.{place}.{tail}"))
}

fn ldm_vae(name: &str, blocks: usize) -> Option<String> {
    const ATTENTION: [(&str, &str); 5] = [
        ("group_norm.", "norm."),
        ("to_q.", "q."),
        ("to_k.", "k."),
        ("to_v.", "v."),
        ("to_out.0.", "proj_out."),
    ];
    let resnet = |rest: &str| {
        replaced(rest, &[("conv_shortcut.", "nin_shortcut.")]).unwrap_or_else(|| rest.to_owned())
    };
    let Some((side, inner)) = name
        .split_once('.')
        .filter(|(s, _)| matches!(*s, "encoder" | "decoder"))
    else {
        return Some(format!("{LDM_VAE}{name}"));
    };
    let translated = if let Some(rest) = inner.strip_prefix("conv_norm_out.") {
        format!("norm_out.{rest}")
    } else if let Some(rest) = inner.strip_prefix("mid_block.attentions.0.") {
        format!("mid.attn_1.{}", replaced(rest, &ATTENTION)?)
    } else if let Some(rest) = inner.strip_prefix("mid_block.resnets.0.") {
        format!("mid.block_1.{}", resnet(rest))
    } else if let Some(rest) = inner.strip_prefix("mid_block.resnets.1.") {
        format!("mid.block_2.{}", resnet(rest))
    } else if let Some((group, block, kind, index, rest)) = split(inner) {
        match (group, kind) {
            ("down_blocks", "resnets") => format!("down.{block}.block.{index}.{}", resnet(rest)),
            ("down_blocks", "downsamplers") => format!("down.{block}.downsample.{rest}"),
            // LDM counts the blocks of the decoder by resolution, from the finest.
            ("up_blocks", "resnets") => {
                let block = blocks.checked_sub(block + 1)?;
                format!("up.{block}.block.{index}.{}", resnet(rest))
            }
            ("up_blocks", "upsamplers") => {
                format!("up.{}.upsample.{rest}", blocks.checked_sub(block + 1)?)
            }
            _ => return None,
        }
    } else {
        inner.to_owned()
    };
    Some(format!("{LDM_VAE}{side}.{translated}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::golden;

    #[test]
    fn every_name_of_a_single_file_is_known() {
        let map = golden::json("ldm_to_diffusers.json.gz");
        let pairs = |part: &str| {
            let object = map[part].as_object().unwrap().clone();
            object
                .into_iter()
                .map(|(ldm, theirs)| (ldm, theirs.as_str().unwrap().to_owned()))
        };
        let attention = [false, true, true, true];
        let mut count = 0;
        for (ldm, theirs) in pairs("unet") {
            assert_eq!(ldm_unet(&theirs, 2, &attention), Some(ldm));
            count += 1;
        }
        for (ldm, theirs) in pairs("vae") {
            assert_eq!(ldm_vae(&theirs, 4), Some(ldm));
            count += 1;
        }
        assert_eq!(count, 686 + 248);
    }

    #[test]
    fn names_of_2022_are_tried_inside_the_attention_only() {
        let old = |name| old_vae_attention(name);
        assert_eq!(
            old("encoder.mid_block.attentions.0.to_out.0.bias").as_deref(),
            Some("encoder.mid_block.attentions.0.proj_attn.bias")
        );
        assert_eq!(
            old("decoder.mid_block.attentions.0.to_q.weight").as_deref(),
            Some("decoder.mid_block.attentions.0.query.weight")
        );
        assert_eq!(
            old("down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.weight"),
            None
        );
        assert_eq!(old("decoder.conv_in.weight"), None);
    }
}
