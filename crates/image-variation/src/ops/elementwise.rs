//! Activations and sums.

use candle_core::{CpuStorage, D, InplaceOp2, Layout, Tensor};
use kernels::rows::{self, values, values_mut};

use super::CandleResult;
use crate::error::Result;

/// x·sigmoid(x).
pub(crate) fn silu(x: &Tensor) -> Result<Tensor> {
    Ok(x.silu()?)
}

/// The first half of the last axis times the GELU of the second half, GELU with the exact error
/// function (Shazeer 2020). On a CPU [`kernels::geglu`] does the same.
pub(super) fn geglu(x: &Tensor) -> Result<Tensor> {
    let half = x.dim(D::Minus1)? / 2;
    let value = x.narrow(D::Minus1, 0, half)?;
    let gate = x.narrow(D::Minus1, half, half)?.contiguous()?.gelu_erf()?;
    Ok((value * gate)?)
}

/// Adds rows as [`super::add_rows`] says.
pub(super) struct AddRows;

impl InplaceOp2 for AddRows {
    fn name(&self) -> &'static str {
        "add-rows"
    }

    fn cpu_fwd(
        &self,
        x: &mut CpuStorage,
        layout: &Layout,
        rows: &CpuStorage,
        rows_layout: &Layout,
    ) -> CandleResult<()> {
        let added = values(rows, rows_layout)?;
        let width = rows_layout.dims().last().copied().unwrap_or(0).max(1);
        let x = values_mut(x, layout)?;
        let items = (added.len() / width).max(1);
        let rows_per_item = (x.len() / width / items).max(1);
        if x.len() != items * rows_per_item * width {
            candle_core::bail!("{} values do not make rows of {width} for {items}", x.len());
        }
        rows::for_each(x, width, |i, row| {
            let item = i / rows_per_item;
            for (y, b) in row.iter_mut().zip(&added[item * width..(item + 1) * width]) {
                *y += b;
            }
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{close, random};
    use super::*;

    #[test]
    fn geglu_takes_the_value_first() {
        let x = random(&[3, 10], 1);
        let mut got = vec![0f32; 15];
        let values = x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        kernels::geglu(&values, 5, &mut got);
        let got = Tensor::from_vec(got, (3, 5), x.device()).unwrap();
        close(&got, &geglu(&x).unwrap(), 1e-6);
    }
}
