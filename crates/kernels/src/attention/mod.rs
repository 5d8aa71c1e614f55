//! Multi-head attention without a matrix of all queries and keys.
//!
//! A thread packs the keys and the values of one head once and takes a tile of queries at a time
//! through logits, softmax and weighted values: what it holds is as wide as the keys and as high as
//! a tile.

use std::ops::Range;

use rayon::prelude::*;

use crate::gemm::{Rows, SCRATCH, Scratch, floats, pack_rows, staging, tile};
use crate::instructions::Instructions;
use crate::kernel::{Kernel, Precision, run_on_floats};
use crate::lanes;
use crate::simd::{Floats, panel};

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
        const QUERIES: usize = 56;
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

/// Some queries of one head of one item.
struct Head {
    item: usize,
    head: usize,
    /// Numbers of the queries in the item.
    queries: Range<usize>,
    /// Rows of the keys.
    keys: Range<usize>,
    /// The row of the item's first query.
    row: usize,
    /// All queries of the item.
    all: usize,
    context: Shared,
    weights: Option<(Shared, usize)>,
}

/// One head of rows.
#[derive(Clone, Copy)]
struct Slice<'a> {
    rows: Heads<'a>,
    start: usize,
    width: usize,
}

impl Rows for Slice<'_> {
    fn count(&self) -> usize {
        self.rows.values.len() / self.rows.stride.max(1)
    }

    fn width(&self) -> usize {
        self.width
    }

    #[inline(always)]
    fn copy(&self, row: usize, start: usize, to: &mut [f32]) {
        let from = row * self.rows.stride + self.start + start;
        to.copy_from_slice(&self.rows.values[from..][..to.len()]);
    }
}

/// Logits that the softmax takes at once; a row is filled up to whole chunks.
const CHUNK: usize = 16;

/// Sums of the largest tile.
#[repr(align(64))]
struct Sums([f32; 14 * 32]);

