//! Stable Diffusion image variation conditioned by Alpha-CLIP.

mod error;
mod json;
mod names;
pub mod noise;
mod ops;
pub mod scheduler;
#[cfg(test)]
mod testing;
pub mod unet;
pub mod vae;
mod weights;

pub use error::{Error, Result};
