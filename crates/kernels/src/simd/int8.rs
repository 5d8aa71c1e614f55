//! Bytes with a scale for every group of values, and their products without instructions of
//! their own.
//!
//! A value is its group's scale times an integer from −127 to 127; the scale is the group's largest
//! magnitude over 127. Both factors of a product are cut into groups along the summed axis, so that
//! one value that stands out costs only its group its precision, not its row: on a trained
//! transformer whose activations stand out by a factor of a hundred, groups of 64 keep the cosine
//! of its output above 0.999, a scale for each row does not.

use super::portable::{self, LANES, ROWS, transpose};
use super::{Integers, Vector};
use crate::gemm::tile_of_integers;

/// Values that share a scale.
pub(crate) const GROUP: usize = 64;
/// Values in an element.
const VALUES: usize = 4;
/// Elements of a group's values.
const ELEMENTS: usize = GROUP / VALUES;
/// Elements of a group of x: its scale, its values.
pub(super) const ROW_UNIT: usize = 1 + ELEMENTS;
/// Elements of a group of W: what its sums begin with, its scale, its values.
pub(super) const PANEL_UNIT: usize = 2 + ELEMENTS;

/// 1.5·2^23: added to a small f32, it leaves the nearest integer in the lowest bits.
const ROUND: f32 = 12_582_912.;

/// A group as bytes, and its scale. One that holds NaN or an infinity has a scale that makes every
/// product NaN or infinite.
#[inline(always)]
fn quantise(values: &[f32], bytes: &mut [u8; GROUP]) -> f32 {
    // Magnitudes are ordered as their bits are, NaN above all.
    let magnitude = |x: &f32| x.to_bits() & 0x7fff_ffff;
    let largest = values.iter().map(magnitude).fold(0, u32::max);
    let largest = f32::from_bits(largest);
    let inverse = if largest > f32::MIN_POSITIVE {
        127. / largest
    } else {
        0.
    };
    for (byte, x) in bytes.iter_mut().zip(values) {
        *byte = (x * inverse + ROUND).to_bits() as u8;
    }
    largest / 127.
}

/// Packs groups of x; `flip` is applied to every byte.
///
/// # Safety
/// There must be room for [`ROW_UNIT`] elements for each group.
#[inline(always)]
pub(super) unsafe fn pack_row(from: &[f32], to: *mut u32, flip: u8) {
    let mut bytes = [0u8; GROUP];
    for (i, group) in from.chunks_exact(GROUP).enumerate() {
        let scale = quantise(group, &mut bytes);
        bytes.iter_mut().for_each(|byte| *byte ^= flip);
        // SAFETY: the group's elements have room, for which the caller vouches.
        unsafe {
            let to = to.add(i * ROW_UNIT);
            *to = scale.to_bits();
            to.add(1).cast::<[u8; GROUP]>().write_unaligned(bytes);
        }
    }
}

/// Packs groups of a row of W; `offset` is what the bytes of x are above its values.
///
/// # Safety
/// There must be room for [`PANEL_UNIT`] elements for each group.
#[inline(always)]
pub(super) unsafe fn pack_weights(from: &[f32], to: *mut u32, offset: i32) {
    let mut bytes = [0u8; GROUP];
    for (i, group) in from.chunks_exact(GROUP).enumerate() {
        let scale = quantise(group, &mut bytes);
        let sum: i32 = bytes.iter().map(|&byte| i32::from(byte as i8)).sum();
        // SAFETY: the group's elements have room, for which the caller vouches.
        unsafe {
            let to = to.add(i * PANEL_UNIT);
            *to = (-offset * sum) as u32;
            *to.add(1) = scale.to_bits();
            to.add(2).cast::<[u8; GROUP]>().write_unaligned(bytes);
        }
    }
}

/// The plain twin of the products of bytes.
#[derive(Clone, Copy)]
pub(crate) struct PortableInt8([u32; LANES]);

impl Vector for PortableInt8 {
    const LANES: usize = LANES;
    const ROWS: usize = ROWS;
    const UNIT: usize = GROUP;
    const ROW_UNIT: usize = ROW_UNIT;
    const PANEL_UNIT: usize = PANEL_UNIT;

    #[inline(always)]
    unsafe fn load(from: *const u32) -> Self {
        // SAFETY: the caller vouches for `LANES` elements.
        Self(unsafe { from.cast::<[u32; LANES]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn splat(from: *const u32) -> Self {
        // SAFETY: the caller vouches for one element.
        Self([unsafe { *from }; LANES])
    }

    #[inline(always)]
    unsafe fn add_product(self, a: Self, b: Self) -> Self {
        let byte = |x: u32, i: usize| i32::from((x >> (8 * i)) as i8);
        Self(std::array::from_fn(|lane| {
            let products = (0..VALUES).map(|i| byte(a.0[lane], i) * byte(b.0[lane], i));
            self.0[lane].wrapping_add(products.sum::<i32>() as u32)
        }))
    }

    #[inline(always)]
    fn multiply_add(a: f32, b: f32, c: f32) -> f32 {
        portable::add_product(c, a, b)
    }

    #[inline(always)]
    unsafe fn pack(from: &[f32], to: *mut u32) {
        // SAFETY: passed on to the caller.
        unsafe { pack_row(from, to, 0) }
    }

    #[inline(always)]
    unsafe fn pack_weights(from: &[f32], to: *mut u32) {
        // SAFETY: passed on to the caller.
        unsafe { pack_weights(from, to, 0) }
    }

    #[inline(always)]
    unsafe fn transpose(from: (*const u32, usize), to: (*mut u32, usize)) {
        // SAFETY: the caller vouches for both squares.
        unsafe { transpose::<LANES>(from, to) }
    }

    tile!(tile_of_integers);
}

impl Integers for PortableInt8 {
    #[inline(always)]
    unsafe fn scale(self, row: Self, columns: Self, to: *mut f32, add: bool) {
        for lane in 0..LANES {
            let scale = f32::from_bits(row.0[lane]) * f32::from_bits(columns.0[lane]);
            let value = self.0[lane] as i32 as f32 * scale;
            // SAFETY: the caller vouches for `LANES` sums.
            unsafe {
                let to = to.add(lane);
                *to = if add { *to + value } else { value };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_keeps_its_largest_and_rounds_the_rest() {
        let mut values = [0f32; GROUP];
        values[..5].copy_from_slice(&[-2., 1., 0.5 * 2. / 127., 1.4 * 2. / 127., 2.]);
        let mut bytes = [9; GROUP];
        let scale = quantise(&values, &mut bytes);
        assert_eq!(scale, 2. / 127.);
        let signed = bytes.map(|byte| byte as i8);
        assert_eq!(signed[..6], [-127, 64, 0, 1, 127, 0]);
    }

    #[test]
    fn nothing_and_too_much() {
        let mut bytes = [9; GROUP];
        assert_eq!(quantise(&[0.; GROUP], &mut bytes), 0.);
        assert_eq!(bytes, [0; GROUP]);
        for odd in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut values = [1.; GROUP];
            values[7] = odd;
            assert!(!quantise(&values, &mut bytes).is_finite());
        }
    }
}
