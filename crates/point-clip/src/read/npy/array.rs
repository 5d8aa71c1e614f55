//! One array: its header checked, its numbers as columns.

use super::FORMAT;
use super::literal::Literal;
use crate::error::{Error, Result, quote};
use crate::read::columns::{ByteOrder, Column, Scalar};
use crate::read::fields::Layout;
use crate::read::guess;

/// An array whose header was understood.
#[derive(Clone, Debug)]
pub(super) struct Array {
    /// Bytes of the header.
    pub(super) header: usize,
    shape: Vec<usize>,
    fortran: bool,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Numbers(Scalar, ByteOrder),
    /// Named numbers side by side.
    Records(Vec<(String, Scalar, ByteOrder)>),
}

/// What an array says about points: one row of columns each.
pub(super) struct Table {
    pub(super) rows: usize,
    pub(super) columns: Vec<Column>,
    /// The meaning of the columns, where names tell it.
    pub(super) named: Option<Layout>,
}

/// The widest rows that can be points with their attributes; wider ones are features.
const WIDEST: usize = 32;

impl Array {
    /// Understands the header at the beginning of `bytes`.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self> {
        let broken = || Error::damaged(FORMAT, "its header cannot be understood");
        let (preamble, length) = match bytes.get(6) {
            Some(1) => {
                let length = bytes.get(8..).and_then(|b| b.first_chunk());
                (10, length.map(|&b| u32::from(u16::from_le_bytes(b))))
            }
            Some(2 | 3) => {
                let length = bytes.get(8..).and_then(|b| b.first_chunk());
                (12, length.map(|&b| u32::from_le_bytes(b)))
            }
            _ => return Err(broken()),
        };
        let length = length.ok_or_else(broken)? as usize;
        let text = bytes
            .get(preamble..)
            .and_then(|b| b.get(..length))
            .ok_or_else(broken)?;
        let text = std::str::from_utf8(text).map_err(|_| broken())?;
        let dict = Literal::parse(text).ok_or_else(broken)?;
        let Some(Literal::Sequence(shape)) = dict.get("shape") else {
            return Err(broken());
        };
        let side = |literal: &Literal| match literal {
            Literal::Integer(side) => usize::try_from(*side).ok(),
            _ => None,
        };
        Ok(Array {
            header: preamble + length,
            shape: shape
                .iter()
                .map(side)
                .collect::<Option<_>>()
                .ok_or_else(broken)?,
            fortran: dict.get("fortran_order") == Some(&Literal::Bool(true)),
            kind: Kind::parse(dict.get("descr").ok_or_else(broken)?)?,
        })
    }

    /// Bytes of the header and the numbers; too many for any file rather than wrapped.
    pub(super) fn total_bytes(&self) -> usize {
        let item = match &self.kind {
            Kind::Numbers(scalar, _) => scalar.size(),
            Kind::Records(fields) => fields.iter().map(|(_, scalar, _)| scalar.size()).sum(),
        };
        let numbers = self
            .shape
            .iter()
            .try_fold(item, |n, &side| n.checked_mul(side));
        numbers
            .and_then(|n| n.checked_add(self.header))
            .unwrap_or(usize::MAX)
    }

    /// The array as points: `[N, 3+]`, `[3, N]` or `[N]` records, but for leading ones.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for another shape.
    pub(super) fn table(&self) -> Result<Table> {
        let shape: &[usize] = match self.shape.as_slice() {
            [1, rest @ ..] if rest.len() >= 2 => rest,
            shape => shape,
        };
        match (&self.kind, shape) {
            (Kind::Records(fields), [rows] | [1, rows] | [rows, 1]) => {
                let stride = fields.iter().map(|(_, scalar, _)| scalar.size()).sum();
                let mut start = self.header;
                let mut columns = Vec::with_capacity(fields.len());
                for &(_, scalar, order) in fields {
                    columns.push(Column {
                        start,
                        stride,
                        scalar,
                        order,
                    });
                    start += scalar.size();
                }
                let named = Layout::from_names(fields.iter().map(|(name, ..)| name.as_bytes()));
                match named {
                    Some(_) => Ok(Table {
                        rows: *rows,
                        columns,
                        named,
                    }),
                    None => Err(self.no_points()),
                }
            }
            (&Kind::Numbers(scalar, order), &[rows, width]) => {
                // [3, N] is written column by column: the other order of [N, 3].
                let across = rows == 3 && width > WIDEST;
                let (rows, width) = if across { (width, rows) } else { (rows, width) };
                if !(3..=WIDEST).contains(&width) {
                    return Err(self.no_points());
                }
                let size = scalar.size();
                let by_column = self.fortran != across;
                let column = |at: usize| match by_column {
                    true => Column {
                        start: self
                            .header
                            .saturating_add(at.saturating_mul(rows).saturating_mul(size)),
                        stride: size,
                        scalar,
                        order,
                    },
                    false => Column {
                        start: self.header + at * size,
                        stride: width * size,
                        scalar,
                        order,
                    },
                };
                let columns = (0..width).map(column).collect();
                Ok(Table {
                    rows,
                    columns,
                    named: None,
                })
            }
            _ => Err(self.no_points()),
        }
    }

    fn no_points(&self) -> Error {
        Error::unsupported(
            format!("its array has shape {:?}, which is no cloud", self.shape),
            "save an array of shape [N, 3] or wider",
        )
    }
}

