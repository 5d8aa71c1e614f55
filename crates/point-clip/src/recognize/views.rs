//! The views of one shape, as pictures and as a tower's input.

use super::Focus;
use crate::project::Maps;
use crate::{Error, Result};
use alpha_clip::{Preprocess, Views, VisionInput};
use candle_core::{Device, Tensor};

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
        let maps = match self {
            Self::Shaded(views) => return Ok(views.clone()),
            Self::Maps(maps) => maps,
        };
        let (views, size) = (maps.views(), maps.size());
        let grey = stacked(maps.values(), views, size)?.clamp(0f32, 1f32)?;
        let rgb = grey.broadcast_as((views, 3, size, size))?.contiguous()?;
        Ok(Views::new(rgb, foreground(maps)?)?)
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
                let maps = maps.resized(preprocess.size);
                let alpha = self.to_views()?.normalise(preprocess)?.alpha;
                let (views, size) = (maps.views(), maps.size());
                let pixels = stacked(maps.values(), views, size)?
                    .broadcast_as((views, 3, size, size))?
                    .contiguous()?;
                VisionInput { pixels, alpha }
            }
        };
        if focus != Focus::Alpha {
            input.alpha = None;
        }
        Ok(input)
    }
}

fn stacked(values: &[f32], views: usize, size: usize) -> Result<Tensor> {
    Ok(Tensor::from_slice(
        values,
        (views, 1, size, size),
        &Device::Cpu,
    )?)
}

fn foreground(maps: &Maps) -> Result<Tensor> {
    stacked(maps.foreground().values(), maps.views(), maps.size())
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
