//! Activations of one value.

use kernels::lanes::exp;

/// x·sigmoid(1.702x).
#[inline(always)]
pub(super) fn quick_gelu(x: f32) -> f32 {
    x / (1. + exp(-1.702 * x))
}

/// x·Φ(x) with the exact error function.
pub(super) fn gelu(x: f32) -> f32 {
    0.5 * x * (1. + candle_core::cpu::erf::erf_f32(x * std::f32::consts::FRAC_1_SQRT_2))
}
