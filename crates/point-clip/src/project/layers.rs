//! Densify, smooth and squeeze of PointCLIP V2: from points in depth layers to one picture.

/// Rows and columns of the picture: those of the grid less a border that no point reaches.
pub(super) const SIDE: usize = 110;
/// Depth layers.
pub(super) const LAYERS: usize = 8;
/// Reach of the maximum on each side (a window of 7).
const POOL: usize = 3;
/// Reach of the maximum and the smoothing together.
const REACH: usize = POOL + 1;
/// Empty cells around the picture, so that windows never leave the frame.
const MARGIN: usize = REACH + POOL;
/// Rows and columns of a layer with its margin.
const FRAME: usize = SIDE + 2 * MARGIN;

/// A row with its margins.
type Row = [f32; FRAME];

/// Sparse depth layers of one view, and the room to turn them into a picture. Between views all is
/// zero; only what was touched is ever read or cleared.
pub(super) struct LayerStack {
    /// `[LAYERS][FRAME]` rows; 0 where there is no point.
    cells: Vec<Row>,
    touched: [Rectangle; LAYERS],
    /// Rows of the layer at hand after the maximum along rows, then after half of the smoothing.
    pooled: Vec<Row>,
    smoothed: Vec<Row>,
    /// Maximum over the layers done.
    squeezed: Vec<Row>,
}

/// First and last occupied row and column of a layer, in the frame; empty while first > last.
#[derive(Clone, Copy)]
struct Rectangle {
    rows: [usize; 2],
    columns: [usize; 2],
}

impl Rectangle {
    const EMPTY: Rectangle = Rectangle {
        rows: [FRAME, 0],
        columns: [FRAME, 0],
    };

    #[inline(always)]
    fn include(&mut self, row: usize, column: usize) {
        self.rows = [self.rows[0].min(row), self.rows[1].max(row)];
        self.columns = [self.columns[0].min(column), self.columns[1].max(column)];
    }

    fn is_empty(&self) -> bool {
        self.rows[0] > self.rows[1]
    }
}

impl LayerStack {
    pub(super) fn new() -> Self {
        let rows = |count| vec![[0.0; FRAME]; count];
        LayerStack {
            cells: rows(LAYERS * FRAME),
            touched: [Rectangle::EMPTY; LAYERS],
            pooled: rows(FRAME),
            smoothed: rows(FRAME),
            squeezed: rows(FRAME),
        }
    }

    /// Raises a cell to `depth`, which is above 0. `row` and `column` are those of the picture.
    #[inline(always)]
    pub(super) fn raise(&mut self, layer: usize, row: usize, column: usize, depth: f32) {
        let (row, column) = (row + MARGIN, column + MARGIN);
        let cell = &mut self.cells[layer * FRAME + row][column];
        *cell = larger(*cell, depth);
        self.touched[layer].include(row, column);
    }

    /// Writes the picture `[SIDE, SIDE]` of the points so far: 0 where they are nearest, 1 where
    /// there is none. Leaves the stack empty.
    pub(super) fn squeeze_into(&mut self, picture: &mut [f32]) {
        for layer in 0..LAYERS {
            let rectangle = std::mem::replace(&mut self.touched[layer], Rectangle::EMPTY);
            if !rectangle.is_empty() {
                self.pool_and_smooth(layer, rectangle);
            }
        }
        let inner = &mut self.squeezed[MARGIN..MARGIN + SIDE];
        let peak = inner.iter().flatten().copied().fold(0.0, larger);
        // Without points there is no peak, and all is background.
        let peak = if peak > 0.0 { peak } else { 1.0 };
        for (out, row) in picture.chunks_exact_mut(SIDE).zip(inner) {
            for (out, squeezed) in out.iter_mut().zip(&row[MARGIN..]) {
                *out = 1.0 - squeezed / peak;
            }
            row.fill(0.0);
        }
    }

    /// Adds one layer to the maximum over layers, and clears it.
    fn pool_and_smooth(&mut self, layer: usize, rectangle: Rectangle) {
        let [top, bottom] = rectangle.rows;
        let [left, right] = rectangle.columns;
        let cells = &mut self.cells[layer * FRAME..][..FRAME];

        // Maximum along each occupied row.
        let wide = left - POOL..right + POOL + 1;
        for (cells, pooled) in cells[top..=bottom].iter_mut().zip(&mut self.pooled[top..]) {
            window_maximum(
                &cells[wide.start - POOL..wide.end + POOL],
                &mut pooled[wide.clone()],
            );
            cells[left..=right].fill(0.0);
        }

        // Maximum along the columns, then the smoothing along each row.
        let wider = left - REACH..right + REACH + 1;
        let mut tall: Row = [0.0; FRAME];
        for row in top - POOL..=bottom + POOL {
            tall[wide.clone()].fill(0.0);
            for pooled in &self.pooled[(row - POOL).max(top)..=(row + POOL).min(bottom)] {
                for (tall, &v) in tall[wide.clone()].iter_mut().zip(&pooled[wide.clone()]) {
                    *tall = larger(*tall, v);
                }
            }
            let around = &tall[wider.start - 1..wider.end + 1];
            for (out, w) in self.smoothed[row][wider.clone()]
                .iter_mut()
                .zip(around.windows(3))
            {
                *out = w[1] + SMOOTHING.edge * (w[0] + w[2]);
            }
        }

        // The smoothing along the columns, and the maximum over the layers.
        const NONE: &Row = &[0.0; FRAME];
        let rows = top - POOL..=bottom + POOL;
        let smoothed = |row: usize| {
            if rows.contains(&row) {
                &self.smoothed[row]
            } else {
                NONE
            }
        };
        for row in top - REACH..=bottom + REACH {
            let [above, middle, below] =
                [row - 1, row, row + 1].map(|row| &smoothed(row)[wider.clone()]);
            let out = &mut self.squeezed[row][wider.clone()];
            for (((out, &a), &m), &b) in out.iter_mut().zip(above).zip(middle).zip(below) {
                *out = larger(*out, SMOOTHING.scale * (m + SMOOTHING.edge * (a + b)));
            }
        }
    }
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

/// `out[i]` = maximum of the 7 values from `source[i]` on.
fn window_maximum(source: &[f32], out: &mut [f32]) {
    for (out, w) in out.iter_mut().zip(source.windows(2 * POOL + 1)) {
        let [a, b, c] = [larger(w[0], w[1]), larger(w[2], w[3]), larger(w[4], w[5])];
        *out = larger(larger(a, b), larger(c, w[6]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
                    stack.raise(layer, row, column, depth);
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
            stack.raise(LAYERS - 1, row, column, 6.0);
        }
        let mut picture = vec![f32::NAN; SIDE * SIDE];
        stack.squeeze_into(&mut picture);
        assert!(picture[0] < 0.5 && picture[SIDE * SIDE - 1] < 0.5);
        assert_eq!(picture[SIDE * SIDE / 2], 1.0);
        stack.squeeze_into(&mut picture);
        assert!(picture.iter().all(|&v| v == 1.0));
    }
}
