//! The innermost loops: packing rows, and the product of a tile.

use super::rows::Rows;
use crate::simd::{Floats, Integers, Vector, panel};

/// Elements of a cache line.
const LINE: usize = 16;

/// Elements from one row to the next where rows of `depth` elements wait to be transposed: whole
/// vectors, and a line more so that the rows do not share the sets of a cache.
pub(crate) const fn staging<V: Vector>(depth: usize) -> usize {
    depth.next_multiple_of(V::LANES) + LINE
}

/// Packs `count` ≤ [`Vector::LANES`] rows from `first` on, their values from `start` to `end`, as
/// lines of `LANES` elements, one of each row; there is a line for each element of a row, and
/// `width` elements from line to line.
///
/// `stage` has room for `LANES` rows [`staging`] apart and as many values as become a row, `to` for
/// as many lines as the piece has elements, rounded up to `LANES`.
///
/// # Safety
/// As for [`Vector`].
#[inline(always)]
pub(crate) unsafe fn pack_rows<V: Vector>(
    rows: &(impl Rows + ?Sized),
    first: usize,
    count: usize,
    [start, end]: [usize; 2],
    stage: &mut [u32],
    (to, width): (&mut [u32], usize),
) {
    let depth = (end - start).div_ceil(V::UNIT);
    let elements = depth * V::ROW_UNIT;
    let stride = staging::<V>(elements);
    let (stage, line) = stage.split_at_mut(V::LANES * stride);
    let lines = elements.next_multiple_of(V::LANES);
    assert!(count <= V::LANES && (depth == 0 || to.len() >= (lines - 1) * width + V::LANES));
    for (i, row) in stage.chunks_exact_mut(stride).take(count).enumerate() {
        let values = depth * V::UNIT;
        if V::UNIT == 1 {
            rows.copy(first + i, start, floats(&mut row[..values]));
        } else {
            let whole = (values == end - start).then(|| rows.get(first + i, start..end));
            let line = match whole.flatten() {
                Some(line) => line,
                None => {
                    let line = floats(&mut line[..values]);
                    rows.copy(first + i, start, &mut line[..end - start]);
                    line[end - start..].fill(0.);
                    line
                }
            };
            // SAFETY: the row has room for the elements that these values become.
            unsafe { V::pack(line, row.as_mut_ptr()) };
        }
    }
    for k in (0..elements).step_by(V::LANES) {
        // SAFETY: `stage` holds `LANES` rows of at least `lines` elements and `to` as many lines,
        // by the assertion.
        unsafe {
            let from = stage.as_ptr().add(k);
            V::transpose((from, stride), (to.as_mut_ptr().add(k * width), width));
        }
    }
}

/// Elements seen as f32.
#[inline(always)]
pub(crate) fn floats(elements: &mut [u32]) -> &mut [f32] {
    // SAFETY: both types have the same size and alignment, and every value of either is valid.
    unsafe { std::slice::from_raw_parts_mut(elements.as_mut_ptr().cast(), elements.len()) }
}

/// The product of `rows` ≤ [`Vector::ROWS`] packed rows and a panel over `depth` units, written to
/// `to` as rows of a panel's width. Meanwhile a line of 64 bytes for each step is fetched from
/// `next` on, which will be needed soon and need not be valid.
///
/// # Safety
/// As for [`Vector`]; `a` must hold lines of `LANES` elements for `depth` units, and `b` as many
/// of a panel.
#[inline(always)]
pub(crate) unsafe fn tile<V: Vector>(
    rows: usize,
    depth: usize,
    a: *const u32,
    b: *const u32,
    next: *const u32,
    to: &mut [f32],
) {
    assert!(to.len() >= rows * panel::<V>());
    let to = to.as_mut_ptr();
    macro_rules! of_rows {
        ($($n:literal)*) => {
            match rows {
                // SAFETY: passed on to the caller; `to` is long enough by the assertion.
                $($n if $n <= V::ROWS => unsafe { V::tile::<$n>(depth, a, b, next, to) },)*
                _ => unreachable!("a tile of {rows} rows"),
            }
        };
    }
    of_rows!(1 2 3 4 5 6 7 8 9 10 11 12 13 14);
}

/// [`tile`] of a fixed number of rows, whose sums stay in registers.
///
/// # Safety
/// As for [`tile`]; `to` must have room for `R` rows.
#[inline(always)]
pub(crate) unsafe fn tile_of_floats<V: Floats, const R: usize>(
    depth: usize,
    a: *const u32,
    b: *const u32,
    next: *const u32,
    to: *mut f32,
) {
    // SAFETY: passed on to the caller.
    unsafe {
        let mut sums = [[V::zero(); 2]; R];
        add_products(&mut sums, depth, (a, b), next);
        for (r, sums) in sums.iter().enumerate() {
            let to = to.add(r * panel::<V>());
            sums[0].store(to);
            sums[1].store(to.add(V::LANES));
        }
    }
}

/// The same with integers: the sums stay in registers over a group, and what they stand for is
/// summed in `to`, in the first-level cache.
///
/// # Safety
/// As for [`tile_of_floats`].
#[inline(always)]
pub(crate) unsafe fn tile_of_integers<V: Integers, const R: usize>(
    depth: usize,
    a: *const u32,
    b: *const u32,
    next: *const u32,
    to: *mut f32,
) {
    let (width, steps) = (panel::<V>(), V::ROW_UNIT - 1);
    // SAFETY: passed on to the caller.
    unsafe {
        if depth == 0 {
            to.write_bytes(0, R * width);
        }
        for unit in 0..depth {
            let a = a.add(unit * V::ROW_UNIT * V::LANES);
            let b = b.add(unit * V::PANEL_UNIT * width);
            let pair = |from: *const u32| [V::load(from), V::load(from.add(V::LANES))];
            let mut sums = [pair(b); R];
            let next = next.wrapping_add(unit * steps * LINE);
            let (values, lines) = (a.add(V::LANES), b.add(2 * width));
            for k in (0..steps).step_by(4) {
                let next = next.wrapping_add(k * LINE);
                let at = (values.add(k * V::LANES), lines.add(k * width));
                add_products(&mut sums, 4, at, next);
            }
            let columns = pair(b.add(width));
            // Hidden from the compiler, which would keep copies of the sums in `to` as well.
            let to = std::hint::black_box(to);
            for (r, sums) in sums.iter().enumerate() {
                let (row, to) = (V::splat(a.add(r)), to.add(r * width));
                sums[0].scale(row, columns[0], to, unit > 0);
                sums[1].scale(row, columns[1], to.add(V::LANES), unit > 0);
            }
        }
    }
}

/// Adds the products of `steps` lines of packed rows and of a panel.
///
/// # Safety
/// As for [`tile`].
#[inline(always)]
unsafe fn add_products<V: Vector, const R: usize>(
    sums: &mut [[V; 2]; R],
    steps: usize,
    (a, b): (*const u32, *const u32),
    next: *const u32,
) {
    for k in 0..steps {
        V::prefetch(next.wrapping_add(k * LINE));
        // SAFETY: both hold so many lines, for which the caller vouches.
        unsafe {
            let b = b.add(k * panel::<V>());
            let columns = [V::load(b), V::load(b.add(V::LANES))];
            let a = a.add(k * V::LANES);
            for (r, sums) in sums.iter_mut().enumerate() {
                let x = V::splat(a.add(r));
                sums[0] = sums[0].add_product(x, columns[0]);
                sums[1] = sums[1].add_product(x, columns[1]);
            }
        }
    }
}
