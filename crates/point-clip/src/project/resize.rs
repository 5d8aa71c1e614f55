//! Bilinear resizing with corners aligned, as PyTorch's `interpolate` does it.

/// For one axis: the two source indices and the share of the second, per output index.
fn taps(source: usize, size: usize) -> Vec<(usize, usize, f32)> {
    let ratio = if size > 1 {
        (source - 1) as f32 / (size - 1) as f32
    } else {
        0.0
    };
    (0..size)
        .map(|k| {
            let position = k as f32 * ratio;
            let first = (position as usize).min(source - 1);
            (first, (first + 1).min(source - 1), position - first as f32)
        })
        .collect()
}

/// Resizes square `map` (`source` × `source`) to `size` × `size` in `out`.
pub(super) fn corners_aligned(map: &[f32], source: usize, size: usize, out: &mut [f32]) {
    if source == 0 || size == 0 {
        return;
    }
    let taps = taps(source, size);
    let mut wide = vec![0.0; source * size];
    for (row, wide) in map.chunks_exact(source).zip(wide.chunks_exact_mut(size)) {
        for (out, &(first, second, share)) in wide.iter_mut().zip(&taps) {
            *out = (1.0 - share) * row[first] + share * row[second];
        }
    }
    for (out, &(first, second, share)) in out.chunks_exact_mut(size).zip(&taps) {
        let (above, below) = (&wide[first * size..], &wide[second * size..]);
        for ((out, a), b) in out.iter_mut().zip(above).zip(below) {
            *out = (1.0 - share) * a + share * b;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
