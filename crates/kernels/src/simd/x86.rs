//! Vectors of x86-64.

use std::arch::x86_64::*;

use super::portable;
use super::{Floats, Vector};
use crate::gemm::tile_of_floats;

/// What a [`Vector`] is by its registers alone.
///
/// SAFETY of its blocks and of those below: the caller of each function vouches for the instructions
/// and for the memory behind the pointers, as `Vector` says; the loads and stores need no alignment.
macro_rules! registers {
    ($lanes:literal, $load:ident, $splat:ident, $transpose:ident) => {
        const LANES: usize = $lanes;

        #[inline(always)]
        unsafe fn load(from: *const u32) -> Self {
            // SAFETY: see above.
            Self(unsafe { $load(from.cast()) })
        }

        #[inline(always)]
        unsafe fn splat(from: *const u32) -> Self {
            // SAFETY: see above.
            Self(unsafe { $splat(*from.cast()) })
        }

        #[inline(always)]
        unsafe fn transpose(from: (*const u32, usize), to: (*mut u32, usize)) {
            // SAFETY: see above.
            unsafe { $transpose(from, to) }
        }
    };
}
pub(super) use registers;

/// [`Vector::prefetch`] by its instruction.
macro_rules! prefetch {
    () => {
        #[inline(always)]
        fn prefetch(from: *const u32) {
            // SAFETY: a prefetch reads nothing that can be told and cannot fault; every x86-64 has it.
            unsafe { _mm_prefetch::<_MM_HINT_T1>(from.cast()) }
        }
    };
}
pub(super) use prefetch;

/// [`Vector::pack`] of f32, which stay as they are.
macro_rules! copied {
    () => {
        #[inline(always)]
        unsafe fn pack(from: &[f32], to: *mut u32) {
            // SAFETY: see above; `from` cannot overlap what may be written.
            unsafe { to.copy_from_nonoverlapping(from.as_ptr().cast(), from.len()) }
        }
    };
}

/// [`Floats`] of a type.
macro_rules! floats {
    ($vector:ty, $zero:ident, $store:ident $(, $($more:item)+)?) => {
        impl Floats for $vector {
            #[inline(always)]
            unsafe fn zero() -> Self {
                // SAFETY: see above.
                Self(unsafe { $zero() })
            }

            #[inline(always)]
            unsafe fn store(self, to: *mut f32) {
                // SAFETY: see above.
                unsafe { $store(to, self.0) }
            }

            $($($more)+)?
        }
    };
}

/// Eight f32 (AVX2 and FMA).
#[derive(Clone, Copy)]
pub(crate) struct Avx2(__m256);

impl Vector for Avx2 {
    const ROWS: usize = 6;
    const UNIT: usize = 1;

    registers!(8, _mm256_loadu_ps, _mm256_set1_ps, transpose_8);
    copied!();
    tile!(tile_of_floats);

    #[inline(always)]
    unsafe fn add_product(self, a: Self, b: Self) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm256_fmadd_ps(a.0, b.0, self.0) })
    }
}

floats!(Avx2, _mm256_setzero_ps, _mm256_storeu_ps);

/// The same of pairs of bf16, which are widened for the product.
#[derive(Clone, Copy)]
pub(crate) struct Avx2Bf16(__m256);

impl Vector for Avx2Bf16 {
    const ROWS: usize = 4;
    const UNIT: usize = 2;

    registers!(8, _mm256_loadu_ps, _mm256_set1_ps, transpose_8);
    tile!(tile_of_floats);

    #[inline(always)]
    unsafe fn add_product(self, a: Self, b: Self) -> Self {
        // SAFETY: see above.
        unsafe {
            let high = _mm256_castsi256_ps(_mm256_set1_epi32(0xffff_0000_u32 as i32));
            let sum = _mm256_fmadd_ps(_mm256_and_ps(a.0, high), _mm256_and_ps(b.0, high), self.0);
            let a = _mm256_slli_epi32::<16>(_mm256_castps_si256(a.0));
            let b = _mm256_slli_epi32::<16>(_mm256_castps_si256(b.0));
            Self(_mm256_fmadd_ps(
                _mm256_castsi256_ps(a),
                _mm256_castsi256_ps(b),
                sum,
            ))
        }
    }