/// # Safety
/// As for [`Vector`]; no other task may have these queries of this head.
#[inline(always)]
unsafe fn attend<V: Floats>(all: &Attention<'_>, job: Head) {
    let (width, values) = (panel::<V>(), V::UNIT);
    let (d, keys) = (all.head_width, job.keys.len());
    // Elements of a query and of a row of weights, and as lines of packed memory.
    let (q_depth, p_depth) = (d.div_ceil(values), keys.div_ceil(values));
    let lines = |depth: usize| depth.next_multiple_of(V::LANES);
    let (key_panels, value_panels) = (keys.div_ceil(width), d.div_ceil(width));
    let logits_stride = (key_panels * width)
        .max(lines(keys))
        .next_multiple_of(CHUNK);
    let slice = |rows| Slice {
        rows,
        start: job.head * d,
        width: d,
    };
    let (queries, k, v) = (slice(all.q), slice(all.k), slice(all.v));

    let sizes = [
        key_panels * lines(q_depth) * width,
        value_panels * lines(p_depth) * width,
        lines(q_depth) * V::LANES,
        lines(p_depth) * V::LANES,
        V::LANES * logits_stride,
        width * values,
        (V::LANES + values) * staging::<V>(q_depth.max(p_depth)),
    ];
    let mut scratch = Scratch::of(&SCRATCH, sizes.iter().sum());
    let (packed_k, rest) = scratch.elements().split_at_mut(sizes[0]);
    let (packed_v, rest) = rest.split_at_mut(sizes[1]);
    let (packed_q, rest) = rest.split_at_mut(sizes[2]);
    let (packed_p, rest) = rest.split_at_mut(sizes[3]);
    let (logits, rest) = rest.split_at_mut(sizes[4]);
    let (line, stage) = rest.split_at_mut(sizes[5]);
    let (logits, line) = (floats(logits), floats(line));
    let mut sums = Sums([0.; 14 * 32]);

    for first in (0..keys).step_by(V::LANES) {
        let (p, half) = (first / width, first % width);
        let count = V::LANES.min(keys - first);
        let to = &mut packed_k[p * lines(q_depth) * width + half..];
        // SAFETY: the caller vouches for the instructions.
        unsafe {
            pack_rows::<V>(
                &k,
                job.keys.start + first,
                count,
                [0, d],
                stage,
                (to, width),
            )
        };
    }
    for (p, packed) in packed_v
        .chunks_exact_mut((lines(p_depth) * width).max(1))
        .enumerate()
    {
        let columns = p * width..d.min((p + 1) * width);
        for (key, to) in packed.chunks_exact_mut(width).take(p_depth).enumerate() {
            line.fill(0.);
            for i in 0..values.min(keys - key * values) {
                let row = (job.keys.start + key * values + i) * v.rows.stride + v.start;
                let from = &v.rows.values[row + columns.start..row + columns.end];
                for (to, from) in line.iter_mut().skip(i).step_by(values).zip(from) {
                    *to = *from;
                }
            }
            // SAFETY: a line becomes `width` elements, which `to` has room for.
            unsafe { V::pack(line, to.as_mut_ptr()) };
        }
    }

    let scale = 1. / (d as f64).sqrt() as f32;
    let mut start = job.queries.start;
    while start < job.queries.end {
        let count = V::ROWS.min(job.queries.end - start);
        let row = job.row + start;
        // Keys that the last query of the tile sees.
        let most = if all.causal {
            keys - job.all + start + count
        } else {
            keys
        };
        // SAFETY: the caller vouches for the instructions.
        unsafe { pack_rows::<V>(&queries, row, count, [0, d], stage, (packed_q, V::LANES)) };
        for (p, k) in packed_k
            .chunks_exact((lines(q_depth) * width).max(1))
            .take(most.div_ceil(width))
            .enumerate()
        {
            // SAFETY: both hold lines for all of the depth.
            unsafe {
                tile::<V>(
                    count,
                    q_depth,
                    packed_q.as_ptr(),
                    k.as_ptr(),
                    k.as_ptr(),
                    &mut sums.0,
                )
            };
            for (row, sums) in logits
                .chunks_exact_mut(logits_stride)
                .zip(sums.0.chunks_exact(width))
                .take(count)
            {
                let row = &mut row[p * width..][..width];
                for (x, sum) in row.iter_mut().zip(&sums[..width]) {
                    *x = sum * scale;
                }
            }
        }
        for (i, row) in logits
            .chunks_exact_mut(logits_stride)
            .take(count)
            .enumerate()
        {
            let query = start + i;
            let seen = if all.causal {
                keys - job.all + query + 1
            } else {
                keys
            };
            let row = &mut row[..most.next_multiple_of(CHUNK)];
            if let Some(bias) = all.bias {
                let [by_item, by_head, by_query, by_key] = bias.strides;
                let at = job.item * by_item + job.head * by_head + query * by_query;
                add_bias(&mut row[..seen], &bias.values[at..], by_key);
            }
            row[seen..].fill(f32::NEG_INFINITY);
            softmax::<V>(row);
            if let Some((weights, at)) = job.weights {
                // SAFETY: the rows of this head's queries belong to this task.
                let to = unsafe { weights.part(at + query * keys, keys) };
                to[..seen].copy_from_slice(&row[..seen]);
                to[seen..].fill(0.);
            }
        }
        let weights = Slice {
            rows: Heads {
                values: logits,
                stride: logits_stride,
            },
            start: 0,
            width: keys,
        };
        // SAFETY: the caller vouches for the instructions.
        unsafe { pack_rows::<V>(&weights, 0, count, [0, most], stage, (packed_p, V::LANES)) };
        let depth = most.div_ceil(values);
        for (p, v) in packed_v
            .chunks_exact((lines(p_depth) * width).max(1))
            .enumerate()
        {
            // SAFETY: both hold lines for all of the depth.
            unsafe {
                tile::<V>(
                    count,
                    depth,
                    packed_p.as_ptr(),
                    v.as_ptr(),
                    v.as_ptr(),
                    &mut sums.0,
                )
            };
            let columns = width.min(d - p * width);
            for (i, sums) in sums.0.chunks_exact(width).take(count).enumerate() {
                let at = (row + i) * all.heads * d + job.head * d + p * width;
                // SAFETY: these queries of this head belong to this task.
                let to = unsafe { job.context.part(at, columns) };
                to.copy_from_slice(&sums[..columns]);
            }
        }
        start += count;
    }
}

/// Adds a bias for each key, `stride` values apart: 1, or 0 where the keys share it.
#[inline(always)]
fn add_bias(row: &mut [f32], bias: &[f32], stride: usize) {
    if stride == 1 {
        for (x, bias) in row.iter_mut().zip(bias) {
            *x += bias;
        }
    } else {
        for (i, x) in row.iter_mut().enumerate() {
            *x += bias[i * stride];
        }
    }
}

