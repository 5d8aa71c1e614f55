//! A product cut into tasks for the threads, and one such task.

use std::ops::Range;

use rayon::prelude::*;

use super::rows::Rows;
use super::tile::{pack_rows, staging, tile};
use super::{Epilogue, PackedMatrix, Scratch};
use crate::kernel::run_on;
use crate::simd::{Vector, panel};

/// Rows of x that a task packs at most: with [`DEPTH`] they fill half of a second-level cache.
const BLOCK_ROWS: usize = 112;

/// Elements of K at most that a tile is summed over before it is written.
const DEPTH: usize = 1024;

/// Tasks for each thread at least, so that no thread waits long for the last one.
const TASKS_PER_THREAD: usize = 3;

/// Multiplications that make a task worth another thread's while.
const WORTH_A_TASK: usize = 1 << 18;

/// Sums of the largest tile.
const TILE: usize = 14 * 32;

/// A tile's sums, from a cache line on.
#[repr(align(64))]
struct Sums([f32; TILE]);

struct Product<'a> {
    x: &'a dyn Rows,
    weights: &'a PackedMatrix,
    epilogue: Epilogue<'a>,
    y: *mut f32,
}

// SAFETY: `y` is what alone is not shared; tasks write different rows or columns of it, each of
// them once (see `spread`).
unsafe impl Sync for Product<'_> {}

/// The whole product of x and the number of its rows. The shapes have been checked.
pub(super) fn spread(
    (x, rows): (&impl Rows, usize),
    weights: &PackedMatrix,
    epilogue: Epilogue<'_>,
    y: &mut [f32],
) {
    if y.is_empty() {
        return;
    }
    let product = Product {
        x,
        weights,
        epilogue,
        y: y.as_mut_ptr(),
    };
    let width = run_on!(weights.kernel(), width() -> usize);
    let panels = weights.outputs().div_ceil(width);
    let threads = rayon::current_num_threads();
    let wanted = if threads == 1 {
        1
    } else {
        threads * TASKS_PER_THREAD
    };
    let worthwhile = (rows * weights.outputs()).saturating_mul(weights.inputs()) / WORTH_A_TASK;
    let blocks = rows.div_ceil(BLOCK_ROWS);
    let parts = wanted.min(worthwhile).div_ceil(blocks).clamp(1, panels);
    let task = |i: usize| {
        let rows = part(&(0..rows), i / parts, blocks);
        let panels = part(&(0..panels), i % parts, parts);
        let product = &product;
        run_on!(
            weights.kernel(),
            block(product: &Product<'_> = product, rows: Range<usize> = rows, panels: Range<usize> = panels)
        );
    };
    match blocks * parts {
        1 => task(0),
        tasks => (0..tasks).into_par_iter().with_max_len(1).for_each(task),
    }
}

/// Columns of a panel.
///
/// # Safety
/// None is needed; it is unsafe for `run_on`.
#[inline(always)]
unsafe fn width<V: Vector>() -> usize {
    panel::<V>()
}

/// These rows of the product, at the columns of these panels.
///
/// # Safety
/// As for [`Vector`], and nobody else may write or read this part of y.
#[inline(always)]
unsafe fn block<V: Vector>(product: &Product<'_>, rows: Range<usize>, panels: Range<usize>) {
    let Product {
        x,
        weights,
        epilogue,
        y,
    } = *product;
    let (width, outputs) = (panel::<V>(), weights.outputs());
    let depth = weights.inputs().div_ceil(V::VALUES);
    let pieces = depth.div_ceil(DEPTH).max(1);
    let piece = depth.div_ceil(pieces).next_multiple_of(V::LANES);
    let tiles = rows.len().div_ceil(V::ROWS);
    let packed = piece * V::LANES;
    let stage = (V::LANES + V::VALUES) * staging::<V>(piece);
    let mut sums = Sums([0.; TILE]);
    let mut scratch = Scratch::borrow(tiles * packed + stage);
    let (a, stage) = scratch.elements().split_at_mut(tiles * packed);
    for start in (0..depth.max(1)).step_by(piece.max(1)) {
        let end = depth.min(start + piece);
        let values = [start * V::VALUES, weights.inputs().min(end * V::VALUES)];
        for (t, a) in a.chunks_exact_mut(packed.max(1)).enumerate() {
            let rows = part(&rows, t, tiles);
            // SAFETY: the caller vouches for the instructions.
            unsafe { pack_rows::<V>(x, rows.start, rows.len(), values, stage, (a, V::LANES)) };
        }
        let stage = Stage {
            epilogue,
            first: start == 0,
            last: end == depth,
        };
        for p in panels.clone() {
            let b = &weights.elements()[(p * depth + start) * width..][..(end - start) * width];
            let columns = p * width..outputs.min((p + 1) * width);
            for t in 0..tiles {
                let rows = part(&rows, t, tiles);
                let a = &a[t * packed..][..(end - start) * V::LANES];
                // The first two tiles fetch a half of the next panel each.
                let half = (depth + t * (end - start) / 2) * width;
                let next = b.as_ptr().wrapping_add(if t < 2 { half } else { 0 });
                // SAFETY: both slices hold what the depth asks for, and the caller vouches for
                // the instructions.
                unsafe {
                    tile::<V>(
                        rows.len(),
                        end - start,
                        a.as_ptr(),
                        b.as_ptr(),
                        next,
                        &mut sums.0,
                    )
                };
                for (row, sums) in rows.zip(sums.0.chunks_exact(width)) {
                    // SAFETY: the row is below M and the columns below N, so this is a part of
                    // y; it belongs to this task, as the caller vouches.
                    let y = unsafe {
                        let start = y.add(row * outputs + columns.start);
                        std::slice::from_raw_parts_mut(start, columns.len())
                    };
                    // Rows of a length that the compiler knows, but for the last panel.
                    if columns.len() == width {
                        stage.write(&sums[..width], columns.start, &mut y[..width]);
                    } else {
                        stage.write(&sums[..columns.len()], columns.start, y);
                    }
                }
            }
        }
    }
}

/// One of `of` parts of a range that differ by one at most.
#[inline(always)]
fn part(all: &Range<usize>, index: usize, of: usize) -> Range<usize> {
    let place = |i: usize| all.start + i * all.len() / of;
    place(index)..place(index + 1)
}

/// What is done with the sums over one piece of K.
struct Stage<'a> {
    epilogue: Epilogue<'a>,
    first: bool,
    last: bool,
}

impl Stage<'_> {
    /// Brings a row of sums, for the columns from `column` on, to y.
    #[inline(always)]
    fn write(&self, sums: &[f32], column: usize, y: &mut [f32]) {
        if self.first && !self.epilogue.add {
            y.copy_from_slice(sums);
        } else {
            for (y, sum) in y.iter_mut().zip(sums) {
                *y += sum;
            }
        }
        if !self.last {
            return;
        }
        if let Some(bias) = self.epilogue.bias {
            for (y, bias) in y.iter_mut().zip(&bias[column..column + sums.len()]) {
                *y += bias;
            }
        }
        self.epilogue.activation.apply(y);
    }
}
