//! Which of the six axis directions of a file is up.

use super::encode::{glances, project, shade};
use super::{Projection, ShapeEncoder, ShapeOptions, unit_rows};
use crate::shaded::{Shaded, Up};
use crate::{Result, Shape};
use alpha_clip::ZeroShotHead;
use candle_core::Tensor;

/// Views looked at for each direction.
const GLANCES: usize = 4;

/// The direction under which a few views of the shape agree best with some label, weighed by how
/// common the direction is in files.
pub(super) fn upright(encoder: &ShapeEncoder, head: &ZeroShotHead, shape: &Shape) -> Result<Up> {
    let size = encoder.clip().preprocess().size;
    let mut all = Vec::with_capacity(Up::ALL.len());
    if encoder.options().projection == Projection::Shaded {
        let mut shaded = Shaded {
            viewpoints: glances(GLANCES),
            ..Shaded::new(size, 0)
        };
        let prepared = shaded.prepare(shape)?;
        for up in Up::ALL {
            shaded.up = up;
            all.push(encoder.encode_views(&shade(&shaded, &prepared)?)?);
        }
    } else {
        for up in Up::ALL {
            let options = ShapeOptions {
                views: GLANCES,
                ..encoder.options().clone()
            };
            all.push(encoder.encode_views(&project(shape, &options, up, size)?)?);
        }
    }
    let means = all
        .iter()
        .map(|views| views.mean(0))
        .collect::<Result<Vec<_>, _>>()?;
    let features = unit_rows(&Tensor::stack(&means, 0)?)?;
    let rows = head.probabilities(&features)?.to_vec2::<f32>()?;
    let mut best = (Up::default(), f32::NEG_INFINITY);
    for (up, row) in Up::ALL.into_iter().zip(rows) {
        let clearest = row.into_iter().fold(0f32, f32::max).ln() + commonness(up);
        if clearest > best.1 {
            best = (up, clearest);
        }
    }
    Ok(best.0)
}

/// Logarithm of how often files have this direction up, against +y.
fn commonness(up: Up) -> f32 {
    match up {
        Up::PosY => 0.0,
        Up::PosZ => -0.5,
        Up::PosX | Up::NegX | Up::NegY | Up::NegZ => -2.5,
    }
}
