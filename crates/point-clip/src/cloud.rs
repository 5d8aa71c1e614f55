//! The two kinds of shape that a file can hold.

/// Points with optional normals and colours, in the file's own axes and units.
///
/// `normals` and `colors`, where present, have one entry per point.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PointCloud {
    /// Coordinates `[x, y, z]`, all finite.
    pub positions: Vec<[f32; 3]>,
    /// Unit normals; orientation is not relied upon.
    pub normals: Option<Vec<[f32; 3]>>,
    /// sRGB colours, 0..=255.
    pub colors: Option<Vec<[u8; 3]>>,
}

/// Triangles over shared vertices, in the file's own axes and units.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TriangleMesh {
    /// Vertex coordinates `[x, y, z]`, all finite.
    pub positions: Vec<[f32; 3]>,
    /// Vertex indices, each below `positions.len()`.
    pub triangles: Vec<[u32; 3]>,
    /// sRGB vertex colours, 0..=255, one per vertex.
    pub colors: Option<Vec<[u8; 3]>>,
}

/// What a 3D file holds: a surface, or bare points.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A point cloud.
    Cloud(PointCloud),
    /// A triangle mesh.
    Mesh(TriangleMesh),
}
