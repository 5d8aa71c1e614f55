//! Area-weighted sampling of mesh surfaces.

use crate::{PointCloud, TriangleMesh};
use nalgebra::Vector3;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Draws `count` points uniformly over the surface of `mesh`, with face normals and, where the
/// mesh has vertex colours, interpolated colours.
///
/// Triangles are hit in proportion to their area (stratified over the cumulated area, so that
/// equal counts spread evenly), positions inside a triangle are uniform. The same `seed` gives the
/// same points. A mesh without area (all triangles degenerate, or none) yields its vertices, at
/// most `count` of them, without normals.
pub fn sample_surface(mesh: &TriangleMesh, count: usize, seed: u64) -> PointCloud {
    let vertex = |i: u32| Vector3::from(mesh.positions[i as usize]);
    let mut cumulated = Vec::with_capacity(mesh.triangles.len());
    let mut total = 0.0f64;
    for &[a, b, c] in &mesh.triangles {
        let doubled = (vertex(b) - vertex(a))
            .cross(&(vertex(c) - vertex(a)))
            .norm();
        total += if doubled.is_finite() {
            f64::from(doubled)
        } else {
            0.0
        };
        cumulated.push(total);
    }
    if total <= 0.0 {
        return PointCloud {
            positions: mesh.positions.iter().copied().take(count).collect(),
            normals: None,
            colors: mesh
                .colors
                .as_ref()
                .map(|c| c.iter().copied().take(count).collect()),
        };
    }

    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut positions = Vec::with_capacity(count);
    let mut normals = Vec::with_capacity(count);
    let mut colors = mesh.colors.as_ref().map(|_| Vec::with_capacity(count));
    for i in 0..count {
        let target = (i as f64 + rng.random::<f64>()) / count as f64 * total;
        let t = cumulated
            .partition_point(|&area| area <= target)
            .min(cumulated.len() - 1);
        let [a, b, c] = mesh.triangles[t];
        // Uniform in the triangle: the square root turns the unit square into it without folding.
        let root = rng.random::<f32>().sqrt();
        let v = rng.random::<f32>();
        let weights = [1.0 - root, root * (1.0 - v), root * v];
        let (pa, pb, pc) = (vertex(a), vertex(b), vertex(c));
        positions.push((pa * weights[0] + pb * weights[1] + pc * weights[2]).into());
        let normal = (pb - pa).cross(&(pc - pa));
        normals.push(normal.try_normalize(0.0).unwrap_or_else(Vector3::y).into());
        if let (Some(out), Some(source)) = (colors.as_mut(), mesh.colors.as_ref()) {
            out.push(std::array::from_fn(|k| {
                [a, b, c]
                    .iter()
                    .zip(weights)
                    .map(|(&i, w)| f32::from(source[i as usize][k]) * w)
                    .sum::<f32>()
                    .round() as u8
            }));
        }
    }
    PointCloud {
        positions,
        normals: Some(normals),
        colors,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A unit square in the plane z = 0 and, beside it, one of a quarter of its area.
    fn squares() -> TriangleMesh {
        TriangleMesh {
            positions: vec![
                [0.0, 0.0, 0.0],
                [1.0, 0.0, 0.0],
                [1.0, 1.0, 0.0],
                [0.0, 1.0, 0.0],
                [2.0, 0.0, 0.0],
                [2.5, 0.0, 0.0],
                [2.5, 0.5, 0.0],
                [2.0, 0.5, 0.0],
            ],
            triangles: vec![[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]],
            colors: None,
        }
    }

    #[test]
    fn points_follow_the_area() {
        let cloud = sample_surface(&squares(), 5000, 1);
        let small = cloud.positions.iter().filter(|p| p[0] > 1.5).count();
        assert!(
            (small as i64 - 1000).abs() <= 2,
            "{small} of 5000 on a fifth of the area"
        );
        assert!(cloud.positions.iter().all(|p| p[2] == 0.0 && p[1] <= 1.0));
        assert!(cloud.normals.unwrap().iter().all(|n| n[2].abs() > 0.999));
    }

    #[test]
    fn seeds_repeat_and_differ() {
        assert_eq!(
            sample_surface(&squares(), 64, 7),
            sample_surface(&squares(), 64, 7)
        );
        assert_ne!(
            sample_surface(&squares(), 64, 7),
            sample_surface(&squares(), 64, 8)
        );
    }

    #[test]
    fn a_mesh_without_area_yields_its_vertices() {
        let mesh = TriangleMesh {
            positions: vec![[0.0; 3], [1.0; 3], [2.0; 3]],
            triangles: vec![[0, 1, 2], [1, 1, 1]],
            colors: None,
        };
        assert_eq!(
            sample_surface(&mesh, 2, 0).positions,
            vec![[0.0; 3], [1.0; 3]]
        );
    }
}
