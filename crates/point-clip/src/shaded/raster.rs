//! A small z-buffer that draws discs and triangles, and resolves them to a view.

use nalgebra::Vector3;
use std::ops::Range;

/// Samples along each side of an output pixel.
pub(super) const SUPERSAMPLING: usize = 2;
/// Depth runs from 1 at the nearest surface down to this at one object size behind it.
const FARTHEST: f32 = 0.2;
/// Colour multiplies the cues, which keep at least this share.
const COLOUR_FLOOR: f32 = 0.4;

/// What a sample shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment {
    /// Unit normal in camera space (z toward the camera), of either sign.
    pub(super) normal: Vector3<f32>,
    /// The component of that normal along the object's up axis, of either sign.
    pub(super) up: f32,
    pub(super) color: [f32; 3],
}

/// A square picture in sample space: `side` samples each way, row 0 on top.
pub(super) struct Framebuffer {
    side: usize,
    /// Camera z (greater is nearer); -∞ where nothing is.
    depth: Vec<f32>,
    /// Index into the fragments drawn.
    winner: Vec<u32>,
    fragments: Vec<Fragment>,
}

impl Framebuffer {
    /// An empty buffer for a picture of `size` × `size` pixels.
    pub(super) fn new(size: usize) -> Self {
        let side = size * SUPERSAMPLING;
        Framebuffer {
            side,
            depth: vec![f32::NEG_INFINITY; side * side],
            winner: vec![0; side * side],
            fragments: Vec::new(),
        }
    }

    /// Samples along one side.
    pub(super) fn side(&self) -> usize {
        self.side
    }

    fn push(&mut self, fragment: Fragment) -> u32 {
        self.fragments.push(fragment);
        (self.fragments.len() - 1) as u32
    }

    fn write(&mut self, x: usize, y: usize, z: f32, index: u32) {
        let at = y * self.side + x;
        if z > self.depth[at] {
            self.depth[at] = z;
            self.winner[at] = index;
        }
    }

    /// Draws a disc of radius `radius` around `centre`, both in samples (x right, y down, z toward
    /// the camera), across its normal. At least the sample under its centre is drawn.
    pub(super) fn disc(&mut self, centre: Vector3<f32>, radius: f32, fragment: Fragment) {
        let last = self.side as f32 - 1.0;
        let (cx, cy) = (centre.x - 0.5, centre.y - 0.5);
        if !(-radius..=last + radius).contains(&cx) || !(-radius..=last + radius).contains(&cy) {
            return;
        }
        let index = self.push(fragment);
        let n = fragment.normal * if fragment.normal.z < 0.0 { -1.0 } else { 1.0 };
        // z over the tangent plane: slope per sample to the right and down (picture y points down).
        let facing = n.z.max(0.05);
        let (sx, sy) = (-n.x / facing, n.y / facing);
        let from = |c: f32| (c - radius).ceil().clamp(0.0, last) as usize;
        let to = |c: f32| (c + radius).floor().clamp(0.0, last) as usize;
        let (left, right) = (from(cx), to(cx));
        for y in from(cy)..=to(cy) {
            let dy = y as f32 - cy;
            let row = y * self.side + left..y * self.side + right + 1;
            let samples = self.depth[row.clone()].iter_mut();
            let samples = samples.zip(&mut self.winner[row]);
            // Without a branch, which could not be foretold and kept this from being vector code.
            for (x, (depth, winner)) in (left as i32..).zip(samples) {
                let dx = x as f32 - cx;
                let dz = sx * dx + sy * dy;
                let z = centre.z + dz;
                let shown = (dx * dx + dy * dy + dz * dz <= radius * radius) & (z > *depth);
                *depth = if shown { z } else { *depth };
                *winner = if shown { index } else { *winner };
            }
        }
        let nearest = (
            cx.round().clamp(0.0, last) as usize,
            cy.round().clamp(0.0, last) as usize,
        );
        self.write(nearest.0, nearest.1, centre.z, index);
    }

