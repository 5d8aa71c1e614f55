//! [`Corruption`]: clouds as scanners deliver them, for measuring how robust a recogniser is.

use crate::{PointCloud, TriangleMesh, sample_surface};
use nalgebra::Vector3;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What happens to a surface on its way to a cloud. The default is a clean, whole scan.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Corruption {
    /// One side of a plane through the centroid of the surface is missing; the plane's direction
    /// is uniform over the sphere.
    pub cut: bool,
    /// Standard deviation of the Gaussian noise on each coordinate, in half diagonals of the
    /// bounding box of the cloud.
    pub noise: f32,
    /// Share of the points, 0..=1, that lie anywhere in that bounding box instead.
    pub outliers: f32,
}

impl Corruption {
    /// Draws `count` points from what is left of `mesh`, as [`sample_surface`] does it, without
    /// normals, and spoils them. The same `seed` gives the same points.
    ///
    /// A cut object still gets `count` points; outliers take the place of others.
    pub fn sample(&self, mesh: &TriangleMesh, count: usize, seed: u64) -> PointCloud {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // Stream 0 draws the surface.
        rng.set_stream(1);
        let direction = Vector3::from_fn(|_, _| gaussian(&mut rng));
        let part = self
            .cut
            .then(|| Some(half(mesh, centroid(mesh)?, direction)));
        let mut cloud = sample_surface(part.flatten().as_ref().unwrap_or(mesh), count, seed);
        cloud.normals = None;

        let positions = &mut cloud.positions;
        let Some(&first) = positions.first() else {
            return cloud;
        };
        let first = Vector3::from(first);
        let (low, high) = positions.iter().fold((first, first), |(low, high), &p| {
            (low.inf(&p.into()), high.sup(&p.into()))
        });
        if self.noise > 0.0 {
            let deviation = self.noise * (high - low).norm() / 2.0;
            for point in positions.iter_mut() {
                *point = point.map(|v| v + deviation * gaussian(&mut rng));
            }
        }
        // Points lie in the order of the triangles: every n-th is replaced, not the first ones.
        let outliers = (self.outliers.clamp(0.0, 1.0) * positions.len() as f32).round() as usize;
        for i in 0..outliers {
            let at = i * positions.len() / outliers;
            let share = Vector3::from_fn(|_, _| rng.random::<f32>());
            positions[at] = (low + (high - low).component_mul(&share)).into();
        }
        cloud
    }
}

/// The part of `mesh` on the side of the plane through `centre` that `direction` points to;
/// triangles that the plane crosses are cut. Colours are dropped.
fn half(mesh: &TriangleMesh, centre: Vector3<f32>, direction: Vector3<f32>) -> TriangleMesh {
    let mut part = TriangleMesh::default();
    for triangle in &mesh.triangles {
        let corners = triangle.map(|i| Vector3::from(mesh.positions[i as usize]));
        let heights = corners.map(|p| (p - centre).dot(&direction));
        let mut kept: Vec<Vector3<f32>> = Vec::with_capacity(4);
        for (a, b) in [(0, 1), (1, 2), (2, 0)] {
            if heights[a] >= 0.0 {
                kept.push(corners[a]);
            }
            if (heights[a] >= 0.0) != (heights[b] >= 0.0) {
                kept.push(corners[a].lerp(&corners[b], heights[a] / (heights[a] - heights[b])));
            }
        }
        let first = part.positions.len() as u32;
        let fan = 2..kept.len().max(2) as u32;
        part.triangles
            .extend(fan.map(|i| [first, first + i - 1, first + i]));
        part.positions
            .extend(kept.into_iter().map(<[f32; 3]>::from));
    }
    part
}

/// The centroid of the surface, none where it has no area. Some of the surface lies on each side of
/// any plane through it.
fn centroid(mesh: &TriangleMesh) -> Option<Vector3<f32>> {
    let (mut sum, mut total) = (Vector3::<f64>::zeros(), 0.0);
    for triangle in &mesh.triangles {
        let [a, b, c] = triangle.map(|i| Vector3::from(mesh.positions[i as usize]).cast::<f64>());
        let area = (b - a).cross(&(c - a)).norm();
        sum += (a + b + c) * (area / 3.0);
        total += area;
    }
    (total > 0.0).then(|| (sum / total).cast())
}

