//! Linear layers, and the two of a transformer's feed-forward part.

use candle_core::{D, Tensor};
use kernels::geglu;
use kernels::gemm::{Epilogue, Matrix, PackedMatrix, multiply};

use super::values::{Values, add_product, copied, pack, product, tensor};
use super::{LayerNorm, add_rows, elementwise};
use crate::error::Result;

/// x·Wᵀ + b over the last axis.
#[derive(Debug)]
pub(crate) struct Linear {
    weight: Weight,
    /// f32.
    bias: Option<Tensor>,
}

#[derive(Debug)]
enum Weight {
    /// On a CPU.
    Packed(PackedMatrix),
    /// [outputs, inputs], elsewhere.
    Plain(Tensor),
}

impl Linear {
    /// From weights [outputs, inputs]; a CPU multiplies in the precision of their type.
    pub(crate) fn new(weight: Tensor, bias: Option<Tensor>) -> Result<Self> {
        let weight = if weight.device().is_cpu() {
            Weight::Packed(pack(&weight, weight.dim(1)?, 1)?)
        } else {
            Weight::Plain(weight)
        };
        Ok(Self { weight, bias })
    }

    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        match &self.weight {
            Weight::Packed(weight) => {
                let x = x.contiguous()?;
                let read = Values::of(&x);
                let bias = self.bias.as_ref().map(Values::of);
                let epilogue = Epilogue {
                    bias: bias.as_ref().map(Values::contiguous).transpose()?,
                    ..Epilogue::default()
                };
                let rows = Matrix::new(read.contiguous()?, x.dim(D::Minus1)?);
                let y = product(&rows, weight, epilogue)?;
                tensor(y, with_last(&x, weight.outputs()))
            }
            Weight::Plain(weight) => self.on_device(weight, x),
        }
    }

    /// The layer behind a normalisation, which is made as the product reads its rows.
    pub(crate) fn forward_normalised(&self, norm: &LayerNorm, x: &Tensor) -> Result<Tensor> {
        match &self.weight {
            Weight::Packed(weight) => {
                let x = x.contiguous()?;
                let (read, parameters) = (Values::of(&x), norm.parameters());
                let bias = self.bias.as_ref().map(Values::of);
                let epilogue = Epilogue {
                    bias: bias.as_ref().map(Values::contiguous).transpose()?,
                    ..Epilogue::default()
                };
                let rows = parameters.of(read.contiguous()?)?;
                let y = product(&rows, weight, epilogue)?;
                tensor(y, with_last(&x, weight.outputs()))
            }
            Weight::Plain(weight) => self.on_device(weight, &norm.forward(x)?),
        }
    }

    /// x·Wᵀ + b + residual, and `shift` [B, outputs] on all rows of an item if there is one.
    pub(crate) fn forward_add(
        &self,
        x: &Tensor,
        residual: &Tensor,
        shift: Option<&Tensor>,
    ) -> Result<Tensor> {
        let Weight::Packed(weight) = &self.weight else {
            let y = (self.forward(x)? + residual)?;
            return match shift {
                Some(shift) => add_rows(y, shift),
                None => Ok(y),
            };
        };
        let mut y = copied(&residual.contiguous()?)?;
        if let Some(shift) = shift {
            y = add_rows(y, shift)?;
        }
        let x = x.contiguous()?;
        let (read, bias) = (Values::of(&x), self.bias.as_ref().map(Values::of));
        let bias = bias.as_ref().map(Values::contiguous).transpose()?;
        let rows = Matrix::new(read.contiguous()?, x.dim(D::Minus1)?);
        add_product(&rows, weight, bias, &y)?;
        Ok(y)
    }

    fn on_device(&self, weight: &Tensor, x: &Tensor) -> Result<Tensor> {
        let (outputs, inputs) = weight.dims2()?;
        let rows = x.elem_count() / inputs.max(1);
        let y = x
            .contiguous()?
            .reshape((rows, inputs))?
            .matmul(&weight.t()?)?
            .reshape(with_last(x, outputs))?;
        match &self.bias {
            Some(bias) => add_rows(y, bias),
            None => Ok(y),
        }
    }
}

/// The shape of `x` but for the last axis.
fn with_last(x: &Tensor, last: usize) -> Vec<usize> {
    let mut shape = x.dims().to_vec();
    if let Some(end) = shape.last_mut() {
        *end = last;
    }
    shape
}

/// x + W₂·geglu(W₁·norm(x)), biases aside (Shazeer 2020).
#[derive(Debug)]
pub(crate) struct FeedForward {
    norm: LayerNorm,
    /// To values, then gates.
    widen: Linear,
    narrow: Linear,
}

/// Most values of the wide layer that are in memory at once on a CPU: 4 MiB, for its cache.
const WIDE_VALUES: usize = 1 << 20;

