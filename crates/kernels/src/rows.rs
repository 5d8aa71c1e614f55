//! Contiguous f32 tensors on the CPU as rows.

use candle_core::{CpuStorage, Layout, Result};
use rayon::prelude::*;

/// Rows that one task of a parallel loop takes are chosen so that it touches this many values.
pub const VALUES_PER_TASK: usize = 16 * 1024;

/// The elements of a contiguous f32 tensor.
///
/// # Errors
/// If it is of another type, or not contiguous.
pub fn values<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => candle_core::bail!("the operand must be contiguous"),
    }
}

/// The elements of a contiguous f32 tensor, to be changed.
///
/// # Errors
/// As [`values`].
pub fn values_mut<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    let CpuStorage::F32(data) = storage else {
        candle_core::bail!("the operand must be f32");
    };
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&mut data[start..end]),
        None => candle_core::bail!("the operand must be contiguous"),
    }
}

/// Calls `row(index, values)` for each row of `width` values, on the threads of the caller's rayon
/// pool.
pub fn for_each(data: &mut [f32], width: usize, row: impl Fn(usize, &mut [f32]) + Sync) {
    let width = width.max(1);
    let rows_per_task = (VALUES_PER_TASK / width).max(1);
    data.par_chunks_mut(rows_per_task * width)
        .enumerate()
        .for_each(|(task, rows)| {
            for (i, values) in rows.chunks_mut(width).enumerate() {
                row(task * rows_per_task + i, values);
            }
        });
}

/// What `work` returns, done by a thread of the caller's rayon pool: the loops in it then begin at
/// once, where each would otherwise be handed over to the pool and waited for.
pub fn in_pool<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    rayon::scope(|_| work())
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device, Tensor};

    use super::*;

    #[test]
    fn every_row_is_visited_once_with_its_index() {
        for (rows, width) in [(1, 1), (7, 3), (5_000, 17), (3, 20_000)] {
            let mut data = vec![0f32; rows * width];
            for_each(&mut data, width, |i, row| {
                row.iter_mut().for_each(|x| *x += i as f32)
            });
            assert!(
                data.iter()
                    .enumerate()
                    .all(|(i, x)| *x == (i / width) as f32)
            );
        }
        for_each(&mut [], 0, |_, _| unreachable!("there is no row"));
    }

    #[test]
    fn only_contiguous_f32_is_taken() {
        let refused = |tensor: Tensor| {
            let (storage, layout) = tensor.storage_and_layout();
            match &*storage {
                candle_core::Storage::Cpu(storage) => values(storage, layout).is_err(),
                _ => false,
            }
        };
        let x = Tensor::zeros((2, 3), DType::F32, &Device::Cpu).unwrap();
        assert!(refused(x.t().unwrap()) && refused(x.to_dtype(DType::F64).unwrap()));
        assert!(!refused(x.narrow(0, 1, 1).unwrap()));
    }
}
