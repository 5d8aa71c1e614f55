//! A product cut into tasks for the threads, and one such task.

use std::ops::Range;

use rayon::prelude::*;

use super::rows::Rows;
use super::tile::{pack_rows, staging, tile};
use super::{Epilogue, PackedMatrix, SCRATCH, SHARED, Scratch};
use crate::kernel::run_on;
use crate::simd::{Vector, panel};

/// Rows of x that a task packs at most: with [`DEPTH`] they fill half of a second-level cache.
const BLOCK_ROWS: usize = 112;

/// Elements of a packed row at most that a tile is summed over before it is written.
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
    /// Number of rows, and of the blocks that they are cut into.
    rows: usize,
    blocks: usize,
    y: *mut f32,
}

// SAFETY: `y` is what alone is not shared; tasks write different rows or columns of it, each of
// them once (see `spread`).
unsafe impl Sync for Product<'_> {}

impl Product<'_> {
    /// The rows of a block.
    #[inline(always)]
    fn block(&self, index: usize) -> Range<usize> {
        part(&(0..self.rows), index, self.blocks)
    }

    /// Tiles of a block at most.
    #[inline(always)]
    fn tiles<V: Vector>(&self) -> usize {
        self.rows.div_ceil(self.blocks).div_ceil(V::ROWS)
    }
}

/// How the rows of x are packed: in pieces along K, of which a tile's sums stay in registers.
#[derive(Clone, Copy)]
struct Pieces {
    /// Units of all of K, and of a piece.
    depth: usize,
    piece: usize,
    count: usize,
    /// Elements of a piece of a packed tile.
    packed: usize,
    /// Elements that packing needs beside.
    stage: usize,
}

impl Pieces {
    #[inline(always)]
    fn new<V: Vector>(inputs: usize) -> Self {
        let depth = inputs.div_ceil(V::UNIT);
        let wanted = (depth * V::ROW_UNIT).div_ceil(DEPTH).max(1);
        let piece = depth.div_ceil(wanted).max(1);
        let elements = piece * V::ROW_UNIT;
        Self {
            depth,
            piece,
            count: depth.div_ceil(piece).max(1),
            packed: elements.next_multiple_of(V::LANES) * V::LANES,
            stage: V::LANES * staging::<V>(elements) + piece * V::UNIT,
        }
    }

