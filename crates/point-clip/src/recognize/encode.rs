//! [`ShapeEncoder`]: shapes to features.

use super::{Focus, Projection, ShapeOptions, ShapeViews, UpChoice, unit_rows};
use crate::project::{PointClipV1, PointClipV2, unit_sphere};
use crate::shaded::{Shaded, Up, Viewpoint};
use crate::{PointCloud, Result, Shape, sample_surface};
use alpha_clip::{AlphaClip, FovealAttention, Views, VisionOptions};
use candle_core::{Device, Tensor};
use nalgebra::Vector3;
use rand::SeedableRng;
use rand::seq::index::sample;
use std::borrow::Cow;
use std::sync::Arc;

/// The points that PointCLIP draws from a mesh where nothing else is said.
const POINTS: usize = 2048;

/// Turns shapes into features with the vision tower of a CLIP.
#[derive(Clone, Debug)]
pub struct ShapeEncoder {
    clip: Arc<AlphaClip>,
    options: ShapeOptions,
}

/// The features of one shape.
#[derive(Clone, Debug)]
pub struct EncodedShape {
    /// Unit mean of the unit features of the views, `[E]`.
    pub feature: Tensor,
    /// Unit features of the views, `[V, E]`.
    pub views: Tensor,
    /// The direction that was taken for up.
    pub up: Up,
}

impl ShapeEncoder {
    /// An encoder with the vision tower of `clip`.
    pub fn new(clip: Arc<AlphaClip>, options: ShapeOptions) -> Self {
        Self { clip, options }
    }

    /// The model.
    pub fn clip(&self) -> &Arc<AlphaClip> {
        &self.clip
    }

    /// How shapes are drawn.
    pub fn options(&self) -> &ShapeOptions {
        &self.options
    }

    /// The features of `shape`. Without words there is nothing to tell its pose by:
    /// [`UpChoice::Auto`] takes +y for up here.
    ///
    /// # Errors
    /// [`Error::Degenerate`](crate::Error::Degenerate) where there is nothing to see,
    /// [`Error::Model`](crate::Error::Model) where the tower fails.
    pub fn encode(&self, shape: &Shape) -> Result<EncodedShape> {
        let up = match self.options.up {
            UpChoice::Is(up) => up,
            UpChoice::Auto => Up::default(),
        };
        self.encode_upright(&self.sampled(shape), up)
    }

    /// The points that the options ask for.
    pub(super) fn sampled<'a>(&self, shape: &'a Shape) -> Cow<'a, Shape> {
        sampled(shape, &self.options)
    }

    pub(super) fn encode_upright(&self, shape: &Shape, up: Up) -> Result<EncodedShape> {
        let views = project(shape, &self.options, up, self.clip.preprocess().size)?;
        let encoded = self.encode_drawn(&views)?;
        Ok(EncodedShape { up, ..encoded })
    }

    /// The features of views that were drawn elsewhere, +y up: a part of a scene, say, with its mask
    /// as alpha plane.
    ///
    /// # Errors
    /// [`Error::Model`](crate::Error::Model) where the tower fails.
    pub fn encode_drawn(&self, views: &ShapeViews) -> Result<EncodedShape> {
        let views = self.encode_views(views)?;
        let feature = unit_rows(&views.mean_keepdim(0)?)?.squeeze(0)?;
        let up = Up::default();
        Ok(EncodedShape { feature, views, up })
    }

    /// Unit features [V, E] of views.
    pub(super) fn encode_views(&self, views: &ShapeViews) -> Result<Tensor> {
        let input = views.to_input(self.clip.preprocess(), self.options.focus)?;
        let bias = match self.options.focus {
            Focus::Foveal => {
                let alpha = views.to_views()?.alpha;
                Some(FovealAttention::default().bias(&alpha, self.clip.vision().config())?)
            }
            Focus::None | Focus::Alpha => None,
        };
        let options = VisionOptions {
            bias,
            ..VisionOptions::default()
        };
        let output = self.clip.encode_views(&input, &options)?;
        Ok(unit_rows(&output.features.to_device(&Device::Cpu)?)?)
    }
}

/// `shape`, or the points that are to be drawn from it.
fn sampled<'a>(shape: &'a Shape, options: &ShapeOptions) -> Cow<'a, Shape> {
    let maps = options.projection != Projection::Shaded;
    match (shape, options.points.or(maps.then_some(POINTS))) {
        (_, None) => Cow::Borrowed(shape),
        (Shape::Mesh(mesh), Some(count)) => {
            // Normals of the faces are what a scanner does not give: the views of a cloud must
            // not depend on where it came from.
            let cloud = sample_surface(mesh, count, options.seed);
            Cow::Owned(Shape::Cloud(PointCloud {
                normals: None,
                ..cloud
            }))
        }
        (Shape::Cloud(cloud), Some(count)) if options.points.is_some() => {
            if cloud.positions.len() <= count {
                return Cow::Borrowed(shape);
            }
            Cow::Owned(Shape::Cloud(drawn(cloud, count, options.seed)))
        }
        (Shape::Cloud(_), Some(_)) => Cow::Borrowed(shape),
    }
}

/// `count` points of `cloud`, none twice, in their order.
fn drawn(cloud: &PointCloud, count: usize, seed: u64) -> PointCloud {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let mut rows = sample(&mut rng, cloud.positions.len(), count).into_vec();
    rows.sort_unstable();
    let pick = |i: &usize| cloud.positions[*i];
    PointCloud {
        positions: rows.iter().map(pick).collect(),
        normals: cloud
            .normals
            .as_ref()
            .map(|n| rows.iter().map(|&i| n[i]).collect()),
        colors: cloud
            .colors
            .as_ref()
            .map(|c| rows.iter().map(|&i| c[i]).collect()),
    }
}

/// Draws `shape` as `options` say, with `up` for up; shaded views are `size` pixels square, the maps
/// of PointCLIP have their own size.
///
/// # Errors
/// [`Error::Degenerate`](crate::Error::Degenerate) where there is nothing to see.
pub fn draw(shape: &Shape, options: &ShapeOptions, up: Up, size: usize) -> Result<ShapeViews> {
    project(&sampled(shape, options), options, up, size)
}

/// All views of a shape as it is.
pub(super) fn project(
    shape: &Shape,
    options: &ShapeOptions,
    up: Up,
    size: usize,
) -> Result<ShapeViews> {
    if options.projection == Projection::Shaded {
        let shaded = Shaded {
            up,
            ..Shaded::new(size, options.views)
        };
        return shade(&shaded, &shaded.prepare(shape)?);
    }
    let turn = up.to_y();
    let turned: Vec<[f32; 3]> = shape
        .positions()
        .iter()
        .map(|&p| (turn * Vector3::from(p)).into())
        .collect();
    let points = unit_sphere(&turned)?;
    Ok(ShapeViews::Maps(match options.projection {
        Projection::V2 => PointClipV2::default().input_maps(&points)?,
        Projection::V1FewShot => PointClipV1::few_shot().input_maps(&points)?,
        Projection::V1 | Projection::Shaded => PointClipV1::zero_shot().input_maps(&points)?,
    }))
}

/// Shaded views as pictures.
pub(super) fn shade(shaded: &Shaded, prepared: &crate::shaded::Prepared) -> Result<ShapeViews> {
    let planes = shaded.render(prepared);
    let views = Views::from_planes(planes, shaded.size, shaded.size, &Device::Cpu)?;
    Ok(ShapeViews::Shaded(views))
}

/// `count` viewpoints that tell a pose cheaply.
pub(super) fn glances(count: usize) -> Vec<Viewpoint> {
    Viewpoint::orbit(count)
}
