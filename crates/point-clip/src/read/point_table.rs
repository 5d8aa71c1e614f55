//! Points that stand as columns in bytes.
//!
//! Rows are decoded a block at a time, each column by a loop of its own: a block stays in the
//! first-level cache, and every loop knows its type. That is as quick as code for one layout.

use super::columns::{Column, Scalar, Triple};
use super::fields::{ColorLayout, Layout};
use super::origin::Origin;
use super::pages::prefer_large;
use super::points::{color_scale, directed, unit};
use crate::PointCloud;
use crate::error::{Error, Place, Result};

/// A linear map of stored to real coordinates along each axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Units {
    pub(super) scale: [f64; 3],
    pub(super) offset: [f64; 3],
}

impl Units {
    /// Stored coordinates are real ones.
    pub(super) const SAME: Units = Units {
        scale: [1.0; 3],
        offset: [0.0; 3],
    };
}

/// Points as columns in bytes.
pub(super) struct PointTable<'a> {
    bytes: &'a [u8],
    rows: usize,
    position: Triple,
    normal: Option<Triple>,
    color: Option<Colors>,
    units: Units,
}

#[derive(Clone, Copy)]
enum Colors {
    Channels(Triple, f32),
    Packed(Column),
}

/// The part of a cloud that is being filled; normals and colours are empty where there are
/// none.
struct Part<'a> {
    positions: &'a mut [[f32; 3]],
    normals: &'a mut [[f32; 3]],
    colors: &'a mut [[u8; 3]],
}

/// Rows that are decoded at once.
const BLOCK: usize = 1024;
/// Rows from which on more than one thread works.
const WORTH_A_THREAD: usize = 1 << 16;

impl<'a> PointTable<'a> {
    /// The table that `layout` picks from `columns` of `rows` rows in `bytes`.
    ///
    /// # Errors
    /// [`Error::Damaged`] where the bytes end before the last row.
    pub(super) fn new(
        format: &'static str,
        bytes: &'a [u8],
        rows: usize,
        columns: &[Column],
        layout: &Layout,
    ) -> Result<Self> {
        let short = || Error::damaged(format, format!("it ends before the last of {rows} points"));
        let column = |at: usize| {
            let column = columns.get(at).copied();
            column.filter(|c| c.fits(bytes, rows)).ok_or_else(short)
        };
        let three =
            |[a, b, c]: [usize; 3]| Ok::<_, Error>(Triple([column(a)?, column(b)?, column(c)?]));
        let color = match layout.color {
            None => None,
            Some(ColorLayout::Packed(at)) => Some(Colors::Packed(column(at)?)),
            Some(ColorLayout::Channels(at)) => {
                let columns = three(at)?;
                Some(Colors::Channels(columns, scale_of(columns, bytes, rows)))
            }
        };
        Ok(PointTable {
            bytes,
            rows,
            position: three(layout.position)?,
            normal: layout.normal.map(three).transpose()?,
            color,
            units: Units::SAME,
        })
    }

    /// The same table, with its coordinates in `units`.
    pub(super) fn in_units(self, units: Units) -> Self {
        PointTable { units, ..self }
    }

    /// Reads all rows.
    ///
    /// # Errors
    /// [`Error::NotFinite`] at the first such row.
    pub(super) fn read(&self) -> Result<PointCloud> {
        let rows = |wanted: bool| if wanted { self.rows } else { 0 };
        let mut positions = vec![[0.0; 3]; self.rows];
        let mut normals = vec![[0.0; 3]; rows(self.normal.is_some())];
        let mut colors = vec![[0; 3]; rows(self.color.is_some())];
        prefer_large(&mut positions);
        prefer_large(&mut normals);
        prefer_large(&mut colors);
        let part = Part {
            positions: &mut positions,
            normals: &mut normals,
            colors: &mut colors,
        };
        self.fill(0, part, self.origin())
            .map_err(|row| Error::NotFinite(Place::Vertex(row)))?;
        Ok(PointCloud {
            positions,
            normals: self.normal.and_then(|_| directed(normals)),
            colors: self.color.map(|_| colors),
        })
    }

    fn origin(&self) -> Origin {
        let Units { scale, offset } = self.units;
        let wide = self.position.0.iter().any(|c| c.scalar.is_wide());
        let [x, y, z] = self.position.0.map(|c| c.get(self.bytes, 0).unwrap_or(0.0));
        let [a, b, c] = scale;
        let [i, j, k] = offset;
        if wide {
            Origin::near([x * a + i, y * b + j, z * c + k])
        } else {
            Origin::default()
        }
    }

