//! `gen3d bench unet`: seconds of one step of a UNet of random weights.

use candle_core::Tensor;
use image_variation::unet::{Unet, UnetConfig};
use serde::Serialize;

use super::diffusion::{BenchUnet, DiffusionSize};
use super::memory::Memory;
use super::{median, print};
use crate::cli::context::Context;
use crate::cli::failure::{Failure, Outcome};

#[derive(Serialize)]
struct Measured {
    arch: &'static str,
    /// Side of the latents.
    latents: usize,
    batch: usize,
    runs: u32,
    /// Median of one call.
    seconds: f64,
    #[serde(flatten)]
    memory: Memory,
}

pub(super) fn run(args: &BenchUnet, context: &Context) -> Result<Outcome, Failure> {
    let config = config(args.arch);
    let device = &context.device;
    let unet = Unet::random(&config, 1, context.dtype, device).map_err(Failure::failed)?;
    let mut memory = Memory::loaded();
    for &batch in &args.batch {
        let side = args.latents as usize;
        let input = || -> anyhow::Result<_> {
            let latents = Tensor::randn(0f32, 1., (batch, config.channels, side, side), device)?;
            let context = Tensor::randn(0f32, 1., (batch, 1, config.context_width), device)?;
            Ok((latents, unet.condition(&context)?))
        };
        let (latents, conditioning) = input().map_err(Failure::failed)?;
        let seconds = median(args.runs, context, || -> anyhow::Result<()> {
            unet.forward(&latents, &[501.], &conditioning)?;
            Ok(device.synchronize()?)
        })?;
        memory.update();
        let measured = Measured {
            arch: args.arch.name(),
            latents: side,
            batch,
            runs: args.runs,
            seconds,
            memory,
        };
        print("unet", measured, context)?;
    }
    Ok(Outcome::Done)
}

fn config(size: DiffusionSize) -> UnetConfig {
    let mut config = UnetConfig::stable_diffusion_1();
    if size == DiffusionSize::Small {
        (config.widths, config.groups) = (vec![32, 64, 64, 64], 8);
    }
    config
}
