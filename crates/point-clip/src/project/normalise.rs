//! The unit sphere.

use super::check;
use crate::DegenerateShape;

/// `points` less their mean, over the largest distance from it: centred, in the unit sphere.
///
/// The mean of the points, not of the surface: a cloud with crowded parts lies off the middle, as
/// it does in the data sets that PointCLIP was measured on. Computed in f64, so that coordinates
/// far from the origin keep their digits.
///
/// # Errors
/// [`DegenerateShape`] where there is no point, one that is not finite, or no extent.
pub fn unit_sphere(points: &[[f32; 3]]) -> Result<Vec<[f32; 3]>, DegenerateShape> {
    check(points)?;
    let mut mean = [0.0_f64; 3];
    for p in points {
        for (mean, &v) in mean.iter_mut().zip(p) {
            *mean += f64::from(v);
        }
    }
    let mean = mean.map(|sum| sum / points.len() as f64);
    let centred = |p: &[f32; 3]| -> [f64; 3] { std::array::from_fn(|k| f64::from(p[k]) - mean[k]) };
    let squared = |p: &[f32; 3]| centred(p).iter().map(|v| v * v).sum::<f64>();
    let radius = points.iter().map(squared).fold(0.0, f64::max).sqrt();
    Ok(points
        .iter()
        .map(|p| centred(p).map(|v| (v / radius) as f32))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::super::golden::{Golden, assert_close};
    use super::*;

    #[test]
    fn equals_the_reference() {
        let clouds = Golden::open("clouds");
        let ours = unit_sphere(&clouds.points("norm_in")).unwrap();
        assert_close(ours.as_flattened(), &clouds.f32("norm_out"), 1e-6);
    }

    #[test]
    fn survives_the_ends_of_the_range() {
        for scale in [1e-40, 1e-20, 1.0, 1e20, 3e38_f32] {
            let unit = unit_sphere(&[[-scale, 0.0, 0.0], [scale, 0.0, 0.0]]).unwrap();
            assert_eq!(unit, [[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]], "{scale}");
        }
        // A survey far from its origin.
        let far = [[500_000.0, 5_000_000.0, 0.0], [500_001.0, 5_000_000.0, 0.0]];
        assert_eq!(unit_sphere(&far).unwrap()[1], [1.0, 0.0, 0.0]);
    }
}
