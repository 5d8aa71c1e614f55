//! `gen3d bench project`: milliseconds to draw all views of a cloud.

use point_clip::recognize::{Projection, ShapeOptions, draw};
use point_clip::shaded::Up;
use point_clip::{PointCloud, Shape, TriangleMesh, sample_surface};
use serde::Serialize;

use super::{median, print};
use crate::cli::args::BenchProject;
use crate::cli::context::Context;
use crate::cli::failure::{Failure, Outcome};

#[derive(Serialize)]
struct Measured {
    projection: &'static str,
    points: usize,
    views: usize,
    pixels: usize,
    runs: u32,
    /// Median of one cloud.
    seconds: f64,
    milliseconds: f64,
}

pub(super) fn run(args: &BenchProject, context: &Context) -> Result<Outcome, Failure> {
    let all = Projection::ALL;
    let projections = args
        .projection
        .as_ref()
        .map_or(all.as_slice(), std::slice::from_ref);
    let (ring, size) = (ring(), usize::from(args.image_size));
    for &points in &args.points {
        let cloud = PointCloud {
            normals: None,
            ..sample_surface(&ring, points, 0)
        };
        let shape = Shape::Cloud(cloud);
        for &projection in projections {
            let options = ShapeOptions {
                projection,
                ..ShapeOptions::default()
            };
            let (mut views, mut pixels) = (0, 0);
            let seconds = median(args.runs, context, || -> anyhow::Result<()> {
                let drawn = draw(&shape, &options, Up::default(), size)?.to_views()?;
                views = drawn.count()?;
                pixels = drawn.size()?.0;
                Ok(())
            })?;
            let measured = Measured {
                projection: projection.name(),
                points,
                views,
                pixels,
                runs: args.runs,
                seconds,
                milliseconds: 1e3 * seconds,
            };
            print("project", measured, context)?;
        }
    }
    Ok(Outcome::Done)
}

/// A bumpy ring: a closed surface that hides parts of itself, as most things do.
fn ring() -> TriangleMesh {
    const ROUND: u32 = 96;
    const ACROSS: u32 = 32;
    let angle = |i: u32, of: u32| std::f32::consts::TAU * i as f32 / of as f32;
    let mut mesh = TriangleMesh::default();
    for i in 0..ROUND {
        for j in 0..ACROSS {
            let (along, across) = (angle(i, ROUND), angle(j, ACROSS));
            let thickness = 0.3 + 0.08 * (5. * along).sin();
            let radius = 1. + thickness * across.cos();
            mesh.positions.push([
                radius * along.cos(),
                thickness * across.sin(),
                radius * along.sin(),
            ]);
            let corner = |i: u32, j: u32| (i % ROUND) * ACROSS + j % ACROSS;
            let corners = [
                corner(i, j),
                corner(i + 1, j),
                corner(i + 1, j + 1),
                corner(i, j + 1),
            ];
            let [a, b, c, d] = corners;
            mesh.triangles.extend([[a, b, c], [a, c, d]]);
        }
    }
    mesh
}
