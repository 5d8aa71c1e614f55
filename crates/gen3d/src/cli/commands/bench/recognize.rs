//! `gen3d bench recognize`: accuracy of the recogniser on labelled sets.

use std::path::Path;
use std::time::Instant;

use alpha_clip::ZeroShotHead;
use point_clip::corrupt::Corruption;
use point_clip::recognize::{Recognizer, UpChoice};
use point_clip::shaded::Up;
use point_clip::{PointCloud, Shape};
use rand::{Rng, SeedableRng};
use serde::Serialize;

use super::packed::{self, Entry};
use super::print;
use super::score::{Answer, ClassScore, Confusion, Score, by_class, confusions};
use super::shapes::{Clouds, turned};
use crate::cli::args::BenchRecognize;
use crate::cli::bulk;
use crate::cli::context::{Context, error_line};
use crate::cli::failure::{Failure, Outcome, one_line};
use crate::cli::labels;
use crate::cli::model::Model;

#[derive(Serialize)]
struct Measured<'a> {
    set: &'a str,
    model: &'a str,
    projection: &'static str,
    focus: &'static str,
    views: usize,
    /// Where the direction that is up comes from: the set, the recogniser's guess, `--up`.
    up: String,
    turned: bool,
    cut: bool,
    noise: f32,
    outliers: f32,
    points: usize,
    seed: u64,
    meshes: usize,
    classes: usize,
    labels: usize,
    #[serde(flatten)]
    score: Score,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    confusions: Vec<Confusion<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    per_class: Vec<ClassScore<'a>>,
    seconds: f64,
    clouds_per_minute: f64,
}

pub(super) fn run(args: &BenchRecognize, context: &Context) -> Result<Outcome, Failure> {
    let model = Model::load(&args.model, context)?;
    let mut outcome = Outcome::Done;
    for path in &args.set {
        if measure(path, &model, args, context)? == Outcome::SomeFailed {
            outcome = Outcome::SomeFailed;
        }
    }
    Ok(outcome)
}

fn measure(
    path: &Path,
    model: &Model,
    args: &BenchRecognize,
    context: &Context,
) -> Result<Outcome, Failure> {
    let set = packed::open(path).map_err(Failure::missing)?;
    let asked = args.views.options();
    let clouds = Clouds {
        upright: asked.up == UpChoice::Auto && !args.turned,
        corruption: Corruption {
            cut: args.cut,
            noise: args.noise,
            outliers: args.outliers,
        },
        ..Clouds::clean(&args.views)
    };
    let names = args.labels.beside(&set.classes)?;
    let templates = labels::templates(&args.prompt, model, Some(asked.projection))?;
    let head =
        ZeroShotHead::build(&model.clip, &names, &templates, None).map_err(Failure::failed)?;
    let encoder = model.shape_encoder(clouds.options(&args.views))?;
    let recognizer = Recognizer::new(encoder, head);

    let start = Instant::now();
    let bar = context.bar(set.entries.len() as u64, "meshes");
    let mut answers = Vec::with_capacity(set.entries.len());
    let mut outcome = Outcome::Done;
    let work = |entry: &Entry| {
        let mut cloud = clouds.of(&set, entry);
        if args.turned {
            let to = any_direction(clouds.seed_of(entry));
            cloud = cloud.map(|cloud| turned(cloud, Up::PosY, to));
        }
        answer(entry, cloud, &recognizer)
    };
    bulk::in_order(&set.entries, context, work, |entry, answer| {
        answers.push(answer.unwrap_or_else(|error| {
            let place = format!("{}: mesh {}", path.display(), entry.index);
            error_line(&bar, &format!("{place}: {}", one_line(&error)));
            outcome = Outcome::SomeFailed;
            Answer::none(entry.label)
        }));
        bar.inc(1);
        Ok(())
    })?;
    bar.finish_and_clear();
    let seconds = start.elapsed().as_secs_f64();

    let up = match asked.up {
        UpChoice::Is(up) => up.to_string(),
        UpChoice::Auto if args.turned => "auto".into(),
        UpChoice::Auto => "given".into(),
    };
    let per_class = if args.per_class {
        by_class(&answers, &set.classes)
    } else {
        Vec::new()
    };
    let measured = Measured {
        set: &set.name,
        model: &model.name,
        projection: asked.projection.name(),
        focus: asked.focus.name(),
        views: asked.views,
        up,
        turned: args.turned,
        cut: args.cut,
        noise: args.noise,
        outliers: args.outliers,
        points: clouds.points,
        seed: asked.seed,
        meshes: answers.len(),
        classes: set.classes.len(),
        labels: names.len(),
        score: Score::of(&answers, names.len()),
        confusions: confusions(&answers, &names, args.confusions),
        per_class,
        seconds,
        clouds_per_minute: 60. * answers.len() as f64 / seconds,
    };
    let int8 = model.clip.vision().int8();
    print("recognize", measured, &context.where_int8(int8))?;
    Ok(outcome)
}

fn answer(
    entry: &Entry,
    cloud: anyhow::Result<PointCloud>,
    recognizer: &Recognizer,
) -> anyhow::Result<Answer> {
    let found = recognizer.recognize(&Shape::Cloud(cloud?))?;
    Ok(Answer::of(entry.label, &found.top))
}

/// One of the six directions, drawn from `seed`.
fn any_direction(seed: u64) -> Up {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    Up::ALL[rng.random_range(0..Up::ALL.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_direction_is_one_of_six() {
        let drawn: std::collections::HashSet<_> = (0..100).map(any_direction).collect();
        assert_eq!(drawn.len(), 6);
    }
}
