//! The vectors that the products are made of.
//!
//! What is multiplied is packed into elements of 32 bits: an f32, two neighbouring values along the
//! summed axis as bf16, the first one in the low half, or four as bytes. Packing and products are
//! written once, over [`Vector`]; each implementation is a set of instructions and a precision.

/// [`Vector::tile`] by a function.
macro_rules! tile {
    ($of:ident) => {
        #[inline(always)]
        unsafe fn tile<const R: usize>(
            depth: usize,
            a: *const u32,
            b: *const u32,
            next: *const u32,
            to: *mut f32,
        ) {
            // SAFETY: passed on to the caller.
            unsafe { $of::<Self, R>(depth, a, b, next, to) }
        }
    };
}

mod int8;
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;
#[cfg(target_arch = "x86_64")]
mod x86_int8;

#[cfg(test)]
pub(crate) use int8::GROUP;
pub(crate) use int8::PortableInt8;
pub(crate) use portable::{Portable, PortableBf16};
#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx2Bf16, Avx512, Avx512Bf16};
#[cfg(target_arch = "x86_64")]
pub(crate) use x86_int8::{Avx2Int8, Avx2Vnni, Avx512Vnni};

/// A register of running sums, or of packed elements.
///
/// # Safety
/// Every function may be called only where the CPU has the instructions of the implementation, and
/// must be inlined into a function that is compiled for them.
pub(crate) trait Vector: Copy {
    /// Elements in a register. Packed rows are interleaved by as many.
    const LANES: usize;
    /// The most rows of a tile: it has two registers of sums for each.
    const ROWS: usize;
    /// Values of the summed axis that are packed as a whole: 1 of f32, 2 of bf16, a group that
    /// shares a scale of int8.
    const UNIT: usize;
    /// Elements that a unit of x becomes.
    const ROW_UNIT: usize = 1;
    /// Elements that a unit of W becomes.
    const PANEL_UNIT: usize = 1;

    /// `LANES` elements from memory.
    unsafe fn load(from: *const u32) -> Self;

    /// One element from memory in every lane.
    unsafe fn splat(from: *const u32) -> Self;

    /// These sums and the products of the elements of `a` and `b`.
    unsafe fn add_product(self, a: Self, b: Self) -> Self;

    /// a·b + c, in one rounding where that is an instruction.
    #[inline(always)]
    fn multiply_add(a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }

    /// Turns `from`, a part of a row of x whose length is a multiple of `UNIT`, into elements.
    unsafe fn pack(from: &[f32], to: *mut u32);

    /// The same of a row of W.
    #[inline(always)]
    unsafe fn pack_weights(from: &[f32], to: *mut u32) {
        // SAFETY: passed on to the caller.
        unsafe { Self::pack(from, to) }
    }

    /// Transposes a square of `LANES`×`LANES` elements; both have a stride from row to row.
    unsafe fn transpose(from: (*const u32, usize), to: (*mut u32, usize));

    /// Asks for the cache line of `from`, which need not be valid, into the second-level cache.
    #[inline(always)]
    fn prefetch(_from: *const u32) {}

    /// The product of `R` packed rows and a panel over `depth` units, as [`tile`](crate::gemm::tile)
    /// says; `to` has room for `R` rows of a panel's width.
    unsafe fn tile<const R: usize>(
        depth: usize,
        a: *const u32,
        b: *const u32,
        next: *const u32,
        to: *mut f32,
    );
}

/// Vectors whose sums are f32.
///
/// # Safety
/// As for [`Vector`].
pub(crate) trait Floats: Vector {
    /// Zeros.
    unsafe fn zero() -> Self;

    /// Writes `LANES` sums.
    unsafe fn store(self, to: *mut f32);

    /// Turns `LANES` values of each of the rows that a unit of the summed axis has, one or two, into
    /// `LANES` elements.
    #[inline(always)]
    unsafe fn pack_columns(even: &[f32], odd: &[f32], to: &mut [u32]) {
        let rows = even[..Self::LANES].iter().zip(&odd[..Self::LANES]);
        for (to, (even, odd)) in to[..Self::LANES].iter_mut().zip(rows) {
            *to = match Self::UNIT {
                1 => even.to_bits(),
                _ => portable::packed_pair(*even, *odd),
            };
        }
    }
}

/// Vectors whose sums are integers, over one group of values with a scale at a time.
///
/// A group of x is packed as its scale (an f32) and its values; one of W as what the sums begin
/// with, its scale and its values.
///
/// # Safety
/// As for [`Vector`].
pub(crate) trait Integers: Vector {
    /// Writes these sums times the scales of a row and of the columns to `to`, or adds them to
    /// what is there.
    unsafe fn scale(self, row: Self, columns: Self, to: *mut f32, add: bool);
}

/// Columns of a tile, the width of a panel of packed weights.
pub(crate) const fn panel<V: Vector>() -> usize {
    2 * V::LANES
}
