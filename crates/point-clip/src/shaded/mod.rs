//! Shaded views: what a person would want to see of a cloud or a mesh.
//!
//! A cloud is drawn as surfels whose radius follows the local density, a mesh as triangles; both
//! through one z-buffer, so that they look nearly the same. The channels hold cues that a vision
//! tower can use and a person can read: red is nearness, green how far the surface faces the
//! viewer, blue how far it faces up, each tinted by the file's colours where it has any; alpha is
//! the foreground. Views are perspective, and each is zoomed to the object.

mod camera;
mod neighbours;
mod raster;
mod scene;
mod surfels;
mod window;

pub use camera::{Up, Viewpoint};
pub use scene::SceneViews;

use crate::{BoundingCube, DegenerateShape, PointCloud, Shape, TriangleMesh};
use nalgebra::{Matrix3, Vector3};
use raster::{Fragment, Framebuffer};
use rayon::prelude::*;
use surfels::Surfel;
use window::{Seen, Window};

/// The `shaded` projection.
#[derive(Clone, Debug, PartialEq)]
pub struct Shaded {
    /// Pixels along each side of a view.
    pub size: usize,
    /// Where the views are taken from.
    pub viewpoints: Vec<Viewpoint>,
    /// The axis of the file that points up in the views.
    pub up: Up,
}

impl Shaded {
    /// `views` views around the object, `size` pixels square, +y up.
    pub fn new(size: usize, views: usize) -> Self {
        Shaded {
            size,
            viewpoints: Viewpoint::orbit(views),
            up: Up::default(),
        }
    }

    /// Prepares `shape` for any number of views: brings it into the unit cube and, for a cloud,
    /// estimates its surface.
    ///
    /// # Errors
    /// [`DegenerateShape`] where there is nothing to see.
    pub fn prepare(&self, shape: &Shape) -> Result<Prepared, DegenerateShape> {
        let cube = BoundingCube::around(shape.positions())?;
        Ok(Prepared(self.surface(shape, &cube)))
    }

    /// `shape` in the coordinates of `cube`.
    fn surface(&self, shape: &Shape, cube: &BoundingCube) -> Surface {
        let unit = |points: &[[f32; 3]]| points.iter().map(|&p| cube.to_unit(p)).collect();
        match shape {
            Shape::Mesh(mesh) if !mesh.triangles.is_empty() => Surface::Mesh(TriangleMesh {
                positions: unit(&mesh.positions),
                ..mesh.clone()
            }),
            Shape::Mesh(mesh) => self.surfels(PointCloud {
                positions: unit(&mesh.positions),
                normals: None,
                colors: mesh.colors.clone(),
            }),
            Shape::Cloud(cloud) => self.surfels(PointCloud {
                positions: unit(&cloud.positions),
                normals: cloud.normals.clone(),
                colors: cloud.colors.clone(),
            }),
        }
    }

    fn surfels(&self, cloud: PointCloud) -> Surface {
        // No finer than a sample of the picture.
        let spacing = 2.0 / (self.size * raster::SUPERSAMPLING) as f32;
        Surface::Surfels(surfels::estimate(&cloud, spacing))
    }

    /// Renders all viewpoints: `[views, 4, size, size]` flattened, values in 0..=1. Channels:
    /// depth, facing and up cue, alpha; the background is 0.
    pub fn render(&self, prepared: &Prepared) -> Vec<f32> {
        let views: Vec<Vec<f32>> = self
            .rotations()
            .map(|rotation| {
                let seen = prepared.0.seen(rotation);
                let mut frame = Framebuffer::new(self.size);
                let window = Window::around(prepared.0.used(&seen), frame.side());
                self.draw(&prepared.0, &seen, &window, rotation, &mut frame);
                frame.fill_pinholes();
                frame.resolve(window.fade())
            })
            .collect();
        views.concat()
    }

