//! `gen3d recognize`: names of clouds and meshes.

use point_clip::Shape;
use point_clip::recognize::Recognizer;

use crate::cli::args::Recognize;
use crate::cli::bulk;
use crate::cli::context::{Context, error_line};
use crate::cli::failure::{Failure, Outcome, one_line};
use crate::cli::inputs::{self, Input, SHAPES};
use crate::cli::model::Model;
use crate::cli::output::{Details, Failed, Finding, Report};

pub(crate) fn run(args: &Recognize, context: &Context) -> Result<Outcome, Failure> {
    let model = Model::load(&args.model, context)?;
    let head = args.words.head(&model, Some(args.views.projection))?;
    let encoder = model.shape_encoder(args.views.options())?;
    let recognizer = Recognizer::new(encoder, head);

    let inputs = inputs::expand(&args.inputs, SHAPES);
    let mut report = Report::new(&args.results, inputs.len() > 1)?;
    let bar = context.bar(inputs.len() as u64, "files");
    let mut outcome = Outcome::Done;
    let work = |input: &Input| recognize(input, &recognizer, args, context.verbose);
    bulk::in_order(&inputs, context, work, |input, result| {
        let result = match result {
            Ok((top, details)) => Ok(Finding {
                input: input.name.clone(),
                top,
                model: model.name.clone(),
                details,
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

fn recognize(
    input: &Input,
    recognizer: &Recognizer,
    args: &Recognize,
    verbose: bool,
) -> anyhow::Result<(Vec<alpha_clip::Scored>, Details)> {
    let shape = input.shape()?;
    let found = recognizer.recognize(&shape)?;
    let mut top = found.top;
    top.truncate(args.words.top as usize);
    let triangles = match &shape {
        Shape::Mesh(mesh) => Some(mesh.triangles.len()),
        Shape::Cloud(_) => None,
    };
    let details = Details {
        projection: Some(args.views.projection.name()),
        up: Some(found.up.to_string()),
        points: Some(shape.positions().len()),
        triangles,
        votes: if verbose { found.votes } else { Vec::new() },
    };
    Ok((top, details))
}
