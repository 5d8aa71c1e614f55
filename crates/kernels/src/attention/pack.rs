//! Keys and values of a head, cut into blocks and packed.

use std::ops::Range;

use super::Heads;
use crate::gemm::{Rows, pack_rows};
use crate::simd::{Floats, panel};

/// Keys that a panel of queries takes at once: their logits stay in the first-level cache.
const BLOCK: usize = 224;

/// Rows of the highest tile.
pub(super) const ROWS: usize = 14;

/// Lanes of the widest vector.
pub(super) const MOST_LANES: usize = 16;

/// One head of rows.
#[derive(Clone, Copy)]
pub(super) struct Slice<'a> {
    pub(super) rows: Heads<'a>,
    pub(super) start: usize,
    pub(super) width: usize,
}

impl<'a> Slice<'a> {
    #[inline(always)]
    fn row(&self, row: usize) -> &'a [f32] {
        &self.rows.values[row * self.rows.stride + self.start..][..self.width]
    }

    /// These values of a row and what lies behind them, as many as a vector has lanes; `edge` stands
    /// in for them at the end of memory, where there are fewer.
    #[inline(always)]
    fn lanes<'b, V: Floats>(
        &self,
        row: usize,
        columns: &Range<usize>,
        edge: &'b mut [f32; MOST_LANES],
    ) -> &'b [f32]
    where
        'a: 'b,
    {
        let values = &self.rows.values[row * self.rows.stride + self.start + columns.start..];
        match values.get(..V::LANES) {
            Some(lanes) => lanes,
            None => {
                edge[..columns.len()].copy_from_slice(&values[..columns.len()]);
                edge
            }
        }
    }
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
        to.copy_from_slice(&self.row(row)[start..start + to.len()]);
    }

    #[inline(always)]
    fn get(&self, row: usize, values: Range<usize>) -> Option<&[f32]> {
        Some(&self.row(row)[values])
    }
}

/// How the keys and the values of a head are cut, and elements of what is made of them.
#[derive(Clone, Copy)]
pub(super) struct Plan {
    pub(super) keys: usize,
    /// Values of a head.
    pub(super) d: usize,
    /// Blocks of keys, and keys of the largest.
    pub(super) blocks: usize,
    pub(super) largest_block: usize,
    /// Tiles of keys in the largest block, and tiles of the values of a head.
    pub(super) key_tiles: usize,
    pub(super) value_tiles: usize,
    /// Elements of a packed tile of keys, and of one of values.
    pub(super) key_tile: usize,
    pub(super) value_tile: usize,
    /// Elements of a packed panel of queries, and of what it gathers.
    pub(super) queries: usize,
    pub(super) gathered: usize,
}

impl Plan {
    /// `whole` if all keys are to be one block.
    #[inline(always)]
    pub(super) fn new<V: Floats>(keys: usize, d: usize, whole: bool) -> Self {
        let blocks = if whole {
            keys.min(1)
        } else {
            keys.div_ceil(BLOCK)
        };
        let largest_block = keys.div_ceil(blocks.max(1));
        let depth = d.div_ceil(V::UNIT).next_multiple_of(V::LANES);
        Self {
            keys,
            d,
            blocks,
            largest_block,
            key_tiles: largest_block.div_ceil(V::ROWS),
            value_tiles: d.div_ceil(V::ROWS),
            key_tile: depth * V::LANES,
            value_tile: largest_block.div_ceil(V::UNIT) * V::LANES,
            queries: depth * panel::<V>(),
            gathered: d.next_multiple_of(V::LANES) * panel::<V>(),
        }
    }

    /// The keys of a block.
    #[inline(always)]
    pub(super) fn block(&self, index: usize) -> Range<usize> {
        part(0..self.keys, index, self.blocks)
    }
}

/// One of `of` parts of a range that differ by one at most.
#[inline(always)]
pub(super) fn part(all: Range<usize>, index: usize, of: usize) -> Range<usize> {
    let place = |i: usize| all.start + i * all.len() / of;
    place(index)..place(index + 1)
}

/// Keys as the left side of products: tiles of rows, block by block.
///
/// # Safety
/// As for [`Floats`].
#[inline(always)]
pub(super) unsafe fn pack_keys<V: Floats>(
    plan: &Plan,
    keys: &Slice<'_>,
    row: usize,
    stage: &mut [u32],
    to: &mut [u32],
) {
    for b in 0..plan.blocks {
        let block = plan.block(b);
        let tiles = block.len().div_ceil(V::ROWS);
        for t in 0..tiles {
            let rows = part(block.clone(), t, tiles);
            let to = &mut to[(b * plan.key_tiles + t) * plan.key_tile..][..plan.key_tile];
            let first = row + rows.start;
            // SAFETY: the caller vouches for the instructions.
            unsafe {
                pack_rows::<V>(keys, first, rows.len(), [0, plan.d], stage, (to, V::LANES));
            }
        }
    }
}

/// Values as the left side of products over the keys of a block: a line for each element of keys,
/// which holds some values of the head.
///
/// # Safety
/// As for [`Floats`].
#[inline(always)]
pub(super) unsafe fn pack_values<V: Floats>(
    plan: &Plan,
    values: &Slice<'_>,
    row: usize,
    to: &mut [u32],
) {
    let none = [0.; MOST_LANES];
    let mut edges = [none; 2];
    for b in 0..plan.blocks {
        let block = plan.block(b);
        for t in 0..plan.value_tiles {
            let columns = part(0..plan.d, t, plan.value_tiles);
            let to = &mut to[(b * plan.value_tiles + t) * plan.value_tile..][..plan.value_tile];
            let lines = to.chunks_exact_mut(V::LANES);
            for (to, key) in lines.zip(block.clone().step_by(V::UNIT)) {
                let [edge, other] = &mut edges;
                let even = values.lanes::<V>(row + key, &columns, edge);
                // The last key of an odd number has none beside it.
                let odd = match key + V::UNIT <= block.end {
                    true => values.lanes::<V>(row + key + V::UNIT - 1, &columns, other),
                    false => &none,
                };
                // SAFETY: the caller vouches for the instructions.
                unsafe { V::pack_columns(even, odd, to) };
            }
        }
    }
}
