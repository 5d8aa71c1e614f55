//! What is varied: a picture, or one view of a cloud or mesh.

use std::path::Path;

use alpha_clip::{Picture, Plane, Region};
use point_clip::Shape;
use point_clip::shaded::{Shaded, Up, Viewpoint};

use crate::cli::inputs::{Input, PICTURES, SHAPES, Source, has_extension};

/// Side of the view of a shape in pixels: that of the pictures of Stable Diffusion 1.x.
const SIDE: usize = 512;
/// From above and half from the side, where most things show what they are.
const VIEWPOINT: Viewpoint = Viewpoint {
    azimuth: 0.6,
    elevation: 0.35,
};
/// Share of the cues of a shaded view in its light: nearness, facing the viewer, facing up.
const LIGHT: [f32; 3] = [0.2, 0.5, 0.3];
/// Behind a shape: the light grey of a photographer's wall.
const WALL: f32 = 0.93;

/// What is varied.
pub(super) struct Subject {
    pub(super) picture: Picture,
    /// Where the shape is in its view.
    pub(super) foreground: Option<Plane>,
}

impl Subject {
    /// Reads a picture or shape, told by the file's extension, else by trying.
    ///
    /// # Errors
    /// Without the file's name, for the caller says it.
    pub(super) fn read(path: &Path, up: Up) -> anyhow::Result<Self> {
        let input = Input {
            name: path.display().to_string(),
            source: Source::File(path.to_owned()),
        };
        if has_extension(path, PICTURES) {
            return Ok(Self::of_picture(input.picture()?));
        }
        if has_extension(path, SHAPES) {
            return Self::of_shape(&input.shape()?, up);
        }
        match input.picture() {
            Ok(picture) => Ok(Self::of_picture(picture)),
            Err(error) => match input.shape() {
                Ok(shape) => Self::of_shape(&shape, up),
                Err(_) => Err(error),
            },
        }
    }

    fn of_picture(picture: Picture) -> Self {
        Self {
            picture,
            foreground: None,
        }
    }

    fn of_shape(shape: &Shape, up: Up) -> anyhow::Result<Self> {
        let (rgb, foreground) = view(shape, up)?;
        Ok(Self {
            picture: Picture::from_rgb8(SIDE, SIDE, rgb)?,
            foreground: Some(Plane::new(SIDE, SIDE, foreground)?),
        })
    }

    /// Where to look unless a region was asked for.
    pub(super) fn default_region(&self) -> (Region, &'static str) {
        match &self.foreground {
            Some(foreground) => (Region::Mask(foreground.clone()), "foreground"),
            None => (Region::Whole, "whole"),
        }
    }
}

/// A view of a shape as bytes of red, green, blue, and where it is.
///
/// The planes of a shaded view hold one cue each, tinted by one colour each. Drawn once for each
/// turn of the colours, every cue is there in every colour, and their sum is a picture in light.
fn view(shape: &Shape, up: Up) -> anyhow::Result<(Vec<u8>, Vec<f32>)> {
    let shaded = Shaded {
        viewpoints: vec![VIEWPOINT],
        up,
        ..Shaded::new(SIDE, 1)
    };
    let turns = if coloured(shape) { 3 } else { 1 };
    let drawn = (0..turns)
        .map(|turn| Ok(shaded.render(&shaded.prepare(&turned_colours(shape, turn))?)))
        .collect::<Result<Vec<_>, point_clip::DegenerateShape>>()?;
    let pixels = SIDE * SIDE;
    let value = |turn: usize, plane: usize, pixel: usize| {
        let planes = drawn.get(turn % turns);
        planes
            .and_then(|planes| planes.get(plane * pixels + pixel))
            .copied()
            .unwrap_or_default()
    };
    let foreground: Vec<f32> = (0..pixels).map(|p| value(0, 3, p).clamp(0., 1.)).collect();
    let mut rgb = Vec::with_capacity(3 * pixels);
    for (pixel, inside) in foreground.iter().enumerate() {
        for colour in 0..3 {
            let light = |(cue, share): (usize, f32)| share * value(colour + 3 - cue, cue, pixel);
            let light: f32 = LIGHT.into_iter().enumerate().map(light).sum();
            let behind = (1. - inside) * WALL;
            rgb.push(((light + behind).clamp(0., 1.) * 255.).round() as u8);
        }
    }
    Ok((rgb, foreground))
}

fn coloured(shape: &Shape) -> bool {
    match shape {
        Shape::Cloud(cloud) => cloud.colors.is_some(),
        Shape::Mesh(mesh) => mesh.colors.is_some(),
    }
}

/// The shape with its colours moved to the left by `turn` channels.
fn turned_colours(shape: &Shape, turn: usize) -> Shape {
    let mut shape = shape.clone();
    let colors = match &mut shape {
        Shape::Cloud(cloud) => cloud.colors.as_mut(),
        Shape::Mesh(mesh) => mesh.colors.as_mut(),
    };
    for color in colors.into_iter().flatten() {
        color.rotate_left(turn % 3);
    }
    shape
}

#[cfg(test)]
mod tests {
    use point_clip::TriangleMesh;

    use super::*;

    fn tetrahedron(colors: Option<[u8; 3]>) -> Shape {
        let positions = vec![[0., 1., 0.], [-1., -1., 1.], [1., -1., 1.], [0., -1., -1.]];
        Shape::Mesh(TriangleMesh {
            colors: colors.map(|color| vec![color; positions.len()]),
            positions,
            triangles: vec![[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2]],
        })
    }

    fn middle(rgb: &[u8]) -> [u8; 3] {
        let at = 3 * (SIDE / 2 * SIDE + SIDE / 2);
        [rgb[at], rgb[at + 1], rgb[at + 2]]
    }

    #[test]
    fn a_shape_without_colours_is_grey_before_a_wall() {
        let (rgb, inside) = view(&tetrahedron(None), Up::PosY).unwrap();
        let (wall, [r, g, b]) = ((WALL * 255.).round() as u8, middle(&rgb));
        assert_eq!(rgb[..3], [wall; 3]);
        assert!(r == g && g == b && r < wall, "{r} {g} {b}");
        assert_eq!((inside[0], inside[SIDE / 2 * SIDE + SIDE / 2]), (0., 1.));
    }

    #[test]
    fn colours_are_those_of_the_file() {
        let colour = |color| middle(&view(&tetrahedron(Some(color)), Up::PosY).unwrap().0);
        let grey = middle(&view(&tetrahedron(None), Up::PosY).unwrap().0);
        assert_eq!(colour([255; 3]), grey);
        for channel in 0..3 {
            let mut given = [0; 3];
            given[channel] = 255;
            let seen = colour(given);
            for (other, value) in seen.iter().enumerate() {
                assert_eq!(*value == grey[0], other == channel, "{given:?} {seen:?}");
            }
        }
    }

    #[test]
    fn extensions_decide_and_then_content() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, content: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            Subject::read(&path, Up::PosY)
        };
        let cloud = "1 0 0\n-1 0 0\n0 1 0\n0 -1 0\n0 0 1\n0 0 -1\n";
        assert!(write("a.xyz", cloud).unwrap().foreground.is_some());
        assert!(write("unnamed", cloud).unwrap().foreground.is_some());
        assert!(write("b.png", cloud).is_err());
        assert!(write("nothing", "").is_err());
    }
}
