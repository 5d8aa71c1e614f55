//! Zero-shot part segmentation of PointCLIP V2: the views, and where each point is seen.

use super::quantise::{Cell, Fit, Grid};
use super::rotation::{Block, Rotation};
use super::volume::smooth_layers;
use super::{INPUT_SIZE, Maps, ScoreError, check};
use crate::DegenerateShape;
use candle_core::{Device, Tensor};
use rayon::prelude::*;

/// The turn about the vertical axis or to a pole, the tilt about x, and the tilt about y; multiples
/// of π.
const VIEWS: [[[f64; 3]; 3]; 10] = {
    const STEEP: [f64; 3] = [0.25, 0.0, 0.0];
    const LEVEL: [f64; 3] = [0.0, 0.0, 0.0];
    const POLE: [f64; 3] = [1.0 / 15.0, 0.0, 0.0];
    const SIDE_TILT: [f64; 3] = [0.0, 1.0 / 9.0, 0.0];
    const POLE_TILT: [f64; 3] = [0.0, 1.0 / 15.0, 0.0];
    [
        [[0.0, 0.0, 0.5], STEEP, SIDE_TILT],
        [[0.5, 0.0, 0.5], STEEP, SIDE_TILT],
        [[1.0, 0.0, 0.5], STEEP, SIDE_TILT],
        [[1.5, 0.0, 0.5], STEEP, SIDE_TILT],
        [[0.0, 0.0, 0.5], LEVEL, SIDE_TILT],
        [[0.5, 0.0, 0.5], LEVEL, SIDE_TILT],
        [[1.0, 0.0, 0.5], LEVEL, SIDE_TILT],
        [[1.5, 0.0, 0.5], LEVEL, SIDE_TILT],
        [[0.0, -0.5, 0.5], POLE, POLE_TILT],
        [[0.0, 0.5, 0.5], POLE, POLE_TILT],
    ]
};
const GRID: Grid = Grid {
    resolution: INPUT_SIZE,
    layers: 112,
    depth_bias: 0.3,
    object_ratio: 0.7,
};
/// Rows and columns cut off on each side before the tower sees a view.
const CROP: usize = 20;
const CROPPED: usize = INPUT_SIZE - 2 * CROP;
/// A point this much farther than the surface in front of it is hidden.
const SEEN_WITHIN: f32 = 0.1;

/// Which pixel a point is looked up at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PixelLookup {
    /// The one where it was drawn.
    #[default]
    Correct,
    /// The one that the published code takes, with row and column exchanged. A fifth to
    /// nearly half of the points fall on the background there; it is for comparison with published
    /// numbers alone.
    Released,
}

/// The projection of PointCLIP V2 for part segmentation: ten finer views, which keep where each
/// point falls.
#[derive(Clone, Debug, PartialEq)]
pub struct PartProjection {
    views: Vec<[Rotation; 3]>,
    lookup: PixelLookup,
}

/// Views of one cloud, and its points in them.
#[derive(Clone, Debug, PartialEq)]
pub struct PartViews {
    whole: Maps,
    input: Maps,
    points: usize,
    sightings: Vec<Sighting>,
}

/// One point in one view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sighting {
    /// Row in the [`input`](PartViews::input) map.
    pub row: u8,
    /// Column in the [`input`](PartViews::input) map.
    pub column: u8,
    /// Whether no surface hides it.
    pub seen: bool,
}

impl PartProjection {
    /// The projection with the given look-up.
    pub fn new(lookup: PixelLookup) -> Self {
        let views = VIEWS
            .iter()
            .map(|view| view.map(Rotation::from_half_turns))
            .collect();
        PartProjection { views, lookup }
    }

