//! The passes over data on a CPU.

use candle_core::{
    CpuStorage, CustomOp3, InplaceOp1, InplaceOp2, InplaceOp3, Layout, Shape, WithDType,
};
use kernels::lanes::{exp, largest, sum, sum_of_squares};
use kernels::rows::{self, values, values_mut};
use kernels::{gelu, quick_gelu};

use super::CandleResult;
use crate::config::Activation;

/// Adds a bias to every row, in place, then an activation or a residual.
pub(super) struct AddBias(pub(super) Option<Activation>);

impl AddBias {
    fn run(&self, data: &mut [f32], bias: &[f32], residual: Option<&[f32]>) {
        let width = bias.len();
        match (self.0, residual) {
            (Some(Activation::QuickGelu), _) => rows::for_each(data, width, |_, row| {
                for (y, b) in row.iter_mut().zip(bias) {
                    *y = quick_gelu(*y + b);
                }
            }),
            (Some(Activation::Gelu), _) => rows::for_each(data, width, |_, row| {
                for (y, b) in row.iter_mut().zip(bias) {
                    *y = gelu(*y + b);
                }
            }),
            (None, Some(residual)) => rows::for_each(data, width, |i, row| {
                let residual = residual[i * width..].iter();
                for ((y, b), r) in row.iter_mut().zip(bias).zip(residual) {
                    *y += b + r;
                }
            }),
            (None, None) => rows::for_each(data, width, |_, row| {
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

/// LayerNorm of every row.
pub(super) struct Normalize {
    pub(super) eps: f32,
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
        rows::for_each(&mut out, width, |i, out| {
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

/// Softmax of every row, scaled and biased before, in place.
pub(super) struct Softmax {
    pub(super) scale: f32,
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
        rows::for_each(values_mut(scores, layout)?, width, |_, row| {
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
        rows::for_each(values_mut(scores, layout)?, width, |i, row| {
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
