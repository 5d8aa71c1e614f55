//! The header: lines of text that tell what rows follow.

use super::FORMAT;
use crate::error::{Error, Result, quote};
use crate::read::columns::{ByteOrder, Scalar};
use crate::read::text::{Line, Lines, words};

/// The header, and what follows it.
#[derive(Debug)]
pub(super) struct Header<'a> {
    pub(super) encoding: Encoding,
    pub(super) elements: Vec<Element>,
    /// The rest of the file, numbered on.
    pub(super) body: Lines<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Ascii,
    Binary(ByteOrder),
}

/// A kind of row, and how many of it the header promises.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) name: Vec<u8>,
    pub(super) count: u64,
    pub(super) properties: Vec<Property>,
}

#[derive(Debug)]
pub(super) struct Property {
    pub(super) name: Vec<u8>,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Scalar(Scalar),
    /// A length of type `length`, then that many items of type `item`.
    List {
        length: Scalar,
        item: Scalar,
    },
}

impl<'a> Header<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self> {
        let mut lines = Lines::new(bytes);
        lines.next();
        let mut encoding = None;
        let mut elements: Vec<Element> = Vec::new();
        loop {
            let Some(line) = lines.next() else {
                return Err(Error::damaged(FORMAT, "its header has no end_header line"));
            };
            let mut words = words(line.text);
            let mut next = || words.next().unwrap_or_default();
            match next() {
                b"" | b"comment" | b"obj_info" => {}
                b"end_header" => break,
                b"format" => {
                    encoding = Some(match next() {
                        b"ascii" => Encoding::Ascii,
                        b"binary_little_endian" => Encoding::Binary(ByteOrder::Little),
                        b"binary_big_endian" => Encoding::Binary(ByteOrder::Big),
                        other => return Err(unknown(line, "encoding", other)),
                    });
                }
                b"element" => {
                    let (name, count) = (next(), next());
                    elements.push(Element {
                        name: name.to_ascii_lowercase(),
                        count: std::str::from_utf8(count)
                            .ok()
                            .and_then(|count| count.parse().ok())
                            .ok_or_else(|| unknown(line, "count", count))?,
                        properties: Vec::new(),
                    });
                }
                b"property" => {
                    let kind = match next() {
                        b"list" => Kind::List {
                            length: scalar(line, next())?,
                            item: scalar(line, next())?,
                        },
                        name => Kind::Scalar(scalar(line, name)?),
                    };
                    let Some(element) = elements.last_mut() else {
                        return Err(Error::damaged(
                            FORMAT,
                            format!("line {} has a property before any element", line.number),
                        ));
                    };
                    element.properties.push(Property {
                        name: next().to_ascii_lowercase(),
                        kind,
                    });
                }
                other => return Err(unknown(line, "keyword", other)),
            }
        }
        Ok(Header {
            encoding: encoding
                .ok_or_else(|| Error::damaged(FORMAT, "its header has no format line"))?,
            elements,
            body: lines,
        })
    }
}

impl Element {
    /// Bytes that a binary row takes at least, which is exact if there are no lists.
    pub(super) fn least_bytes(&self) -> usize {
        let sizes = self.properties.iter().map(|p| match p.kind {
            Kind::Scalar(scalar) => scalar.size(),
            Kind::List { length, .. } => length.size(),
        });
        sizes.sum()
    }

    pub(super) fn has_lists(&self) -> bool {
        self.properties
            .iter()
            .any(|p| matches!(p.kind, Kind::List { .. }))
    }
}

fn scalar(line: Line, name: &[u8]) -> Result<Scalar> {
    Ok(match name {
        b"char" | b"int8" => Scalar::I8,
        b"uchar" | b"uint8" => Scalar::U8,
        b"short" | b"int16" => Scalar::I16,
        b"ushort" | b"uint16" => Scalar::U16,
        b"int" | b"int32" => Scalar::I32,
        b"uint" | b"uint32" => Scalar::U32,
        b"int64" | b"long" => Scalar::I64,
        b"uint64" | b"ulong" => Scalar::U64,
        b"float16" | b"half" => Scalar::F16,
        b"float" | b"float32" => Scalar::F32,
        b"double" | b"float64" => Scalar::F64,
        other => return Err(unknown(line, "type", other)),
    })
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
