//! [`GroupNorm`] of maps whose channels lie innermost.

use rayon::prelude::*;

use crate::activation::Activation;
use crate::instructions::Instructions;
use crate::kernel::{Kernel, Precision, run_on_floats};
use crate::rows::VALUES_PER_TASK;
use crate::simd::Floats;

/// Rows that are summed in f32 before the sums go on in f64.
const RUN: usize = 64;

/// Group normalisation (Wu and He 2018) and the activation behind it.
#[derive(Clone, Copy, Debug)]
pub struct GroupNorm<'a> {
    /// Factor of each channel, `[C]`.
    pub weight: &'a [f32],
    /// Added to each channel, `[C]`.
    pub bias: &'a [f32],
    /// Number of groups, which divides C.
    pub groups: usize,
    /// Added to the variance.
    pub eps: f32,
    /// The last step.
    pub activation: Activation,
}

/// y = x·factor + offset for each channel of one item.
struct Scaling {
    factors: Vec<f32>,
    offsets: Vec<f32>,
}

impl GroupNorm<'_> {
    /// Normalises one item `x` [N, C] over N and the channels of each group, to `to` [N, C], on the
    /// threads of the caller's rayon pool. The result does not depend on their number.
    ///
    /// # Panics
    /// If the groups do not divide C, or a slice does not have the length that its shape asks for.
    pub fn write(&self, x: &[f32], to: &mut [f32]) {
        let channels = self.weight.len();
        assert!(self.groups > 0 && channels > 0 && channels.is_multiple_of(self.groups));
        assert_eq!(self.bias.len(), channels);
        assert!(x.len().is_multiple_of(channels) && x.len() == to.len());
        if x.is_empty() {
            return;
        }
        let kernel = Kernel::new(Instructions::best(), Precision::F32);
        let scaling = &self.scaling(kernel, x);
        let values = (VALUES_PER_TASK / channels).max(1) * channels;
        let activation = self.activation;
        to.par_chunks_mut(values)
            .zip(x.par_chunks(values))
            .for_each(|(to, x)| {
                run_on_floats!(
                    kernel,
                    scale(
                        x: &[f32] = x,
                        scaling: &Scaling = scaling,
                        activation: Activation = activation,
                        to: &mut [f32] = to,
                    )
                );
            });
    }

    /// One pass over `x`: sums of the differences to the first row, and of their squares, so that
    /// values far from zero keep the digits of their variance.
    fn scaling(&self, kernel: Kernel, x: &[f32]) -> Scaling {
        let channels = self.weight.len();
        let group = channels / self.groups;
        // One centre for each group: the mean of the first row.
        let centres: Vec<f32> = x[..channels]
            .chunks_exact(group)
            .flat_map(|first| std::iter::repeat_n(first.iter().sum::<f32>() / group as f32, group))
            .collect();
        let centres = &centres[..];
        let parts: Vec<Vec<f32>> = x
            .par_chunks(RUN * channels)
            .map(|rows| {
                let mut sums = vec![0f32; 2 * channels];
                let to = &mut sums[..];
                run_on_floats!(
                    kernel,
                    sum(rows: &[f32] = rows, centres: &[f32] = centres, to: &mut [f32] = to)
                );
                sums
            })
            .collect();
        let mut sums = vec![0f64; 2 * channels];
        for part in parts {
            sums.iter_mut()
                .zip(part)
                .for_each(|(sum, x)| *sum += f64::from(x));
        }
        let count = (x.len() / self.groups) as f64;
        let (mut factors, mut offsets) = (vec![0f32; channels], vec![0f32; channels]);
        for start in (0..channels).step_by(group) {
            let mean_of = |from: usize| sums[from..from + group].iter().sum::<f64>() / count;
            let (shift, square) = (mean_of(start), mean_of(channels + start));
            let mean = f64::from(centres[start]) + shift;
            let variance = (square - shift * shift).max(0.);
            let inverse = 1. / (variance + f64::from(self.eps)).sqrt();
            for c in start..start + group {
                let factor = f64::from(self.weight[c]) * inverse;
                factors[c] = factor as f32;
                offsets[c] = (f64::from(self.bias[c]) - mean * factor) as f32;
            }
        }
        Scaling { factors, offsets }
    }
}

