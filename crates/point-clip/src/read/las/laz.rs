//! Decompression, by the `laz` crate.

use super::{Header, number};
use crate::error::{Error, Result};
use laz::{LasZipDecompressor, LazVlr};
use std::io::Cursor;

const FORMAT: &str = "LAZ";

/// Bytes of the header of a record.
const RECORD: usize = 54;
/// Points that a compressed byte stands for at most: scans of real things take two bytes a point.
const GREATEST_RATIO: usize = 64;

/// The points of a LAZ file as they would stand in a LAS file.
pub(super) fn unpack(bytes: &[u8], header: &Header) -> Result<Vec<u8>> {
    let broken = |what: &str| Error::damaged(FORMAT, what);
    let vlr =
        record(bytes, header).ok_or_else(|| broken("it has no record about its compression"))?;
    let vlr =
        LazVlr::from_buffer(vlr).map_err(|_| broken("its record about compression is broken"))?;
    if vlr.items().is_empty() || vlr.items_size() != header.stride as u64 {
        return Err(broken(
            "its record about compression does not fit its points",
        ));
    }
    let packed = bytes.get(header.points..).unwrap_or_default();
    let count = usize::try_from(header.count).ok();
    let count = count.filter(|&count| count / GREATEST_RATIO <= packed.len());
    let size = count.and_then(|count| count.checked_mul(header.stride));
    let Some(size) = size.filter(|_| table_is_sound(bytes, header)) else {
        let what = format!(
            "its header promises {} points in {} bytes",
            header.count,
            packed.len()
        );
        return Err(broken(&what));
    };
    let mut cursor = Cursor::new(bytes);
    cursor.set_position(header.points as u64);
    let mut points = vec![0; size];
    LasZipDecompressor::new(cursor, vlr)
        .and_then(|mut decompressor| decompressor.decompress_many(&mut points))
        .map_err(|_| broken(&format!("its {} points do not decompress", header.count)))?;
    Ok(points)
}

/// The content of the record that describes the compression.
fn record<'a>(bytes: &'a [u8], header: &Header) -> Option<&'a [u8]> {
    let (mut at, count) = header.records;
    for _ in 0..count {
        let head = bytes.get(at..)?.get(..RECORD)?;
        let length = usize::from(u16::from_le_bytes(number(head, 20)?));
        let content = bytes.get(at + RECORD..)?.get(..length)?;
        let id = u16::from_le_bytes(number(head, 18)?);
        if head.get(2..18)?.starts_with(b"laszip encoded") && id == 22_204 {
            return Some(content);
        }
        at += RECORD + length;
    }
    None
}

/// Whether the table of chunks, for which the decompressor makes room, promises no more chunks
/// than there are bytes.
fn table_is_sound(bytes: &[u8], header: &Header) -> bool {
    let offset = |at: usize| {
        let offset = number(bytes, at).map(i64::from_le_bytes)?;
        usize::try_from(offset)
            .ok()
            .filter(|&offset| offset > header.points)
    };
    // Writers of streams put the offset at the end.
    let table = offset(header.points).or_else(|| offset(bytes.len().checked_sub(8)?));
    let chunks = table
        .and_then(|table| number(bytes, table + 4))
        .map(u32::from_le_bytes);
    chunks.is_none_or(|chunks| chunks as usize <= bytes.len())
}
