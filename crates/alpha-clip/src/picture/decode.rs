//! Bytes to pixels.

use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use crate::error::{Error, Result};
use crate::plane::MAX_PIXELS;

/// No side may be longer.
const MAX_SIDE: u32 = 1 << 16;
/// What decoding one picture may take.
const MAX_BYTES: u64 = 1 << 30;

pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| Error::Picture {
        file: path.display().to_string(),
        what: format!("cannot be read ({e})"),
        remedy: "check the path and its permissions".to_owned(),
    })
}

/// The picture in its own colour type, upright.
pub(super) fn decode(bytes: &[u8], name: &str) -> Result<DynamicImage> {
    let refuse = |what: String, remedy: &str| Error::Picture {
        file: name.to_owned(),
        what,
        remedy: remedy.to_owned(),
    };
    if bytes.is_empty() {
        return Err(refuse("is empty".to_owned(), "give a picture file"));
    }
    let broken = |error: ImageError| match error {
        ImageError::Limits(_) => too_large(name),
        ImageError::Unsupported(error) => refuse(
            format!(
                "is a kind of picture that is not read ({})",
                one_line(&error)
            ),
            "save it as PNG",
        ),
        error => refuse(
            format!("is damaged ({})", one_line(&error)),
            "restore the file, or save it as PNG",
        ),
    };
    let mut reader = ImageReader::new(Cursor::new(bytes));
    match format(bytes, name) {
        Some(format) => reader.set_format(format),
        None => {
            return Err(refuse(
                "is no picture of a known kind".to_owned(),
                "give PNG, JPEG, WebP, BMP, GIF, TIFF, PNM or TGA",
            ));
        }
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(broken)?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(refuse("has no pixel".to_owned(), "give another picture"));
    }
    if width as usize * height as usize > MAX_PIXELS || decoder.total_bytes() > MAX_BYTES {
        return Err(too_large(name));
    }
    let orientation = decoder.orientation().map_err(broken)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(broken)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

fn too_large(name: &str) -> Error {
    Error::Picture {
        file: name.to_owned(),
        what: "has more than 128 megapixels".to_owned(),
        remedy: "scale it down first".to_owned(),
    }
}

fn format(bytes: &[u8], name: &str) -> Option<ImageFormat> {
    let tga = Path::new(name)
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("tga"));
    image::guess_format(bytes)
        .ok()
        .or(tga.then_some(ImageFormat::Tga))
}

/// Whether a PNG's header says that its pixels are indices. (Pillow resamples such pictures by
/// the nearest neighbour.)
pub(super) fn has_palette(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x89PNG\r\n\x1a\n") && bytes.get(25) == Some(&3)
}

/// What a decoder said, on one line.
fn one_line(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
