//! [`Activation`]: what a layer's output goes through.

use crate::lanes::exp_by;

/// A function of each value, applied while a product is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Activation {
    /// x.
    #[default]
    Identity,
    /// x·sigmoid(1.702x).
    QuickGelu,
    /// x·Φ(x), with the error function to 2e-7.
    Gelu,
    /// The larger of x and 0; NaN stays NaN.
    Relu,
    /// x·sigmoid(x).
    Silu,
}

impl Activation {
    /// Applies it to every value of a row; `add` is a·b + c as the caller's instructions have it.
    #[inline(always)]
    pub(crate) fn apply(self, row: &mut [f32], add: impl Fn(f32, f32, f32) -> f32 + Copy) {
        match self {
            Self::Identity => {}
            Self::QuickGelu => row.iter_mut().for_each(|x| *x = quick_gelu_by(*x, add)),
            Self::Gelu => row.iter_mut().for_each(|x| *x = gelu_by(*x, add)),
            Self::Relu => row
                .iter_mut()
                .for_each(|x| *x = if *x < 0. { 0. } else { *x }),
            Self::Silu => row.iter_mut().for_each(|x| *x = silu_by(*x, add)),
        }
    }
}

/// x·sigmoid(x).
#[inline(always)]
pub fn silu(x: f32) -> f32 {
    silu_by(x, plain)
}

#[inline(always)]
fn silu_by(x: f32, add: impl Fn(f32, f32, f32) -> f32) -> f32 {
    x / (1. + exp_by(-x, add))
}

/// x·sigmoid(1.702x).
#[inline(always)]
pub fn quick_gelu(x: f32) -> f32 {
    quick_gelu_by(x, plain)
}

#[inline(always)]
fn quick_gelu_by(x: f32, add: impl Fn(f32, f32, f32) -> f32) -> f32 {
    x / (1. + exp_by(-1.702 * x, add))
}

#[inline(always)]
fn plain(a: f32, b: f32, c: f32) -> f32 {
    a * b + c
}

/// x·Φ(x), without a branch: the error function of Abramowitz and Stegun, 7.1.26, whose absolute
/// error is at most 1.5e-7.
#[inline(always)]
pub fn gelu(x: f32) -> f32 {
    gelu_by(x, plain)
}

#[inline(always)]
pub(crate) fn gelu_by(x: f32, add: impl Fn(f32, f32, f32) -> f32 + Copy) -> f32 {
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1. / add(0.327_591_1, z, 1.);
    let p = 1.061_405_4;
    let p = add(p, t, -1.453_152);
    let p = add(p, t, 1.421_413_7);
    let p = add(p, t, -0.284_496_74);
    let p = add(p, t, 0.254_829_6);
    // Half of 1 − erf(|x|/√2): what Φ lacks of 1 on this side, and has of it on the other.
    let tail = 0.5 * p * t * exp_by(-z * z, add);
    if x < 0. { x * tail } else { x * (1. - tail) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gelu_is_the_exact_one() {
        for i in -4_000..4_000 {
            let x = i as f32 / 400.;
            let exact = f64::from(x)
                * 0.5
                * (1.
                    + candle_core::cpu::erf::erf_f64(
                        f64::from(x) * std::f64::consts::FRAC_1_SQRT_2,
                    ));
            let error = (f64::from(gelu(x)) - exact).abs();
            assert!(error < 2e-7 * f64::from(x.abs()).max(1.), "{x}: {error}");
        }
        assert!(gelu(f32::NAN).is_nan() && quick_gelu(f32::NAN).is_nan());
    }

    #[test]
    fn rows_go_through_all() {
        let mut row = [-1f32, 0., 2., f32::NAN];
        Activation::Identity.apply(&mut row, plain);
        assert_eq!(row[..3], [-1., 0., 2.]);
        Activation::Relu.apply(&mut row, plain);
        assert_eq!(row[..3], [0., 0., 2.]);
        assert!(row[3].is_nan());
        let mut row = [-1f32, 2.];
        Activation::QuickGelu.apply(&mut row, plain);
        assert!((row[0] + 0.154_204_4).abs() < 1e-6 && (row[1] - 1.935_661).abs() < 1e-5);
        let mut row = [-1f32, 2., f32::NAN];
        Activation::Silu.apply(&mut row, plain);
        assert!((row[0] + 0.268_941_4).abs() < 1e-6 && (row[1] - 1.761_594_2).abs() < 1e-6);
        assert!(row[2].is_nan());
    }
}