    /// Fills `part`, whose first row is row `first`; the error is a row that is not finite.
    fn fill(&self, first: usize, part: Part, origin: Origin) -> std::result::Result<(), usize> {
        let rows = part.positions.len();
        if rows <= BLOCK {
            return self.fill_block(first, part, origin);
        }
        let middle = (rows / 2).next_multiple_of(BLOCK).min(rows);
        let (positions, more_positions) = part.positions.split_at_mut(middle);
        let (normals, more_normals) = part.normals.split_at_mut(middle.min(part.normals.len()));
        let (colors, more_colors) = part.colors.split_at_mut(middle.min(part.colors.len()));
        let head = Part {
            positions,
            normals,
            colors,
        };
        let tail = Part {
            positions: more_positions,
            normals: more_normals,
            colors: more_colors,
        };
        if rows < WORTH_A_THREAD {
            self.fill(first, head, origin)?;
            return self.fill(first + middle, tail, origin);
        }
        let (head, tail) = rayon::join(
            || self.fill(first, head, origin),
            || self.fill(first + middle, tail, origin),
        );
        head.and(tail)
    }

    fn fill_block(
        &self,
        first: usize,
        part: Part,
        origin: Origin,
    ) -> std::result::Result<(), usize> {
        let Part {
            positions,
            normals,
            colors,
        } = part;
        if self.position.is_packed(Scalar::F32) && self.units == Units::SAME {
            copy_floats(&self.position, self.bytes, first, positions);
        } else {
            let Units { scale, offset } = self.units;
            let offset: [f64; 3] = std::array::from_fn(|k| offset[k] - origin.along(k));
            self.position
                .each(self.bytes, first, positions.len(), |row, axis, v| {
                    positions[row][axis] = (v * scale[axis] + offset[axis]) as f32;
                });
        }
        if let Some(columns) = &self.normal {
            if columns.is_packed(Scalar::F32) {
                copy_floats(columns, self.bytes, first, normals);
            } else {
                columns.each(self.bytes, first, normals.len(), |row, axis, v| {
                    normals[row][axis] = v as f32;
                });
            }
            for normal in normals {
                *normal = unit(*normal);
            }
        }
        match &self.color {
            Some(Colors::Channels(columns, scale)) => {
                if columns.is_packed(Scalar::U8) {
                    let mut out = colors.iter_mut();
                    columns.each_packed(self.bytes, first, out.len(), |color| {
                        if let Some(out) = out.next() {
                            *out = color;
                        }
                    });
                } else {
                    columns.each(self.bytes, first, colors.len(), |row, channel, v| {
                        colors[row][channel] = (v as f32 * scale + 0.5) as u8;
                    });
                }
            }
            Some(Colors::Packed(column)) => self.fill_packed_colors(column, first, colors),
            None => {}
        }
        // A float is not finite if its exponent bits are all ones.
        const EXPONENT: u32 = 0x7F80_0000;
        let bad = |p: &[f32; 3]| {
            (p[0].to_bits() & EXPONENT == EXPONENT)
                | (p[1].to_bits() & EXPONENT == EXPONENT)
                | (p[2].to_bits() & EXPONENT == EXPONENT)
        };
        if positions.iter().fold(false, |any, p| any | bad(p)) {
            return Err(first + positions.iter().position(bad).unwrap_or(0));
        }
        Ok(())
    }

    /// Colours as the bytes 0xAARRGGBB of a whole number or of a float with these bits.
    fn fill_packed_colors(&self, column: &Column, first: usize, colors: &mut [[u8; 3]]) {
        let bits = Column {
            scalar: if column.scalar.size() == 4 {
                Scalar::U32
            } else {
                column.scalar
            },
            ..*column
        };
        let mut out = colors.iter_mut();
        bits.each(self.bytes, first, out.len(), |v| {
            if let Some(color) = out.next() {
                let [b, g, r, _] = (v as u32).to_le_bytes();
                *color = [r, g, b];
            }
        });
    }
}

/// Copies vectors of floats, the layout of most files, as quickly as memory allows.
fn copy_floats(columns: &Triple, bytes: &[u8], first: usize, out: &mut [[f32; 3]]) {
    let mut out = out.iter_mut();
    columns.each_packed(
        bytes,
        first,
        out.len(),
        |[a, b, c, d, e, f, g, h, i, j, k, l]| {
            if let Some(out) = out.next() {
                *out = [[a, b, c, d], [e, f, g, h], [i, j, k, l]].map(f32::from_le_bytes);
            }
        },
    );
}

/// What brings colours to 0..=255, from rows spread over the table.
fn scale_of(columns: Triple, bytes: &[u8], rows: usize) -> f32 {
    const SAMPLE: usize = 4096;
    let Triple(columns) = columns;
    if columns.iter().all(|c| c.scalar == Scalar::U8) {
        return 1.0;
    }
    let mut greatest = 0.0_f64;
    for row in (0..rows).step_by((rows / SAMPLE).max(1)) {
        for column in &columns {
            greatest = greatest.max(column.get(bytes, row).unwrap_or(0.0));
        }
    }
    color_scale(greatest, !columns.iter().all(|c| c.scalar.is_float())) as f32
}

#[cfg(test)]
mod tests {
    use super::super::columns::ByteOrder;
    use super::*;
    use half::f16;

    /// Columns of `scalars` side by side.
    fn row_of(scalars: &[Scalar], order: ByteOrder) -> Vec<Column> {
        let stride = scalars.iter().map(|s| s.size()).sum();
        let mut start = 0;
        let mut columns = Vec::new();
        for &scalar in scalars {
            columns.push(Column {
                start,
                stride,
                scalar,
                order,
            });
            start += scalar.size();
        }
        columns
    }

