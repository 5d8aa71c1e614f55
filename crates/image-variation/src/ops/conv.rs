//! Convolutions. On a CPU they are matrix products whose left side, the patches, is gathered as it
//! is packed: it is never in memory.

use candle_core::Tensor;
use kernels::gemm::{Epilogue, Matrix, PackedMatrix, Rows};

use super::values::{Values, add_product, copied, pack, product, tensor};
use super::{FeatureMap, add_rows};
use crate::error::Result;

/// Zeros around the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Padding {
    /// Half the kernel on all sides.
    Same,
    /// One row below and one column to the right.
    BottomRight,
}

/// A convolution with a bias and a square kernel.
#[derive(Debug)]
pub(crate) struct Conv2d {
    weight: Weight,
    /// f32.
    bias: Tensor,
    kernel: usize,
    stride: usize,
    padding: Padding,
}

#[derive(Debug)]
enum Weight {
    /// [outputs, kernel·kernel·inputs] on a CPU: taps row by row, each with all its inputs.
    Packed(PackedMatrix),
    /// [outputs, inputs, kernel, kernel] elsewhere.
    Plain(Tensor),
}

impl Conv2d {
    /// From weights [outputs, inputs, kernel, kernel]; a CPU multiplies in the precision of their
    /// type.
    pub(crate) fn new(
        weight: Tensor,
        bias: Tensor,
        stride: usize,
        padding: Padding,
    ) -> Result<Self> {
        let (_, inputs, kernel, _) = weight.dims4()?;
        let weight = if weight.device().is_cpu() {
            Weight::Packed(pack(&weight, inputs, kernel * kernel)?)
        } else {
            Weight::Plain(weight)
        };
        Ok(Self {
            weight,
            bias,
            kernel,
            stride,
            padding,
        })
    }

    pub(crate) fn forward(&self, x: &FeatureMap) -> Result<FeatureMap> {
        self.forward_scaled(x, (x.height, x.width))
    }

    /// On the input scaled to `size` (height, width) by nearest neighbour.
    pub(crate) fn forward_scaled(
        &self,
        x: &FeatureMap,
        size: (usize, usize),
    ) -> Result<FeatureMap> {
        match &self.weight {
            Weight::Packed(weight) => self.on_cpu(weight, x, size, None),
            Weight::Plain(weight) => self.on_device(weight, x, size),
        }
    }

    /// With `shift` [B, outputs] added at all positions of an item.
    pub(crate) fn forward_shifted(&self, x: &FeatureMap, shift: &Tensor) -> Result<FeatureMap> {
        let size = (x.height, x.width);
        match &self.weight {
            Weight::Packed(weight) => {
                let (height, width) = self.output_size(size);
                let zeros = vec![0f32; x.data.dim(0)? * height * width * weight.outputs()];
                let zeros = tensor(zeros, (x.data.dim(0)?, height * width, weight.outputs()))?;
                self.on_cpu(weight, x, size, Some(add_rows(zeros, shift)?))
            }
            Weight::Plain(weight) => {
                let y = self.on_device(weight, x, size)?;
                let shift = shift.to_dtype(y.data.dtype())?.unsqueeze(2)?.unsqueeze(3)?;
                let data = y.data.broadcast_add(&shift)?;
                Ok(FeatureMap { data, ..y })
            }
        }
    }

    /// With `residual` added, which has the shape of the output.
    pub(crate) fn forward_add(&self, x: &FeatureMap, residual: &FeatureMap) -> Result<FeatureMap> {
        let size = (x.height, x.width);
        match &self.weight {
            Weight::Packed(weight) => {
                let residual = copied(&residual.data.contiguous()?)?;
                self.on_cpu(weight, x, size, Some(residual))
            }
            Weight::Plain(weight) => self.on_device(weight, x, size)?.add(residual),
        }
    }

    /// Height and width for an input of this size.
    fn output_size(&self, (height, width): (usize, usize)) -> (usize, usize) {
        let around = match self.padding {
            Padding::Same => self.kernel / 2 * 2,
            Padding::BottomRight => 1,
        };
        let out = |size: usize| (size + around).saturating_sub(self.kernel) / self.stride + 1;
        (out(height), out(width))
    }

