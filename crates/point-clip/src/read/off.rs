//! OFF, the object file format of Geomview: `[ST][C][N][4]OFF`, a line for each vertex and face.

use super::faces::{self, Faces};
use super::points::Points;
use super::text::{Line, Lines, before_comment, expect_number, next_word, number, words};
use super::{Reader, Source};
use crate::Shape;
use crate::error::{Error, Place, Result, quote};

const FORMAT: &str = "OFF";

pub(super) const READER: Reader = Reader {
    recognises: |source| {
        let Some(first) = lines(source.bytes).next() else {
            return false;
        };
        // The keyword may be missing; three counts alone look like a point.
        Keyword::parse(first.text).is_some()
            || source.extension == "off" && words(first.text).next().and_then(number).is_some()
    },
    read,
};

/// The lines that hold something, without comments.
fn lines(bytes: &[u8]) -> impl Iterator<Item = Line<'_>> {
    Lines::new(bytes)
        .map(|line| Line {
            text: before_comment(line.text).trim_ascii(),
            ..line
        })
        .filter(|line| !line.text.is_empty())
}

/// What the first word says about vertices.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Keyword<'a> {
    texture: bool,
    normals: bool,
    homogeneous: bool,
    any_dimension: bool,
    binary: bool,
    /// What stands after it: ModelNet has files whose counts are glued to it.
    rest: &'a [u8],
}

impl<'a> Keyword<'a> {
    fn parse(text: &'a [u8]) -> Option<Self> {
        let mut rest = text;
        let mut take = |prefix: &[u8]| match rest.strip_prefix(prefix) {
            Some(after) => {
                rest = after;
                true
            }
            None => false,
        };
        let texture = take(b"ST");
        take(b"C");
        let normals = take(b"N");
        let homogeneous = take(b"4");
        let any_dimension = take(b"n");
        if !take(b"OFF") {
            return None;
        }
        let ends = rest
            .first()
            .is_none_or(|b| b.is_ascii_whitespace() || b.is_ascii_digit());
        ends.then_some(Keyword {
            texture,
            normals,
            homogeneous,
            any_dimension,
            binary: rest.trim_ascii_start().starts_with(b"BINARY"),
            rest: rest.trim_ascii_start(),
        })
    }
}

fn read(source: &Source) -> Result<Shape> {
    let short = |what: &str| Error::damaged(FORMAT, format!("it ends before its last {what}"));
    let mut lines = lines(source.bytes);
    let first = lines.next().ok_or_else(|| short("count"))?;
    let keyword = Keyword::parse(first.text).unwrap_or(Keyword {
        rest: first.text,
        ..Keyword::default()
    });
    if keyword.binary || keyword.any_dimension {
        return Err(Error::unsupported(
            "this is a binary or n-dimensional OFF file",
            "save it as ascii OFF or as PLY",
        ));
    }
    let counts = if keyword.rest.is_empty() {
        lines.next().ok_or_else(|| short("count"))?
    } else {
        Line {
            text: keyword.rest,
            ..first
        }
    };
    let mut counted = words(counts.text);
    let mut count = |least_bytes: usize| {
        let word = counted.next().unwrap_or_default();
        let count = std::str::from_utf8(word)
            .ok()
            .and_then(|word| word.parse::<usize>().ok());
        match count {
            None => Err(Error::damaged(
                FORMAT,
                format!(
                    "line {} has {} where a count belongs",
                    counts.number,
                    quote(word)
                ),
            )),
            Some(count) if count > source.bytes.len() / least_bytes => Err(Error::damaged(
                FORMAT,
                format!(
                    "line {} promises {count} rows, more than the file can hold",
                    counts.number
                ),
            )),
            Some(count) => Ok(count),
        }
    };
    // The shortest vertex is `0 0 0`, the shortest face `0`, each with the end of its line.
    let (vertices, faces) = (count(6)?, count(2)?);

    let mut points = Points::with_capacity(vertices);
    for _ in 0..vertices {
        let line = lines.next().ok_or_else(|| short("vertex"))?;
        vertex(line, &keyword, &mut points)?;
    }
    let mut polygons = Faces::default();
    let mut corners = Vec::new();
    for _ in 0..faces {
        let line = lines.next().ok_or_else(|| short("face"))?;
        let place = Place::Line(line.number);
        let mut text = line.text;
        let length = expect_number(FORMAT, place, next_word(&mut text))?;
        corners.clear();
        if length < 0.0 || length.fract() != 0.0 {
            return Err(Error::damaged(
                FORMAT,
                format!("{place} has a face of {length} corners"),
            ));
        }
        for _ in 0..length as usize {
            let corner = expect_number(FORMAT, place, next_word(&mut text))?;
            corners.push(faces::index(corner, FORMAT, place)?);
        }
        polygons.polygon(&corners, place);
    }
    polygons.over(points.finish(false), FORMAT)
}

