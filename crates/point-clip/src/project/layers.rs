//! Densify, smooth and squeeze of PointCLIP V2: from points in depth layers to one picture.

use super::quantise::Cells;
use super::rotation::BLOCK;

/// Rows and columns of the picture: those of the grid less a border that no point reaches.
pub(super) const SIDE: usize = 110;
/// Depth layers.
pub(super) const LAYERS: usize = 8;
/// Reach of the maximum on each side.
const POOL: usize = 3;
/// Window of the maximum.
const WINDOW: usize = 2 * POOL + 1;
/// Reach of the maximum and the smoothing together: of the columns before the picture's first.
const REACH: usize = POOL + 1;
/// Rows above and below the picture, so that the reach of one never leaves the frame.
const MARGIN: usize = REACH + 1;
/// Rows of a layer with its margins.
const HEIGHT: usize = SIDE + 2 * MARGIN;

// Rows have one length each, a multiple of 8 numbers, so that loops over them are vector code
// without a rest. Column `c` of the picture is column `c` after the smoothing, `c + 1` after the
// maximum and `c + REACH` before it; what lies beyond the picture is never shown.
/// Columns after the smoothing.
const WIDTH: usize = SIDE.next_multiple_of(8);
/// Columns after the maximum.
const POOLED: usize = WIDTH + 8;
/// Columns of the cells.
const FRAME: usize = POOLED + 8;

/// Sparse depth layers of one view, and the room to turn them into a picture. Between views all
/// cells are zero; only rows that hold something are pooled, smoothed and cleared.
pub(super) struct LayerStack {
    /// `[LAYERS][HEIGHT][FRAME]`; 0 where there is no point.
    cells: Vec<f32>,
    /// Rows of the layer at hand after the maximum along rows, then after half of the smoothing.
    pooled: Vec<[f32; POOLED]>,
    smoothed: Vec<[f32; WIDTH]>,
    /// Maximum over the layers done.
    squeezed: Vec<[f32; WIDTH]>,
}

impl LayerStack {
    pub(super) fn new() -> Self {
        LayerStack {
            cells: vec![0.0; LAYERS * HEIGHT * FRAME],
            pooled: vec![[0.0; POOLED]; HEIGHT],
            smoothed: vec![[0.0; WIDTH]; HEIGHT],
            squeezed: vec![[0.0; WIDTH]; HEIGHT],
        }
    }

    /// Raises the cells of points to their depths, which are above 0.
    #[inline(always)]
    pub(super) fn raise(&mut self, cells: &Cells) {
        // Places first, in vectors.
        let mut places = [0_i32; BLOCK];
        for (i, place) in places.iter_mut().enumerate() {
            *place = place_of(cells.layers[i], cells.rows[i] - 1, cells.columns[i] - 1);
        }
        for (&place, &depth) in places.iter().zip(&cells.depths) {
            let cell = &mut self.cells[place as usize];
            *cell = larger(*cell, depth);
        }
    }

    /// Writes the picture `[SIDE, SIDE]` of the points so far: 0 where they are nearest, 1 where
    /// there is none. Leaves the stack empty.
    #[inline(always)]
    pub(super) fn squeeze_into(&mut self, picture: &mut [f32]) {
        for layer in 0..LAYERS {
            if let Some(rows) = self.occupied_rows(layer) {
                self.pool_and_smooth(layer, rows);
            }
        }
        let inner = &mut self.squeezed[MARGIN..MARGIN + SIDE];
        let mut peaks = [0.0; WIDTH];
        for row in inner.iter() {
            for (peak, &v) in peaks.iter_mut().zip(row) {
                *peak = larger(*peak, v);
            }
        }
        let peak = peaks[..SIDE].iter().copied().fold(0.0, larger);
        // Without points there is no peak, and all is background.
        let peak = if peak > 0.0 { peak } else { 1.0 };
        for (out, row) in picture.chunks_exact_mut(SIDE).zip(inner) {
            for (out, squeezed) in out.iter_mut().zip(&*row) {
                *out = 1.0 - squeezed / peak;
            }
            row.fill(0.0);
        }
    }

