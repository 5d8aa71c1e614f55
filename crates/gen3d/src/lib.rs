//! Names 3D things and varies pictures of them.
