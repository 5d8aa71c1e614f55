//! Scenes: several shapes in one view, and a mask for each of them.

use super::raster::Framebuffer;
use super::window::{Seen, Window};
use super::{Shaded, Surface};
use crate::{BoundingCube, DegenerateShape, Shape};
use rayon::prelude::*;

/// Several shapes rendered together, as a tower would be asked about one of them.
#[derive(Clone, Debug, PartialEq)]
pub struct SceneViews {
    /// The views of the whole scene, `[views, 4, size, size]` flattened, as
    /// [`Shaded::render`] gives them; alpha is everything that stands there.
    pub planes: Vec<f32>,
    /// For each shape the share of each pixel that shows it, `[views, size, size]` flattened: what
    /// other shapes hide is not in it.
    pub masks: Vec<Vec<f32>>,
    /// For each shape the views of it alone, in its place and size, as `planes`.
    pub alone: Vec<Vec<f32>>,
}

impl Shaded {
    /// Renders `shapes` where they stand, in common coordinates and through one z-buffer, from all
    /// viewpoints; each view is zoomed to all of them together.
    ///
    /// # Errors
    /// [`DegenerateShape`] where there is nothing to see.
    pub fn render_scene(&self, shapes: &[Shape]) -> Result<SceneViews, DegenerateShape> {
        let all: Vec<[f32; 3]> = shapes.iter().flat_map(Shape::positions).copied().collect();
        let cube = BoundingCube::around(&all)?;
        let surfaces: Vec<Surface> = shapes.iter().map(|s| self.surface(s, &cube)).collect();
        let views: Vec<SceneViews> = self
            .rotations()
            .map(|rotation| {
                let seen: Vec<Vec<Seen>> = surfaces.iter().map(|s| s.seen(rotation)).collect();
                let mut frame = Framebuffer::new(self.size);
                let used = surfaces
                    .iter()
                    .zip(&seen)
                    .flat_map(|(s, seen)| s.used(seen));
                let window = Window::around(used, frame.side());
                let mut parts = Vec::with_capacity(surfaces.len());
                let mut alone = Vec::with_capacity(surfaces.len());
                for (surface, seen) in surfaces.iter().zip(&seen) {
                    let first = frame.drawn();
                    self.draw(surface, seen, &window, rotation, &mut frame);
                    parts.push(first..frame.drawn());
                    let mut own = Framebuffer::new(self.size);
                    self.draw(surface, seen, &window, rotation, &mut own);
                    own.fill_pinholes();
                    alone.push(own.resolve(window.fade()));
                }
                frame.fill_pinholes();
                SceneViews {
                    planes: frame.resolve(window.fade()),
                    masks: parts.iter().map(|part| frame.coverage(part)).collect(),
                    alone,
                }
            })
            .collect();
        let each = |planes: fn(&SceneViews) -> &Vec<Vec<f32>>| -> Vec<Vec<f32>> {
            let of = |i: usize| views.iter().flat_map(|v| &planes(v)[i]).copied().collect();
            (0..shapes.len()).map(of).collect()
        };
        Ok(SceneViews {
            planes: views.iter().flat_map(|v| &v.planes).copied().collect(),
            masks: each(|v| &v.masks),
            alone: each(|v| &v.alone),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TriangleMesh;
    use crate::shaded::Viewpoint;

    const SIZE: usize = 32;

    /// A square of side 2 across the z axis, around (x, 0, z).
    fn square(x: f32, z: f32) -> Shape {
        Shape::Mesh(TriangleMesh {
            positions: [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]]
                .map(|[dx, y]| [x + dx, y, z])
                .to_vec(),
            triangles: vec![[0, 1, 2], [0, 2, 3]],
            colors: None,
        })
    }

    fn from_the_front() -> Shaded {
        let viewpoints = vec![Viewpoint {
            azimuth: 0.0,
            elevation: 0.0,
        }];
        Shaded {
            viewpoints,
            ..Shaded::new(SIZE, 0)
        }
    }

    fn alpha(planes: &[f32]) -> &[f32] {
        &planes[3 * SIZE * SIZE..]
    }

    #[test]
    fn masks_share_out_what_is_drawn() {
        let shaded = Shaded::new(SIZE, 3);
        let scene = shaded
            .render_scene(&[square(-1.2, 0.0), square(1.2, 0.4)])
            .unwrap();
        let plane = SIZE * SIZE;
        for view in 0..3 {
            for i in 0..plane {
                let all: f32 = scene.masks.iter().map(|m| m[view * plane + i]).sum();
                assert_eq!(scene.planes[(4 * view + 3) * plane + i], all);
            }
        }
        assert_eq!(scene.alone.len(), 2);
        assert_eq!(scene.alone[0].len(), 3 * 4 * plane);
    }

    #[test]
    fn what_is_hidden_is_in_no_mask_and_alone_nothing_is() {
        let scene = from_the_front()
            .render_scene(&[square(0.0, -1.0), square(1.0, 1.0)])
            .unwrap();
        let covered = |mask: &[f32]| mask.iter().sum::<f32>();
        let behind = covered(&scene.masks[0]) / covered(alpha(&scene.alone[0]));
        assert!((0.2..0.5).contains(&behind), "{behind}");
        assert_eq!(scene.masks[1], alpha(&scene.alone[1]));
    }

    #[test]
    fn a_scene_of_one_is_the_shape() {
        let shaded = Shaded::new(SIZE, 2);
        let shape = square(3.0, 1.0);
        let scene = shaded.render_scene(std::slice::from_ref(&shape)).unwrap();
        let views = shaded.render(&shaded.prepare(&shape).unwrap());
        assert_eq!((&scene.planes, &scene.alone[0]), (&views, &views));
        assert!(shaded.render_scene(&[]).is_err());
    }
}
