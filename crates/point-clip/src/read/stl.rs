//! STL, the stereolithography format of 3D Systems: triangles, as text or binary.
//!
//! Binary files have a header of 80 free bytes, and many programs write "solid" there, the word
//! that text begins with. So a file whose size fits the binary count is binary, whatever it begins
//! with.

use super::faces::Faces;
use super::points::Points;
use super::text::{Lines, expect_number, next_word};
use super::{Reader, foreign};
use crate::Shape;
use crate::error::{Error, Place, Result};

const FORMAT: &str = "STL";

/// Bytes before the first triangle of a binary file; the last four are the count.
const HEADER: usize = 84;
/// Bytes of a triangle: a normal, three corners, and 16 bits for the program that wrote it.
const TRIANGLE: usize = 50;

pub(super) const READER: Reader = Reader {
    recognises: |source| {
        let bytes = source.bytes;
        let fits = triangle_count(bytes)
            .is_some_and(|count| count > 0 && size(count) == bytes.len() as u64);
        fits || is_text(bytes) || source.extension == "stl" && !foreign::is_known(bytes)
    },
    read: |source| {
        let bytes = source.bytes;
        let fits = triangle_count(bytes).is_some_and(|count| size(count) == bytes.len() as u64);
        if !fits && begins_with_solid(bytes) && (is_text(bytes) || !bytes.contains(&0)) {
            read_text(bytes)
        } else {
            read_binary(bytes)
        }
    },
};

/// The count of a binary file.
fn triangle_count(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(HEADER - 4..)?.first_chunk()?))
}

/// Size of a binary file of `count` triangles.
fn size(count: u32) -> u64 {
    HEADER as u64 + TRIANGLE as u64 * u64::from(count)
}

fn begins_with_solid(bytes: &[u8]) -> bool {
    let start = bytes.trim_ascii_start();
    start
        .get(..5)
        .is_some_and(|word| word.eq_ignore_ascii_case(b"solid"))
}

fn is_text(bytes: &[u8]) -> bool {
    let head = bytes.get(..4096).unwrap_or(bytes);
    begins_with_solid(bytes)
        && (head.windows(5).any(|w| w.eq_ignore_ascii_case(b"facet"))
            || head.windows(8).any(|w| w.eq_ignore_ascii_case(b"endsolid")))
}

fn read_binary(bytes: &[u8]) -> Result<Shape> {
    let Some((count, body)) = triangle_count(bytes).zip(bytes.get(HEADER..)) else {
        return Err(Error::damaged(
            FORMAT,
            format!(
                "it has {} bytes, fewer than its header of {HEADER}",
                bytes.len()
            ),
        ));
    };
    let there = body.len() / TRIANGLE;
    let Some(count) = usize::try_from(count).ok().filter(|&count| count <= there) else {
        return Err(Error::damaged(
            FORMAT,
            format!("its header promises {count} triangles, but there are bytes for {there}"),
        ));
    };
    let mut points = Points::with_capacity(3 * count);
    let mut faces = Faces::default();
    faces.reserve(count);
    for (row, triangle) in body.chunks_exact(TRIANGLE).take(count).enumerate() {
        let place = Place::Face(row);
        let corners = triangle.get(12..48).unwrap_or_default();
        let mut numbers = corners
            .as_chunks()
            .0
            .iter()
            .map(|&number| f64::from(f32::from_le_bytes(number)));
        let first = points.len() as u32;
        for _ in 0..3 {
            let mut next = || numbers.next().unwrap_or(f64::NAN);
            points.push([next(), next(), next()], place)?;
        }
        faces.triangle([first, first + 1, first + 2], place);
    }
    faces.over(points.finish(true), FORMAT)
}

