//! The projections of PointCLIP and PointCLIP V2, as published.
//!
//! A cloud becomes maps, one channel a view: [`PointClipV1`] draws metric depth of single points in
//! perspective, [`PointClipV2`] closes the surface and draws it dark on white. Both are exact: they
//! follow the float32 order of the published code and equal its output.
//!
//! The published towers see [`Maps::to_pixels`]: raw maps, without CLIP's mean and deviation.
//! Their features become class scores with [`view_logits`] or, few-shot, an [`InterViewAdapter`];
//! [`PartProjection`] names the parts of an object point by point.
//!
//! Points are y up. Data that is z up is turned with `[x, z, -y]` first; nothing fails visibly if
//! it is not.
//!
//! ```
//! use point_clip::project::{PointClipV1, PointClipV2, unit_sphere};
//!
//! # fn main() -> Result<(), point_clip::DegenerateShape> {
//! let cloud = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 1.0]];
//! let cloud = unit_sphere(&cloud)?;
//!
//! let depth = PointClipV1::zero_shot().project(&cloud)?;
//! assert_eq!((depth.views(), depth.size()), (6, 128));
//!
//! // What the vision tower gets.
//! let maps = PointClipV2::default().input_maps(&cloud)?;
//! assert_eq!((maps.views(), maps.size()), (10, 224));
//! # Ok(())
//! # }
//! ```
//!
//! # Speed
//! Views are spread over the caller's rayon pool. On one thread the ten V2 maps of one cloud take
//! 0.34 ms at 2 000 points and 1.9 ms at 100 000, and 0.68 and 2.2 ms brought to 224 × 224:
//! medians of `cargo run --release -p point-clip --example projection_speed` on an AMD EPYC with
//! AVX-512 (family 26), its other core busy, 2026-11-28.

mod adapter;
mod benchmark;
mod error;
#[cfg(test)]
mod golden;
mod layers;
mod maps;
mod normalise;
mod part_logits;
mod parts;
mod prompts;
mod quantise;
mod resize;
mod rotation;
mod score;
mod v1;
mod v2;
mod volume;

pub use adapter::InterViewAdapter;
pub use benchmark::{
    Backbone, Benchmark, UnknownName, V1_FEW_SHOT_TEMPLATE, V1_ZERO_SHOT_TEMPLATE, fill,
};
pub use error::ScoreError;
pub use maps::Maps;
pub use normalise::unit_sphere;
pub use parts::{PartProjection, PartViews, PixelLookup, Sighting};
pub use prompts::{PartPrompts, PromptFile};
pub use score::{V2_LOGIT_SCALE, view_logits};
pub use v1::PointClipV1;
pub use v2::PointClipV2;

use crate::{BoundingCube, DegenerateShape};

/// Rows and columns of the maps that the vision tower gets.
pub const INPUT_SIZE: usize = 224;

/// Refuses points that cannot be shown.
fn check(points: &[[f32; 3]]) -> Result<(), DegenerateShape> {
    BoundingCube::around(points).map(|_| ())
}

/// Rounds up a number of magnitude below 2²²; any integer for another.
///
/// Adding 1.5 · 2²³ leaves the nearest integer in the low bits. Unlike `f32::ceil` and a checked
/// conversion this stays in vector registers on every CPU.
#[inline(always)]
fn ceil(v: f32) -> i32 {
    const SHIFT: f32 = 12_582_912.0;
    let shifted = v + SHIFT;
    let nearest = (shifted.to_bits() as i32).wrapping_sub(SHIFT.to_bits() as i32);
    nearest.wrapping_add(i32::from(v > shifted - SHIFT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ceil_rounds_up() {
        for v in [
            -2.0,
            -1.5,
            -1.0,
            -0.25,
            -0.0,
            0.0,
            0.25,
            1.0,
            1.000_000_1,
            111.5,
            112.0_f32,
        ] {
            assert_eq!(ceil(v), v.ceil() as i32, "{v}");
        }
        // Floats of every size that a grid can meet.
        for bits in (0..224.0_f32.to_bits()).step_by(0x1_0010) {
            let v = f32::from_bits(bits);
            assert_eq!(ceil(v), v.ceil() as i32, "{v}");
            assert_eq!(ceil(-v), (-v).ceil() as i32, "-{v}");
        }
    }

    #[test]
    fn hostile_clouds_are_errors() {
        let cases: [(&[[f32; 3]], DegenerateShape); 5] = [
            (&[], DegenerateShape::Empty),
            (&[[0.5; 3]], DegenerateShape::NoExtent(1)),
            (&[[0.5; 3]; 7], DegenerateShape::NoExtent(7)),
            (
                &[[0.0; 3], [0.0, f32::NAN, 0.0]],
                DegenerateShape::NotFinite(1),
            ),
            (
                &[[f32::NEG_INFINITY; 3], [0.0; 3]],
                DegenerateShape::NotFinite(0),
            ),
        ];
        for (cloud, error) in cases {
            assert_eq!(PointClipV1::zero_shot().project(cloud), Err(error));
            assert_eq!(PointClipV1::few_shot().project(cloud), Err(error));
            assert_eq!(PointClipV2::default().project(cloud), Err(error));
            assert_eq!(unit_sphere(cloud), Err(error));
        }
    }

    #[test]
    fn extreme_clouds_are_maps_or_errors_never_nan() {
        for scale in [1e-44, 1e-30, 1e-10, 1e10, 1e25, 3e38_f32] {
            for cloud in [
                vec![[scale; 3], [-scale; 3], [0.0; 3]],
                vec![[0.0; 3], [scale, 0.0, 0.0]],
                vec![[scale, 0.0, 1.0], [scale, 1.0, 0.0]],
            ] {
                for maps in [
                    PointClipV1::zero_shot().project(&cloud),
                    PointClipV1::few_shot().input_maps(&cloud),
                    PointClipV2::default().input_maps(&cloud),
                ] {
                    match maps {
                        Ok(maps) => assert!(maps.values().iter().all(|v| v.is_finite())),
                        Err(error) => assert_eq!(error, DegenerateShape::Unresolved),
                    }
                }
            }
        }
    }

    #[test]
    fn a_flat_cloud_is_fine() {
        let flat: Vec<_> = (0..64)
            .map(|i| [(i % 8) as f32, (i / 8) as f32, 0.0])
            .collect();
        let maps = PointClipV2::default().project(&flat).unwrap();
        assert!(maps.values().contains(&0.0));
    }
}
