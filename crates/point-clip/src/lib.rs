//! Point-cloud and mesh readers, projections to views, and recognition of clouds.

mod cloud;
mod error;
pub mod project;
pub mod read;
mod sample;
pub mod shaded;

pub use cloud::{BoundingCube, DegenerateShape, PointCloud, Shape, TriangleMesh};
pub use error::{Error, Place, Result};
pub use sample::sample_surface;
