//! Picture files that are masks.

use std::path::Path;

use image::{ColorType, DynamicImage};

use super::decode;
use crate::error::{Error, Result};
use crate::plane::Plane;

/// The region that a mask file shows.
pub(crate) fn read_mask(path: &Path) -> Result<Plane> {
    decode_mask(&decode::read(path)?, &path.display().to_string())
}

/// The transparency of a picture that has any; else its grey values, white being looked at.
/// Masks that know 0 and 1 only count 1 as white.
pub(crate) fn decode_mask(bytes: &[u8], name: &str) -> Result<Plane> {
    let picture = decode::decode(bytes, name)?;
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let alpha = picture.color().has_alpha().then(|| alpha(&picture));
    let values = match alpha.filter(|alpha| alpha.iter().any(|v| *v < 1.)) {
        Some(alpha) => alpha,
        None => grey(&picture).ok_or_else(|| Error::Picture {
            file: name.to_owned(),
            what: "has colours and no transparency, it shows no region".to_owned(),
            remedy: "give a grey picture (white is looked at), or one with transparency".to_owned(),
        })?,
    };
    Ok(Plane::trusted(width, height, values))
}

fn alpha(picture: &DynamicImage) -> Vec<f32> {
    match picture {
        DynamicImage::ImageLumaA16(p) => p.pixels().map(|p| sixteen(p.0[1])).collect(),
        DynamicImage::ImageRgba16(p) => p.pixels().map(|p| sixteen(p.0[3])).collect(),
        DynamicImage::ImageRgba32F(p) => p.pixels().map(|p| unit(p.0[3])).collect(),
        other => other.to_rgba8().pixels().map(|p| eight(p.0[3])).collect(),
    }
}

/// None if a pixel has a colour.
fn grey(picture: &DynamicImage) -> Option<Vec<f32>> {
    let values: Vec<f32> = match picture {
        DynamicImage::ImageLuma8(p) => return Some(labels(p.as_raw().iter().copied())),
        DynamicImage::ImageLuma16(p) => p.pixels().map(|p| sixteen(p.0[0])).collect(),
        DynamicImage::ImageLumaA16(p) => p.pixels().map(|p| sixteen(p.0[0])).collect(),
        DynamicImage::ImageRgb32F(p) => p
            .pixels()
            .map(|p| same(p.0).map(unit))
            .collect::<Option<_>>()?,
        DynamicImage::ImageRgba32F(p) => p
            .pixels()
            .map(|&image::Rgba([r, g, b, _])| same([r, g, b]).map(unit))
            .collect::<Option<_>>()?,
        other => {
            let deep = matches!(other.color(), ColorType::Rgb16 | ColorType::Rgba16);
            let rgb = (!deep).then(|| other.to_rgb8());
            match rgb {
                Some(rgb) => {
                    let bytes: Option<Vec<u8>> = rgb.pixels().map(|p| same(p.0)).collect();
                    return Some(labels(bytes?.into_iter()));
                }
                None => other
                    .to_rgb16()
                    .pixels()
                    .map(|p| same(p.0).map(sixteen))
                    .collect::<Option<_>>()?,
            }
        }
    };
    Some(values)
}

fn same<T: Copy + PartialEq>([r, g, b]: [T; 3]) -> Option<T> {
    (r == g && g == b).then_some(r)
}

fn labels(bytes: impl Iterator<Item = u8> + Clone) -> Vec<f32> {
    let most = bytes.clone().max();
    let white = if most == Some(1) { 1. } else { 255. };
    bytes.map(|v| f32::from(v) / white).collect()
}

fn eight(value: u8) -> f32 {
    f32::from(value) / 255.
}

fn sixteen(value: u16) -> f32 {
    f32::from(value) / 65_535.
}

fn unit(value: f32) -> f32 {
    if value.is_nan() {
        0.
    } else {
        value.clamp(0., 1.)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn mask(picture: impl Into<DynamicImage>) -> Result<Vec<f32>> {
        let mut bytes = Cursor::new(Vec::new());
        let format = image::ImageFormat::Png;
        picture.into().write_to(&mut bytes, format).unwrap();
        Ok(decode_mask(bytes.get_ref(), "m.png")?.into_values())
    }

    #[test]
    fn grey_alpha_and_labels() {
        let grey = |values| image::GrayImage::from_raw(2, 1, values).unwrap();
        assert_eq!(mask(grey(vec![51, 255])).unwrap(), [0.2, 1.]);
        assert_eq!(mask(grey(vec![0, 1])).unwrap(), [0., 1.]);
        assert_eq!(mask(grey(vec![0, 0])).unwrap(), [0., 0.]);
        let rgba = |values| image::RgbaImage::from_raw(1, 2, values).unwrap();
        // Transparency where there is any.
        assert_eq!(
            mask(rgba(vec![9, 8, 7, 0, 9, 8, 7, 102])).unwrap(),
            [0., 0.4]
        );
        assert_eq!(
            mask(rgba(vec![0, 0, 0, 255, 51, 51, 51, 255])).unwrap(),
            [0., 0.2]
        );
        let both = image::GrayAlphaImage::from_raw(1, 2, vec![255, 0, 255, 255]).unwrap();
        assert_eq!(mask(both).unwrap(), [0., 1.]);
        let both = image::GrayAlphaImage::from_raw(1, 2, vec![255, 255, 102, 255]).unwrap();
        assert_eq!(mask(both).unwrap(), [1., 0.4]);
        let deep = image::ImageBuffer::<image::Luma<u16>, _>::from_raw(1, 1, vec![13_107]);
        assert_eq!(mask(deep.unwrap()).unwrap(), [0.2]);
        let deep = image::ImageBuffer::<image::Rgb<u16>, _>::from_raw(1, 1, vec![13_107; 3]);
        assert_eq!(mask(deep.unwrap()).unwrap(), [0.2]);
    }

    #[test]
    fn a_photograph_is_no_mask() {
        let photo = image::RgbImage::from_raw(1, 1, vec![1, 2, 3]).unwrap();
        let said = mask(photo).unwrap_err().to_string();
        assert_eq!(
            said,
            "m.png: has colours and no transparency, it shows no region; give a grey picture \
             (white is looked at), or one with transparency"
        );
    }
}
