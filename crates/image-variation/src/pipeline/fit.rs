//! Pictures and masks brought to the size of a run.

use alpha_clip::{Picture, Plane};
use candle_core::{Device, Tensor};
use image::imageops::{self, FilterType};
use image::{ImageBuffer, Luma, Pixel, RgbImage};

use super::request::{Keep, Start};
use crate::error::{Error, Result};

impl Start {
    /// Changes a picture, brought to `size` (width and height): its middle is cut out in the
    /// shape of `size` and resampled (Lanczos). Nothing of it is kept for certain.
    ///
    /// # Errors
    /// [`Error::Tensor`] if memory is short.
    pub fn new(picture: &Picture, size: (usize, usize), strength: f64) -> Result<Self> {
        let (width, height) = (picture.width(), picture.height());
        let pixels =
            RgbImage::from_raw(side(width)?, side(height)?, picture.to_rgb8().into_owned());
        let fitted = fitted(pixels, size)?.into_raw();
        let values: Vec<f32> = fitted.iter().map(|v| f32::from(*v) / 255.).collect();
        let (width, height) = size;
        let picture = Tensor::from_vec(values, (1, height, width, 3), &Device::Cpu)?;
        Ok(Self {
            picture: picture.permute((0, 3, 1, 2))?.contiguous()?,
            strength,
            keep: None,
        })
    }

    /// Keeps what lies outside a region of the picture, which is brought to its size like the
    /// picture was; see [`Keep`].
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn keeping_outside(mut self, region: &Plane, feather: f64) -> Result<Self> {
        let (_, _, height, width) = self.picture.dims4()?;
        let pixels: Option<ImageBuffer<Luma<f32>, Vec<f32>>> = ImageBuffer::from_raw(
            side(region.width())?,
            side(region.height())?,
            region.values().to_vec(),
        );
        let values = fitted(pixels, (width, height))?.into_raw();
        self.keep = Some(Keep {
            mask: Tensor::from_vec(values, (1, 1, height, width), &Device::Cpu)?,
            feather,
        });
        Ok(self)
    }
}

/// The size in the shape of a picture of `picture` pixels (width and height) that has about the
/// area of a square of `side`, in multiples of `factor`; a longer one than 4:1 loses its ends.
pub(super) fn size_like(picture: (usize, usize), side: usize, factor: usize) -> (usize, usize) {
    const LONGEST: f64 = 4.;
    let ratio = picture.0.max(1) as f64 / picture.1.max(1) as f64;
    let root = ratio.clamp(1. / LONGEST, LONGEST).sqrt();
    let fit = |length: f64| ((length / factor as f64).round() as usize).max(1) * factor;
    (fit(side as f64 * root), fit(side as f64 / root))
}

fn side(length: usize) -> Result<u32> {
    u32::try_from(length)
        .map_err(|_| Error::input(format!("{length} pixels are too many"), "make it smaller"))
}

/// The middle in the shape of `size`, resampled to it; as it is if it has that size.
fn fitted<P>(
    pixels: Option<ImageBuffer<P, Vec<P::Subpixel>>>,
    (width, height): (usize, usize),
) -> Result<ImageBuffer<P, Vec<P::Subpixel>>>
where
    P: Pixel + 'static,
{
    let Some(pixels) = pixels.filter(|_| width > 0 && height > 0) else {
        return Err(Error::input(
            "a picture without pixels",
            "give another size",
        ));
    };
    let (w, h) = (u64::from(pixels.width()), u64::from(pixels.height()));
    let (to_w, to_h) = (u64::from(side(width)?), u64::from(side(height)?));
    // The largest window of that shape; halves of a pixel go up.
    let window_w = w.min((2 * h * to_w + to_h) / (2 * to_h)).max(1);
    let window_h = h.min((2 * w * to_h + to_w) / (2 * to_w)).max(1);
    let (left, top) = ((w - window_w) / 2, (h - window_h) / 2);
    let window = imageops::crop_imm(
        &pixels,
        left as u32,
        top as u32,
        window_w as u32,
        window_h as u32,
    )
    .to_image();
    Ok(imageops::resize(
        &window,
        to_w as u32,
        to_h as u32,
        FilterType::Lanczos3,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::golden::flat;

    /// Red to the left of a column, black elsewhere.
    fn picture(width: usize, height: usize, column: usize) -> Picture {
        let red = |i: usize| {
            if i % width < column {
                [255, 0, 0]
            } else {
                [0; 3]
            }
        };
        let bytes = (0..width * height).flat_map(red).collect();
        Picture::from_rgb8(width, height, bytes).unwrap()
    }

    fn region(width: usize, height: usize, column: usize) -> Plane {
        let value = |i: usize| if i % width < column { 1. } else { 0. };
        Plane::new(width, height, (0..width * height).map(value).collect()).unwrap()
    }

    #[test]
    fn a_picture_of_the_size_is_not_changed() {
        let start = Start::new(&picture(16, 8, 4), (16, 8), 0.5).unwrap();
        let start = start.keeping_outside(&region(16, 8, 5), 2.).unwrap();
        assert_eq!(start.picture.dims(), [1, 3, 8, 16]);
        let red = &flat(&start.picture)[..16];
        assert_eq!(red[..6], [1., 1., 1., 1., 0., 0.]);
        let keep = start.keep.unwrap();
        assert_eq!(keep.mask.dims(), [1, 1, 8, 16]);
        assert_eq!(flat(&keep.mask)[3..6], [1., 1., 0.]);
    }

    #[test]
    fn the_middle_is_cut_out_of_picture_and_region_alike() {
        // Of 40×20 the columns 10 to 29; red ends in their middle.
        let start = Start::new(&picture(40, 20, 20), (8, 8), 1.).unwrap();
        let start = start.keeping_outside(&region(40, 20, 20), 0.).unwrap();
        let (red, mask) = (flat(&start.picture), flat(&start.keep.unwrap().mask));
        for plane in [&red[..8], &mask[..8]] {
            assert!(plane[..3].iter().all(|v| *v > 0.9), "{plane:?}");
            assert!(plane[5..].iter().all(|v| *v < 0.1), "{plane:?}");
        }
    }

    #[test]
    fn sizes_keep_shape_and_area() {
        assert_eq!(size_like((1000, 1000), 512, 8), (512, 512));
        assert_eq!(size_like((1600, 900), 512, 8), (680, 384));
        assert_eq!(size_like((100_000, 1), 512, 8), (1024, 256));
        assert_eq!(size_like((0, 0), 64, 8), (64, 64));
    }
}
