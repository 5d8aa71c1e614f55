//! Gathers faces as triangles.

use super::pages::prefer_large;
use crate::error::{Error, Place, Result};
use crate::{PointCloud, Shape, TriangleMesh};

/// Triangles so far, and the greatest vertex index among them.
#[derive(Debug, Default)]
pub(super) struct Faces {
    triangles: Vec<[u32; 3]>,
    greatest: Option<(u32, Place)>,
}

impl Faces {
    /// Makes room for `count` more triangles, a number that the caller has checked against the
    /// file's size.
    pub(super) fn reserve(&mut self, count: usize) {
        self.triangles.reserve_exact(count);
        prefer_large(&mut self.triangles);
    }

    /// Adds a polygon as a fan around its first corner; points and lines are no faces.
    #[inline]
    pub(super) fn polygon(&mut self, corners: &[u32], place: Place) {
        if let [first, rest @ ..] = corners {
            for (&b, &c) in rest.iter().zip(rest.iter().skip(1)) {
                self.triangle([*first, b, c], place);
            }
        }
    }

    /// Adds a strip, in which every corner from the third on makes a triangle with the two before
    /// it; every second one is turned.
    pub(super) fn strip(&mut self, corners: &[u32], place: Place) {
        for (at, window) in corners.windows(3).enumerate() {
            if let &[a, b, c] = window {
                // Strips jump by repeating corners.
                if a != b && b != c && a != c {
                    self.triangle(if at % 2 == 0 { [a, b, c] } else { [b, a, c] }, place);
                }
            }
        }
    }

    #[inline]
    pub(super) fn triangle(&mut self, corners: [u32; 3], place: Place) {
        let [a, b, c] = corners;
        let top = a.max(b).max(c);
        if self.greatest.is_none_or(|(greatest, _)| top > greatest) {
            self.greatest = Some((top, place));
        }
        self.triangles.push(corners);
    }

    /// The mesh over `vertices`, or the cloud itself where there is no face.
    ///
    /// # Errors
    /// [`Error::Damaged`] where a face refers to a vertex that is not there.
    pub(super) fn over(self, vertices: PointCloud, format: &'static str) -> Result<Shape> {
        let count = vertices.positions.len();
        match self.greatest {
            None => Ok(Shape::Cloud(vertices)),
            Some((index, place)) if index as usize >= count => Err(Error::damaged(
                format,
                format!("{place} refers to vertex {index} (from 0), but there are {count}"),
            )),
            Some(_) => Ok(Shape::Mesh(TriangleMesh {
                positions: vertices.positions,
                triangles: self.triangles,
                colors: vertices.colors,
            })),
        }
    }
}

/// `value` as a vertex index.
///
/// # Errors
/// [`Error::Damaged`] for what can be none.
#[inline]
pub(super) fn index(value: f64, format: &'static str, place: Place) -> Result<u32> {
    let index = value as u32;
    if f64::from(index) == value {
        Ok(index)
    } else {
        Err(Error::damaged(
            format,
            format!("{place} refers to vertex {value}"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Place = Place::Face(4);

    fn vertices(count: usize) -> PointCloud {
        PointCloud {
            positions: vec![[0.0; 3]; count],
            ..PointCloud::default()
        }
    }

    #[test]
    fn polygons_are_fans() {
        let mut faces = Faces::default();
        faces.polygon(&[0, 1, 2, 3, 4], HERE);
        faces.polygon(&[0, 1], HERE);
        let Shape::Mesh(mesh) = faces.over(vertices(5), "X").unwrap() else {
            panic!("not a mesh");
        };
        assert_eq!(mesh.triangles, [[0, 1, 2], [0, 2, 3], [0, 3, 4]]);
    }

    #[test]
    fn strips_keep_their_side() {
        let mut faces = Faces::default();
        faces.strip(&[0, 1, 2, 3, 3, 5, 5, 4], HERE);
        assert_eq!(faces.triangles, [[0, 1, 2], [2, 1, 3]]);
    }

    #[test]
    fn an_index_out_of_range_names_the_face() {
        let mut faces = Faces::default();
        faces.polygon(&[0, 1, 5], HERE);
        let error = faces.over(vertices(5), "X").unwrap_err().to_string();
        assert!(
            error.contains("face 4 refers to vertex 5 (from 0), but there are 5"),
            "{error}"
        );
        for bad in [-1.0, 0.5, 4_294_967_296.0, f64::NAN] {
            assert!(index(bad, "X", HERE).is_err());
        }
        assert_eq!(index(4_294_967_295.0, "X", HERE).unwrap(), u32::MAX);
    }

    #[test]
    fn vertices_without_faces_are_a_cloud() {
        let shape = Faces::default().over(vertices(2), "X").unwrap();
        assert_eq!(shape, Shape::Cloud(vertices(2)));
    }
}
