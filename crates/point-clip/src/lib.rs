//! Point-cloud and mesh readers, projections to views, and recognition of clouds.

mod cloud;
pub mod corrupt;
mod error;
mod packed;
pub mod project;
pub mod read;
pub mod recognize;
mod sample;
pub mod shaded;

pub use cloud::{BoundingCube, DegenerateShape, PointCloud, Shape, TriangleMesh};
pub use error::{Error, Place, Result};
pub use packed::PackedSet;
pub use recognize::Recognizer;
pub use sample::sample_surface;