    /// The rotations from the file's axes to the camera's, a viewpoint each.
    fn rotations(&self) -> impl IndexedParallelIterator<Item = Matrix3<f32>> {
        let turn = self.up.to_y();
        let viewpoints = self.viewpoints.par_iter();
        viewpoints.map(move |viewpoint| viewpoint.rotation() * turn)
    }

    /// Draws `surface`, whose points are `seen` under `rotation`.
    fn draw(
        &self,
        surface: &Surface,
        seen: &[Seen],
        window: &Window,
        rotation: Matrix3<f32>,
        frame: &mut Framebuffer,
    ) {
        let up = rotation * self.up.to_y().transpose() * Vector3::y();
        let fragment = |normal: Vector3<f32>, color: [f32; 3]| Fragment {
            normal,
            up: normal.dot(&up),
            color,
        };
        match surface {
            Surface::Surfels(surfels) => {
                for (surfel, seen) in surfels.iter().zip(seen) {
                    let radius = surfel.radius * seen.zoom * window.scale;
                    let shown = fragment(rotation * surfel.normal, surfel.color);
                    frame.disc(window.place(seen), radius, shown);
                }
            }
            Surface::Mesh(mesh) => {
                for triangle in &mesh.triangles {
                    let [a, b, c] = triangle.map(|i| &seen[i as usize]);
                    let normal = (b.camera - a.camera).cross(&(c.camera - a.camera));
                    let Some(normal) = normal.try_normalize(0.0) else {
                        continue;
                    };
                    let color = mesh.colors.as_ref().map_or([1.0; 3], |colors| {
                        let corners = triangle.map(|i| colors[i as usize]);
                        std::array::from_fn(|k| {
                            corners.iter().map(|c| f32::from(c[k])).sum::<f32>() / (3.0 * 255.0)
                        })
                    });
                    frame.triangle([a, b, c].map(|s| window.place(s)), fragment(normal, color));
                }
            }
        }
    }
}

/// A shape made ready for rendering by [`Shaded::prepare`].
#[derive(Clone, Debug)]
pub struct Prepared(Surface);

#[derive(Clone, Debug)]
enum Surface {
    Surfels(Vec<Surfel>),
    Mesh(TriangleMesh),
}

impl Surface {
    /// Its points as the camera sees them.
    fn seen(&self, rotation: Matrix3<f32>) -> Vec<Seen> {
        match self {
            Surface::Surfels(surfels) => surfels
                .iter()
                .map(|s| Seen::of(rotation * s.position))
                .collect(),
            Surface::Mesh(mesh) => mesh
                .positions
                .iter()
                .map(|&p| Seen::of(rotation * Vector3::from(p)))
                .collect(),
        }
    }

