//! gen3d names 3D things and varies pictures of them.
//!
//! This crate is the façade for programs that embed the whole: it re-exports the libraries and
//! carries the small model that the program carries.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Twelve points on a cross: what a file would hold.
//! let cloud: String = (-3..3).map(|i| format!("{i} 0 0\n0 {i} 0\n")).collect();
//! let shape = gen3d::point_clip::read::read_bytes(cloud.as_bytes(), None)?;
//!
//! let recognizer = gen3d::recognizer(&["cross", "ball", "teapot"])?;
//! let found = recognizer.recognize(&shape)?;
//! println!("{}: {:.0} %", found.top[0].label, 100. * found.top[0].score);
//! # assert_eq!(found.top.len(), 3);
//! # Ok(())
//! # }
//! ```
//!
//! | to | use |
//! |---|---|
//! | read clouds and meshes | [`point_clip::read`] |
//! | draw their views | [`point_clip::shaded`], [`point_clip::project`] |
//! | name them | [`recognizer`], [`point_clip::Recognizer`] |
//! | make features of pictures and texts | [`alpha_clip::AlphaClip`] |
//! | open published weights | [`checkpoint::Checkpoint`] |
//! | vary pictures | [`image_variation`] |

pub use {alpha_clip, checkpoint, image_variation, point_clip};

pub mod embedded;

use std::sync::Arc;

use alpha_clip::{AlphaClip, LoadOptions, ZeroShotHead};
use point_clip::recognize::{Recognizer, ShapeEncoder, ShapeOptions};

/// A recogniser of shapes with the embedded model on the CPU, which answers with one of `labels`.
///
/// # Errors
/// [`alpha_clip::Error`] if a label is longer than the model reads.
pub fn recognizer(labels: &[impl AsRef<str>]) -> alpha_clip::Result<Recognizer> {
    let clip = Arc::new(AlphaClip::load(
        &embedded::checkpoint()?,
        &LoadOptions::default(),
    )?);
    let templates = embedded::templates(clip.metadata()).unwrap_or_default();
    let labels: Vec<String> = labels.iter().map(|l| l.as_ref().to_owned()).collect();
    let head = ZeroShotHead::build(&clip, &labels, &templates, None)?;
    Ok(Recognizer::new(
        ShapeEncoder::new(clip, ShapeOptions::default()),
        head,
    ))
}