/// One draw of the standard normal distribution (Box and Muller, 1958).
fn gaussian(rng: &mut ChaCha8Rng) -> f32 {
    let radius = (-2.0 * (1.0 - rng.random::<f32>()).ln()).sqrt();
    radius * (std::f32::consts::TAU * rng.random::<f32>()).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The surface of the cube from −1 to 1.
    fn cube() -> TriangleMesh {
        let corner = |i: u32| [0, 1, 2].map(|k| if i >> k & 1 == 1 { 1.0 } else { -1.0 });
        let sides = [
            [0, 1, 3, 2],
            [4, 5, 7, 6],
            [0, 1, 5, 4],
            [2, 3, 7, 6],
            [0, 2, 6, 4],
            [1, 3, 7, 5],
        ];
        TriangleMesh {
            positions: (0..8).map(corner).collect(),
            triangles: sides
                .iter()
                .flat_map(|&[a, b, c, d]| [[a, b, c], [a, c, d]])
                .collect(),
            colors: None,
        }
    }

    fn mean(points: &[[f32; 3]]) -> Vector3<f32> {
        points
            .iter()
            .map(|&p| Vector3::from(p))
            .sum::<Vector3<f32>>()
            / points.len() as f32
    }

    #[test]
    fn without_corruption_it_is_the_surface() {
        let clean = Corruption::default().sample(&cube(), 500, 3);
        assert_eq!(clean.positions, sample_surface(&cube(), 500, 3).positions);
        assert_eq!(clean.normals, None);
    }

    #[test]
    fn a_cut_leaves_one_side_of_a_plane_through_the_middle() {
        let cut = Corruption {
            cut: true,
            ..Corruption::default()
        };
        let mut means = Vec::new();
        for seed in 0..20 {
            let points = cut.sample(&cube(), 1000, seed).positions;
            assert_eq!(points.len(), 1000);
            // The mean of one half of a surface around the origin points away from the plane.
            let away = mean(&points);
            assert!((0.4..0.8).contains(&away.norm()), "{away}");
            means.push(away.normalize());
            let on_surface =
                |p: &[f32; 3]| (p.iter().fold(0f32, |m, v| m.max(v.abs())) - 1.0).abs();
            assert!(points.iter().all(|p| on_surface(p) < 1e-5));
        }
        let all: Vector3<f32> = means.iter().sum();
        assert!(all.norm() < 12.0, "directions differ: {all}");
        let part = half(&cube(), Vector3::zeros(), Vector3::x());
        assert!(part.positions.iter().all(|p| p[0] >= 0.0));
        // One whole side and four halves.
        let area = |mesh: &TriangleMesh| -> f32 {
            let corner = |i: u32| Vector3::from(mesh.positions[i as usize]);
            let doubled = |&[a, b, c]: &[u32; 3]| {
                (corner(b) - corner(a))
                    .cross(&(corner(c) - corner(a)))
                    .norm()
            };
            mesh.triangles.iter().map(doubled).sum::<f32>() / 2.0
        };
        assert!((area(&part) - 12.0).abs() < 1e-4, "{}", area(&part));
    }

    #[test]
    fn noise_has_the_deviation_that_was_asked_for() {
        let noisy = Corruption {
            noise: 0.01,
            ..Corruption::default()
        };
        let clean = Corruption::default().sample(&cube(), 20_000, 7).positions;
        let moved = noisy.sample(&cube(), 20_000, 7).positions;
        let squares: f32 = clean
            .iter()
            .flatten()
            .zip(moved.iter().flatten())
            .map(|(a, b)| (a - b).powi(2))
            .sum();
        let deviation = (squares / 60_000.0).sqrt();
        let expected = 0.01 * 3f32.sqrt();
        assert!((deviation / expected - 1.0).abs() < 0.03, "{deviation}");
    }

    #[test]
    fn outliers_fill_the_box() {
        let spoiled = Corruption {
            outliers: 0.05,
            ..Corruption::default()
        };
        let points = spoiled.sample(&cube(), 10_000, 1).positions;
        assert_eq!(points.len(), 10_000);
        let inside = |p: &&[f32; 3]| p.iter().all(|v| v.abs() < 0.999);
        let strangers: Vec<[f32; 3]> = points.iter().filter(inside).copied().collect();
        assert!(
            (490..=500).contains(&strangers.len()),
            "{}",
            strangers.len()
        );
        assert!(mean(&strangers).norm() < 0.15);
        assert_eq!(points, spoiled.sample(&cube(), 10_000, 1).positions);
    }

    #[test]
    fn what_has_no_surface_is_left_alone() {
        let all = Corruption {
            cut: true,
            noise: 0.1,
            outliers: 0.5,
        };
        let nothing = TriangleMesh::default();
        assert!(all.sample(&nothing, 10, 0).positions.is_empty());
    }
}
