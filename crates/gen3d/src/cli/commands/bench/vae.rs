//! `gen3d bench vae`: seconds to decode a picture with a VAE of random weights.

use candle_core::Tensor;
use image_variation::vae::{Vae, VaeConfig};
use serde::Serialize;

use super::diffusion::{BenchVae, DiffusionSize};
use super::memory::Memory;
use super::{median, print};
use crate::cli::context::Context;
use crate::cli::failure::{Failure, Outcome};

#[derive(Serialize)]
struct Measured {
    arch: &'static str,
    /// Side of the latents.
    latents: usize,
    /// Side of the picture.
    pixels: usize,
    batch: usize,
    tiling: bool,
    runs: u32,
    /// Median of one call.
    seconds: f64,
    #[serde(flatten)]
    memory: Memory,
}

pub(super) fn run(args: &BenchVae, context: &Context) -> Result<Outcome, Failure> {
    let mut config = VaeConfig::stable_diffusion_1();
    if args.arch == DiffusionSize::Small {
        (config.widths, config.groups) = (vec![16, 32, 32, 32], 8);
    }
    let device = &context.device;
    let vae = Vae::random(&config, 1, context.dtype, device).map_err(Failure::failed)?;
    let vae = vae.with_tiling(args.tiling);
    let mut memory = Memory::loaded();
    for &batch in &args.batch {
        let side = args.latents as usize;
        let shape = (batch, config.latent_channels, side, side);
        let latents = Tensor::randn(0f32, 1., shape, device).map_err(Failure::failed)?;
        let seconds = median(args.runs, context, || -> anyhow::Result<()> {
            vae.decode(&latents)?;
            Ok(device.synchronize()?)
        })?;
        memory.update();
        let measured = Measured {
            arch: args.arch.name(),
            latents: side,
            pixels: side * config.factor(),
            batch,
            tiling: args.tiling,
            runs: args.runs,
            seconds,
            memory,
        };
        print("vae", measured, context)?;
    }
    Ok(Outcome::Done)
}
