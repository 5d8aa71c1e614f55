//! Activations and sums.

use candle_core::{CpuStorage, CustomOp1, D, InplaceOp1, InplaceOp2, Layout, Shape, Tensor};
use kernels::lanes::{self, exp};
use kernels::rows::{self, values, values_mut};

use super::CandleResult;
use crate::error::Result;

/// x·sigmoid(x).
pub(crate) fn silu(x: &Tensor) -> Result<Tensor> {
    Ok(x.silu()?)
}

/// The first half of the last axis times the GELU of the second half, GELU with the exact error
/// function (Shazeer 2020).
pub(crate) fn geglu(x: &Tensor) -> Result<Tensor> {
    if x.device().is_cpu() {
        return Ok(x.contiguous()?.apply_op1_no_bwd(&Geglu)?);
    }
    let half = x.dim(D::Minus1)? / 2;
    let value = x.narrow(D::Minus1, 0, half)?;
    let gate = x.narrow(D::Minus1, half, half)?.contiguous()?.gelu_erf()?;
    Ok((value * gate)?)
}

struct Geglu;

impl CustomOp1 for Geglu {
    fn name(&self) -> &'static str {
        "geglu"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> CandleResult<(CpuStorage, Shape)> {
        let mut shape = layout.dims().to_vec();
        let Some(last) = shape.last_mut() else {
            candle_core::bail!("a scalar has no halves")
        };
        *last /= 2;
        let half = *last;
        let x = values(x, layout)?;
        let mut out = vec![0f32; x.len() / 2];
        rows::for_each(&mut out, half, |i, out| {
            let row = &x[2 * i * half..2 * (i + 1) * half];
            let (value, gate) = row.split_at(half);
            for ((o, v), g) in out.iter_mut().zip(value).zip(gate) {
                *o = v * gelu(*g);
            }
        });
        Ok((CpuStorage::F32(out), shape.into()))
    }
}

/// Adds rows as [`super::add_rows`] says.
pub(super) struct AddRows;

impl InplaceOp2 for AddRows {
    fn name(&self) -> &'static str {
        "add-rows"
    }

    fn cpu_fwd(
        &self,
        x: &mut CpuStorage,
        layout: &Layout,
        rows: &CpuStorage,
        rows_layout: &Layout,
    ) -> CandleResult<()> {
        let added = values(rows, rows_layout)?;
        let width = rows_layout.dims().last().copied().unwrap_or(0).max(1);
        let x = values_mut(x, layout)?;
        let items = (added.len() / width).max(1);
        let rows_per_item = (x.len() / width / items).max(1);
        if x.len() != items * rows_per_item * width {
            candle_core::bail!("{} values do not make rows of {width} for {items}", x.len());
        }
        rows::for_each(x, width, |i, row| {
            let item = i / rows_per_item;
            for (y, b) in row.iter_mut().zip(&added[item * width..(item + 1) * width]) {
                *y += b;
            }
        });
        Ok(())
    }
}

/// Adds a tensor of the same shape in place.
pub(super) struct Add;

impl InplaceOp2 for Add {
    fn name(&self) -> &'static str {
        "add"
    }

    fn cpu_fwd(
        &self,
        x: &mut CpuStorage,
        layout: &Layout,
        other: &CpuStorage,
        other_layout: &Layout,
    ) -> CandleResult<()> {
        let (x, other) = (values_mut(x, layout)?, values(other, other_layout)?);
        if x.len() != other.len() {
            candle_core::bail!("{} values cannot be added to {}", other.len(), x.len());
        }
        let width = rows::VALUES_PER_TASK;
        rows::for_each(x, width, |i, part| {
            for (y, b) in part.iter_mut().zip(&other[i * width..]) {
                *y += b;
            }
        });
        Ok(())
    }
}

/// softmax(scale·x) over the last axis, in place.
pub(super) struct Softmax {
    pub(super) scale: f32,
}

impl InplaceOp1 for Softmax {
    fn name(&self) -> &'static str {
        "scaled-softmax"
    }

    fn cpu_fwd(&self, scores: &mut CpuStorage, layout: &Layout) -> CandleResult<()> {
        let width = layout.dims().last().copied().unwrap_or(0);
        rows::for_each(values_mut(scores, layout)?, width, |_, row| {
            let largest = lanes::largest(row);
            for x in row.iter_mut() {
                *x = exp((*x - largest) * self.scale);
            }
            let inverse = 1. / lanes::sum(row);
            row.iter_mut().for_each(|x| *x *= inverse);
        });
        Ok(())
    }
}

#[inline(always)]
pub(super) fn silu_of(x: f32) -> f32 {
    x / (1. + exp(-x))
}

/// x·Φ(x), with the error function by formula 7.1.26 of Abramowitz and Stegun (absolute error
/// below 2e-7).
#[inline(always)]
fn gelu(x: f32) -> f32 {
    let z = (x * std::f32::consts::FRAC_1_SQRT_2).abs();
    let t = 1. / (1. + 0.327_591_1 * z);
    let p = 1.061_405_4;
    let p = p * t - 1.453_152;
    let p = p * t + 1.421_413_7;
    let p = p * t - 0.284_496_74;
    let p = p * t + 0.254_829_6;
    // 1 − erf(|z|) is what the formula gives; the tail of negative x keeps its digits.
    let tail = 0.5 * p * t * exp(-z * z);
    if x < 0. { x * tail } else { x - x * tail }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{close, random};
    use super::*;

    #[test]
    fn activations_equal_the_exact_ones() {
        for i in -1_000..=1_000 {
            let x = f64::from(i) / 100.;
            let exact = 0.5 * x * (1. + libm::erf(x / std::f64::consts::SQRT_2));
            let error = (f64::from(gelu(x as f32)) - exact).abs();
            assert!(error < 5e-7, "gelu({x}) is off by {error}");
            let exact = x / (1. + (-x).exp());
            assert!((f64::from(silu_of(x as f32)) - exact).abs() < 2e-6);
        }
    }

    #[test]
    fn geglu_takes_the_value_first() {
        let x = random(&[3, 10], 1);
        let (value, gate) = (x.narrow(1, 0, 5).unwrap(), x.narrow(1, 5, 5).unwrap());
        let wanted = (value * gate.contiguous().unwrap().gelu_erf().unwrap()).unwrap();
        close(&geglu(&x).unwrap(), &wanted, 1e-6);
    }

    #[test]
    fn softmax_equals_candle() {
        let x = random(&[4, 37], 2);
        let wanted = candle_nn::ops::softmax_last_dim(&(&x * 0.3).unwrap()).unwrap();
        x.inplace_op1(&Softmax { scale: 0.3 }).unwrap();
        close(&x, &wanted, 1e-6);
    }
}
