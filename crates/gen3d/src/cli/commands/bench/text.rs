//! `gen3d bench text`: texts a second through a text tower, tokenizer included.

use alpha_clip::{AlphaClip, LabelSet, TextTower, Tokenizer};
use anyhow::anyhow;
use candle_core::Tensor;
use serde::Serialize;

use super::{architecture, median, print, saved};
use crate::cli::args::BenchText;
use crate::cli::context::Context;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::model;

#[derive(Serialize)]
struct Measured<'a> {
    /// The architecture, or the model that was given.
    arch: &'a str,
    batch: u32,
    runs: u32,
    /// Median of one batch.
    seconds: f64,
    per_second: f64,
}

pub(super) fn run(args: &BenchText, context: &Context) -> Result<Outcome, Failure> {
    let device = &context.device;
    let source = Source::load(args, context)?;
    let tower = source.tower();
    let tokenizer = Tokenizer::new(tower.config().context);
    let texts = texts(args)?;
    let mut features = None;
    let seconds = median(args.runs, context, || -> anyhow::Result<()> {
        let rows = texts
            .iter()
            .map(|text| tokenizer.encode(text))
            .collect::<Result<Vec<_>, _>>()?;
        features = Some(tower.encode(&Tensor::new(rows, device)?)?);
        Ok(device.synchronize()?)
    })?;
    let measured = Measured {
        arch: args.model.as_ref().unwrap_or(&args.arch),
        batch: args.batch,
        runs: args.runs,
        seconds,
        per_second: f64::from(args.batch) / seconds,
    };
    print("text", measured, &context.where_int8(tower.int8()))?;
    saved::write(features, args.features.as_deref())?;
    Ok(Outcome::Done)
}

/// Where the tower comes from.
enum Source {
    Random(Box<TextTower>),
    Model(Box<AlphaClip>),
}

impl Source {
    fn load(args: &BenchText, context: &Context) -> Result<Self, Failure> {
        let Some(given) = &args.model else {
            let config = architecture::named(&args.arch)?.text;
            let tower = TextTower::random(&config, &context.load_options());
            return Ok(Self::Random(Box::new(tower.map_err(Failure::failed)?)));
        };
        let clip = AlphaClip::load(&model::open(given, "--model")?, &context.load_options());
        Ok(Self::Model(Box::new(clip.map_err(Failure::missing)?)))
    }

    fn tower(&self) -> &TextTower {
        match self {
            Self::Random(tower) => tower,
            Self::Model(clip) => clip.text(),
        }
    }
}

/// As many texts as a batch has; the same ones again where there are fewer.
fn texts(args: &BenchText) -> Result<Vec<String>, Failure> {
    let all: Vec<String> = match &args.texts {
        Some(path) => {
            let place = path.display();
            let file = std::fs::read_to_string(path)
                .map_err(|e| Failure::missing(anyhow!("--texts: {place}: {e}")))?;
            file.lines().map(str::to_owned).collect()
        }
        // Prompts of everyday length: what a zero-shot head is made of.
        None => {
            let labels = LabelSet::objects();
            let prompt = |label| format!("a photo of a {label}.");
            labels.names().iter().map(prompt).collect()
        }
    };
    if all.is_empty() {
        return Err(Failure::missing(anyhow!(
            "--texts: the file is empty; give one text a line"
        )));
    }
    Ok(all
        .iter()
        .cycle()
        .take(args.batch as usize)
        .cloned()
        .collect())
}
