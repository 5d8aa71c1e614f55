//! Densify and smooth of PointCLIP V2's part segmentation, across depth layers.

use super::quantise::Cell;

/// Reach of the maximum over layers, and over rows and columns (windows of 5 and 11).
const POOL: [usize; 2] = [2, 5];
/// Reach of the smoothing along each axis (a window of 5).
const BLUR: usize = 2;
/// Smoothing over layers: a Gaussian with sigma 2.
const LAYER_WEIGHTS: [f32; 5] = gaussian(0.882_496_902_584_595_4);
/// Smoothing over rows and columns: a Gaussian with sigma 1.
const PLANE_WEIGHTS: [f32; 5] = gaussian(0.606_530_659_712_633_4);

/// Gaussian weights at distances 2, 1, 0, 1, 2, normalised, from the one at distance 1 over that
/// at 0.
const fn gaussian(near: f64) -> [f32; 5] {
    let far = near * near * near * near;
    let sum = 1.0 + 2.0 * (near + far);
    let (far, near, middle) = ((far / sum) as f32, (near / sum) as f32, (1.0 / sum) as f32);
    [far, near, middle, near, far]
}

/// A rectangle of rows and columns, that which points can reach in one view. All else is 0.
#[derive(Clone, Copy)]
struct Window {
    top: usize,
    left: usize,
    height: usize,
    width: usize,
}

/// Values of a window, row by row.
type Plane = Vec<f32>;

/// Calls `visit` with every layer that holds something after the smoothing, and a look-up of its
/// values by row and column.
///
/// `cells` are the points of one view in `layers` layers of `side` × `side`; of points in one cell
/// the last one counts.
pub(super) fn smooth_layers(
    cells: &[Cell],
    layers: usize,
    side: usize,
    mut visit: impl FnMut(usize, &dyn Fn(usize, usize) -> f32),
) {
    let Some(window) = Window::around(cells, side) else {
        return;
    };
    let pooled = window.pool(cells, layers);
    let raise = |sum: &mut f32, v: f32, _| *sum = larger(*sum, v);
    let near = fold_layers(&pooled, POOL[0], raise);
    let blurred: Vec<_> = near
        .iter()
        .map(|p| p.as_ref().map(|p| window.blur(p)))
        .collect();
    drop((pooled, near));
    let weigh = |sum: &mut f32, v: f32, tap: usize| *sum += LAYER_WEIGHTS[tap] * v;
    for (layer, plane) in fold_layers(&blurred, BLUR, weigh).iter().enumerate() {
        if let Some(plane) = plane {
            visit(layer, &|row, column| window.at(plane, row, column));
        }
    }
}

/// Folds `2 · reach + 1` neighbouring layers with `step`, from 0 on; none where all are empty.
fn fold_layers(
    planes: &[Option<Plane>],
    reach: usize,
    step: impl Fn(&mut f32, f32, usize),
) -> Vec<Option<Plane>> {
    let fold = |layer: usize| {
        let mut folded: Option<Plane> = None;
        for tap in 0..=2 * reach {
            let source = (layer + tap)
                .checked_sub(reach)
                .and_then(|l| planes.get(l)?.as_ref());
            if let Some(source) = source {
                let out = folded.get_or_insert_with(|| vec![0.0; source.len()]);
                out.iter_mut()
                    .zip(source)
                    .for_each(|(out, &v)| step(out, v, tap));
            }
        }
        folded
    };
    (0..planes.len()).map(fold).collect()
}

impl Window {
    fn around(cells: &[Cell], side: usize) -> Option<Window> {
        let reach = POOL[1] + BLUR;
        let span = |of: fn(&Cell) -> usize| {
            let (first, last) = (cells.iter().map(of).min()?, cells.iter().map(of).max()?);
            let first = first.saturating_sub(reach);
            Some((first, (last + reach).min(side - 1) + 1 - first))
        };
        let ((top, height), (left, width)) = (span(|c| c.row)?, span(|c| c.column)?);
        Some(Window {
            top,
            left,
            height,
            width,
        })
    }

    fn at(&self, plane: &[f32], row: usize, column: usize) -> f32 {
        let (Some(i), Some(j)) = (row.checked_sub(self.top), column.checked_sub(self.left)) else {
            return 0.0;
        };
        if i < self.height && j < self.width {
            plane[i * self.width + j]
        } else {
            0.0
        }
    }

