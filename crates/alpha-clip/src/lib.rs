//! CLIP and Alpha-CLIP towers, tokenizer, regions, preprocessing and zero-shot head.

mod error;
mod preprocess;
mod resize;
mod views;

pub use error::{Error, Result};
pub use preprocess::{ColourOrder, Geometry, Preprocess, RegionGeometry};
pub use resize::{Filter, Resampling};
pub use views::{Views, VisionInput};
