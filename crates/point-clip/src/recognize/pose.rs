//! Which of the six axis directions of a file is up.

use super::encode::{glances, project, shade};
use super::{Projection, ShapeEncoder, ShapeOptions, unit_rows};
use crate::shaded::{Shaded, Up};
use crate::{Result, Shape};
use alpha_clip::{LinearProbe, ZeroShotHead};
use candle_core::Tensor;

/// Views looked at for each direction.
const GLANCES: usize = 4;
/// A direction that is less likely than this share of the likeliest one is not looked at further.
const NOTABLE: f32 = 0.1;
/// The classes of a model's own reading of the pose.
const UPRIGHT: usize = 0;
const UPSIDE_DOWN: usize = 1;
const LYING: usize = 2;
const POSES: usize = 3;

/// The directions that may be up and their probabilities, likeliest first: by what the model reads
/// off a few views for each and by how sure it is of the label there. A model that has not learned to
/// tell the pose has one answer, the direction under which the views agree best with some label.
pub(super) fn likely(
    encoder: &ShapeEncoder,
    head: &ZeroShotHead,
    shape: &Shape,
) -> Result<Vec<(Up, f32)>> {
    let views = glimpses(encoder, shape)?;
    let labels = labels_of(head, &views)?;
    let shaded = encoder.options().projection == Projection::Shaded;
    let probe = encoder.clip().pose().filter(|p| p.classes() == POSES);
    let (certain, scores): (bool, Vec<f32>) = match probe {
        Some(probe) if shaded => {
            let sure = labels.iter().map(|row| -entropy(row));
            let scores = read(probe, &views)?.into_iter().zip(sure);
            (false, scores.map(|(pose, sure)| pose + sure).collect())
        }
        _ => (true, labels.iter().map(|row| largest(row).ln()).collect()),
    };
    let with = Up::ALL.into_iter().zip(scores);
    let mut ranked: Vec<(Up, f32)> = with
        .map(|(up, score)| (up, score + commonness(up)))
        .collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    let best = ranked.first().map_or(0., |first| first.1);
    for (_, score) in &mut ranked {
        *score = (*score - best).exp();
    }
    let notable = ranked.iter().take_while(|(_, odds)| *odds >= NOTABLE);
    ranked.truncate(if certain { 1 } else { notable.count().max(1) });
    let total: f32 = ranked.iter().map(|(_, odds)| odds).sum();
    Ok(ranked
        .into_iter()
        .map(|(up, odds)| (up, odds / total))
        .collect())
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

/// The labels' probabilities for the views of each direction.
fn labels_of(head: &ZeroShotHead, views: &[Tensor]) -> Result<Vec<Vec<f32>>> {
    let means = views.iter().map(|views| views.mean(0));
    let means = means.collect::<candle_core::Result<Vec<_>>>()?;
    let features = unit_rows(&Tensor::stack(&means, 0)?)?;
    Ok(head.probabilities(&features)?.to_vec2::<f32>()?)
}

fn largest(probabilities: &[f32]) -> f32 {
    probabilities.iter().copied().fold(0., f32::max)
}

/// In nats.
fn entropy(probabilities: &[f32]) -> f32 {
    let part = |&p: &f32| if p > 0. { -p * p.ln() } else { 0. };
    probabilities.iter().map(part).sum()
}

/// Logarithm of how often files have this direction up, against +y.
fn commonness(up: Up) -> f32 {
    match up {
        Up::PosY => 0.0,
        Up::PosZ => -0.5,
        Up::PosX | Up::NegX | Up::NegY | Up::NegZ => -1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certainty_has_no_entropy() {
        assert_eq!(entropy(&[1., 0., 0.]), 0.);
        assert!((entropy(&[0.25; 4]) - 4f32.ln()).abs() < 1e-6);
        assert_eq!(largest(&[0.2, 0.7, 0.1]), 0.7);
    }
}
