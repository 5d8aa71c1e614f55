//! [`Region`]: where in a picture to look.

mod parse;
mod polygon;
mod rle;
mod shapes;

use std::path::Path;

use crate::error::{Error, Result};
use crate::picture::{decode_mask, read_mask};
use crate::plane::{Plane, check_size};
use crate::resize::{Filter, Resampling, resize_planes};

pub use rle::Rle;
pub use shapes::Point;

/// Where in a picture to look. Positions are in pixels from the left and top edges of the upright
/// picture; (0, 0) is the corner, the middle of the first pixel is (0.5, 0.5).
///
/// Edges are soft: a pixel that is covered by half counts half.
///
/// ```
/// use alpha_clip::Region;
///
/// let plane = Region::parse_box("1,0,2.5,2")?.plane(4, 3)?;
/// assert_eq!(plane.values()[..4], [0., 1., 1., 0.5]);
/// assert_eq!(plane.values()[8..], [0., 0., 0., 0.]);
/// # Ok::<(), alpha_clip::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Region {
    /// Everywhere.
    #[default]
    Whole,
    /// A value a pixel, soft values kept. It has the picture's size, or its proportions: then it is
    /// scaled.
    Mask(Plane),
    /// A rectangle; the part of it that lies in the picture counts.
    Box {
        /// Left edge.
        x: f64,
        /// Top edge.
        y: f64,
        /// Pixels across.
        width: f64,
        /// Pixels down.
        height: f64,
    },
    /// Discs around points.
    Points(Vec<Point>),
    /// Polygons, each of at least three corners x, y: what is inside of any of them.
    Polygon(Vec<Vec<[f64; 2]>>),
    /// A run-length encoded mask of COCO. As for masks, another size must have the picture's
    /// proportions.
    Rle(Rle),
    /// The regions together: what is inside of any of them.
    Union(Vec<Region>),
}

impl Region {
    /// The region that a picture file shows: its transparency if it has any, else its grey values,
    /// white being looked at. Soft values are kept. In masks of the values 0 and 1 alone, 1 counts
    /// as white.
    ///
    /// # Errors
    /// [`Error::Picture`] if the file cannot be read, is no picture, or has colours and no
    /// transparency.
    pub fn read_mask(path: impl AsRef<Path>) -> Result<Self> {
        read_mask(path.as_ref()).map(Self::Mask)
    }

    /// As [`read_mask`](Self::read_mask), from the bytes of a file. `name` is for messages.
    ///
    /// # Errors
    /// As [`read_mask`](Self::read_mask).
    pub fn decode_mask(bytes: &[u8], name: &str) -> Result<Self> {
        decode_mask(bytes, name).map(Self::Mask)
    }

    /// The region in a picture of `width` x `height` pixels.
    ///
    /// # Errors
    /// [`Error::EmptyRegion`] if it covers nothing of the picture; [`Error::Input`] if its numbers
    /// make no sense or a mask has other proportions than the picture.
    pub fn plane(&self, width: usize, height: usize) -> Result<Plane> {
        check_size(width, height)?;
        let plane = match self {
            Self::Whole => Plane::filled(width, height, 1.)?,
            Self::Mask(mask) => fitted(mask, width, height)?,
            &Self::Box {
                x,
                y,
                width: across,
                height: down,
            } => shapes::rectangle([x, y, across, down], width, height)?,
            Self::Points(points) => shapes::discs(points, width, height)?,
            Self::Polygon(rings) => polygon::fill(rings, width, height)?,
            Self::Rle(rle) => fitted(&rle.plane(), width, height)?,
            Self::Union(parts) => {
                let mut parts = parts.iter().map(|part| part.plane(width, height));
                let first = parts.next().ok_or_else(|| {
                    Error::input("a union of no regions", "give at least one region")
                })??;
                parts.try_fold(first, |all, part| Ok::<_, Error>(all.join(&part?)))?
            }
        };
        if plane.is_empty() {
            return Err(Error::EmptyRegion {
                what: self.describe(width, height),
            });
        }
        Ok(plane)
    }

