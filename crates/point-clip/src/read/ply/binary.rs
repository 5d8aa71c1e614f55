//! Binary rows. Rows of fixed size go through [`PointTable`] at memory speed; rows with lists are
//! walked.

use super::header::{Element, Kind, Property};
use super::{FORMAT, FaceList, Role, checked_count, list_length, truncated};
use crate::PointCloud;
use crate::error::{Place, Result};
use crate::read::columns::{ByteOrder, Column, Scalar};
use crate::read::fields::Layout;
use crate::read::point_table::PointTable;

/// Reads the elements of `plan` from `rest`.
pub(super) fn read<'a>(
    mut rest: &'a [u8],
    order: ByteOrder,
    plan: &[(&'a Element, Role)],
) -> Result<(PointCloud, FaceList)> {
    let mut vertices = PointCloud::default();
    let mut faces = FaceList::default();
    for &(element, role) in plan {
        let least = element.least_bytes();
        if least == 0 {
            continue;
        }
        let count = checked_count(element, rest.len(), least)?;
        let mut rows = Rows {
            rest,
            order,
            element,
        };
        match role {
            Role::Vertices(layout) if element.has_lists() => {
                let scalars = rows.scalars(count)?;
                vertices = points(&scalars, count, order, element, &layout)?;
                rest = rows.rest;
            }
            Role::Polygons(list) | Role::Strips(list) => {
                rows.add_faces(count, role, list, &mut faces)?;
                rest = rows.rest;
            }
            Role::Other if element.has_lists() => {
                for row in 0..count {
                    rows.next(row, |_, _, _| Ok(()))?;
                }
                rest = rows.rest;
            }
            Role::Vertices(_) | Role::Other => {
                let (body, after) = rest.split_at_checked(count * least).unwrap_or((rest, &[]));
                if let Role::Vertices(layout) = role {
                    vertices = points(body, count, order, element, &layout)?;
                }
                rest = after;
            }
        }
    }
    Ok((vertices, faces))
}

/// The points in `rows` rows of the scalar properties of `element`.
fn points(
    bytes: &[u8],
    rows: usize,
    order: ByteOrder,
    element: &Element,
    layout: &Layout,
) -> Result<PointCloud> {
    let scalars = || {
        element.properties.iter().map(|p| match p.kind {
            Kind::Scalar(scalar) => Some(scalar),
            Kind::List { .. } => None,
        })
    };
    let stride = scalars().flatten().map(Scalar::size).sum();
    let mut start = 0;
    let columns: Vec<Column> = scalars()
        .map(|scalar| {
            // A list has no column; no layout refers to it.
            let column = Column {
                start,
                stride,
                scalar: scalar.unwrap_or(Scalar::U8),
                order,
            };
            start += scalar.map_or(0, Scalar::size);
            column
        })
        .collect();
    PointTable::new(FORMAT, bytes, rows, &columns, layout)?.read()
}

/// A walk over rows with lists.
struct Rows<'a> {
    rest: &'a [u8],
    order: ByteOrder,
    element: &'a Element,
}

impl<'a> Rows<'a> {
    /// Steps over one row; `each` gets the number of a property, the type of its numbers and their
    /// bytes.
    #[inline]
    fn next(
        &mut self,
        row: usize,
        mut each: impl FnMut(usize, Option<Scalar>, &'a [u8]) -> Result<()>,
    ) -> Result<()> {
        for (at, property) in self.element.properties.iter().enumerate() {
            match property.kind {
                Kind::Scalar(scalar) => each(at, None, self.take(row, 1, scalar)?)?,
                Kind::List { length, item } => {
                    let bytes = self.take(row, 1, length)?;
                    let length = match (length, bytes) {
                        (Scalar::U8, &[length]) => usize::from(length),
                        _ => {
                            let length = packed(length, self.order).get(bytes, 0);
                            list_length(length.unwrap_or(0.0), Place::Face(row))?
                        }
                    };
                    each(at, Some(item), self.take(row, length, item)?)?;
                }
            }
        }
        Ok(())
    }

    #[inline]
    fn take(&mut self, row: usize, count: usize, scalar: Scalar) -> Result<&'a [u8]> {
        let bytes = count.checked_mul(scalar.size());
        match bytes.and_then(|bytes| self.rest.split_at_checked(bytes)) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(truncated(self.element, row)),
        }
    }

    /// The scalars of `count` rows without what is in lists.
    fn scalars(&mut self, count: usize) -> Result<Vec<u8>> {
        let mut scalars = Vec::new();
        for row in 0..count {
            self.next(row, |_, item, bytes| {
                if item.is_none() {
                    scalars.extend_from_slice(bytes);
                }
                Ok(())
            })?;
        }
        Ok(scalars)
    }

    /// Adds the faces in the lists numbered `list`.
    fn add_faces(
        &mut self,
        count: usize,
        role: Role,
        list: usize,
        faces: &mut FaceList,
    ) -> Result<()> {
        let order = self.order;
        let mut corners = Vec::new();
        // Most files hold triangles of 4-byte indices.
        faces
            .faces
            .reserve(count.min(self.rest.len() / (self.element.least_bytes() + 12)));
        let plain = matches!(role, Role::Polygons(_))
            && order == ByteOrder::Little
            && matches!(
                self.element.properties.as_slice(),
                [Property {
                    kind: Kind::List {
                        length: Scalar::U8,
                        item: Scalar::I32 | Scalar::U32
                    },
                    ..
                }]
            );
        for row in 0..count {
            if plain && let Some((triangle, rest)) = plain_triangle(self.rest) {
                self.rest = rest;
                faces.faces.triangle(triangle, Place::Face(row));
                continue;
            }
            self.next(row, |at, item, bytes| match item {
                Some(item) if at == list => {
                    corners.clear();
                    let numbers = bytes.len() / item.size();
                    packed(item, order).each(bytes, 0, numbers, |corner| corners.push(corner));
                    faces.add(role, &corners, Place::Face(row))
                }
                _ => Ok(()),
            })?;
        }
        Ok(())
    }
}

/// The triangle at the beginning of `rest`, if its length is a byte and its corners are
/// little-endian numbers of 4 bytes, and what follows it. That is what most files hold.
#[inline]
fn plain_triangle(rest: &[u8]) -> Option<([u32; 3], &[u8])> {
    let (&[3, a, b, c, d, e, f, g, h, i, j, k, l], rest) = rest.split_first_chunk()? else {
        return None;
    };
    let corners = [[a, b, c, d], [e, f, g, h], [i, j, k, l]].map(u32::from_le_bytes);
    // Greater ones may be negative numbers, which the common way tells.
    corners
        .iter()
        .all(|&corner| corner <= i32::MAX as u32)
        .then_some((corners, rest))
}

/// Numbers without gaps.
fn packed(scalar: Scalar, order: ByteOrder) -> Column {
    Column {
        start: 0,
        stride: scalar.size(),
        scalar,
        order,
    }
}
