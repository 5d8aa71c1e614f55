//! Group and layer normalisation, with the activation behind it in the same pass.

use candle_core::{CpuStorage, CustomOp3, DType, Layout, Module, Shape, Tensor};
use kernels::lanes;
use kernels::rows::{self, values};
use rayon::prelude::*;

use super::elementwise::silu_of;
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
        if x.is_channels_last() {
            let op = Normalise {
                groups: self.groups,
                eps: self.eps as f32,
                then,
            };
            let data = x
                .data
                .contiguous()?
                .apply_op3_no_bwd(&self.weight, &self.bias, &op)?;
            return Ok(FeatureMap { data, ..*x });
        }
        let channels = x.channels()?;
        let norm = candle_nn::GroupNorm::new(
            self.weight.to_dtype(x.data.dtype())?,
            self.bias.to_dtype(x.data.dtype())?,
            channels,
            self.groups,
            self.eps,
        )?;
        let data = norm.forward(&x.data)?;
        let data = match then {
            Then::Nothing => data,
            Then::Silu => silu(&data)?,
        };
        Ok(FeatureMap { data, ..*x })
    }
}

/// Normalises [B, N, C] over N and the channels of each group.
struct Normalise {
    groups: usize,
    eps: f32,
    then: Then,
}

/// Σ over rows of `term(value, centre)` for each channel: in f32 over short runs, then in f64, in
/// an order that does not depend on the number of threads.
fn channel_sums(rows: &[f32], centres: &[f32], term: impl Fn(f32, f32) -> f32 + Sync) -> Vec<f64> {
    const RUN: usize = 64;
    let width = centres.len();
    let parts: Vec<Vec<f32>> = rows
        .par_chunks(RUN * width)
        .map(|run| {
            let mut sums = vec![0f32; width];
            for row in run.chunks_exact(width) {
                for ((sum, x), centre) in sums.iter_mut().zip(row).zip(centres) {
                    *sum += term(*x, *centre);
                }
            }
            sums
        })
        .collect();
    let mut sums = vec![0f64; width];
    for part in parts {
        sums.iter_mut()
            .zip(part)
            .for_each(|(sum, x)| *sum += f64::from(x));
    }
    sums
}

/// The mean over each group of per-channel sums, once for each of its channels.
fn group_means(sums: &[f64], group: usize, rows: usize) -> Vec<f64> {
    let means = sums
        .chunks(group)
        .map(|g| g.iter().sum::<f64>() / (group * rows) as f64);
    means
        .flat_map(|mean| std::iter::repeat_n(mean, group))
        .collect()
}

impl CustomOp3 for Normalise {
    fn name(&self) -> &'static str {
        "group-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> CandleResult<(CpuStorage, Shape)> {
        let (_, rows, channels) = layout.shape().dims3()?;
        let (weight, bias) = (values(weight, weight_layout)?, values(bias, bias_layout)?);
        if self.groups == 0 || !channels.is_multiple_of(self.groups) || weight.len() != channels {
            candle_core::bail!("{channels} channels do not fit {} groups", self.groups);
        }
        let group = channels / self.groups;
        let x = values(x, layout)?;
        let mut out = vec![0f32; x.len()];
        let item = (rows * channels).max(1);
        for (x, out) in x.chunks_exact(item).zip(out.chunks_exact_mut(item)) {
            let sums = channel_sums(x, &vec![0.; channels], |x, _| x);
            let means: Vec<f32> = group_means(&sums, group, rows)
                .iter()
                .map(|&mean| mean as f32)
                .collect();
            let squares = channel_sums(x, &means, |x, mean| (x - mean) * (x - mean));
            let factors: Vec<f32> = group_means(&squares, group, rows)
                .iter()
                .zip(weight)
                .map(|(variance, w)| w / (*variance as f32 + self.eps).sqrt())
                .collect();
            let silu = self.then == Then::Silu;
            rows::for_each(out, channels, |i, out| {
                let row = &x[i * channels..(i + 1) * channels];
                let parameters = means.iter().zip(&factors).zip(bias);
                for ((o, x), ((mean, factor), b)) in out.iter_mut().zip(row).zip(parameters) {
                    *o = (x - mean) * factor + b;
                }
                if silu {
                    out.iter_mut().for_each(|o| *o = silu_of(*o));
                }
            });
        }
        Ok((CpuStorage::F32(out), layout.shape().clone()))
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

    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if x.device().is_cpu() {
            let op = NormaliseRows { eps: self.eps };
            return Ok(x
                .contiguous()?
                .apply_op3_no_bwd(&self.weight, &self.bias, &op)?);
        }
        let wide = x.to_dtype(DType::F32)?.contiguous()?;
        let y = candle_nn::ops::layer_norm(&wide, &self.weight, &self.bias, self.eps)?;
        Ok(y.to_dtype(x.dtype())?)
    }
}

struct NormaliseRows {
    eps: f32,
}

impl CustomOp3 for NormaliseRows {
    fn name(&self) -> &'static str {
        "layer-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> CandleResult<(CpuStorage, Shape)> {
        let (weight, bias) = (values(weight, weight_layout)?, values(bias, bias_layout)?);
        let width = layout.dims().last().copied().unwrap_or(0);
        if weight.len() != width || bias.len() != width {
            candle_core::bail!("a layer norm of width {} on rows of {width}", weight.len());
        }
        let x = values(x, layout)?;
        let mut out = vec![0f32; x.len()];
        rows::for_each(&mut out, width, |i, out| {
            let row = &x[i * width..(i + 1) * width];
            let mean = lanes::sum(row) / width as f32;
            for (o, x) in out.iter_mut().zip(row) {
                *o = x - mean;
            }
            let squares = lanes::sum_of_squares(out);
            let inverse = 1. / (squares / width as f32 + self.eps).sqrt();
            for ((o, w), b) in out.iter_mut().zip(weight).zip(bias) {
                *o = *o * inverse * w + b;
            }
        });
        Ok((CpuStorage::F32(out), layout.shape().clone()))
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
