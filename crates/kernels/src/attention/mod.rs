//! Multi-head attention without a matrix of all queries and keys.
//!
//! A thread packs the keys and the values of one head once and takes a few panels of queries at a
//! time through logits, softmax and weighted values, a block of keys after the other, as
//! FlashAttention does (Dao et al. 2022).

mod head;
mod pack;
mod single;
mod softmax;

use std::ops::Range;

use rayon::prelude::*;

use crate::instructions::Instructions;
use crate::kernel::{Kernel, Precision, run_on_floats};
use head::{Head, attend};

/// Rows of heads side by side, each row `stride` values after the one before.
#[derive(Clone, Copy, Debug)]
pub struct Heads<'a> {
    /// From the first value of the first row on.
    pub values: &'a [f32],
    /// Values from row to row.
    pub stride: usize,
}

/// The queries of one item and the keys that they look at, as ranges of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// Rows of the queries and of the result.
    pub queries: Range<usize>,
    /// Rows of the keys and the values.
    pub keys: Range<usize>,
}

/// What is added to the logits: the value for an item, a head, a query and a key lies at the sum of
/// their numbers times these strides, 0 where they share it.
#[derive(Clone, Copy, Debug)]
pub struct LogitBias<'a> {
    /// All values.
    pub values: &'a [f32],
    /// Strides of item, head, query and key.
    pub strides: [usize; 4],
}

/// softmax(q·kᵀ/√d + bias)·v for each head of each sequence.
#[derive(Clone, Debug)]
pub struct Attention<'a> {
    /// Queries.
    pub q: Heads<'a>,
    /// Keys.
    pub k: Heads<'a>,
    /// Values.
    pub v: Heads<'a>,
    /// Number of heads.
    pub heads: usize,
    /// Values of a head (d).
    pub head_width: usize,
    /// The items.
    pub sequences: &'a [Sequence],
    /// Added to the logits.
    pub bias: Option<LogitBias<'a>>,
    /// Whether the last query sees all keys, the one before it all but the last, and so on.
    pub causal: bool,
}

/// A part of a slice that tasks write side by side.
#[derive(Clone, Copy)]
struct Shared(*mut f32, usize);

// SAFETY: every task writes parts of its own, see `Attention::run`.
unsafe impl Sync for Shared {}

impl Shared {
    fn new(values: &mut [f32]) -> Self {
        Self(values.as_mut_ptr(), values.len())
    }

    /// # Safety
    /// No other part that is alive may overlap it.
    #[inline(always)]
    unsafe fn part<'a>(self, start: usize, count: usize) -> &'a mut [f32] {
        assert!(start + count <= self.1);
        // SAFETY: it is a part of the slice, and the caller vouches for the rest.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(start), count) }
    }
}

impl Attention<'_> {
    /// Writes the result [rows of q, heads·d] to `context`, and the weights after the softmax,
    /// [H, Q, N] for one sequence after the other, to `weights` if it is given; on the threads of
    /// the caller's rayon pool. Products are of bf16 if `precision` says so; beside int8 weights as
    /// it is faster.
    ///
    /// # Panics
    /// If a slice is too short for the sequences, or two sequences have queries in common.
    pub fn run(&self, precision: Precision, context: &mut [f32], weights: Option<&mut [f32]>) {
        self.run_with(Instructions::best(), precision, context, weights);
    }

    /// As [`run`](Self::run), with these instructions, or with lesser ones if the CPU lacks them.
    ///
    /// # Panics
    /// As [`run`](Self::run).
    pub fn run_with(
        &self,
        instructions: Instructions,
        precision: Precision,
        context: &mut [f32],
        weights: Option<&mut [f32]>,
    ) {
        /// Tasks for each thread at least.
        const TASKS_PER_THREAD: usize = 3;
        /// Queries that make it worth packing the keys once more.
        const QUERIES: usize = 64;
        let width = self.heads * self.head_width;
        let mut next = 0;
        for sequence in self.sequences {
            assert!(sequence.queries.start >= next, "queries must be in order");
            assert!(!self.causal || sequence.queries.len() <= sequence.keys.len());
            next = sequence.queries.end;
        }
        assert!(context.len() >= next * width, "the context is too short");
        let sizes = self.sequences.iter();
        let sizes = sizes.map(|s| self.heads * s.queries.len() * s.keys.len());
        let starts = sizes.scan(0, |sum, size| {
            let start = *sum;
            *sum += size;
            Some(start)
        });
        let starts: Vec<usize> = starts.collect();
        let heads = self.sequences.len() * self.heads;
        let wanted = (rayon::current_num_threads() * TASKS_PER_THREAD).div_ceil(heads.max(1));
        let longest = self.sequences.iter().map(|s| s.queries.len()).max();
        let parts = wanted.min(longest.unwrap_or(0) / QUERIES).max(1);
        let kernel = Kernel::of_floats(instructions, precision);
        let context = Shared::new(context);
        let weights = weights.map(Shared::new);
        (0..heads * parts).into_par_iter().for_each(|task| {
            let (item, head) = (task / parts / self.heads, task / parts % self.heads);
            let sequence = &self.sequences[item];
            let all = sequence.queries.len();
            let (this, part) = (self, task % parts);
            let job = Head {
                item,
                head,
                queries: part * all / parts..(part + 1) * all / parts,
                keys: sequence.keys.clone(),
                row: sequence.queries.start,
                all,
                context,
                // The weights of this head.
                weights: weights.map(|w| (w, starts[item] + head * all * sequence.keys.len())),
            };
            run_on_floats!(kernel, attend(all: &Attention<'_> = this, job: Head = job));
        });
    }
}

#[cfg(test)]
mod tests;
