//! The inner operations of a transformer: linear layer, LayerNorm, softmax, activation.
//!
//! On a CPU everything around the matrix products is one pass over the data in f32, spread over
//! rayon's threads; on other devices it is put together from candle's operations. Faster kernels
//! belong here and nowhere else.

use candle_core::{
    CpuStorage, CustomOp3, D, DType, InplaceOp1, InplaceOp2, InplaceOp3, Layout, Shape, Tensor,
    WithDType,
};
use rayon::prelude::*;

use crate::config::Activation;

type CandleResult<T> = candle_core::Result<T>;

/// Rows that one task of a parallel loop takes are chosen so that it touches this many values.
const VALUES_PER_TASK: usize = 16 * 1024;

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

/// The elements of a contiguous f32 tensor on the CPU.
fn values<'a>(storage: &'a CpuStorage, layout: &Layout) -> CandleResult<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => candle_core::bail!("the operand must be contiguous"),
    }
}

fn values_mut<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> CandleResult<&'a mut [f32]> {
    let CpuStorage::F32(data) = storage else {
        candle_core::bail!("the operand must be f32");
    };
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&mut data[start..end]),
        None => candle_core::bail!("the operand must be contiguous"),
    }
}

/// Calls `row(index, values)` for each row of `width` values, in parallel.
fn for_rows(data: &mut [f32], width: usize, row: impl Fn(usize, &mut [f32]) + Sync) {
    let width = width.max(1);
    let rows_per_task = (VALUES_PER_TASK / width).max(1);
    data.par_chunks_mut(rows_per_task * width)
        .enumerate()
        .for_each(|(task, rows)| {
            for (i, values) in rows.chunks_mut(width).enumerate() {
                row(task * rows_per_task + i, values);
            }
        });
}

struct AddBias(Option<Activation>);

impl AddBias {
    fn run(&self, data: &mut [f32], bias: &[f32], residual: Option<&[f32]>) {
        let width = bias.len();
        match (self.0, residual) {
            (Some(Activation::QuickGelu), _) => for_rows(data, width, |_, row| {
                for (y, b) in row.iter_mut().zip(bias) {
                    *y = quick_gelu(*y + b);
                }
            }),
            (Some(Activation::Gelu), _) => for_rows(data, width, |_, row| {
                for (y, b) in row.iter_mut().zip(bias) {
                    *y = gelu(*y + b);
                }
            }),
            (None, Some(residual)) => for_rows(data, width, |i, row| {
                let residual = residual[i * width..].iter();
                for ((y, b), r) in row.iter_mut().zip(bias).zip(residual) {
                    *y += b + r;
                }
            }),
            (None, None) => for_rows(data, width, |_, row| {
                for (y, b) in row.iter_mut().zip(bias) {
                    *y += b;
                }
            }),
        }
    }
}

impl InplaceOp2 for AddBias {
    fn name(&self) -> &'static str {
        "add-bias"
    }

    fn cpu_fwd(
        &self,
        y: &mut CpuStorage,
        y_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> CandleResult<()> {
        self.run(values_mut(y, y_layout)?, values(bias, bias_layout)?, None);
        Ok(())
    }
}

impl InplaceOp3 for AddBias {
    fn name(&self) -> &'static str {
        "add-bias-and-residual"
    }

    fn cpu_fwd(
        &self,
        y: &mut CpuStorage,
        y_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
        residual: &CpuStorage,
        residual_layout: &Layout,
    ) -> CandleResult<()> {
        let residual = values(residual, residual_layout)?;
        let y = values_mut(y, y_layout)?;
        if y.len() != residual.len() {
            candle_core::bail!(
                "the residual has {} values, not {}",
                residual.len(),
                y.len()
            );
        }
        self.run(y, values(bias, bias_layout)?, Some(residual));
        Ok(())
    }
}

struct Normalize {
    eps: f32,
}

impl CustomOp3 for Normalize {
    fn name(&self) -> &'static str {
        "layer-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> CandleResult<(CpuStorage, Shape)> {
        let x = values(x, x_layout)?;
        let weight = values(weight, weight_layout)?;
        let bias = values(bias, bias_layout)?;
        let width = x_layout.dims().last().copied().unwrap_or(0);
        if weight.len() != width || bias.len() != width {
            candle_core::bail!("LayerNorm of width {} on rows of {width}", weight.len());
        }
        let mut out = vec![0f32; x.len()];
        for_rows(&mut out, width, |i, out| {
            let x = &x[i * width..(i + 1) * width];
            let mean = sum(x) / width as f32;
            for (o, x) in out.iter_mut().zip(x) {
                *o = x - mean;
            }
            let variance = sum_of_squares(out) / width as f32;
            let inverse = 1. / (variance + self.eps).sqrt();
            for ((o, w), b) in out.iter_mut().zip(weight).zip(bias) {
                *o = *o * inverse * w + b;
            }
        });
        Ok((
            WithDType::to_cpu_storage_owned(out),
            x_layout.shape().clone(),
        ))
    }
}

