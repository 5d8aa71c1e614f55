//! Decompression, by the `laz` crate. It trusts what it decompresses (hence the feature): damage can
//! make it panic, which is caught and told, or ask for memory without need.

use super::{Header, number};
use crate::error::{Error, Result};
use laz::{LasZipDecompressor, LazVlr};
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

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
    let decompress = AssertUnwindSafe(|| {
        let mut points = vec![0; size];
        let mut decompressor = LasZipDecompressor::new(cursor, vlr).ok()?;
        decompressor.decompress_many(&mut points).ok()?;
        Some(points)
    });
    // The crate panics on some damage. Nothing that it works on outlives the panic.
    let points = catch_unwind(decompress).ok().flatten();
    points.ok_or_else(|| broken(&format!("its {} points do not decompress", header.count)))
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

#[cfg(test)]
mod tests {
    use crate::Shape;
    use crate::read::las::tests::{POINTS, las};
    use crate::read::{read_bytes, read_source};
    use laz::{LasZipCompressor, LazItemRecordBuilder, LazVlr};
    use proptest::prelude::*;
    use std::io::{Cursor, Write};

    /// The file `las` with its points compressed.
    fn compressed(las: &[u8], format: u8) -> Vec<u8> {
        let header = u16::from_le_bytes([las[94], las[95]]) as usize;
        let extra = if format == 7 { 3 } else { 0 };
        let items = LazItemRecordBuilder::default_for_point_format_id(format, extra).unwrap();
        let vlr = LazVlr::from_laz_items(items);
        let mut content = Vec::new();
        vlr.write_to(&mut content).unwrap();
        let mut record = vec![0; 2];
        record.extend(b"laszip encoded\0\0");
        record.extend(22_204_u16.to_le_bytes());
        record.extend((content.len() as u16).to_le_bytes());
        record.resize(super::RECORD, 0);
        record.extend(content);

        let mut head = las[..header].to_vec();
        head[96..100].copy_from_slice(&((header + record.len()) as u32).to_le_bytes());
        head[100..104].copy_from_slice(&1_u32.to_le_bytes());
        head[104] |= 0x80;
        let mut file = Cursor::new(Vec::new());
        file.write_all(&head).unwrap();
        file.write_all(&record).unwrap();
        let mut compressor = LasZipCompressor::new(file, vlr).unwrap();
        compressor.compress_many(&las[header..]).unwrap();
        compressor.done().unwrap();
        compressor.into_inner().into_inner()
    }

    fn samples() -> [Vec<u8>; 3] {
        let many: Vec<_> = (0..300)
            .map(|i| ([i * i, 7 * i, i % 13], [i as u16, 9, 77]))
            .collect();
        [(2, 0), (2, 2), (4, 7)]
            .map(|(minor, format)| compressed(&las(minor, format, &many), format))
    }

    #[test]
    fn laz_is_as_las() {
        for (minor, format) in [(2, 0), (2, 2), (4, 7)] {
            let plain = las(minor, format, &POINTS);
            let shape = read_bytes(&compressed(&plain, format), None).unwrap();
            assert_eq!(shape, read_bytes(&plain, None).unwrap());
        }
    }

    #[test]
    fn cut_anywhere_it_never_panics() {
        for file in samples() {
            assert!(
                matches!(read_bytes(&file, None).unwrap(), Shape::Cloud(c) if c.positions.len() == 300)
            );
            for end in 0..file.len() {
                let _ = read_source(&file[..end], None, None);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn a_panic_within_is_an_error(
            turns in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        ) {
            for mut file in samples() {
                for (at, value) in &turns {
                    let at = at.index(file.len());
                    file[at] = *value;
                }
                let _ = read_bytes(&file, None);
            }
        }
    }
}