    /// Draws a triangle given by three corners in samples (x right, y down, z toward the camera).
    /// Slivers that miss every sample leave at least the trace of their longest edge.
    pub(super) fn triangle(&mut self, corners: [Vector3<f32>; 3], fragment: Fragment) {
        let [a, b, c] = corners;
        let doubled = (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
        let edges = [(a, b), (b, c), (c, a)];
        let longest = edges
            .into_iter()
            .max_by(|l, r| planar_length(l).total_cmp(&planar_length(r)))
            .unwrap_or((a, b));
        let index = self.push(fragment);
        let height = doubled.abs() / planar_length(&longest).max(1e-6);
        if height < 1.0 {
            self.line(longest, index);
        }
        if doubled.abs() < 1e-12 {
            return;
        }

        let last = self.side as f32 - 1.0;
        let low = |p: f32, q: f32, r: f32| (p.min(q).min(r) - 0.5).ceil().clamp(0.0, last + 1.0);
        let high = |p: f32, q: f32, r: f32| (p.max(q).max(r) - 0.5).floor().clamp(-1.0, last);
        let (x0, x1) = (low(a.x, b.x, c.x), high(a.x, b.x, c.x));
        let (y0, y1) = (low(a.y, b.y, c.y), high(a.y, b.y, c.y));
        if x1 < x0 || y1 < y0 {
            return;
        }
        for y in y0 as usize..=y1 as usize {
            for x in x0 as usize..=x1 as usize {
                let (px, py) = (x as f32 + 0.5, y as f32 + 0.5);
                let weight = |u: &Vector3<f32>, v: &Vector3<f32>| {
                    ((v.x - u.x) * (py - u.y) - (v.y - u.y) * (px - u.x)) / doubled
                };
                let (wa, wb, wc) = (weight(&b, &c), weight(&c, &a), weight(&a, &b));
                if wa >= 0.0 && wb >= 0.0 && wc >= 0.0 {
                    self.write(x, y, wa * a.z + wb * b.z + wc * c.z, index);
                }
            }
        }
    }

    fn line(&mut self, (from, to): (Vector3<f32>, Vector3<f32>), index: u32) {
        let side = self.side as f32;
        let steps = (planar_length(&(from, to)).ceil().min(side * 2.0) as usize).max(1);
        for i in 0..=steps {
            let p = from.lerp(&to, i as f32 / steps as f32);
            if (0.0..side).contains(&p.x) && (0.0..side).contains(&p.y) {
                self.write(p.x as usize, p.y as usize, p.z, index);
            }
        }
    }

    /// Fills single empty samples that at least six of their eight neighbours surround.
    pub(super) fn fill_pinholes(&mut self) {
        let side = self.side;
        let mut holes = Vec::new();
        for y in 1..side.saturating_sub(1) {
            let filled = |x: usize, y: usize| self.depth[y * side + x] > f32::NEG_INFINITY;
            let mut columns = [0u8; 3];
            for x in 0..side {
                columns.rotate_left(1);
                columns[2] = (y - 1..=y + 1).map(|y| u8::from(filled(x, y))).sum();
                if x >= 2 && columns.iter().sum::<u8>() >= 6 && !filled(x - 1, y) {
                    holes.push(y * side + x - 1);
                }
            }
        }
        let patches: Vec<(usize, usize)> = holes
            .into_iter()
            .map(|hole| {
                let around = [hole - side, hole, hole + side].map(|i| [i - 1, i, i + 1]);
                let mut filled: Vec<usize> = around.concat();
                filled.retain(|&i| self.depth[i] > f32::NEG_INFINITY);
                // The median in depth: neither a rim in front nor the wall behind.
                filled.sort_by(|&a, &b| self.depth[a].total_cmp(&self.depth[b]));
                (hole, filled[filled.len() / 2])
            })
            .collect();
        for (hole, source) in patches {
            self.depth[hole] = self.depth[source];
            self.winner[hole] = self.winner[source];
        }
    }

    /// The number of fragments drawn so far.
    pub(super) fn drawn(&self) -> u32 {
        self.fragments.len() as u32
    }

    /// The share of each pixel that shows one of `fragments` (numbered as they were drawn),
    /// `[size, size]` flattened.
    pub(super) fn coverage(&self, fragments: &Range<u32>) -> Vec<f32> {
        let size = self.side / SUPERSAMPLING;
        let mut out = vec![0.0f32; size * size];
        for (at, (&z, winner)) in self.depth.iter().zip(&self.winner).enumerate() {
            if z > f32::NEG_INFINITY && fragments.contains(winner) {
                let (y, x) = (at / self.side, at % self.side);
                out[y / SUPERSAMPLING * size + x / SUPERSAMPLING] +=
                    1.0 / (SUPERSAMPLING * SUPERSAMPLING) as f32;
            }
        }
        out
    }

    /// Averages the samples of each pixel into four planes, `[4, size, size]` flattened: depth
    /// cue, facing cue and up cue (each tinted by the colour), and coverage, all in 0..=1.
    /// `scale` is the object's size in samples, over which depth fades.
    pub(super) fn resolve(&self, scale: f32) -> Vec<f32> {
        let size = self.side / SUPERSAMPLING;
        let plane = size * size;
        let nearest = self.depth.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut out = vec![0.0f32; 4 * plane];
        let share = 1.0 / (SUPERSAMPLING * SUPERSAMPLING) as f32;
        for (at, (&z, &winner)) in self.depth.iter().zip(&self.winner).enumerate() {
            if z == f32::NEG_INFINITY {
                continue;
            }
            let (y, x) = (
                at / self.side / SUPERSAMPLING,
                at % self.side / SUPERSAMPLING,
            );
            let fragment = &self.fragments[winner as usize];
            let behind = ((nearest - z) / scale).clamp(0.0, 1.0);
            let cues = [
                1.0 - (1.0 - FARTHEST) * behind,
                fragment.normal.z.abs(),
                fragment.up.abs(),
            ];
            for (k, cue) in cues.into_iter().enumerate() {
                let tint = COLOUR_FLOOR + (1.0 - COLOUR_FLOOR) * fragment.color[k];
                out[k * plane + y * size + x] += cue.min(1.0) * tint * share;
            }
            out[3 * plane + y * size + x] += share;
        }
        out
    }
}

fn planar_length((a, b): &(Vector3<f32>, Vector3<f32>)) -> f32 {
    (b.xy() - a.xy()).norm()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facing() -> Fragment {
        Fragment {
            normal: Vector3::z(),
            up: 0.0,
            color: [1.0; 3],
        }
    }

    #[test]
    fn a_disc_covers_its_area() {
        let mut frame = Framebuffer::new(32);
        frame.disc(Vector3::new(32.0, 32.0, 0.0), 16.0, facing());
        let covered: f32 = frame.resolve(64.0)[3 * 1024..].iter().sum();
        let area = std::f32::consts::PI * 64.0;
        assert!(
            (covered - area).abs() < 0.02 * area,
            "{covered} against {area}"
        );
    }

    #[test]
    fn a_disc_seen_at_an_angle_is_an_ellipse() {
        let mut frame = Framebuffer::new(32);
        let tilted = Fragment {
            normal: Vector3::new(0.866, 0.0, 0.5),
            ..facing()
        };
        frame.disc(Vector3::new(32.0, 32.0, 0.0), 16.0, tilted);
        let covered: f32 = frame.resolve(64.0)[3 * 1024..].iter().sum();
        let area = std::f32::consts::PI * 64.0 * 0.5;
        assert!(
            (covered - area).abs() < 0.06 * area,
            "{covered} against {area}"
        );
    }

    #[test]
    fn triangles_meet_without_gap_and_the_nearest_wins() {
        let mut frame = Framebuffer::new(8);
        let corner = |x, y, z| Vector3::new(x, y, z);
        let square = |z| {
            let p = [
                corner(2.0, 2.0, z),
                corner(14.0, 2.0, z),
                corner(14.0, 14.0, z),
                corner(2.0, 14.0, z),
            ];
            [[p[0], p[1], p[2]], [p[0], p[2], p[3]]]
        };
        let side_on = Fragment {
            normal: Vector3::x(),
            ..facing()
        };
        square(-4.0)
            .into_iter()
            .for_each(|t| frame.triangle(t, side_on));
        square(0.0)
            .into_iter()
            .for_each(|t| frame.triangle(t, facing()));
        square(-8.0)
            .into_iter()
            .for_each(|t| frame.triangle(t, side_on));
        let out = frame.resolve(16.0);
        let covered: f32 = out[3 * 64..].iter().sum();
        assert_eq!(covered, 36.0);
        assert_eq!(
            out[64..128].iter().sum::<f32>(),
            36.0,
            "the facing square is in front"
        );
        assert_eq!(out[..64].iter().sum::<f32>(), 36.0, "and nearest of all");
    }

    #[test]
    fn slivers_leave_a_trace() {
        let mut frame = Framebuffer::new(8);
        let sliver = [[1.0, 7.4], [15.0, 7.4], [15.0, 7.45]].map(|[x, y]| Vector3::new(x, y, 0.0));
        frame.triangle(sliver, facing());
        assert!(frame.resolve(16.0)[3 * 64..].iter().sum::<f32>() > 2.0);
    }
}
