//! The vectors that the products are made of.
//!
//! What is multiplied is packed into elements of 32 bits: an f32, or two neighbouring values along
//! the summed axis as bf16, the first one in the low half. Packing and products are written once,
//! over [`Vector`]; each implementation is a set of instructions and a precision.

mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use portable::{Portable, PortableBf16};
#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx2Bf16, Avx512, Avx512Bf16};

/// A register of running sums in f32, or of packed elements.
///
/// # Safety
/// Every function may be called only where the CPU has the instructions of the implementation, and
/// must be inlined into a function that is compiled for them.
pub(crate) trait Vector: Copy {
    /// Elements in a register. Packed rows are interleaved by as many.
    const LANES: usize;
    /// The most rows of a tile: it has two registers of sums for each.
    const ROWS: usize;
    /// Values of the summed axis in an element: 1 of f32, 2 of bf16.
    const VALUES: usize;

    /// Zeros.
    unsafe fn zero() -> Self;

    /// `LANES` elements from memory.
    unsafe fn load(from: *const u32) -> Self;

    /// One element from memory in every lane.
    unsafe fn splat(from: *const u32) -> Self;

    /// These sums and the products of the elements of `a` and `b`.
    unsafe fn add_product(self, a: Self, b: Self) -> Self;

    /// Writes `LANES` sums.
    unsafe fn store(self, to: *mut f32);

    /// Turns `from`, whose length is a multiple of `VALUES`, into elements.
    unsafe fn pack(from: &[f32], to: *mut u32);

    /// Transposes a square of `LANES`×`LANES` elements; both have a stride from row to row.
    unsafe fn transpose(from: (*const u32, usize), to: (*mut u32, usize));

    /// Asks for the cache line of `from`, which need not be valid, into the second-level cache.
    #[inline(always)]
    fn prefetch(_from: *const u32) {}
}

/// Columns of a tile, the width of a panel of packed weights.
pub(crate) const fn panel<V: Vector>() -> usize {
    2 * V::LANES
}
