//! Times the readers: `cargo run --release -p point-clip --example load_shape FILE...`.
//!
//! Prints one JSON object a file: seconds (smallest and median of the repeats, the file in the page
//! cache), gigabytes of the file a second, and the process's peak memory in bytes. For a peak of
//! one file alone, give one file. `RAYON_NUM_THREADS` sets the threads.
#![allow(clippy::print_stdout)]

use point_clip::{Shape, read::read_path};
use std::time::Instant;

const REPEATS: usize = 5;

/// The most memory that this process has held, shared file pages included; 0 where the system does
/// not tell.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for file in std::env::args().skip(1) {
        let bytes = std::fs::metadata(&file)?.len();
        let mut times = Vec::new();
        let (mut points, mut triangles) = (0, 0);
        for _ in 0..REPEATS {
            let start = Instant::now();
            let shape = read_path(&file)?;
            times.push(start.elapsed().as_secs_f64());
            points = shape.positions().len();
            if let Shape::Mesh(mesh) = &shape {
                triangles = mesh.triangles.len();
            }
        }
        times.sort_by(f64::total_cmp);
        println!(
            "{}",
            serde_json::json!({
                "bench": "load",
                "file": file,
                "bytes": bytes,
                "points": points,
                "triangles": triangles,
                "threads": rayon::current_num_threads(),
                "min_s": times[0],
                "median_s": times[REPEATS / 2],
                "gb_per_s": bytes as f64 / times[0] / 1e9,
                "peak_bytes": peak_memory(),
            })
        );
    }
    Ok(())
}
