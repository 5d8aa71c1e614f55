//! CLIP and Alpha-CLIP towers, tokenizer, regions, preprocessing and zero-shot head.

mod attention_bias;
mod block;
mod config;
mod error;
mod foveal;
mod hints;
mod ops;
mod positions;
mod preprocess;
mod resize;
mod resnet;
mod source;
mod text;
mod views;
mod vision;
mod vit;

pub use attention_bias::AttentionBias;
pub use config::{
    Activation, ClipConfig, TextConfig, TextPooling, TransformerConfig, VisionConfig, VisionKind,
};
pub use error::{Error, Result};
pub use foveal::FovealAttention;
pub use preprocess::{ColourOrder, Geometry, Preprocess, RegionGeometry};
pub use resize::{Filter, Resampling};
pub use text::TextTower;
pub use views::{Views, VisionInput};
pub use vision::{AttentionTap, Taps, VisionOptions, VisionOutput, VisionTower};