    /// First and last row of a layer that hold something, counted with the margin.
    #[inline(always)]
    fn occupied_rows(&self, layer: usize) -> Option<[usize; 2]> {
        let rows = self.cells[layer * HEIGHT * FRAME..][..HEIGHT * FRAME]
            .as_chunks::<FRAME>()
            .0;
        // Depths are positive: their bits tell.
        let holds = |row: &[f32; FRAME]| row.iter().fold(0, |bits, v| bits | v.to_bits()) != 0;
        let first = rows.iter().position(holds)?;
        let last = rows.iter().rposition(holds)?;
        Some([first, last])
    }

    /// Adds one layer to the maximum over layers, and clears it.
    #[inline(always)]
    fn pool_and_smooth(&mut self, layer: usize, [top, bottom]: [usize; 2]) {
        // Maximum along each row.
        let cells = &mut self.cells[layer * HEIGHT * FRAME..][..HEIGHT * FRAME];
        let cells = &mut cells.as_chunks_mut::<FRAME>().0[top..=bottom];
        for (cells, pooled) in cells.iter_mut().zip(&mut self.pooled[top..]) {
            let shifted: [&[f32; POOLED]; WINDOW] =
                std::array::from_fn(|k| cells[k..].first_chunk().unwrap_or(&[0.0; POOLED]));
            *pooled = maximum(shifted);
            cells.fill(0.0);
        }

        // Maximum along the columns, then the smoothing along each row.
        let (above, below) = (top - POOL, bottom + POOL);
        for row in above..=below {
            let window = std::array::from_fn(|k| {
                // Rows `row - POOL` to `row + POOL`.
                let near = (row + k).checked_sub(POOL);
                match near.filter(|near| (top..=bottom).contains(near)) {
                    Some(near) => &self.pooled[near],
                    None => &[0.0; POOLED],
                }
            });
            let tall = maximum(window);
            for (column, out) in self.smoothed[row].iter_mut().enumerate() {
                *out = tall[column + 1] + SMOOTHING.edge * (tall[column] + tall[column + 2]);
            }
        }

        // The smoothing along the columns, and the maximum over the layers.
        let smoothed = |row: usize| {
            if (above..=below).contains(&row) {
                &self.smoothed[row]
            } else {
                &[0.0; WIDTH]
            }
        };
        for row in above - 1..=below + 1 {
            let [a, m, b] = [row - 1, row, row + 1].map(smoothed);
            for (column, out) in self.squeezed[row].iter_mut().enumerate() {
                let sides = SMOOTHING.edge * (a[column] + b[column]);
                *out = larger(*out, SMOOTHING.scale * (m[column] + sides));
            }
        }
    }
}

/// Where the cell of a picture's row and column lies in [`LayerStack::cells`].
#[inline(always)]
fn place_of(layer: i32, row: i32, column: i32) -> i32 {
    (layer * HEIGHT as i32 + row + MARGIN as i32) * FRAME as i32 + column + REACH as i32
}

/// The separable 3 × 3 Gaussian with sigma 3: `(edge, 1, edge)` along both axes times `scale`.
struct Smoothing {
    edge: f32,
    scale: f32,
}

const SMOOTHING: Smoothing = {
    // exp(-1/18)
    let edge = 0.945_959_468_906_765_5_f64;
    let sum = 1.0 + 2.0 * edge;
    Smoothing {
        edge: edge as f32,
        scale: (1.0 / (sum * sum)) as f32,
    }
};

/// The larger of two numbers, neither of them NaN: one instruction, unlike `f32::max`.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}