    fn describe(&self, w: usize, h: usize) -> String {
        match self {
            Self::Whole => "the whole".to_owned(),
            Self::Mask(_) => "the mask".to_owned(),
            Self::Box {
                x,
                y,
                width,
                height,
            } => format!("the box {x},{y},{width},{height} in a picture of {w}x{h}"),
            Self::Points(points) => match points.as_slice() {
                [point] => format!("the point {},{} in a picture of {w}x{h}", point.x, point.y),
                points => format!("the {} points in a picture of {w}x{h}", points.len()),
            },
            Self::Polygon(_) => format!("the polygon in a picture of {w}x{h}"),
            Self::Rle(_) => "the run-length encoded mask".to_owned(),
            Self::Union(_) => "the union of regions".to_owned(),
        }
    }
}

/// A mask brought to the size of a picture of the same proportions.
fn fitted(mask: &Plane, width: usize, height: usize) -> Result<Plane> {
    let from = (mask.width(), mask.height());
    if from == (width, height) {
        return Ok(mask.clone());
    }
    // A scaled side is a whole number of pixels, so it may be off by less than one.
    let off = |a: usize, b: usize, c: usize, d: usize| (a * d).abs_diff(b * c) < c.max(d);
    if !off(from.0, from.1, width, height) && !off(width, height, from.0, from.1) {
        return Err(Error::input(
            format!(
                "the mask is {}x{}, the picture {width}x{height}",
                from.0, from.1
            ),
            "give a mask of the picture's size, or of its proportions",
        ));
    }
    let smooth = Resampling::Float {
        filter: Filter::Bilinear,
        antialias: true,
    };
    let columns = smooth.taps(from.0, width, 0..width);
    let rows = smooth.taps(from.1, height, 0..height);
    let mut values = resize_planes(mask.values(), (from.1, from.0), &columns, &rows);
    // Weights that sum to 1 but for rounding.
    values.iter_mut().for_each(|v| *v = v.clamp(0., 1.));
    Ok(Plane::trusted(width, height, values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_of_equal_proportions_are_scaled() {
        let mask = Plane::new(4, 2, vec![1., 1., 0., 0., 1., 1., 0., 0.]).unwrap();
        let region = Region::Mask(mask.clone());
        assert_eq!(region.plane(4, 2).unwrap(), mask);
        let larger = region.plane(8, 4).unwrap();
        assert_eq!((larger.width(), larger.height()), (8, 4));
        assert!(
            larger
                .values()
                .chunks(8)
                .all(|row| row[0] == 1. && row[7] == 0.)
        );
        assert!((larger.mean() - 0.5).abs() < 1e-6);
        assert_eq!(region.plane(2, 1).unwrap().values().len(), 2);
        let said = region.plane(2, 4).unwrap_err().to_string();
        assert_eq!(
            said,
            "the mask is 4x2, the picture 2x4; give a mask of the picture's size, or of its \
             proportions"
        );
    }

    #[test]
    fn a_thumbnail_is_off_by_less_than_a_pixel() {
        let mask = |w, h| Region::Mask(Plane::filled(w, h, 1.).unwrap());
        for (w, h) in [(500, 333), (500, 334), (250, 167), (3000, 2001)] {
            assert!(mask(w, h).plane(1000, 667).is_ok(), "{w}x{h}");
        }
        for (w, h) in [(500, 330), (667, 1000), (224, 224), (1000, 669)] {
            assert!(mask(w, h).plane(1000, 667).is_err(), "{w}x{h}");
        }
    }

    #[test]
    fn nothing_is_no_region() {
        let said = |region: Region| region.plane(10, 8).unwrap_err().to_string();
        let empty = Region::Mask(Plane::filled(10, 8, 0.).unwrap());
        assert!(said(empty).starts_with("the mask covers nothing of the picture; "));
        let beside = Region::parse_box("10,0,5,5").unwrap();
        assert_eq!(
            said(beside),
            "the box 10,0,5,5 in a picture of 10x8 covers nothing of the picture; choose a \
             region inside it"
        );
        assert!(said(Region::Union(vec![])).contains("at least one"));
        assert!(Region::Whole.plane(0, 5).is_err());
    }

    #[test]
    fn regions_are_united() {
        let part = |text| Region::parse_box(text).unwrap();
        let both = Region::Union(vec![part("0,0,1,1"), part("2,0,0.5,1")]);
        assert_eq!(both.plane(3, 1).unwrap().values(), [1., 0., 0.5]);
    }
}
