//! The archive: a ZIP file of arrays.

use super::array::Array;
use super::{MAGIC, cloud};
use crate::error::{Error, Place, Result, quote};
use crate::read::faces::{self, Faces};
use crate::read::points::{color_scale, directed, unit};
use crate::read::{Source, foreign};
use crate::{PointCloud, Shape};
use std::io::{Cursor, Read};
use zip::ZipArchive;

const FORMAT: &str = "NPZ";

/// Names under which programs save the points, the likeliest first.
const POINTS: &[&str] = &[
    "points",
    "xyz",
    "pos",
    "positions",
    "vertices",
    "verts",
    "coords",
    "point_cloud",
    "pointcloud",
    "pcd",
    "pc",
    "cloud",
    "pts",
    "data",
    "arr_0",
];
const NORMALS: &[&str] = &["normals", "normal"];
const COLORS: &[&str] = &["colors", "color", "rgb"];
const FACES: &[&str] = &["faces", "triangles", "face"];

/// Arrays of measurements shrink a few times; what grows more is made to fill the memory.
const GREATEST_RATIO: u64 = 100;
/// Below this size any array is unpacked.
const HARMLESS: u64 = 16 << 20;

pub(super) fn read(source: &Source) -> Result<Shape> {
    let mut archive = Archive::open(source.bytes)?;
    if archive.members.is_empty() {
        return Err(foreign::describe(source.bytes));
    }
    let Some(points) = archive.points()? else {
        let names: Vec<_> = archive
            .members
            .iter()
            .map(|m| m.name.as_str())
            .take(8)
            .collect();
        return Err(Error::unsupported(
            format!(
                "none of its arrays is a cloud ({})",
                quote(names.join(", ").as_bytes())
            ),
            "save an array of shape [N, 3] or wider",
        ));
    };
    let mut vertices = cloud(&archive.unpack(points)?)?;
    let count = vertices.positions.len();
    if let Some(normals) = archive.beside(NORMALS, count)? {
        vertices.normals = directed(normals.positions.into_iter().map(unit).collect());
    }
    if let Some(colors) = archive.beside(COLORS, count)? {
        let colors = colors.positions;
        let greatest = colors.iter().flatten().fold(0.0_f32, |a, &b| a.max(b));
        let scale = color_scale(f64::from(greatest), false) as f32;
        let to_bytes = |c: [f32; 3]| c.map(|v| (v * scale).round() as u8);
        vertices.colors = Some(colors.into_iter().map(to_bytes).collect());
    }
    let mut faces = Faces::default();
    if let Some(member) = archive.find(FACES) {
        archive.faces(member, &mut faces)?;
    }
    faces.over(vertices, FORMAT)
}

struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    members: Vec<Member>,
    /// Bytes that may yet be unpacked.
    left: u64,
}

/// An array in the archive.
struct Member {
    index: usize,
    name: String,
}

impl<'a> Archive<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self> {
        let broken = |error: zip::result::ZipError| {
            Error::damaged(
                FORMAT,
                format!("its archive is broken ({})", plain(&error.to_string())),
            )
        };
        let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
        let mut members = Vec::new();
        for index in 0..zip.len() {
            let entry = zip.by_index_raw(index).map_err(broken)?;
            let name = std::str::from_utf8(entry.name_raw()).ok();
            if let Some(name) = name.and_then(|name| name.strip_suffix(".npy")) {
                members.push(Member {
                    index,
                    name: name.to_owned(),
                });
            }
        }
        let left = (bytes.len() as u64)
            .saturating_mul(GREATEST_RATIO)
            .max(HARMLESS);
        Ok(Archive { zip, members, left })
    }

    /// The member with one of these names, in their order.
    fn find(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| {
            self.members
                .iter()
                .position(|m| m.name.eq_ignore_ascii_case(name))
        })
    }

    /// The member that holds the points.
    fn points(&mut self) -> Result<Option<usize>> {
        let named = POINTS.iter().filter_map(|&name| self.find(&[name]));
        let other = [NORMALS, COLORS, FACES].concat();
        let rest = (0..self.members.len()).filter(|&at| {
            let name = self.members.get(at).map(|m| m.name.to_ascii_lowercase());
            name.is_some_and(|name| !other.contains(&name.as_str()))
        });
        let candidates: Vec<usize> = named.chain(rest).collect();
        for at in candidates {
            if self.header(at)?.is_some_and(|array| array.table().is_ok()) {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// The header of a member; `None` for arrays of a kind that is not read.
    fn header(&mut self, at: usize) -> Result<Option<Array>> {
        // The header of an array takes 128 bytes, or a few times that for records.
        const LONGEST: u64 = 1 << 16;
        Ok(Array::parse(&self.take(at, LONGEST)?).ok())
    }

    /// The bytes of a member: as many as its header tells.
    fn unpack(&mut self, at: usize) -> Result<Vec<u8>> {
        let size = self
            .header(at)?
            .map_or(0, |array| array.total_bytes() as u64);
        if size > self.left {
            return Err(Error::refused(
                format!("its arrays unpack to more than {} bytes", self.left),
                "save them without compression if they are sound",
            ));
        }
        self.left -= size;
        self.take(at, size)
    }

    /// The first `size` bytes of a member.
    fn take(&mut self, at: usize, size: u64) -> Result<Vec<u8>> {
        let Some(Member { index, name }) = self.members.get(at) else {
            return Ok(Vec::new());
        };
        let broken = |error: &dyn std::fmt::Display| {
            let name = quote(name.as_bytes());
            let what = format!(
                "array {name} does not unpack ({})",
                plain(&error.to_string())
            );
            Error::damaged(FORMAT, what)
        };
        let mut bytes = Vec::new();
        let entry = self.zip.by_index(*index).map_err(|error| broken(&error))?;
        entry
            .take(size)
            .read_to_end(&mut bytes)
            .map_err(|error| broken(&error))?;
        Ok(bytes)
    }

    /// The member with one of these names, if it has three numbers for each of `count` points.
    fn beside(&mut self, names: &[&str], count: usize) -> Result<Option<PointCloud>> {
        let Some(at) = self.find(names) else {
            return Ok(None);
        };
        let fits = self
            .header(at)?
            .is_some_and(|array| array.table().is_ok_and(|t| t.rows == count));
        if !fits {
            return Ok(None);
        }
        // Normals may be NaN where there are none; then there are no normals.
        match cloud(&self.unpack(at)?) {
            Err(Error::NotFinite(_)) => Ok(None),
            other => other.map(Some),
        }
    }

    fn faces(&mut self, at: usize, faces: &mut Faces) -> Result<()> {
        let Some(table) = self.header(at)?.and_then(|array| array.table().ok()) else {
            return Ok(());
        };
        let bytes = self.unpack(at)?;
        if !bytes.starts_with(MAGIC) {
            return Ok(());
        }
        let mut corners = Vec::new();
        for row in 0..table.rows {
            let place = Place::Face(row);
            corners.clear();
            for column in &table.columns {
                let corner = column.get(&bytes, row).ok_or_else(|| {
                    Error::damaged(FORMAT, format!("it ends before {place} of {}", table.rows))
                })?;
                corners.push(faces::index(corner, FORMAT, place)?);
            }
            faces.polygon(&corners, place);
        }
        Ok(())
    }
}

/// A message of another crate, on one line.
fn plain(message: &str) -> String {
    message
        .chars()
        .filter(|c| !c.is_control())
        .take(80)
        .collect()
}
