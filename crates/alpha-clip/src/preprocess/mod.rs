//! [`Preprocess`]: how pictures are prepared for a vision tower. It belongs to the weights.

mod config;
mod geometry;
mod prepare;

pub(crate) use geometry::Framing;
pub use geometry::Geometry;

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::resize::{Filter, Resampling, resize_tensor};
use crate::views::Views;

/// How pictures and regions are prepared for a vision tower.
///
/// [`Preprocess::of`] reads it from what stands beside or inside the weights. The named
/// constructors are the settings of published code; `reference` in their documentation is the
/// place where they are used there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preprocess {
    /// Side of the square that the tower takes, in pixels (R).
    pub size: usize,
    /// Mean of red, green, blue in 0..=1, taken off.
    pub mean: [f32; 3],
    /// Standard deviation of red, green, blue in 0..=1, divided by.
    pub std: [f32; 3],
    /// Taken off the alpha plane: 0.5.
    pub alpha_mean: f32,
    /// The alpha plane is divided by it: 0.26.
    pub alpha_std: f32,
    /// How a picture becomes a square.
    pub geometry: Geometry,
    /// How it is resampled.
    pub resampling: Resampling,
    /// Whether a picture is resampled before or after it is converted to RGB.
    pub colour: ColourOrder,
    /// How a region becomes a square.
    pub region_geometry: RegionGeometry,
    /// How a region is resampled.
    pub region_resampling: Resampling,
    /// Whether a region's plane is 1 only where it is exactly 1 after resampling, and 0 elsewhere.
    pub region_binary: bool,
}

/// When a picture that is not RGB is converted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColourOrder {
    /// Before it is resampled; transparency is dropped, not composited.
    #[default]
    RgbFirst,
    /// After it is resampled as the file has it: pictures with transparency weighted by it,
    /// palettes by the nearest neighbour. That is the literal order of CLIP's transform.
    FileMode,
}

/// How a region becomes a square.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegionGeometry {
    /// As the picture does, so that both stay aligned.
    #[default]
    Aligned,
    /// Squeezed, whatever becomes of the picture: the recipe in Alpha-CLIP's README, which shifts
    /// the region on pictures that are not square.
    Squash,
}

