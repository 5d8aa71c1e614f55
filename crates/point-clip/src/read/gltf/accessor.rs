//! Views of buffers as rows of numbers, every one checked.

use super::buffers::Buffers;
use super::document::Document;
use super::{EXPORT_PLAIN, FORMAT};
use crate::error::{Error, Result};
use crate::read::columns::{ByteOrder, Column, Scalar};

/// Rows of numbers in a buffer.
pub(super) struct Rows<'a> {
    bytes: &'a [u8],
    columns: Vec<Column>,
    pub(super) count: usize,
    /// What a number is multiplied with: whole numbers can stand for fractions.
    scale: f64,
}

impl<'a> Rows<'a> {
    /// The rows of accessor `index`, of at least `width` numbers each.
    pub(super) fn open(
        document: &Document,
        buffers: &'a Buffers,
        index: usize,
        width: usize,
    ) -> Result<Self> {
        let broken = |what: &str| Error::damaged(FORMAT, format!("accessor {index} {what}"));
        let accessor = document
            .accessors
            .get(index)
            .ok_or_else(|| broken("is missing"))?;
        if accessor.sparse.is_some() {
            return Err(Error::unsupported("it uses sparse accessors", EXPORT_PLAIN));
        }
        let view = accessor
            .buffer_view
            .ok_or_else(|| broken("has no bufferView"))?;
        let view = document
            .buffer_views
            .get(view)
            .ok_or_else(|| broken("refers to a bufferView that is missing"))?;
        let Some(buffer) = buffers.get(view.buffer) else {
            return Err(match view.extensions.meshopt {
                Some(_) => {
                    Error::unsupported("its geometry is compressed with meshopt", EXPORT_PLAIN)
                }
                None => broken("refers to a buffer that is missing"),
            });
        };
        let beyond = || broken("lies beyond the end of its buffer");
        let bytes = buffer
            .get(view.byte_offset..)
            .and_then(|rest| rest.get(..view.byte_length))
            .ok_or_else(beyond)?;
        let (scalar, greatest) = match accessor.component_type {
            5120 => (Scalar::I8, 127.0),
            5121 => (Scalar::U8, 255.0),
            5122 => (Scalar::I16, 32_767.0),
            5123 => (Scalar::U16, 65_535.0),
            5125 => (Scalar::U32, 4_294_967_295.0),
            5126 => (Scalar::F32, 1.0),
            _ => return Err(broken("has an unknown componentType")),
        };
        let numbers = match accessor.kind.as_str() {
            "SCALAR" => 1,
            "VEC3" => 3,
            "VEC4" => 4,
            _ => 0,
        };
        if numbers < width {
            return Err(broken("has a type that does not fit its use"));
        }
        let stride = view.byte_stride.unwrap_or(numbers * scalar.size());
        let columns: Vec<Column> = (0..width)
            .map(|k| Column {
                start: accessor.byte_offset.saturating_add(k * scalar.size()),
                stride,
                scalar,
                order: ByteOrder::Little,
            })
            .collect();
        if !columns
            .iter()
            .all(|column| column.fits(bytes, accessor.count))
        {
            return Err(beyond());
        }
        Ok(Rows {
            bytes,
            columns,
            count: accessor.count,
            scale: if accessor.normalized {
                1.0 / greatest
            } else {
                1.0
            },
        })
    }

    /// The number in a row.
    pub(super) fn number(&self, row: usize) -> f64 {
        self.number_at(row, 0)
    }

    /// The first three numbers in a row.
    pub(super) fn vector(&self, row: usize) -> [f64; 3] {
        std::array::from_fn(|k| self.number_at(row, k))
    }

    fn number_at(&self, row: usize, column: usize) -> f64 {
        let number = self
            .columns
            .get(column)
            .and_then(|column| column.get(self.bytes, row));
        number.unwrap_or(f64::NAN) * self.scale
    }
}