struct Softmax {
    scale: f32,
}

impl Softmax {
    fn row(&self, row: &mut [f32], bias: Option<&[f32]>) {
        match bias {
            Some(bias) => {
                for (x, b) in row.iter_mut().zip(bias) {
                    *x = *x * self.scale + b;
                }
            }
            None => row.iter_mut().for_each(|x| *x *= self.scale),
        }
        let largest = largest(row);
        for x in row.iter_mut() {
            *x = exp(*x - largest);
        }
        let inverse = 1. / sum(row);
        row.iter_mut().for_each(|x| *x *= inverse);
    }
}

impl InplaceOp1 for Softmax {
    fn name(&self) -> &'static str {
        "scaled-softmax"
    }

    fn cpu_fwd(&self, scores: &mut CpuStorage, layout: &Layout) -> CandleResult<()> {
        let width = layout.dims().last().copied().unwrap_or(0);
        for_rows(values_mut(scores, layout)?, width, |_, row| {
            self.row(row, None)
        });
        Ok(())
    }
}

impl InplaceOp2 for Softmax {
    fn name(&self) -> &'static str {
        "scaled-softmax-with-bias"
    }

    /// The bias has the shape of the scores but strides of zero wherever it was broadcast.
    fn cpu_fwd(
        &self,
        scores: &mut CpuStorage,
        layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> CandleResult<()> {
        let (&[_, heads, queries, width], &[by_item, by_head, by_query, by_key]) =
            (bias_layout.dims(), bias_layout.stride())
        else {
            candle_core::bail!("the scores must have four axes");
        };
        let bias = &bias.as_slice::<f32>()?[bias_layout.start_offset()..];
        for_rows(values_mut(scores, layout)?, width, |i, row| {
            let (item, head, query) = (i / (heads * queries), i / queries % heads, i % queries);
            let start = item * by_item + head * by_head + query * by_query;
            if by_key == 1 {
                self.row(row, Some(&bias[start..start + width]));
            } else {
                // One value for all keys changes nothing but for infinities and NaN.
                row.iter_mut().for_each(|x| *x += bias[start]);
                self.row(row, None);
            }
        });
        Ok(())
    }
}

/// Sixteen running results over a row, which the compiler keeps in vector registers.
#[inline(always)]
fn lanes(row: &[f32], start: f32, step: impl Fn(f32, f32) -> f32) -> [f32; 16] {
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

fn sum(row: &[f32]) -> f32 {
    lanes(row, 0., |sum, x| sum + x).iter().sum()
}

fn sum_of_squares(row: &[f32]) -> f32 {
    lanes(row, 0., |sum, x| sum + x * x).iter().sum()
}

/// The largest value; NaN is passed over.
fn largest(row: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    lanes(row, f32::NEG_INFINITY, larger)
        .into_iter()
        .fold(f32::NEG_INFINITY, larger)
}

/// eˣ to about one unit in the last place, without a branch so that loops over it vectorise:
/// x = n·ln 2 + r with |r| ≤ ln 2 / 2, a polynomial for eʳ, and n into the exponent bits.
/// Beyond ±87 the result is held there; NaN stays NaN, and −∞ gives zero.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// Added to a small number, it leaves the nearest integer in the low bits of the mantissa.
    const ROUND: f32 = 12_582_912.;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let held = if x < -87. { -87. } else { x };
    let held = if held > 87. { 87. } else { held };
    let shifted = held * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = held - n * LN_2_HIGH - n * LN_2_LOW;
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_2e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 0.166_666_65;
    let p = p * r + 0.5;
    let p = p * r * r + r + 1.;
    let power = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    if x < -87. { 0. } else { p * power }
}

/// x·sigmoid(1.702x).
#[inline(always)]
fn quick_gelu(x: f32) -> f32 {
    x / (1. + exp(-1.702 * x))
}

/// x·Φ(x) with the exact error function.
fn gelu(x: f32) -> f32 {
    0.5 * x * (1. + candle_core::cpu::erf::erf_f32(x * std::f32::consts::FRAC_1_SQRT_2))
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
    fn exp_is_right_to_the_last_digits() {
        for i in -8_700..8_700 {
            let x = i as f32 / 100.;
            let exact = f64::from(x).exp();
            let relative = (f64::from(exp(x)) - exact).abs() / exact;
            assert!(relative < 2e-7, "exp({x}) is off by {relative}");
        }
        assert_eq!(exp(f32::NEG_INFINITY), 0.);
        assert!(exp(f32::NAN).is_nan());
        assert_eq!(exp(0.), 1.);
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
