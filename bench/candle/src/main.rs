//! Times the vision tower of candle-transformers' CLIP and prints one JSON object a batch size:
//! `candle-clip FOLDER ViT-B-16|ViT-L-14 1,10 RUNS [FEATURES]`. FOLDER holds `vision.safetensors`,
//! named as transformers names it, and `pixels.safetensors`. Threads: `RAYON_NUM_THREADS`.

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use candle_core::{DType, Device, Error, Module, Result};
use candle_nn::VarBuilder;
use candle_transformers::models::clip::text_model::Activation;
use candle_transformers::models::clip::vision_model::{ClipVisionConfig, ClipVisionTransformer};

fn config(arch: &str) -> Result<ClipVisionConfig> {
    let (width, layers, projection, patch) = match arch {
        "ViT-B-16" => (768, 12, 512, 16),
        "ViT-L-14" => (1024, 24, 768, 14),
        other => return Err(Error::Msg(format!("unknown architecture {other}"))),
    };
    Ok(ClipVisionConfig {
        embed_dim: width,
        activation: Activation::QuickGelu,
        intermediate_size: 4 * width,
        num_hidden_layers: layers,
        num_attention_heads: width / 64,
        projection_dim: projection,
        num_channels: 3,
        image_size: 224,
        patch_size: patch,
    })
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, arch, batches, runs, features @ ..] = arguments.as_slice() else {
        return Err(Error::Msg("give FOLDER ARCH BATCHES RUNS [FEATURES]".into()));
    };
    let whole = |text: &str| text.parse::<usize>().map_err(Error::wrap);
    let (device, config, runs) = (Device::Cpu, config(arch)?, whole(runs)?);
    let path = Path::new(folder);
    let weights = candle_core::safetensors::load(path.join("vision.safetensors"), &device)?;
    let weights = VarBuilder::from_tensors(weights, DType::F32, &device);
    let tower = ClipVisionTransformer::new(weights.pp("vision_model"), &config)?;
    let (width, embedding) = (config.embed_dim, config.projection_dim);
    let project = candle_nn::linear_no_bias(width, embedding, weights.pp("visual_projection"))?;
    let pixels = candle_core::safetensors::load(path.join("pixels.safetensors"), &device)?;
    let pixels = pixels.get("pixels").ok_or(Error::Msg("no pixels".into()))?;

    let mut last = None;
    for batch in batches.split(',') {
        let batch = whole(batch)?;
        let input = pixels.narrow(0, 0, batch)?;
        let mut times = Vec::new();
        // The first call warms caches and is not counted.
        for run in 0..=runs {
            let start = Instant::now();
            last = Some(project.forward(&tower.forward(&input)?)?);
            if run > 0 {
                times.push(start.elapsed().as_secs_f64());
            }
        }
        times.sort_by(f64::total_cmp);
        let seconds = (times[runs / 2] + times[(runs - 1) / 2]) / 2.0;
        println!(r#"{{"batch":{batch},"seconds":{seconds}}}"#);
    }
    if let (Some(rows), Some(path)) = (last, features.first()) {
        candle_core::safetensors::save(&HashMap::from([("features", rows)]), path)?;
    }
    Ok(())
}
