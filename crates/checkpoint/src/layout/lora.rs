//! Low-rank updates (loralib's names: `X.lora_A`, `X.lora_B` beside `X.weight`).
//!
//! Alpha-CLIP trains them with scale 1 / rank; the joint q, k, v projection is adapted in its q
//! and v rows only.

use super::{Lora, Mapping};
use crate::entry::{Delta, Entry};
use crate::error::Result;

const A: &str = ".lora_A";
const B: &str = ".lora_B";

/// Merges or drops every pair of matrices among the tensors made so far.
pub(super) fn apply(mapping: &mut Mapping, lora: Lora) -> Result<()> {
    let targets: Vec<String> = mapping
        .made
        .keys()
        .filter_map(|n| n.strip_suffix(A))
        .map(str::to_owned)
        .collect();
    let mut merged = 0;
    let mut rank = 0;
    for target in &targets {
        let names = [format!("{target}{A}"), format!("{target}{B}")];
        let [Some(a), Some(b)] = names.each_ref().map(|n| mapping.made.get(n).cloned()) else {
            continue;
        };
        let joint = target.ends_with("attn.in_proj");
        let weight = if joint {
            format!("{target}_weight")
        } else {
            format!("{target}.weight")
        };
        let Some(base) = mapping.made.get(&weight).cloned() else {
            continue;
        };
        if lora == Lora::Merge {
            let entry = updated(base, &a, &b, joint).map_err(|what| mapping.odd(&weight, what))?;
            rank = b.info().shape.get(1).copied().unwrap_or(0);
            mapping.made.insert(weight, entry);
            merged += 1;
        } else {
            mapping.dropped.extend(names.iter().cloned());
        }
        for name in &names {
            mapping.made.remove(name);
        }
    }
    if merged > 0 {
        mapping.notes.push(format!(
            "merged LoRA matrices of rank {rank} into {merged} weights; if the file was saved \
             after merging, ask for them to be ignored"
        ));
    } else if !targets.is_empty() && lora == Lora::Ignore {
        mapping
            .notes
            .push("ignored the file's LoRA matrices".into());
    }
    Ok(())
}

/// The weight with its update. A joint projection has one pair for q above one for v.
fn updated(base: Entry, a: &Entry, b: &Entry, joint: bool) -> Result<Entry, String> {
    let names: [&str; 2] = [
        a.sources().first().map_or("", String::as_str),
        b.sources().first().map_or("", String::as_str),
    ];
    let rank = b
        .info()
        .shape
        .get(1)
        .copied()
        .filter(|&r| r > 0)
        .ok_or("has a LoRA of no rank")?;
    let rows = base.info().shape.first().copied().unwrap_or(0);
    let delta = |to: std::ops::Range<usize>, a: &Entry, b: &Entry| {
        Ok::<_, String>(Delta {
            rows: to,
            a: a.slice()?.clone(),
            b: b.slice()?.clone(),
            scale: 1.0 / rank as f32,
        })
    };
    if !joint {
        return base.updated(delta(0..rows, a, b)?, names);
    }
    let width = rows / 3;
    let (q, v) = (
        delta(0..width, &a.rows(0..rank)?, &b.rows(0..width)?)?,
        delta(
            2 * width..rows,
            &a.rows(rank..2 * rank)?,
            &b.rows(width..2 * width)?,
        )?,
    );
    base.updated(q, names)?.updated(v, names)
}
