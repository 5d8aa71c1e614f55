//! `gen3d bench encode`: pictures a second through a vision tower.

use std::path::Path;

use alpha_clip::{VisionInput, VisionTower};
use anyhow::anyhow;
use candle_core::{Device, Tensor};
use serde::Serialize;

use super::{architecture, median, print, saved};
use crate::cli::args::BenchEncode;
use crate::cli::context::Context;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::model;

#[derive(Serialize)]
struct Measured<'a> {
    /// The architecture, or the model that was given.
    arch: &'a str,
    pixels: usize,
    batch: u32,
    runs: u32,
    /// Median of one batch.
    seconds: f64,
    per_second: f64,
}

pub(super) fn run(args: &BenchEncode, context: &Context) -> Result<Outcome, Failure> {
    let device = &context.device;
    let tower = tower(args, context)?;
    let side = tower.config().image_size;
    let given = args.pixels.as_deref().map(|p| pictures(p, side, device));
    let given = given.transpose().map_err(Failure::missing)?;
    let mut features = None;
    for &batch in &args.batch {
        let input = || -> anyhow::Result<VisionInput> {
            let count = batch as usize;
            Ok(VisionInput {
                pixels: match &given {
                    Some(pictures) => first(pictures, count)?,
                    None => Tensor::randn(0f32, 1., (count, 3, side, side), device)?,
                },
                alpha: match tower.config().alpha && given.is_none() {
                    true => Some(Tensor::randn(0f32, 1., (count, 1, side, side), device)?),
                    false => None,
                },
            })
        };
        let input = input().map_err(Failure::failed)?;
        let seconds = median(args.runs, context, || -> anyhow::Result<()> {
            features = Some(tower.encode(&input)?);
            Ok(device.synchronize()?)
        })?;
        let measured = Measured {
            arch: args.model.as_ref().unwrap_or(&args.arch),
            pixels: side,
            batch,
            runs: args.runs,
            seconds,
            per_second: f64::from(batch) / seconds,
        };
        print("encode", measured, &context.where_int8(tower.int8()))?;
    }
    saved::write(features, args.features.as_deref())?;
    Ok(Outcome::Done)
}

fn tower(args: &BenchEncode, context: &Context) -> Result<VisionTower, Failure> {
    let Some(given) = &args.model else {
        let config = architecture::named(&args.arch)?.vision;
        let tower = VisionTower::random(&config, &context.load_options());
        return tower.map_err(Failure::failed);
    };
    let file = model::open(given, "--model")?;
    VisionTower::load(&file, &context.load_options()).map_err(Failure::missing)
}

/// The pictures in a file.
fn pictures(path: &Path, side: usize, device: &Device) -> anyhow::Result<Tensor> {
    let pixels = saved::read(path, "pixels", device).map_err(|e| anyhow!("--pixels: {e}"))?;
    match pixels.dims() {
        [_, 3, h, w] if [*h, *w] == [side; 2] => Ok(pixels),
        other => Err(anyhow!(
            "--pixels: {} holds pixels of shape {other:?}; give [N, 3, {side}, {side}]",
            path.display()
        )),
    }
}

fn first(pictures: &Tensor, count: usize) -> anyhow::Result<Tensor> {
    let there = pictures.dim(0)?;
    if there < count {
        return Err(anyhow!(
            "--pixels: the file holds {there} pictures; --batch {count} needs more"
        ));
    }
    Ok(pictures.narrow(0, 0, count)?.contiguous()?)
}
