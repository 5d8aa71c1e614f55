//! Surfels: points with a normal and a radius that follows the local density (after Pfister et
//! al., *Surfels: Surface Elements as Rendering Primitives*, SIGGRAPH 2000).

use super::neighbours::{Grid, bounds};
use crate::PointCloud;
use nalgebra::{Matrix3, Vector3};
use rayon::prelude::*;

/// Neighbours, the point included, that give a point its radius and its normal.
const NEIGHBOURS: usize = 11;
/// Disc radius over the distance to the last neighbour. A random surface sample leaves the share
/// exp(-(NEIGHBOURS - 1) · RADIUS²) of the surface uncovered: 0.6 %, mostly pinholes.
const RADIUS: f32 = 0.72;
/// Where a surface ends, a whole disc would stick out over the rim: there the neighbours' mean
/// lies this far off (in units of the last neighbour's distance; 4/3π for a straight rim), and the
/// disc shrinks by `RIM_SHRINK`.
const RIM_OFFSET: f32 = 0.42;
const RIM_SHRINK: f32 = 0.6;
/// A point is an outlier if its neighbour of this rank is `OUTLIER_DISTANCE` times farther off
/// than usual (the 75th percentile), as long as at most `OUTLIER_SHARE` of the points are.
const OUTLIER_NEIGHBOUR: usize = 4;
const OUTLIER_DISTANCE: f32 = 3.0;
const OUTLIER_SHARE: f32 = 0.12;
/// Clouds above this many points are thinned to one point a cell before anything is estimated.
const THINNING_FROM: usize = 60_000;

/// A disc in object space.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surfel {
    pub(super) position: Vector3<f32>,
    /// Unit length, of either sign.
    pub(super) normal: Vector3<f32>,
    pub(super) radius: f32,
    /// 0..=1; white where the cloud has no colours.
    pub(super) color: [f32; 3],
}

/// Estimates surfels for `cloud`, whose points lie in [-1, 1]³; thins it so that two neighbours
/// are no nearer than about `spacing`, and drops outliers. The cloud's own normals are used where
/// they have unit length.
pub(super) fn estimate(cloud: &PointCloud, spacing: f32) -> Vec<Surfel> {
    let kept = thin(&cloud.positions, spacing);
    let positions: Vec<[f32; 3]> = kept.iter().map(|&i| cloud.positions[i as usize]).collect();
    let k = NEIGHBOURS.min(positions.len());
    let grid = Grid::new(&positions, 6);
    let local: Vec<Neighbourhood> = (0..positions.len())
        .into_par_iter()
        .map_init(Vec::new, |found, i| {
            grid.nearest(i, k, found);
            Neighbourhood::of(&positions, i, found)
        })
        .collect();

    let limit = outlier_limit(local.iter().map(|l| l.isolation).collect());
    let floor = spacing * 0.5;
    local
        .iter()
        .enumerate()
        .filter(|(_, near)| near.isolation <= limit)
        .map(|(i, near)| {
            let source = kept[i] as usize;
            let own = cloud.normals.as_ref().map(|n| Vector3::from(n[source]));
            Surfel {
                position: positions[i].into(),
                normal: own
                    .filter(|n| (n.norm() - 1.0).abs() < 0.01)
                    .unwrap_or(near.normal),
                radius: near.radius.max(floor),
                color: cloud
                    .colors
                    .as_ref()
                    .map_or([1.0; 3], |c| c[source].map(|v| f32::from(v) / 255.0)),
            }
        })
        .collect()
}

/// Indices of the points to keep: all of a small cloud, otherwise the first in each cell of side
/// `spacing`.
fn thin(points: &[[f32; 3]], spacing: f32) -> Vec<u32> {
    if points.len() <= THINNING_FROM {
        return (0..points.len() as u32).collect();
    }
    let (min, _) = bounds(points);
    let key = |p: &[f32; 3]| {
        (0..3).fold(0u64, |key, a| {
            (key << 21) | u64::from(((p[a] - min[a]) / spacing) as u32)
        })
    };
    let mut cells: Vec<(u64, u32)> = points
        .par_iter()
        .enumerate()
        .map(|(i, p)| (key(p), i as u32))
        .collect();
    cells.par_sort_unstable();
    cells.dedup_by_key(|c| c.0);
    let mut kept: Vec<u32> = cells.into_iter().map(|c| c.1).collect();
    kept.sort_unstable();
    kept
}

/// The neighbour distance above which a point is an outlier; infinite where that would drop more
/// than a small share.
fn outlier_limit(mut reaches: Vec<f32>) -> f32 {
    reaches.sort_by(f32::total_cmp);
    let limit = reaches[reaches.len() * 3 / 4] * OUTLIER_DISTANCE;
    let beyond = reaches.len() - reaches.partition_point(|&r| r <= limit);
    if beyond as f32 <= reaches.len() as f32 * OUTLIER_SHARE {
        limit
    } else {
        f32::INFINITY
    }
}