    /// Units of a piece.
    #[inline(always)]
    fn units(&self, index: usize) -> Range<usize> {
        index * self.piece..self.depth.min((index + 1) * self.piece)
    }
}

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
    let threads = rayon::current_num_threads();
    let wanted = if threads == 1 {
        1
    } else {
        threads * TASKS_PER_THREAD
    };
    let blocks = rows.div_ceil(BLOCK_ROWS);
    // Blocks that are a task each come out even, so that no thread waits for the last one.
    let blocks = if blocks < wanted {
        blocks
    } else {
        blocks.next_multiple_of(threads)
    };
    let product = Product {
        x,
        weights,
        epilogue,
        rows,
        blocks,
        y: y.as_mut_ptr(),
    };
    let product = &product;
    let kernel = weights.kernel();
    let sizes = run_on!(kernel, sizes(product: &Product<'_> = product) -> Sizes);
    let worthwhile = (rows * weights.outputs()).saturating_mul(weights.inputs()) / WORTH_A_TASK;
    let parts = wanted
        .min(worthwhile)
        .div_ceil(blocks)
        .clamp(1, sizes.panels);
    // Where several tasks meet the same rows these are packed once, before.
    let mut shared = (parts > 1).then(|| Scratch::of(&SHARED, sizes.tiles * blocks * sizes.tile));
    let packed: Option<&[u32]> = shared.as_mut().map(|shared| {
        let packed = &mut shared.elements()[..sizes.tiles * blocks * sizes.tile];
        let tiles = packed.par_chunks_exact_mut(sizes.tile).enumerate();
        tiles.for_each(|(index, to)| {
            let tile = [index / sizes.tiles, index % sizes.tiles];
            run_on!(
                kernel,
                pack(product: &Product<'_> = product, tile: [usize; 2] = tile, to: &mut [u32] = to)
            );
        });
        &*packed
    });
    let task = |i: usize| {
        let index = i / parts;
        let panels = part(&(0..sizes.panels), i % parts, parts);
        let packed = packed.map(|all| &all[index * sizes.tiles * sizes.tile..]);
        run_on!(
            kernel,
            block(
                product: &Product<'_> = product,
                index: usize = index,
                panels: Range<usize> = panels,
                packed: Option<&[u32]> = packed,
            )
        );
    };
    match blocks * parts {
        1 => task(0),
        tasks => (0..tasks).into_par_iter().with_max_len(1).for_each(task),
    }
}

/// What a product is cut into.
struct Sizes {
    panels: usize,
    /// Tiles of a block.
    tiles: usize,
    /// Elements of a packed tile, over all of K.
    tile: usize,
}

/// # Safety
/// None is needed; it is unsafe for `run_on`.
#[inline(always)]
unsafe fn sizes<V: Vector>(product: &Product<'_>) -> Sizes {
    let pieces = Pieces::new::<V>(product.weights.inputs());
    Sizes {
        panels: product.weights.outputs().div_ceil(panel::<V>()),
        tiles: product.tiles::<V>(),
        tile: pieces.count * pieces.packed,
    }
}

/// Packs a tile of a block, one piece after the other.
///
/// # Safety
/// As for [`Vector`].
#[inline(always)]
unsafe fn pack<V: Vector>(product: &Product<'_>, [block, tile]: [usize; 2], to: &mut [u32]) {
    let pieces = Pieces::new::<V>(product.weights.inputs());
    let rows = part(&product.block(block), tile, product.tiles::<V>());
    let mut scratch = Scratch::of(&SCRATCH, pieces.stage);
    for (index, to) in to.chunks_exact_mut(pieces.packed.max(1)).enumerate() {
        // SAFETY: the caller vouches for the instructions.
        unsafe { pack_piece::<V>(product, &rows, pieces.units(index), scratch.elements(), to) };
    }
}

/// Packs these units of K of a tile's rows.
///
/// # Safety
/// As for [`Vector`].
#[inline(always)]
unsafe fn pack_piece<V: Vector>(
    product: &Product<'_>,
    rows: &Range<usize>,
    units: Range<usize>,
    stage: &mut [u32],
    to: &mut [u32],
) {
    let end = product.weights.inputs().min(units.end * V::UNIT);
    let values = [units.start * V::UNIT, end];
    // SAFETY: passed on to the caller.
    unsafe {
        pack_rows::<V>(
            product.x,
            rows.start,
            rows.len(),
            values,
            stage,
            (to, V::LANES),
        )
    };
}

/// The rows of a block at the columns of these panels. `packed` is the block, if it was packed
/// before.
///
/// # Safety
/// As for [`Vector`], and nobody else may write or read this part of y.
#[inline(always)]
unsafe fn block<V: Vector>(
    product: &Product<'_>,
    index: usize,
    panels: Range<usize>,
    packed: Option<&[u32]>,
) {
    let Product { weights, y, .. } = *product;
    let (width, outputs) = (panel::<V>(), weights.outputs());
    let (rows, tiles) = (product.block(index), product.tiles::<V>());
    let pieces = Pieces::new::<V>(weights.inputs());
    let mut sums = Sums([0.; TILE]);
    let own = if packed.is_some() {
        0
    } else {
        tiles * pieces.packed + pieces.stage
    };
    let mut scratch = Scratch::of(&SCRATCH, own);
    for i in 0..pieces.count {
        let units = pieces.units(i);
        let (a, apart) = match packed {
            Some(packed) => (&packed[i * pieces.packed..], pieces.count * pieces.packed),
            None => {
                let (a, stage) = scratch.elements().split_at_mut(tiles * pieces.packed);
                for (t, a) in a.chunks_exact_mut(pieces.packed.max(1)).enumerate() {
                    let rows = part(&rows, t, tiles);
                    // SAFETY: the caller vouches for the instructions.
                    unsafe { pack_piece::<V>(product, &rows, units.clone(), stage, a) };
                }
                (&*a, pieces.packed)
            }
        };
        let stage = Stage {
            epilogue: product.epilogue,
            first: i == 0,
            last: i + 1 == pieces.count,
        };
        for p in panels.clone() {
            let line = V::PANEL_UNIT * width;
            let b = &weights.elements()[(p * pieces.depth + units.start) * line..];
            let b = &b[..units.len() * line];
            let columns = p * width..outputs.min((p + 1) * width);
            for t in 0..tiles {
                let rows = part(&rows, t, tiles);
                let a = &a[t * apart..][..units.len() * V::ROW_UNIT * V::LANES];
                // The first two tiles fetch a half of the next panel each.
                let half = (pieces.depth + t * units.len() / 2) * line;
                let next = b.as_ptr().wrapping_add(if t < 2 { half } else { 0 });
                // SAFETY: both slices hold what the depth asks for, and the caller vouches for
                // the instructions.
                unsafe {
                    tile::<V>(
                        rows.len(),
                        units.len(),
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
                        stage.write::<V>(&sums[..width], columns.start, &mut y[..width]);
                    } else {
                        stage.write::<V>(&sums[..columns.len()], columns.start, y);
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
    fn write<V: Vector>(&self, sums: &[f32], column: usize, y: &mut [f32]) {
        let bias = self.epilogue.bias.filter(|_| self.last);
        let bias = bias.map(|bias| &bias[column..column + sums.len()]);
        let add = self.epilogue.add || !self.first;
        match (add, bias) {
            (false, None) => y.copy_from_slice(sums),
            (false, Some(bias)) => {
                for ((y, sum), bias) in y.iter_mut().zip(sums).zip(bias) {
                    *y = sum + bias;
                }
            }
            (true, None) => {
                for (y, sum) in y.iter_mut().zip(sums) {
                    *y += sum;
                }
            }
            (true, Some(bias)) => {
                for ((y, sum), bias) in y.iter_mut().zip(sums).zip(bias) {
                    *y += sum + bias;
                }
            }
        }
        if self.last {
            self.epilogue.activation.apply(y, V::multiply_add);
        }
    }
}
