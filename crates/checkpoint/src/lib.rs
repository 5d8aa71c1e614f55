//! Reads any weight file into named tensors, safely.
//!
//! A [`Checkpoint`] is a weight file or folder, opened: every name, type and shape is known and
//! checked, nothing is read yet. [`Checkpoint::tensor`] reads one tensor straight into the type
//! and onto the device that is asked for.
//!
//! ```
//! use candle_core::{DType, Device};
//! use checkpoint::Checkpoint;
//!
//! # fn main() -> Result<(), checkpoint::Error> {
//! // A safetensors file with one tensor of two f32 values.
//! let header = br#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
//! let mut file = (header.len() as u64).to_le_bytes().to_vec();
//! file.extend_from_slice(header);
//! file.extend([1.0_f32, 2.0].iter().flat_map(|v| v.to_le_bytes()));
//!
//! let weights = Checkpoint::from_bytes(file, "example.safetensors")?;
//! assert_eq!(weights.info("w").map(|i| i.shape.as_slice()), Some(&[2][..]));
//! let w = weights.tensor("w", DType::F16, &Device::Cpu)?;
//! assert_eq!(w.dims(), [2]);
//! # Ok(())
//! # }
//! ```
//!
//! # What is read
//! | form | how it is told | kept in memory |
//! |---|---|---|
//! | safetensors | a length, then `{` | nothing: mapped |
//! | `torch.save` since 1.6 (`.pt .pth .bin .ckpt`) | a zip archive with `data.pkl` | nothing: mapped; compressed entries are unpacked, up to 8 × the file |
//! | `torch.jit.save` (TorchScript, OpenAI's files) | the same with `constants.pkl` or `code/` | nothing: mapped |
//! | `torch.save` before 1.6 | a pickle of its magic number | nothing: mapped |
//! | several files | `*.index.json` with a `weight_map` | nothing: mapped |
//! | a folder of Hugging Face, open_clip or diffusers, or of the hub's cache | its standard names, safetensors first | its `*config.json` |
//!
//! A dict of a training program (`state_dict`, `model`, …) is opened to its weights; a module that
//! was saved whole gives its parameters and buffers. Every element type of safetensors and
//! PyTorch is read but for complex, 4- and 6-bit and quantised ones, which
//! [`Checkpoint::unreadable`] names. Not read: GGUF, HDF5, ONNX, TensorFlow.
//!
//! # CLIP weights under one naming
//! [`Checkpoint::clip`] gives a view of the same file under internal names (OpenAI's, see
//! [`Layout`] for the sources that are understood). A model is loaded from it in four steps:
//!
//! ```no_run
//! use candle_core::{DType, Device};
//! use checkpoint::{Checkpoint, Lora};
//!
//! # fn main() -> Result<(), checkpoint::Error> {
//! let mut weights = Checkpoint::open("clip-vit-large-patch14")?.clip(Lora::Merge)?;
//! // Alpha-CLIP publishes the vision tower alone; it goes over its base.
//! let alpha = Checkpoint::open("clip_l14_grit20m_fultune_2xe.pth")?.clip(Lora::Merge)?;
//! if alpha.towers().is_some_and(|t| !t.text) {
//!     weights = weights.overlaid(&alpha, &[]);
//! }
//! // Shapes tell the architecture, the configuration tells the activation.
//! let patch = weights.info("visual.conv1.weight").map(|i| i.shape.clone());
//! let activation = weights.config("config.json").and_then(|c| c.pointer("/vision_config/hidden_act"));
//! // Everything needed is there, or an error that says why not.
//! let report = weights.check([("visual.conv1.weight", [1024, 3, 14, 14])]).into_result()?;
//! let conv = weights.tensor("visual.conv1.weight", DType::F32, &Device::Cpu)?;
//! # Ok(())
//! # }
//! ```
//!
//! # Hostile files
//! Nothing in a file is believed before it was checked against the bytes that are there, and
//! nothing is ever run. Opening takes memory of a small multiple of the file's directory (header,
//! pickle, list of entries); reading takes the size of the tensor.

mod atomic;
mod bytes;
mod checkpoint;
mod convert;
mod decode;
mod digest;
mod entry;
mod error;
mod folder;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod hub;
pub mod layout;
mod pickle;
pub mod registry;
mod report;
mod safetensors;
mod slice;
mod sniff;
mod stored;
mod torch;
mod verify;

pub use checkpoint::Checkpoint;
pub use convert::{ConvertOptions, Converted, convert};
pub use digest::sha256_file;
pub use entry::TensorInfo;
pub use error::{Error, Result};
pub use layout::{Layout, Lora, Towers};
pub use report::{Report, WrongShape};
pub use sniff::Form;
pub use stored::StoredType;
pub use verify::{Verdict, verify};
