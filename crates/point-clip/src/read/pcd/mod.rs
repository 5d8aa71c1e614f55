//! PCD, the format of the Point Cloud Library: ascii, binary, and compressed with LZF.

mod header;
mod lzf;

use super::Reader;
use super::columns::{ByteOrder, Column, Scalar};
use super::fields::{ColorLayout, Layout};
use super::point_table::PointTable;
use super::points::Points;
use super::text::{Lines, before_comment, expect_number, words};
use crate::error::{Error, Place, Result};
use crate::{PointCloud, Shape};
use header::{Encoding, Header};
use std::borrow::Cow;

const FORMAT: &str = "PCD";

pub(super) const READER: Reader = Reader {
    recognises: |source| {
        let mut statements = Lines::new(source.bytes).map(|l| before_comment(l.text).trim_ascii());
        let first = statements.find(|text| !text.is_empty()).unwrap_or_default();
        let mut words = words(first);
        match words.next() {
            // "version" in lower case begins git-LFS pointers.
            Some(b"VERSION") => words
                .next()
                .is_some_and(|v| v.starts_with(b"0.") || v.starts_with(b".")),
            Some(b"FIELDS" | b"COLUMNS") => true,
            _ => source.bytes.starts_with(b"# .PCD"),
        }
    },
    read: |source| Ok(Shape::Cloud(read(Header::parse(source.bytes)?)?)),
};

fn read(header: Header) -> Result<PointCloud> {
    let Some(layout) = Layout::from_names(header.fields.iter().map(|f| f.name)) else {
        return Err(Error::unsupported(
            "its fields are without x, y or z",
            "export it with these fields",
        ));
    };
    let rest = header.body.rest();
    let body: Cow<[u8]> = match header.encoding {
        Encoding::Ascii => return read_ascii(&header, &layout),
        Encoding::Binary => rest.into(),
        Encoding::Compressed => decompress(rest)?.into(),
    };
    let columns = columns(&header);
    let points = header.points;
    let table = PointTable::new(FORMAT, &body, points, &columns, &layout)?;
    if header.organised {
        read_pixels(&body, points, &columns, &layout)
    } else {
        table.read()
    }
}

/// Where the fields lie: point after point, or, compressed, field after field.
fn columns(header: &Header) -> Vec<Column> {
    let sizes = header.fields.iter().map(header::Field::bytes);
    let point = sizes.fold(0, usize::saturating_add);
    let mut start = 0_usize;
    let mut columns = Vec::with_capacity(header.fields.len());
    for field in &header.fields {
        let (stride, length) = match header.encoding {
            Encoding::Compressed => (field.bytes(), header.points.saturating_mul(field.bytes())),
            _ => (point, field.bytes()),
        };
        let scalar = field.scalar;
        columns.push(Column {
            start,
            stride,
            scalar,
            order: ByteOrder::Little,
        });
        start = start.saturating_add(length);
    }
    columns
}

/// The packed and the unpacked size, then the packed bytes.
fn decompress(body: &[u8]) -> Result<Vec<u8>> {
    let size = |at: usize| {
        let bytes = body.get(at..).and_then(|rest| rest.first_chunk());
        bytes.map(|&bytes| u32::from_le_bytes(bytes) as usize)
    };
    let packed = size(0).and_then(|packed| body.get(8..)?.get(..packed));
    let Some((packed, unpacked)) = packed.zip(size(4)) else {
        return Err(Error::damaged(
            FORMAT,
            "it ends before the end of its compressed data",
        ));
    };
    let possible = packed.len().saturating_mul(lzf::GREATEST_RATIO) >= unpacked;
    let data = if possible {
        lzf::unpack(packed, unpacked)
    } else {
        None
    };
    data.ok_or_else(|| {
        let what = format!("its data do not decompress to the {unpacked} bytes it promises");
        Error::damaged(FORMAT, what)
    })
}

/// Reads the pixels of a depth camera, of which those without a measurement are NaN in x, y and z.
fn read_pixels(
    bytes: &[u8],
    points: usize,
    columns: &[Column],
    layout: &Layout,
) -> Result<PointCloud> {
    let number = |column: usize, row: usize| {
        let number = columns
            .get(column)
            .and_then(|column| column.get(bytes, row));
        number.unwrap_or(f64::NAN)
    };
    let bits = |column: usize, row: usize| {
        let column = columns.get(column).map(|c| Column {
            scalar: Scalar::U32,
            ..*c
        });
        column
            .and_then(|column| column.get(bytes, row))
            .unwrap_or(0.0) as u32
    };
    let mut cloud = Points::default();
    for row in 0..points {
        let position = layout.position.map(|column| number(column, row));
        if position.iter().all(|v| v.is_nan()) {
            continue;
        }
        cloud.push(position, Place::Vertex(row))?;
        if let Some(normal) = layout.normal {
            cloud.push_normal(normal.map(|column| number(column, row)));
        }
        match layout.color {
            Some(ColorLayout::Channels(color)) => {
                cloud.push_color(color.map(|column| number(column, row)));
            }
            Some(ColorLayout::Packed(column)) => cloud.push_color(unpack_color(bits(column, row))),
            None => {}
        }
    }
    Ok(cloud.finish(true))
}

fn read_ascii(header: &Header, layout: &Layout) -> Result<PointCloud> {
    // A value takes a digit and a separator, of which the file's last may be missing.
    let fitting = (header.body.rest().len() + 1) / (2 * header.fields.len().max(1));
    if header.points > fitting {
        let what = format!(
            "its header promises {} points, but the file can hold {fitting} at most",
            header.points
        );
        return Err(Error::damaged(FORMAT, what));
    }
    // The first word of each field.
    let mut starts = Vec::with_capacity(header.fields.len());
    let mut start = 0_usize;
    for field in &header.fields {
        starts.push(start);
        start = start.saturating_add(field.count);
    }
    let mut points = Points::with_capacity(header.points);
    let mut row = Vec::new();
    let mut lines = header
        .body
        .clone()
        .filter(|line| !line.text.trim_ascii().is_empty());
    for found in 0..header.points {
        let Some(line) = lines.next() else {
            let what = format!(
                "its header promises {} points, but there are {found}",
                header.points
            );
            return Err(Error::damaged(FORMAT, what));
        };
        let place = Place::Line(line.number);
        row.clear();
        row.extend(words(line.text));
        let number = |field: usize| {
            let word = starts.get(field).and_then(|&at| row.get(at)).copied();
            expect_number(FORMAT, place, word)
        };
        let three = |[a, b, c]: [usize; 3]| Ok::<_, Error>([number(a)?, number(b)?, number(c)?]);
        let position = three(layout.position)?;
        if header.organised && position.iter().all(|v| v.is_nan()) {
            continue;
        }
        points.push(position, place)?;
        if let Some(normal) = layout.normal {
            points.push_normal(three(normal)?);
        }
        match layout.color {
            Some(ColorLayout::Channels(color)) => points.push_color(three(color)?),
            Some(ColorLayout::Packed(field)) => {
                let value = number(field)?;
                let float = header
                    .fields
                    .get(field)
                    .is_some_and(|f| f.scalar.is_float());
                let bits = if float {
                    (value as f32).to_bits()
                } else {
                    value as u32
                };
                points.push_color(unpack_color(bits));
            }
            None => {}
        }
    }
    Ok(points.finish(true))
}

/// The colour in 0xAARRGGBB.
fn unpack_color(bits: u32) -> [f64; 3] {
    let [b, g, r, _] = bits.to_le_bytes();
    [r, g, b].map(f64::from)
}

#[cfg(test)]
pub(super) mod tests;
