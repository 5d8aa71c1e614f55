//! Measures vision towers of known shapes with random weights: milliseconds for a batch of views.
//!
//! `cargo run --release -p alpha-clip --example measure_towers -- [VIEWS] [f32|bf16|f16|int8] [TOWER]`
//!
//! Prints one JSON object a line: the time of a batch, and (Linux) the time that it took of all
//! cores together, which another load on the machine changes little.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::time::Instant;

use alpha_clip::{
    Activation, LoadOptions, TransformerConfig, VisionConfig, VisionInput, VisionKind, VisionTower,
};
use candle_core::{DType, Device, Tensor};

/// Name, image size, patch, width, layers, embedding.
const TOWERS: [(&str, usize, usize, usize, usize, usize); 5] = [
    ("64 px, patch 8, 192 x 6", 64, 8, 192, 6, 256),
    ("64 px, patch 8, 256 x 8", 64, 8, 256, 8, 256),
    ("ViT-B-32", 224, 32, 768, 12, 512),
    ("ViT-B-16", 224, 16, 768, 12, 512),
    ("ViT-L-14", 224, 14, 1024, 24, 768),
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let views: usize = arguments.next().map_or(Ok(10), |views| views.parse())?;
    let of = |dtype| LoadOptions {
        dtype,
        ..LoadOptions::default()
    };
    let arithmetic = arguments.next().unwrap_or_else(|| "f32".into());
    let options = match arithmetic.as_str() {
        "f32" => of(DType::F32),
        "bf16" => of(DType::BF16),
        "f16" => of(DType::F16),
        "int8" => LoadOptions {
            int8: true,
            ..LoadOptions::fastest(Device::Cpu)
        },
        other => return Err(format!("unknown type {other}").into()),
    };
    let only = arguments.next();
    let chosen = TOWERS
        .iter()
        .filter(|tower| only.as_ref().is_none_or(|name| name == tower.0));
    for &(name, image_size, patch, width, layers, embed_dim) in chosen {
        let blocks = TransformerConfig {
            width,
            layers,
            heads: width / 64,
            mlp_width: 4 * width,
            activation: Activation::QuickGelu,
            layer_norm_eps: 1e-5,
        };
        let kind = VisionKind::Transformer { patch, blocks };
        let config = VisionConfig {
            image_size,
            embed_dim,
            alpha: true,
            kind,
        };
        let tower = VisionTower::random(&config, &options)?;
        let shape = (views, 3, image_size, image_size);
        let pixels = Tensor::randn(0f32, 1., shape, &Device::Cpu)?;
        let input = VisionInput {
            pixels,
            alpha: None,
        };
        tower.encode(&input)?;
        let mut times = Vec::new();
        let (begun, cores) = (Instant::now(), core_ms());
        while times.len() < 3 || (begun.elapsed().as_secs_f64() < 2. && times.len() < 50) {
            let start = Instant::now();
            tower.encode(&input)?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        let cores = cores
            .zip(core_ms())
            .map(|(from, to)| (to - from) / times.len() as f64);
        times.sort_by(f64::total_cmp);
        let (best, median) = (times[0], times[times.len() / 2]);
        let cores = cores.map_or("null".to_owned(), |ms| format!("{ms:.1}"));
        println!(
            "{{\"tower\":\"{name}\",\"dtype\":\"{arithmetic}\",\"views\":{views},\
             \"best_ms\":{best:.1},\"median_ms\":{median:.1},\"core_ms\":{cores}}}"
        );
    }
    Ok(())
}

/// Milliseconds that all threads of this process have computed.
fn core_ms() -> Option<f64> {
    let all = std::fs::read_dir("/proc/self/task").ok()?;
    let nanoseconds = all.filter_map(|task| {
        let spent = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        spent.split(' ').next()?.parse::<f64>().ok()
    });
    Some(nanoseconds.sum::<f64>() / 1e6)
}
