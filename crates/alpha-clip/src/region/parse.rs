//! Regions as people write them.

use std::path::Path;

use serde_json::Value;

use super::{Point, Region, Rle};
use crate::error::{Error, Result};

impl Region {
    /// A box from `x,y,width,height`.
    ///
    /// # Errors
    /// [`Error::Input`] if it is something else, or a side is not above 0.
    pub fn parse_box(text: &str) -> Result<Self> {
        let wrong = || wrong("box", text, "x,y,width,height in pixels");
        match numbers(text).ok_or_else(wrong)?.as_slice() {
            &[x, y, width, height] if width > 0. && height > 0. => Ok(Self::Box {
                x,
                y,
                width,
                height,
            }),
            _ => Err(wrong()),
        }
    }

    /// Points from texts `x,y` or `x,y,radius`; a text may hold several of them, separated by
    /// semicolons or blanks.
    ///
    /// # Errors
    /// [`Error::Input`] if it is something else, or a radius is not above 0.
    pub fn parse_points<S: AsRef<str>>(texts: &[S]) -> Result<Self> {
        let mut points = Vec::new();
        for text in texts.iter().map(AsRef::as_ref) {
            let point = |part| match *numbers(part)?.as_slice() {
                [x, y] => Some(Point { x, y, radius: None }),
                [x, y, radius] if radius > 0. => Some(Point {
                    x,
                    y,
                    radius: Some(radius),
                }),
                _ => None,
            };
            let read: Option<Vec<Point>> = parts(text).map(point).collect();
            match read {
                Some(read) if !read.is_empty() => points.extend(read),
                _ => return Err(wrong("point", text, "x,y or x,y,radius in pixels")),
            }
        }
        if points.is_empty() {
            return Err(Error::input("no points", "give at least one x,y"));
        }
        Ok(Self::Points(points))
    }

    /// A polygon from its corners `x,y,x,y,…`, with commas, semicolons or blanks between them; or
    /// polygons in COCO's form, `[[x, y, x, y, …], …]`.
    ///
    /// # Errors
    /// [`Error::Input`] if it is something else, or there are less than three corners.
    pub fn parse_polygon(text: &str) -> Result<Self> {
        let rings = if text.trim_start().starts_with('[') {
            serde_json::from_str(text).ok().and_then(|v| json_rings(&v))
        } else {
            let all: Option<Vec<_>> = parts(text)
                .map(|part| numbers(part.trim_matches(',')))
                .collect();
            all.and_then(|all| Some(vec![ring(&all.concat())?]))
        };
        match rings {
            Some(rings) if !rings.is_empty() && rings.iter().all(|r: &Vec<_>| r.len() > 2) => {
                Ok(Self::Polygon(rings))
            }
            _ => Err(wrong(
                "polygon",
                text,
                "the corners x,y,x,y,… in pixels, at least three, or [[x,y,x,y,…]]",
            )),
        }
    }

    /// A run-length encoded mask of COCO: the JSON of [`Rle::from_json`].
    ///
    /// # Errors
    /// [`Error::Input`] if it is something else.
    pub fn parse_rle(json: &str) -> Result<Self> {
        Rle::from_json(json).map(Self::Rle)
    }

    /// As [`parse_rle`](Self::parse_rle), from a JSON file.
    ///
    /// # Errors
    /// [`Error::Picture`], which names the file.
    pub fn read_rle(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let refuse = |what: String, remedy: &str| Error::Picture {
            file: path.display().to_string(),
            what,
            remedy: remedy.to_owned(),
        };
        let json = std::fs::read_to_string(path).map_err(|e| {
            refuse(
                format!("cannot be read ({e})"),
                "check the path and its permissions",
            )
        })?;
        Self::parse_rle(&json).map_err(|error| match error {
            Error::Input { what, remedy } => refuse(what, &remedy),
            other => other,
        })
    }
}

/// `[[x, y, …], …]`, or one such list alone.
fn json_rings(value: &Value) -> Option<Vec<Vec<[f64; 2]>>> {
    let lists = value.as_array()?;
    if lists.iter().all(Value::is_number) {
        return Some(vec![json_ring(lists)?]);
    }
    lists
        .iter()
        .map(|list| json_ring(list.as_array()?))
        .collect()
}

