//! `gen3d bench`: speed and accuracy, one JSON object a line.

mod architecture;
mod diffusion;
mod encode;
mod gemm;
mod load;
mod memory;
mod packed;
mod project;
mod recognize;
mod regions;
mod saved;
mod score;
mod shapes;
mod text;
mod unet;
mod vae;
mod word_pairs;
mod words;

use std::io::{self, Write};
use std::time::Instant;

use serde::Serialize;

pub(crate) use diffusion::{BenchUnet, BenchVae};

use crate::cli::args::{Bench, BenchWhat};
use crate::cli::context::Context;
use crate::cli::failure::{Failure, Outcome};

pub(crate) fn run(args: &Bench, context: &Context) -> Result<Outcome, Failure> {
    match &args.what {
        BenchWhat::Encode(args) => encode::run(args, context),
        BenchWhat::Gemm(args) => gemm::run(args, context),
        BenchWhat::Text(args) => text::run(args, context),
        BenchWhat::Project(args) => project::run(args, context),
        BenchWhat::Load(args) => load::run(args, context),
        BenchWhat::Recognize(args) => recognize::run(args, context),
        BenchWhat::Words(args) => words::run(args, context),
        BenchWhat::Regions(args) => regions::run(args, context),
        BenchWhat::Unet(args) => unet::run(args, &context.for_diffusion()?),
        BenchWhat::Vae(args) => vae::run(args, &context.for_vae()?),
    }
}

/// One measurement and where it was made.
#[derive(Serialize)]
struct Line<'a, T> {
    bench: &'static str,
    #[serde(flatten)]
    measured: T,
    threads: usize,
    dtype: &'static str,
    device: String,
    cpu: &'a str,
}

/// Prints one measurement.
fn print(bench: &'static str, measured: impl Serialize, context: &Context) -> Result<(), Failure> {
    let line = Line {
        bench,
        measured,
        threads: context.threads,
        dtype: context.arithmetic(),
        device: device(context),
        cpu: &cpu(),
    };
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, &line)
        .map_err(io::Error::from)
        .and_then(|()| writeln!(out))
        .and_then(|()| out.flush())
        .map_err(Failure::output)
}

fn device(context: &Context) -> String {
    match context.device.location() {
        candle_core::DeviceLocation::Cpu => "cpu".into(),
        candle_core::DeviceLocation::Cuda { gpu_id } => format!("cuda:{gpu_id}"),
        candle_core::DeviceLocation::Metal { gpu_id } => format!("metal:{gpu_id}"),
    }
}

/// The processor as the system calls it; its architecture where the system does not tell.
fn cpu() -> String {
    let told = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = told.lines().find_map(|line| {
        let (field, value) = line.split_once(':')?;
        (field.trim() == "model name").then(|| value.trim().to_owned())
    });
    name.unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

/// Median seconds of `runs` calls of `work`, after one that warms caches and is not counted.
fn median<E: Into<anyhow::Error>>(
    runs: u32,
    context: &Context,
    mut work: impl FnMut() -> Result<(), E>,
) -> Result<f64, Failure> {
    let mut times = Vec::new();
    for run in 0..=runs {
        if context.interrupted() {
            return Err(Failure::interrupted());
        }
        let start = Instant::now();
        work().map_err(Failure::failed)?;
        if run > 0 {
            times.push(start.elapsed().as_secs_f64());
        }
    }
    Ok(middle(&mut times))
}

/// The median, 0 of nothing.
fn middle(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    match (
        values.get(values.len() / 2),
        values.get(values.len().wrapping_sub(1) / 2),
    ) {
        (Some(upper), Some(lower)) => f64::midpoint(*upper, *lower),
        _ => 0.,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_the_median() {
        assert_eq!(middle(&mut [3., 1., 2.]), 2.);
        assert_eq!(middle(&mut [4., 1., 2., 3.]), 2.5);
        assert_eq!(middle(&mut [7.]), 7.);
        assert_eq!(middle(&mut []), 0.);
    }

    #[test]
    fn a_line_says_what_and_where_in_that_order() {
        #[derive(Serialize)]
        struct Measured {
            arch: &'static str,
            seconds: f64,
        }
        let line = Line {
            bench: "encode",
            measured: Measured {
                arch: "x",
                seconds: 0.5,
            },
            threads: 2,
            dtype: "f32",
            device: "cpu".into(),
            cpu: "y",
        };
        assert_eq!(
            serde_json::to_string(&line).unwrap(),
            r#"{"bench":"encode","arch":"x","seconds":0.5,"threads":2,"dtype":"f32","device":"cpu","cpu":"y"}"#
        );
    }
}
