//! PLY, the Stanford triangle format (Turk 1994): clouds, polygon meshes, triangle strips.

mod ascii;
mod binary;
mod header;

use super::faces::{self, Faces};
use super::fields::{ColorLayout, Layout};
use super::{Reader, Source};
use crate::Shape;
use crate::error::{Error, Place, Result, quote};
use header::{Element, Encoding, Header, Kind};

const FORMAT: &str = "PLY";

pub(super) const READER: Reader = Reader {
    recognises: |source| match source.bytes.strip_prefix(b"ply") {
        Some(rest) => rest.first().is_none_or(u8::is_ascii_whitespace),
        None => false,
    },
    read,
};

fn read(source: &Source) -> Result<Shape> {
    let header = Header::parse(source.bytes)?;
    let roles = roles(&header.elements)?;
    // What follows the last element that is read need not even be there.
    let needed = roles
        .iter()
        .rposition(|r| *r != Role::Other)
        .map_or(0, |at| at + 1);
    let plan: Vec<_> = header.elements.iter().zip(roles).take(needed).collect();
    let (vertices, faces) = match header.encoding {
        Encoding::Ascii => ascii::read(header.body, &plan)?,
        Encoding::Binary(order) => binary::read(header.body.rest(), order, &plan)?,
    };
    faces.faces.over(vertices, FORMAT)
}

/// What an element is to a shape.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Role {
    /// The vertices.
    Vertices(Layout),
    /// Polygons; the property that lists their corners.
    Polygons(usize),
    /// Triangle strips, ended by -1; the property that lists their corners.
    Strips(usize),
    /// Something else.
    Other,
}

/// The role of each element.
fn roles(elements: &[Element]) -> Result<Vec<Role>> {
    let mut vertices_found = false;
    let mut roles = Vec::with_capacity(elements.len());
    for element in elements {
        let corners = element.properties.iter().position(|p| {
            matches!(p.kind, Kind::List { .. })
                && matches!(
                    p.name.as_slice(),
                    b"vertex_indices" | b"vertex_index" | b"vertex_indexes" | b"indices"
                )
        });
        let is_vertex = matches!(element.name.as_slice(), b"vertex" | b"vertices" | b"point");
        let role = match (element.name.as_slice(), corners) {
            (b"tristrips" | b"tristrip", Some(at)) => Role::Strips(at),
            (_, Some(at)) => Role::Polygons(at),
            _ if is_vertex && !vertices_found => match layout(element) {
                Some(layout) => {
                    vertices_found = true;
                    Role::Vertices(layout)
                }
                None => {
                    return Err(Error::unsupported(
                        "its vertices have no properties x, y and z",
                        "export it with these names",
                    ));
                }
            },
            _ => Role::Other,
        };
        roles.push(role);
    }
    if vertices_found {
        Ok(roles)
    } else {
        Err(Error::unsupported(
            "its header has no element named vertex",
            "export it with vertices",
        ))
    }
}

/// The layout of the scalar properties; PLY has no packed colours.
fn layout(element: &Element) -> Option<Layout> {
    let names = element.properties.iter().map(|p| match p.kind {
        Kind::Scalar(_) => p.name.as_slice(),
        Kind::List { .. } => b"",
    });
    let layout = Layout::from_names(names)?;
    Some(Layout {
        color: layout
            .color
            .filter(|c| matches!(c, ColorLayout::Channels(_))),
        ..layout
    })
}

/// Gathers the corners of one face after the other.
#[derive(Default)]
struct FaceList {
    faces: Faces,
    indices: Vec<u32>,
}

impl FaceList {
    /// Adds the polygon or the strips with these corners.
    fn add(&mut self, role: Role, corners: &[f64], place: Place) -> Result<()> {
        if let Role::Strips(_) = role {
            for strip in corners.split(|&corner| corner == -1.0) {
                self.set_indices(strip, place)?;
                self.faces.strip(&self.indices, place);
            }
        } else {
            self.set_indices(corners, place)?;
            self.faces.polygon(&self.indices, place);
        }
        Ok(())
    }

    fn set_indices(&mut self, corners: &[f64], place: Place) -> Result<()> {
        self.indices.clear();
        for &corner in corners {
            self.indices.push(faces::index(corner, FORMAT, place)?);
        }
        Ok(())
    }
}

/// The rows of `element` as a number that `bytes` more bytes can hold if each takes `least`.
fn checked_count(element: &Element, bytes: usize, least: usize) -> Result<usize> {
    let fitting = bytes / least;
    let count = usize::try_from(element.count).ok();
    count.filter(|&count| count <= fitting).ok_or_else(|| {
        let name = quote(&element.name);
        Error::damaged(
            FORMAT,
            format!(
                "the header promises {} of element {name}, but the file can hold {fitting} at most",
                element.count
            ),
        )
    })
}

/// The error for a file that ends after `rows` rows of `element`.
fn truncated(element: &Element, rows: usize) -> Error {
    let name = quote(&element.name);
    Error::damaged(
        FORMAT,
        format!(
            "the header promises {} of element {name}, but the file ends after {rows}",
            element.count
        ),
    )
}

/// The length of a list.
fn list_length(value: f64, place: Place) -> Result<usize> {
    let length = value as usize;
    if length as f64 == value {
        Ok(length)
    } else {
        Err(Error::damaged(
            FORMAT,
            format!("{place} has a list of length {value}"),
        ))
    }
}

#[cfg(test)]
pub(super) mod tests;