impl Preprocess {
    /// Mean of CLIP's training pictures.
    pub const CLIP_MEAN: [f32; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
    /// Standard deviation of CLIP's training pictures.
    pub const CLIP_STD: [f32; 3] = [0.268_629_54, 0.261_302_6, 0.275_777_1];
    /// What Alpha-CLIP takes off its alpha planes.
    pub const ALPHA_MEAN: f32 = 0.5;
    /// What Alpha-CLIP divides its alpha planes by.
    pub const ALPHA_STD: f32 = 0.26;

    /// CLIP's preprocessing: Pillow's bicubic resampling and a centre crop, the region aligned
    /// with the picture and its soft values kept.
    pub const fn clip(size: usize) -> Self {
        Self {
            size,
            mean: Self::CLIP_MEAN,
            std: Self::CLIP_STD,
            alpha_mean: Self::ALPHA_MEAN,
            alpha_std: Self::ALPHA_STD,
            geometry: Geometry::Clip,
            resampling: Resampling::Pillow(Filter::Bicubic),
            colour: ColourOrder::RgbFirst,
            region_geometry: RegionGeometry::Aligned,
            region_resampling: Resampling::Pillow(Filter::Bicubic),
            region_binary: false,
        }
    }

    /// The whole picture squeezed to the square by Pillow's bicubic resampling (reference: FALIP,
    /// ReCLIP).
    pub const fn squash(size: usize) -> Self {
        Self {
            geometry: Geometry::Squash,
            ..Self::clip(size)
        }
    }

    /// As in Alpha-CLIP's README: the picture is cropped, the region is squeezed.
    pub const fn alpha_clip_readme(size: usize, antialias: bool) -> Self {
        Self {
            region_geometry: RegionGeometry::Squash,
            region_resampling: Resampling::Float {
                filter: Filter::Bilinear,
                antialias,
            },
            ..Self::clip(size)
        }
    }

    /// As in Alpha-CLIP's attention notebook and its REC evaluation: aligned, the region made
    /// binary after resampling.
    pub const fn alpha_clip_notebook(size: usize) -> Self {
        Self {
            region_binary: true,
            ..Self::clip(size)
        }
    }

    /// As in Alpha-CLIP's image variation: picture and region squeezed as floats. `antialias` is
    /// false for the published results.
    pub const fn alpha_clip_variation(size: usize, antialias: bool) -> Self {
        Self {
            geometry: Geometry::Squash,
            ..Self::floats(size, antialias)
        }
    }

    /// As in Alpha-CLIP's ImageNet-S evaluation: the middle square, resampled as floats.
    /// `antialias` is false for the published results.
    pub const fn alpha_clip_evaluation(size: usize, antialias: bool) -> Self {
        Self {
            geometry: Geometry::CentreSquare,
            ..Self::floats(size, antialias)
        }
    }

    /// As in Alpha-CLIP's training: padded to a square, resampled as floats.
    pub const fn alpha_clip_training(size: usize, antialias: bool) -> Self {
        Self {
            geometry: Geometry::Pad,
            ..Self::floats(size, antialias)
        }
    }

    const fn floats(size: usize, antialias: bool) -> Self {
        Self {
            resampling: Resampling::Float {
                filter: Filter::Bicubic,
                antialias,
            },
            region_resampling: Resampling::Float {
                filter: Filter::Bilinear,
                antialias,
            },
            ..Self::clip(size)
        }
    }

    /// Views brought to R x R, picture and alpha plane through one geometry.
    pub(crate) fn fit(&self, views: &Views) -> Result<Views> {
        let (_, height, width) = views.shape()?;
        if (height, width) == (self.size, self.size) {
            return Ok(views.clone());
        }
        if self.size == 0 {
            return Err(Error::input(
                "the preprocessing has size 0",
                "give the tower's image size",
            ));
        }
        let framing = self.geometry.framing(width, height, self.size);
        let resampled = |planes: &Tensor| -> Result<_> {
            let antialias = !matches!(
                self.resampling,
                Resampling::Float {
                    antialias: false,
                    ..
                }
            );
            let resampling = Resampling::Float {
                filter: self.resampling.filter(),
                antialias,
            };
            let (columns, rows) = framing.taps(resampling, (width, height), self.size);
            let out = resize_tensor(planes, &columns, &rows)?;
            Ok(out.clamp(0f32, 1f32)?)
        };
        Ok(Views {
            rgb: resampled(&views.rgb)?,
            alpha: resampled(&views.alpha)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn every_geometry_brings_views_to_the_size() {
        let rgb = Tensor::rand(0f32, 1., (2, 3, 30, 50), &Device::Cpu).unwrap();
        let alpha = Tensor::ones((2, 1, 30, 50), candle_core::DType::F32, &Device::Cpu).unwrap();
        let views = Views::new(rgb, alpha).unwrap();
        let mean_alpha = |geometry| {
            let fitted = Preprocess {
                geometry,
                ..Preprocess::clip(16)
            }
            .fit(&views)
            .unwrap();
            assert_eq!(fitted.rgb.dims(), [2, 3, 16, 16]);
            fitted.alpha.mean_all().unwrap().to_scalar::<f32>().unwrap()
        };
        for geometry in [Geometry::Clip, Geometry::Squash, Geometry::CentreSquare] {
            assert!((mean_alpha(geometry) - 1.).abs() < 1e-5);
        }
        // 30 of 50 rows are picture.
        assert!((mean_alpha(Geometry::Pad) - 0.6).abs() < 0.02);
    }

    #[test]
    fn survives_a_round_trip_as_json() {
        let all = [
            Preprocess::clip(224),
            Preprocess::alpha_clip_variation(336, false),
        ];
        for preprocess in all {
            let text = serde_json::to_string(&preprocess).unwrap();
            assert_eq!(
                serde_json::from_str::<Preprocess>(&text).unwrap(),
                preprocess
            );
        }
    }
}
