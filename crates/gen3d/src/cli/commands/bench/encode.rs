//! `gen3d bench encode`: pictures a second through a vision tower.

use alpha_clip::{VisionInput, VisionTower};
use candle_core::Tensor;
use serde::Serialize;

use super::{architecture, median, print};
use crate::cli::args::BenchEncode;
use crate::cli::context::Context;
use crate::cli::failure::{Failure, Outcome};

#[derive(Serialize)]
struct Measured<'a> {
    arch: &'a str,
    pixels: usize,
    batch: u32,
    runs: u32,
    /// Median of one batch.
    seconds: f64,
    per_second: f64,
}

pub(super) fn run(args: &BenchEncode, context: &Context) -> Result<Outcome, Failure> {
    let config = architecture::named(&args.arch)?.vision;
    let device = &context.device;
    let tower = VisionTower::random(&config, context.dtype, device).map_err(Failure::failed)?;
    let pixels = config.image_size;
    let input = || -> candle_core::Result<VisionInput> {
        let batch = args.batch as usize;
        Ok(VisionInput {
            pixels: Tensor::randn(0f32, 1., (batch, 3, pixels, pixels), device)?,
            alpha: Some(Tensor::randn(0f32, 1., (batch, 1, pixels, pixels), device)?),
        })
    };
    let input = input().map_err(Failure::failed)?;
    let seconds = median(args.runs, context, || -> anyhow::Result<()> {
        tower.encode(&input)?;
        Ok(device.synchronize()?)
    })?;
    let measured = Measured {
        arch: &args.arch,
        pixels,
        batch: args.batch,
        runs: args.runs,
        seconds,
        per_second: f64::from(args.batch) / seconds,
    };
    print("encode", measured, context)?;
    Ok(Outcome::Done)
}