    #[inline(always)]
    unsafe fn pack(from: &[f32], to: *mut u32) {
        // SAFETY: see above.
        unsafe { portable::pack_pairs(from, to) }
    }
}

floats!(Avx2Bf16, _mm256_setzero_ps, _mm256_storeu_ps);

/// Sixteen f32 (AVX-512).
#[derive(Clone, Copy)]
pub(crate) struct Avx512(__m512);

impl Vector for Avx512 {
    const ROWS: usize = 14;
    const UNIT: usize = 1;

    registers!(16, _mm512_loadu_ps, _mm512_set1_ps, transpose_16);
    copied!();
    prefetch!();
    tile!(tile_of_floats);

    #[inline(always)]
    unsafe fn add_product(self, a: Self, b: Self) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm512_fmadd_ps(a.0, b.0, self.0) })
    }
}

floats!(Avx512, _mm512_setzero_ps, _mm512_storeu_ps);

/// Sixteen sums of products of pairs of bf16 (AVX512-BF16).
#[derive(Clone, Copy)]
pub(crate) struct Avx512Bf16(__m512);

/// The register seen as 32 bf16.
#[inline(always)]
fn halves(x: __m512) -> __m512bh {
    // SAFETY: both types are 64 bytes of which every value is valid.
    unsafe { std::mem::transmute(x) }
}

impl Vector for Avx512Bf16 {
    const ROWS: usize = 14;
    const UNIT: usize = 2;

    registers!(16, _mm512_loadu_ps, _mm512_set1_ps, transpose_16);
    prefetch!();
    tile!(tile_of_floats);

    #[inline(always)]
    unsafe fn add_product(self, a: Self, b: Self) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm512_dpbf16_ps(self.0, halves(a.0), halves(b.0)) })
    }

    #[inline(always)]
    unsafe fn pack(from: &[f32], to: *mut u32) {
        let whole = from.len() / 32 * 32;
        // SAFETY: see above; every read is of 32 values of `from`, every write of the 16 elements
        // that they become.
        unsafe {
            for i in (0..whole).step_by(32) {
                let low = _mm512_loadu_ps(from.as_ptr().add(i));
                let high = _mm512_loadu_ps(from.as_ptr().add(i + 16));
                let pairs: __m512i = std::mem::transmute(_mm512_cvtne2ps_pbh(high, low));
                _mm512_storeu_si512(to.add(i / 2).cast(), pairs);
            }
            portable::pack_pairs(&from[whole..], to.add(whole / 2));
        }
    }
}

floats!(
    Avx512Bf16,
    _mm512_setzero_ps,
    _mm512_storeu_ps,
    #[inline(always)]
    unsafe fn pack_columns(even: &[f32], odd: &[f32], to: &mut [u32]) {
        const ALTERNATE: [u16; 32] = {
            let mut order = [0; 32];
            let mut i = 0;
            while i < 32 {
                order[i] = (i / 2 + i % 2 * 16) as u16;
                i += 1;
            }
            order
        };
        assert!(even.len() >= 16 && odd.len() >= 16 && to.len() >= 16);
        // SAFETY: see above; the slices are long enough by the assertion.
        unsafe {
            let (even, odd) = (
                _mm512_loadu_ps(even.as_ptr()),
                _mm512_loadu_ps(odd.as_ptr()),
            );
            let both = std::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(odd, even));
            let order = _mm512_loadu_si512(ALTERNATE.as_ptr().cast());
            let pairs = _mm512_permutexvar_epi16(order, both);
            _mm512_storeu_si512(to.as_mut_ptr().cast(), pairs);
        }
    }
);

