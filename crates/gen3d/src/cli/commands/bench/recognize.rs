//! `gen3d bench recognize`: accuracy of the recogniser on labelled sets.

use std::path::Path;
use std::time::Instant;

use alpha_clip::ZeroShotHead;
use point_clip::recognize::{Recognizer, ShapeEncoder, ShapeOptions, UpChoice};
use point_clip::shaded::Up;
use point_clip::{PackedSet, PointCloud, Shape, sample_surface};
use rand::{Rng, SeedableRng};
use serde::Serialize;

use super::packed::{self, Entry, Index};
use super::print;
use super::score::{Answer, Score};
use crate::cli::args::BenchRecognize;
use crate::cli::bulk;
use crate::cli::context::{Context, error_line};
use crate::cli::failure::{Failure, Outcome, one_line};
use crate::cli::labels;
use crate::cli::model::Model;

/// Points drawn from each mesh, unless `--points` says another number.
const POINTS: usize = 4096;

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
    points: usize,
    seed: u64,
    meshes: usize,
    classes: usize,
    #[serde(flatten)]
    score: Score,
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
    let (index, set) = packed::open(path).map_err(Failure::missing)?;
    let asked = args.views.options();
    let upright = asked.up == UpChoice::Auto && !args.turned;
    let options = ShapeOptions {
        up: if upright {
            UpChoice::Is(Up::PosY)
        } else {
            asked.up
        },
        // Points are drawn here, so that each mesh has its own seed.
        points: None,
        ..asked.clone()
    };
    let templates = labels::templates(&args.prompt, model, Some(asked.projection))?;
    let head = ZeroShotHead::build(&model.clip, &index.classes, &templates, None)
        .map_err(Failure::failed)?;
    let recognizer = Recognizer::new(ShapeEncoder::new(model.clip.clone(), options), head);

    let points = asked.points.unwrap_or(POINTS);
    let start = Instant::now();
    let bar = context.bar(index.entries.len() as u64, "meshes");
    let mut answers = Vec::with_capacity(index.entries.len());
    let mut outcome = Outcome::Done;
    let work = |entry: &Entry| {
        let seed = asked.seed.wrapping_add(entry.index as u64);
        let from = if upright { entry.up() } else { Up::PosY };
        let to = if args.turned {
            any_direction(seed)
        } else {
            Up::PosY
        };
        let cloud = cloud(&set, entry, points, seed).map(|cloud| turned(cloud, from, to));
        answer(entry, cloud, &recognizer, &index)
    };
    bulk::in_order(&index.entries, context, work, |entry, answer| {
        answers.push(answer.unwrap_or_else(|error| {
            let place = format!("{}: mesh {}", path.display(), entry.index);
            error_line(&bar, &format!("{place}: {}", one_line(&error)));
            outcome = Outcome::SomeFailed;
            Answer {
                class: entry.label,
                rank: None,
                confidence: 0.,
            }
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
    let measured = Measured {
        set: &index.name,
        model: &model.name,
        projection: asked.projection.name(),
        focus: asked.focus.name(),
        views: asked.views,
        up,
        turned: args.turned,
        points,
        seed: asked.seed,
        meshes: answers.len(),
        classes: index.classes.len(),
        score: Score::of(&answers, index.classes.len()),
        seconds,
        clouds_per_minute: 60. * answers.len() as f64 / seconds,
    };
    print("recognize", measured, context)?;
    Ok(outcome)
}

fn answer(
    entry: &Entry,
    cloud: Option<PointCloud>,
    recognizer: &Recognizer,
    index: &Index,
) -> anyhow::Result<Answer> {
    let cloud = cloud.ok_or_else(|| anyhow::anyhow!("it is not in the set"))?;
    let found = recognizer.recognize(&Shape::Cloud(cloud))?;
    let class = index.classes.get(entry.label);
    Ok(Answer {
        class: entry.label,
        rank: found
            .top
            .iter()
            .position(|scored| Some(&scored.label) == class),
        confidence: found.top.first().map_or(0., |scored| scored.score.into()),
    })
}

/// Points of a mesh without the normals of its faces, which a scanner would not give.
fn cloud(set: &PackedSet, entry: &Entry, points: usize, seed: u64) -> Option<PointCloud> {
    let mesh = set.mesh(entry.index)?;
    Some(PointCloud {
        normals: None,
        ..sample_surface(&mesh, points, seed)
    })
}

/// The cloud turned so that what was up along `from` is up along `to`.
fn turned(mut cloud: PointCloud, from: Up, to: Up) -> PointCloud {
    if from != to {
        let turn = to.to_y().transpose() * from.to_y();
        for point in &mut cloud.positions {
            let row = |r: usize| (0..3).map(|c| turn[(r, c)] * point[c]).sum();
            *point = [row(0), row(1), row(2)];
        }
    }
    cloud
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
    fn a_turn_takes_up_to_up() {
        let cloud = |point| PointCloud {
            positions: vec![point],
            ..PointCloud::default()
        };
        let up = |up, from, to| turned(cloud(up), from, to).positions[0];
        assert_eq!(up([0., 0., 1.], Up::PosZ, Up::PosY), [0., 1., 0.]);
        assert_eq!(up([0., 1., 0.], Up::PosY, Up::NegX), [-1., 0., 0.]);
        assert_eq!(up([0., 0., -1.], Up::NegZ, Up::PosX), [1., 0., 0.]);
        let drawn: std::collections::HashSet<_> = (0..100).map(any_direction).collect();
        assert_eq!(drawn.len(), 6);
    }
}
