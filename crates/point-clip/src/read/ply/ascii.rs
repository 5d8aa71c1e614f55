//! Ascii rows: a line each, though long rows may go on in the next line.

use super::header::{Element, Kind};
use super::{FORMAT, FaceList, Role, checked_count, list_length, truncated};
use crate::PointCloud;
use crate::error::{Error, Place, Result, quote};
use crate::read::fields::ColorLayout;
use crate::read::points::Points;
use crate::read::text::{Lines, expect_number, next_word};

/// Reads the elements of `plan` from the lines after the header.
pub(super) fn read(lines: Lines, plan: &[(&Element, Role)]) -> Result<(PointCloud, FaceList)> {
    let mut rows = Rows {
        lines,
        line: b"",
        number: 0,
        values: Vec::new(),
        list: Vec::new(),
    };
    let mut vertices = PointCloud::default();
    let mut faces = FaceList::default();
    for &(element, role) in plan {
        // A value takes a digit and a separator, of which the file's last may be missing.
        let least = 2 * element.properties.len();
        if least == 0 {
            continue;
        }
        let count = checked_count(element, rows.lines.rest().len() + 1, least)?;
        match role {
            Role::Vertices(layout) => {
                let whole_colors = match layout.color {
                    Some(ColorLayout::Channels([red, ..])) => {
                        element.properties.get(red).is_some_and(
                            |p| !matches!(p.kind, Kind::Scalar(scalar) if scalar.is_float()),
                        )
                    }
                    _ => false,
                };
                let mut points = Points::with_capacity(count);
                for row in 0..count {
                    let place = rows.next(element, row, None)?;
                    points.push(rows.pick(layout.position), place)?;
                    if let Some(normal) = layout.normal {
                        points.push_normal(rows.pick(normal));
                    }
                    if let Some(ColorLayout::Channels(color)) = layout.color {
                        points.push_color(rows.pick(color));
                    }
                }
                vertices = points.finish(whole_colors);
            }
            Role::Polygons(list) | Role::Strips(list) => {
                for row in 0..count {
                    let place = rows.next(element, row, Some(list))?;
                    faces.add(role, &rows.list, place)?;
                }
            }
            Role::Other => {
                for row in 0..count {
                    rows.next(element, row, None)?;
                }
            }
        }
    }
    Ok((vertices, faces))
}

/// A walk over rows.
struct Rows<'a> {
    lines: Lines<'a>,
    /// What is left of the current line, and its number.
    line: &'a [u8],
    number: usize,
    /// The values of the current row, one for each property, 0 for a list.
    values: Vec<f64>,
    /// The list that was asked for.
    list: Vec<f64>,
}

impl<'a> Rows<'a> {
    /// Reads row `row` and, of its lists, the one that property `list` is. Returns the place at
    /// which the row ends.
    fn next(&mut self, element: &Element, row: usize, list: Option<usize>) -> Result<Place> {
        self.values.clear();
        self.list.clear();
        for (at, property) in element.properties.iter().enumerate() {
            let value = self.number(element, row)?;
            match property.kind {
                Kind::Scalar(_) => self.values.push(value),
                Kind::List { .. } => {
                    self.values.push(0.0);
                    for _ in 0..list_length(value, Place::Line(self.number))? {
                        let item = self.number(element, row)?;
                        if Some(at) == list {
                            self.list.push(item);
                        }
                    }
                }
            }
        }
        let place = Place::Line(self.number);
        match next_word(&mut self.line) {
            None => Ok(place),
            Some(word) => Err(Error::damaged(
                FORMAT,
                format!(
                    "{place} goes on with {} after its last property",
                    quote(word)
                ),
            )),
        }
    }

    fn number(&mut self, element: &Element, row: usize) -> Result<f64> {
        loop {
            if let Some(word) = next_word(&mut self.line) {
                return expect_number(FORMAT, Place::Line(self.number), Some(word));
            }
            let line = self.lines.next().ok_or_else(|| truncated(element, row))?;
            (self.line, self.number) = (line.text, line.number);
        }
    }

    fn pick(&self, properties: [usize; 3]) -> [f64; 3] {
        properties.map(|at| self.values.get(at).copied().unwrap_or(f64::NAN))
    }
}