/// A square of eight by eight.
///
/// # Safety
/// As for [`Vector::transpose`], with AVX2.
#[inline(always)]
pub(super) unsafe fn transpose_8(
    (from, stride): (*const u32, usize),
    (to, width): (*mut u32, usize),
) {
    // SAFETY: the caller vouches for the instructions and both squares.
    unsafe {
        let mut rows = [_mm256_setzero_ps(); 8];
        for (i, row) in rows.iter_mut().enumerate() {
            *row = _mm256_loadu_ps(from.add(i * stride).cast());
        }
        // Pairs of rows, then pairs of pairs, within halves; then the halves.
        let mut pairs = rows;
        for i in (0..8).step_by(2) {
            pairs[i] = _mm256_unpacklo_ps(rows[i], rows[i + 1]);
            pairs[i + 1] = _mm256_unpackhi_ps(rows[i], rows[i + 1]);
        }
        let mut fours = rows;
        for i in 0..4 {
            let first = i / 2 * 4 + i % 2;
            let a = _mm256_castps_pd(pairs[first]);
            let b = _mm256_castps_pd(pairs[first + 2]);
            fours[2 * i] = _mm256_castpd_ps(_mm256_unpacklo_pd(a, b));
            fours[2 * i + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(a, b));
        }
        for i in 0..4 {
            let (a, b) = (fours[i], fours[i + 4]);
            _mm256_storeu_ps(
                to.add(i * width).cast(),
                _mm256_permute2f128_ps::<0x20>(a, b),
            );
            _mm256_storeu_ps(
                to.add((i + 4) * width).cast(),
                _mm256_permute2f128_ps::<0x31>(a, b),
            );
        }
    }
}

/// A square of sixteen by sixteen.
///
/// # Safety
/// As for [`Vector::transpose`], with AVX-512.
#[inline(always)]
pub(super) unsafe fn transpose_16(
    (from, stride): (*const u32, usize),
    (to, width): (*mut u32, usize),
) {
    // SAFETY: the caller vouches for the instructions and both squares.
    unsafe {
        let mut rows = [_mm512_setzero_ps(); 16];
        for (i, row) in rows.iter_mut().enumerate() {
            *row = _mm512_loadu_ps(from.add(i * stride).cast());
        }
        // Pairs of rows, then pairs of pairs, within quarters of a register.
        let mut pairs = rows;
        for i in (0..16).step_by(2) {
            pairs[i] = _mm512_unpacklo_ps(rows[i], rows[i + 1]);
            pairs[i + 1] = _mm512_unpackhi_ps(rows[i], rows[i + 1]);
        }
        let mut fours = rows;
        for i in 0..8 {
            let first = i / 2 * 4 + i % 2;
            let a = _mm512_castps_pd(pairs[first]);
            let b = _mm512_castps_pd(pairs[first + 2]);
            fours[2 * i] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
            fours[2 * i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
        }
        // fours[4·g + c] holds columns c, c + 4, c + 8, c + 12 of rows 4·g to 4·g + 3: the quarters
        // are gathered by column.
        for c in 0..4 {
            let [a, b, d, e] = [fours[c], fours[4 + c], fours[8 + c], fours[12 + c]];
            let even = [
                _mm512_shuffle_f32x4::<0x88>(a, b),
                _mm512_shuffle_f32x4::<0x88>(d, e),
            ];
            let odd = [
                _mm512_shuffle_f32x4::<0xdd>(a, b),
                _mm512_shuffle_f32x4::<0xdd>(d, e),
            ];
            let columns = [
                _mm512_shuffle_f32x4::<0x88>(even[0], even[1]),
                _mm512_shuffle_f32x4::<0x88>(odd[0], odd[1]),
                _mm512_shuffle_f32x4::<0xdd>(even[0], even[1]),
                _mm512_shuffle_f32x4::<0xdd>(odd[0], odd[1]),
            ];
            for (i, column) in columns.iter().enumerate() {
                _mm512_storeu_ps(to.add((c + 4 * i) * width).cast(), *column);
            }
        }
    }
}
