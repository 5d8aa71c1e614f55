//! Operations of convolutional networks and their attention, fast on a CPU.
//!
//! On a CPU, feature maps are kept with the channels last: convolutions, norms and attention then
//! work on rows that lie together, and nothing is transposed between them. Weights are packed for
//! the products of [`kernels`] when a layer is made, as f32 or bf16; what is between the products
//! is f32, and happens on the way into a product or out of it where it can. Other devices take
//! candle's operations on maps with the channels first.

mod attention;
mod conv;
mod elementwise;
mod linear;
mod norm;
mod values;

use candle_core::{D, DType, Device, Tensor};

pub(crate) use attention::attention;
pub(crate) use conv::{Conv2d, Padding};
pub(crate) use elementwise::silu;
pub(crate) use linear::{FeedForward, Linear};
pub(crate) use norm::{GroupNorm, LayerNorm, Then};
pub(crate) use values::precision;

use crate::error::Result;

type CandleResult<T> = candle_core::Result<T>;

/// A batch of feature maps.
#[derive(Clone, Debug)]
pub(crate) struct FeatureMap {
    /// [B, H·W, C] on a CPU, [B, C, H, W] elsewhere.
    data: Tensor,
    height: usize,
    width: usize,
}

impl FeatureMap {
    /// From [B, C, H, W].
    pub(crate) fn from_nchw(x: &Tensor) -> Result<Self> {
        let (batch, channels, height, width) = x.dims4()?;
        let data = if x.device().is_cpu() {
            x.reshape((batch, channels, height * width))?
                .transpose(1, 2)?
                .contiguous()?
        } else {
            x.contiguous()?
        };
        Ok(Self {
            data,
            height,
            width,
        })
    }

    /// As [B, C, H, W].
    pub(crate) fn to_nchw(&self) -> Result<Tensor> {
        if !self.is_channels_last() {
            return Ok(self.data.clone());
        }
        let (batch, _, channels) = self.data.dims3()?;
        let planes = self.data.transpose(1, 2)?.contiguous()?;
        Ok(planes.reshape((batch, channels, self.height, self.width))?)
    }

    fn is_channels_last(&self) -> bool {
        self.data.device().is_cpu()
    }

    pub(crate) fn height(&self) -> usize {
        self.height
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn channels(&self) -> Result<usize> {
        Ok(self.data.dim(if self.is_channels_last() { 2 } else { 1 })?)
    }

    /// The positions as tokens [B, H·W, C], row by row from the top left.
    pub(crate) fn tokens(&self) -> Result<Tensor> {
        if self.is_channels_last() {
            return Ok(self.data.clone());
        }
        Ok(self.data.flatten_from(2)?.transpose(1, 2)?.contiguous()?)
    }

    /// A map of the same size from its tokens.
    pub(crate) fn with_tokens(&self, tokens: Tensor) -> Result<Self> {
        let (batch, _, channels) = tokens.dims3()?;
        let data = if self.is_channels_last() {
            tokens
        } else {
            let planes = tokens.transpose(1, 2)?.contiguous()?;
            planes.reshape((batch, channels, self.height, self.width))?
        };
        Ok(Self { data, ..*self })
    }

    /// The sum with a map of the same shape.
    pub(crate) fn add(&self, other: &Self) -> Result<Self> {
        Ok(Self {
            data: (&self.data + &other.data)?,
            ..*self
        })
    }

    /// The channels of both, those of `other` behind.
    pub(crate) fn cat(&self, other: &Self) -> Result<Self> {
        let axis = if self.is_channels_last() { 2 } else { 1 };
        Ok(Self {
            data: Tensor::cat(&[&self.data, &other.data], axis)?,
            ..*self
        })
    }
}

/// Adds a row, or one row for each item of the batch, to every row of `x` [B, …, C], which must be
/// used by nobody else; `rows` is [C] or [B, C].
fn add_rows(x: Tensor, rows: &Tensor) -> Result<Tensor> {
    if x.device().is_cpu() {
        x.inplace_op2(
            &rows.to_dtype(x.dtype())?.contiguous()?,
            &elementwise::AddRows,
        )?;
        return Ok(x);
    }
    let rows = rows.to_dtype(x.dtype())?;
    if rows.rank() == 1 {
        return Ok(x.broadcast_add(&rows)?);
    }
    let mut shape = vec![1; x.rank()];
    shape[0] = rows.dim(0)?;
    shape[x.rank() - 1] = rows.dim(D::Minus1)?;
    Ok(x.broadcast_add(&rows.reshape(shape)?)?)
}

/// The type of activations on a device whose weights are kept as `weights`: CPUs compute in f32.
pub(crate) fn activation_dtype(device: &Device, weights: DType) -> DType {
    if device.is_cpu() { DType::F32 } else { weights }
}

#[cfg(test)]
mod testing {
    use candle_core::{Device, Tensor};

    /// Repeatable values of about unit size.
    pub(crate) fn random(shape: &[usize], seed: u64) -> Tensor {
        let count = shape.iter().product();
        let values = crate::noise::TorchGenerator::new(seed).randn(count);
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
    }

    pub(crate) fn close(a: &Tensor, b: &Tensor, tolerance: f32) {
        assert_eq!(a.dims(), b.dims());
        let difference = (a - b).unwrap().abs().unwrap().flatten_all().unwrap();
        let largest: f32 = difference.max(0).unwrap().to_scalar().unwrap();
        assert!(largest <= tolerance, "differs by {largest}");
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{close, random};
    use super::*;

    #[test]
    fn maps_keep_their_values() {
        let x = random(&[2, 3, 4, 5], 1);
        let map = FeatureMap::from_nchw(&x).unwrap();
        assert_eq!(
            (map.height(), map.width(), map.channels().unwrap()),
            (4, 5, 3)
        );
        close(&map.to_nchw().unwrap(), &x, 0.);
        let tokens = map.tokens().unwrap();
        close(
            &tokens,
            &x.flatten_from(2).unwrap().transpose(1, 2).unwrap(),
            0.,
        );
        let both = map
            .cat(&map.with_tokens((tokens * 2.).unwrap()).unwrap())
            .unwrap();
        let wanted = Tensor::cat(&[&x, &(&x * 2.).unwrap()], 1).unwrap();
        close(&both.to_nchw().unwrap(), &wanted, 0.);
    }

    #[test]
    fn each_item_of_a_batch_may_have_its_own_row() {
        let (x, rows) = (random(&[2, 5, 7], 1), random(&[2, 7], 2));
        let wanted = x.broadcast_add(&rows.unsqueeze(1).unwrap()).unwrap();
        close(&add_rows(x.copy().unwrap(), &rows).unwrap(), &wanted, 0.);
    }
}
