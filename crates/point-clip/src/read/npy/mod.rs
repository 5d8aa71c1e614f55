//! NPY and NPZ, the array formats of NumPy.
//!
//! An archive of arrays is searched for one that can be points, by its usual names first; normals
//! and colours of as many rows beside it are taken too, and triangles make a mesh of it.

mod array;
mod literal;
mod npz;

use super::Reader;
use super::point_table::PointTable;
use crate::error::{Error, Result};
use crate::{PointCloud, Shape};
use array::Array;

const FORMAT: &str = "NPY";
pub(super) const MAGIC: &[u8] = b"\x93NUMPY";

pub(super) const NPY: Reader = Reader {
    recognises: |source| source.bytes.starts_with(MAGIC),
    read: |source| Ok(Shape::Cloud(cloud(source.bytes)?)),
};

pub(super) const NPZ: Reader = Reader {
    recognises: |source| source.bytes.starts_with(b"PK\x03\x04"),
    read: npz::read,
};

/// The points of the array file `bytes`.
fn cloud(bytes: &[u8]) -> Result<PointCloud> {
    let array = Array::parse(bytes)?;
    let table = array.table()?;
    if bytes.len() < array.total_bytes() {
        return Err(Error::damaged(
            FORMAT,
            format!("it promises {} rows, but ends before the last", table.rows),
        ));
    }
    let layout = table
        .layout(bytes)
        .ok_or_else(|| Error::damaged(FORMAT, "it has no columns"))?;
    PointTable::new(FORMAT, bytes, table.rows, &table.columns, &layout)?.read()
}

#[cfg(test)]
pub(super) mod tests;
