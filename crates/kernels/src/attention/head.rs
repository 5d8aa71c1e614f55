//! One head of one item.
//!
//! Logits lie with the queries side by side: a row of them belongs to a key and is as wide as a
//! panel. What the softmax does to a query then happens in a lane of its own, and its result is
//! what the product with the values takes, in which the values are the left side and the result has
//! a row for each value of the head.

use std::ops::Range;

use super::pack::{Plan, ROWS, Slice, pack_keys, pack_values, part};
use super::single::{self, attend_singly};
use super::softmax::{COLUMNS, Seen, softmax};
use super::{Attention, LogitBias, Shared};
use crate::gemm::{SCRATCH, Scratch, floats, pack_rows, staging, tile};
use crate::simd::{Floats, panel};

/// Panels of queries that take a block of keys one after the other.
const PANELS: usize = 4;

/// So many queries, left over from whole panels, are faster one by one.
const SINGLE: usize = 6;

/// Some queries of one head of one item.
pub(super) struct Head {
    pub(super) item: usize,
    pub(super) head: usize,
    /// Numbers of the queries in the item.
    pub(super) queries: Range<usize>,
    /// Rows of the keys.
    pub(super) keys: Range<usize>,
    /// The row of the item's first query.
    pub(super) row: usize,
    /// All queries of the item.
    pub(super) all: usize,
    pub(super) context: Shared,
    /// The weights of this head, from this place on.
    pub(super) weights: Option<(Shared, usize)>,
}

/// The next so many elements of memory.
#[inline(always)]
pub(super) fn take<'a>(memory: &mut &'a mut [u32], elements: usize) -> &'a mut [u32] {
    let (taken, rest) = std::mem::take(memory).split_at_mut(elements);
    *memory = rest;
    taken
}

/// # Safety
/// As for [`Floats`]; no other task may have these queries of this head.
#[inline(always)]
pub(super) unsafe fn attend<V: Floats>(all: &Attention<'_>, job: Head) {
    let width = panel::<V>();
    let (d, keys) = (all.head_width, job.keys.len());
    let plan = Plan::new::<V>(keys, d, job.weights.is_some());
    let slice = |rows| Slice {
        rows,
        start: job.head * d,
        width: d,
    };
    let (queries, k, v) = (slice(all.q), slice(all.k), slice(all.v));
    let sizes = [
        plan.blocks * plan.key_tiles * plan.key_tile,
        plan.blocks * plan.value_tiles * plan.value_tile,
        PANELS * plan.queries,
        PANELS * plan.gathered,
        // A key more, which makes the last pair whole.
        (plan.largest_block + 1) * width,
        plan.largest_block.div_ceil(V::UNIT) * width,
        (V::LANES + V::UNIT) * staging::<V>(d),
        single::memory::<V>(&plan),
    ];
    let mut scratch = Scratch::of(&SCRATCH, sizes.iter().sum());
    let mut memory = scratch.elements();
    let packed_k = take(&mut memory, sizes[0]);
    let packed_v = take(&mut memory, sizes[1]);
    let packed_q = take(&mut memory, sizes[2]);
    let gathered = floats(take(&mut memory, sizes[3]));
    let logits = floats(take(&mut memory, sizes[4]));
    let packed_p = take(&mut memory, sizes[5]);
    let stage = take(&mut memory, sizes[6]);
    let single = take(&mut memory, sizes[7]);
    // SAFETY: the caller vouches for the instructions.
    unsafe {
        pack_keys::<V>(&plan, &k, job.keys.start, stage, packed_k);
        pack_values::<V>(&plan, &v, job.keys.start, packed_v);
    }

    let scale = 1. / (d as f64).sqrt() as f32;
    let mut seen = [Seen {
        largest: [0.; COLUMNS],
        sum: [0.; COLUMNS],
    }; PANELS];
    let rest = match job.queries.len() % width {
        rest @ ..=SINGLE => rest,
        _ => 0,
    };
    let (mut start, end) = (job.queries.start, job.queries.end - rest);
    // SAFETY: these queries of this head belong to this task, and the caller vouches for the
    // instructions.
    unsafe {
        let packed = [&*packed_k, &*packed_v];
        attend_singly::<V>(all, &job, &plan, end..job.queries.end, packed, single);
    }
    while start < end {
        let group = start..end.min(start + PANELS * width);
        let panels = group.len().div_ceil(width);
        for p in 0..panels {
            seen[p].largest = [f32::NEG_INFINITY; COLUMNS];
            seen[p].sum = [0.; COLUMNS];
            gathered[p * plan.gathered..][..plan.gathered].fill(0.);
            let first = start + p * width;
            for half in (0..width).step_by(V::LANES) {
                let count = group.end.saturating_sub(first + half).min(V::LANES);
                if count == 0 {
                    break;
                }
                let to = &mut packed_q[p * plan.queries + half..(p + 1) * plan.queries];
                let row = job.row + first + half;
                // SAFETY: the caller vouches for the instructions.
                unsafe { pack_rows::<V>(&queries, row, count, [0, d], stage, (to, width)) };
            }
        }
        for b in 0..plan.blocks {
            let block = plan.block(b);
            for p in 0..panels {
                let panel = start + p * width..group.end.min(start + (p + 1) * width);
                let end = if all.causal {
                    keys - job.all + panel.end
                } else {
                    keys
                };
                if end <= block.start {
                    continue;
                }
                let packed_q = &packed_q[p * plan.queries..][..plan.queries];
                let packed_k = &packed_k[b * plan.key_tiles * plan.key_tile..];
                // SAFETY: the caller vouches for the instructions.
                let count =
                    unsafe { products::<V>(&plan, packed_q, packed_k, block.clone(), end, logits) };
                let logits = &mut logits[..(count + 1) * width];
                let scale = match all.bias {
                    Some(bias) => {
                        let places = [job.item, job.head, panel.start, block.start];
                        add_bias(logits, width, scale, bias, places, panel.len());
                        1.
                    }
                    None => scale,
                };
                if all.causal {
                    for (i, row) in logits.chunks_exact_mut(width).take(count).enumerate() {
                        // The first query that sees this key.
                        let first = (block.start + i + job.all).saturating_sub(keys);
                        let hidden = first.saturating_sub(panel.start).min(width);
                        row[..hidden].fill(f32::NEG_INFINITY);
                    }
                }
                logits[count * width..].fill(0.);
                let (there, add) = (&mut logits[..count * width], V::multiply_add);
                let shrunk = match V::LANES {
                    16 => softmax::<16>(there, scale, &mut seen[p], add),
                    8 => softmax::<8>(there, scale, &mut seen[p], add),
                    _ => softmax::<4>(there, scale, &mut seen[p], add),
                };
                let packed_v = &packed_v[b * plan.value_tiles * plan.value_tile..];
                let gathered = &mut gathered[p * plan.gathered..][..plan.gathered];
                // SAFETY: the caller vouches for the instructions.
                unsafe {
                    weigh::<V>(
                        &plan,
                        packed_v,
                        (logits, count),
                        &shrunk,
                        packed_p,
                        gathered,
                    );
                }
                if let Some((weights, at)) = job.weights {
                    for (q, query) in panel.enumerate() {
                        // SAFETY: the rows of this head's queries belong to this task.
                        let to = unsafe { weights.part(at + query * keys, keys) };
                        let inverse = 1. / seen[p].sum[q];
                        for (to, row) in to.iter_mut().zip(logits.chunks_exact(width).take(count)) {
                            *to = row[q] * inverse;
                        }
                        to[count..].fill(0.);
                    }
                }
            }
        }
        for p in 0..panels {
            let rows = start + p * width..group.end.min(start + (p + 1) * width);
            let gathered = &gathered[p * plan.gathered..][..plan.gathered];
            // SAFETY: these queries of this head belong to this task, and the caller vouches for
            // the instructions.
            unsafe { write::<V>(all, &job, rows, gathered, &seen[p].sum, stage) };
        }
        start = group.end;
    }
}

