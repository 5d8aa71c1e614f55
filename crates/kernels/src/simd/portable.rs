//! Vectors without instructions of their own.

use super::{Floats, Vector};
use crate::gemm::tile_of_floats;

/// Whether the target always has 32 registers and fused products, as every aarch64.
const WIDE: bool = cfg!(target_arch = "aarch64");

/// Lanes of the portable vectors.
pub(super) const LANES: usize = if WIDE { 8 } else { 4 };

/// Rows of a tile, whose sums must fit the registers.
pub(super) const ROWS: usize = if WIDE { 6 } else { 4 };

/// sum + a·b, fused only where that is an instruction and not a call.
#[inline(always)]
pub(super) fn add_product(sum: f32, a: f32, b: f32) -> f32 {
    if WIDE { a.mul_add(b, sum) } else { sum + a * b }
}

/// Some f32.
#[derive(Clone, Copy)]
pub(crate) struct Portable([f32; LANES]);

impl Vector for Portable {
    const LANES: usize = LANES;
    const ROWS: usize = ROWS;
    const UNIT: usize = 1;

    #[inline(always)]
    unsafe fn load(from: *const u32) -> Self {
        // SAFETY: the caller vouches for `LANES` elements.
        Self(unsafe { from.cast::<[f32; LANES]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn splat(from: *const u32) -> Self {
        // SAFETY: the caller vouches for one element.
        Self([f32::from_bits(unsafe { *from }); LANES])
    }

    #[inline(always)]
    unsafe fn add_product(self, a: Self, b: Self) -> Self {
        Self(std::array::from_fn(|i| {
            add_product(self.0[i], a.0[i], b.0[i])
        }))
    }

    #[inline(always)]
    fn multiply_add(a: f32, b: f32, c: f32) -> f32 {
        add_product(c, a, b)
    }

    #[inline(always)]
    unsafe fn pack(from: &[f32], to: *mut u32) {
        // SAFETY: the caller vouches for room for as many elements as values, and `from` cannot
        // overlap what may be written.
        unsafe { to.copy_from_nonoverlapping(from.as_ptr().cast(), from.len()) }
    }

    #[inline(always)]
    unsafe fn transpose(from: (*const u32, usize), to: (*mut u32, usize)) {
        // SAFETY: the caller vouches for both squares.
        unsafe { transpose::<LANES>(from, to) }
    }

    tile!(tile_of_floats);
}

impl Floats for Portable {
    #[inline(always)]
    unsafe fn zero() -> Self {
        Self([0.; LANES])
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller vouches for room for `LANES` sums.
        unsafe { to.cast::<[f32; LANES]>().write_unaligned(self.0) }
    }
}

/// The same of pairs of bf16: the plain twin of AVX512-BF16.
#[derive(Clone, Copy)]
pub(crate) struct PortableBf16([f32; LANES]);

/// The two values of a packed pair.
#[inline(always)]
fn pair(element: f32) -> [f32; 2] {
    let bits = element.to_bits();
    [bits << 16, bits & 0xffff_0000].map(f32::from_bits)
}

impl Vector for PortableBf16 {
    const LANES: usize = LANES;
    const ROWS: usize = ROWS;
    const UNIT: usize = 2;

    #[inline(always)]
    unsafe fn load(from: *const u32) -> Self {
        // SAFETY: the caller vouches for `LANES` elements.
        Self(unsafe { from.cast::<[f32; LANES]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn splat(from: *const u32) -> Self {
        // SAFETY: the caller vouches for one element.
        Self([f32::from_bits(unsafe { *from }); LANES])
    }

    #[inline(always)]
    unsafe fn add_product(self, a: Self, b: Self) -> Self {
        Self(std::array::from_fn(|i| {
            let ([a, c], [b, d]) = (pair(a.0[i]), pair(b.0[i]));
            add_product(add_product(self.0[i], c, d), a, b)
        }))
    }

    #[inline(always)]
    fn multiply_add(a: f32, b: f32, c: f32) -> f32 {
        add_product(c, a, b)
    }

    #[inline(always)]
    unsafe fn pack(from: &[f32], to: *mut u32) {
        // SAFETY: the caller vouches for room for half as many elements as values.
        unsafe { pack_pairs(from, to) }
    }

    #[inline(always)]
    unsafe fn transpose(from: (*const u32, usize), to: (*mut u32, usize)) {
        // SAFETY: the caller vouches for both squares.
        unsafe { transpose::<LANES>(from, to) }
    }

    tile!(tile_of_floats);
}

impl Floats for PortableBf16 {
    #[inline(always)]
    unsafe fn zero() -> Self {
        Self([0.; LANES])
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller vouches for room for `LANES` sums.
        unsafe { to.cast::<[f32; LANES]>().write_unaligned(self.0) }
    }
}

/// The nearest bf16, to even between two; NaN stays NaN.
#[inline(always)]
fn bf16(x: f32) -> u32 {
    let bits = x.to_bits();
    let rounded = bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16;
    if x.is_nan() {
        bits >> 16 | 0x40
    } else {
        rounded
    }
}

/// Two values as one element.
#[inline(always)]
pub(super) fn packed_pair(first: f32, second: f32) -> u32 {
    bf16(first) | bf16(second) << 16
}

/// Neighbouring values as pairs.
///
/// # Safety
/// There must be room for `from.len() / 2` elements at `to`.
#[inline(always)]
pub(super) unsafe fn pack_pairs(from: &[f32], to: *mut u32) {
    for (i, pair) in from.chunks_exact(2).enumerate() {
        // SAFETY: `i` is below the number of pairs, for which the caller vouches.
        unsafe { *to.add(i) = packed_pair(pair[0], pair[1]) };
    }
}

/// Transposes a square, element by element.
///
/// # Safety
/// As for [`Vector::transpose`].
#[inline(always)]
pub(super) unsafe fn transpose<const N: usize>(
    (from, stride): (*const u32, usize),
    (to, width): (*mut u32, usize),
) {
    for row in 0..N {
        for column in 0..N {
            // SAFETY: the caller vouches for both squares.
            unsafe { *to.add(column * width + row) = *from.add(row * stride + column) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_that_of_the_half_crate() {
        let odd = [0., -0., 1e-40, 3.4e38, f32::INFINITY, f32::NEG_INFINITY];
        let many = (0..100_000u32).map(|i| f32::from_bits(i.wrapping_mul(2_654_435_761)));
        for x in odd.into_iter().chain(many) {
            let half = half::bf16::from_f32(x);
            let ours = half::bf16::from_bits(bf16(x) as u16);
            assert!(half == ours || half.is_nan() && ours.is_nan(), "{x}");
        }
    }
}
