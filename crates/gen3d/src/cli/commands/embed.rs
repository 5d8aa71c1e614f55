//! `gen3d embed`: features of texts, pictures and shapes.

use std::io::BufRead;

use alpha_clip::normalise_rows;
use anyhow::anyhow;
use candle_core::{Device, Tensor};
use indicatif::ProgressBar;

use crate::cli::args::{Embed, EmbedCloud, EmbedImage, EmbedText, EmbedWhat, FeatureOutput};
use crate::cli::bulk;
use crate::cli::context::{Context, error_line};
use crate::cli::failure::{Failure, Outcome, one_line};
use crate::cli::features::FeatureWriter;
use crate::cli::inputs::{self, Input, PICTURES, SHAPES};
use crate::cli::model::{ImageModel, Model};
use crate::cli::pictures::PictureEncoder;

/// Texts between two looks at the user's wish to stop.
const TEXTS_AT_ONCE: usize = 64;
/// Letters of a text that an error line shows.
const SHOWN: usize = 60;

pub(crate) fn run(args: &Embed, context: &Context) -> Result<Outcome, Failure> {
    match &args.what {
        EmbedWhat::Text(args) => texts(args, context),
        EmbedWhat::Image(args) => images(args, context),
        EmbedWhat::Cloud(args) => clouds(args, context),
    }
}

fn texts(args: &EmbedText, context: &Context) -> Result<Outcome, Failure> {
    let texts = given_texts(&args.texts)?;
    let Model { clip, name } = Model::load(&args.model, context)?;
    let width = clip.config().text.embed_dim;
    let mut run = Run::start(&args.output, &name, width, texts.len(), context)?;
    for chunk in texts.chunks(TEXTS_AT_ONCE) {
        if context.interrupted() {
            return Err(Failure::interrupted());
        }
        // One text that is too long must not keep the others from being encoded.
        let tokens = |text: &String| match args.truncate {
            true => Ok(clip.tokenizer().encode_truncated(text)),
            false => clip.tokenizer().encode(text),
        };
        let checked: Vec<_> = chunk.iter().map(tokens).collect();
        let sound: Vec<Vec<u32>> = checked.iter().flatten().cloned().collect();
        let mut rows = Vec::new();
        if !sound.is_empty() {
            let features = clip.encode_tokens(&sound).map_err(Failure::failed)?;
            rows = features.chunk(sound.len(), 0).map_err(Failure::failed)?;
        }
        let mut rows = rows.into_iter();
        for (text, ids) in chunk.iter().zip(checked) {
            let feature = match ids {
                Ok(_) => rows.next().ok_or_else(|| anyhow!("it got no feature")),
                Err(error) => Err(error.into()),
            };
            run.add(text, &shortened(text), feature)?;
        }
    }
    run.finish()
}

/// The texts of the command line, those of stdin in the place of `-`.
fn given_texts(given: &[String]) -> Result<Vec<String>, Failure> {
    let mut texts = Vec::new();
    for text in given {
        if text == "-" {
            let lines = std::io::stdin()
                .lock()
                .lines()
                .collect::<Result<Vec<_>, _>>();
            texts.extend(lines.map_err(|e| Failure::failed(anyhow!("-: {e}; give UTF-8 text")))?);
        } else {
            texts.push(text.clone());
        }
    }
    if texts.is_empty() {
        return Err(Failure::failed(anyhow!(
            "-: there is no text; give one a line"
        )));
    }
    Ok(texts)
}

fn images(args: &EmbedImage, context: &Context) -> Result<Outcome, Failure> {
    let model = ImageModel::load(&args.model, context)?;
    let (name, width) = (model.name.clone(), model.tower.config().embed_dim);
    let encoder = PictureEncoder::new(model, &args.region, args.focus, context)?;
    let inputs = inputs::expand(&args.inputs, PICTURES);
    let mut run = Run::start(&args.output, &name, width, inputs.len(), context)?;
    let work = |input: &Input| encoder.encode(input);
    bulk::in_order(&inputs, context, work, |input, feature| {
        run.add(&input.name, &input.name, feature)
    })?;
    run.finish()
}

fn clouds(args: &EmbedCloud, context: &Context) -> Result<Outcome, Failure> {
    let model = Model::load(&args.model, context)?;
    let width = model.clip.config().vision.embed_dim;
    let encoder = model.shape_encoder(args.views.options())?;
    let inputs = inputs::expand(&args.inputs, SHAPES);
    let mut run = Run::start(&args.output, &model.name, width, inputs.len(), context)?;
    let work = |input: &Input| -> anyhow::Result<Tensor> {
        // The mean of the views' unit features; its length tells how well the views agree.
        Ok(encoder.encode(&input.shape()?)?.views.mean_keepdim(0)?)
    };
    bulk::in_order(&inputs, context, work, |input, feature| {
        run.add(&input.name, &input.name, feature)
    })?;
    run.finish()
}

/// Features on their way out.
struct Run {
    writer: FeatureWriter,
    raw: bool,
    bar: ProgressBar,
    outcome: Outcome,
}

impl Run {
    /// A run over `inputs` inputs with the model called `name`, whose features have `width` values.
    fn start(
        output: &FeatureOutput,
        name: &str,
        width: usize,
        inputs: usize,
        context: &Context,
    ) -> Result<Self, Failure> {
        Ok(Self {
            writer: FeatureWriter::new(output, name, width)?,
            raw: output.raw,
            bar: context.bar(inputs as u64, "inputs"),
            outcome: Outcome::Done,
        })
    }

    /// Writes the feature [1, E] of one input, or why there is none; errors call it `shown`.
    fn add(
        &mut self,
        name: &str,
        shown: &str,
        feature: anyhow::Result<Tensor>,
    ) -> Result<(), Failure> {
        let values = feature.and_then(|feature| {
            let feature = if self.raw {
                feature
            } else {
                normalise_rows(&feature)?
            };
            Ok(feature
                .to_device(&Device::Cpu)?
                .flatten_all()?
                .to_vec1::<f32>()?)
        });
        let written = match values {
            Ok(values) => self.bar.suspend(|| self.writer.add(name, Ok(&values))),
            Err(error) => {
                let error = one_line(&error);
                error_line(&self.bar, &format!("{shown}: {error}"));
                self.outcome = Outcome::SomeFailed;
                self.bar.suspend(|| self.writer.add(name, Err(&error)))
            }
        };
        self.bar.inc(1);
        written
    }

    fn finish(self) -> Result<Outcome, Failure> {
        self.bar.finish_and_clear();
        self.writer.finish()?;
        Ok(self.outcome)
    }
}

/// The beginning of a text, on one line.
fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
