//! A picture and a region as input of a tower.

use candle_core::{Device, Tensor};

use super::{ColourOrder, Framing, Geometry, Preprocess, RegionGeometry};
use crate::error::{Error, Result};
use crate::picture::{Picture, Pixels};
use crate::plane::Plane;
use crate::region::Region;
use crate::resize::{Resampling, resize_8bit, resize_planes};
use crate::views::{Views, VisionInput};

impl Preprocess {
    /// One picture and the region to look at, as the tower takes them: pixels [1, 3, R, R] and
    /// alpha [1, 1, R, R], on the CPU.
    ///
    /// ```
    /// use alpha_clip::{Picture, Preprocess, Region};
    ///
    /// let picture = Picture::from_rgb8(300, 200, vec![128; 300 * 200 * 3])?;
    /// let left = Region::parse_box("50,0,100,200")?;
    /// let input = Preprocess::clip(224).prepare(&picture, &left)?;
    /// assert_eq!(input.pixels.dims(), [1, 3, 224, 224]);
    /// # Ok::<(), alpha_clip::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::EmptyRegion`] and [`Error::Input`] as for [`Region::plane`]; [`Error::Input`] if
    /// nothing of the region is left in the square that the tower sees.
    pub fn prepare(&self, picture: &Picture, region: &Region) -> Result<VisionInput> {
        self.prepare_views(picture, region)?.normalise(self)
    }

    /// As [`prepare`](Self::prepare), but not normalised: what the tower sees, to be looked at.
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare).
    pub fn prepare_views(&self, picture: &Picture, region: &Region) -> Result<Views> {
        let side = self.size;
        if side == 0 {
            return Err(Error::input(
                "the preprocessing has size 0",
                "give the tower's image size",
            ));
        }
        let (width, height) = (picture.width(), picture.height());
        // A picture a thousand times as wide as high would be scaled to that width.
        let longest = width.max(height).saturating_mul(side) / width.min(height);
        if longest > MAX_SCALED {
            return Err(Error::input(
                format!("a picture of {width}x{height} pixels is too narrow"),
                "cut out the part that matters",
            ));
        }
        let rgb = self.rgb(picture);
        let alpha = self.alpha(region, width, height)?;
        if alpha.iter().all(|v| *v == 0.) {
            return Err(Error::input(
                format!(
                    "nothing of the region is left in the {side}x{side} pixels that the model \
                     sees of the {width}x{height} picture"
                ),
                "choose a larger region nearer to the middle, or squash the picture",
            ));
        }
        Views::new(
            Tensor::from_vec(rgb, (1, 3, side, side), &Device::Cpu)?,
            Tensor::from_vec(alpha, (1, 1, side, side), &Device::Cpu)?,
        )
    }

    /// Three planes of R x R in 0..=1.
    fn rgb(&self, picture: &Picture) -> Vec<f32> {
        let size = (picture.width(), picture.height());
        let framing = self.geometry.framing(size.0, size.1, self.size);
        let Resampling::Pillow(_) = self.resampling else {
            let (columns, rows) = framing.taps(self.resampling, size, self.size);
            let rgb = unit_planes(&picture.to_rgb8());
            return resize_planes(&rgb, (size.1, size.0), &columns, &rows);
        };
        let resized = |bytes: &[u8], channels| {
            let (columns, rows) = framing.taps(self.resampling, size, self.size);
            resize_8bit(bytes, size.0, channels, &columns, &rows)
        };
        let file_mode = self.colour == ColourOrder::FileMode;
        let bytes = match picture.pixels() {
            Pixels::Rgba(rgba) if file_mode => {
                let (pixels, _) = rgba.as_chunks::<4>();
                let weighted: Vec<u8> = pixels.iter().copied().flat_map(weighted).collect();
                let resized = resized(&weighted, 4);
                let (pixels, _) = resized.as_chunks::<4>();
                pixels.iter().copied().flat_map(unweighted).collect()
            }
            Pixels::Indexed(rgb) if file_mode => nearest(rgb, size, framing, self.size),
            _ => resized(&picture.to_rgb8(), 3),
        };
        unit_planes(&bytes)
    }

    /// A plane of R x R in 0..=1.
    fn alpha(&self, region: &Region, width: usize, height: usize) -> Result<Vec<f32>> {
        let geometry = match self.region_geometry {
            RegionGeometry::Aligned => self.geometry,
            RegionGeometry::Squash => Geometry::Squash,
        };
        // What is beside the picture is not looked at.
        if *region == Region::Whole && geometry != Geometry::Pad {
            return Ok(vec![1.; self.size * self.size]);
        }
        let plane = region.plane(width, height)?;
        let framing = geometry.framing(width, height, self.size);
        let (columns, rows) = framing.taps(self.region_resampling, (width, height), self.size);
        let mut alpha = match self.region_resampling {
            Resampling::Pillow(_) => {
                let bytes = eight_bit(&plane);
                let bytes = resize_8bit(&bytes, width, 1, &columns, &rows);
                bytes.into_iter().map(|v| f32::from(v) / 255.).collect()
            }
            Resampling::Float { .. } => {
                resize_planes(plane.values(), (height, width), &columns, &rows)
            }
        };
        for value in &mut alpha {
            // Weights that sum to 1 but for rounding.
            *value = value.clamp(0., 1.);
            if self.region_binary && *value < 1. {
                *value = 0.;
            }
        }
        Ok(alpha)
    }
}

/// The longer side of a picture whose shorter side is scaled to the tower's.
const MAX_SCALED: usize = 1 << 20;

