//! [`LinearProbe`]: classes that are read off features by a linear layer.

use candle_core::Tensor;

use crate::error::Result;
use crate::source::Weights;

/// A linear layer over the unit features of a vision tower, which some weight files carry beside it.
///
/// `gen3d-mini` has one that tells the pose of an object: upright, upside down or lying.
#[derive(Clone, Debug)]
pub struct LinearProbe {
    /// [E, K].
    weight: Tensor,
    /// [K].
    bias: Tensor,
}

impl LinearProbe {
    /// `NAME.weight` `[K, E]` and `NAME.bias` `[K]` of a file; `weights` stands at `NAME`.
    pub(crate) fn load(weights: &Weights<'_>, classes: usize, embed_dim: usize) -> Result<Self> {
        let weight = weights.get_f32("weight", &[classes, embed_dim])?;
        Ok(Self {
            weight: weights.derive(|| Ok(weight.t()?.contiguous()?))?,
            bias: weights.get_f32("bias", &[classes])?,
        })
    }

    /// The number of classes, K.
    pub fn classes(&self) -> usize {
        self.bias.elem_count()
    }

    /// Logarithms of the classes' probabilities `[N, K]` for unit features `[N, E]`, in f32.
    ///
    /// # Errors
    /// [`Error::Tensor`](crate::Error::Tensor) where the features are not of this model.
    pub fn log_probabilities(&self, features: &Tensor) -> Result<Tensor> {
        let logits = features.matmul(&self.weight)?.broadcast_add(&self.bias)?;
        let largest = logits.max_keepdim(1)?;
        let logits = logits.broadcast_sub(&largest)?;
        let total = logits.exp()?.sum_keepdim(1)?.log()?;
        Ok(logits.broadcast_sub(&total)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn probabilities_sum_to_one_and_follow_the_logits() {
        let device = Device::Cpu;
        let probe = LinearProbe {
            weight: Tensor::new(&[[200f32, 0.], [0., 1.]], &device).unwrap(),
            bias: Tensor::new(&[0f32, 1.], &device).unwrap(),
        };
        assert_eq!(probe.classes(), 2);
        let features = Tensor::new(&[[1f32, 0.], [0., 1.]], &device).unwrap();
        let rows = probe.log_probabilities(&features).unwrap();
        let rows = rows.to_vec2::<f32>().unwrap();
        assert_eq!(rows[0], [0., -199.]);
        let odds = rows[1].iter().map(|x| x.exp()).collect::<Vec<_>>();
        assert!((odds[0] + odds[1] - 1.).abs() < 1e-6);
        assert!((odds[1] / odds[0] - 2f32.exp()).abs() < 1e-4);
    }
}
