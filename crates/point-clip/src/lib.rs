//! Point-cloud and mesh readers, projections to views, and recognition of clouds.

mod cloud;
pub mod project;
mod sample;
pub mod shaded;

pub use cloud::{BoundingCube, DegenerateShape, PointCloud, Shape, TriangleMesh};
pub use sample::sample_surface;
