//! What a run gives.

use candle_core::{DType, Device, Tensor};
use image::RgbImage;

use crate::error::{Error, Result};

/// A finished picture.
#[derive(Clone, Debug)]
pub struct Variation {
    /// Its number in the run, from 0.
    pub index: usize,
    /// [3, H, W] in f32 with values in 0..=1. All zeros if it was flagged.
    pub image: Tensor,
    /// The latents that it was decoded from, [4, H/8, W/8] in f32.
    pub latents: Tensor,
    /// What the safety checker said, if one looked at it.
    pub flagged: Option<bool>,
}

impl Variation {
    /// The picture in 8 bits, each value rounded to the nearest, halves to even.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the device fails.
    pub fn to_rgb8(&self) -> Result<RgbImage> {
        to_rgb8(&self.image)
    }
}

/// [3, H, W] with values in 0..=1 in 8 bits.
pub(crate) fn to_rgb8(image: &Tensor) -> Result<RgbImage> {
    let (_, height, width) = image.dims3()?;
    let values = image
        .to_device(&Device::Cpu)?
        .to_dtype(DType::F32)?
        .permute((1, 2, 0))?
        .flatten_all()?
        .to_vec1::<f32>()?;
    let bytes = values
        .iter()
        .map(|v| (v.clamp(0., 1.) * 255.).round_ties_even() as u8)
        .collect();
    let side = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    RgbImage::from_raw(side(width), side(height), bytes).ok_or_else(|| {
        Error::input(
            format!("{:?} are not the values of a picture", image.dims()),
            "give [3, H, W]",
        )
    })
}

/// About the colours of latents [B, 4, h, w] of Stable Diffusion 1.x: [B, 3, h, w] in 0..=1.
///
/// The decoder is replaced by the linear map that is closest to it (a fit over many pictures that
/// previews of Stable Diffusion commonly use).
pub(super) fn colours(latents: &Tensor) -> Result<Tensor> {
    const RED: [f32; 4] = [0.3512, 0.3250, -0.2829, -0.2120];
    const GREEN: [f32; 4] = [0.2297, 0.4974, 0.1762, -0.2616];
    const BLUE: [f32; 4] = [0.3227, 0.2350, 0.2721, -0.7177];
    let (items, channels, height, width) = latents.dims4()?;
    let map = Tensor::new(&[RED, GREEN, BLUE], latents.device())?;
    let flat = latents.reshape((items, channels, height * width))?;
    let rgb = map.broadcast_matmul(&flat)?;
    Ok(rgb
        .affine(0.5, 0.5)?
        .clamp(0f32, 1f32)?
        .reshape((items, 3, height, width))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_bits_round_halves_to_even() {
        let values = [0.5 / 255., 1.5 / 255., 2.5 / 255., 1., -1., 2.];
        let image = Tensor::new(&values.map(|v| v as f32), &Device::Cpu).unwrap();
        let picture = to_rgb8(&image.reshape((3, 1, 2)).unwrap()).unwrap();
        assert_eq!(picture.into_raw(), [0, 2, 0, 2, 255, 255]);
        let grey = Tensor::zeros((1, 2, 2), DType::F32, &Device::Cpu).unwrap();
        assert!(to_rgb8(&grey).is_err());
    }

    #[test]
    fn empty_latents_are_grey() {
        let latents = Tensor::zeros((2, 4, 3, 5), DType::F32, &Device::Cpu).unwrap();
        let colours = colours(&latents).unwrap();
        assert_eq!(colours.dims(), [2, 3, 3, 5]);
        let colours = colours.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert!(colours.iter().all(|c| *c == 0.5));
    }
}