impl FeedForward {
    pub(crate) fn new(norm: LayerNorm, widen: Linear, narrow: Linear) -> Self {
        Self {
            norm,
            widen,
            narrow,
        }
    }

    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        match (&self.widen.weight, &self.narrow.weight) {
            (Weight::Packed(widen), Weight::Packed(narrow)) => self.on_cpu(x, widen, narrow),
            _ => {
                let wide = self.widen.forward(&self.norm.forward(x)?)?;
                let hidden = elementwise::geglu(&wide)?;
                self.narrow.forward_add(&hidden, x, None)
            }
        }
    }

    /// A few rows at a time.
    fn on_cpu(&self, x: &Tensor, widen: &PackedMatrix, narrow: &PackedMatrix) -> Result<Tensor> {
        let x = x.contiguous()?;
        let (read, parameters) = (Values::of(&x), self.norm.parameters());
        let from = read.contiguous()?;
        let biases = [&self.widen, &self.narrow].map(|layer| layer.bias.as_ref().map(Values::of));
        let bias = |i: usize| biases[i].as_ref().map(Values::contiguous).transpose();
        let (into, out_of) = (bias(0)?, bias(1)?);
        let (width, wide, hidden) = (widen.inputs(), widen.outputs(), narrow.inputs());
        if wide != 2 * hidden || narrow.outputs() != width || x.dim(D::Minus1)? != width {
            return Err(candle_core::Error::msg("the layers do not fit each other").into());
        }
        let rows = from.len() / width.max(1);
        let step = (WIDE_VALUES / wide.max(1)).clamp(1, rows.max(1));
        let mut memory = vec![0f32; step * (wide + hidden)];
        let (wide_rows, hidden_rows) = memory.split_at_mut(step * wide);
        let mut out = vec![0f32; from.len()];
        for (x, out) in from.chunks(step * width).zip(out.chunks_mut(step * width)) {
            let rows = x.len() / width;
            let wide_rows = &mut wide_rows[..rows * wide];
            let hidden_rows = &mut hidden_rows[..rows * hidden];
            let epilogue = Epilogue {
                bias: into,
                ..Epilogue::default()
            };
            multiply(&parameters.of(x)?, widen, epilogue, wide_rows);
            geglu(wide_rows, hidden, hidden_rows);
            out.copy_from_slice(x);
            let epilogue = Epilogue {
                bias: out_of,
                add: true,
                ..Epilogue::default()
            };
            multiply(&Matrix::new(hidden_rows, hidden), narrow, epilogue, out);
        }
        tensor(out, x.shape())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{close, random};
    use super::*;

    /// Plain candle.
    fn linear(x: &Tensor, w: &Tensor, b: &Tensor) -> Tensor {
        let y = x.broadcast_matmul(&w.t().unwrap()).unwrap();
        y.broadcast_add(b).unwrap()
    }

    #[test]
    fn linear_layers_equal_candle() {
        let (x, w, b) = (random(&[2, 5, 12], 1), random(&[7, 12], 2), random(&[7], 3));
        let plain = linear(&x, &w, &b);
        let layer = Linear::new(w.clone(), Some(b.clone())).unwrap();
        close(&layer.forward(&x).unwrap(), &plain, 1e-5);
        let residual = random(&[2, 5, 7], 4);
        let wanted = (plain + &residual).unwrap();
        let got = layer.forward_add(&x, &residual, None).unwrap();
        close(&got, &wanted, 1e-5);
        let shift = random(&[2, 7], 5);
        let wanted = wanted.broadcast_add(&shift.unsqueeze(1).unwrap()).unwrap();
        let got = layer.forward_add(&x, &residual, Some(&shift)).unwrap();
        close(&got, &wanted, 1e-5);
        let (weight, bias) = (random(&[12], 6), random(&[12], 7));
        let norm = LayerNorm::new(weight, bias, 1e-5);
        let wanted = linear(&norm.forward(&x).unwrap(), &w, &b);
        close(&layer.forward_normalised(&norm, &x).unwrap(), &wanted, 1e-5);
        assert!(layer.forward(&residual).is_err());
    }

    #[test]
    fn feed_forward_equals_candle() {
        // The wide layer has more values than are in memory at once.
        let (width, hidden) = (20, 1_500);
        let x = random(&[2, 250, width], 1);
        let (w1, b1) = (random(&[2 * hidden, width], 2), random(&[2 * hidden], 3));
        let w2 = (random(&[width, hidden], 4) * 0.02).unwrap();
        let b2 = random(&[width], 5);
        let norm = || LayerNorm::new(random(&[width], 6), random(&[width], 7), 1e-5);
        let wide = linear(&norm().forward(&x).unwrap(), &w1, &b1);
        let hidden = elementwise::geglu(&wide).unwrap();
        let wanted = (linear(&hidden, &w2, &b2) + &x).unwrap();
        let layer = FeedForward::new(
            norm(),
            Linear::new(w1, Some(b1)).unwrap(),
            Linear::new(w2, Some(b2)).unwrap(),
        );
        close(&layer.forward(&x).unwrap(), &wanted, 1e-4);
    }

    #[test]
    fn weights_in_half_precision_are_multiplied_in_theirs() {
        let (x, w) = (random(&[3, 12], 1), random(&[7, 12], 2));
        for (dtype, rounded) in [
            (candle_core::DType::F16, x.clone()),
            (candle_core::DType::BF16, round(&x)),
        ] {
            let half = w.to_dtype(dtype).unwrap();
            let wanted = rounded
                .matmul(&half.to_dtype(candle_core::DType::F32).unwrap().t().unwrap())
                .unwrap();
            let got = Linear::new(half, None).unwrap().forward(&x).unwrap();
            close(&got, &wanted, 1e-5);
        }
    }

    fn round(x: &Tensor) -> Tensor {
        let x = x.to_dtype(candle_core::DType::BF16).unwrap();
        x.to_dtype(candle_core::DType::F32).unwrap()
    }
}
