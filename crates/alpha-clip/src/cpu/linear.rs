//! Layers whose weights are packed.

use candle_core::{CpuStorage, Storage, Tensor};
use kernels::gemm::{Epilogue, Matrix, Normalised, PackedMatrix, Rows, multiply};
use kernels::{Activation, Precision};

use super::values;
use crate::error::{Error, Result};
use crate::source::Weights;

/// x·Wᵀ + b.
pub(super) struct Linear {
    weight: PackedMatrix,
    bias: Option<Vec<f32>>,
}

impl Linear {
    pub(super) fn load(weights: &Weights<'_>, inputs: usize, outputs: usize) -> Result<Self> {
        Self::named(weights, ["weight", "bias"], [inputs, outputs], false)
    }

    /// Of weights and bias of these names; with products of int8, or of the model's type.
    pub(super) fn named(
        weights: &Weights<'_>,
        [weight, bias]: [&str; 2],
        [inputs, outputs]: [usize; 2],
        int8: bool,
    ) -> Result<Self> {
        let shape = [outputs, inputs];
        let place = |row, column| row * inputs + column;
        let weight = match int8 {
            // Rounded once, from what the file holds.
            true => {
                let weight = weights.get_f32(weight, &shape)?;
                pack_as(weights, &weight, shape, Some(Precision::Int8), place)?
            }
            false => pack(weights, &weights.get(weight, &shape)?, shape, place)?,
        };
        let bias = Some(values(&weights.get_f32(bias, &[outputs])?)?);
        Ok(Self { weight, bias })
    }

    /// x·P for a projection P [inputs, outputs].
    pub(super) fn projection(
        weights: &Weights<'_>,
        name: &str,
        inputs: usize,
        outputs: usize,
    ) -> Result<Self> {
        let weight = weights.get(name, &[inputs, outputs])?;
        Ok(Self {
            weight: pack(weights, &weight, [outputs, inputs], |row, column| {
                column * outputs + row
            })?,
            bias: None,
        })
    }

    pub(super) fn outputs(&self) -> usize {
        self.weight.outputs()
    }

    /// y ← activation(x·Wᵀ + b).
    pub(super) fn write(&self, x: &impl Rows, activation: Activation, y: &mut [f32]) {
        let epilogue = Epilogue {
            bias: self.bias.as_deref(),
            add: false,
            activation,
        };
        multiply(x, &self.weight, epilogue, y);
    }

    /// y ← y + x·Wᵀ + b.
    pub(super) fn add(&self, x: &impl Rows, y: &mut [f32]) {
        let epilogue = Epilogue {
            bias: self.bias.as_deref(),
            add: true,
            activation: Activation::Identity,
        };
        multiply(x, &self.weight, epilogue, y);
    }
}

/// LayerNorm, applied while a product reads its left side.
pub(super) struct LayerNorm {
    weight: Vec<f32>,
    bias: Vec<f32>,
    eps: f32,
}

impl LayerNorm {
    pub(super) fn load(weights: &Weights<'_>, width: usize, eps: f64) -> Result<Self> {
        Ok(Self {
            weight: values(&weights.get_f32("weight", &[width])?)?,
            bias: values(&weights.get_f32("bias", &[width])?)?,
            eps: eps as f32,
        })
    }

    pub(super) fn of<'a>(&'a self, x: &'a [f32]) -> Normalised<'a> {
        let rows = Matrix::new(x, self.weight.len());
        Normalised::new(rows, &self.weight, &self.bias, self.eps)
    }
}

/// Packs [outputs, inputs] from a tensor whose value for a row and a column is where `place` says.
/// In a rehearsal, whose tensors are stand-ins, nothing is packed.
pub(super) fn pack(
    weights: &Weights<'_>,
    tensor: &Tensor,
    [outputs, inputs]: [usize; 2],
    place: impl Fn(usize, usize) -> usize + Sync,
) -> Result<PackedMatrix> {
    let precision = super::precision(weights.dtype(), weights.device());
    pack_as(weights, tensor, [outputs, inputs], precision, place)
}

fn pack_as(
    weights: &Weights<'_>,
    tensor: &Tensor,
    [outputs, inputs]: [usize; 2],
    precision: Option<Precision>,
    place: impl Fn(usize, usize) -> usize + Sync,
) -> Result<PackedMatrix> {
    if weights.is_rehearsal() {
        return Ok(PackedMatrix::new(0, 0, Precision::F32, |_, _| {}));
    }
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    let start = layout.start_offset();
    match (&*storage, precision) {
        (Storage::Cpu(CpuStorage::F32(from)), Some(precision)) => {
            let from = &from[start..start + outputs * inputs];
            Ok(PackedMatrix::new(outputs, inputs, precision, |n, row| {
                for (k, value) in row.iter_mut().enumerate() {
                    *value = from[place(n, k)];
                }
            }))
        }
        (Storage::Cpu(CpuStorage::BF16(from)), Some(precision)) => {
            let from = &from[start..start + outputs * inputs];
            Ok(PackedMatrix::new(outputs, inputs, precision, |n, row| {
                for (k, value) in row.iter_mut().enumerate() {
                    *value = from[place(n, k)].to_f32();
                }
            }))
        }
        _ => Err(Error::model(
            "weights of this type cannot be packed",
            "compute in f32 or bf16, or on another device",
        )),
    }
}
