//! Reference outputs for tests; see tests/golden/image_variation/README.md.

pub(crate) mod fixture;
pub(crate) mod golden;
