//! Writes batches of rendered views of packed meshes to stdout, for training and evaluation.
//!
//! SET is a [`PackedSet`] of meshes, +y up.
//!
//! ```text
//! stream_views train SET PICKS --seed 1 [--size 64] [--views 4]
//! stream_views bench SET [--points 4096] [--size 64] [--views 10] [--seed 0]
//! ```
//!
//! `train` reads mesh indices (little-endian u32) from the file PICKS, or from stdin where PICKS
//! is `-`, and for each writes that many views of the mesh as it might arrive: stretched, bent,
//! tilted, turned, with parts missing, as a cloud of any density, noisy, partly scanned, or as a
//! surface, plain or coloured; one in four lies along another of the six axis directions. `bench`
//! writes the default views of a clean cloud of every mesh in turn. A record is the mesh index
//! (u32), the place of its true up in [`Up::ALL`] (u32, 0 upright) and views × 4 × size × size bytes
//! (the three channels and alpha, planes in this order).

use nalgebra::{Matrix3, Rotation3, Vector3};
use point_clip::shaded::{Shaded, Up, Viewpoint};
use point_clip::{PackedSet, PointCloud, Shape, TriangleMesh, sample_surface};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::io::{Read, Write};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let flag = |name: &str, default: usize| -> Result<usize> {
        match args.iter().position(|a| a == name) {
            Some(i) => Ok(args
                .get(i + 1)
                .ok_or(format!("{name} needs a number"))?
                .parse()?),
            None => Ok(default),
        }
    };
    let usage = "usage: stream_views train SET PICKS | bench SET [--points N] [--views N] [--size N] [--seed N]";
    let set = PackedSet::parse(&std::fs::read(args.get(1).ok_or(usage)?)?)?;
    let size = flag("--size", 64)?;
    let seed = flag("--seed", 0)? as u64;
    let mut out = std::io::BufWriter::with_capacity(1 << 20, std::io::stdout().lock());
    match args.first().map(String::as_str) {
        Some("train") => {
            let views = flag("--views", 4)?;
            let mut picks: Box<dyn Read> = match args.get(2).ok_or(usage)?.as_str() {
                "-" => Box::new(std::io::stdin()),
                path => Box::new(std::io::BufReader::new(std::fs::File::open(path)?)),
            };
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let mut index = [0u8; 4];
            while picks.read_exact(&mut index).is_ok() {
                let index = u32::from_le_bytes(index);
                let mesh = set
                    .mesh(index as usize)
                    .ok_or_else(|| format!("mesh {index} of {} does not exist", set.len()))?;
                let (up, planes) = render_augmented(&mesh, size, views, &mut rng)?;
                write_record(&mut out, index, up, &planes)?;
            }
        }
        Some("bench") => {
            let shaded = Shaded::new(size, flag("--views", 10)?);
            let points = flag("--points", 4096)?;
            for index in 0..set.len() {
                let Some(mesh) = set.mesh(index) else { break };
                let mut cloud = sample_surface(&mesh, points, seed + index as u64);
                cloud.normals = None;
                let planes = shaded.render(&shaded.prepare(&Shape::Cloud(cloud))?);
                write_record(&mut out, index as u32, 0, &planes)?;
            }
        }
        _ => return Err(usage.into()),
    }
    Ok(out.flush()?)
}

fn write_record(out: &mut impl Write, index: u32, up: u32, planes: &[f32]) -> Result<()> {
    out.write_all(&index.to_le_bytes())?;
    out.write_all(&up.to_le_bytes())?;
    let bytes: Vec<u8> = planes.iter().map(|v| (v * 255.0).round() as u8).collect();
    Ok(out.write_all(&bytes)?)
}

/// One random appearance of `mesh`: the place in [`Up::ALL`] of the direction that is truly up, and
/// `views` views that take +y for it, `[views, 4, size, size]` flattened.
fn render_augmented(
    mesh: &TriangleMesh,
    size: usize,
    views: usize,
    rng: &mut ChaCha8Rng,
) -> Result<(u32, Vec<f32>)> {
    let mut mesh = deform(mesh, rng);
    let up = if rng.random_bool(0.25) {
        rng.random_range(1..Up::ALL.len())
    } else {
        0
    };
    let lying: Matrix3<f32> = Up::ALL[up].to_y().transpose();
    for p in &mut mesh.positions {
        *p = (lying * Vector3::from(*p)).into();
    }
    if rng.random_bool(0.15) {
        mesh.colors = Some(random_colors(&mesh, rng));
    }
    let shape = if rng.random_bool(0.2) {
        Shape::Mesh(mesh)
    } else {
        Shape::Cloud(scan(&mesh, rng))
    };
    let start = rng.random_range(0.0..std::f32::consts::TAU);
    let viewpoints = (0..views)
        .map(|i| {
            let turn = (i as f32 + rng.random_range(-0.3..0.3)) / views as f32;
            let elevation: f32 = if rng.random_bool(0.1) {
                rng.random_range(-30.0..85.0)
            } else {
                rng.random_range(0.0..45.0)
            };
            Viewpoint {
                azimuth: start + turn * std::f32::consts::TAU,
                elevation: elevation.to_radians(),
            }
        })
        .collect();
    let shaded = Shaded {
        size,
        viewpoints,
        ..Shaded::new(size, 0)
    };
    let planes = shaded.render(&shaded.prepare(&shape)?);
    let mirrored = rng.random_bool(0.5);
    let planes = if mirrored {
        mirror(&planes, size)
    } else {
        planes
    };
    Ok((up as u32, planes))
}