/// What the nearest points tell of one.
struct Neighbourhood {
    /// Distance to the neighbour of rank `OUTLIER_NEIGHBOUR`.
    isolation: f32,
    radius: f32,
    /// The direction of least variance.
    normal: Vector3<f32>,
}

impl Neighbourhood {
    fn of(points: &[[f32; 3]], i: usize, neighbours: &[(f32, u32)]) -> Self {
        let at = |&(_, i): &(f32, u32)| Vector3::from(points[i as usize]);
        let mean = neighbours.iter().map(at).sum::<Vector3<f32>>() / neighbours.len() as f32;
        let covariance =
            neighbours
                .iter()
                .map(at)
                .fold(Matrix3::zeros(), |sum: Matrix3<f32>, p| {
                    let d = p - mean;
                    sum + d * d.transpose()
                });
        let rank = OUTLIER_NEIGHBOUR.min(neighbours.len() - 1);
        let reach = neighbours[neighbours.len() - 1].0.sqrt();
        let offset = (mean - Vector3::from(points[i])).norm() / (RIM_OFFSET * reach).max(1e-12);
        Neighbourhood {
            isolation: neighbours[rank].0.sqrt(),
            radius: reach * RADIUS * (1.0 - RIM_SHRINK * (offset * offset).min(1.0)),
            normal: least_eigenvector(&covariance).unwrap_or_else(Vector3::y),
        }
    }
}

/// The eigenvector of the smallest eigenvalue of a symmetric positive semi-definite matrix, in
/// closed form (trigonometric solution of the characteristic cubic); `None` where all eigenvalues
/// are equal or two vanish, so that no direction stands out.
fn least_eigenvector(m: &Matrix3<f32>) -> Option<Vector3<f32>> {
    let scale = m.trace();
    if scale.is_nan() || scale <= 0.0 {
        return None;
    }
    let m = m / scale;
    let q = m.trace() / 3.0;
    let shifted = m - Matrix3::identity() * q;
    let p = (shifted.norm_squared() / 6.0).sqrt();
    if p < 1e-6 {
        return None;
    }
    let r = (shifted.determinant() / (2.0 * p * p * p)).clamp(-1.0, 1.0);
    let angle = r.acos() / 3.0 + std::f32::consts::FRAC_PI_3 * 2.0;
    let least = m - Matrix3::identity() * (q + 2.0 * p * angle.cos());
    // The rows of (M - λI) span the plane across the eigenvector: take the best-conditioned pair.
    let rows = [
        least.row(0).transpose(),
        least.row(1).transpose(),
        least.row(2).transpose(),
    ];
    [(0, 1), (0, 2), (1, 2)]
        .map(|(a, b)| rows[a].cross(&rows[b]))
        .into_iter()
        .max_by(|a, b| a.norm_squared().total_cmp(&b.norm_squared()))
        .and_then(|v| v.try_normalize(1e-9))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn sphere(count: usize) -> PointCloud {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let positions = (0..count)
            .map(|_| {
                let z = rng.random_range(-1.0f32..1.0);
                let a = rng.random_range(0.0..std::f32::consts::TAU);
                let r = (1.0 - z * z).sqrt();
                [r * a.cos(), r * a.sin(), z]
            })
            .collect();
        PointCloud {
            positions,
            ..Default::default()
        }
    }

    #[test]
    fn normals_of_a_sphere_are_radial() {
        let surfels = estimate(&sphere(4000), 1e-3);
        let aligned = surfels
            .iter()
            .filter(|s| s.normal.dot(&s.position).abs() > 0.97)
            .count();
        assert!(aligned > 3900, "{aligned} of {}", surfels.len());
    }

    #[test]
    fn radius_halves_with_four_times_the_points() {
        let mean = |n| {
            let s = estimate(&sphere(n), 1e-3);
            s.iter().map(|s| s.radius).sum::<f32>() / s.len() as f32
        };
        let ratio = mean(1000) / mean(4000);
        assert!((1.85..2.15).contains(&ratio), "{ratio}");
    }

    #[test]
    fn outliers_are_dropped() {
        let mut cloud = sphere(6000);
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        cloud
            .positions
            .extend((0..40).map(|_| [(); 3].map(|()| rng.random_range(-0.4f32..0.4))));
        let surfels = estimate(&cloud, 1e-3);
        let inside = surfels.iter().filter(|s| s.position.norm() < 0.7).count();
        assert!(inside <= 4, "{inside} of 40 outliers are left");
        assert!(surfels.len() > 5900);
    }

    #[test]
    fn large_clouds_are_thinned() {
        let surfels = estimate(&sphere(THINNING_FROM + 20_000), 0.05);
        assert!(surfels.len() < 12_000, "{}", surfels.len());
    }
}
