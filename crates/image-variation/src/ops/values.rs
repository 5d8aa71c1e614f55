//! Tensors on a CPU as slices for the kernels, and back.

use std::ops::Deref;

use candle_core::{CpuStorage, DType, Device, InplaceOp1, Layout, Shape, Storage, Tensor};
use kernels::gemm::{Epilogue, PackedMatrix, Rows, multiply};
use kernels::{Precision, rows};

use super::CandleResult;
use crate::error::Result;

/// The values of a tensor, for as long as this is alive.
pub(super) struct Values<'a> {
    storage: Box<dyn Deref<Target = Storage> + 'a>,
    layout: &'a Layout,
}

impl<'a> Values<'a> {
    pub(super) fn of(tensor: &'a Tensor) -> Self {
        let (storage, layout) = tensor.storage_and_layout();
        Self {
            storage: Box::new(storage),
            layout,
        }
    }

    /// Row by row.
    ///
    /// # Errors
    /// If they are not f32 on a CPU, or the tensor is not contiguous.
    pub(super) fn contiguous(&self) -> CandleResult<&[f32]> {
        match &**self.storage {
            Storage::Cpu(storage) => rows::values(storage, self.layout),
            _ => candle_core::bail!("the operand must be on a CPU"),
        }
    }

    /// The rows of [B, N, C], of which those of one item follow each other at one stride, from the
    /// first value on: the values, the stride, and the number of rows from item to item.
    ///
    /// # Errors
    /// If they are not f32 on a CPU or lie otherwise.
    pub(super) fn strided(&self) -> CandleResult<(&[f32], usize, usize)> {
        let (_, rows, _) = self.layout.shape().dims3()?;
        let (Storage::Cpu(CpuStorage::F32(values)), &[by_item, by_row, 1]) =
            (&**self.storage, self.layout.stride())
        else {
            candle_core::bail!("the operand must be f32 rows on a CPU");
        };
        // The stride of an axis of length 1 says nothing.
        let by_row = if rows == 1 { by_item } else { by_row };
        if !by_item.is_multiple_of(by_row.max(1)) {
            candle_core::bail!("the items of the operand must be whole rows apart");
        }
        let from = &values[self.layout.start_offset()..];
        Ok((from, by_row, by_item / by_row.max(1)))
    }
}

/// A tensor on the CPU.
pub(super) fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> Result<Tensor> {
    Ok(Tensor::from_vec(values, shape.into(), &Device::Cpu)?)
}

/// The same values in memory of their own.
pub(super) fn copied(x: &Tensor) -> Result<Tensor> {
    let read = Values::of(x);
    let from = read.contiguous()?;
    let mut to = vec![0f32; from.len()];
    rows::for_each(&mut to, rows::VALUES_PER_TASK, |i, to| {
        to.copy_from_slice(&from[i * rows::VALUES_PER_TASK..][..to.len()]);
    });
    tensor(to, x.shape())
}

/// What products multiply in whose weights are kept as `dtype` on a CPU.
pub(crate) fn precision(dtype: DType) -> Precision {
    match dtype {
        DType::BF16 => Precision::Bf16,
        _ => Precision::F32,
    }
}

/// Packs rows of weights [outputs, inputs, taps] as [outputs, taps·inputs], for products in the
/// [`precision`] of their type.
pub(super) fn pack(weight: &Tensor, inputs: usize, taps: usize) -> Result<PackedMatrix> {
    fn packed<T: Copy + Sync>(
        from: &[T],
        [inputs, taps]: [usize; 2],
        precision: Precision,
        value: impl Fn(T) -> f32 + Sync,
    ) -> PackedMatrix {
        let width = (inputs * taps).max(1);
        PackedMatrix::new(from.len() / width, width, precision, |n, row| {
            let from = &from[n * width..][..width];
            for (tap, row) in row.chunks_exact_mut(inputs).enumerate() {
                for (to, from) in row.iter_mut().zip(from[tap..].iter().step_by(taps)) {
                    *to = value(*from);
                }
            }
        })
    }
    let weight = weight.contiguous()?;
    let precision = precision(weight.dtype());
    let (storage, layout) = weight.storage_and_layout();
    let (start, count) = (layout.start_offset(), layout.shape().elem_count());
    let (all, shape) = (start..start + count, [inputs, taps]);
    Ok(match &*storage {
        Storage::Cpu(CpuStorage::F32(from)) => packed(&from[all], shape, precision, |x| x),
        Storage::Cpu(CpuStorage::BF16(from)) => packed(&from[all], shape, precision, f32::from),
        Storage::Cpu(CpuStorage::F16(from)) => packed(&from[all], shape, precision, f32::from),
        _ => return Err(candle_core::Error::msg("weights are f32, f16 or bf16 on a CPU").into()),
    })
}

/// The product of rows and weights.
pub(super) fn product(
    rows: &impl Rows,
    weights: &PackedMatrix,
    epilogue: Epilogue<'_>,
) -> CandleResult<Vec<f32>> {
    fits(rows, weights)?;
    let mut y = vec![0f32; rows.count() * weights.outputs()];
    multiply(rows, weights, epilogue, &mut y);
    Ok(y)
}

fn fits(rows: &impl Rows, weights: &PackedMatrix) -> CandleResult<()> {
    let (given, taken) = (rows.width(), weights.inputs());
    if given != taken {
        candle_core::bail!("rows of {given} values on weights that take {taken}");
    }
    Ok(())
}

/// Adds a product to `y`, which must be used by nobody else.
pub(super) fn add_product(
    rows: &impl Rows,
    weights: &PackedMatrix,
    bias: Option<&[f32]>,
    y: &Tensor,
) -> CandleResult<()> {
    struct Add<'a, R>(&'a R, &'a PackedMatrix, Option<&'a [f32]>);

    impl<R: Rows> InplaceOp1 for Add<'_, R> {
        fn name(&self) -> &'static str {
            "add-product"
        }

        fn cpu_fwd(&self, y: &mut CpuStorage, layout: &Layout) -> CandleResult<()> {
            let &Self(rows, weights, bias) = self;
            let y = rows::values_mut(y, layout)?;
            if y.len() != rows.count() * weights.outputs() {
                candle_core::bail!("a product cannot be added to {} values", y.len());
            }
            let epilogue = Epilogue {
                bias,
                add: true,
                ..Epilogue::default()
            };
            multiply(rows, weights, epilogue, y);
            Ok(())
        }
    }
    fits(rows, weights)?;
    y.inplace_op1(&Add(rows, weights, bias))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{close, random};
    use super::*;

    #[test]
    fn slices_of_rows_are_read_in_place() {
        let x = random(&[2, 5, 12], 1);
        let part = x.narrow(2, 4, 3).unwrap();
        let read = Values::of(&part);
        let (values, stride, rows) = read.strided().unwrap();
        let all = x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!((values, stride, rows), (&all[4..], 12, 5));
        assert!(read.contiguous().is_err());
        assert!(Values::of(&x.transpose(1, 2).unwrap()).strided().is_err());
        let one = x.narrow(1, 2, 1).unwrap();
        let read = Values::of(&one);
        let (values, stride, rows) = read.strided().unwrap();
        assert_eq!((values, stride, rows), (&all[24..], 60, 1));
        close(&copied(&x).unwrap(), &x, 0.);
    }
}
