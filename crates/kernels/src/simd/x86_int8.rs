//! Products of bytes on x86-64.

use std::arch::x86_64::*;

use super::int8::{GROUP, PANEL_UNIT, ROW_UNIT, pack_row, pack_weights};
use super::x86::{transpose_8, transpose_16};
use super::{Integers, Vector};
use crate::gemm::tile_of_integers;

/// VNNI takes the bytes of x as unsigned: they are packed 128 higher, which is their highest bit
/// flipped, and the sums begin 128 times the weights lower.
const FLIP: u8 = 0x80;
const OFFSET: i32 = 128;

/// Eight sums of products of four bytes (AVX2): of magnitudes and bytes that took over their signs,
/// so that no sum of two exceeds 16 bits.
#[derive(Clone, Copy)]
pub(crate) struct Avx2Int8(__m256i);

// SAFETY of the blocks below: the caller of each function vouches for the instructions and for the
// memory behind the pointers, as `Vector` says; the loads and stores need no alignment.
impl Vector for Avx2Int8 {
    const LANES: usize = 8;
    const ROWS: usize = 4;
    const UNIT: usize = GROUP;
    const ROW_UNIT: usize = ROW_UNIT;
    const PANEL_UNIT: usize = PANEL_UNIT;

    #[inline(always)]
    unsafe fn load(from: *const u32) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm256_loadu_si256(from.cast()) })
    }

    #[inline(always)]
    unsafe fn splat(from: *const u32) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm256_set1_epi32(*from.cast()) })
    }

    #[inline(always)]
    unsafe fn add_product(self, a: Self, b: Self) -> Self {
        // SAFETY: see above.
        unsafe {
            let signed = _mm256_sign_epi8(b.0, a.0);
            let pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(a.0), signed);
            let fours = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
            Self(_mm256_add_epi32(self.0, fours))
        }
    }

    #[inline(always)]
    unsafe fn pack(from: &[f32], to: *mut u32) {
        // SAFETY: see above.
        unsafe { pack_row(from, to, 0) }
    }

    #[inline(always)]
    unsafe fn pack_weights(from: &[f32], to: *mut u32) {
        // SAFETY: see above.
        unsafe { pack_weights(from, to, 0) }
    }

    #[inline(always)]
    unsafe fn transpose(from: (*const u32, usize), to: (*mut u32, usize)) {
        // SAFETY: see above.
        unsafe { transpose_8(from, to) }
    }

    #[inline(always)]
    unsafe fn tile<const R: usize>(
        depth: usize,
        a: *const u32,
        b: *const u32,
        next: *const u32,
        to: *mut f32,
    ) {
        // SAFETY: passed on to the caller.
        unsafe { tile_of_integers::<Self, R>(depth, a, b, next, to) }
    }
}

impl Integers for Avx2Int8 {
    #[inline(always)]
    unsafe fn scale(self, row: Self, columns: Self, to: *mut f32, add: bool) {
        // SAFETY: see above.
        unsafe { scale_8(self.0, row.0, columns.0, to, add) }
    }
}

/// The same with AVX-VNNI, one instruction for a product.
#[derive(Clone, Copy)]
pub(crate) struct Avx2Vnni(__m256i);

impl Vector for Avx2Vnni {
    const LANES: usize = 8;
    const ROWS: usize = 6;
    const UNIT: usize = GROUP;
    const ROW_UNIT: usize = ROW_UNIT;
    const PANEL_UNIT: usize = PANEL_UNIT;

    #[inline(always)]
    unsafe fn load(from: *const u32) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm256_loadu_si256(from.cast()) })
    }

    #[inline(always)]
    unsafe fn splat(from: *const u32) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm256_set1_epi32(*from.cast()) })
    }

    #[inline(always)]
    unsafe fn add_product(self, a: Self, b: Self) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm256_dpbusd_avx_epi32(self.0, a.0, b.0) })
    }

    #[inline(always)]
    unsafe fn pack(from: &[f32], to: *mut u32) {
        // SAFETY: see above.
        unsafe { pack_row(from, to, FLIP) }
    }

    #[inline(always)]
    unsafe fn pack_weights(from: &[f32], to: *mut u32) {
        // SAFETY: see above.
        unsafe { pack_weights(from, to, OFFSET) }
    }

    #[inline(always)]
    unsafe fn transpose(from: (*const u32, usize), to: (*mut u32, usize)) {
        // SAFETY: see above.
        unsafe { transpose_8(from, to) }
    }

    #[inline(always)]
    unsafe fn tile<const R: usize>(
        depth: usize,
        a: *const u32,
        b: *const u32,
        next: *const u32,
        to: *mut f32,
    ) {
        // SAFETY: passed on to the caller.
        unsafe { tile_of_integers::<Self, R>(depth, a, b, next, to) }
    }
}

