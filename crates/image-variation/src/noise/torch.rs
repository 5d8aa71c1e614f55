//! PyTorch's generator on the CPU, for runs that are compared with it.

use super::mersenne::Mersenne;

/// Draws of this many values and more take the block transform.
const BLOCK: usize = 16;

/// `torch.Generator("cpu").manual_seed(seed)`.
///
/// Values of `randn` are equal to PyTorch's to 2e-6; PyTorch itself differs by as much between
/// machines with and without AVX2. f16 and bf16 draws and CUDA generators are others.
///
/// ```
/// use image_variation::noise::TorchGenerator;
///
/// let mut generator = TorchGenerator::new(42);
/// let values = generator.randn(3); // torch.manual_seed(42); torch.randn(3)
/// assert!((values[0] - 0.336_690_34).abs() < 2e-6);
/// ```
#[derive(Debug, Clone)]
pub struct TorchGenerator {
    engine: Mersenne,
    /// Second value of the last pair of a short draw.
    cached: Option<f64>,
}

impl TorchGenerator {
    /// Seeds the generator; as in PyTorch, only the low 32 bits count.
    pub fn new(seed: u64) -> Self {
        Self {
            engine: Mersenne::new(seed as u32),
            cached: None,
        }
    }

    /// `torch.rand(count)` in f32.
    pub fn rand(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.uniform()).collect()
    }

    /// `torch.randn(count)` in f32; the size alone decides the values, not the shape.
    pub fn randn(&mut self, count: usize) -> Vec<f32> {
        if count < BLOCK {
            return (0..count).map(|_| self.normal() as f32).collect();
        }
        let mut values = self.rand(count);
        for block in values.chunks_exact_mut(BLOCK) {
            to_normal(block);
        }
        if !count.is_multiple_of(BLOCK) {
            // The last 16 are drawn again, over those already transformed.
            let tail = &mut values[count - BLOCK..];
            for value in tail.iter_mut() {
                *value = self.uniform();
            }
            to_normal(tail);
        }
        values
    }

    fn uniform(&mut self) -> f32 {
        (self.engine.next_u32() & 0xff_ffff) as f32 / 16_777_216.
    }

    fn uniform_f64(&mut self) -> f64 {
        let high = u64::from(self.engine.next_u32());
        let low = u64::from(self.engine.next_u32());
        let bits = (high << 32 | low) & ((1 << 53) - 1);
        bits as f64 / 9_007_199_254_740_992.
    }

    fn normal(&mut self) -> f64 {
        if let Some(value) = self.cached.take() {
            return value;
        }
        let angle = std::f64::consts::TAU * self.uniform_f64();
        let radius = (-2. * (-self.uniform_f64()).ln_1p()).sqrt();
        self.cached = Some(radius * angle.sin());
        radius * angle.cos()
    }
}

/// Box–Muller on a block of 16 uniform values, all in single precision.
fn to_normal(block: &mut [f32]) {
    let (first, second) = block.split_at_mut(BLOCK / 2);
    for (a, b) in first.iter_mut().zip(second) {
        let radius = (-2. * (1. - *a).ln()).sqrt();
        let angle = std::f32::consts::TAU * *b;
        *a = radius * angle.cos();
        *b = radius * angle.sin();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::golden::{self, assert_within, values};

    #[test]
    fn the_engine_and_uniform_draws_are_equal() {
        let mut engine = Mersenne::new(42);
        let raw = golden::integers("rng/u32_s42");
        assert!(
            raw.iter()
                .all(|&wanted| i64::from(engine.next_u32()) == wanted)
        );
        assert_eq!(TorchGenerator::new(42).rand(20), values("rng/uniform_s42"));
    }

    #[test]
    fn normal_draws_of_every_length_are_equal() {
        let mut compared = 0;
        for name in golden::names("rng/s") {
            let Some((seed, count)) = name[5..].split_once("/n") else {
                continue;
            };
            let (Ok(seed), Ok(count)) = (seed.parse(), count.parse()) else {
                continue;
            };
            let got = TorchGenerator::new(seed).randn(count);
            assert_within(&got, &values(&name), 2e-6, &name);
            compared += 1;
        }
        assert!(compared >= 30, "{compared}");
        let long = TorchGenerator::new(42).randn(16_384);
        assert_within(&long[..64], &values("rng/s42/n16384_head"), 2e-6, "head");
        assert_within(
            &long[16_320..],
            &values("rng/s42/n16384_tail"),
            2e-6,
            "tail",
        );
        let odd = TorchGenerator::new(42).randn(16_389);
        assert_within(
            &odd[16_325..],
            &values("rng/s42/n16389_tail"),
            2e-6,
            "odd tail",
        );
    }

    #[test]
    fn the_second_value_of_a_pair_survives_calls() {
        let mut generator = TorchGenerator::new(9);
        let got: Vec<f32> = [5, 5, 16, 3, 20, 1, 1]
            .into_iter()
            .flat_map(|n| generator.randn(n))
            .collect();
        assert_within(&got, &values("rng/seq_s9"), 2e-6, "sequence");
    }
}