    /// Projects `points` (y up).
    ///
    /// # Errors
    /// [`DegenerateShape`] where there is no point, one that is not finite, or no extent that f32
    /// can hold.
    pub fn project(&self, points: &[[f32; 3]]) -> Result<PartViews, DegenerateShape> {
        check(points)?;
        let blocks = Block::of(points);
        let mut whole = Maps::filled(self.views.len(), INPUT_SIZE, 1.0);
        let mut sightings = vec![Sighting::default(); self.views.len() * points.len()];
        let pixels = whole.pixels();
        whole
            .values_mut()
            .par_chunks_mut(pixels)
            .zip(sightings.par_chunks_mut(points.len()))
            .zip(&self.views)
            .try_for_each(|((map, sightings), rotations)| {
                let fit = Fit::around(&blocks, rotations).ok_or(DegenerateShape::Unresolved)?;
                let mut cells = Vec::with_capacity(points.len());
                for block in &blocks {
                    cells.extend(GRID.cells(block, rotations, &fit).iter());
                }
                self.draw(&cells, map, sightings);
                Ok(())
            })?;
        let input = whole.cropped(CROP).resized(INPUT_SIZE);
        Ok(PartViews {
            whole,
            input,
            points: points.len(),
            sightings,
        })
    }

    /// Draws one view and finds its points in it.
    fn draw(&self, cells: &[Cell], map: &mut [f32], sightings: &mut [Sighting]) {
        let pixel = |cell: &Cell| match self.lookup {
            PixelLookup::Correct => (cell.row, cell.column),
            PixelLookup::Released => (cell.column, cell.row),
        };
        let surface = |cell: &Cell| cell.layer.clamp(1, GRID.layers - 3);
        let mut by_layer: Vec<Vec<usize>> = vec![Vec::new(); GRID.layers];
        for (i, cell) in cells.iter().enumerate() {
            by_layer[surface(cell)].push(i);
        }
        map.fill(0.0);
        let mut heights = vec![0.0; cells.len()];
        smooth_layers(cells, GRID.layers, INPUT_SIZE, |layer, at| {
            for (i, out) in map.iter_mut().enumerate() {
                *out = at(i / INPUT_SIZE, i % INPUT_SIZE).max(*out);
            }
            for &i in &by_layer[layer] {
                let (row, column) = pixel(&cells[i]);
                heights[i] = at(row, column);
            }
        });
        let peak = map.iter().copied().fold(0.0, f32::max);
        map.iter_mut().for_each(|v| *v = 1.0 - *v / peak);
        for ((cell, height), sighting) in cells.iter().zip(heights).zip(sightings) {
            let (row, column) = pixel(cell);
            let depth = 1.0 - height / peak;
            *sighting = Sighting {
                row: after_crop(row),
                column: after_crop(column),
                seen: (map[row * INPUT_SIZE + column] - depth).abs() < SEEN_WITHIN,
            };
        }
    }
}

impl Default for PartProjection {
    fn default() -> Self {
        PartProjection::new(PixelLookup::Correct)
    }
}

/// A row (column) of the whole map in the input map.
fn after_crop(v: usize) -> u8 {
    let v = v.saturating_sub(CROP) * INPUT_SIZE;
    v.div_ceil(CROPPED).min(INPUT_SIZE - 1) as u8
}

impl PartViews {
    /// The views as drawn, `[10, 224, 224]`; 0 nearest, 1 background.
    pub fn whole(&self) -> &Maps {
        &self.whole
    }

    /// The views as the vision tower gets them, `[10, 224, 224]`: less their margin.
    pub fn input(&self) -> &Maps {
        &self.input
    }

    /// Where the points are in one view, in their order; empty for a view that is not there.
    pub fn sightings(&self, view: usize) -> &[Sighting] {
        self.sightings
            .chunks(self.points.max(1))
            .nth(view)
            .unwrap_or_default()
    }

