//! Which input samples make an output sample, and with which weights.

use std::ops::Range;

use super::Filter;

/// Weights of a resampling along one axis: output i is the weighted sum of consecutive inputs.
#[derive(Clone, Debug)]
pub(crate) struct Taps {
    outputs: Vec<Tap>,
    weights: Vec<f64>,
}

#[derive(Clone, Debug)]
struct Tap {
    /// First input sample.
    first: usize,
    weights: Range<usize>,
}

impl Taps {
    /// Pillow's weights, and PyTorch's with antialiasing: when shrinking, the kernel is as much
    /// wider as the output is smaller.
    ///
    /// Only the outputs in `kept`, of `to` in all, are worked out.
    pub(crate) fn antialiased(filter: Filter, from: usize, to: usize, kept: Range<usize>) -> Self {
        let scale = from as f64 / to as f64;
        let widening = scale.max(1.);
        let support = widening
            * match filter {
                Filter::Bilinear => 1.,
                Filter::Bicubic => 2.,
            };
        let mut taps = Self::with_capacity(kept.len());
        for output in kept {
            let centre = (output as f64 + 0.5) * scale;
            // The casts truncate and clamp at 0, as the reference does.
            let first = (centre - support + 0.5) as usize;
            let end = ((centre + support + 0.5) as usize).min(from);
            let kernel = |x: f64| match filter {
                Filter::Bilinear => (1. - x.abs()).max(0.),
                Filter::Bicubic => cubic(x, -0.5),
            };
            let weights = (first..end).map(|j| kernel((j as f64 - centre + 0.5) / widening));
            taps.push(first, weights);
        }
        taps
    }

    /// PyTorch's weights without antialiasing: interpolation between the nearest samples, those
    /// beyond the border replaced by the border's.
    pub(crate) fn interpolating(
        filter: Filter,
        from: usize,
        to: usize,
        kept: Range<usize>,
    ) -> Self {
        let scale = from as f64 / to as f64;
        let last = from.saturating_sub(1) as i64;
        let mut taps = Self::with_capacity(kept.len());
        for output in kept {
            let source = (output as f64 + 0.5) * scale - 0.5;
            let (source, reach) = match filter {
                Filter::Bilinear => (source.max(0.), 0..=1),
                Filter::Bicubic => (source, -1..=2),
            };
            let base = source.floor();
            let part = source - base;
            let kernel = |offset: i64| match filter {
                Filter::Bilinear => 1. - (offset as f64 - part).abs(),
                Filter::Bicubic => cubic(offset as f64 - part, -0.75),
            };
            let at = |offset: i64| (base as i64 + offset).clamp(0, last) as usize;
            let (first, end) = (at(*reach.start()), at(*reach.end()));
            let mut weights = vec![0.; end - first + 1];
            for offset in reach {
                weights[at(offset) - first] += kernel(offset);
            }
            taps.push(first, weights.into_iter());
        }
        taps
    }

    fn with_capacity(to: usize) -> Self {
        Self {
            outputs: Vec::with_capacity(to),
            weights: Vec::with_capacity(to * 4),
        }
    }

    fn push(&mut self, first: usize, weights: impl Iterator<Item = f64>) {
        let start = self.weights.len();
        self.weights.extend(weights);
        let total: f64 = self.weights[start..].iter().sum();
        if total != 0. {
            self.weights[start..].iter_mut().for_each(|w| *w /= total);
        }
        self.outputs.push(Tap {
            first,
            weights: start..self.weights.len(),
        });
    }

    /// The same weights for an axis of `length` samples of which the present one is the part from
    /// `start` on. What lies beyond that axis counts as 0.
    pub(crate) fn within(mut self, start: isize, length: usize) -> Self {
        for tap in &mut self.outputs {
            let at = |index: usize| (index as isize + start).clamp(0, length as isize) as usize;
            let (first, end) = (at(tap.first), at(tap.first + tap.weights.len()));
            let before = first as isize - (tap.first as isize + start);
            let skipped = (before.max(0) as usize).min(tap.weights.len());
            tap.weights.start += skipped;
            tap.weights.end = tap.weights.start + (end - first);
            tap.first = first;
        }
        self
    }

