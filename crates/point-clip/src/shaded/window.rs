//! From camera space to the picture: perspective, and the zoom to what is seen.

use nalgebra::Vector3;

/// Camera distance from the middle of the object, in half sides of its bounding cube.
const DISTANCE: f32 = 5.0;
/// Share of the picture that the object's longer side fills.
const FILL: f32 = 0.92;

/// A point in camera space and its perspective zoom.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    pub(super) camera: Vector3<f32>,
    pub(super) zoom: f32,
}

impl Seen {
    pub(super) fn of(camera: Vector3<f32>) -> Self {
        Seen {
            camera,
            zoom: DISTANCE / (DISTANCE - camera.z),
        }
    }

    fn planar(&self) -> [f32; 2] {
        [self.camera.x * self.zoom, self.camera.y * self.zoom]
    }
}

/// The zoom that fits what is seen into the picture.
pub(super) struct Window {
    center: [f32; 2],
    /// Samples a unit.
    pub(super) scale: f32,
    side: f32,
}

impl Window {
    pub(super) fn around<'a>(seen: impl Iterator<Item = &'a Seen>, side: usize) -> Self {
        let mut min = [f32::INFINITY; 2];
        let mut max = [f32::NEG_INFINITY; 2];
        for p in seen.map(Seen::planar) {
            for k in 0..2 {
                min[k] = min[k].min(p[k]);
                max[k] = max[k].max(p[k]);
            }
        }
        let extent = (max[0] - min[0]).max(max[1] - min[1]).max(1e-3);
        Window {
            center: [(min[0] + max[0]) / 2.0, (min[1] + max[1]) / 2.0],
            scale: FILL * side as f32 / extent,
            side: side as f32,
        }
    }

    /// Depth in samples over which nearness fades: one side of the bounding cube.
    pub(super) fn fade(&self) -> f32 {
        2.0 * self.scale
    }

    /// Sample coordinates (x right, y down), depth in samples.
    pub(super) fn place(&self, seen: &Seen) -> Vector3<f32> {
        let [x, y] = seen.planar();
        Vector3::new(
            self.side / 2.0 + (x - self.center[0]) * self.scale,
            self.side / 2.0 - (y - self.center[1]) * self.scale,
            seen.camera.z * self.scale,
        )
    }
}
