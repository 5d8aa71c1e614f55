//! [`PackedSet`]: many small meshes in one safetensors file, for training and benchmarks.

use crate::{Error, Result, TriangleMesh};
use safetensors::{Dtype, SafeTensors};

/// Meshes of at most 65,536 vertices each, with quantised coordinates.
///
/// The file is a safetensors file of four tensors: `verts` U16 `[V, 3]` and `faces` U16 `[F, 3]` of
/// all meshes one after another (indices count from 0 within a mesh), `vert_offsets` and
/// `face_offsets` I64 `[N + 1]` with each mesh's first row. A coordinate is q / 32767.5 − 1.
#[derive(Clone, Debug)]
pub struct PackedSet {
    verts: Vec<[u16; 3]>,
    faces: Vec<[u16; 3]>,
    vert_offsets: Vec<usize>,
    face_offsets: Vec<usize>,
}

type Rows<'a> = (&'a [[u16; 3]], &'a [[u16; 3]]);

impl PackedSet {
    /// Reads a whole set.
    ///
    /// # Errors
    /// [`Error::Damaged`] where the file is no such set or contradicts itself.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let damaged = |what: String| Error::damaged("mesh set", what);
        let tensors = SafeTensors::deserialize(bytes).map_err(|e| damaged(e.to_string()))?;
        let rows = |name: &str| -> Result<Vec<[u16; 3]>> {
            let tensor = tensors.tensor(name).map_err(|e| damaged(e.to_string()))?;
            if tensor.dtype() != Dtype::U16 || !matches!(tensor.shape(), [_, 3]) {
                return Err(damaged(format!("{name} is not U16 of three columns")));
            }
            let (values, _) = tensor.data().as_chunks::<6>();
            let row = |b: &[u8; 6]| [[b[0], b[1]], [b[2], b[3]], [b[4], b[5]]];
            Ok(values
                .iter()
                .map(|b| row(b).map(u16::from_le_bytes))
                .collect())
        };
        let offsets = |name: &str, rows: usize| -> Result<Vec<usize>> {
            let tensor = tensors.tensor(name).map_err(|e| damaged(e.to_string()))?;
            if tensor.dtype() != Dtype::I64 {
                return Err(damaged(format!("{name} is not I64")));
            }
            let (values, _) = tensor.data().as_chunks::<8>();
            let offset = |b: &[u8; 8]| usize::try_from(i64::from_le_bytes(*b)).ok();
            let offsets: Option<Vec<usize>> = values.iter().map(offset).collect();
            offsets
                .filter(|o| o.is_sorted() && o.last().is_some_and(|&last| last <= rows))
                .ok_or_else(|| damaged(format!("{name} does not fit its {rows} rows")))
        };
        let (verts, faces) = (rows("verts")?, rows("faces")?);
        let set = Self {
            vert_offsets: offsets("vert_offsets", verts.len())?,
            face_offsets: offsets("face_offsets", faces.len())?,
            verts,
            faces,
        };
        if set.vert_offsets.len() != set.face_offsets.len() {
            return Err(damaged("the offsets are of two lengths".into()));
        }
        for index in 0..set.len() {
            let (verts, faces) = set.rows(index).unwrap_or_default();
            if faces
                .iter()
                .flatten()
                .any(|&i| usize::from(i) >= verts.len())
            {
                return Err(damaged(format!(
                    "a face of mesh {index} names a missing vertex"
                )));
            }
        }
        Ok(set)
    }

    /// The number of meshes.
    pub fn len(&self) -> usize {
        self.vert_offsets.len() - 1
    }

    /// Whether there is no mesh.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One mesh, its longest side from −1 to 1.
    pub fn mesh(&self, index: usize) -> Option<TriangleMesh> {
        let (verts, faces) = self.rows(index)?;
        let coordinate = |q: u16| f32::from(q) / 32767.5 - 1.0;
        Some(TriangleMesh {
            positions: verts.iter().map(|v| v.map(coordinate)).collect(),
            triangles: faces.iter().map(|f| f.map(u32::from)).collect(),
            colors: None,
        })
    }

    /// Vertices and faces of one mesh.
    fn rows(&self, index: usize) -> Option<Rows<'_>> {
        let range = |o: &[usize]| Some(*o.get(index)?..*o.get(index + 1)?);
        let verts = self.verts.get(range(&self.vert_offsets)?)?;
        Some((verts, self.faces.get(range(&self.face_offsets)?)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::tensor::{TensorView, serialize};

    fn file(faces: [u16; 3], vert_offsets: [i64; 2]) -> Vec<u8> {
        let verts: Vec<u8> = [0u16, 0, 0, 65535, 0, 0, 0, 65535, 0]
            .map(u16::to_le_bytes)
            .concat();
        let faces: Vec<u8> = faces.map(u16::to_le_bytes).concat();
        let verts_at: Vec<u8> = vert_offsets.map(i64::to_le_bytes).concat();
        let faces_at: Vec<u8> = [0i64, 1].map(i64::to_le_bytes).concat();
        let view = |d, shape, data| TensorView::new(d, shape, data).unwrap();
        let tensors = [
            ("verts", view(Dtype::U16, vec![3, 3], &verts)),
            ("faces", view(Dtype::U16, vec![1, 3], &faces)),
            ("vert_offsets", view(Dtype::I64, vec![2], &verts_at)),
            ("face_offsets", view(Dtype::I64, vec![2], &faces_at)),
        ];
        serialize(tensors, None).unwrap()
    }

    #[test]
    fn a_triangle_is_read_and_lies_are_not() {
        let set = PackedSet::parse(&file([0, 1, 2], [0, 3])).unwrap();
        let mesh = set.mesh(0).unwrap();
        assert_eq!(
            mesh.positions,
            [[-1., -1., -1.], [1., -1., -1.], [-1., 1., -1.]]
        );
        assert_eq!(mesh.triangles, [[0, 1, 2]]);
        assert!(set.mesh(1).is_none());
        for (faces, offsets) in [
            ([0, 1, 3], [0, 3]),
            ([0, 1, 2], [0, 4]),
            ([0, 1, 2], [-1, 3]),
        ] {
            assert!(PackedSet::parse(&file(faces, offsets)).is_err());
        }
        assert!(PackedSet::parse(b"{}").is_err());
    }
}
