//! `gen3d bench gemm`: what the kernels reach on one large product.

use anyhow::anyhow;
use kernels::gemm::{Epilogue, Matrix, PackedMatrix, multiply};
use serde::Serialize;

use super::{median, print};
use crate::cli::args::BenchGemm;
use crate::cli::context::Context;
use crate::cli::failure::{Failure, Outcome};

#[derive(Serialize)]
struct Measured {
    side: u32,
    instructions: &'static str,
    runs: u32,
    /// Median of one product.
    seconds: f64,
    /// Billions of multiplications and additions a second.
    gflops: f64,
}

pub(super) fn run(args: &BenchGemm, context: &Context) -> Result<Outcome, Failure> {
    if !context.device.is_cpu() {
        return Err(Failure::usage(anyhow!(
            "bench gemm measures the kernels of the CPU; give --device cpu"
        )));
    }
    let side = args.side as usize;
    let value = |i: usize| (i * 7_919 % 2_003) as f32 / 1_001. - 1.;
    let values: Vec<f32> = (0..side * side).map(value).collect();
    let weights = PackedMatrix::of_rows(&values, side, context.precision());
    let mut product = vec![0f32; side * side];
    let seconds = median(args.runs, context, || -> anyhow::Result<()> {
        let x = Matrix::new(&values, side);
        multiply(&x, &weights, Epilogue::default(), &mut product);
        Ok(())
    })?;
    let measured = Measured {
        side: args.side,
        instructions: kernels::Instructions::best().name(),
        runs: args.runs,
        seconds,
        gflops: 2. * f64::from(args.side).powi(3) / seconds / 1e9,
    };
    print("gemm", measured, context)?;
    Ok(Outcome::Done)
}
