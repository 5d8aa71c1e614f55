//! Polygons as planes.

use crate::error::{Error, Result};
use crate::plane::Plane;

/// How much of each pixel lies inside of any of `rings`.
///
/// Every edge notes, row by row, what it changes: the part of its own pixels that lies to its
/// right, and the height by which everything further right is covered. The running sum of a row
/// is the coverage. All rings are turned the same way round, so that they add up.
pub(super) fn fill(rings: &[Vec<[f64; 2]>], width: usize, height: usize) -> Result<Plane> {
    if rings.is_empty() {
        return Err(Error::input(
            "a polygon without corners",
            "give x,y of its corners",
        ));
    }
    // One change more a row: what lies right of the picture.
    let mut changes = Changes {
        values: vec![0.; (width + 1) * height],
        width,
        height,
    };
    for ring in rings {
        if ring.len() < 3 {
            return Err(Error::input(
                format!("a polygon of {} corners", ring.len()),
                "give at least three",
            ));
        }
        if let Some([x, y]) = ring
            .iter()
            .find(|p| p.iter().any(|v| v.abs() > 1e9 || v.is_nan()))
        {
            return Err(Error::input(
                format!("a polygon with a corner at {x},{y}"),
                "give positions in pixels",
            ));
        }
        let edges = || ring.iter().zip(ring.iter().cycle().skip(1));
        let area: f64 = edges().map(|([ax, ay], [bx, by])| ax * by - bx * ay).sum();
        for (&from, &to) in edges() {
            changes.add(from, to, if area < 0. { -1. } else { 1. });
        }
    }
    let mut values = Vec::with_capacity(width * height);
    for row in changes.values.chunks_exact(width + 1) {
        let mut covered = 0f64;
        values.extend(row.iter().take(width).map(|change| {
            covered += change;
            // Sums of many edges are off by their rounding.
            let covered = covered.abs();
            if covered < 1e-9 {
                0.
            } else {
                covered.min(1.) as f32
            }
        }));
    }
    Ok(Plane::trusted(width, height, values))
}

struct Changes {
    values: Vec<f64>,
    width: usize,
    height: usize,
}

impl Changes {
    /// An edge; `turn` is 1 or -1.
    fn add(&mut self, from: [f64; 2], to: [f64; 2], turn: f64) {
        let (down, top, bottom) = if from[1] < to[1] {
            (turn, from, to)
        } else {
            (-turn, to, from)
        };
        let slope = (bottom[0] - top[0]) / (bottom[1] - top[1]);
        let at = |y: f64| top[0] + (y - top[1]) * slope;
        let start = top[1].max(0.);
        let end = bottom[1].min(self.height as f64);
        // A level edge changes nothing; nor does one above or below the picture.
        if !slope.is_finite() || start >= end {
            return;
        }
        let last = (end.ceil() as usize).min(self.height);
        for row in (start as usize)..last {
            let (upper, lower) = (start.max(row as f64), end.min(row as f64 + 1.));
            if upper < lower {
                self.add_in_row(row, at(upper), at(lower), (lower - upper) * down);
            }
        }
    }

