//! The header: a line each for names, sizes, types and repetitions of the fields.

use super::FORMAT;
use crate::error::{Error, Result, quote};
use crate::read::columns::Scalar;
use crate::read::text::{Line, Lines, before_comment, words};
use std::str::FromStr;

/// The header, and what follows it.
#[derive(Debug)]
pub(super) struct Header<'a> {
    pub(super) fields: Vec<Field<'a>>,
    pub(super) points: usize,
    /// Points stand in rows as the pixels of a depth camera do.
    pub(super) organised: bool,
    pub(super) encoding: Encoding,
    /// The rest of the file, numbered on.
    pub(super) body: Lines<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Ascii,
    Binary,
    Compressed,
}

/// `count` numbers side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field<'a> {
    pub(super) name: &'a [u8],
    pub(super) scalar: Scalar,
    pub(super) count: usize,
}

impl Field<'_> {
    /// Bytes of the field in a point; too many for any file rather than wrapped.
    pub(super) fn bytes(&self) -> usize {
        self.count.saturating_mul(self.scalar.size())
    }
}

impl<'a> Header<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self> {
        let mut lines = Lines::new(bytes);
        let (mut names, mut sizes, mut types, mut counts) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (mut width, mut height, mut points) = (None, None, None);
        let encoding = loop {
            let Some(line) = lines.next() else {
                return Err(Error::damaged(FORMAT, "its header has no DATA line"));
            };
            let mut words = words(before_comment(line.text));
            match words.next().unwrap_or_default() {
                b"FIELDS" | b"COLUMNS" => names = words.collect(),
                b"SIZE" => sizes = words.map(|w| integer(line, w)).collect::<Result<_>>()?,
                b"TYPE" => types = words.collect(),
                b"COUNT" => counts = words.map(|w| integer(line, w)).collect::<Result<_>>()?,
                b"WIDTH" => width = Some(integer(line, words.next().unwrap_or_default())?),
                b"HEIGHT" => height = Some(integer(line, words.next().unwrap_or_default())?),
                b"POINTS" => points = Some(integer(line, words.next().unwrap_or_default())?),
                b"DATA" => match words.next().unwrap_or_default() {
                    b"ascii" => break Encoding::Ascii,
                    b"binary" => break Encoding::Binary,
                    b"binary_compressed" => break Encoding::Compressed,
                    other => return Err(unknown(line, "encoding", other)),
                },
                b"" | b"VERSION" | b"VIEWPOINT" => {}
                other => return Err(unknown(line, "keyword", other)),
            }
        };
        let mut fields = Vec::with_capacity(names.len());
        for (at, &name) in names.iter().enumerate() {
            // Ascii files of old versions name fields only.
            let size: usize = sizes.get(at).copied().unwrap_or(4);
            let kind = types.get(at).copied().unwrap_or(b"F");
            let scalar = scalar(kind, size).ok_or_else(|| {
                let what = format!(
                    "field {} has type {} of {size} bytes",
                    quote(name),
                    quote(kind)
                );
                Error::damaged(FORMAT, what)
            })?;
            let count = counts.get(at).copied().unwrap_or(1);
            fields.push(Field {
                name,
                scalar,
                count,
            });
        }
        let grid = width.map(|width: usize| width.saturating_mul(height.unwrap_or(1)));
        let Some(points) = points.or(grid) else {
            return Err(Error::damaged(
                FORMAT,
                "its header has neither POINTS nor WIDTH",
            ));
        };
        Ok(Header {
            fields,
            points,
            organised: height.is_some_and(|height| height > 1),
            encoding,
            body: lines,
        })
    }
}

fn scalar(kind: &[u8], size: usize) -> Option<Scalar> {
    Some(match (kind, size) {
        (b"I", 1) => Scalar::I8,
        (b"I", 2) => Scalar::I16,
        (b"I", 4) => Scalar::I32,
        (b"I", 8) => Scalar::I64,
        (b"U", 1) => Scalar::U8,
        (b"U", 2) => Scalar::U16,
        (b"U", 4) => Scalar::U32,
        (b"U", 8) => Scalar::U64,
        (b"F", 4) => Scalar::F32,
        (b"F", 8) => Scalar::F64,
        _ => return None,
    })
}

fn integer<T: FromStr>(line: Line, word: &[u8]) -> Result<T> {
    let number = std::str::from_utf8(word)
        .ok()
        .and_then(|word| word.parse().ok());
    number.ok_or_else(|| unknown(line, "number", word))
}

fn unknown(line: Line, what: &str, word: &[u8]) -> Error {
    Error::damaged(
        FORMAT,
        format!(
            "line {} of its header has the unknown {what} {}",
            line.number,
            quote(word)
        ),
    )
}