/// Adds the vertex `x y z [w] [nx ny nz] [r g b [a]] [s t]`.
fn vertex(line: Line, keyword: &Keyword, points: &mut Points) -> Result<()> {
    let place = Place::Line(line.number);
    let mut text = line.text;
    let mut next = || expect_number(FORMAT, place, next_word(&mut text));
    let mut position = [next()?, next()?, next()?];
    if keyword.homogeneous {
        let w = next()?;
        position = position.map(|v| v / w);
    }
    points.push(position, place)?;
    if keyword.normals {
        points.push_normal([next()?, next()?, next()?]);
    }
    // Colours are there or not, whatever the keyword says; two numbers are a texture coordinate.
    let extra = if keyword.texture { 5 } else { 3 };
    if words(text).count() >= extra {
        let mut next = || expect_number(FORMAT, place, next_word(&mut text));
        points.push_color([next()?, next()?, next()?]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::read_bytes;

    fn mesh(text: &str) -> crate::TriangleMesh {
        match read_bytes(text.as_bytes(), None) {
            Ok(Shape::Mesh(mesh)) => mesh,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn counts_stand_in_several_places() {
        let body = "0 0 0\n1 0 0 # a comment\n\n1 1 0\n0 1 0\n4 0 1 2 3 255 0 0\n";
        for head in [
            "OFF\n4 1 0\n",
            "OFF 4 1 0\n",
            "OFF4 1\n",
            "# hello\nOFF\n# again\n4 1 4\n",
        ] {
            let mesh = mesh(&format!("{head}{body}"));
            assert_eq!(mesh.positions.len(), 4, "{head}");
            assert_eq!(mesh.triangles, [[0, 1, 2], [0, 2, 3]], "{head}");
            assert_eq!(mesh.colors, None);
        }
        let bare = read_bytes(format!("4 1 0\n{body}").as_bytes(), Some("OFF")).unwrap();
        assert_eq!(bare, Shape::Mesh(mesh(&format!("OFF 4 1 0\n{body}"))));
    }

    #[test]
    fn colours_normals_and_homogeneous_coordinates() {
        let text = "CN4OFF\n3 1 0\n0 0 0 2 0 0 1 255 0 0 255\n2 0 0 2 0 0 1 0 255 0 255\n\
                    0 2 0 2 0 0 1 0 0 255 255\n3 0 1 2\n";
        let mesh = mesh(text);
        assert_eq!(mesh.positions[1], [1.0, 0.0, 0.0]);
        assert_eq!(
            mesh.colors.unwrap(),
            [[255, 0, 0], [0, 255, 0], [0, 0, 255]]
        );
    }

    #[test]
    fn a_cloud_has_no_faces() {
        let shape = read_bytes(b"NOFF\n2 0 0\n0 0 0 0 0 2\n1 1 1 0 2 0\n", None).unwrap();
        let Shape::Cloud(cloud) = shape else {
            panic!("not a cloud");
        };
        assert_eq!(cloud.normals.unwrap(), [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]);
    }

    #[test]
    fn damage_is_named() {
        for (text, expected) in [
            (
                "OFF\n4000000000 1 0\n0 0 0\n",
                "line 2 promises 4000000000 rows",
            ),
            ("OFF\n-1 1 0\n", "line 2 has `-1` where a count belongs"),
            (
                "OFF\n2 0 0\n0 0 0\n0 0\n",
                "line 4 ends before its last number",
            ),
            (
                "OFF\n1 0 0\n0 nan 0\n",
                "line 3 has a coordinate that is NaN",
            ),
            (
                "OFF\n1 0 0\n0 x 0\n",
                "line 3 has `x` where a number belongs",
            ),
            (
                "OFF\n1 1 0\n0 0 0\n3 0 0 9\n",
                "line 4 refers to vertex 9 (from 0)",
            ),
            ("OFF\n1 2 0\n0 0 0\n3 0 0 0\n", "ends before its last face"),
            (
                "OFF\n1 1 0\n0 0 0\n-3 0 0 0\n",
                "line 4 has a face of -3 corners",
            ),
            (
                "OFF\n1 1 0\n0 0 0\nnan 0 0 0\n",
                "line 4 has a face of NaN corners",
            ),
            ("OFF BINARY\n\0\0\0\x01", "binary or n-dimensional"),
        ] {
            let error = read_bytes(text.as_bytes(), None).unwrap_err().to_string();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
    }
}
