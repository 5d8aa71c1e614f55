//! LAS, the lidar format of the ASPRS (versions 1.0 to 1.4, all point formats), and LAZ, its
//! compressed form.

#[cfg(feature = "laz")]
mod laz;

use super::Reader;
use super::columns::{ByteOrder, Column, Scalar};
use super::fields::{ColorLayout, Layout};
use super::point_table::{PointTable, Units};
use crate::Shape;
use crate::error::{Error, Result};
use std::borrow::Cow;

const FORMAT: &str = "LAS";

pub(super) const READER: Reader = Reader {
    recognises: |source| source.bytes.starts_with(b"LASF"),
    read: |source| read(source.bytes),
};

/// What the header tells.
#[derive(Debug)]
struct Header {
    /// Where the header ends and records of other data begin, and how many there are.
    #[cfg_attr(
        not(feature = "laz"),
        expect(dead_code, reason = "only LAZ keeps data there")
    )]
    records: (usize, usize),
    /// Where the points begin.
    points: usize,
    compressed: bool,
    format: u8,
    /// Bytes of a point.
    stride: usize,
    count: u64,
    units: Units,
}

impl Header {
    fn parse(bytes: &[u8]) -> Result<Self> {
        let short = || Error::damaged(FORMAT, "it ends within its header");
        let u16_at = |at| number(bytes, at).map(u16::from_le_bytes).ok_or_else(short);
        let u32_at = |at| number(bytes, at).map(u32::from_le_bytes).ok_or_else(short);
        let u64_at = |at| number(bytes, at).map(u64::from_le_bytes).ok_or_else(short);
        let vector = |at: usize| -> Result<[f64; 3]> {
            let axis = |k: usize| {
                number(bytes, at + 8 * k)
                    .map(f64::from_le_bytes)
                    .ok_or_else(short)
            };
            Ok([axis(0)?, axis(1)?, axis(2)?])
        };
        let [version, format] = [25, 104].map(|at| bytes.get(at).copied());
        let format = format.ok_or_else(short)?;
        // From 1.4 on more than 2³² points have a count of their own.
        let count = match (u64::from(u32_at(107)?), version) {
            (0, Some(4..)) => u64_at(247)?,
            (count, _) => count,
        };
        Ok(Header {
            records: (u16_at(94)?.into(), u32_at(100)? as usize),
            points: u32_at(96)? as usize,
            compressed: format & 0xC0 != 0,
            format: format & 0x3F,
            stride: u16_at(105)?.into(),
            count,
            units: Units {
                scale: vector(131)?,
                offset: vector(155)?,
            },
        })
    }

    /// Where red, green and blue lie in a point.
    fn color(&self) -> Option<usize> {
        match self.format {
            2 => Some(20),
            3 | 5 => Some(28),
            7 | 8 | 10 => Some(30),
            _ => None,
        }
    }
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn read(bytes: &[u8]) -> Result<Shape> {
    let header = Header::parse(bytes)?;
    if header.format > 10 {
        return Err(Error::unsupported(
            format!("its points have format {}, which is unknown", header.format),
            "export it as LAS 1.4 or PLY",
        ));
    }
    let points: Cow<[u8]> = if header.compressed {
        unpack(bytes, &header)?.into()
    } else {
        bytes.get(header.points..).unwrap_or_default().into()
    };
    let fitting = points.len() / header.stride.max(1);
    let Some(count) = usize::try_from(header.count)
        .ok()
        .filter(|&count| count <= fitting)
    else {
        return Err(Error::damaged(
            FORMAT,
            format!(
                "its header promises {} points, but there are {fitting}",
                header.count
            ),
        ));
    };
    let column = |start, scalar| Column {
        start,
        stride: header.stride,
        scalar,
        order: ByteOrder::Little,
    };
    let mut columns = [0, 4, 8].map(|start| column(start, Scalar::I32)).to_vec();
    columns.extend(
        header.color().into_iter().flat_map(|color| {
            [color, color + 2, color + 4].map(|start| column(start, Scalar::U16))
        }),
    );
    let layout = Layout {
        position: [0, 1, 2],
        normal: None,
        color: header.color().map(|_| ColorLayout::Channels([3, 4, 5])),
    };
    let table = PointTable::new(FORMAT, &points, count, &columns, &layout)?;
    let mut cloud = table.in_units(header.units).read()?;
    // Scanners without a camera write formats with colour too, and leave it black.
    cloud.colors = cloud
        .colors
        .filter(|colors| colors.iter().any(|&color| color != [0; 3]));
    Ok(Shape::Cloud(cloud))
}

/// The points of a LAZ file as they would stand in a LAS file.
#[cfg(feature = "laz")]
fn unpack(bytes: &[u8], header: &Header) -> Result<Vec<u8>> {
    laz::unpack(bytes, header)
}

/// The points of a LAZ file cannot be had in this build.
#[cfg(not(feature = "laz"))]
fn unpack(_: &[u8], _: &Header) -> Result<Vec<u8>> {
    Err(Error::unsupported(
        "this is LAZ, compressed LAS, which this build does not read",
        "build with `--features laz`, or convert it to LAS with laszip",
    ))
}

#[cfg(test)]
pub(super) mod tests;
