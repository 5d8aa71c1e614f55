//! Products of bytes on x86-64.

use std::arch::x86_64::*;

use super::int8::{GROUP, PANEL_UNIT, ROW_UNIT, pack_row, pack_weights};
use super::x86::{prefetch, registers, transpose_8, transpose_16};
use super::{Integers, Vector};
use crate::gemm::tile_of_integers;

/// VNNI takes the bytes of x as unsigned: they are packed 128 higher, which is their highest bit
/// flipped, and the sums begin 128 times the weights lower.
const FLIP: u8 = 0x80;
const OFFSET: i32 = 128;

/// How bytes are packed: those of x flipped so, the sums of W's begun so much lower.
///
/// SAFETY of its blocks and of those below: as in `x86`.
macro_rules! bytes {
    ($flip:expr, $offset:expr) => {
        const UNIT: usize = GROUP;
        const ROW_UNIT: usize = ROW_UNIT;
        const PANEL_UNIT: usize = PANEL_UNIT;

        tile!(tile_of_integers);

        #[inline(always)]
        unsafe fn pack(from: &[f32], to: *mut u32) {
            // SAFETY: see above.
            unsafe { pack_row(from, to, $flip) }
        }

        #[inline(always)]
        unsafe fn pack_weights(from: &[f32], to: *mut u32) {
            // SAFETY: see above.
            unsafe { pack_weights(from, to, $offset) }
        }
    };
}

/// [`Integers`] of a type.
macro_rules! integers {
    ($vector:ty, $scale:ident) => {
        impl Integers for $vector {
            #[inline(always)]
            unsafe fn scale(self, row: Self, columns: Self, to: *mut f32, add: bool) {
                // SAFETY: see above.
                unsafe { $scale(self.0, row.0, columns.0, to, add) }
            }
        }
    };
}

/// Eight sums of products of four bytes (AVX2): of magnitudes and bytes that took over their signs,
/// so that no sum of two exceeds 16 bits.
#[derive(Clone, Copy)]
pub(crate) struct Avx2Int8(__m256i);

impl Vector for Avx2Int8 {
    const ROWS: usize = 4;

    registers!(8, _mm256_loadu_si256, _mm256_set1_epi32, transpose_8);
    bytes!(0, 0);

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
}

integers!(Avx2Int8, scale_8);

/// The same with AVX-VNNI, one instruction for a product.
#[derive(Clone, Copy)]
pub(crate) struct Avx2Vnni(__m256i);

impl Vector for Avx2Vnni {
    const ROWS: usize = 6;

    registers!(8, _mm256_loadu_si256, _mm256_set1_epi32, transpose_8);
    bytes!(FLIP, OFFSET);

    #[inline(always)]
    unsafe fn add_product(self, a: Self, b: Self) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm256_dpbusd_avx_epi32(self.0, a.0, b.0) })
    }
}

integers!(Avx2Vnni, scale_8);

/// Sixteen sums of products of four bytes (AVX512-VNNI).
#[derive(Clone, Copy)]
pub(crate) struct Avx512Vnni(__m512i);

impl Vector for Avx512Vnni {
    const ROWS: usize = 14;

    registers!(16, _mm512_loadu_si512, _mm512_set1_epi32, transpose_16);
    bytes!(FLIP, OFFSET);
    prefetch!();

    #[inline(always)]
    unsafe fn add_product(self, a: Self, b: Self) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm512_dpbusd_epi32(self.0, a.0, b.0) })
    }
}

integers!(Avx512Vnni, scale_16);

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

/// [`Integers::scale`] of sixteen sums.
///
/// # Safety
/// As there, with AVX-512.
#[inline(always)]
unsafe fn scale_16(sums: __m512i, row: __m512i, columns: __m512i, to: *mut f32, add: bool) {
    // SAFETY: passed on to the caller.
    unsafe {
        let scale = _mm512_mul_ps(_mm512_castsi512_ps(row), _mm512_castsi512_ps(columns));
        let sums = _mm512_cvtepi32_ps(sums);
        let value = if add {
            _mm512_fmadd_ps(sums, scale, _mm512_loadu_ps(to))
        } else {
            _mm512_mul_ps(sums, scale)
        };
        _mm512_storeu_ps(to, value);
    }
}
