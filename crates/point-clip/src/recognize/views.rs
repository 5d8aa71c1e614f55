//! The views of one shape, as pictures and as a tower's input.

use super::Focus;
use crate::project::Maps;
use crate::{Error, Result};
use alpha_clip::{Preprocess, Views, VisionInput};
use candle_core::Device;

/// All views of one shape.
#[derive(Clone, Debug)]
pub enum ShapeViews {
    /// `shaded` views: colour pictures and their foreground.
    Shaded(Views),
    /// The maps of PointCLIP or PointCLIP V2 as the published towers get them.
    Maps(Maps),
}

impl ShapeViews {
    /// The number of views.
    ///
    /// # Errors
    /// [`Error::Model`] if the views were put together wrongly.
    pub fn count(&self) -> Result<usize> {
        match self {
            Self::Shaded(views) => Ok(views.count()?),
            Self::Maps(maps) => Ok(maps.views()),
        }
    }

    /// Pictures [V, 3, H, W] with the foreground [V, 1, H, W] as alpha, both in 0..=1.
    ///
    /// # Errors
    /// [`Error::Model`] if the device fails.
    pub fn to_views(&self) -> Result<Views> {
        match self {
            Self::Shaded(views) => Ok(views.clone()),
            Self::Maps(maps) => Ok(Views {
                rgb: maps.channels(|v| v.clamp(0.0, 1.0), &Device::Cpu)?,
                alpha: maps.to_alpha(&Device::Cpu)?,
            }),
        }
    }

    /// What a tower with this preprocessing takes. Shaded views are normalised as pictures are;
    /// the maps of PointCLIP go in raw, as the published code does it.
    ///
    /// # Errors
    /// [`Error::Model`] if the device fails.
    pub fn to_input(&self, preprocess: &Preprocess, focus: Focus) -> Result<VisionInput> {
        let mut input = match self {
            Self::Shaded(views) => views.normalise(preprocess)?,
            Self::Maps(maps) => {
                let alpha = match focus {
                    Focus::Alpha => self.to_views()?.normalise(preprocess)?.alpha,
                    Focus::None | Focus::Foveal => None,
                };
                let pixels = if maps.size() == preprocess.size {
                    maps.to_pixels(&Device::Cpu)?
                } else {
                    maps.resized(preprocess.size).to_pixels(&Device::Cpu)?
                };
                VisionInput { pixels, alpha }
            }
        };
        if focus != Focus::Alpha {
            input.alpha = None;
        }
        Ok(input)
    }
}

impl From<candle_core::Error> for Error {
    fn from(error: candle_core::Error) -> Self {
        Error::Model(Box::new(alpha_clip::Error::Tensor(error)))
    }
}

impl From<alpha_clip::Error> for Error {
    fn from(error: alpha_clip::Error) -> Self {
        Error::Model(Box::new(error))
    }
}
