//! Compares both towers of a file with what its library computed from it, in f32.
//!
//! `cargo run --release -p alpha-clip --example compare -- FOLDER...`
//!
//! The folders are those that `python tests/fixtures/make.py large DIR` writes: weights, and beside
//! them `expected.safetensors` with inputs and features. Prints one JSON object a folder: the
//! smallest cosine and the largest relative error over the rows of each kind of feature.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::Path;

use alpha_clip::{AlphaClip, LoadOptions, VisionInput, VisionOptions};
use candle_core::{DType, Device, Tensor};
use checkpoint::Checkpoint;

fn main() -> Result<(), Box<dyn Error>> {
    for folder in std::env::args().skip(1) {
        let expected = Checkpoint::open(Path::new(&folder).join("expected.safetensors"))?;
        let get = |name: &str, dtype| expected.tensor(name, dtype, &Device::Cpu);
        // The folder itself holds two files of tensors, one of which is no model.
        let weights = ["model.safetensors", "open_clip_model.safetensors"]
            .map(|name| Path::new(&folder).join(name))
            .into_iter()
            .find(|path| path.exists())
            .ok_or("the folder has no model.safetensors or open_clip_model.safetensors")?;
        let clip = AlphaClip::load(&Checkpoint::open(weights)?, &LoadOptions::default())?;
        let input = VisionInput {
            pixels: get("pixels", DType::F32)?,
            alpha: None,
        };
        let image = clip
            .encode_views(&input, &VisionOptions::default())?
            .features;
        let text = clip.text().encode(&get("ids", DType::U32)?)?;
        let (image_cosine, image_error) = gap(&image, &get("image_features", DType::F32)?)?;
        let (text_cosine, text_error) = gap(&text, &get("text_features", DType::F32)?)?;
        println!(
            "{}",
            serde_json::json!({
                "folder": folder,
                "image_cosine": image_cosine,
                "image_relative_error": image_error,
                "text_cosine": text_cosine,
                "text_relative_error": text_error,
            })
        );
    }
    Ok(())
}

/// The smallest cosine and the largest relative error of the rows.
fn gap(ours: &Tensor, theirs: &Tensor) -> candle_core::Result<(f64, f64)> {
    let rows = |t: &Tensor| t.to_dtype(DType::F64)?.to_vec2::<f64>();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (mut cosine, mut error) = (1_f64, 0_f64);
    for (a, b) in rows(ours)?.iter().zip(&rows(theirs)?) {
        let difference: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
        cosine = cosine.min(dot(a, b) / (dot(a, a) * dot(b, b)).sqrt());
        error = error.max((dot(&difference, &difference) / dot(b, b)).sqrt());
    }
    Ok((cosine, error))
}
