//! The towers on a CPU, over the kernels of [`kernels`]: weights packed when they are loaded, one
//! stream of tokens in f32 that the blocks change in place.

mod block;
mod linear;
mod resnet;
mod text;
mod vit;

use candle_core::{DType, Device, Tensor};
use kernels::Precision;

use crate::config::TransformerConfig;
use crate::error::Result;
use crate::source::Weights;

pub(crate) use resnet::ModifiedResNet;
pub(crate) use text::TextTransformer;
pub(crate) use vit::VisionTransformer;

/// What these towers multiply in, if they can stand in for candle's operations on the device and
/// in the type.
pub(crate) fn precision(dtype: DType, device: &Device) -> Option<Precision> {
    match dtype {
        DType::F32 if device.is_cpu() => Some(Precision::F32),
        DType::BF16 if device.is_cpu() => Some(Precision::Bf16),
        _ => None,
    }
}

/// Whether the blocks of this configuration multiply in int8: if they were asked to, and are wide
/// enough for it to be worth the rounding.
pub(crate) fn int8(weights: &Weights<'_>, blocks: &TransformerConfig) -> bool {
    const LEAST_WIDTH: usize = 512;
    let here = precision(weights.dtype(), weights.device()).is_some();
    here && weights.int8() && blocks.width >= LEAST_WIDTH
}

/// All values of a tensor, row by row.
pub(crate) fn values(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?)
}