fn json_ring(numbers: &[Value]) -> Option<Vec<[f64; 2]>> {
    let numbers: Vec<f64> = numbers.iter().map(Value::as_f64).collect::<Option<_>>()?;
    ring(&numbers)
}

fn ring(numbers: &[f64]) -> Option<Vec<[f64; 2]>> {
    let (corners, rest) = numbers.as_chunks::<2>();
    rest.is_empty().then(|| corners.to_vec())
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c == ';' || c.is_whitespace())
        .filter(|part| !part.is_empty())
}

fn numbers(text: &str) -> Option<Vec<f64>> {
    text.split(',')
        .map(|number| number.trim().parse().ok().filter(|n: &f64| n.is_finite()))
        .collect()
}

fn wrong(kind: &str, text: &str, form: &str) -> Error {
    let shown: String = text.escape_debug().take(60).collect();
    let more = if text.chars().count() > 60 { "…" } else { "" };
    Error::input(
        format!("\"{shown}{more}\" is no {kind}"),
        format!("write {form}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn boxes_points_and_polygons_are_read() {
        let read = Region::parse_box(" 1, 2.5,30 ,4e1").unwrap();
        let expected = Region::Box {
            x: 1.,
            y: 2.5,
            width: 30.,
            height: 40.,
        };
        assert_eq!(read, expected);
        let point = |x, y, radius| Point { x, y, radius };
        assert_eq!(
            Region::parse_points(&["1,2; 3,4,5", "6,7"]).unwrap(),
            Region::Points(vec![
                point(1., 2., None),
                point(3., 4., Some(5.)),
                point(6., 7., None)
            ])
        );
        let triangle = vec![[0., 0.], [4., 0.], [0., 2.]];
        for text in [
            "0,0 4,0 0,2",
            "0,0;4,0;0,2;",
            "0,0,4,0,0,2",
            "0, 0, 4, 0, 0, 2",
            "[0, 0, 4, 0, 0, 2]",
            " [[0,0,4,0,0,2]]",
        ] {
            assert_eq!(
                Region::parse_polygon(text).unwrap(),
                Region::Polygon(vec![triangle.clone()])
            );
        }
        let rle = r#"{"size": [1, 2], "counts": [1, 1]}"#;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, rle).unwrap();
        assert_eq!(
            Region::parse_rle(rle).unwrap(),
            Region::read_rle(&file).unwrap()
        );
        std::fs::write(&file, "{}").unwrap();
        let said = Region::read_rle(&file).unwrap_err().to_string();
        assert!(
            said.starts_with(&file.path().display().to_string()),
            "{said}"
        );
        assert!(Region::parse_points::<&str>(&[]).is_err());
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "1,2,3",
            "1,2,3,0",
            "1,2,-3,4",
            "a,b,c,d",
            "1,2,3,inf",
            "1,2,3,4,5",
        ] {
            assert!(Region::parse_box(text).is_err(), "{text}");
        }
        for text in ["", "1", "1,2,0", "1,2,3,4", "1;2", "nan,1"] {
            assert!(Region::parse_points(&[text]).is_err(), "{text}");
        }
        for text in [
            "",
            "0,0 1,1",
            "[[0,0,1,1]]",
            "[[0,0,1,1,2]]",
            "[",
            "[]",
            "[[]]",
            "0,0,1,1,2",
        ] {
            assert!(Region::parse_polygon(text).is_err(), "{text}");
        }
        assert_eq!(
            Region::parse_box("1,2").unwrap_err().to_string(),
            "\"1,2\" is no box; write x,y,width,height in pixels"
        );
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "[-0-9a-e., ;\\[\\]]{0,60}") {
            for region in [Region::parse_box(&text), Region::parse_points(&[&text]),
                Region::parse_polygon(&text), Region::parse_rle(&text)].into_iter().flatten() {
                if let Ok(plane) = region.plane(7, 5) {
                    prop_assert!(plane.values().iter().all(|v| (0. ..=1.).contains(v)));
                }
            }
        }
    }
}
