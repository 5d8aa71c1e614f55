//! [`Picture`]: a decoded picture file.

mod decode;
mod mask;

use std::borrow::Cow;
use std::path::Path;

use crate::error::{Error, Result};
use crate::plane::{Plane, check_size};

/// A picture in 8-bit colours, upright.
///
/// PNG, JPEG, WebP, BMP, GIF (the first frame), TIFF, PNM and TGA are read, told by content. Grey
/// values become colours, 16-bit and float values 8-bit ones. A rotation that the camera noted
/// (EXIF) is applied; the published code of CLIP does not do so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    height: usize,
    pixels: Pixels,
}

/// Interleaved bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pixels {
    Rgb(Vec<u8>),
    /// Of a file that has a palette.
    Indexed(Vec<u8>),
    Rgba(Vec<u8>),
}

impl Picture {
    /// Reads a picture file.
    ///
    /// # Errors
    /// [`Error::Picture`] if it cannot be read, is no picture, is damaged, or has more than 128
    /// megapixels.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Self::decode(&decode::read(path)?, &path.display().to_string())
    }

    /// Decodes the bytes of a picture file. `name` is for messages; its ending tells a TGA, which
    /// has no other mark.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn decode(bytes: &[u8], name: &str) -> Result<Self> {
        let decoded = decode::decode(bytes, name)?;
        let (width, height) = (decoded.width() as usize, decoded.height() as usize);
        let pixels = if decode::has_palette(bytes) {
            Pixels::Indexed(decoded.to_rgb8().into_raw())
        } else if decoded.color().has_alpha() {
            Pixels::Rgba(decoded.into_rgba8().into_raw())
        } else {
            Pixels::Rgb(decoded.into_rgb8().into_raw())
        };
        Ok(Self {
            width,
            height,
            pixels,
        })
    }

    /// A picture of `width` x `height` pixels from red, green, blue bytes, row by row.
    ///
    /// # Errors
    /// [`Error::Input`] if the number of bytes is another.
    pub fn from_rgb8(width: usize, height: usize, rgb: Vec<u8>) -> Result<Self> {
        Self::from_bytes(width, height, 3, Pixels::Rgb(rgb))
    }

    /// A picture of `width` x `height` pixels from red, green, blue, alpha bytes, row by row.
    ///
    /// # Errors
    /// [`Error::Input`] if the number of bytes is another.
    pub fn from_rgba8(width: usize, height: usize, rgba: Vec<u8>) -> Result<Self> {
        Self::from_bytes(width, height, 4, Pixels::Rgba(rgba))
    }

    fn from_bytes(width: usize, height: usize, channels: usize, pixels: Pixels) -> Result<Self> {
        check_size(width, height)?;
        let (Pixels::Rgb(bytes) | Pixels::Indexed(bytes) | Pixels::Rgba(bytes)) = &pixels;
        if bytes.len() != width * height * channels {
            return Err(Error::input(
                format!("{} bytes for a picture of {width}x{height}", bytes.len()),
                format!("give {channels} bytes a pixel"),
            ));
        }
        Ok(Self {
            width,
            height,
            pixels,
        })
    }

    /// Pixels across.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Pixels down.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Red, green, blue bytes, row by row from the top. Transparency is dropped, not composited.
    pub fn to_rgb8(&self) -> Cow<'_, [u8]> {
        match &self.pixels {
            Pixels::Rgb(rgb) | Pixels::Indexed(rgb) => Cow::Borrowed(rgb),
            Pixels::Rgba(rgba) => {
                let (pixels, _) = rgba.as_chunks::<4>();
                Cow::Owned(pixels.iter().flat_map(|&[r, g, b, _]| [r, g, b]).collect())
            }
        }
    }

    /// Its transparency as a plane, 1 where it is opaque; none if the file has none.
    pub fn alpha(&self) -> Option<Plane> {
        let Pixels::Rgba(rgba) = &self.pixels else {
            return None;
        };
        let (pixels, _) = rgba.as_chunks::<4>();
        let values = pixels.iter().map(|p| f32::from(p[3]) / 255.).collect();
        Some(Plane::trusted(self.width, self.height, values))
    }

    pub(crate) fn pixels(&self) -> &Pixels {
        &self.pixels
    }
}

pub(crate) use mask::{decode_mask, read_mask};

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn png(picture: &image::DynamicImage) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture
            .write_to(&mut bytes, image::ImageFormat::Png)
            .unwrap();
        bytes.into_inner()
    }

    #[test]
    fn every_kind_becomes_colours() {
        let grey = image::GrayImage::from_raw(2, 1, vec![7, 250]).unwrap();
        let picture = Picture::decode(&png(&grey.into()), "grey").unwrap();
        assert_eq!(*picture.to_rgb8(), [7, 7, 7, 250, 250, 250]);
        assert_eq!((picture.width(), picture.height()), (2, 1));
        assert!(picture.alpha().is_none());

        let clear = image::RgbaImage::from_raw(1, 1, vec![1, 2, 3, 51]).unwrap();
        let picture = Picture::decode(&png(&clear.into()), "clear").unwrap();
        assert_eq!(*picture.to_rgb8(), [1, 2, 3]);
        assert_eq!(picture.alpha().unwrap().values(), [0.2]);

        let deep = image::ImageBuffer::<image::Rgb<u16>, _>::from_raw(1, 1, vec![0, 257, 65535]);
        let picture = Picture::decode(&png(&deep.unwrap().into()), "deep").unwrap();
        assert_eq!(*picture.to_rgb8(), [0, 1, 255]);
    }

    #[test]
    fn damaged_files_are_told_by_name() {
        let whole = png(&image::RgbImage::new(40, 30).into());
        for (bytes, words) in [
            (&b""[..], "empty"),
            (b"ply\nformat ascii 1.0\n", "no picture"),
            (&whole[..whole.len() / 2], "damaged"),
            (&whole[..12], "damaged"),
        ] {
            let said = Picture::decode(bytes, "dir/a.png").unwrap_err().to_string();
            assert!(
                said.starts_with("dir/a.png: ") && said.contains(words),
                "{said}"
            );
            assert!(!said.contains('\n'));
        }
        // A header alone that claims more pixels than there is memory for.
        let mut huge = whole;
        huge[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
        let said = Picture::decode(&huge, "a.png").unwrap_err().to_string();
        assert!(said.starts_with("a.png: "), "{said}");
        let said = Picture::open("/no/such/file.png").unwrap_err().to_string();
        assert!(said.contains("/no/such/file.png"), "{said}");
    }

    #[test]
    fn a_noted_rotation_is_applied() {
        let mut jpeg = Vec::new();
        let wide =
            image::RgbImage::from_fn(32, 16, |x, _| image::Rgb([if x < 16 { 0 } else { 255 }; 3]));
        image::DynamicImage::from(wide)
            .write_to(&mut Cursor::new(&mut jpeg), image::ImageFormat::Jpeg)
            .unwrap();
        // An EXIF segment right behind the start: orientation 6, "turn right to see it upright".
        let exif = b"\xff\xe1\x00\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        let turned = [&jpeg[..2], exif, &jpeg[2..]].concat();
        let picture = Picture::decode(&turned, "a.jpg").unwrap();
        assert_eq!((picture.width(), picture.height()), (16, 32));
        let rgb = picture.to_rgb8();
        assert!(rgb[0] < 10 && rgb[rgb.len() - 1] > 245);
    }
}
