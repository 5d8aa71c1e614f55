//! OBJ, Wavefront's text format: vertices, their colours, and polygons.

use super::faces::Faces;
use super::points::Points;
use super::text::{Line, Lines, before_comment, expect_number, next_word, words};
use super::{Reader, Source};
use crate::Shape;
use crate::error::{Error, Place, Result, quote};
use std::borrow::Cow;

const FORMAT: &str = "OBJ";

pub(super) const READER: Reader = Reader {
    recognises: |source| {
        let mut statements = Lines::new(source.bytes).map(|l| before_comment(l.text).trim_ascii());
        let first = statements.find(|text| !text.is_empty()).unwrap_or_default();
        matches!(
            words(first).next(),
            Some(
                b"v" | b"vn"
                    | b"vt"
                    | b"vp"
                    | b"f"
                    | b"o"
                    | b"g"
                    | b"s"
                    | b"l"
                    | b"p"
                    | b"mtllib"
                    | b"usemtl"
            )
        )
    },
    read,
};

fn read(source: &Source) -> Result<Shape> {
    let mut lines = Lines::new(source.bytes);
    let mut points = Points::default();
    let mut normals = Vec::new();
    let mut faces = Faces::default();
    let mut corners = Vec::new();
    while let Some(line) = lines.next() {
        let statement = statement(line, &mut lines);
        let mut text = before_comment(&statement);
        let place = Place::Line(line.number);
        match next_word(&mut text) {
            Some(b"v") => vertex(text, place, &mut points)?,
            Some(b"vn") => normals.push(vector(&mut text, place)?),
            Some(b"f" | b"fo") => {
                corners.clear();
                for corner in words(text) {
                    corners.push(vertex_of(corner, points.len(), place)?);
                }
                faces.polygon(&corners, place);
            }
            _ => {}
        }
    }
    // A cloud's normals stand beside its points; those of a mesh belong to corners of faces.
    if normals.len() == points.len() {
        normals
            .into_iter()
            .for_each(|normal| points.push_normal(normal));
    }
    faces.over(points.finish(false), FORMAT)
}

/// A line together with those that a backslash at its end joins to it.
fn statement<'a>(line: Line<'a>, lines: &mut Lines<'a>) -> Cow<'a, [u8]> {
    let Some(mut text) = line.text.strip_suffix(b"\\") else {
        return line.text.into();
    };
    let mut joined = Vec::new();
    loop {
        joined.extend_from_slice(text);
        joined.push(b' ');
        let next = lines.next().map_or(&b""[..], |line| line.text);
        match next.strip_suffix(b"\\") {
            Some(more) => text = more,
            None => {
                joined.extend_from_slice(next);
                return joined.into();
            }
        }
    }
}

fn vector(text: &mut &[u8], place: Place) -> Result<[f64; 3]> {
    let mut next = || expect_number(FORMAT, place, next_word(text));
    Ok([next()?, next()?, next()?])
}

/// Adds the vertex `x y z [w | r g b]`.
fn vertex(mut text: &[u8], place: Place, points: &mut Points) -> Result<()> {
    points.push(vector(&mut text, place)?, place)?;
    if words(text).count() >= 3 {
        points.push_color(vector(&mut text, place)?);
    }
    Ok(())
}

/// The vertex of a corner `vertex[/texture][/normal]`: from 1, or from -1 backwards. Vertices may
/// follow their faces.
fn vertex_of(corner: &[u8], vertices: usize, place: Place) -> Result<u32> {
    let number = corner.split(|&b| b == b'/').next().unwrap_or_default();
    let number = std::str::from_utf8(number)
        .ok()
        .and_then(|n| n.parse::<i64>().ok());
    let index = match number {
        Some(0) | None => None,
        Some(number) if number > 0 => Some(number - 1),
        Some(back) => i64::try_from(vertices)
            .ok()
            .and_then(|v| v.checked_add(back)),
    };
    index
        .and_then(|index| u32::try_from(index).ok())
        .ok_or_else(|| {
            Error::damaged(
                FORMAT,
                format!("{place} has {} where a vertex belongs", quote(corner)),
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::read_bytes;

    #[test]
    fn every_way_to_write_a_face() {
        let text = "# made by hand\nmtllib a.mtl\no thing\nv 0 0 0\nv 1 0 0 1.0\nvt 0 0\nvn 0 0 1\n\
                    v 1 1 0 # here\nv 0 1 0\nusemtl m\ns off\nf 1/1/1 2/1/1 3/1/1 4/1/1\n\
                    f -4//1 -3//1 \\\n  -2//1\nf 1 2 5\nl 1 2\nv 2 2 2\n";
        let Shape::Mesh(mesh) = read_bytes(text.as_bytes(), None).unwrap() else {
            panic!("not a mesh");
        };
        assert_eq!(mesh.positions.len(), 5);
        assert_eq!(mesh.triangles, [[0, 1, 2], [0, 2, 3], [0, 1, 2], [0, 1, 4]]);
        assert_eq!(mesh.colors, None);
    }

    #[test]
    fn a_cloud_keeps_colours_and_normals() {
        let text = "vn 0 0 2\nv 0 0 0 1 0 0\nvn 0 1 0\nv 1 0 0 0 0.5 1\n";
        let Shape::Cloud(cloud) = read_bytes(text.as_bytes(), None).unwrap() else {
            panic!("not a cloud");
        };
        assert_eq!(cloud.colors.unwrap(), [[255, 0, 0], [0, 128, 255]]);
        assert_eq!(cloud.normals.unwrap(), [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]);
    }

    #[test]
    fn damage_is_named() {
        for (text, expected) in [
            ("v 0 0\n", "line 1 ends before its last number"),
            (
                "v 0 0 0\nf 1 1 2\n",
                "line 2 refers to vertex 1 (from 0), but there are 1",
            ),
            (
                "v 0 0 0\nf 1 1 0\n",
                "line 2 has `0` where a vertex belongs",
            ),
            (
                "v 0 0 0\nf 1 1 -2\n",
                "line 2 has `-2` where a vertex belongs",
            ),
            ("v 0 0 0\nf 1 1 99999999999\n", "where a vertex belongs"),
            (
                "v 0 inf 0\n",
                "line 1 has a coordinate that is NaN, infinite",
            ),
            ("o nothing\n", "it holds no points"),
        ] {
            let error = read_bytes(text.as_bytes(), None).unwrap_err().to_string();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
    }
}