fn eight_bit(plane: &Plane) -> Vec<u8> {
    plane
        .values()
        .iter()
        .map(|v| (v * 255.).round() as u8)
        .collect()
}

/// Interleaved bytes as three planes in 0..=1.
fn unit_planes(rgb: &[u8]) -> Vec<f32> {
    let (pixels, _) = rgb.as_chunks::<3>();
    let mut planes = Vec::with_capacity(rgb.len());
    for channel in 0..3 {
        planes.extend(pixels.iter().map(|p| f32::from(p[channel]) / 255.));
    }
    planes
}

/// Colours weighted by opacity, as Pillow rounds them.
fn weighted([r, g, b, a]: [u8; 4]) -> [u8; 4] {
    let times = |c: u8| {
        let product = u32::from(c) * u32::from(a) + 128;
        (((product >> 8) + product) >> 8) as u8
    };
    [times(r), times(g), times(b), a]
}

/// The colours back, the opacity dropped.
fn unweighted([r, g, b, a]: [u8; 4]) -> [u8; 3] {
    [r, g, b].map(|c| {
        let whole = u32::from(c) * 255;
        whole.checked_div(a.into()).map_or(c, |c| c.min(255) as u8)
    })
}

/// The nearest pixels of interleaved RGB; black beside the picture.
fn nearest(rgb: &[u8], (width, height): (usize, usize), framing: Framing, side: usize) -> Vec<u8> {
    let (pixels, _) = rgb.as_chunks::<3>();
    let sources = |start: isize, from: usize, to: usize, offset: usize, length: usize| {
        let scale = from as f64 / to as f64;
        (offset..offset + side).map(move |i| {
            let source = ((i as f64 + 0.5) * scale) as usize;
            let place = start.checked_add_unsigned(source.min(from - 1))?;
            usize::try_from(place).ok().filter(|place| *place < length)
        })
    };
    let (window, scaled, offset) = (framing.window, framing.scaled, framing.offset);
    let mut out = Vec::with_capacity(side * side * 3);
    for row in sources(window.top, window.height, scaled.1, offset.1, height) {
        for column in sources(window.left, window.width, scaled.0, offset.0, width) {
            let pixel = row
                .zip(column)
                .and_then(|(row, column)| pixels.get(row * width + column));
            out.extend(pixel.copied().unwrap_or_default());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alpha(preprocess: &Preprocess, region: &Region, w: usize, h: usize) -> Result<Vec<f32>> {
        let picture = Picture::from_rgb8(w, h, vec![200; w * h * 3])?;
        let views = preprocess.prepare_views(&picture, region)?;
        Ok(views.alpha.flatten_all()?.to_vec1()?)
    }

    #[test]
    fn the_region_follows_the_picture_in_every_geometry() {
        // The left half of a picture twice as wide as high.
        let region = Region::parse_box("0,0,40,40").unwrap();
        let half = |geometry| {
            let preprocess = Preprocess {
                geometry,
                ..Preprocess::clip(16)
            };
            let plane = alpha(&preprocess, &region, 80, 40).unwrap();
            assert!((plane[8 * 16 + 2] - 1.).abs() < 1e-2 && plane[8 * 16 + 13] < 1e-2);
            plane
        };
        for geometry in [Geometry::Clip, Geometry::Squash, Geometry::CentreSquare] {
            let plane = half(geometry);
            assert!((plane.iter().sum::<f32>() / 256. - 0.5).abs() < 0.01);
        }
        assert!(half(Geometry::Pad)[2] < 1e-2);
        let padded = Preprocess::alpha_clip_training(16, false);
        let whole = alpha(&padded, &Region::Whole, 80, 40).unwrap();
        assert_eq!((whole[0], whole[8 * 16]), (0., 1.));
    }

    #[test]
    fn a_region_that_is_cut_off_is_an_error() {
        let edge = Region::parse_box("0,0,10,10").unwrap();
        let said = alpha(&Preprocess::clip(16), &edge, 200, 40).unwrap_err();
        assert_eq!(
            said.to_string(),
            "nothing of the region is left in the 16x16 pixels that the model sees of the 200x40 \
             picture; choose a larger region nearer to the middle, or squash the picture"
        );
        assert!(alpha(&Preprocess::squash(16), &edge, 200, 40).is_ok());
        assert!(alpha(&Preprocess::clip(224), &Region::Whole, 100_000, 1).is_err());
        assert!(
            alpha(
                &Preprocess {
                    size: 0,
                    ..Preprocess::clip(1)
                },
                &Region::Whole,
                4,
                4
            )
            .is_err()
        );
    }

    #[test]
    fn colours_survive_weighting_where_they_are_opaque() {
        for c in 0..=255 {
            assert_eq!(unweighted(weighted([c, 255 - c, 7, 255])), [c, 255 - c, 7]);
            assert_eq!(weighted([c, c, c, 0]), [0; 4]);
        }
        assert_eq!(unweighted([9, 200, 0, 100]), [22, 255, 0]);
    }

    #[test]
    fn a_palette_is_never_mixed() {
        let rgb: Vec<u8> = (0..30 * 20)
            .flat_map(|i| if i % 3 == 0 { [0; 3] } else { [255; 3] })
            .collect();
        for geometry in [
            Geometry::Clip,
            Geometry::Squash,
            Geometry::CentreSquare,
            Geometry::Pad,
        ] {
            let out = nearest(&rgb, (30, 20), geometry.framing(30, 20, 16), 16);
            assert_eq!(out.len(), 16 * 16 * 3);
            assert!(out.iter().all(|v| *v == 0 || *v == 255));
        }
    }
}