fn read_text(bytes: &[u8]) -> Result<Shape> {
    let mut points = Points::default();
    let mut faces = Faces::default();
    let mut corners = Vec::new();
    let mut ended = false;
    let mut last = 0;
    for line in Lines::new(bytes) {
        let place = Place::Line(line.number);
        last = line.number;
        let mut text = line.text;
        let Some(word) = next_word(&mut text) else {
            continue;
        };
        match word.to_ascii_lowercase().as_slice() {
            b"vertex" => {
                let mut next = || expect_number(FORMAT, place, next_word(&mut text));
                let position = [next()?, next()?, next()?];
                corners.push(u32::try_from(points.len()).unwrap_or(u32::MAX));
                points.push(position, place)?;
            }
            b"endloop" => {
                if corners.len() < 3 {
                    return Err(Error::damaged(
                        FORMAT,
                        format!("{place} ends a loop of {} corners", corners.len()),
                    ));
                }
                faces.polygon(&corners, place);
                corners.clear();
            }
            b"solid" => ended = false,
            b"endsolid" => ended = true,
            _ => {}
        }
    }
    if !ended || !corners.is_empty() {
        return Err(Error::damaged(
            FORMAT,
            format!("it ends at line {last} without endsolid"),
        ));
    }
    faces.over(points.finish(true), FORMAT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::read_bytes;

    const TEXT: &str = "solid thing\n facet normal 0 0 1\n  outer loop\n   vertex 0 0 0\n   \
                        vertex 1 0 0\n   vertex 0 1e0 0\n  endloop\n endfacet\nendsolid thing\n";

    fn binary(header: &[u8], triangles: u32) -> Vec<u8> {
        let mut bytes = header.to_vec();
        bytes.resize(80, b' ');
        bytes.extend(triangles.to_le_bytes());
        for _ in 0..triangles {
            for v in [
                0.0_f32, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0,
            ] {
                bytes.extend(v.to_le_bytes());
            }
            bytes.extend([0, 0]);
        }
        bytes
    }

    fn mesh(bytes: &[u8], extension: Option<&str>) -> crate::TriangleMesh {
        match read_bytes(bytes, extension) {
            Ok(Shape::Mesh(mesh)) => mesh,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn text_and_binary_are_the_same() {
        let text = mesh(TEXT.as_bytes(), None);
        assert_eq!(text.triangles, [[0, 1, 2]]);
        assert_eq!(text.positions, [[0.0; 3], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]);
        assert_eq!(
            mesh(TEXT.to_uppercase().replace("1E0", "1").as_bytes(), None),
            text
        );
        assert_eq!(mesh(&binary(b"made by hand", 1), None), text);
    }

    #[test]
    fn a_binary_file_may_begin_with_solid() {
        let bytes = binary(b"solid facet endsolid", 2);
        assert_eq!(mesh(&bytes, None).triangles, [[0, 1, 2], [3, 4, 5]]);
    }

    #[test]
    fn bytes_after_the_last_triangle_do_not_matter() {
        let mut bytes = binary(b"", 2);
        bytes.extend([1, 2, 3]);
        assert_eq!(mesh(&bytes, Some("stl")).triangles.len(), 2);
    }

    #[test]
    fn damage_is_named() {
        let whole = binary(b"", 2);
        let said = |bytes: &[u8]| read_bytes(bytes, Some("stl")).unwrap_err().to_string();
        assert!(said(&whole[..150]).contains("promises 2 triangles, but there are bytes for 1"));
        assert!(said(&whole[..50]).contains("it has 50 bytes, fewer than its header of 84"));
        let mut many = whole.clone();
        many[80..84].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(said(&many).contains("promises 4294967295 triangles"));
        let mut nan = whole.clone();
        nan[84 + 50 + 12..][..4].copy_from_slice(&f32::NAN.to_le_bytes());
        assert!(said(&nan).contains("face 1 has a coordinate that is NaN"));
        assert!(said(&TEXT.as_bytes()[..100]).contains("without endsolid"));
        assert!(said(TEXT.replace("vertex 1 0 0", "").as_bytes()).contains("a loop of 2 corners"));
        assert!(said(b"solid x\nendsolid x\n").contains("it holds no points"));
        assert!(said(b"\x89PNG\r\n\x1a\n").contains("this is a PNG picture"));
        assert!(said(b"<!DOCTYPE html><html>").contains("this is a web page"));
        assert!(said(b"").contains("the file is empty"));
    }
}
