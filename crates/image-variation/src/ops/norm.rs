//! Group and layer normalisation, with the activation behind it in the same pass.

use candle_core::{DType, Module, Tensor};
use kernels::Activation;
use kernels::gemm::{Matrix, Normalised};

use super::values::{Values, tensor};
use super::{CandleResult, FeatureMap, silu};
use crate::error::Result;

/// What follows a normalisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    Nothing,
    Silu,
}

/// Group normalisation (Wu and He 2018); parameters and arithmetic are f32.
#[derive(Debug)]
pub(crate) struct GroupNorm {
    weight: Tensor,
    bias: Tensor,
    groups: usize,
    eps: f64,
}

impl GroupNorm {
    /// `groups` divides the number of channels.
    pub(crate) fn new(weight: Tensor, bias: Tensor, groups: usize, eps: f64) -> Self {
        Self {
            weight,
            bias,
            groups,
            eps,
        }
    }

    pub(crate) fn forward(&self, x: &FeatureMap, then: Then) -> Result<FeatureMap> {
        let data = if x.is_channels_last() {
            self.on_cpu(x, then)?
        } else {
            self.on_device(x, then)?
        };
        Ok(FeatureMap { data, ..*x })
    }

    fn on_cpu(&self, x: &FeatureMap, then: Then) -> Result<Tensor> {
        let (_, rows, channels) = x.data.dims3()?;
        let (weight, bias) = (Values::of(&self.weight), Values::of(&self.bias));
        let norm = kernels::GroupNorm {
            weight: weight.contiguous()?,
            bias: bias.contiguous()?,
            groups: self.groups,
            eps: self.eps as f32,
            activation: match then {
                Then::Nothing => Activation::Identity,
                Then::Silu => Activation::Silu,
            },
        };
        if norm.weight.len() != channels {
            let said = format!("a group norm of width {} on {channels}", norm.weight.len());
            return Err(candle_core::Error::msg(said).into());
        }
        let data = x.data.contiguous()?;
        let read = Values::of(&data);
        let from = read.contiguous()?;
        let mut to = vec![0f32; from.len()];
        let item = (rows * channels).max(1);
        for (from, to) in from.chunks_exact(item).zip(to.chunks_exact_mut(item)) {
            norm.write(from, to);
        }
        tensor(to, data.shape())
    }

    fn on_device(&self, x: &FeatureMap, then: Then) -> Result<Tensor> {
        let norm = candle_nn::GroupNorm::new(
            self.weight.to_dtype(x.data.dtype())?,
            self.bias.to_dtype(x.data.dtype())?,
            x.channels()?,
            self.groups,
            self.eps,
        )?;
        let data = norm.forward(&x.data)?;
        match then {
            Then::Nothing => Ok(data),
            Then::Silu => silu(&data),
        }
    }
}

/// Layer normalisation over the last axis; parameters and arithmetic are f32.
#[derive(Debug)]
pub(crate) struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    eps: f32,
}

impl LayerNorm {
    pub(crate) fn new(weight: Tensor, bias: Tensor, eps: f32) -> Self {
        Self { weight, bias, eps }
    }

    /// The parameters on a CPU, for products that normalise their rows.
    pub(super) fn parameters(&self) -> LayerNormParameters<'_> {
        LayerNormParameters {
            weight: Values::of(&self.weight),
            bias: Values::of(&self.bias),
            eps: self.eps,
        }
    }

    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if x.device().is_cpu() {
            let x = x.contiguous()?;
            let read = Values::of(&x);
            let from = read.contiguous()?;
            let mut to = vec![0f32; from.len()];
            self.parameters().of(from)?.write(&mut to);
            return tensor(to, x.shape());
        }
        let wide = x.to_dtype(DType::F32)?.contiguous()?;
        let y = candle_nn::ops::layer_norm(&wide, &self.weight, &self.bias, self.eps)?;
        Ok(y.to_dtype(x.dtype())?)
    }
}

/// The parameters of a [`LayerNorm`] as slices.
pub(super) struct LayerNormParameters<'a> {
    weight: Values<'a>,
    bias: Values<'a>,
    eps: f32,
}

impl LayerNormParameters<'_> {
    /// The normalised rows of `x`.
    pub(super) fn of<'b>(&'b self, x: &'b [f32]) -> CandleResult<Normalised<'b>> {
        let (weight, bias) = (self.weight.contiguous()?, self.bias.contiguous()?);
        if weight.is_empty() || !x.len().is_multiple_of(weight.len()) || weight.len() != bias.len()
        {
            candle_core::bail!("{} values are not rows of {}", x.len(), weight.len());
        }
        let rows = Matrix::new(x, weight.len());
        Ok(Normalised::new(rows, weight, bias, self.eps))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{close, random};
    use super::*;

    #[test]
    fn group_norm_equals_candle() {
        let (weight, bias) = (random(&[12], 1), random(&[12], 2));
        // Far from zero, where one-pass variances lose their digits.
        let x = (random(&[2, 12, 9, 17], 3) + 100.).unwrap();
        let reference = candle_nn::GroupNorm::new(weight.clone(), bias.clone(), 12, 4, 1e-6);
        let wanted = reference.unwrap().forward(&x).unwrap();
        let norm = GroupNorm::new(weight, bias, 4, 1e-6);
        let map = FeatureMap::from_nchw(&x).unwrap();
        let plain = norm
            .forward(&map, Then::Nothing)
            .unwrap()
            .to_nchw()
            .unwrap();
        close(&plain, &wanted, 1e-4);
        let activated = norm.forward(&map, Then::Silu).unwrap().to_nchw().unwrap();
        close(&activated, &wanted.silu().unwrap(), 1e-4);
    }

    #[test]
    fn layer_norm_equals_candle() {
        let (weight, bias) = (random(&[50], 1), random(&[50], 2));
        let x = random(&[2, 7, 50], 3);
        let wanted = candle_nn::ops::layer_norm_slow(&x, &weight, &bias, 1e-5).unwrap();
        close(
            &LayerNorm::new(weight, bias, 1e-5).forward(&x).unwrap(),
            &wanted,
            1e-5,
        );
    }
}
