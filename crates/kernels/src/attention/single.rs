//! Single queries of a head: the few that would leave a panel mostly empty.
//!
//! A query meets the same packed keys and values as a panel does, but with keys, then values of the
//! head, side by side in a vector. Its logits are one row, so the softmax needs no blocks.

use std::ops::Range;

use super::Attention;
use super::head::{Head, take};
use super::pack::{MOST_LANES, Plan, Slice, part};
use crate::gemm::{Rows, floats};
use crate::lanes::{self, exp_by};
use crate::simd::Floats;

/// Sums that are made side by side, so that none waits for another.
const CHAINS: usize = 4;

/// Elements of memory that [`attend_singly`] takes.
pub(super) fn memory<V: Floats>(plan: &Plan) -> usize {
    sizes::<V>(plan).iter().sum()
}

/// Of the query and of its elements, of its logits and of their elements, of what it gathers. Logits
/// and what is gathered are written by whole vectors.
fn sizes<V: Floats>(plan: &Plan) -> [usize; 5] {
    let (d, keys) = (plan.d.next_multiple_of(V::UNIT), plan.keys + V::LANES);
    [d, d, keys, plan.largest_block.div_ceil(V::UNIT), plan.d]
}

/// Takes these queries through logits, softmax and weighted values one after the other.
///
/// # Safety
/// As for [`Floats`]; no other task may have these queries of this head.
#[inline(always)]
pub(super) unsafe fn attend_singly<V: Floats>(
    all: &Attention<'_>,
    job: &Head,
    plan: &Plan,
    queries: Range<usize>,
    [packed_k, packed_v]: [&[u32]; 2],
    mut memory: &mut [u32],
) {
    let (d, keys) = (plan.d, plan.keys);
    let rows = Slice {
        rows: all.q,
        start: job.head * d,
        width: d,
    };
    let [line, elements, logits, weights, gathered] =
        sizes::<V>(plan).map(|size| take(&mut memory, size));
    let (line, logits, gathered) = (floats(line), floats(logits), floats(gathered));
    let scale = 1. / (d as f64).sqrt() as f32;
    for query in queries {
        line.fill(0.);
        rows.copy(job.row + query, 0, &mut line[..d]);
        // SAFETY: `elements` has room for as many as values; the caller vouches for the instructions.
        unsafe { V::pack(line, elements.as_mut_ptr()) };
        let end = match all.causal {
            true => keys - job.all + query + 1,
            false => keys,
        };
        for b in 0..plan.blocks {
            let block = plan.block(b);
            let tiles = block.len().div_ceil(V::ROWS);
            for t in 0..tiles {
                let rows = part(block.clone(), t, tiles);
                if rows.start >= end {
                    break;
                }
                let k = &packed_k[(b * plan.key_tiles + t) * plan.key_tile..][..plan.key_tile];
                let q = &elements[..d.div_ceil(V::UNIT)];
                // SAFETY: the caller vouches for the instructions.
                let sums = unsafe { weighted_sum::<V>(q, k) };
                logits[rows.start..][..V::LANES].copy_from_slice(&sums[..V::LANES]);
            }
        }
        // A key more, which makes the last pair whole.
        logits[end] = 0.;
        let row = &mut logits[..end];
        let mut scale = scale;
        if let Some(bias) = all.bias {
            let places = [job.item, job.head, query, 0].into_iter().zip(bias.strides);
            let at: usize = places.map(|(i, by)| i * by).sum();
            for (key, x) in row.iter_mut().enumerate() {
                *x = *x * scale + bias.values[at + key * bias.strides[3]];
            }
            scale = 1.;
        }
        let sum = softmax(row, scale, V::multiply_add);
        let inverse = 1. / sum;
        if let Some((to, at)) = job.weights {
            // SAFETY: the rows of this head's queries belong to this task.
            let to = unsafe { to.part(at + query * keys, keys) };
            for (to, x) in to.iter_mut().zip(&*row) {
                *to = x * inverse;
            }
            to[end..].fill(0.);
        }
        gathered.fill(0.);
        for b in 0..plan.blocks {
            let block = plan.block(b);
            let count = end.min(block.end).saturating_sub(block.start);
            let depth = count.div_ceil(V::UNIT);
            let from = &logits[block.start.min(end)..][..depth * V::UNIT];
            // SAFETY: `weights` has room for the elements of a block.
            unsafe { V::pack(from, weights.as_mut_ptr()) };
            for t in 0..plan.value_tiles {
                let columns = part(0..d, t, plan.value_tiles);
                let v = &packed_v[(b * plan.value_tiles + t) * plan.value_tile..];
                // SAFETY: the caller vouches for the instructions.
                let sums = unsafe { weighted_sum::<V>(&weights[..depth], v) };
                for (to, sum) in gathered[columns].iter_mut().zip(sums) {
                    *to += sum;
                }
            }
        }
        let at = (job.row + query) * all.heads * d + job.head * d;
        // SAFETY: this query of this head belongs to this task.
        let to = unsafe { job.context.part(at, d) };
        for (to, x) in to.iter_mut().zip(&*gathered) {
            *to = x * inverse;
        }
    }
}

/// Turns the logits of one query into weights, as the softmax of a panel does, and returns their sum.
#[inline(always)]
fn softmax(logits: &mut [f32], scale: f32, add: impl Fn(f32, f32, f32) -> f32 + Copy) -> f32 {
    let largest = lanes::largest(logits);
    let base = if largest == f32::NEG_INFINITY {
        0.
    } else {
        largest
    };
    for x in logits.iter_mut() {
        *x = exp_by((*x - base) * scale, add);
    }
    lanes::sum(logits)
}

/// The sum of lines of `LANES` elements, each multiplied by an element of its own.
///
/// # Safety
/// As for [`Floats`].
#[inline(always)]
unsafe fn weighted_sum<V: Floats>(by: &[u32], lines: &[u32]) -> [f32; MOST_LANES] {
    assert!(lines.len() >= by.len() * V::LANES);
    let mut parts = [[0f32; MOST_LANES]; CHAINS];
    let of_chain = by.len() / CHAINS;
    // SAFETY: there is a line for each element, by the assertion; a part has room for a vector.
    unsafe {
        let mut sums = [V::zero(); CHAINS];
        for k in 0..of_chain {
            for (chain, sum) in sums.iter_mut().enumerate() {
                let k = chain * of_chain + k;
                let line = V::load(lines.as_ptr().add(k * V::LANES));
                *sum = sum.add_product(V::splat(by.as_ptr().add(k)), line);
            }
        }
        for k in CHAINS * of_chain..by.len() {
            let line = V::load(lines.as_ptr().add(k * V::LANES));
            sums[0] = sums[0].add_product(V::splat(by.as_ptr().add(k)), line);
        }
        for (part, sum) in parts.iter_mut().zip(sums) {
            sum.store(part.as_mut_ptr());
        }
    }
    std::array::from_fn(|i| parts.iter().map(|part| part[i]).sum())
}