impl Table {
    /// The meaning of the columns, from names or from the numbers in `bytes`.
    pub(super) fn layout(&self, bytes: &[u8]) -> Option<Layout> {
        const SAMPLE: usize = 1000;
        if self.named.is_some() || self.columns.len() == 3 {
            return self.named.or_else(|| guess::layout(&[], 3));
        }
        let rows = (0..self.rows).step_by((self.rows / SAMPLE).max(1));
        let sample: Vec<Vec<f64>> = rows
            .map(|row| {
                let numbers = self.columns.iter().map(|column| column.get(bytes, row));
                numbers.map(|n| n.unwrap_or(f64::NAN)).collect()
            })
            .collect();
        guess::layout(&sample, self.columns.len())
    }
}

impl Kind {
    fn parse(descr: &Literal) -> Result<Self> {
        match descr {
            Literal::Text(name) => {
                let (scalar, order) = scalar(name)?;
                Ok(Kind::Numbers(scalar, order))
            }
            Literal::Sequence(fields) => {
                let mut records = Vec::new();
                for field in fields {
                    match field {
                        Literal::Sequence(parts) => match parts.as_slice() {
                            [Literal::Text(name), Literal::Text(kind)] => {
                                let (scalar, order) = scalar(kind)?;
                                records.push(((*name).to_owned(), scalar, order));
                            }
                            _ => return Err(unsupported("nested records")),
                        },
                        _ => return Err(unsupported("nested records")),
                    }
                }
                Ok(Kind::Records(records))
            }
            _ => Err(unsupported("an unknown type")),
        }
    }
}

/// The number type that numpy calls `name`: order, kind and size.
fn scalar(name: &str) -> Result<(Scalar, ByteOrder)> {
    let (order, kind) = match name.split_at_checked(1) {
        Some(("<" | "|" | "=", kind)) => (ByteOrder::Little, kind),
        Some((">", kind)) => (ByteOrder::Big, kind),
        _ => (ByteOrder::Little, name),
    };
    let scalar = match kind {
        "i1" => Scalar::I8,
        "u1" => Scalar::U8,
        "i2" => Scalar::I16,
        "u2" => Scalar::U16,
        "i4" => Scalar::I32,
        "u4" => Scalar::U32,
        "i8" => Scalar::I64,
        "u8" => Scalar::U64,
        "f2" => Scalar::F16,
        "f4" => Scalar::F32,
        "f8" => Scalar::F64,
        _ => return Err(unsupported(&quote(name.as_bytes()))),
    };
    Ok((scalar, order))
}

fn unsupported(what: &str) -> Error {
    Error::unsupported(
        format!("its array is of {what}"),
        "save an array of whole or real numbers",
    )
}
