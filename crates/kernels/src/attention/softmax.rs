//! The softmax of queries that lie side by side, over one block of keys after the other.

use crate::lanes::exp_by;

/// Columns of the widest panel.
pub(super) const COLUMNS: usize = 32;

/// What the queries of a panel have seen so far.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    /// The largest logit.
    pub(super) largest: [f32; COLUMNS],
    /// The sum of the weights, with which the largest logit has weight 1.
    pub(super) sum: [f32; COLUMNS],
}

/// The larger of each two; NaN in a row is passed over.
#[inline(always)]
fn take_larger<const LANES: usize>(largest: &mut [f32; LANES], row: &[f32]) {
    for (largest, x) in largest.iter_mut().zip(row) {
        *largest = if *x > *largest { *x } else { *largest };
    }
}

/// Turns logits, of which each column is a query's, into weights: eˢ⁽ˣ⁻ᵐ⁾ with the largest logit m
/// so far; `add` is a·b + c as the caller's instructions have it. Returns what the weights of earlier
/// keys are to be multiplied by. −∞ gives 0; NaN makes all of a column NaN.
#[inline(always)]
pub(super) fn softmax<const LANES: usize>(
    logits: &mut [f32],
    scale: f32,
    seen: &mut Seen,
    add: impl Fn(f32, f32, f32) -> f32 + Copy,
) -> [f32; COLUMNS] {
    let width = 2 * LANES;
    let mut shrunk = [0f32; COLUMNS];
    for first in [0, LANES] {
        let half = first..first + LANES;
        let mut before = [0f32; LANES];
        before.copy_from_slice(&seen.largest[half.clone()]);
        // Two, so that a row need not wait for the one before it.
        let (mut largest, mut other) = (before, before);
        let rows = logits.chunks_exact(2 * width);
        let rest = rows.remainder();
        for rows in rows {
            take_larger(&mut largest, &rows[half.clone()]);
            take_larger(&mut other, &rows[width..][half.clone()]);
        }
        for row in rest.chunks_exact(width) {
            take_larger(&mut largest, &row[half.clone()]);
        }
        take_larger(&mut largest, &other);
        // Where nothing was seen but −∞, it has no weight.
        let mut base = largest;
        for base in &mut base {
            *base = if *base == f32::NEG_INFINITY {
                0.
            } else {
                *base
            };
        }
        let mut sum = [0f32; LANES];
        for row in logits.chunks_exact_mut(width) {
            let row = &mut row[half.clone()];
            for ((x, base), sum) in row.iter_mut().zip(&base).zip(&mut sum) {
                *x = exp_by((*x - base) * scale, add);
                *sum += *x;
            }
        }
        let mut factors = before;
        for (factor, base) in factors.iter_mut().zip(&base) {
            *factor = exp_by((*factor - base) * scale, add);
        }
        let sums = &mut seen.sum[half.clone()];
        for ((all, factor), sum) in sums.iter_mut().zip(&factors).zip(&sum) {
            *all = *all * factor + sum;
        }
        shrunk[half.clone()].copy_from_slice(&factors);
        seen.largest[half].copy_from_slice(&largest);
    }
    shrunk
}
