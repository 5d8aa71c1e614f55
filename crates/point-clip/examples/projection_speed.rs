//! Times the PointCLIP projections: `cargo run -p point-clip --example projection_speed`.
//!
//! Prints one JSON object a line: milliseconds a cloud (smallest and median of the repeats) on all
//! threads of the pool (`RAYON_NUM_THREADS`). Projections are optimised in the dev profile too.
#![allow(clippy::print_stdout)]

use point_clip::DegenerateShape;
use point_clip::project::{Maps, PointClipV1, PointClipV2};
use rand::{Rng, SeedableRng};
use std::time::Instant;

const REPEATS: usize = 51;

/// A bumpy closed surface in the unit sphere.
fn cloud(points: usize) -> Vec<[f32; 3]> {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
    (0..points)
        .map(|_| {
            let z = rng.random_range(-1.0..1.0_f32);
            let turn = rng.random_range(0.0..std::f32::consts::TAU);
            let radius =
                (0.75 + 0.25 * (5.0 * turn).sin() * (4.0 * z).cos()) * (1.0 - z * z).sqrt();
            [radius * turn.cos(), z, 0.6 * radius * turn.sin()]
        })
        .collect()
}

fn time(name: &str, points: usize, project: impl Fn(&[[f32; 3]]) -> Result<Maps, DegenerateShape>) {
    let cloud = cloud(points);
    let mut times: Vec<f64> = (0..REPEATS)
        .map(|_| {
            let start = Instant::now();
            let maps = project(&cloud).expect("the cloud has an extent");
            assert!(maps.views() > 0);
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!(
        r#"{{"bench":"project","projection":"{name}","points":{points},"threads":{},"min_ms":{:.3},"median_ms":{:.3}}}"#,
        rayon::current_num_threads(),
        times[0],
        times[REPEATS / 2],
    );
}

fn main() {
    let (v2, zero_shot, few_shot) = (
        PointClipV2::default(),
        PointClipV1::zero_shot(),
        PointClipV1::few_shot(),
    );
    for points in [1_024, 2_000, 10_000, 100_000] {
        time("v2", points, |c| v2.project(c));
        time("v2 to 224", points, |c| v2.input_maps(c));
        time("v1", points, |c| zero_shot.project(c));
        time("v1 to 224", points, |c| zero_shot.input_maps(c));
        time("v1-fewshot", points, |c| few_shot.project(c));
    }
}
