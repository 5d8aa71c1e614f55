//! Pictures, or a region of each, to features.

use alpha_clip::{FovealAttention, Picture, Region, VisionOptions};
use anyhow::{Context as _, anyhow};
use candle_core::{DType, Tensor};
use point_clip::recognize::Focus;

use super::args::RegionArgs;
use super::context::Context;
use super::failure::Failure;
use super::inputs::{Input, Source, read_stdin};
use super::model::{ImageModel, check_focus};

/// Encodes pictures, the same region of each.
pub(crate) struct PictureEncoder {
    model: ImageModel,
    region: Region,
    focus: Focus,
}

impl PictureEncoder {
    /// An encoder with the vision tower of `model`. Warns where the model was made for something
    /// else than photographs.
    pub(crate) fn new(
        model: ImageModel,
        region: &RegionArgs,
        focus: Focus,
        context: &Context,
    ) -> Result<Self, Failure> {
        let region = region.read().map_err(Failure::usage)?;
        let whole = matches!(region, Region::Whole);
        if whole && focus == Focus::Foveal {
            return Err(Failure::usage(anyhow!(
                "--focus foveal needs a region to look at; give --mask, --box, --point, --polygon \
                 or --rle"
            )));
        }
        check_focus(focus, &model.tower, &model.name)?;
        if !whole && focus == Focus::Alpha && !model.tower.config().alpha {
            return Err(Failure::usage(anyhow!(
                "{} has no alpha channel to look at a region with; give --alpha-weights, or \
                 --focus foveal",
                model.name
            )));
        }
        if model.knows_shapes_only {
            context.warn(format!(
                "{} knows renders of shapes, not photographs; give a published CLIP with --model",
                model.name
            ));
        }
        Ok(Self {
            model,
            region,
            focus,
        })
    }

    /// The feature [1, E] of one picture, as the tower gives it.
    ///
    /// # Errors
    /// Without the input's name, for the caller says it.
    pub(crate) fn encode(&self, input: &Input) -> anyhow::Result<Tensor> {
        let picture = input.picture()?;
        let (tower, preprocess) = (&self.model.tower, &self.model.preprocess);
        let views = preprocess.prepare_views(&picture, &self.region)?;
        let mut prepared = views.normalise(preprocess)?;
        let bias = match self.focus {
            Focus::Foveal => {
                let foveal = FovealAttention::default();
                Some(foveal.bias(&views.alpha, tower.config())?)
            }
            Focus::None | Focus::Alpha => None,
        };
        if self.focus != Focus::Alpha {
            prepared.alpha = None;
        }
        let options = VisionOptions {
            bias,
            ..VisionOptions::default()
        };
        let features = tower.forward(&prepared, &options)?.features;
        Ok(features.to_dtype(DType::F32)?)
    }
}

impl Input {
    /// The picture in it.
    pub(crate) fn picture(&self) -> anyhow::Result<Picture> {
        let picture = match &self.source {
            Source::File(path) => Picture::open(path),
            Source::Stdin => Picture::decode(&read_stdin()?, "-"),
            Source::Nowhere(why) => anyhow::bail!("{why}"),
        };
        picture.map_err(|error| match error {
            alpha_clip::Error::Picture { what, remedy, .. } => anyhow!("{what}; {remedy}"),
            error => error.into(),
        })
    }
}

impl RegionArgs {
    /// The region that was asked for.
    fn read(&self) -> anyhow::Result<Region> {
        if let Some(path) = &self.mask {
            return Region::read_mask(path).context("--mask");
        }
        if let Some(bounds) = &self.bounds {
            return Region::parse_box(bounds).context("--box");
        }
        if !self.point.is_empty() {
            return Region::parse_points(&self.point).context("--point");
        }
        if let Some(corners) = &self.polygon {
            return Region::parse_polygon(corners).context("--polygon");
        }
        if let Some(path) = &self.rle {
            return Region::read_rle(path).context("--rle");
        }
        Ok(Region::Whole)
    }
}
