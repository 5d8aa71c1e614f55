//! PointCLIP (V1): perspective, sparse, metric depth.

use super::rotation::Rotation;
use super::{Maps, ceil, check};
use crate::DegenerateShape;
use rayon::prelude::*;
use std::cell::RefCell;

/// Angles about x, y, z in multiples of π: four quarter turns around the object, then from above
/// and from below.
pub(super) const ZERO_SHOT_VIEWS: [[f64; 3]; 6] = [
    [0.0, 0.0, 0.5],
    [0.5, 0.0, 0.5],
    [1.0, 0.0, 0.5],
    [1.5, 0.0, 0.5],
    [0.0, -0.5, 0.5],
    [0.0, 0.5, 0.5],
];
/// The same with four oblique views before the last two.
pub(super) const FEW_SHOT_VIEWS: [[f64; 3]; 10] = [
    [0.0, 0.0, 0.5],
    [0.5, 0.0, 0.5],
    [1.0, 0.0, 0.5],
    [1.5, 0.0, 0.5],
    [1.25, -0.25, 0.5],
    [1.25, 0.25, 0.5],
    [1.75, -0.25, 0.5],
    [1.75, 0.25, 0.5],
    [0.0, -0.5, 0.5],
    [0.0, 0.5, 0.5],
];
/// Keeps the reference's quotients finite.
const EPSILON: f32 = 1e-12;

