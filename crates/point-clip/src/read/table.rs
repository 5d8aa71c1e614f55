//! Text tables of points: XYZ, TXT, CSV, PTS, ASC.

use super::Reader;
use super::fields::{ColorLayout, Layout};
use super::guess;
use super::points::Points;
use super::text::{Line, Lines, next_word, number};
use crate::error::{Error, Place, Result, quote};
use crate::{PointCloud, Shape};

const FORMAT: &str = "text table";

/// Rows from which the columns' meaning is guessed.
const SAMPLE: usize = 1000;

pub(super) const READER: Reader = Reader {
    recognises: |source| Table::open(source.bytes).is_some(),
    read: |source| {
        let table = Table::open(source.bytes)
            .ok_or_else(|| Error::damaged(FORMAT, "it has no row of three numbers"))?;
        Ok(Shape::Cloud(table.read()?))
    },
};

/// What separates values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Separator {
    Blanks,
    Comma,
    /// As in CSV of countries that write 1,5 for 1.5.
    Semicolon,
}

/// A table whose first rows were understood.
struct Table<'a> {
    separator: Separator,
    /// The meaning of columns, where a line of names tells it.
    named: Option<Layout>,
    /// From the first row of numbers on.
    lines: Lines<'a>,
}

impl<'a> Table<'a> {
    /// Looks for the first row of numbers, and for names before it. `None` if this is no table.
    fn open(bytes: &'a [u8]) -> Option<Self> {
        let mut lines = Lines::new(bytes);
        let mut named = None;
        let mut counted = false;
        loop {
            let at_line = lines.clone();
            let line = lines.next()?;
            let (text, comment) = match uncommented(line.text) {
                Some(text) => (text, true),
                None => (line.text.trim_ascii(), false),
            };
            let separator = Separator::of(text);
            let fields = || Fields {
                rest: text,
                separator,
                ended: false,
            };
            let numbers = fields()
                .take(3)
                .filter(|field| separator.number(field).is_some())
                .count();
            if comment || numbers == 0 {
                let names = Layout::from_names(fields());
                if !comment && !text.is_empty() && names.is_none() {
                    return None;
                }
                named = names.or(named);
            } else if numbers == 3 || named.is_some() {
                return Some(Table {
                    separator,
                    named,
                    lines: at_line,
                });
            } else if !counted && fields().count() == 1 {
                counted = true;
            } else {
                return None;
            }
        }
    }

    fn read(self) -> Result<PointCloud> {
        let layout = match self.named {
            Some(layout) => layout,
            None => self.guess()?,
        };
        let color = match layout.color {
            Some(ColorLayout::Channels(columns)) => Some(columns),
            _ => None,
        };
        let mut points = Points::default();
        let mut fields = Vec::new();
        for line in self.rows() {
            fields.clear();
            fields.extend(self.fields(line));
            let pick = |columns: [usize; 3]| self.pick(&fields, columns, line);
            points.push(pick(layout.position)?, Place::Line(line.number))?;
            if let Some(normal) = layout.normal {
                points.push_normal(pick(normal)?);
            }
            if let Some(color) = color {
                points.push_color(pick(color)?);
            }
        }
        Ok(points.finish(false))
    }

    fn rows(&self) -> impl Iterator<Item = Line<'a>> {
        let lines = self.lines.clone();
        lines.filter(|line| !line.text.trim_ascii().is_empty() && uncommented(line.text).is_none())
    }

    fn fields(&self, line: Line<'a>) -> Fields<'a> {
        Fields {
            rest: line.text.trim_ascii(),
            separator: self.separator,
            ended: false,
        }
    }

    fn pick(&self, fields: &[&[u8]], columns: [usize; 3], line: Line) -> Result<[f64; 3]> {
        let mut values = [0.0; 3];
        for (value, column) in values.iter_mut().zip(columns) {
            let Some(field) = fields.get(column) else {
                return Err(Error::damaged(
                    FORMAT,
                    format!(
                        "line {} has {} columns where column {} is needed",
                        line.number,
                        fields.len(),
                        column + 1
                    ),
                ));
            };
            *value = self.separator.number(field).ok_or_else(|| {
                let found = quote(field);
                Error::damaged(
                    FORMAT,
                    format!("line {} has {found} where a number belongs", line.number),
                )
            })?;
        }
        Ok(values)
    }

    fn guess(&self) -> Result<Layout> {
        let sample: Vec<Vec<f64>> = self
            .rows()
            .take(SAMPLE)
            .map(|line| {
                let numbers = self.fields(line).map(|f| self.separator.number(f));
                numbers.map(|n| n.unwrap_or(f64::NAN)).collect()
            })
            .collect();
        let width = sample.iter().map(Vec::len).min().unwrap_or(0);
        guess::layout(&sample, width).ok_or_else(|| {
            Error::unsupported(
                format!("a row of its table has {width} columns"),
                "give at least x, y and z in each row",
            )
        })
    }
}