impl Integers for Avx2Vnni {
    #[inline(always)]
    unsafe fn scale(self, row: Self, columns: Self, to: *mut f32, add: bool) {
        // SAFETY: see above.
        unsafe { scale_8(self.0, row.0, columns.0, to, add) }
    }
}

/// Sixteen sums of products of four bytes (AVX512-VNNI).
#[derive(Clone, Copy)]
pub(crate) struct Avx512Vnni(__m512i);

impl Vector for Avx512Vnni {
    const LANES: usize = 16;
    const ROWS: usize = 14;
    const UNIT: usize = GROUP;
    const ROW_UNIT: usize = ROW_UNIT;
    const PANEL_UNIT: usize = PANEL_UNIT;

    #[inline(always)]
    unsafe fn load(from: *const u32) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm512_loadu_si512(from.cast()) })
    }

    #[inline(always)]
    unsafe fn splat(from: *const u32) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm512_set1_epi32(*from.cast()) })
    }

    #[inline(always)]
    unsafe fn add_product(self, a: Self, b: Self) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm512_dpbusd_epi32(self.0, a.0, b.0) })
    }

    #[inline(always)]
    unsafe fn pack(from: &[f32], to: *mut u32) {
        // SAFETY: see above.
        unsafe { pack_row(from, to, FLIP) }
    }

    #[inline(always)]
    unsafe fn pack_weights(from: &[f32], to: *mut u32) {
        // SAFETY: see above.
        unsafe { pack_weights(from, to, OFFSET) }
    }

    #[inline(always)]
    unsafe fn transpose(from: (*const u32, usize), to: (*mut u32, usize)) {
        // SAFETY: see above.
        unsafe { transpose_16(from, to) }
    }

    #[inline(always)]
    fn prefetch(from: *const u32) {
        // SAFETY: a prefetch reads nothing that can be told and cannot fault; every x86-64 has it.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(from.cast()) }
    }

    #[inline(always)]
    unsafe fn tile<const R: usize>(
        depth: usize,
        a: *const u32,
        b: *const u32,
        next: *const u32,
        to: *mut f32,
    ) {
        // SAFETY: passed on to the caller.
        unsafe { tile_of_integers::<Self, R>(depth, a, b, next, to) }
    }
}

impl Integers for Avx512Vnni {
    #[inline(always)]
    unsafe fn scale(self, row: Self, columns: Self, to: *mut f32, add: bool) {
        // SAFETY: see above.
        unsafe {
            let scale = _mm512_mul_ps(_mm512_castsi512_ps(row.0), _mm512_castsi512_ps(columns.0));
            let sums = _mm512_cvtepi32_ps(self.0);
            let value = if add {
                _mm512_fmadd_ps(sums, scale, _mm512_loadu_ps(to))
            } else {
                _mm512_mul_ps(sums, scale)
            };
            _mm512_storeu_ps(to, value);
        }
    }
}

/// [`Integers::scale`] of eight sums.
///
/// # Safety
/// As there, with AVX2 and FMA.
#[inline(always)]
unsafe fn scale_8(sums: __m256i, row: __m256i, columns: __m256i, to: *mut f32, add: bool) {
    // SAFETY: passed on to the caller.
    unsafe {
        let scale = _mm256_mul_ps(_mm256_castsi256_ps(row), _mm256_castsi256_ps(columns));
        let sums = _mm256_cvtepi32_ps(sums);
        let value = if add {
            _mm256_fmadd_ps(sums, scale, _mm256_loadu_ps(to))
        } else {
            _mm256_mul_ps(sums, scale)
        };
        _mm256_storeu_ps(to, value);
    }
}