/// Adds the differences of rows to their centres to the first half of `to`, the squares to the
/// second.
///
/// # Safety
/// As for [`Floats`].
#[inline(always)]
unsafe fn sum<V: Floats>(rows: &[f32], centres: &[f32], to: &mut [f32]) {
    let (sums, squares) = to.split_at_mut(centres.len());
    for row in rows.chunks_exact(centres.len()) {
        let to = sums.iter_mut().zip(squares.iter_mut());
        for (((sum, square), x), centre) in to.zip(row).zip(centres) {
            let difference = x - centre;
            *sum += difference;
            *square += difference * difference;
        }
    }
}

/// # Safety
/// As for [`Floats`].
#[inline(always)]
unsafe fn scale<V: Floats>(x: &[f32], scaling: &Scaling, activation: Activation, to: &mut [f32]) {
    let channels = scaling.factors.len();
    for (to, x) in to.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
        let parameters = scaling.factors.iter().zip(&scaling.offsets);
        for ((to, x), (factor, offset)) in to.iter_mut().zip(x).zip(parameters) {
            *to = x * factor + offset;
        }
        activation.apply(to, V::multiply_add);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The plain twin, in f64.
    fn plain(norm: &GroupNorm<'_>, x: &[f32]) -> Vec<f32> {
        let channels = norm.weight.len();
        let group = channels / norm.groups;
        let of_group = |g: usize| {
            let values = x.iter().enumerate();
            values
                .filter(move |(i, _)| i % channels / group == g)
                .map(|(_, x)| f64::from(*x))
        };
        let count = (x.len() / norm.groups) as f64;
        let means: Vec<f64> = (0..norm.groups)
            .map(|g| of_group(g).sum::<f64>() / count)
            .collect();
        let variance = |g: usize| of_group(g).map(|x| (x - means[g]).powi(2)).sum::<f64>() / count;
        let inverses: Vec<f64> = (0..norm.groups)
            .map(|g| 1. / (variance(g) + f64::from(norm.eps)).sqrt())
            .collect();
        let at = |(i, x): (usize, &f32)| {
            let (c, g) = (i % channels, i % channels / group);
            let y = (f64::from(*x) - means[g]) * inverses[g];
            (y * f64::from(norm.weight[c]) + f64::from(norm.bias[c])) as f32
        };
        let mut y: Vec<f32> = x.iter().enumerate().map(at).collect();
        norm.activation.apply(&mut y, |a, b, c| a * b + c);
        y
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_shape(
            rows in 1usize..200,
            group in 1usize..20,
            groups in 1usize..5,
            centre in -30f32..30.,
            silu in any::<bool>(),
        ) {
            let channels = group * groups;
            let noise = |i: usize| (i * i * 7_919 + i * 31) % 2_003;
            let noise = |i: usize| noise(i) as f32 / 1_001. - 1.;
            let x: Vec<f32> = (0..rows * channels).map(|i| noise(i) + centre).collect();
            let weight: Vec<f32> = (0..channels).map(|i| noise(i + 5)).collect();
            let bias: Vec<f32> = (0..channels).map(|i| noise(i + 9)).collect();
            let norm = GroupNorm {
                weight: &weight,
                bias: &bias,
                groups,
                eps: 1e-3,
                activation: if silu { Activation::Silu } else { Activation::Identity },
            };
            let mut y = vec![7f32; x.len()];
            norm.write(&x, &mut y);
            for (got, wanted) in y.iter().zip(plain(&norm, &x)) {
                // x·factor loses digits where x is far from zero.
                prop_assert!((got - wanted).abs() <= 1e-4 * (1. + centre.abs()), "{got}, not {wanted}");
            }
        }
    }

    #[test]
    fn the_number_of_threads_does_not_change_a_byte() {
        let x: Vec<f32> = (0..1_000 * 96).map(|i| (i * 31 % 977) as f32).collect();
        let norm = GroupNorm {
            weight: &[1.; 96],
            bias: &[0.; 96],
            groups: 8,
            eps: 1e-5,
            activation: Activation::Silu,
        };
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let mut y = vec![0f32; x.len()];
            pool.unwrap().install(|| norm.write(&x, &mut y));
            y
        };
        assert_eq!(run(1), run(3));
    }
}
