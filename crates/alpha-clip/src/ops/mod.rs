//! The inner operations of a transformer: linear layer, LayerNorm, softmax, activation.
//!
//! These are for GPUs and for f16; in f32 and bf16 on a CPU the towers run over packed weights
//! ([`crate::cpu`]). On a CPU everything around the matrix products is one pass over the data in
//! f32, spread over rayon's threads; on other devices it is put together from candle's operations.

mod cpu;

use candle_core::{D, DType, Tensor};

use crate::config::Activation;
use cpu::{AddBias, Normalize, Softmax};

type CandleResult<T> = candle_core::Result<T>;

/// What happens to the rows of a linear layer before they are written for good.
#[derive(Clone, Copy)]
pub(crate) enum Then<'a> {
    Nothing,
    Activate(Activation),
    /// Adds a tensor of the output's shape (the residual stream).
    Add(&'a Tensor),
}

/// `then(x·weightᵀ + bias)` over the last axis of `x`; `weight` is [outputs, inputs].
pub(crate) fn linear(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    then: Then<'_>,
) -> CandleResult<Tensor> {
    let inputs = x.dim(D::Minus1)?;
    let outputs = weight.dim(0)?;
    let rows = x.elem_count() / inputs.max(1);
    let mut shape = x.dims().to_vec();
    if let Some(last) = shape.last_mut() {
        *last = outputs;
    }
    let y = x
        .contiguous()?
        .reshape((rows, inputs))?
        .matmul(&weight.t()?)?
        .reshape(shape)?;
    if y.device().is_cpu() {
        let dtype = y.dtype();
        let (y, bias) = (y.to_dtype(DType::F32)?, bias.to_dtype(DType::F32)?);
        match then {
            Then::Nothing => y.inplace_op2(&bias, &AddBias(None))?,
            Then::Activate(activation) => y.inplace_op2(&bias, &AddBias(Some(activation)))?,
            Then::Add(residual) => {
                let residual = residual.to_dtype(DType::F32)?.contiguous()?;
                y.inplace_op3(&bias, &residual, &AddBias(None))?;
            }
        }
        return y.to_dtype(dtype);
    }
    let y = y.broadcast_add(bias)?;
    match then {
        Then::Nothing => Ok(y),
        Then::Activate(Activation::Gelu) => y.gelu_erf(),
        Then::Activate(Activation::QuickGelu) => {
            let gate = candle_nn::ops::sigmoid(&(&y * 1.702)?)?;
            y * gate
        }
        Then::Add(residual) => y + residual,
    }
}

/// LayerNorm over the last axis, computed in f32; `weight` and `bias` are f32. The result has the
/// type of `x`.
pub(crate) fn layer_norm(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    eps: f64,
) -> CandleResult<Tensor> {
    let dtype = x.dtype();
    let x = x.to_dtype(DType::F32)?.contiguous()?;
    let y = if x.device().is_cpu() {
        x.apply_op3_no_bwd(weight, bias, &Normalize { eps: eps as f32 })?
    } else {
        candle_nn::ops::layer_norm(&x, weight, bias, eps as f32)?
    };
    y.to_dtype(dtype)
}