    /// Logits `[points, parts]` on the CPU.
    ///
    /// `tokens` are the patch tokens of the views after the tower's last norm and projection,
    /// `[10, g², width]` row by row and without the class token; `text` is `[parts, width]`, one
    /// sentence a part. `weights` has a factor for every view. A point seen in no view has logits
    /// of 0.
    ///
    /// # Errors
    /// [`ScoreError::Input`] where the shapes do not fit, [`ScoreError::Tensor`] where the device fails.
    pub fn logits(
        &self,
        tokens: &Tensor,
        text: &Tensor,
        weights: &[f32],
    ) -> Result<Tensor, ScoreError> {
        let maps = super::part_logits::PatchLogits::new(tokens, text)?;
        if maps.views() != self.whole.views() || weights.len() != self.whole.views() {
            return Err(ScoreError::input(
                format!(
                    "tokens of {} views and {} view weights for {} views",
                    maps.views(),
                    weights.len(),
                    self.whole.views()
                ),
                "encode every view once",
            ));
        }
        let parts = maps.parts();
        let mut logits = vec![0.0; self.points * parts];
        for (view, &weight) in weights.iter().enumerate() {
            for (logits, point) in logits.chunks_mut(parts).zip(self.sightings(view)) {
                if point.seen {
                    let (row, column) = (usize::from(point.row), usize::from(point.column));
                    maps.add_at(view, row, column, weight, logits);
                }
            }
        }
        Ok(Tensor::from_vec(
            logits,
            (self.points, parts),
            &Device::Cpu,
        )?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden::{Golden, assert_close, points};
    use super::*;

    #[test]
    fn released_lookup_is_that_of_the_reference() {
        let golden = Golden::open("v2_seg");
        let chair = points("seg_chair_2048");
        let views = PartProjection::new(PixelLookup::Released)
            .project(&chair)
            .unwrap();
        for view in [0, 4, 8] {
            let stage = |name: &str| golden.f32(&format!("view{view}.{name}"));
            assert_close(views.whole().view(view).unwrap(), &stage("image"), 5e-6);
            assert_close(views.input().view(view).unwrap(), &stage("crop224"), 5e-6);
        }
        let all: Vec<_> = (0..10).flat_map(|v| views.sightings(v).to_vec()).collect();
        let seen: Vec<_> = all.iter().map(|s| u8::from(s.seen)).collect();
        assert_eq!(seen, golden.u8("is_seen_released"));
        let at: Vec<_> = all.iter().flat_map(|s| [s.row, s.column]).collect();
        assert_eq!(at, golden.u8("loc_after_crop"));
    }

    /// Where it was drawn a point is never on the background; at the released place many are.
    #[test]
    fn correct_lookup_finds_every_point_on_the_object() {
        let chair = points("seg_chair_2048");
        let lost = |lookup| {
            let views = PartProjection::new(lookup).project(&chair).unwrap();
            let lost = |view: usize| {
                let map = views.input().view(view).unwrap();
                let at = |s: &Sighting| usize::from(s.row) * INPUT_SIZE + usize::from(s.column);
                views
                    .sightings(view)
                    .iter()
                    .filter(|s| map[at(s)] == 1.0)
                    .count()
            };
            (0..8).map(lost).collect::<Vec<_>>()
        };
        assert_eq!(lost(PixelLookup::Correct), [0; 8]);
        // 19 to 45 % of 2048 points.
        let released = lost(PixelLookup::Released);
        assert!(
            released.iter().all(|n| (350..950).contains(n)),
            "{released:?}"
        );
    }

    #[test]
    fn hidden_points_are_not_seen() {
        // Two plates, one behind the other in views 4 and 6.
        let plate = |z: f32| (0..900).map(move |i| [(i % 30) as f32, (i / 30) as f32, z]);
        let cloud: Vec<_> = plate(0.0).chain(plate(30.0)).collect();
        let views = PartProjection::default().project(&cloud).unwrap();
        for view in [4, 6] {
            let sightings = views.sightings(view);
            let seen = |half: &[Sighting]| half.iter().filter(|s| s.seen).count();
            let counts = [seen(&sightings[..900]), seen(&sightings[900..])];
            let (front, back) = (counts.iter().max().unwrap(), counts.iter().min().unwrap());
            assert!(*front > 890 && *back < 500, "{view}: {counts:?}");
        }
        assert!(views.sightings(10).is_empty());
    }

    #[test]
    fn hostile_clouds_are_errors() {
        let project = |points: &[[f32; 3]]| PartProjection::default().project(points);
        assert_eq!(project(&[]), Err(DegenerateShape::Empty));
        assert_eq!(project(&[[1.0; 3]; 3]), Err(DegenerateShape::NoExtent(3)));
        assert_eq!(
            project(&[[f32::NAN; 3]]),
            Err(DegenerateShape::NotFinite(0))
        );
    }
}