    fn on_device(
        &self,
        weight: &Tensor,
        x: &FeatureMap,
        (height, width): (usize, usize),
    ) -> Result<FeatureMap> {
        let mut data = x.data.clone();
        if (height, width) != (x.height, x.width) {
            data = data.upsample_nearest2d(height, width)?;
        }
        let padding = match self.padding {
            Padding::Same => self.kernel / 2,
            Padding::BottomRight => {
                data = data.pad_with_zeros(2, 0, 1)?.pad_with_zeros(3, 0, 1)?;
                0
            }
        };
        let data = data.conv2d(weight, padding, self.stride, 1, 1)?;
        let bias = self.bias.to_dtype(data.dtype())?.reshape((1, (), 1, 1))?;
        let (_, _, height, width) = data.dims4()?;
        Ok(FeatureMap {
            data: data.broadcast_add(&bias)?,
            height,
            width,
        })
    }

    /// The input scaled to `size`, and the result added to what nobody else uses, if there is
    /// something.
    fn on_cpu(
        &self,
        weight: &PackedMatrix,
        x: &FeatureMap,
        size: (usize, usize),
        onto: Option<Tensor>,
    ) -> Result<FeatureMap> {
        let (items, _, channels) = x.data.dims3()?;
        let (height, width) = self.output_size(size);
        let data = x.data.contiguous()?;
        let read = Values::of(&data);
        let values = read.contiguous()?;
        let plain = self.kernel == 1 && self.stride == 1 && size == (x.height, x.width);
        let data = if plain {
            self.product(&Matrix::new(values, channels.max(1)), weight, onto)?
        } else {
            let patches = Patches {
                values,
                items,
                channels,
                kernel: self.kernel,
                stride: self.stride,
                before: match self.padding {
                    Padding::Same => self.kernel / 2,
                    Padding::BottomRight => 0,
                },
                stored: (x.height, x.width),
                scaled: size,
                out: (height, width),
            };
            self.product(&patches, weight, onto)?
        };
        Ok(FeatureMap {
            data: data.reshape((items, height * width, weight.outputs()))?,
            height,
            width,
        })
    }

    fn product(
        &self,
        rows: &impl Rows,
        weight: &PackedMatrix,
        onto: Option<Tensor>,
    ) -> Result<Tensor> {
        let read = Values::of(&self.bias);
        let bias = Some(read.contiguous()?);
        if let Some(y) = onto {
            add_product(rows, weight, bias, &y)?;
            return Ok(y);
        }
        let epilogue = Epilogue {
            bias,
            ..Epilogue::default()
        };
        let y = product(rows, weight, epilogue)?;
        tensor(y, (rows.count(), weight.outputs()))
    }
}

/// The inputs of each output position as rows [B·H'·W', kernel·kernel·C], zeros beyond the edges.
struct Patches<'a> {
    /// [B, H, W, C]
    values: &'a [f32],
    items: usize,
    channels: usize,
    kernel: usize,
    stride: usize,
    /// Zeros above and to the left.
    before: usize,
    /// Height and width of the input in memory.
    stored: (usize, usize),
    /// Height and width to which it is scaled, by nearest neighbour.
    scaled: (usize, usize),
    /// Height and width of the output.
    out: (usize, usize),
}

impl Patches<'_> {
    /// The place along an axis in memory of a place in the scaled, padded input.
    fn place(&self, at: usize, stored: usize, scaled: usize) -> Option<usize> {
        let at = at.checked_sub(self.before).filter(|at| *at < scaled)?;
        Some(if stored == scaled {
            at
        } else {
            at * stored / scaled
        })
    }
}

