//! `gen3d classify`: names of what pictures, or a region of them, show.

use alpha_clip::{Scored, ZeroShotHead, normalise_rows};

use crate::cli::args::Classify;
use crate::cli::bulk;
use crate::cli::context::{Context, error_line};
use crate::cli::failure::{Failure, Outcome, one_line};
use crate::cli::inputs::{self, Input, PICTURES};
use crate::cli::model::Model;
use crate::cli::output::{Details, Failed, Finding, Report};
use crate::cli::pictures::PictureEncoder;

pub(crate) fn run(args: &Classify, context: &Context) -> Result<Outcome, Failure> {
    let model = Model::load(&args.model, context)?;
    let encoder = PictureEncoder::new((&model).into(), &args.region, args.focus, context)?;
    let head = args.words.head(&model, None)?;

    let inputs = inputs::expand(&args.inputs, PICTURES);
    let mut report = Report::new(&args.results, inputs.len() > 1)?;
    let bar = context.bar(inputs.len() as u64, "pictures");
    let mut outcome = Outcome::Done;
    let work = |input: &Input| classify(input, &encoder, &head, args.words.top as usize);
    bulk::in_order(&inputs, context, work, |input, result| {
        let result = match result {
            Ok(top) => Ok(Finding {
                input: input.name.clone(),
                top,
                model: model.name.clone(),
                details: Details::default(),
            }),
            Err(error) => {
                let error = one_line(&error);
                error_line(&bar, &format!("{}: {error}", input.name));
                outcome = Outcome::SomeFailed;
                Err(Failed {
                    input: input.name.clone(),
                    error,
                })
            }
        };
        bar.inc(1);
        bar.suspend(|| report.add(&result))
    })?;
    bar.finish_and_clear();
    report.finish()?;
    Ok(outcome)
}

fn classify(
    input: &Input,
    encoder: &PictureEncoder,
    head: &ZeroShotHead,
    top: usize,
) -> anyhow::Result<Vec<Scored>> {
    let feature = normalise_rows(&encoder.encode(input)?)?.squeeze(0)?;
    Ok(head.top(&feature, top)?)
}
