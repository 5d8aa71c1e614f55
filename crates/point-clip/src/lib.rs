//! Point-cloud and mesh readers, projections to views, and recognition of clouds.

mod cloud;

pub use cloud::{PointCloud, Shape, TriangleMesh};
