//! `gen3d bench text`: texts a second through a text tower, tokenizer included.

use alpha_clip::{LabelSet, TextTower, Tokenizer};
use candle_core::Tensor;
use serde::Serialize;

use super::{architecture, median, print};
use crate::cli::args::BenchText;
use crate::cli::context::Context;
use crate::cli::failure::{Failure, Outcome};

#[derive(Serialize)]
struct Measured<'a> {
    arch: &'a str,
    batch: u32,
    runs: u32,
    /// Median of one batch.
    seconds: f64,
    per_second: f64,
}

pub(super) fn run(args: &BenchText, context: &Context) -> Result<Outcome, Failure> {
    let config = architecture::named(&args.arch)?.text;
    let device = &context.device;
    let tower = TextTower::random(&config, context.dtype, device).map_err(Failure::failed)?;
    let tokenizer = Tokenizer::new(config.context);
    // Prompts of everyday length: what a zero-shot head is made of.
    let labels = LabelSet::objects();
    let labels = labels.names().iter().cycle().take(args.batch as usize);
    let texts: Vec<String> = labels
        .map(|label| format!("a photo of a {label}."))
        .collect();
    let seconds = median(args.runs, context, || -> anyhow::Result<()> {
        let rows = texts
            .iter()
            .map(|text| tokenizer.encode(text))
            .collect::<Result<Vec<_>, _>>()?;
        tower.encode(&Tensor::new(rows, device)?)?;
        Ok(device.synchronize()?)
    })?;
    let measured = Measured {
        arch: &args.arch,
        batch: args.batch,
        runs: args.runs,
        seconds,
        per_second: f64::from(args.batch) / seconds,
    };
    print("text", measured, context)?;
    Ok(Outcome::Done)
}
