//! Gathers points one by one, as text formats give them.

use super::origin::Origin;
use super::pages::prefer_large;
use crate::PointCloud;
use crate::error::{Error, Place, Result};

/// Points so far.
///
/// Normals and colours count only if there is one for each point at the end.
#[derive(Debug, Default)]
pub(super) struct Points {
    origin: Option<Origin>,
    positions: Vec<[f32; 3]>,
    normals: Vec<[f32; 3]>,
    colors: Vec<[f32; 3]>,
}

impl Points {
    /// With room for `count` points, a number that the caller has checked against the file's size.
    pub(super) fn with_capacity(count: usize) -> Self {
        let mut positions = Vec::with_capacity(count);
        prefer_large(&mut positions);
        Points {
            positions,
            ..Points::default()
        }
    }

    pub(super) fn len(&self) -> usize {
        self.positions.len()
    }

    /// Adds a point.
    ///
    /// # Errors
    /// [`Error::NotFinite`] at `place`.
    pub(super) fn push(&mut self, position: [f64; 3], place: Place) -> Result<()> {
        let origin = self.origin.get_or_insert_with(|| Origin::near(position));
        let position = origin.place(position);
        if !position.iter().all(|v| v.is_finite()) {
            return Err(Error::NotFinite(place));
        }
        self.positions.push(position);
        Ok(())
    }

    /// Adds the normal of the point that was added last, of any length.
    pub(super) fn push_normal(&mut self, normal: [f64; 3]) {
        self.normals.push(normal.map(|v| v as f32));
    }

    /// Adds the colour of the point that was added last, in any of the usual ranges.
    pub(super) fn push_color(&mut self, color: [f64; 3]) {
        self.colors.push(color.map(|v| v as f32));
    }

    /// The cloud. `whole_colors` says that colours are known to be whole numbers, so that 1 is
    /// nearly black.
    pub(super) fn finish(self, whole_colors: bool) -> PointCloud {
        let count = self.positions.len();
        let normals = (self.normals.len() == count)
            .then(|| self.normals.into_iter().map(unit).collect())
            .and_then(directed);
        let colors = (self.colors.len() == count).then(|| {
            let greatest = self.colors.iter().flatten().fold(0.0_f32, |a, &b| a.max(b));
            let scale = color_scale(f64::from(greatest), whole_colors) as f32;
            let to_bytes = |c: [f32; 3]| c.map(|v| (v * scale).round() as u8);
            self.colors.into_iter().map(to_bytes).collect()
        });
        PointCloud {
            positions: self.positions,
            normals,
            colors,
        }
    }
}

/// What brings colour values of which the greatest is `greatest` to 0..=255: files hold 0..=1
/// (fractions), 0..=255 or 0..=65535.
pub(super) fn color_scale(greatest: f64, whole: bool) -> f64 {
    if greatest <= 1.0 && !whole {
        255.0
    } else if greatest <= 255.0 {
        1.0
    } else {
        255.0 / 65_535.0
    }
}

/// `normal` at unit length; NaN if it has no direction.
#[inline]
pub(super) fn unit(normal: [f32; 3]) -> [f32; 3] {
    let [x, y, z] = normal;
    if (x * x + y * y + z * z - 1.0).abs() < 1e-6 {
        return normal;
    }
    // In double precision, where no square of a float is lost.
    let [x, y, z] = normal.map(f64::from);
    let length = (x * x + y * y + z * z).sqrt();
    [x, y, z].map(|v| (v / length) as f32)
}

/// `normals`, made by [`unit`], if all have a direction.
pub(super) fn directed(normals: Vec<[f32; 3]>) -> Option<Vec<[f32; 3]>> {
    let nan = normals
        .iter()
        .flatten()
        .fold(false, |any, v| any | v.is_nan());
    (!nan).then_some(normals)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cloud(colors: &[[f64; 3]], whole: bool) -> PointCloud {
        let mut points = Points::with_capacity(colors.len());
        for &color in colors {
            points.push([1.0, 2.0, 3.0], Place::Vertex(0)).unwrap();
            points.push_normal([0.0, 1e-30, 0.0]);
            points.push_color(color);
        }
        points.finish(whole)
    }

    #[test]
    fn colours_of_every_range() {
        let colors = |c: &[[f64; 3]], whole| cloud(c, whole).colors.unwrap();
        assert_eq!(colors(&[[0.0, 0.5, 1.0]], false), [[0, 128, 255]]);
        assert_eq!(colors(&[[0.0, 1.0, 1.0]], true), [[0, 1, 1]]);
        assert_eq!(colors(&[[0.0, 7.0, 255.0]], false), [[0, 7, 255]]);
        assert_eq!(colors(&[[0.0, 257.0, 65_535.0]], true), [[0, 1, 255]]);
        assert_eq!(colors(&[[f64::NAN, -3.0, 200.0]], false), [[0, 0, 200]]);
    }

    #[test]
    fn normals_are_of_unit_length_or_left_out() {
        assert_eq!(cloud(&[[0.0; 3]], true).normals.unwrap(), [[0.0, 1.0, 0.0]]);
        assert_eq!(
            directed(vec![unit([3.0, 0.0, 4.0])]),
            Some(vec![[0.6, 0.0, 0.8]])
        );
        for bad in [[0.0; 3], [f32::INFINITY, 0.0, 4.0], [f32::NAN, 1.0, 0.0]] {
            assert_eq!(directed(vec![[1.0, 0.0, 0.0], unit(bad)]), None);
        }
    }

    #[test]
    fn what_only_some_points_have_is_left_out() {
        let mut points = Points::default();
        points.push([0.0; 3], Place::Line(1)).unwrap();
        points.push_color([1.0; 3]);
        points.push([0.0; 3], Place::Line(2)).unwrap();
        assert_eq!(points.finish(true).colors, None);
    }

    #[test]
    fn points_that_are_not_finite_name_their_place() {
        for bad in [f64::NAN, f64::INFINITY, 1e300] {
            let mut points = Points::default();
            let error = points.push([0.0, bad, 0.0], Place::Line(3)).unwrap_err();
            assert!(matches!(error, Error::NotFinite(Place::Line(3))), "{bad}");
        }
    }
}
