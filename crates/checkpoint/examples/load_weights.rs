//! Loads every tensor of a CLIP and says how long that took and how much memory it needed.
//!
//! `cargo run --release -p checkpoint --example load_weights -- FILE f16`
//!
//! Prints one JSON object: seconds from opening to the last tensor, bytes of the tensors, and the
//! most memory that the process ever had (resident, with mapped pages; Linux).

use std::time::Instant;

use candle_core::{DType, Device};
use checkpoint::{Checkpoint, Lora};

#[allow(clippy::print_stdout)] // what it is for
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let (Some(path), Some(dtype)) = (words.next(), words.next()) else {
        return Err("give a weight file or folder and a type (f32, f16, bf16)".into());
    };
    let dtype: DType = dtype.parse()?;
    let started = Instant::now();
    let file = Checkpoint::open(&path)?;
    let file = if file.layout().is_some() {
        file.clip(Lora::Merge)?
    } else {
        file
    };
    let mut tensors = Vec::new();
    for name in file.names() {
        tensors.push(file.tensor(name, dtype, &Device::Cpu)?);
    }
    let seconds = started.elapsed().as_secs_f64();
    let bytes: usize = tensors
        .iter()
        .map(|t| t.elem_count() * t.dtype().size_in_bytes())
        .sum();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status
        .lines()
        .find_map(|line| {
            line.strip_prefix("VmHWM:")?
                .split_whitespace()
                .next()?
                .parse::<u64>()
                .ok()
        })
        .map_or(0, |kib| kib * 1024);
    println!(
        r#"{{"tensors":{},"bytes":{bytes},"seconds":{seconds:.3},"peak_bytes":{peak}}}"#,
        tensors.len()
    );
    Ok(())
}
