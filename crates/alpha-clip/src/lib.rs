//! CLIP and Alpha-CLIP towers, tokenizer, regions, preprocessing and zero-shot head.

mod attention_bias;
mod block;
mod cleaning;
mod config;
mod error;
mod foveal;
mod hints;
mod model;
mod ops;
mod picture;
mod plane;
mod positions;
mod preprocess;
mod random;
mod region;
mod resize;
mod resnet;
mod source;
mod text;
mod tokenizer;
mod views;
mod vision;
mod vit;

pub use attention_bias::AttentionBias;
pub use config::{
    Activation, ClipConfig, TextConfig, TextPooling, TransformerConfig, VisionConfig, VisionKind,
};
pub use error::{Error, Result};
pub use foveal::FovealAttention;
pub use model::{AlphaClip, LoadOptions, normalise_rows};
pub use picture::Picture;
pub use plane::Plane;
pub use preprocess::{ColourOrder, Geometry, Preprocess, RegionGeometry};
pub use region::{Point, Region, Rle};
pub use resize::{Filter, Resampling};
pub use text::TextTower;
pub use tokenizer::Tokenizer;
pub use views::{Views, VisionInput};
pub use vision::{AttentionTap, Taps, VisionOptions, VisionOutput, VisionTower};
