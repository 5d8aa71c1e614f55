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

/// Why a shape cannot be shown or recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DegenerateShape {
    /// There is nothing.
    #[error("it holds no points; give a file with a surface or a cloud")]
    Empty,
    /// A coordinate is NaN or infinite.
    #[error("point {0} has a coordinate that is not finite; remove such points")]
    NotFinite(usize),
    /// All points are one.
    #[error("{}; give a shape that has an extent", match .0 {
        1 => "it holds a single point".to_owned(),
        count => format!("all {count} points lie in one place"),
    })]
    NoExtent(usize),
    /// The extent is lost in single precision: far too small beside the coordinates, or too large.
    #[error(
        "its extent is lost in single precision; centre the points and scale them to about one unit"
    )]
    Unresolved,
}

/// The axis-aligned cube that holds a shape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoundingCube {
    /// The middle of the bounding box.
    pub center: [f64; 3],
    /// Half the longest side, above 0.
    pub half: f64,
}

impl BoundingCube {
    /// The cube around `points`.
    ///
    /// # Errors
    /// [`DegenerateShape`] where there is no point, one that is not finite, or no extent.
    pub fn around(points: &[[f32; 3]]) -> Result<Self, DegenerateShape> {
        if points.is_empty() {
            return Err(DegenerateShape::Empty);
        }
        let ([min, max], finite) = extremes(points);
        if !finite {
            let bad = points.iter().position(|p| !p.iter().all(|v| v.is_finite()));
            return Err(DegenerateShape::NotFinite(bad.unwrap_or_default()));
        }
        let half = (0..3).map(|k| (max[k] - min[k]) / 2.0).fold(0.0, f64::max);
        if half <= 0.0 {
            return Err(DegenerateShape::NoExtent(points.len()));
        }
        Ok(BoundingCube {
            center: std::array::from_fn(|k| (min[k] + max[k]) / 2.0),
            half,
        })
    }

    /// `point` in the cube's own coordinates, -1..=1 along each axis.
    pub fn to_unit(&self, point: [f32; 3]) -> [f32; 3] {
        std::array::from_fn(|k| ((f64::from(point[k]) - self.center[k]) / self.half) as f32)
    }
}

/// The smallest and the largest coordinates along each axis, and whether all are finite.
fn extremes(points: &[[f32; 3]]) -> ([[f64; 3]; 2], bool) {
    /// Points at once, so that the comparisons run in vector registers.
    const LANES: usize = 8;
    let mut min = [[f32::INFINITY; 3]; LANES];
    let mut max = [[f32::NEG_INFINITY; 3]; LANES];
    let mut finite = true;
    let mut include = |points: &[[f32; 3]]| {
        let lanes = min.as_flattened_mut().iter_mut();
        let lanes = lanes.zip(max.as_flattened_mut());
        for (&v, (min, max)) in points.as_flattened().iter().zip(lanes) {
            *min = if v < *min { v } else { *min };
            *max = if v > *max { v } else { *max };
            finite &= v.is_finite();
        }
    };
    let (chunks, rest) = points.as_chunks::<LANES>();
    chunks.iter().for_each(|chunk| include(chunk));
    include(rest);
    let fold = |lanes: [[f32; 3]; LANES], larger: fn(f32, f32) -> f32| -> [f64; 3] {
        std::array::from_fn(|k| {
            let lanes = lanes.iter().map(|lane| lane[k]);
            lanes.reduce(larger).map_or(0.0, f64::from)
        })
    };
    ([fold(min, f32::min), fold(max, f32::max)], finite)
}

impl Shape {
    /// The vertices of a mesh, or the points of a cloud.
    pub fn positions(&self) -> &[[f32; 3]] {
        match self {
            Shape::Cloud(cloud) => &cloud.positions,
            Shape::Mesh(mesh) => &mesh.positions,
        }
    }

    /// Tells whether there is anything to see: some points that are finite and not all in one
    /// place.
    ///
    /// # Errors
    /// [`DegenerateShape`] where there is not.
    pub fn validate_extent(&self) -> Result<(), DegenerateShape> {
        BoundingCube::around(self.positions()).map(|_| ())
    }
}