    /// Those of its points `seen` that something is drawn at.
    fn used<'a>(&'a self, seen: &'a [Seen]) -> Box<dyn Iterator<Item = &'a Seen> + 'a> {
        match self {
            Surface::Surfels(_) => Box::new(seen.iter()),
            Surface::Mesh(mesh) => {
                Box::new(mesh.triangles.iter().flatten().map(|&i| &seen[i as usize]))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::sample_surface;

    /// A box of sides 2, 1, 0.5 with a hole-free surface.
    fn cuboid() -> TriangleMesh {
        let positions: Vec<[f32; 3]> = (0..8)
            .map(|i| {
                [
                    (i & 1) as f32 * 2.0,
                    ((i >> 1) & 1) as f32,
                    ((i >> 2) & 1) as f32 * 0.5,
                ]
            })
            .collect();
        let quads = [
            [0, 1, 3, 2],
            [4, 6, 7, 5],
            [0, 4, 5, 1],
            [2, 3, 7, 6],
            [0, 2, 6, 4],
            [1, 5, 7, 3],
        ];
        let triangles = quads
            .iter()
            .flat_map(|&[a, b, c, d]| [[a, b, c], [a, c, d]])
            .collect();
        TriangleMesh {
            positions,
            triangles,
            colors: None,
        }
    }

    fn render(shape: &Shape, size: usize) -> Vec<f32> {
        let shaded = Shaded::new(size, 4);
        shaded.render(&shaded.prepare(shape).unwrap())
    }

    fn mean_difference(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f32>() / a.len() as f32
    }

    #[test]
    fn clouds_of_any_density_look_like_the_mesh() {
        let mesh = cuboid();
        let reference = render(&Shape::Mesh(mesh.clone()), 64);
        for (count, allowed) in [(500, 0.065), (5_000, 0.03), (500_000, 0.02)] {
            let mut cloud = sample_surface(&mesh, count, 5);
            cloud.normals = None;
            let difference = mean_difference(&reference, &render(&Shape::Cloud(cloud), 64));
            assert!(difference < allowed, "{count} points: {difference}");
        }
    }

    #[test]
    fn a_sparse_cloud_gives_a_closed_surface() {
        let cloud = Shape::Cloud(sample_surface(&cuboid(), 500, 6));
        let out = render(&cloud, 64);
        let mesh = render(&Shape::Mesh(cuboid()), 64);
        let (mut inside, mut holes) = (0, 0);
        for view in 0..4 {
            let alpha = |v: &[f32], i: usize| v[(view * 4 + 3) * 4096 + i];
            for i in 0..4096 {
                if alpha(&mesh, i) == 1.0 {
                    inside += 1;
                    holes += usize::from(alpha(&out, i) == 0.0);
                }
            }
        }
        assert!(holes * 200 <= inside, "{holes} holes in {inside} pixels");
    }

    #[test]
    fn size_and_place_do_not_matter() {
        let mut moved = cuboid();
        moved
            .positions
            .iter_mut()
            .for_each(|p| *p = p.map(|v| v * 1024.0 - 4096.0));
        let difference = mean_difference(
            &render(&Shape::Mesh(cuboid()), 32),
            &render(&Shape::Mesh(moved), 32),
        );
        assert!(difference < 1e-3, "{difference}");
    }

    #[test]
    fn z_up_equals_the_turned_y_up() {
        let mesh = cuboid();
        let mut z_up = mesh.clone();
        z_up.positions
            .iter_mut()
            .for_each(|p| *p = [p[0], -p[2], p[1]]);
        let turned = Shaded {
            up: Up::PosZ,
            ..Shaded::new(32, 4)
        };
        let out = turned.render(&turned.prepare(&Shape::Mesh(z_up)).unwrap());
        assert!(mean_difference(&out, &render(&Shape::Mesh(mesh), 32)) < 1e-4);
    }

    #[test]
    fn what_has_no_extent_is_an_error() {
        let shaded = Shaded::new(16, 1);
        let cloud = |positions| {
            Shape::Cloud(PointCloud {
                positions,
                ..Default::default()
            })
        };
        let error = |positions| shaded.prepare(&cloud(positions)).unwrap_err();
        assert_eq!(error(vec![]), DegenerateShape::Empty);
        assert_eq!(error(vec![[1.0; 3]; 9]), DegenerateShape::NoExtent(9));
        assert_eq!(
            error(vec![[0.0; 3], [0.0, f32::NAN, 0.0]]),
            DegenerateShape::NotFinite(1)
        );
    }

    #[test]
    fn extreme_coordinates_do_not_panic() {
        let cloud = |positions| {
            Shape::Cloud(PointCloud {
                positions,
                ..Default::default()
            })
        };
        let huge = cloud(vec![[f32::MAX; 3], [f32::MIN; 3], [0.0; 3]]);
        assert!(render(&huge, 16).iter().all(|v| v.is_finite()));
        let two = cloud(vec![[0.0; 3], [1e-38, 0.0, 0.0]]);
        assert!(render(&two, 16).iter().sum::<f32>() > 0.0);
    }
}