/// Softmax in place. −∞ gives 0; NaN makes the whole row NaN.
#[inline(always)]
fn softmax<V: Floats>(row: &mut [f32]) {
    let largest = lanes::largest(row);
    for x in row.iter_mut() {
        *x = lanes::exp_by(*x - largest, V::multiply_add);
    }
    let inverse = 1. / lanes::sum(row);
    for x in row.iter_mut() {
        *x *= inverse;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn noise(count: usize, seed: usize) -> Vec<f32> {
        let value = |i: usize| ((i * 7_919 + seed * 104_729) % 2_003) as f32 / 1_001. - 1.;
        (0..count).map(|i| value(i * i + i)).collect()
    }

    /// The plain twin, in f64: context and weights.
    fn plain(all: &Attention<'_>) -> (Vec<f64>, Vec<f64>) {
        let (d, width) = (all.head_width, all.heads * all.head_width);
        let rows = all.sequences.last().map_or(0, |s| s.queries.end);
        let (mut context, mut weights) = (vec![0.; rows * width], Vec::new());
        for (item, sequence) in all.sequences.iter().enumerate() {
            for head in 0..all.heads {
                for (query, row) in sequence.queries.clone().enumerate() {
                    let keys = sequence.keys.len();
                    let hidden = |key| all.causal && key + sequence.queries.len() > query + keys;
                    let at = |h: Heads<'_>, row: usize, i| {
                        f64::from(h.values[row * h.stride + head * d + i])
                    };
                    let logit = |key: usize| {
                        let dot: f64 = (0..d)
                            .map(|i| at(all.q, row, i) * at(all.k, sequence.keys.start + key, i))
                            .sum();
                        let bias = all.bias.map_or(0., |b| {
                            let [i, h, q, k] = b.strides;
                            f64::from(b.values[item * i + head * h + query * q + key * k])
                        });
                        if hidden(key) {
                            f64::NEG_INFINITY
                        } else {
                            dot / (d as f64).sqrt() + bias
                        }
                    };
                    let logits: Vec<f64> = (0..keys).map(logit).collect();
                    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    let sum: f64 = logits.iter().map(|x| (x - largest).exp()).sum();
                    for (key, x) in logits.iter().enumerate() {
                        let weight = (x - largest).exp() / sum;
                        weights.push(weight);
                        for i in 0..d {
                            context[row * width + head * d + i] +=
                                weight * at(all.v, sequence.keys.start + key, i);
                        }
                    }
                }
            }
        }
        (context, weights)
    }

    fn check(all: &Attention<'_>) {
        let (context, weights) = plain(all);
        for instructions in Instructions::ALL {
            for (precision, tolerance) in [(Precision::F32, 2e-6), (Precision::Bf16, 3e-2)] {
                let mut made = vec![7f32; context.len()];
                let mut made_weights = vec![7f32; weights.len()];
                all.run_with(instructions, precision, &mut made, Some(&mut made_weights));
                for (made, exact) in [(&made, &context), (&made_weights, &weights)] {
                    for (made, exact) in made.iter().zip(exact) {
                        let error = (f64::from(*made) - exact).abs();
                        assert!(
                            error <= tolerance,
                            "{instructions:?} {precision:?}: {made}, not {exact}"
                        );
                    }
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn any_shape(
            lengths in prop::collection::vec(1usize..80, 1..4),
            heads in 1usize..4,
            d in 1usize..70,
            causal in any::<bool>(),
            shared in prop::array::uniform4(any::<bool>()),
            seed in 0usize..1_000,
        ) {
            let rows: usize = lengths.iter().sum();
            let width = heads * d;
            let qkv = noise(rows * 3 * width, seed);
            let part = |i: usize| Heads { values: &qkv[i * width..], stride: 3 * width };
            let ends = lengths.iter().scan(0, |sum, n| { *sum += n; Some((*sum - n)..*sum) });
            let sequences: Vec<Sequence> = ends.map(|r| Sequence { queries: r.clone(), keys: r }).collect();
            let longest = *lengths.iter().max().unwrap();
            let full = [lengths.len(), heads, longest, longest];
            let shape: Vec<usize> = full.iter().zip(shared).map(|(n, one)| if one { 1 } else { *n }).collect();
            let bias = noise(shape.iter().product(), seed + 1);
            let mut strides = [0; 4];
            let mut step = 1;
            for i in (0..4).rev() {
                strides[i] = if shape[i] == 1 { 0 } else { step };
                step *= shape[i];
            }
            let all = Attention {
                q: part(0), k: part(1), v: part(2), heads, head_width: d, sequences: &sequences,
                bias: Some(LogitBias { values: &bias, strides }), causal,
            };
            check(&all);
            check(&Attention { bias: None, ..all });
        }
    }

    #[test]
    fn one_query_of_each_item() {
        let (heads, d, keys) = (2, 64, 50);
        let (q, kv) = (noise(3 * 128, 1), noise(3 * keys * 256, 2));
        let sequences: Vec<Sequence> = (0..3)
            .map(|i| Sequence {
                queries: i..i + 1,
                keys: i * keys..(i + 1) * keys,
            })
            .collect();
        check(&Attention {
            q: Heads {
                values: &q,
                stride: 128,
            },
            k: Heads {
                values: &kv,
                stride: 256,
            },
            v: Heads {
                values: &kv[128..],
                stride: 256,
            },
            heads,
            head_width: d,
            sequences: &sequences,
            bias: None,
            causal: false,
        });
    }

    #[test]
    fn minus_infinity_hides_a_key_and_nan_is_not_hidden() {
        let (q, v) = ([0f32, 1.], [1f32, 3.]);
        let run = |bias: [f32; 4]| {
            let mut context = [0f32; 2];
            let all = Attention {
                q: Heads {
                    values: &q,
                    stride: 1,
                },
                k: Heads {
                    values: &q,
                    stride: 1,
                },
                v: Heads {
                    values: &v,
                    stride: 1,
                },
                heads: 1,
                head_width: 1,
                sequences: &[Sequence {
                    queries: 0..2,
                    keys: 0..2,
                }],
                bias: Some(LogitBias {
                    values: &bias,
                    strides: [0, 0, 2, 1],
                }),
                causal: false,
            };
            all.run(Precision::F32, &mut context, None);
            context
        };
        assert_eq!(
            run([0., f32::NEG_INFINITY, f32::NEG_INFINITY, 0.]),
            [1., 3.]
        );
        let hit = run([0., f32::NAN, 0., 0.]);
        assert!(hit[0].is_nan() && !hit[1].is_nan());
    }
}
