//! From a shape to its names: views, features, words.
//!
//! A [`ShapeEncoder`] turns shapes into unit features, one for each view and one for the object; a
//! [`Recognizer`] compares them with words.
//!
//! ```no_run
//! use alpha_clip::{AlphaClip, LabelSet, LoadOptions, PromptTemplates, ZeroShotHead};
//! use checkpoint::Checkpoint;
//! use point_clip::recognize::{Recognizer, ShapeEncoder, ShapeOptions};
//! use std::sync::Arc;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let weights = Checkpoint::open("gen3d-mini.safetensors")?;
//! let clip = Arc::new(AlphaClip::load(&weights, &LoadOptions::default())?);
//! let labels = LabelSet::objects();
//! let head = ZeroShotHead::build(&clip, labels.names(), &PromptTemplates::plain(), None)?;
//! let encoder = ShapeEncoder::new(clip, ShapeOptions::default());
//! let recognizer = Recognizer::new(encoder, head);
//!
//! let found = recognizer.recognize(&point_clip::read::read_path("chair.ply")?)?;
//! println!("{} ({:.0} %)", found.top[0].label, 100.0 * found.top[0].score);
//! # Ok(())
//! # }
//! ```

mod encode;
mod options;
mod pose;
mod views;

pub use encode::{EncodedShape, ShapeEncoder, draw};
pub use options::{Focus, Projection, ShapeOptions, UnknownOption, UpChoice};
pub use views::ShapeViews;

use crate::shaded::Up;
use crate::{Result, Shape};
use alpha_clip::{Scored, ZeroShotHead};
use candle_core::{D, Tensor};

/// Names shapes: an encoder and the words to choose from.
#[derive(Debug)]
pub struct Recognizer {
    encoder: ShapeEncoder,
    head: ZeroShotHead,
}

/// What a shape was recognised as.
#[derive(Clone, Debug)]
pub struct Recognition {
    /// All labels with their probabilities, likeliest first.
    pub top: Vec<Scored>,
    /// The direction that is up, or likeliest is; votes and feature are those of its views.
    pub up: Up,
    /// The likeliest label of each view alone, in the order of the views.
    pub votes: Vec<Scored>,
    /// The object's unit feature, `[E]`.
    pub feature: Tensor,
}

impl Recognizer {
    /// A recogniser that answers with the labels of `head`, which must come from the encoder's own
    /// text tower.
    pub fn new(encoder: ShapeEncoder, head: ZeroShotHead) -> Self {
        Self { encoder, head }
    }

    /// What makes the features.
    pub fn encoder(&self) -> &ShapeEncoder {
        &self.encoder
    }

    /// The words.
    pub fn head(&self) -> &ZeroShotHead {
        &self.head
    }

    /// Names `shape`: the mean of the unit features of its views, compared with each label. Where
    /// the direction that is up has to be found and several may be, the labels' probabilities are
    /// averaged over these, each counting as much as it is likely.
    ///
    /// # Errors
    /// [`Error::Degenerate`](crate::Error::Degenerate) where there is nothing to see,
    /// [`Error::Model`](crate::Error::Model) where the tower fails.
    pub fn recognize(&self, shape: &Shape) -> Result<Recognition> {
        let shape = self.encoder.sampled(shape);
        let likely = match self.encoder.options().up {
            UpChoice::Is(up) => vec![(up, 1.0)],
            UpChoice::Auto => pose::likely(&self.encoder, &self.head, &shape)?,
        };
        let up = likely.first().map_or(Up::default(), |first| first.0);
        let encoded = self.encoder.encode_upright(&shape, up)?;
        let mut mixed = vec![0f32; self.head.labels().len()];
        // Near 1, but for rounding.
        let total: f32 = likely.iter().map(|(_, share)| share).sum();
        for (other, share) in likely {
            let feature = if other == up {
                encoded.feature.clone()
            } else {
                self.encoder.encode_upright(&shape, other)?.feature
            };
            let found = self.head.probabilities(&feature.unsqueeze(0)?)?;
            for (sum, p) in mixed.iter_mut().zip(found.squeeze(0)?.to_vec1::<f32>()?) {
                *sum += share * p;
            }
        }
        mixed.iter_mut().for_each(|p| *p /= total);
        let mut votes = Vec::with_capacity(encoded.views.dim(0)?);
        for view in encoded.views.chunk(encoded.views.dim(0)?, 0)? {
            votes.extend(self.head.top(&view.squeeze(0)?, 1)?);
        }
        Ok(Recognition {
            top: self.head.ranked(&mixed, mixed.len()),
            up: encoded.up,
            votes,
            feature: encoded.feature,
        })
    }
}

/// Rows of unit length, in f32.
fn unit_rows(features: &Tensor) -> candle_core::Result<Tensor> {
    let features = features.to_dtype(candle_core::DType::F32)?;
    let norm = features
        .sqr()?
        .sum_keepdim(D::Minus1)?
        .sqrt()?
        .maximum(1e-12)?;
    features.broadcast_div(&norm)
}