    /// The layers after the maximum over rows and columns; none where there is no point.
    fn pool(&self, cells: &[Cell], layers: usize) -> Vec<Option<Plane>> {
        let mut planes: Vec<Option<Plane>> = vec![None; layers];
        for cell in cells {
            let plane =
                planes[cell.layer].get_or_insert_with(|| vec![0.0; self.height * self.width]);
            plane[(cell.row - self.top) * self.width + (cell.column - self.left)] = cell.depth;
        }
        let raise = |sum: &mut f32, v: f32, _| *sum = larger(*sum, v);
        for plane in planes.iter_mut().flatten() {
            *plane = self.along_columns(&self.along_rows(plane, POOL[1], raise), POOL[1], raise);
        }
        planes
    }

    fn blur(&self, plane: &[f32]) -> Plane {
        let weigh = |sum: &mut f32, v: f32, tap: usize| *sum += PLANE_WEIGHTS[tap] * v;
        self.along_columns(&self.along_rows(plane, BLUR, weigh), BLUR, weigh)
    }

    /// Folds `2 · reach + 1` neighbours in each row with `step`, from 0 on.
    fn along_rows(
        &self,
        plane: &[f32],
        reach: usize,
        step: impl Fn(&mut f32, f32, usize),
    ) -> Plane {
        let mut out = vec![0.0; plane.len()];
        let mut padded = vec![0.0; self.width + 2 * reach];
        for (row, out) in plane
            .chunks_exact(self.width)
            .zip(out.chunks_exact_mut(self.width))
        {
            padded[reach..reach + self.width].copy_from_slice(row);
            for tap in 0..=2 * reach {
                out.iter_mut()
                    .zip(&padded[tap..])
                    .for_each(|(out, &v)| step(out, v, tap));
            }
        }
        out
    }

    /// Folds `2 · reach + 1` neighbours in each column with `step`, from 0 on.
    fn along_columns(
        &self,
        plane: &[f32],
        reach: usize,
        step: impl Fn(&mut f32, f32, usize),
    ) -> Plane {
        let mut out = vec![0.0; plane.len()];
        for (i, out) in out.chunks_exact_mut(self.width).enumerate() {
            for tap in 0..=2 * reach {
                let source = (i + tap)
                    .checked_sub(reach)
                    .filter(|row| *row < self.height);
                if let Some(row) = source {
                    let source = &plane[row * self.width..];
                    out.iter_mut()
                        .zip(source)
                        .for_each(|(out, &v)| step(out, v, tap));
                }
            }
        }
        out
    }
}

/// The larger of two numbers, neither of them NaN.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::super::golden::{Golden, assert_close};
    use super::*;

    #[test]
    fn weights_are_those_of_the_reference() {
        let stored = Golden::open("cameras").f32("v2seg.gauss");
        let ours: Vec<f32> = (0..125)
            .map(|k| LAYER_WEIGHTS[k / 25] * PLANE_WEIGHTS[k / 5 % 5] * PLANE_WEIGHTS[k % 5])
            .collect();
        assert_close(&ours, &stored, 1e-7);
    }

    #[test]
    fn a_point_spreads_over_its_window_and_fades_at_the_rim() {
        let cell = |depth| Cell {
            row: 20,
            column: 30,
            layer: 6,
            depth,
        };
        let mut layers = Vec::new();
        // Two points in one cell: the last one counts, not the nearest.
        smooth_layers(&[cell(5.0), cell(4.0)], 9, 64, |layer, at| {
            layers.push(layer);
            let middle = at(20, 30);
            assert_eq!((at(20, 31), at(22, 27)), (middle, middle));
            assert!(at(20 + 6, 30) > 0.0 && at(20 + 6, 30) < middle);
            assert_eq!(
                (at(20 + 8, 30), at(20, 30 - 8), at(63, 63)),
                (0.0, 0.0, 0.0)
            );
            if layer == 6 {
                assert!((middle - 4.0).abs() < 1e-5);
            }
        });
        // Two layers either way by the maximum, two more by the smoothing; none beyond the last.
        assert_eq!(layers, [2, 3, 4, 5, 6, 7, 8]);
    }
}
