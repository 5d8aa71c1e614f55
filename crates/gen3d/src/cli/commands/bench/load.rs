//! `gen3d bench load`: bytes a second from a file in the page cache to a shape.

use indicatif::ProgressBar;
use point_clip::Shape;
use serde::Serialize;

use super::{median, print};
use crate::cli::args::BenchLoad;
use crate::cli::context::{Context, error_line};
use crate::cli::failure::{Failure, Outcome, one_line};

#[derive(Serialize)]
struct Measured {
    file: String,
    bytes: u64,
    points: usize,
    triangles: usize,
    runs: u32,
    /// Median of one reading.
    seconds: f64,
    gigabytes_per_second: f64,
}

pub(super) fn run(args: &BenchLoad, context: &Context) -> Result<Outcome, Failure> {
    let mut outcome = Outcome::Done;
    for path in &args.files {
        let file = path.display().to_string();
        let (mut points, mut triangles) = (0, 0);
        let measured = median(args.runs, context, || {
            let shape = point_clip::read::read_path(path)?;
            points = shape.positions().len();
            if let Shape::Mesh(mesh) = &shape {
                triangles = mesh.triangles.len();
            }
            Ok::<(), point_clip::Error>(())
        });
        let seconds = match measured {
            Ok(seconds) => seconds,
            // The reader names the file; the others are still measured.
            Err(Failure { code: 1, error }) => {
                error_line(&ProgressBar::hidden(), &one_line(&error));
                outcome = Outcome::SomeFailed;
                continue;
            }
            Err(failure) => return Err(failure),
        };
        let bytes = std::fs::metadata(path).map_or(0, |m| m.len());
        let gigabytes_per_second = bytes as f64 / seconds / 1e9;
        let runs = args.runs;
        let measured = Measured {
            file,
            bytes,
            points,
            triangles,
            runs,
            seconds,
            gigabytes_per_second,
        };
        print("load", measured, context)?;
    }
    Ok(outcome)
}