impl Rows for Patches<'_> {
    fn count(&self) -> usize {
        self.items * self.out.0 * self.out.1
    }

    fn width(&self) -> usize {
        self.kernel * self.kernel * self.channels
    }

    fn copy(&self, row: usize, start: usize, to: &mut [f32]) {
        let (channels, (height, width)) = (self.channels, self.out);
        let (line, column) = (row / width, row % width);
        let (item, line) = (line / height, line % height);
        let (mut at, mut to) = (start, to);
        while !to.is_empty() {
            let (tap, channel) = (at / channels, at % channels);
            let count = to.len().min(channels - channel);
            let (now, later) = to.split_at_mut(count);
            let y = line * self.stride + tap / self.kernel;
            let x = column * self.stride + tap % self.kernel;
            let y = self.place(y, self.stored.0, self.scaled.0);
            let x = self.place(x, self.stored.1, self.scaled.1);
            if let (Some(y), Some(x)) = (y, x) {
                let cell = (item * self.stored.0 + y) * self.stored.1 + x;
                now.copy_from_slice(&self.values[cell * channels + channel..][..count]);
            } else {
                now.fill(0.);
            }
            (at, to) = (at + count, later);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{close, random};
    use super::*;

    fn conv(kernel: usize, stride: usize, padding: Padding) -> (Conv2d, Tensor, Tensor) {
        let (weight, bias) = (random(&[5, 3, kernel, kernel], 1), random(&[5], 2));
        let layer = Conv2d::new(weight.clone(), bias.clone(), stride, padding).unwrap();
        (layer, weight, bias.reshape((1, 5, 1, 1)).unwrap())
    }

    #[test]
    fn convolutions_equal_candle() {
        let x = random(&[2, 3, 7, 9], 3);
        let map = FeatureMap::from_nchw(&x).unwrap();
        for (kernel, stride) in [(3, 1), (3, 2), (1, 1)] {
            let (layer, weight, bias) = conv(kernel, stride, Padding::Same);
            let wanted = x.conv2d(&weight, kernel / 2, stride, 1, 1).unwrap();
            let wanted = wanted.broadcast_add(&bias).unwrap();
            close(
                &layer.forward(&map).unwrap().to_nchw().unwrap(),
                &wanted,
                1e-5,
            );
        }
        let (layer, weight, bias) = conv(3, 2, Padding::BottomRight);
        let padded = x
            .pad_with_zeros(2, 0, 1)
            .unwrap()
            .pad_with_zeros(3, 0, 1)
            .unwrap();
        let wanted = padded
            .conv2d(&weight, 0, 2, 1, 1)
            .unwrap()
            .broadcast_add(&bias)
            .unwrap();
        close(
            &layer.forward(&map).unwrap().to_nchw().unwrap(),
            &wanted,
            1e-5,
        );
    }

    #[test]
    fn scaling_and_shifts_belong_to_the_same_pass() {
        let x = random(&[2, 3, 4, 3], 4);
        let map = FeatureMap::from_nchw(&x).unwrap();
        let (layer, weight, bias) = conv(3, 1, Padding::Same);
        for size in [(8, 6), (7, 5)] {
            let scaled = x.upsample_nearest2d(size.0, size.1).unwrap();
            let wanted = scaled
                .conv2d(&weight, 1, 1, 1, 1)
                .unwrap()
                .broadcast_add(&bias)
                .unwrap();
            let got = layer.forward_scaled(&map, size).unwrap();
            close(&got.to_nchw().unwrap(), &wanted, 1e-5);
        }
        let shift = random(&[2, 5], 5);
        let wanted = layer.forward(&map).unwrap().to_nchw().unwrap();
        let wanted = wanted
            .broadcast_add(&shift.reshape((2, 5, 1, 1)).unwrap())
            .unwrap();
        let got = layer.forward_shifted(&map, &shift).unwrap();
        close(&got.to_nchw().unwrap(), &wanted, 1e-5);
    }

    #[test]
    fn blocks_and_pieces_join_to_the_whole() {
        // Several blocks of rows, and taps whose values are split between pieces of a sum.
        let x = random(&[2, 300, 13, 20], 6);
        let weight = (random(&[33, 300, 3, 3], 7) * 0.02).unwrap();
        let bias = random(&[33], 8);
        let layer = Conv2d::new(weight.clone(), bias.clone(), 1, Padding::Same).unwrap();
        let wanted = x.conv2d(&weight, 1, 1, 1, 1).unwrap();
        let wanted = wanted
            .broadcast_add(&bias.reshape((1, 33, 1, 1)).unwrap())
            .unwrap();
        let map = FeatureMap::from_nchw(&x).unwrap();
        let got = layer.forward(&map).unwrap();
        close(&got.to_nchw().unwrap(), &wanted, 1e-5);
        let sum = layer.forward_add(&map, &got).unwrap();
        close(&sum.to_nchw().unwrap(), &(&wanted + &wanted).unwrap(), 2e-5);
        // What was added is as it was.
        close(&got.to_nchw().unwrap(), &wanted, 1e-5);
    }
}
