//! CLIP and Alpha-CLIP: pictures, and where to look in them, compared with words.
//!
//! A CLIP (Radford et al., 2021) turns pictures and texts into vectors of one space; the nearer
//! two vectors, the better the text fits the picture. An Alpha-CLIP (Sun et al., 2023) takes with
//! every picture a plane that says where to look. [`AlphaClip`] is either of them, loaded from any
//! weight file that [`checkpoint`] reads.
//!
//! ```
//! use alpha_clip::{AlphaClip, LoadOptions, Views, VisionOptions, normalise_rows};
//! use candle_core::{D, DType, Device, Tensor};
//! use checkpoint::Checkpoint;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/gen3d-mini/gen3d-mini.safetensors");
//! let clip = AlphaClip::load(&Checkpoint::open(path)?, &LoadOptions::default())?;
//!
//! // Two views, [V, 3, H, W] in 0..=1, and their alpha planes: look at the left half of each.
//! let rgb = Tensor::rand(0f32, 1., (2, 3, 64, 64), &Device::Cpu)?;
//! let alpha = Tensor::ones((2, 1, 64, 32), DType::F32, &Device::Cpu)?.pad_with_zeros(3, 0, 32)?;
//! let input = Views::new(rgb, alpha)?.normalise(clip.preprocess())?;
//! let images = clip.encode_views(&input, &VisionOptions::default())?.features;
//!
//! let texts = clip.encode_texts(&["a chair", "a table", "an airplane"])?;
//!
//! // Cosines, scaled, as probabilities of the three texts for each view.
//! let cosines = normalise_rows(&images)?.matmul(&normalise_rows(&texts)?.t()?)?;
//! let logits = (cosines * f64::from(clip.logit_scale()))?;
//! let exponentials = logits.broadcast_sub(&logits.max_keepdim(D::Minus1)?)?.exp()?;
//! let shares = exponentials.broadcast_div(&exponentials.sum_keepdim(D::Minus1)?)?;
//! assert_eq!(shares.dims(), [2, 3]);
//! # Ok(())
//! # }
//! ```
//!
//! # Parts
//! | what | where |
//! |---|---|
//! | the model: loading, features, logit scale | [`AlphaClip`], [`LoadOptions`] |
//! | pictures to features; attention, hidden states, patch tokens | [`VisionTower`], [`Taps`] |
//! | token ids to features | [`TextTower`], [`Tokenizer`] |
//! | pictures, and where in them to look | [`Picture`], [`Region`], [`Plane`] |
//! | views and how they become a tower's input | [`Views`], [`Preprocess`] |
//! | looking at a region without alpha weights (FALIP) | [`FovealAttention`], [`AttentionBias`] |
//!
//! # Weights
//! The architecture is read from the shapes: vision transformers of any size and CLIP's modified
//! ResNets, with or without the alpha convolution; text contexts of any length. Activation, head
//! counts and epsilon come from the configuration beside the weights. An Alpha-CLIP fine-tune,
//! which is a vision tower alone, goes over its base:
//!
//! ```no_run
//! use alpha_clip::{AlphaClip, LoadOptions};
//! use checkpoint::Checkpoint;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let options = LoadOptions {
//!     alpha_weights: Some(Checkpoint::open("clip_l14_grit20m_fultune_2xe.pth")?),
//!     ..LoadOptions::default()
//! };
//! let clip = AlphaClip::load(&Checkpoint::open("ViT-L-14.pt")?, &options)?;
//! # Ok(())
//! # }
//! ```
//!
//! # Numbers
//! Features, attention and hidden states in f32 on a CPU are within 1e-5 (relative) of the
//! reference code's, for every layout of weights; `tests/golden_towers.rs` and
//! `tests/golden_foveal.rs` hold that. In f16 and bf16 their cosine with f32 is at least 0.999;
//! [`fastest_dtype`] says which type is worth it.
//! Without an alpha plane an Alpha-CLIP looks at the whole picture (alpha 1 everywhere), which
//! for zero-initialised alpha weights is plain CLIP.

mod attention_bias;
mod block;
mod cache;
mod cleaning;
mod config;
mod cpu;
mod error;
mod foveal;
mod hints;
mod labels;
mod model;
mod ops;
mod picture;
mod plane;
mod positions;
mod preprocess;
mod probe;
mod random;
mod region;
mod resize;
mod resnet;
mod source;
mod templates;
mod text;
mod tokenizer;
mod views;
mod vision;
mod vit;
mod zero_shot;

pub use attention_bias::AttentionBias;
pub use cache::FeatureCache;
pub use config::{
    Activation, ClipConfig, TextConfig, TextPooling, TransformerConfig, VisionConfig, VisionKind,
};
pub use error::{Error, Result};
pub use foveal::FovealAttention;
pub use labels::LabelSet;
pub use model::{AlphaClip, LoadOptions, fastest_dtype, normalise_rows};
pub use picture::Picture;
pub use plane::Plane;
pub use preprocess::{ColourOrder, Geometry, Preprocess, RegionGeometry};
pub use probe::LinearProbe;
pub use region::{Point, Region, Rle};
pub use resize::{Filter, Resampling};
pub use templates::PromptTemplates;
pub use text::TextTower;
pub use tokenizer::Tokenizer;
pub use views::{Views, VisionInput};
pub use vision::{AttentionTap, Taps, VisionOptions, VisionOutput, VisionTower};
pub use zero_shot::{Scored, ZeroShotHead};