thread_local! {
    /// Sum of weights per pixel, reused from view to view.
    static WEIGHTS: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// The projection of PointCLIP (Zhang et al., CVPR 2022).
///
/// A camera looks at the origin from a fixed distance with a field of view of 90 degrees, +y up.
/// Every point falls on one pixel; a pixel holds the harmonic mean of the depths that hit it and 0
/// where there is none, so near is a small positive number and the object is see-through. Points
/// behind a camera or outside its frame are lost.
///
/// The camera does not follow the object: bring a cloud to the unit sphere with
/// [`unit_sphere`](super::unit_sphere) first.
#[derive(Clone, Debug, PartialEq)]
pub struct PointClipV1 {
    views: Vec<Rotation>,
    resolution: usize,
    distance: f32,
}

impl PointClipV1 {
    /// The setting of zero-shot recognition: 6 views of 128 × 128 pixels from a distance of 1.6.
    pub fn zero_shot() -> Self {
        Self::new(&ZERO_SHOT_VIEWS, 128, 1.6)
    }

    /// The setting of few-shot recognition: 10 views of 224 × 224 pixels from a distance of 1.4.
    pub fn few_shot() -> Self {
        Self::new(&FEW_SHOT_VIEWS, 224, 1.4)
    }

    fn new(views: &[[f64; 3]], resolution: usize, distance: f32) -> Self {
        let views = views
            .iter()
            .map(|&v| Rotation::from_half_turns(v))
            .collect();
        PointClipV1 {
            views,
            resolution,
            distance,
        }
    }

    /// The number of views.
    pub fn view_count(&self) -> usize {
        self.views.len()
    }

    /// Depth maps `[views, resolution, resolution]` of `points` (y up, in the unit sphere). Depths
    /// are in the unit of the points, from the camera; 0 is background.
    ///
    /// # Errors
    /// [`DegenerateShape`] where there is no point, one that is not finite, or no extent.
    pub fn project(&self, points: &[[f32; 3]]) -> Result<Maps, DegenerateShape> {
        check(points)?;
        let mut maps = Maps::filled(self.views.len(), self.resolution, 0.0);
        let (views, pixels) = (&self.views, maps.pixels());
        maps.values_mut()
            .par_chunks_mut(pixels)
            .zip(views)
            .for_each(|(map, view)| self.splat(points, view, map));
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

    fn splat(&self, points: &[[f32; 3]], view: &Rotation, map: &mut [f32]) {
        WEIGHTS.with_borrow_mut(|weights| {
            weights.clear();
            weights.resize(map.len(), 0.0);
            for &point in points {
                let [x, y, z] = view.apply(point);
                let depth = z + self.distance;
                let (Some(row), Some(column)) = (self.pixel(x, depth), self.pixel(y, depth)) else {
                    continue;
                };
                // Not finite: coordinates near the end of the f32 range.
                if !(0.0..f32::INFINITY).contains(&depth) {
                    continue;
                }
                let weight = 1.0 / (depth + EPSILON);
                let at = row * self.resolution + column;
                map[at] += depth * weight;
                weights[at] += weight;
            }
            for (value, &weight) in map.iter_mut().zip(&*weights) {
                if weight > 0.0 {
                    *value /= weight;
                }
            }
        });
    }

    /// The row (column) on which a camera x (y) falls: to the nearest, exact halves down; none
    /// outside the frame.
    #[inline(always)]
    fn pixel(&self, coordinate: f32, depth: f32) -> Option<usize> {
        let side = self.resolution as f32;
        let position = (coordinate / (depth + EPSILON) + 1.0) * side / 2.0 - 0.5;
        // Before the conversion to an integer; NaN is outside.
        (position > -1.0 && position <= side - 1.0).then(|| ceil(position) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two further points that keep the cloud from having no extent and fall elsewhere.
    const ELSEWHERE: [[f32; 3]; 2] = [[0.5, 0.5, 0.5], [-0.5, -0.5, -0.5]];

    fn centre_value(points: &[[f32; 3]]) -> f32 {
        let cloud: Vec<_> = points.iter().chain(&ELSEWHERE).copied().collect();
        let maps = PointClipV1::zero_shot().project(&cloud).unwrap();
        maps.view(0).unwrap()[64 * 128 + 64]
    }

    #[test]
    fn a_pixel_is_the_harmonic_mean_of_its_depths() {
        let depth = |d: f32| [0.0, 0.0, d - 1.6];
        let near = |a: f32, b: f32| (a - b).abs() < 1e-4;
        assert!(near(centre_value(&[depth(0.6), depth(2.1)]), 0.9333));
        assert!(near(
            centre_value(&[depth(0.6), depth(2.1), depth(2.1)]),
            1.1455
        ));
    }

    #[test]
    fn up_is_up_and_depth_grows_away_from_the_camera() {
        // A mast upwards, and a point far from the camera of view 0.
        let maps = PointClipV1::zero_shot()
            .project(&[[0.0, 0.8, 0.0], [0.0, 0.0, 0.5], [0.3, 0.0, -0.5]])
            .unwrap();
        let view = maps.view(0).unwrap();
        let hits: Vec<_> = (0..128 * 128).filter(|&i| view[i] > 0.0).collect();
        let at: Vec<_> = hits.iter().map(|i| (i / 128, i % 128)).collect();
        // +y goes up by 0.8 / 1.6 · 64 rows, +x to the right, the middle is (64, 64).
        assert_eq!(at, [(32, 64), (64, 64), (64, 81)]);
        assert!(view[hits[1]] > 2.0 && view[hits[2]] < 1.2);
    }

    #[test]
    fn points_outside_the_frame_or_behind_the_camera_are_dropped() {
        let v1 = PointClipV1::zero_shot();
        let seen = |p: [f32; 3]| {
            let maps = v1.project(&[p, [0.0; 3]]).unwrap();
            maps.view(0).unwrap().iter().filter(|v| **v != 0.0).count() == 2
        };
        assert!(seen([1.57, 0.0, 0.0]));
        assert!(!seen([1.7, 0.0, 0.0]));
        assert!(!seen([0.0, 1.7, 0.0]));
        assert!(!seen([0.1, 0.0, -1.7]));
        // Not clamped to the border, and not wrapped to the next row.
        assert!(!seen([-1.7, 0.3, 0.0]));
    }

    #[test]
    fn a_point_in_the_camera_counts_as_depth_zero() {
        // It weighs 1e12, so a pixel that it shares is nearly 0, yet hit.
        let value = centre_value(&[[0.0, 0.0, -1.6], [0.0, 0.0, 0.4]]);
        assert!(value > 0.0 && value < 1e-11, "{value}");
    }

    #[test]
    fn exact_halves_go_down() {
        let v1 = PointClipV1::zero_shot();
        // u = (x / depth + 1) · 64 with depth 1.
        let row = |u: f32| v1.pixel(u / 64.0 - 1.0, 1.0);
        assert_eq!(row(10.5), Some(10));
        assert_eq!(row(10.625), Some(11));
        assert_eq!(row(-0.25), Some(0));
        assert_eq!(row(-0.5), None);
        assert_eq!(row(127.5), Some(127));
        assert_eq!(row(127.625), None);
        assert_eq!(v1.pixel(f32::NAN, 1.0), None);
    }
}
