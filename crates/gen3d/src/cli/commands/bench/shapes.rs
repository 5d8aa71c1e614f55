//! The shapes of a labelled set as the recogniser gets them.

use point_clip::corrupt::Corruption;
use point_clip::recognize::{ShapeOptions, UpChoice};
use point_clip::shaded::Up;
use point_clip::{PointCloud, Shape};

use super::packed::{Entry, LabelledSet};
use crate::cli::args::ViewArgs;

/// Points drawn from each mesh, unless `--points` says another number.
const POINTS: usize = 4096;

/// How clouds are made of meshes.
pub(super) struct Clouds {
    pub(super) points: usize,
    /// The seed of the first mesh; each has its own.
    pub(super) seed: u64,
    /// Whether the set's word for what is up is taken.
    pub(super) upright: bool,
    pub(super) corruption: Corruption,
}

impl Clouds {
    /// Clean clouds as `views` ask for them, upright if no direction is given.
    pub(super) fn clean(views: &ViewArgs) -> Self {
        Self {
            points: views.points.map_or(POINTS, usize::from),
            seed: views.seed,
            upright: views.up == UpChoice::Auto,
            corruption: Corruption::default(),
        }
    }

    /// The seed of the mesh of `entry`.
    pub(super) fn seed_of(&self, entry: &Entry) -> u64 {
        self.seed.wrapping_add(entry.index as u64)
    }

    /// The cloud of `entry`; +y up where that is known and wanted.
    pub(super) fn of(&self, set: &LabelledSet, entry: &Entry) -> anyhow::Result<PointCloud> {
        let mesh = set.mesh(entry)?;
        let cloud = self
            .corruption
            .sample(&mesh, self.points, self.seed_of(entry));
        let from = if self.upright { entry.up() } else { Up::PosY };
        Ok(turned(cloud, from, Up::PosY))
    }

    /// The same as a shape.
    pub(super) fn shape(&self, set: &LabelledSet, entry: &Entry) -> anyhow::Result<Shape> {
        self.of(set, entry).map(Shape::Cloud)
    }

    /// What an encoder of these clouds is to do with them: their points are drawn here, so that
    /// each mesh has its own seed.
    pub(super) fn options(&self, views: &ViewArgs) -> ShapeOptions {
        let asked = views.options();
        let up = if self.upright {
            UpChoice::Is(Up::PosY)
        } else {
            asked.up
        };
        ShapeOptions {
            up,
            points: None,
            ..asked
        }
    }
}

/// The cloud turned so that what was up along `from` is up along `to`.
pub(super) fn turned(mut cloud: PointCloud, from: Up, to: Up) -> PointCloud {
    if from != to {
        let turn = to.to_y().transpose() * from.to_y();
        for point in &mut cloud.positions {
            let row = |r: usize| (0..3).map(|c| turn[(r, c)] * point[c]).sum();
            *point = [row(0), row(1), row(2)];
        }
    }
    cloud
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
    }
}