/// Products of a panel of queries with the keys of a block, up to whole tiles past those before
/// `end`: a row for each key. Returns their number.
///
/// # Safety
/// As for [`Floats`].
#[inline(always)]
unsafe fn products<V: Floats>(
    plan: &Plan,
    packed_q: &[u32],
    packed_k: &[u32],
    block: Range<usize>,
    end: usize,
    to: &mut [f32],
) -> usize {
    let width = panel::<V>();
    let depth = plan.d.div_ceil(V::UNIT);
    let tiles = block.len().div_ceil(V::ROWS);
    let mut count = 0;
    for t in 0..tiles {
        let rows = part(0..block.len(), t, tiles);
        if block.start + rows.start >= end {
            break;
        }
        let k = &packed_k[t * plan.key_tile..][..plan.key_tile];
        assert!(packed_q.len() >= depth * width && k.len() >= depth * V::LANES);
        let to = &mut to[rows.start * width..rows.end * width];
        // SAFETY: both hold lines for all of the depth.
        unsafe {
            tile::<V>(
                rows.len(),
                depth,
                k.as_ptr(),
                packed_q.as_ptr(),
                packed_q.as_ptr(),
                to,
            );
        }
        count = rows.end;
    }
    count
}

/// Scales logits and adds the biases of so many queries, from this item, head, query and key on.
#[inline(always)]
fn add_bias(
    logits: &mut [f32],
    width: usize,
    scale: f32,
    bias: LogitBias<'_>,
    places: [usize; 4],
    queries: usize,
) {
    let at: usize = places.iter().zip(bias.strides).map(|(i, by)| i * by).sum();
    let [_, _, by_query, by_key] = bias.strides;
    let count = logits.len() / width - 1;
    for (i, row) in logits.chunks_exact_mut(width).take(count).enumerate() {
        for (q, x) in row[..queries].iter_mut().enumerate() {
            *x = *x * scale + bias.values[at + q * by_query + i * by_key];
        }
    }
}