    /// Number of outputs.
    pub(crate) fn len(&self) -> usize {
        self.outputs.len()
    }

    /// The inputs that any output needs.
    pub(crate) fn inputs(&self) -> Range<usize> {
        let used = || self.outputs.iter().filter(|tap| !tap.weights.is_empty());
        let first = used().map(|tap| tap.first).min().unwrap_or(0);
        let end = used()
            .map(|tap| tap.first + tap.weights.len())
            .max()
            .unwrap_or(0);
        first..end
    }

    /// For each output its first input and weights.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &[f64])> {
        self.outputs
            .iter()
            .map(|tap| (tap.first, &self.weights[tap.weights.clone()]))
    }
}

/// Keys' cubic convolution kernel.
fn cubic(x: f64, a: f64) -> f64 {
    let x = x.abs();
    if x < 1. {
        ((a + 2.) * x - (a + 3.)) * x * x + 1.
    } else if x < 2. {
        (((x - 5.) * x + 8.) * x - 4.) * a
    } else {
        0.
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_one_and_stay_inside() {
        for filter in [Filter::Bilinear, Filter::Bicubic] {
            for (from, to) in [
                (1, 1),
                (1, 7),
                (7, 1),
                (201, 64),
                (45, 64),
                (5, 5),
                (1000, 3),
            ] {
                for taps in [
                    Taps::antialiased(filter, from, to, 0..to),
                    Taps::interpolating(filter, from, to, 0..to),
                ] {
                    assert_eq!(taps.len(), to);
                    for (first, weights) in taps.iter() {
                        assert!(first + weights.len() <= from && !weights.is_empty());
                        assert!((weights.iter().sum::<f64>() - 1.).abs() < 1e-12);
                    }
                }
            }
        }
    }

    #[test]
    fn one_to_one_is_the_identity() {
        for filter in [Filter::Bilinear, Filter::Bicubic] {
            for taps in [
                Taps::antialiased(filter, 9, 9, 0..9),
                Taps::interpolating(filter, 9, 9, 0..9),
            ] {
                for (i, (first, weights)) in taps.iter().enumerate() {
                    for (j, w) in weights.iter().enumerate() {
                        assert_eq!(*w, if first + j == i { 1. } else { 0. });
                    }
                }
            }
        }
    }

    #[test]
    fn a_crop_needs_fewer_inputs() {
        let taps = Taps::antialiased(Filter::Bicubic, 100, 50, 10..40);
        assert_eq!(taps.len(), 30);
        assert_eq!(taps.inputs(), 17..83);
    }

    #[test]
    fn a_window_may_reach_beyond_its_axis() {
        let sum = |taps: &Taps, values: &[f64]| -> Vec<f64> {
            let weighed = |(first, weights): (usize, &[f64])| {
                weights
                    .iter()
                    .zip(&values[first..])
                    .map(|(w, v)| w * v)
                    .sum()
            };
            taps.iter().map(weighed).collect()
        };
        let values = [1., 2., 3., 4.];
        let padded = [0., 0., 0., 1., 2., 3., 4., 0., 0.];
        for (filter, to) in [
            (Filter::Bilinear, 3),
            (Filter::Bicubic, 20),
            (Filter::Bicubic, 2),
        ] {
            let whole = Taps::antialiased(filter, 9, to, 0..to);
            let part = whole.clone().within(-3, 4);
            assert!(part.inputs().end <= 4);
            let (whole, part) = (sum(&whole, &padded), sum(&part, &values));
            assert!(whole.iter().zip(part).all(|(a, b)| (a - b).abs() < 1e-12));
            // And one inside of it.
            let inner = Taps::antialiased(filter, 2, to, 0..to);
            assert_eq!(
                sum(&inner, &values[1..3]),
                sum(&inner.clone().within(1, 4), &values)
            );
        }
    }
}
