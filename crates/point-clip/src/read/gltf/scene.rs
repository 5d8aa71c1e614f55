//! The walk through a scene: meshes of its nodes, in the scene's coordinates.

use super::accessor::Rows;
use super::buffers::Buffers;
use super::document::{Document, Node, Primitive};
use super::{EXPORT_PLAIN, FORMAT};
use crate::Shape;
use crate::error::{Error, Place, Result};
use crate::read::faces::{self, Faces};
use crate::read::points::Points;
use nalgebra::{Matrix4, Quaternion, Translation3, UnitQuaternion, Vector3, Vector4};

/// A scene may use one mesh many times; its numbers may take this many times the bytes of the file
/// and its buffers.
const GREATEST_RATIO: usize = 64;
/// Below this size any scene is read.
const HARMLESS: usize = 64 << 20;
/// What a primitive counts for beside its numbers, in bytes.
const VISIT: usize = 64;

/// Reads the default scene of a document of `size` bytes: its triangles, or its points where there
/// are none.
pub(super) fn read(document: &Document, buffers: &Buffers, size: usize) -> Result<Shape> {
    let instances = instances(document)?;
    for wanted in [Kind::Triangles, Kind::Points] {
        let all = size.saturating_add(buffers.total());
        let mut gathering = Gathering {
            document,
            buffers,
            points: Points::default(),
            faces: Faces::default(),
            faces_found: 0,
            colored: false,
            left: all.saturating_mul(GREATEST_RATIO).max(HARMLESS),
        };
        for &(mesh, transform) in &instances {
            let mesh = document
                .meshes
                .get(mesh)
                .ok_or_else(|| missing("mesh", mesh))?;
            for primitive in &mesh.primitives {
                // A visit costs time, also where there is nothing to show.
                gathering.spend(VISIT)?;
                if Kind::of(primitive) == Some(wanted) {
                    gathering.add(primitive, &transform)?;
                }
            }
        }
        if gathering.points.len() > 0 {
            let Gathering {
                points,
                faces,
                colored,
                ..
            } = gathering;
            let mut vertices = points.finish(true);
            vertices.colors = vertices.colors.filter(|_| colored);
            return faces.over(vertices, FORMAT);
        }
    }
    Ok(Shape::Cloud(Points::default().finish(true)))
}

/// What a primitive draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Triangles,
    Points,
}

impl Kind {
    fn of(primitive: &Primitive) -> Option<Self> {
        match primitive.mode {
            4..=6 => Some(Kind::Triangles),
            0 => Some(Kind::Points),
            _ => None,
        }
    }
}

/// The meshes of the default scene with their transforms.
fn instances(document: &Document) -> Result<Vec<(usize, Matrix4<f64>)>> {
    let scene = document.scenes.get(document.scene.unwrap_or(0));
    let mut seen = vec![false; document.nodes.len()];
    let mut stack: Vec<(usize, Matrix4<f64>)> = match scene {
        Some(scene) => scene
            .nodes
            .iter()
            .map(|&node| (node, Matrix4::identity()))
            .collect(),
        None if document.nodes.is_empty() => {
            // A library of meshes without a scene.
            return Ok((0..document.meshes.len())
                .map(|mesh| (mesh, Matrix4::identity()))
                .collect());
        }
        None => {
            let mut is_child = seen.clone();
            for &child in document.nodes.iter().flat_map(|node| &node.children) {
                if let Some(is_child) = is_child.get_mut(child) {
                    *is_child = true;
                }
            }
            let roots = is_child
                .iter()
                .enumerate()
                .filter(|(_, is_child)| !**is_child);
            roots.map(|(node, _)| (node, Matrix4::identity())).collect()
        }
    };
    stack.reverse();
    let mut instances = Vec::new();
    while let Some((index, parent)) = stack.pop() {
        let node = document
            .nodes
            .get(index)
            .ok_or_else(|| missing("node", index))?;
        // Nodes form trees; one that is met twice would make loops or numbers without end.
        if seen.get(index) == Some(&true) {
            return Err(Error::damaged(
                FORMAT,
                format!("node {index} stands in its scene twice"),
            ));
        }
        if let Some(seen) = seen.get_mut(index) {
            *seen = true;
        }
        let transform = parent * local(node);
        instances.extend(node.mesh.map(|mesh| (mesh, transform)));
        stack.extend(node.children.iter().rev().map(|&child| (child, transform)));
    }
    Ok(instances)
}

/// The transform of a node within its parent.
fn local(node: &Node) -> Matrix4<f64> {
    if let Some(matrix) = &node.matrix {
        return Matrix4::from_column_slice(matrix.as_slice());
    }
    let [x, y, z] = node.translation.as_deref().copied().unwrap_or([0.0; 3]);
    let [i, j, k, w] = node
        .rotation
        .as_deref()
        .copied()
        .unwrap_or([0.0, 0.0, 0.0, 1.0]);
    let scale = node.scale.as_deref().copied().unwrap_or([1.0; 3]);
    let quaternion = Quaternion::new(w, i, j, k);
    let rotation =
        UnitQuaternion::try_new(quaternion, 0.0).unwrap_or_else(UnitQuaternion::identity);
    Translation3::new(x, y, z).to_homogeneous()
        * rotation.to_homogeneous()
        * Matrix4::new_nonuniform_scaling(&Vector3::from(scale))
}

