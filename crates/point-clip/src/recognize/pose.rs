//! Which of the six axis directions of a file is up.

use super::encode::{glances, project, shade};
use super::{Projection, ShapeEncoder, ShapeOptions, unit_rows};
use crate::shaded::{Shaded, Up};
use crate::{Result, Shape};
use alpha_clip::{LinearProbe, ZeroShotHead};
use candle_core::Tensor;

/// Views looked at for each direction.
const GLANCES: usize = 4;
/// The classes of a model's own reading of the pose.
const UPRIGHT: usize = 0;
const UPSIDE_DOWN: usize = 1;
const LYING: usize = 2;
const POSES: usize = 3;

/// The direction that is most likely up: by what the model reads off a few views for each, where it
/// has learned that; else the one under which they agree best with some label. Either is weighed by
/// how common the direction is in files.
pub(super) fn upright(encoder: &ShapeEncoder, head: &ZeroShotHead, shape: &Shape) -> Result<Up> {
    let views = glimpses(encoder, shape)?;
    let probe = encoder.clip().pose().filter(|p| p.classes() == POSES);
    let scores = match probe {
        Some(probe) if encoder.options().projection == Projection::Shaded => read(probe, &views)?,
        _ => clearest(head, &views)?,
    };
    let mut best = (Up::default(), f32::NEG_INFINITY);
    for (up, score) in Up::ALL.into_iter().zip(scores) {
        let score = score + commonness(up);
        if score > best.1 {
            best = (up, score);
        }
    }
    Ok(best.0)
}

/// Unit features [GLANCES, E] of a few views for each direction, in the order of [`Up::ALL`].
fn glimpses(encoder: &ShapeEncoder, shape: &Shape) -> Result<Vec<Tensor>> {
    let size = encoder.clip().preprocess().size;
    if encoder.options().projection == Projection::Shaded {
        let mut shaded = Shaded {
            viewpoints: glances(GLANCES),
            ..Shaded::new(size, 0)
        };
        let prepared = shaded.prepare(shape)?;
        let mut of = |up| {
            shaded.up = up;
            encoder.encode_views(&shade(&shaded, &prepared)?)
        };
        return Up::ALL.into_iter().map(&mut of).collect();
    }
    let options = ShapeOptions {
        views: GLANCES,
        ..encoder.options().clone()
    };
    let of = |up| encoder.encode_views(&project(shape, &options, up, size)?);
    Up::ALL.into_iter().map(of).collect()
}

/// For each direction the logarithm of the probability that the views show the shape upright for it,
/// upside down for its opposite and lying for the others, the views of one direction counting as one.
fn read(probe: &LinearProbe, views: &[Tensor]) -> Result<Vec<f32>> {
    let mut seen = Vec::with_capacity(views.len());
    for views in views {
        let mean = probe.log_probabilities(views)?.mean(0)?;
        seen.push(mean.to_vec1::<f32>()?);
    }
    let score = |up: Up| {
        let part = |(other, seen): (Up, &Vec<f32>)| {
            let pose = match other {
                _ if other == up => UPRIGHT,
                _ if other == up.opposite() => UPSIDE_DOWN,
                _ => LYING,
            };
            seen[pose]
        };
        Up::ALL.into_iter().zip(&seen).map(part).sum()
    };
    Ok(Up::ALL.into_iter().map(score).collect())
}

/// For each direction the logarithm of the probability of the likeliest label.
fn clearest(head: &ZeroShotHead, views: &[Tensor]) -> Result<Vec<f32>> {
    let means = views.iter().map(|views| views.mean(0));
    let means = means.collect::<candle_core::Result<Vec<_>>>()?;
    let features = unit_rows(&Tensor::stack(&means, 0)?)?;
    let rows = head.probabilities(&features)?.to_vec2::<f32>()?;
    let best = |row: Vec<f32>| row.into_iter().fold(0f32, f32::max).ln();
    Ok(rows.into_iter().map(best).collect())
}

/// Logarithm of how often files have this direction up, against +y.
fn commonness(up: Up) -> f32 {
    match up {
        Up::PosY => 0.0,
        Up::PosZ => -0.5,
        Up::PosX | Up::NegX | Up::NegY | Up::NegZ => -2.5,
    }
}