    /// The part of an edge within one row, from column position `a` to `b`, `height` high.
    fn add_in_row(&mut self, row: usize, a: f64, b: f64, height: f64) {
        let (left, right) = (a.min(b), a.max(b));
        let most = self.width as f64;
        let share = height / (right - left);
        let (left, right, outside, height) = if share.is_finite() {
            let outside = share * (right.min(0.) - left).max(0.);
            let (left, right) = (left.clamp(0., most), right.clamp(0., most));
            (left, right, outside, share * (right - left))
        } else {
            (left.clamp(0., most), left.clamp(0., most), 0., height)
        };
        let line = row * (self.width + 1);
        let Some(line) = self.values.get_mut(line..line + self.width + 1) else {
            return;
        };
        let mut note = |column: usize, change: f64| {
            if let Some(value) = line.get_mut(column) {
                *value += change;
            }
        };
        // What lies left of the picture covers the whole row.
        note(0, outside);
        let first = left as usize;
        if right <= first as f64 + 1. {
            let middle = (left + right) / 2. - first as f64;
            note(first, height * (1. - middle));
            note(first + 1, height * middle);
            return;
        }
        // Covered so far, pixel by pixel: the integral of how much of the edge lies to the left.
        let area = |x: f64| share * (x - left).clamp(0., right - left).powi(2) / 2.;
        let mut before = 0.;
        for column in first..=right as usize {
            let end = column as f64 + 1.;
            let covered = area(end) - area(column as f64) + height * (end - right).max(0.);
            note(column, covered - before);
            before = covered;
        }
        note(right as usize + 1, height - before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn near(plane: &Plane, expected: &[f32]) {
        for (a, b) in plane.values().iter().zip(expected) {
            assert!((a - b).abs() < 1e-6, "{plane:?}");
        }
        assert_eq!(plane.values().len(), expected.len());
    }

    #[test]
    fn a_rectangle_is_the_box() {
        let corners = [[0.5, 1.], [3., 1.], [3., 2.5], [0.5, 2.5]];
        let expected = [0., 0., 0., 0., 0.5, 1., 1., 0., 0.25, 0.5, 0.5, 0.];
        let there = corners.to_vec();
        let back = corners.iter().rev().copied().collect();
        near(&fill(&[there], 4, 3).unwrap(), &expected);
        near(&fill(&[back], 4, 3).unwrap(), &expected);
    }

    #[test]
    fn slanted_edges_cover_by_area() {
        let triangle = vec![[0., 0.], [4., 0.], [0., 2.]];
        near(
            &fill(&[triangle], 4, 2).unwrap(),
            &[1., 1., 0.75, 0.25, 0.75, 0.25, 0., 0.],
        );
        // Larger than the picture on every side.
        let around = vec![[-10., -9.], [30., -9.], [30., 40.], [-10., 40.]];
        near(&fill(&[around], 2, 2).unwrap(), &[1.; 4]);
    }

    #[test]
    fn rings_are_united() {
        let square = |x: f64, w: f64| vec![[x, 0.], [x + w, 0.], [x + w, 1.], [x, 1.]];
        let mut turned = square(1., 2.);
        turned.reverse();
        near(
            &fill(&[square(0., 2.), turned], 4, 1).unwrap(),
            &[1., 1., 1., 0.],
        );
    }

    #[test]
    fn what_is_no_polygon_is_refused() {
        for rings in [
            vec![],
            vec![vec![]],
            vec![vec![[0., 0.], [1., 1.]]],
            vec![vec![[0., 0.], [1., f64::NAN], [1., 1.]]],
            vec![vec![[0., 0.], [1., f64::INFINITY], [1., 1.]]],
            vec![vec![[0., 0.], [1e300, 0.], [1., 1.]]],
        ] {
            assert!(fill(&rings, 4, 4).is_err());
        }
        let line = vec![[0., 0.], [2., 2.], [3., 3.]];
        assert!(fill(&[line], 4, 4).unwrap().is_empty());
    }

    proptest! {
        /// A triangle against counting small squares inside of it.
        #[test]
        fn triangles_have_their_area(p in prop::array::uniform6(-3f64..12.)) {
            let [ax, ay, bx, by, cx, cy] = p;
            let plane = fill(&[vec![[ax, ay], [bx, by], [cx, cy]]], 9, 7).unwrap();
            let side = |px: f64, py: f64, qx: f64, qy: f64, x: f64, y: f64| {
                (qx - px) * (y - py) - (qy - py) * (x - px)
            };
            let inside = |x: f64, y: f64| {
                let s = [side(ax, ay, bx, by, x, y), side(bx, by, cx, cy, x, y),
                    side(cx, cy, ax, ay, x, y)];
                s.iter().all(|v| *v >= 0.) || s.iter().all(|v| *v <= 0.)
            };
            const FINE: usize = 20;
            for (at, value) in plane.values().iter().enumerate() {
                let (column, row) = (at % 9, at / 9);
                let part = |i: usize| (i as f64 + 0.5) / FINE as f64;
                let hits = (0..FINE * FINE)
                    .filter(|i| inside(column as f64 + part(i % FINE), row as f64 + part(i / FINE)))
                    .count();
                let expected = hits as f64 / (FINE * FINE) as f64;
                prop_assert!((f64::from(*value) - expected).abs() < 0.1, "{at} {value} {expected}");
            }
        }

        #[test]
        fn no_numbers_break_it(
            rings in prop::collection::vec(prop::collection::vec(prop::array::uniform2(any::<f64>()), 0..8), 0..4),
            scale in -1e10f64..1e10,
        ) {
            let _ = fill(&rings, 5, 6);
            let scaled: Vec<Vec<[f64; 2]>> = rings
                .iter()
                .map(|r| r.iter().map(|p| p.map(|v| v.sin() * scale)).collect())
                .collect();
            if let Ok(plane) = fill(&scaled, 5, 6) {
                prop_assert!(plane.values().iter().all(|v| (0. ..=1.).contains(v)));
            }
        }
    }
}