/// The largest of the numbers in one column.
#[inline(always)]
fn maximum(rows: [&[f32; POOLED]; WINDOW]) -> [f32; POOLED] {
    std::array::from_fn(|c| {
        let [a, b, c, d, e, f, g] = rows.map(|row| row[c]);
        let pairs = [larger(a, b), larger(c, d), larger(e, f)];
        larger(larger(pairs[0], pairs[1]), larger(pairs[2], g))
    })
}

#[cfg(test)]
mod tests {
    use super::super::quantise::Cell;
    use super::*;
    use proptest::prelude::*;

    /// A point at a row and column of the picture.
    fn point(layer: usize, row: usize, column: usize, depth: f32) -> Cells {
        Cells::one(Cell {
            row: row + 1,
            column: column + 1,
            layer,
            depth,
        })
    }

    /// The definition, without any short cut.
    fn plain(points: &[(usize, usize, usize, f32)]) -> Vec<f32> {
        let at = |i: isize, j: isize| {
            let inside = |v: isize| (0..SIDE as isize).contains(&v);
            (inside(i) && inside(j)).then(|| i as usize * SIDE + j as usize)
        };
        let around = |reach: isize| {
            (-reach..=reach).flat_map(move |i| (-reach..=reach).map(move |j| (i, j)))
        };
        let gauss = |i: isize, j: isize| (-((i * i + j * j) as f32) / 18.0).exp();
        let sum: f32 = around(1).map(|(i, j)| gauss(i, j)).sum();
        let mut squeezed = vec![0.0_f32; SIDE * SIDE];
        for layer in 0..LAYERS {
            let mut dense = vec![0.0_f32; SIDE * SIDE];
            for &(_, row, column, depth) in points.iter().filter(|p| p.0 == layer) {
                for (i, j) in around(3) {
                    if let Some(k) = at(row as isize + i, column as isize + j) {
                        dense[k] = dense[k].max(depth);
                    }
                }
            }
            for (k, squeezed) in squeezed.iter_mut().enumerate() {
                let (row, column) = ((k / SIDE) as isize, (k % SIDE) as isize);
                let smooth: f32 = around(1)
                    .filter_map(|(i, j)| Some(gauss(i, j) / sum * dense[at(row + i, column + j)?]))
                    .sum();
                *squeezed = squeezed.max(smooth);
            }
        }
        let peak = squeezed.iter().copied().fold(0.0, f32::max);
        squeezed.iter().map(|s| 1.0 - s / peak).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

        /// One stack after another: what a view leaves behind would show in the next. Points stay
        /// off the border by the reach, as the object ratio makes sure.
        #[test]
        fn equals_the_definition(views in prop::collection::vec(
            prop::collection::vec(
                (0..LAYERS, REACH..SIDE - REACH, REACH..SIDE - REACH, 1.0..=6.0_f32), 1..40),
            1..4,
        )) {
            let mut stack = LayerStack::new();
            for points in views {
                for &(layer, row, column, depth) in &points {
                    stack.raise(&point(layer, row, column, depth));
                }
                let mut picture = vec![f32::NAN; SIDE * SIDE];
                stack.squeeze_into(&mut picture);
                for (ours, plain) in picture.iter().zip(plain(&points)) {
                    prop_assert!((ours - plain).abs() < 1e-6, "{ours} {plain}");
                }
            }
        }
    }

    #[test]
    fn no_corner_is_out_of_reach() {
        let mut stack = LayerStack::new();
        for (row, column) in [(0, 0), (0, SIDE - 1), (SIDE - 1, 0), (SIDE - 1, SIDE - 1)] {
            stack.raise(&point(LAYERS - 1, row, column, 6.0));
        }
        let mut picture = vec![f32::NAN; SIDE * SIDE];
        stack.squeeze_into(&mut picture);
        assert!(picture[0] < 0.5 && picture[SIDE * SIDE - 1] < 0.5);
        assert_eq!(picture[SIDE * SIDE / 2], 1.0);
        stack.squeeze_into(&mut picture);
        assert!(picture.iter().all(|&v| v == 1.0));
    }
}
