//! PointCLIP V2: orthographic, dense, dark on white.

use super::layers::{LAYERS, LayerStack, SIDE};
use super::quantise::{Fit, Grid};
use super::rotation::{Block, Rotation};
use super::{Maps, check};
use crate::DegenerateShape;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use std::cell::RefCell;

/// A tilt of 20 degrees: views around the object look slightly down on it.
const SIDE_TILT: [f64; 3] = [0.0, 1.0 / 9.0, 0.0];
/// A tilt of 12 degrees for the views from below and from above.
const POLE_TILT: [f64; 3] = [0.0, 1.0 / 15.0, 0.0];
/// Two rotations a view, angles about x, y, z in multiples of π: the four diagonals, the four
/// sides, from below, from above.
pub(super) const VIEWS: [[[f64; 3]; 2]; 10] = [
    [[0.25, 0.0, 0.5], SIDE_TILT],
    [[0.75, 0.0, 0.5], SIDE_TILT],
    [[1.25, 0.0, 0.5], SIDE_TILT],
    [[1.75, 0.0, 0.5], SIDE_TILT],
    [[0.0, 0.0, 0.5], SIDE_TILT],
    [[0.5, 0.0, 0.5], SIDE_TILT],
    [[1.0, 0.0, 0.5], SIDE_TILT],
    [[1.5, 0.0, 0.5], SIDE_TILT],
    [[0.0, -0.5, 0.5], POLE_TILT],
    [[0.0, 0.5, 0.5], POLE_TILT],
];
/// The grid of classification.
pub(super) const GRID: Grid = Grid {
    resolution: SIDE + 2,
    layers: LAYERS,
    depth_bias: 0.2,
    object_ratio: 0.8,
};

thread_local! {
    /// Some 600 kB a thread, reused from view to view.
    static STACK: RefCell<LayerStack> = RefCell::new(LayerStack::new());
}

/// The projection of PointCLIP V2 (Zhu et al., ICCV 2023).
///
/// Ten orthographic views, +y up, each fitted to the object's box. Points fall into 8 depth layers
/// of 112 × 112 cells, are spread by a 7 × 7 maximum and smoothed inside their layer; a pixel is
/// the nearest layer's height over the largest, inverted: 0 nearest, 1 background, a dark object on
/// white. A cloud need not be normalised, but one far from the origin loses digits that
/// [`unit_sphere`](super::unit_sphere) keeps.
#[derive(Clone, Debug, PartialEq)]
pub struct PointClipV2 {
    pub(super) views: Vec<[Rotation; 2]>,
}

impl Default for PointClipV2 {
    fn default() -> Self {
        PointClipV2 {
            views: VIEWS
                .iter()
                .map(|v| v.map(Rotation::from_half_turns))
                .collect(),
        }
    }
}

impl PointClipV2 {
    /// The number of views, 10.
    pub fn view_count(&self) -> usize {
        self.views.len()
    }

    /// Maps `[10, 110, 110]` of `points` (y up), values in 0..=1; 1 is background.
    ///
    /// # Errors
    /// [`DegenerateShape`] where there is no point, one that is not finite, or no extent that f32
    /// can hold.
    pub fn project(&self, points: &[[f32; 3]]) -> Result<Maps, DegenerateShape> {
        check(points)?;
        let blocks = Block::of(points);
        let mut maps = Maps::filled(self.views.len(), SIDE, 1.0);
        let (views, pixels) = (&self.views, maps.pixels());
        maps.values_mut()
            .par_chunks_mut(pixels)
            .zip(views)
            .try_for_each(|(map, rotations)| {
                STACK.with_borrow_mut(|stack| {
                    let view = View {
                        blocks: &blocks,
                        rotations,
                        stack,
                        map,
                    };
                    Arch::new().dispatch(view)
                })
            })?;
        Ok(maps)
    }

    /// The maps as the vision tower gets them: those of [`project`](Self::project), brought to
    /// 224 × 224.
    ///
    /// # Errors
    /// As [`project`](Self::project).
    pub fn input_maps(&self, points: &[[f32; 3]]) -> Result<Maps, DegenerateShape> {
        Ok(self.project(points)?.resized(super::INPUT_SIZE))
    }
}

/// One view to be drawn, with whatever vectors the CPU has.
struct View<'a> {
    blocks: &'a [Block],
    rotations: &'a [Rotation; 2],
    stack: &'a mut LayerStack,
    map: &'a mut [f32],
}

impl WithSimd for View<'_> {
    type Output = Result<(), DegenerateShape>;

    // All that it calls is inlined, and so compiled for the vectors at hand. Without fused
    // multiply-adds: each product and sum is rounded as in the reference.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        let fit = Fit::around(self.blocks, self.rotations).ok_or(DegenerateShape::Unresolved)?;
        for block in self.blocks {
            self.stack.raise(&GRID.cells(block, self.rotations, &fit));
        }
        self.stack.squeeze_into(self.map);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden::points;
    use super::*;

    /// Rows and columns of the pixels darker than the background.
    fn dark(maps: &Maps, view: usize) -> Vec<(usize, usize)> {
        let map = maps.view(view).unwrap();
        let dark = (0..map.len()).filter(|&i| map[i] < 1.0);
        dark.map(|i| (i / SIDE, i % SIDE)).collect()
    }

    #[test]
    fn a_mast_stands_upright_in_views_from_the_side() {
        let mast: Vec<_> = (0..100).map(|i| [0.0, i as f32 / 100.0, 0.0]).collect();
        let maps = PointClipV2::default().project(&mast).unwrap();
        for view in 0..8 {
            let dark = dark(&maps, view);
            let extent = |v: fn(&(usize, usize)) -> usize| {
                let (min, max) = (dark.iter().map(v).min(), dark.iter().map(v).max());
                max.unwrap() - min.unwrap()
            };
            assert!(extent(|p| p.0) > 80 && extent(|p| p.1) < 10, "view {view}");
        }
    }

    #[test]
    fn up_is_at_the_top_and_near_is_dark() {
        // A plate at the bottom, and one small thing high above it.
        let mut cloud: Vec<_> = (0..400)
            .map(|i| [(i % 20) as f32 / 20.0, 0.0, (i / 20) as f32 / 20.0])
            .collect();
        cloud.push([0.5, 1.0, 0.5]);
        let maps = PointClipV2::default().project(&cloud).unwrap();
        for view in 0..8 {
            let map = maps.view(view).unwrap();
            let row = |i: usize| dark(&maps, view)[i].0;
            let count = |r: usize| map[r * SIDE..][..SIDE].iter().filter(|v| **v < 1.0).count();
            let last = dark(&maps, view).len() - 1;
            assert!(
                count(row(0) + 4) < 12 && count(row(last) - 8) > 12,
                "view {view}"
            );
        }
        // From above the high thing is near and the plate far, from below the plate is near.
        let near = |view: usize| {
            maps.view(view)
                .unwrap()
                .iter()
                .filter(|v| **v < 0.4)
                .count()
        };
        assert!(near(9) < 80 && near(8) > 1000, "{} {}", near(9), near(8));
    }

    #[test]
    fn the_object_stays_off_the_border() {
        for name in ["airplane", "torus", "chair", "spiral", "blob", "chair_raw"] {
            let maps = PointClipV2::default().project(&points(name)).unwrap();
            for view in 0..10 {
                let inside = |v| (7..SIDE - 5).contains(&v);
                assert!(
                    dark(&maps, view)
                        .iter()
                        .all(|&(r, c)| inside(r) && inside(c))
                );
            }
        }
    }
}
