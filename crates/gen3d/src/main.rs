//! The `gen3d` program.
fn main() {}
