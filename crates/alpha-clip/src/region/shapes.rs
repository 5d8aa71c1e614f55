//! Boxes and points as planes.

use crate::error::{Error, Result};
use crate::plane::Plane;

/// A part of the shorter side of the picture: the radius of points that have none.
const USUAL_RADIUS: f64 = 1. / 16.;

/// A point in a picture and how far around it to look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Pixels from the left edge.
    pub x: f64,
    /// Pixels from the top edge.
    pub y: f64,
    /// Pixels around it; by default a sixteenth of the picture's shorter side.
    pub radius: Option<f64>,
}

pub(super) fn rectangle(numbers: [f64; 4], width: usize, height: usize) -> Result<Plane> {
    let [x, y, across, down] = numbers;
    let possible = numbers.iter().all(|v| v.is_finite()) && across > 0. && down > 0.;
    if !possible {
        return Err(Error::input(
            format!("the box {x},{y},{across},{down} has no area"),
            "give x,y,width,height in pixels, width and height above 0",
        ));
    }
    let columns = covered(x, x + across, width);
    let mut values = Vec::with_capacity(width * height);
    for part in covered(y, y + down, height) {
        values.extend(columns.iter().map(|column| column * part));
    }
    Ok(Plane::trusted(width, height, values))
}

/// How much of each of `count` pixels in a row lies from `start` to `end`.
fn covered(start: f64, end: f64, count: usize) -> Vec<f32> {
    (0..count)
        .map(|i| {
            let left = i as f64;
            (end.min(left + 1.) - start.max(left)).clamp(0., 1.) as f32
        })
        .collect()
}

pub(super) fn discs(points: &[Point], width: usize, height: usize) -> Result<Plane> {
    if points.is_empty() {
        return Err(Error::input("no points", "give at least one x,y"));
    }
    let usual = (width.min(height) as f64 * USUAL_RADIUS).max(1.);
    let mut plane = vec![0f32; width * height];
    for &Point { x, y, radius } in points {
        let radius = radius.unwrap_or(usual);
        let possible = [x, y, radius].iter().all(|v| v.is_finite()) && radius > 0.;
        if !possible {
            return Err(Error::input(
                format!("a point at {x},{y} with radius {radius}"),
                "give numbers of pixels, the radius above 0",
            ));
        }
        // The casts stop at the ends of the picture. A pixel whose middle is half a pixel from
        // the rim counts whole or not at all.
        let range = |centre: f64, count: usize| {
            let first = (centre - radius - 1.).floor().max(0.) as usize;
            let end = (centre + radius + 1.).ceil().max(0.) as usize;
            first.min(count)..end.min(count)
        };
        for row in range(y, height) {
            for column in range(x, width) {
                let (dx, dy) = (column as f64 + 0.5 - x, row as f64 + 0.5 - y);
                let inside = (radius + 0.5 - dx.hypot(dy)).clamp(0., 1.) as f32;
                if let Some(value) = plane.get_mut(row * width + column) {
                    *value = value.max(inside);
                }
            }
        }
    }
    Ok(Plane::trusted(width, height, plane))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_boxes_are_sharp_and_broken_ones_soft() {
        let plane = rectangle([1., 1., 2., 1.], 4, 3).unwrap();
        assert_eq!(
            plane.values(),
            [0., 0., 0., 0., 0., 1., 1., 0., 0., 0., 0., 0.]
        );
        let plane = rectangle([-3., 0.5, 3.25, 100.], 2, 2).unwrap();
        assert_eq!(plane.values(), [0.125, 0., 0.25, 0.]);
        for bad in [[0., 0., 0., 1.], [0., 0., -1., 1.], [f64::NAN, 0., 1., 1.]] {
            assert!(rectangle(bad, 4, 4).is_err());
        }
        assert!(rectangle([f64::MIN, 0., f64::MAX, 1.], 4, 4).is_ok());
    }

    #[test]
    fn discs_have_their_area() {
        let point = |x, y, radius| Point { x, y, radius };
        let plane = discs(&[point(50., 40., Some(20.))], 100, 80).unwrap();
        let area = plane.mean() * 8000.;
        assert!((area - 400. * std::f64::consts::PI).abs() < 3., "{area}");
        let small = discs(&[point(8., 8., None)], 160, 160).unwrap();
        assert_eq!(small.values()[8 * 160 + 8], 1.);
        assert_eq!(small.values()[8 * 160 + 20], 0.);
        assert!(
            discs(&[point(-50., 0., Some(2.))], 9, 9)
                .unwrap()
                .is_empty()
        );
        assert!(discs(&[point(1e300, 0., Some(1e300))], 9, 9).is_ok());
        assert!(discs(&[point(0., 0., Some(0.))], 9, 9).is_err());
        assert!(discs(&[], 9, 9).is_err());
    }
}