    fn layout(normal: bool, color: Option<ColorLayout>) -> Layout {
        Layout {
            position: [0, 1, 2],
            normal: normal.then_some([3, 4, 5]),
            color,
        }
    }

    #[test]
    fn every_type_and_order() {
        let numbers = [1.0_f64, 2.0, 100.0];
        macro_rules! check {
            ($($scalar:ident $type:ty,)*) => {$(
                for order in [ByteOrder::Little, ByteOrder::Big] {
                    let bytes: Vec<u8> = numbers.iter().flat_map(|&v| match order {
                        ByteOrder::Little => (v as $type).to_le_bytes(),
                        ByteOrder::Big => (v as $type).to_be_bytes(),
                    }).collect();
                    let columns = row_of(&[Scalar::$scalar; 3], order);
                    let table = PointTable::new("X", &bytes, 1, &columns, &layout(false, None));
                    let cloud = table.unwrap().read().unwrap();
                    assert_eq!(cloud.positions, [[1.0, 2.0, 100.0]], "{:?} {order:?}", Scalar::$scalar);
                }
            )*};
        }
        check! {
            I8 i8, U8 u8, I16 i16, U16 u16, I32 i32, U32 u32, I64 i64, U64 u64, F32 f32, F64 f64,
        }
        let bytes: Vec<u8> = numbers
            .iter()
            .flat_map(|&v| f16::from_f64(v).to_be_bytes())
            .collect();
        let columns = row_of(&[Scalar::F16; 3], ByteOrder::Big);
        let table = PointTable::new("X", &bytes, 1, &columns, &layout(false, None));
        assert_eq!(
            table.unwrap().read().unwrap().positions,
            [[1.0, 2.0, 100.0]]
        );
    }

    #[test]
    fn many_rows_are_as_one_by_one() {
        let rows = 3 * WORTH_A_THREAD + 17;
        let scalars = [Scalar::F32; 6]
            .into_iter()
            .chain([Scalar::U8; 3])
            .collect::<Vec<_>>();
        let columns = row_of(&scalars, ByteOrder::Little);
        let mut bytes = Vec::new();
        for row in 0..rows {
            for v in [row as f32, -1.0, 0.5, 0.0, 2.0, 0.0] {
                bytes.extend(v.to_le_bytes());
            }
            bytes.extend([row as u8, 7, 255]);
        }
        let layout = layout(true, Some(ColorLayout::Channels([6, 7, 8])));
        let cloud = PointTable::new("X", &bytes, rows, &columns, &layout)
            .unwrap()
            .read()
            .unwrap();
        let (normals, colors) = (cloud.normals.unwrap(), cloud.colors.unwrap());
        for row in 0..rows {
            assert_eq!(cloud.positions[row], [row as f32, -1.0, 0.5]);
            assert_eq!(normals[row], [0.0, 1.0, 0.0]);
            assert_eq!(colors[row], [row as u8, 7, 255]);
        }
        // The first of several bad rows is named, whichever thread finds its own first.
        for bad in [5, 70_000, 150_000] {
            let at = bad * 27 + 4;
            bytes[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
        }
        let error = PointTable::new("X", &bytes, rows, &columns, &layout)
            .unwrap()
            .read();
        assert!(
            matches!(error, Err(Error::NotFinite(Place::Vertex(5)))),
            "{error:?}"
        );
    }

    #[test]
    fn a_row_too_many_is_an_error() {
        let bytes = [0; 24];
        let columns = row_of(&[Scalar::F32; 3], ByteOrder::Little);
        assert!(PointTable::new("X", &bytes, 2, &columns, &layout(false, None)).is_ok());
        for rows in [3, usize::MAX / 12, usize::MAX] {
            assert!(PointTable::new("X", &bytes, rows, &columns, &layout(false, None)).is_err());
        }
    }

    #[test]
    fn packed_colours_as_number_or_float_bits() {
        let columns = row_of(&[Scalar::F32; 4], ByteOrder::Little);
        let mut bytes = vec![0; 12];
        bytes.extend(0xFF01_0203_u32.to_le_bytes());
        let layout = layout(false, Some(ColorLayout::Packed(3)));
        let cloud = PointTable::new("X", &bytes, 1, &columns, &layout)
            .unwrap()
            .read()
            .unwrap();
        assert_eq!(cloud.colors.unwrap(), [[1, 2, 3]]);
    }

    #[test]
    fn far_doubles_keep_their_detail() {
        let columns = row_of(&[Scalar::F64; 3], ByteOrder::Little);
        let bytes: Vec<u8> = [4e6, 1.0, 2.0, 4e6 + 0.01, 1.0, 2.0]
            .iter()
            .flat_map(|v: &f64| v.to_le_bytes())
            .collect();
        let table = PointTable::new("X", &bytes, 2, &columns, &layout(false, None)).unwrap();
        let cloud = table.read().unwrap();
        assert_eq!(cloud.positions, [[0.0, 1.0, 2.0], [0.01, 1.0, 2.0]]);
    }
}