/// Flips every plane left to right.
fn mirror(planes: &[f32], size: usize) -> Vec<f32> {
    planes
        .chunks_exact(size)
        .flat_map(|row| row.iter().rev().copied())
        .collect()
}

/// Stretches, bends, twists and tilts.
fn deform(mesh: &TriangleMesh, rng: &mut ChaCha8Rng) -> TriangleMesh {
    let stretch = Vector3::from_fn(|_, _| rng.random_range(0.75f32..1.25));
    let bend = if rng.random_bool(0.25) {
        rng.random_range(-0.3f32..0.3)
    } else {
        0.0
    };
    let twist = if rng.random_bool(0.15) {
        rng.random_range(-0.3f32..0.3)
    } else {
        0.0
    };
    let taper = if rng.random_bool(0.25) {
        rng.random_range(-0.2f32..0.2)
    } else {
        0.0
    };
    let turn = Rotation3::from_axis_angle(&Vector3::y_axis(), rng.random_range(0.0..6.3f32));
    let steep = if rng.random_bool(0.1) { 40.0f32 } else { 8.0 };
    let lean = rng.random_range(-steep..steep).to_radians();
    let tilt: Matrix3<f32> =
        (Rotation3::from_axis_angle(&Vector3::x_axis(), lean) * turn).into_inner();
    let positions = mesh
        .positions
        .iter()
        .map(|&p| {
            // Turned first, so that bend and taper act along any horizontal direction.
            let mut p = turn * Vector3::from(p).component_mul(&stretch);
            let width = 1.0 + taper * p.y;
            p.x = p.x * width + bend * p.y * p.y;
            p.z *= width;
            let q = Rotation3::from_axis_angle(&Vector3::y_axis(), twist * p.y) * p;
            (tilt * q).into()
        })
        .collect();
    TriangleMesh {
        positions,
        triangles: mesh.triangles.clone(),
        colors: None,
    }
}

/// One colour for all, or one for each slab along a random axis.
fn random_colors(mesh: &TriangleMesh, rng: &mut ChaCha8Rng) -> Vec<[u8; 3]> {
    let palette: Vec<[u8; 3]> = (0..rng.random_range(1..5)).map(|_| rng.random()).collect();
    let axis = rng.random_range(0..3);
    mesh.positions
        .iter()
        .map(|p| {
            let slab = ((p[axis] + 1.5) / 3.0 * palette.len() as f32).max(0.0) as usize;
            palette[slab.min(palette.len() - 1)]
        })
        .collect()
}

/// A cloud of the surface as scanners and converters deliver it.
fn scan(mesh: &TriangleMesh, rng: &mut ChaCha8Rng) -> PointCloud {
    let count = match rng.random_range(0..20) {
        0 | 1 => 256,
        2..=5 => 512,
        6..=8 => 1024,
        9..=11 => 2048,
        12..=18 => 4096,
        _ => 10_000,
    };
    let mut cloud = sample_surface(mesh, count, rng.random());
    if !rng.random_bool(0.2) {
        cloud.normals = None;
    }
    if rng.random_bool(0.4) {
        // Most of them lack a whole half, as seen from one side only.
        let normal = random_direction(rng);
        let offset = if rng.random_bool(0.7) {
            rng.random_range(-0.05..0.05)
        } else {
            rng.random_range(0.0..0.4)
        };
        retain(&mut cloud, |p| normal.dot(&p) < offset);
    }
    if rng.random_bool(0.1) {
        let centre = cloud
            .positions
            .get(rng.random_range(0..count.min(cloud.positions.len().max(1))));
        if let Some(centre) = centre.copied().map(Vector3::from) {
            let radius = rng.random_range(0.15..0.4);
            retain(&mut cloud, |p| (p - centre).norm() > radius);
        }
    }
    if rng.random_bool(0.4) {
        let amount = rng.random_range(0.0..0.015f32);
        for p in &mut cloud.positions {
            // Sum of three uniforms: near enough to a Gaussian of standard deviation 1.
            *p = p.map(|v| {
                v + amount * 2.0 * (0..3).map(|_| rng.random_range(-0.5f32..0.5)).sum::<f32>()
            });
        }
        cloud.normals = None;
    }
    if rng.random_bool(0.15) {
        let extra = (cloud.positions.len() as f32 * rng.random_range(0.0..0.08)) as usize;
        cloud
            .positions
            .extend((0..extra).map(|_| [(); 3].map(|()| rng.random_range(-1.0f32..1.0))));
        cloud.normals = None;
        if let Some(colors) = &mut cloud.colors {
            colors.resize(cloud.positions.len(), [128; 3]);
        }
    }
    cloud
}

fn random_direction(rng: &mut ChaCha8Rng) -> Vector3<f32> {
    let v = Vector3::from_fn(|_, _| rng.random_range(-1.0f32..1.0));
    v.try_normalize(1e-3).unwrap_or_else(Vector3::y)
}

/// Keeps the points for which `keep` holds, unless fewer than 64 would be left.
fn retain(cloud: &mut PointCloud, keep: impl Fn(Vector3<f32>) -> bool) {
    let kept: Vec<usize> = (0..cloud.positions.len())
        .filter(|&i| keep(cloud.positions[i].into()))
        .collect();
    if kept.len() < 64 {
        return;
    }
    cloud.positions = kept.iter().map(|&i| cloud.positions[i]).collect();
    cloud.normals = cloud
        .normals
        .as_ref()
        .map(|n| kept.iter().map(|&i| n[i]).collect());
    cloud.colors = cloud
        .colors
        .as_ref()
        .map(|c| kept.iter().map(|&i| c[i]).collect());
}
