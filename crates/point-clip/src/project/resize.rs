//! Bilinear resizing with corners aligned, as PyTorch's `interpolate` does it.

/// Resizes square maps of one size to another.
pub(super) struct Resize {
    source: usize,
    /// One for each output row, and column.
    taps: Vec<Tap>,
}

/// Where an output row (column) lies between two of the source.
#[derive(Clone, Copy)]
struct Tap {
    first: usize,
    second: usize,
    /// Share of the second.
    share: f32,
}

impl Tap {
    #[inline(always)]
    fn mix(self, first: f32, second: f32) -> f32 {
        (1.0 - self.share) * first + self.share * second
    }
}

impl Resize {
    /// From `source` × `source` to `size` × `size`.
    pub(super) fn new(source: usize, size: usize) -> Self {
        let ratio = if size > 1 {
            source.saturating_sub(1) as f32 / (size - 1) as f32
        } else {
            0.0
        };
        let last = source.saturating_sub(1);
        let tap = |k: usize| {
            let position = k as f32 * ratio;
            let first = (position as usize).min(last);
            Tap {
                first,
                second: (first + 1).min(last),
                share: position - first as f32,
            }
        };
        Resize {
            source,
            taps: (0..size).map(tap).collect(),
        }
    }

    /// Resizes `map` into `out`; what `room` holds is overwritten.
    pub(super) fn apply(&self, map: &[f32], room: &mut Vec<f32>, out: &mut [f32]) {
        let size = self.taps.len();
        if self.source == 0 || size == 0 {
            return;
        }
        // Every source row at its new width, then between these.
        room.clear();
        for row in map.chunks_exact(self.source) {
            room.extend(self.taps.iter().map(|t| t.mix(row[t.first], row[t.second])));
        }
        for (out, tap) in out.chunks_exact_mut(size).zip(&self.taps) {
            let (above, below) = (&room[tap.first * size..], &room[tap.second * size..]);
            for ((out, &a), &b) in out.iter_mut().zip(above).zip(below) {
                *out = tap.mix(a, b);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corners_aligned(map: &[f32], source: usize, size: usize, out: &mut [f32]) {
        Resize::new(source, size).apply(map, &mut Vec::new(), out);
    }

    #[test]
    fn corners_stay_and_the_middle_is_between() {
        let mut out = [0.0; 9];
        corners_aligned(&[0.0, 1.0, 2.0, 5.0], 2, 3, &mut out);
        assert_eq!(out, [0.0, 0.5, 1.0, 1.0, 2.0, 3.0, 2.0, 3.5, 5.0]);
    }

    #[test]
    fn the_same_size_is_the_same_map() {
        let map: Vec<_> = (0..49).map(|v| v as f32).collect();
        let mut out = vec![0.0; 49];
        corners_aligned(&map, 7, 7, &mut out);
        assert_eq!(out, map);
    }

    #[test]
    fn one_pixel_fills_any_size() {
        let mut out = [0.0; 16];
        corners_aligned(&[3.0], 1, 4, &mut out);
        assert_eq!(out, [3.0; 16]);
    }
}