/// `softmax(scale·scores + bias)` over the last axis, computed in f32; `scores` [B, H, Q, N] must
/// be used by nobody else, for they are overwritten where that saves memory. `bias` is f32 and
/// broadcasts to the scores. The result has the type of the scores.
pub(crate) fn softmax(scores: Tensor, scale: f64, bias: Option<&Tensor>) -> CandleResult<Tensor> {
    let dtype = scores.dtype();
    let scores = scores.to_dtype(DType::F32)?;
    let bias = match bias {
        Some(bias) => Some(bias.contiguous()?.broadcast_as(scores.shape())?),
        None => None,
    };
    if scores.device().is_cpu() {
        let op = Softmax {
            scale: scale as f32,
        };
        match &bias {
            Some(bias) => scores.inplace_op2(bias, &op)?,
            None => scores.inplace_op1(&op)?,
        }
        return scores.to_dtype(dtype);
    }
    let scores = (scores * scale)?;
    let scores = match bias {
        Some(bias) => (scores + bias)?,
        None => scores,
    };
    candle_nn::ops::softmax_last_dim(&scores)?.to_dtype(dtype)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    fn close(a: &Tensor, b: &Tensor, tolerance: f32) {
        let difference = (a - b).unwrap().abs().unwrap().flatten_all().unwrap();
        let largest: f32 = difference.max(0).unwrap().to_scalar().unwrap();
        assert!(largest <= tolerance, "differs by {largest}");
    }

    fn random(shape: &[usize]) -> Tensor {
        Tensor::randn(0f32, 2., shape, &Device::Cpu).unwrap()
    }

    #[test]
    fn linear_layers_equal_candle() {
        let (x, w, b) = (random(&[2, 5, 12]), random(&[7, 12]), random(&[7]));
        let plain = x
            .broadcast_matmul(&w.t().unwrap())
            .unwrap()
            .broadcast_add(&b)
            .unwrap();
        close(&linear(&x, &w, &b, Then::Nothing).unwrap(), &plain, 1e-5);
        let y = linear(&x, &w, &b, Then::Activate(Activation::Gelu)).unwrap();
        close(&y, &plain.gelu_erf().unwrap(), 1e-5);
        let y = linear(&x, &w, &b, Then::Activate(Activation::QuickGelu)).unwrap();
        let gate = candle_nn::ops::sigmoid(&(&plain * 1.702).unwrap()).unwrap();
        close(&y, &(&plain * gate).unwrap(), 1e-5);
        let residual = random(&[2, 5, 7]);
        let y = linear(&x, &w, &b, Then::Add(&residual)).unwrap();
        close(&y, &(plain + residual).unwrap(), 1e-5);
    }

    #[test]
    fn layer_norm_survives_a_large_mean() {
        let x = (random(&[3, 50]) + 1000.).unwrap();
        let (w, b) = (random(&[50]), random(&[50]));
        let y = layer_norm(&x, &w, &b, 1e-5).unwrap();
        let exact = candle_nn::ops::layer_norm_slow(&x, &w, &b, 1e-5).unwrap();
        close(&y, &exact, 1e-3);
        let half = layer_norm(&x.to_dtype(DType::BF16).unwrap(), &w, &b, 1e-5).unwrap();
        assert_eq!(half.dtype(), DType::BF16);
    }

    #[test]
    fn softmax_takes_any_broadcast_bias() {
        let scores = random(&[2, 3, 5, 5]);
        for shape in [
            [1, 1, 5, 5],
            [2, 1, 5, 5],
            [1, 3, 1, 5],
            [2, 3, 5, 5],
            [1, 3, 5, 1],
        ] {
            let bias = random(&shape);
            let y = softmax(scores.copy().unwrap(), 0.3, Some(&bias)).unwrap();
            let sum = (&scores * 0.3).unwrap().broadcast_add(&bias).unwrap();
            close(&y, &candle_nn::ops::softmax(&sum, 3).unwrap(), 1e-6);
        }
        let y = softmax(scores.copy().unwrap(), 0.3, None).unwrap();
        close(
            &y,
            &candle_nn::ops::softmax(&(scores * 0.3).unwrap(), 3).unwrap(),
            1e-6,
        );
    }

    #[test]
    fn minus_infinity_hides_a_key_and_nan_is_not_hidden() {
        let scores = Tensor::new(&[[[[1f32, 2., f32::NEG_INFINITY]]]], &Device::Cpu).unwrap();
        let row: Vec<f32> = softmax(scores, 1., None)
            .unwrap()
            .flatten_all()
            .unwrap()
            .to_vec1()
            .unwrap();
        assert_eq!(row[2], 0.);
        assert!((row[0] + row[1] - 1.).abs() < 1e-6);
        let scores = Tensor::new(&[[[[1f32, f32::NAN]]]], &Device::Cpu).unwrap();
        let row: Vec<f32> = softmax(scores, 1., None)
            .unwrap()
            .flatten_all()
            .unwrap()
            .to_vec1()
            .unwrap();
        assert!(row[0].is_nan() && row[1].is_nan());
    }
}
