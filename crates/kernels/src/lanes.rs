//! Functions of one row and of one value, written so that loops over them become vector code.

/// Sixteen running results over a row, which the compiler keeps in vector registers.
#[inline(always)]
pub fn running(row: &[f32], start: f32, step: impl Fn(f32, f32) -> f32) -> [f32; 16] {
    let mut lanes = [start; 16];
    let chunks = row.chunks_exact(16);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane = step(*lane, *x);
        }
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        *lane = step(*lane, *x);
    }
    lanes
}

/// The sum, in sixteen parts.
#[inline(always)]
pub fn sum(row: &[f32]) -> f32 {
    running(row, 0., |sum, x| sum + x).iter().sum()
}

/// The sum of the squares, in sixteen parts.
#[inline(always)]
pub fn sum_of_squares(row: &[f32]) -> f32 {
    running(row, 0., |sum, x| sum + x * x).iter().sum()
}

/// The largest value; NaN is passed over.
#[inline(always)]
pub fn largest(row: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    running(row, f32::NEG_INFINITY, larger)
        .into_iter()
        .fold(f32::NEG_INFINITY, larger)
}

/// eˣ to about one unit in the last place, without a branch so that loops over it vectorise:
/// x = n·ln 2 + r with |r| ≤ ln 2 / 2, a polynomial for eʳ, and n into the exponent bits.
/// Beyond ±87 the result is held there; NaN stays NaN, and −∞ gives zero.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    exp_by(x, |a, b, c| a * b + c)
}

/// [`exp`] with a·b + c as the caller's instructions have it.
#[inline(always)]
pub(crate) fn exp_by(x: f32, add: impl Fn(f32, f32, f32) -> f32) -> f32 {
    /// Added to a small number, it leaves the nearest integer in the low bits of the mantissa.
    const ROUND: f32 = 12_582_912.;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let held = if x < -87. { -87. } else { x };
    let held = if held > 87. { 87. } else { held };
    let shifted = add(held, std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = add(-n, LN_2_LOW, add(-n, LN_2_HIGH, held));
    let p = 1.987_569_1e-4;
    let p = add(p, r, 1.398_2e-3);
    let p = add(p, r, 8.333_452e-3);
    let p = add(p, r, 4.166_579_6e-2);
    let p = add(p, r, 0.166_666_65);
    let p = add(p, r, 0.5);
    let p = add(p, r * r, r) + 1.;
    let power = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    if x < -87. { 0. } else { p * power }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_right_to_the_last_digits() {
        for i in -8_700..8_700 {
            let x = i as f32 / 100.;
            let exact = f64::from(x).exp();
            for value in [exp(x), exp_by(x, f32::mul_add)] {
                let relative = (f64::from(value) - exact).abs() / exact;
                assert!(relative < 2e-7, "exp({x}) is off by {relative}");
            }
        }
        assert_eq!((exp(f32::NEG_INFINITY), exp(0.)), (0., 1.));
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn rows_of_any_length_are_reduced() {
        for length in 0..70 {
            let row: Vec<f32> = (0..length).map(|i| (i * 7 % 11) as f32 - 5.).collect();
            assert_eq!(sum(&row), row.iter().sum::<f32>());
            assert_eq!(sum_of_squares(&row), row.iter().map(|x| x * x).sum::<f32>());
            assert_eq!(
                largest(&row),
                row.iter().copied().fold(f32::NEG_INFINITY, f32::max)
            );
        }
        assert_eq!(largest(&[f32::NAN, 1., f32::NAN]), 1.);
    }
}
