//! Convolutions. On a CPU they are matrix products over tiles of patches, so that the patches of
//! a whole picture are never in memory at once.

use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor};
use kernels::rows::values;
use rayon::prelude::*;

use super::{CandleResult, FeatureMap, add_rows};
use crate::error::Result;

/// Most values in a tile of patches: 16 MiB.
const TILE: usize = 4 << 20;

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
    /// [outputs, kernel·kernel·inputs] on a CPU (taps row by row, each with all its inputs),
    /// [outputs, inputs, kernel, kernel] elsewhere.
    weight: Tensor,
    bias: Tensor,
    kernel: usize,
    stride: usize,
    padding: Padding,
}

impl Conv2d {
    /// From weights [outputs, inputs, kernel, kernel].
    pub(crate) fn new(
        weight: Tensor,
        bias: Tensor,
        stride: usize,
        padding: Padding,
    ) -> Result<Self> {
        let (outputs, inputs, kernel, _) = weight.dims4()?;
        let weight = if weight.device().is_cpu() {
            weight
                .permute((0, 2, 3, 1))?
                .reshape((outputs, kernel * kernel * inputs))?
        } else {
            weight
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
        self.run(x, (x.height, x.width), None)
    }

    /// With `shift` [B, outputs] added to the bias.
    pub(crate) fn forward_shifted(&self, x: &FeatureMap, shift: &Tensor) -> Result<FeatureMap> {
        self.run(x, (x.height, x.width), Some(shift))
    }

    /// On the input scaled to `size` (height, width) by nearest neighbour.
    pub(crate) fn forward_scaled(
        &self,
        x: &FeatureMap,
        size: (usize, usize),
    ) -> Result<FeatureMap> {
        self.run(x, size, None)
    }

    fn run(
        &self,
        x: &FeatureMap,
        size: (usize, usize),
        shift: Option<&Tensor>,
    ) -> Result<FeatureMap> {
        let bias = match shift {
            Some(shift) => shift.broadcast_add(&self.bias.to_dtype(shift.dtype())?)?,
            None => self.bias.clone(),
        };
        if x.is_channels_last() {
            self.run_tiled(x, size, &bias)
        } else {
            self.run_candle(x, size, &bias)
        }
    }

    fn run_candle(
        &self,
        x: &FeatureMap,
        (height, width): (usize, usize),
        bias: &Tensor,
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
        let data = data.conv2d(&self.weight, padding, self.stride, 1, 1)?;
        let bias = bias.to_dtype(data.dtype())?;
        let items = if bias.rank() == 1 { 1 } else { bias.dim(0)? };
        let bias = bias.reshape((items, (), 1, 1))?;
        let (_, _, height, width) = data.dims4()?;
        Ok(FeatureMap {
            data: data.broadcast_add(&bias)?,
            height,
            width,
        })
    }

    fn run_tiled(
        &self,
        x: &FeatureMap,
        (height, width): (usize, usize),
        bias: &Tensor,
    ) -> Result<FeatureMap> {
        let (items, _, channels) = x.data.dims3()?;
        let (before, around) = match self.padding {
            Padding::Same => (self.kernel / 2, self.kernel / 2 * 2),
            Padding::BottomRight => (0, 1),
        };
        let out = |size: usize| (size + around).saturating_sub(self.kernel) / self.stride + 1;
        let (out_height, out_width) = (out(height), out(width));
        let weight = self.weight.to_dtype(x.data.dtype())?;
        let weight = weight.t()?;
        let outputs = self.weight.dim(0)?;
        let data = x.data.contiguous()?;
        let plain = self.kernel == 1 && self.stride == 1 && (height, width) == (x.height, x.width);
        let rows = if plain {
            data.reshape((items * height * width, channels))?
                .matmul(&weight)?
        } else {
            let taps = self.kernel * self.kernel * channels;
            let lines_per_tile = (TILE / (taps * out_width).max(1)).max(1);
            let mut tiles = Vec::new();
            let mut line = 0;
            while line < items * out_height {
                let end = (line + lines_per_tile).min(items * out_height);
                let patches = Patches {
                    lines: (line, end),
                    kernel: self.kernel,
                    stride: self.stride,
                    before,
                    stored: (x.height, x.width),
                    scaled: (height, width),
                    out: (out_height, out_width),
                };
                tiles.push(data.apply_op1_no_bwd(&patches)?.matmul(&weight)?);
                line = end;
            }
            match tiles.as_slice() {
                [one] => one.clone(),
                _ => Tensor::cat(&tiles, 0)?,
            }
        };
        let data = rows.reshape((items, out_height * out_width, outputs))?;
        let data = add_rows(data, bias)?;
        Ok(FeatureMap {
            data,
            height: out_height,
            width: out_width,
        })
    }
}

/// Gathers the inputs of some lines of output positions: [positions, kernel·kernel·C].
struct Patches {
    /// First line and the one after the last; lines of all items are counted through.
    lines: (usize, usize),
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

impl CustomOp1 for Patches {
    fn name(&self) -> &'static str {
        "patches"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> CandleResult<(CpuStorage, Shape)> {
        let (_, area, channels) = layout.shape().dims3()?;
        let x = values(x, layout)?;
        let (first, end) = self.lines;
        let (height, width) = self.scaled;
        let (stored_height, stored_width) = self.stored;
        let (out_height, out_width) = self.out;
        let taps = self.kernel * self.kernel * channels;
        let mut out = vec![0f32; (end - first) * out_width * taps];
        out.par_chunks_mut((out_width * taps).max(1))
            .enumerate()
            .for_each(|(i, line)| {
                let (item, y) = ((first + i) / out_height, (first + i) % out_height);
                let x = &x[item * area * channels..(item + 1) * area * channels];
                for (column, patch) in line.chunks_exact_mut(taps).enumerate() {
                    for (tap, values) in patch.chunks_exact_mut(channels).enumerate() {
                        let row = (y * self.stride + tap / self.kernel).wrapping_sub(self.before);
                        let at =
                            (column * self.stride + tap % self.kernel).wrapping_sub(self.before);
                        if row < height && at < width {
                            let row = row * stored_height / height;
                            let at = at * stored_width / width;
                            let start = (row * stored_width + at) * channels;
                            values.copy_from_slice(&x[start..start + channels]);
                        }
                    }
                }
            });
        Ok((
            CpuStorage::F32(out),
            ((end - first) * out_width, taps).into(),
        ))
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
    fn tiles_join_to_the_whole() {
        // 2 × 300 lines of 20 positions and 27·40 values make several tiles.
        let x = random(&[2, 40, 300, 20], 6);
        let (weight, bias) = (random(&[2, 40, 3, 3], 7), random(&[2], 8));
        let layer = Conv2d::new(weight.clone(), bias.clone(), 1, Padding::Same).unwrap();
        let wanted = x.conv2d(&weight, 1, 1, 1, 1).unwrap();
        let wanted = wanted
            .broadcast_add(&bias.reshape((1, 2, 1, 1)).unwrap())
            .unwrap();
        let got = layer.forward(&FeatureMap::from_nchw(&x).unwrap()).unwrap();
        close(&got.to_nchw().unwrap(), &wanted, 1e-4);
    }
}
