//! Random starts that can be had again.

mod mersenne;
mod philox;
mod torch;

use std::ops::Range;

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

pub use torch::TorchGenerator;

use crate::error::Result;

/// Where a run's noise comes from.
///
/// Noise is always made on the CPU in f32, so that every device starts from the same numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "generator", content = "seed", rename_all = "kebab-case")]
pub enum Seed {
    /// A counter-based generator (Philox): picture `i` of a run has its own stream, which does not
    /// depend on how many pictures there are, on the batch, or on the machine.
    Counter(u64),
    /// PyTorch's CPU generator, one for the whole run as `torch.Generator().manual_seed(seed)` is
    /// in diffusers: draws are of all pictures at once, so picture `i` does depend on their number.
    Torch(u64),
}

impl Default for Seed {
    fn default() -> Self {
        Self::Counter(0)
    }
}

/// The noise of one run: draw number `n` is a unit normal tensor for all its pictures.
///
/// ```
/// use image_variation::noise::{Noise, Seed};
///
/// let mut four = Noise::new(Seed::Counter(7), 4, &[4, 8, 8]);
/// let mut one = Noise::new(Seed::Counter(7), 1, &[4, 8, 8]);
/// let first = one.draw(0, 0..1)?;
/// assert_eq!(first.dims(), [1, 4, 8, 8]);
/// let same = four.draw(0, 0..2)?.narrow(0, 0, 1)?;
/// assert_eq!(first.flatten_all()?.to_vec1::<f32>()?, same.flatten_all()?.to_vec1::<f32>()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Noise {
    source: Source,
    images: usize,
    shape: Vec<usize>,
}

#[derive(Debug)]
enum Source {
    Counter(u64),
    /// Draws so far are kept: pictures that are made later need the same ones.
    Torch {
        generator: Box<TorchGenerator>,
        drawn: Vec<Tensor>,
    },
}

impl Noise {
    /// Noise for `images` pictures, each of `shape` (without the batch axis).
    pub fn new(seed: Seed, images: usize, shape: &[usize]) -> Self {
        let source = match seed {
            Seed::Counter(seed) => Source::Counter(seed),
            Seed::Torch(seed) => Source::Torch {
                generator: Box::new(TorchGenerator::new(seed)),
                drawn: Vec::new(),
            },
        };
        Self {
            source,
            images,
            shape: shape.to_vec(),
        }
    }

    /// Draw number `number` for the pictures `images` of the run, f32 on the CPU. Draws may be
    /// asked for in any order and again.
    ///
    /// # Errors
    /// [`Error::Tensor`](crate::Error::Tensor) if memory is short, or `images` go beyond the run.
    pub fn draw(&mut self, number: u32, images: Range<usize>) -> Result<Tensor> {
        let each: usize = self.shape.iter().product();
        let batch = |count: usize| [&[count], self.shape.as_slice()].concat();
        match &mut self.source {
            Source::Counter(seed) => {
                let mut values = Vec::with_capacity(images.len() * each);
                for image in images.clone() {
                    philox::normals(*seed, image as u64, number, each, &mut values);
                }
                Ok(Tensor::from_vec(values, batch(images.len()), &Device::Cpu)?)
            }
            Source::Torch { generator, drawn } => {
                while drawn.len() <= number as usize {
                    let values = generator.randn(self.images * each);
                    drawn.push(Tensor::from_vec(values, batch(self.images), &Device::Cpu)?);
                }
                let all = &drawn[number as usize];
                Ok(all.narrow(0, images.start, images.len())?)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn a_picture_of_the_counter_does_not_depend_on_the_others() {
        let mut many = Noise::new(Seed::Counter(5), 6, &[4, 2, 3]);
        let mut few = Noise::new(Seed::Counter(5), 3, &[4, 2, 3]);
        let a = many.draw(3, 2..3).unwrap();
        assert_eq!(values(&a), values(&few.draw(3, 2..3).unwrap()));
        assert_ne!(values(&a), values(&few.draw(2, 2..3).unwrap()));
        assert_ne!(values(&a), values(&few.draw(3, 1..2).unwrap()));
        let other = Noise::new(Seed::Counter(6), 3, &[4, 2, 3])
            .draw(3, 2..3)
            .unwrap();
        assert_ne!(values(&a), values(&other));
    }

    #[test]
    fn draws_of_torch_are_for_the_whole_run_and_can_be_had_again() {
        let mut noise = Noise::new(Seed::Torch(9), 2, &[1, 4, 4]);
        let second = noise.draw(1, 0..2).unwrap();
        let again = noise.draw(1, 1..2).unwrap();
        assert_eq!(values(&second)[16..], values(&again));
        let mut generator = TorchGenerator::new(9);
        assert_eq!(values(&noise.draw(0, 0..2).unwrap()), generator.randn(32));
        assert_eq!(values(&second), generator.randn(32));
        assert!(noise.draw(0, 1..3).is_err());
    }
}