/// What follows the mark of a comment, if `text` is one.
fn uncommented(text: &[u8]) -> Option<&[u8]> {
    let text = text.trim_ascii();
    let marked = text.starts_with(b"//") || matches!(text.first(), Some(b'#' | b'%' | b';'));
    marked.then(|| {
        let end = text
            .iter()
            .position(|b| !matches!(b, b'#' | b'%' | b';' | b'/'));
        text.get(end.unwrap_or(text.len())..)
            .unwrap_or_default()
            .trim_ascii()
    })
}

impl Separator {
    fn of(text: &[u8]) -> Self {
        if text.contains(&b';') {
            Separator::Semicolon
        } else if text.contains(&b',') {
            Separator::Comma
        } else {
            Separator::Blanks
        }
    }

    fn number(self, field: &[u8]) -> Option<f64> {
        number(field).or_else(|| {
            let comma = field.iter().position(|&b| b == b',')?;
            let (whole, rest) = field.split_at_checked(comma)?;
            let digits = rest.get(1..)?;
            (self == Separator::Semicolon).then(|| number(&[whole, b".", digits].concat()))?
        })
    }
}

/// The fields of a row.
struct Fields<'a> {
    rest: &'a [u8],
    separator: Separator,
    ended: bool,
}

impl<'a> Iterator for Fields<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let separator = match self.separator {
            Separator::Blanks => return next_word(&mut self.rest),
            Separator::Comma => b',',
            Separator::Semicolon => b';',
        };
        if self.ended {
            return None;
        }
        let end = memchr::memchr(separator, self.rest);
        let (field, rest) = match end.and_then(|at| self.rest.split_at_checked(at)) {
            Some((field, rest)) => (field, rest.get(1..).unwrap_or_default()),
            None => {
                self.ended = true;
                (self.rest, &[][..])
            }
        };
        self.rest = rest;
        let field = field.trim_ascii();
        let quoted = field
            .strip_prefix(b"\"")
            .and_then(|f| f.strip_suffix(b"\""));
        Some(quoted.unwrap_or(field))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::read_bytes;

    fn cloud(text: &str) -> PointCloud {
        match read_bytes(text.as_bytes(), None) {
            Ok(Shape::Cloud(cloud)) => cloud,
            other => panic!("{text:?}: {other:?}"),
        }
    }

    #[test]
    fn separators_and_line_ends() {
        let expected = [[1.0, 2.5, -3.0], [4.0, 5.0, 6.0]];
        for text in [
            "1 2.5 -3\n4 5 6",
            "  1\t2.5  -3 \r\n4 5 6\r\n",
            "1,2.5,-3\n4,5,6\n",
            "1, 2.5, -3,\n4, 5, 6,\n",
            "1;2.5;-3\n4;5;6\n",
            "1;2,5;-3\n4;5;6,0\n",
            "\u{feff}# a comment\n\n1 2.5 -3\n// another\n4 5 6\n",
            "2\n1 2.5 -3\n4 5 6\n",
            "\"1\",\"2.5\",\"-3\"\n4,5,6\n",
        ] {
            assert_eq!(cloud(text).positions, expected, "{text:?}");
        }
    }

    #[test]
    fn names_decide() {
        let expected = cloud("0 1 2 10 20 30\n3 4 5 40 50 60\n");
        assert_eq!(
            expected.colors.as_deref(),
            Some(&[[10, 20, 30], [40, 50, 60]][..])
        );
        for text in [
            "x y z red green blue\n0 1 2 10 20 30\n3 4 5 40 50 60\n",
            "//X Y Z R G B\n0 1 2 10 20 30\n3 4 5 40 50 60\n",
            "# x, y, z, r, g, b\n0,1,2,10,20,30\n3,4,5,40,50,60\n",
            "id,label,Z,Y,X,b,g,r\n1,chair,2,1,0,30,20,10\n2,,5,4,3,60,50,40\n",
            "\"Points:0\",\"Points:1\",\"Points:2\",\"R\",\"G\",\"B\"\n0,1,2,10,20,30\n3,4,5,40,50,60\n",
        ] {
            assert_eq!(cloud(text), expected, "{text:?}");
        }
    }

    #[test]
    fn normals_and_labels() {
        let cloud = cloud("0 0 0 0.6 0 0.8 chair\n1 0 0 0 1 0 chair\n");
        assert_eq!(cloud.normals.unwrap(), [[0.6, 0.0, 0.8], [0.0, 1.0, 0.0]]);
        assert_eq!(cloud.colors, None);
    }

    #[test]
    fn damage_is_named() {
        for (text, expected) in [
            ("0 0 0\n1 2\n", "a row of its table has 2 columns"),
            (
                "x y z\n0 0 0\n1 2\n",
                "line 3 has 2 columns where column 3 is needed",
            ),
            ("0 0 0\n1 b 3\n", "line 2 has `b` where a number belongs"),
            ("0 0 0\n\n1 NaN 3\n", "line 3 has a coordinate that is NaN"),
            (
                "0 0 0\n1 1e99 3\n",
                "line 2 has a coordinate that is NaN, infinite or beyond",
            ),
            ("1 2\n3 4\n", "no 3D format that is known"),
            ("3\nwater\nO 0 0 0\n", "no 3D format that is known"),
        ] {
            let error = read_bytes(text.as_bytes(), None).unwrap_err().to_string();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
    }
}