fn missing(what: &str, index: usize) -> Error {
    Error::damaged(FORMAT, format!("{what} {index} is missing"))
}

/// What was gathered so far.
struct Gathering<'a> {
    document: &'a Document,
    buffers: &'a Buffers<'a>,
    points: Points,
    faces: Faces,
    faces_found: usize,
    /// Some part has a colour other than white.
    colored: bool,
    /// Bytes that may yet be gathered.
    left: usize,
}

impl Gathering<'_> {
    fn add(&mut self, primitive: &Primitive, transform: &Matrix4<f64>) -> Result<()> {
        let Some(position) = primitive.attributes.position else {
            return Ok(());
        };
        // Compressed primitives have accessors without bytes, unless a plain copy is there too.
        let plain = self
            .document
            .accessors
            .get(position)
            .is_some_and(|a| a.buffer_view.is_some());
        if primitive.extensions.draco.is_some() && !plain {
            return Err(Error::unsupported(
                "its geometry is compressed with Draco",
                EXPORT_PLAIN,
            ));
        }
        let open = |index, width| Rows::open(self.document, self.buffers, index, width);
        let positions = open(position, 3)?;
        let colors = primitive
            .attributes
            .color
            .map(|index| open(index, 3))
            .transpose()?;
        let indices = primitive.indices.map(|index| open(index, 1)).transpose()?;
        let corners = indices.as_ref().map_or(positions.count, |rows| rows.count);
        self.spend(
            positions
                .count
                .saturating_mul(24)
                .saturating_add(corners.saturating_mul(12)),
        )?;

        let material = primitive
            .material
            .and_then(|index| self.document.materials.get(index));
        let factor = material.map_or([1.0; 3], |material| material.factor());
        self.colored |= factor != [1.0; 3] || colors.is_some();
        let first = self.points.len();
        for row in 0..positions.count {
            let [x, y, z] = positions.vector(row);
            let moved = transform * Vector4::new(x, y, z, 1.0);
            self.points
                .push([moved.x, moved.y, moved.z], Place::Vertex(first + row))?;
            let color = match &colors {
                Some(colors) if row < colors.count => colors.vector(row),
                _ => [1.0; 3],
            };
            self.points
                .push_color(std::array::from_fn(|k| to_srgb(color[k] * factor[k])));
        }
        if Kind::of(primitive) == Some(Kind::Points) {
            return Ok(());
        }
        let corner = |at: usize, place: Place| -> Result<u32> {
            let within = match &indices {
                Some(indices) => faces::index(indices.number(at), FORMAT, place)? as usize,
                None => at,
            };
            if within >= positions.count {
                let count = positions.count;
                let what =
                    format!("{place} refers to vertex {within} (from 0), but there are {count}");
                return Err(Error::damaged(FORMAT, what));
            }
            faces::index((first + within) as f64, FORMAT, place)
        };
        if primitive.mode == 4 {
            for at in (0..corners / 3 * 3).step_by(3) {
                let place = Place::Face(self.faces_found);
                self.faces_found += 1;
                let triangle = [
                    corner(at, place)?,
                    corner(at + 1, place)?,
                    corner(at + 2, place)?,
                ];
                self.faces.triangle(triangle, place);
            }
        } else {
            let place = Place::Face(self.faces_found);
            let all = (0..corners)
                .map(|at| corner(at, place))
                .collect::<Result<Vec<_>>>()?;
            match primitive.mode {
                5 => self.faces.strip(&all, place),
                _ => self.faces.polygon(&all, place),
            }
            self.faces_found += corners.saturating_sub(2);
        }
        Ok(())
    }

    fn spend(&mut self, bytes: usize) -> Result<()> {
        self.left = self.left.checked_sub(bytes).ok_or_else(|| {
            Error::refused(
                "its scene repeats its meshes to more than 64 times the file's size",
                "export the one object that matters",
            )
        })?;
        Ok(())
    }
}

/// A linear value in 0..=1 as an sRGB byte (IEC 61966-2-1).
fn to_srgb(linear: f64) -> f64 {
    let v = linear.clamp(0.0, 1.0);
    let encoded = if v <= 0.003_130_8 {
        12.92 * v
    } else {
        1.055 * v.powf(1.0 / 2.4) - 0.055
    };
    (encoded * 255.0).round()
}

#[cfg(test)]
mod unit {
    use super::to_srgb;

    #[test]
    fn srgb_has_known_values() {
        let known = [
            (0.0, 0.0),
            (1.0, 255.0),
            (0.215_861, 128.0),
            (0.002, 7.0),
            (f64::MAX, 255.0),
        ];
        for (linear, byte) in known {
            assert_eq!(to_srgb(linear), byte);
        }
    }
}