/// Adds values times weights to what the queries of a panel have gathered [d, W], once that is
/// multiplied by `shrunk`.
///
/// # Safety
/// As for [`Floats`].
#[inline(always)]
unsafe fn weigh<V: Floats>(
    plan: &Plan,
    packed_v: &[u32],
    (weights, count): (&[f32], usize),
    shrunk: &[f32; COLUMNS],
    packed: &mut [u32],
    gathered: &mut [f32],
) {
    /// From a cache line on.
    #[repr(align(64))]
    struct Sums([f32; ROWS * COLUMNS]);

    let width = panel::<V>();
    let depth = count.div_ceil(V::UNIT);
    let rows = if V::UNIT == 1 {
        weights.as_ptr().cast()
    } else {
        let pairs = weights.chunks_exact(2 * width);
        for (to, rows) in packed.chunks_exact_mut(width).zip(pairs).take(depth) {
            let (even, odd) = rows.split_at(width);
            for half in [0, V::LANES] {
                // SAFETY: the caller vouches for the instructions.
                unsafe { V::pack_columns(&even[half..], &odd[half..], &mut to[half..]) };
            }
        }
        packed.as_ptr()
    };
    assert!(weights.len() >= depth * V::UNIT * width && packed.len() >= depth * width);
    let mut sums = Sums([0.; ROWS * COLUMNS]);
    for t in 0..plan.value_tiles {
        let columns = part(0..plan.d, t, plan.value_tiles);
        let v = &packed_v[t * plan.value_tile..][..plan.value_tile];
        assert!(v.len() >= depth * V::LANES);
        // SAFETY: both hold lines for all of the depth, by the assertions.
        unsafe { tile::<V>(columns.len(), depth, v.as_ptr(), rows, rows, &mut sums.0) };
        let to = &mut gathered[columns.start * width..columns.end * width];
        for (to, sums) in to.chunks_exact_mut(width).zip(sums.0.chunks_exact(width)) {
            match V::LANES {
                16 => shrink_and_add::<32>(to, shrunk, sums, V::multiply_add),
                8 => shrink_and_add::<16>(to, shrunk, sums, V::multiply_add),
                _ => shrink_and_add::<8>(to, shrunk, sums, V::multiply_add),
            }
        }
    }
}

/// to ← to · shrunk + sums, of so many values each. By way of an array, since the compiler takes a
/// loop over slices that might overlap apart into single values.
#[inline(always)]
fn shrink_and_add<const WIDTH: usize>(
    to: &mut [f32],
    shrunk: &[f32],
    sums: &[f32],
    add: impl Fn(f32, f32, f32) -> f32,
) {
    let (to, shrunk, sums) = (&mut to[..WIDTH], &shrunk[..WIDTH], &sums[..WIDTH]);
    let new: [f32; WIDTH] = std::array::from_fn(|i| add(to[i], shrunk[i], sums[i]));
    to.copy_from_slice(&new);
}

/// Writes what the queries of a panel have gathered, divided by the sums of their weights.
///
/// # Safety
/// As for [`Floats`]; no other task may have these queries of this head.
#[inline(always)]
unsafe fn write<V: Floats>(
    all: &Attention<'_>,
    job: &Head,
    queries: Range<usize>,
    gathered: &[f32],
    sums: &[f32; COLUMNS],
    stage: &mut [u32],
) {
    let (width, d) = (panel::<V>(), all.head_width);
    assert!(stage.len() >= V::LANES * V::LANES);
    for (square, rows) in gathered.chunks_exact(V::LANES * width).enumerate() {
        for half in (0..width).step_by(V::LANES) {
            // SAFETY: `rows` holds `LANES` rows of a panel, `stage` a square.
            unsafe {
                let from = rows.as_ptr().add(half).cast();
                V::transpose((from, width), (stage.as_mut_ptr(), V::LANES));
            }
            let first = square * V::LANES;
            let count = V::LANES.min(d - first);
            let turned = floats(&mut *stage).chunks_exact(V::LANES);
            let there = queries.len().saturating_sub(half).min(V::LANES);
            for (i, from) in turned.take(there).enumerate() {
                let row = job.row + queries.start + half + i;
                let at = row * all.heads * d + job.head * d + first;
                let inverse = 1. / sums[half + i];
                // SAFETY: these queries of this head belong to this task.
                let to = unsafe { job.context.part(at, count) };
                // Rows of a length that the compiler knows, but for the last square of an odd width.
                let (to, from) = match count == V::LANES {
                    true => (&mut to[..V::LANES], &from[..V::LANES]),
                    false => (to, &from[..count]),
                };
                for (to, from) in to.iter_mut().zip(from) {
                    *to = from * inverse;
                }
            }
        }
    }
}
