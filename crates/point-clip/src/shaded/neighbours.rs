//! Nearest neighbours on a uniform grid.

/// Points sorted into cubic cells, for k-nearest-neighbour queries.
pub(super) struct Grid<'a> {
    points: &'a [[f32; 3]],
    min: [f32; 3],
    cell: f32,
    dims: [usize; 3],
    /// `starts[c]..starts[c + 1]` are the places of cell `c` in `order`.
    starts: Vec<u32>,
    order: Vec<u32>,
}

impl<'a> Grid<'a> {
    /// Sorts `points` (finite, not empty) into cells that hold about `per_cell` points where the
    /// points lie on a surface.
    pub(super) fn new(points: &'a [[f32; 3]], per_cell: usize) -> Self {
        let (min, max) = bounds(points);
        let extent: [f32; 3] = std::array::from_fn(|k| max[k] - min[k]);
        let longest = extent
            .iter()
            .fold(0.0f32, |a, &b| a.max(b))
            .max(f32::MIN_POSITIVE);
        // A surface meets about side² of side³ cells; the number of cells is bounded by the points.
        let side = ((points.len() as f32 / per_cell as f32).sqrt()).clamp(1.0, 160.0);
        let cell = longest / side;
        let dims = extent.map(|e| (e / cell) as usize + 1);
        let mut grid = Grid {
            points,
            min,
            cell,
            dims,
            starts: Vec::new(),
            order: Vec::new(),
        };

        let cells: Vec<u32> = points
            .iter()
            .map(|p| grid.cell_index(grid.cell_of(p)) as u32)
            .collect();
        let mut starts = vec![0u32; dims.iter().product::<usize>() + 1];
        for &c in &cells {
            starts[c as usize + 1] += 1;
        }
        for i in 1..starts.len() {
            starts[i] += starts[i - 1];
        }
        let mut next = starts.clone();
        let mut order = vec![0u32; points.len()];
        for (i, &c) in cells.iter().enumerate() {
            order[next[c as usize] as usize] = i as u32;
            next[c as usize] += 1;
        }
        grid.starts = starts;
        grid.order = order;
        grid
    }

    fn cell_of(&self, p: &[f32; 3]) -> [usize; 3] {
        std::array::from_fn(|k| (((p[k] - self.min[k]) / self.cell) as usize).min(self.dims[k] - 1))
    }

    fn cell_index(&self, [x, y, z]: [usize; 3]) -> usize {
        (z * self.dims[1] + y) * self.dims[0] + x
    }

    /// Fills `found` with the `k` points nearest to point `i`, itself included, as (squared
    /// distance, index) in rising order. Fewer, if there are fewer points.
    pub(super) fn nearest(&self, i: usize, k: usize, found: &mut Vec<(f32, u32)>) {
        found.clear();
        let p = self.points[i];
        let centre = self.cell_of(&p);
        let reach = *self.dims.iter().max().unwrap_or(&1);
        for ring in 0..=reach {
            // Everything within `ring` cells' distance has been seen before this ring is needed.
            if found.len() == k {
                let safe = (ring as f32 - 1.0).max(0.0) * self.cell;
                if found[k - 1].0 <= safe * safe {
                    break;
                }
            }
            self.visit_ring(centre, ring, |index| {
                let q = self.points[index as usize];
                let d = (0..3).map(|a| (p[a] - q[a]) * (p[a] - q[a])).sum::<f32>();
                if found.len() == k {
                    if d >= found[k - 1].0 {
                        return;
                    }
                    found.pop();
                }
                let mut at = found.len();
                found.push((d, index));
                while at > 0 && found[at - 1].0 > d {
                    found.swap(at - 1, at);
                    at -= 1;
                }
            });
        }
    }

    /// Calls `f` for the points of all cells at Chebyshev distance `ring` from `centre`.
    fn visit_ring(&self, centre: [usize; 3], ring: usize, mut f: impl FnMut(u32)) {
        let range =
            |k: usize| centre[k].saturating_sub(ring)..=(centre[k] + ring).min(self.dims[k] - 1);
        for z in range(2) {
            for y in range(1) {
                let shell = z.abs_diff(centre[2]) == ring || y.abs_diff(centre[1]) == ring;
                let row = self.cell_index([0, y, z]);
                let mut visit = |from: usize, to: usize| {
                    let places =
                        self.starts[row + from] as usize..self.starts[row + to + 1] as usize;
                    self.order[places].iter().for_each(|&i| f(i));
                };
                if shell {
                    let xs = range(0);
                    visit(*xs.start(), *xs.end());
                } else {
                    if let Some(x) = centre[0].checked_sub(ring) {
                        visit(x, x);
                    }
                    if centre[0] + ring < self.dims[0] {
                        visit(centre[0] + ring, centre[0] + ring);
                    }
                }
            }
        }
    }
}

/// Per-axis minimum and maximum of `points` (not empty).
pub(super) fn bounds(points: &[[f32; 3]]) -> ([f32; 3], [f32; 3]) {
    let mut min = [f32::INFINITY; 3];
    let mut max = [f32::NEG_INFINITY; 3];
    for p in points {
        for k in 0..3 {
            min[k] = min[k].min(p[k]);
            max[k] = max[k].max(p[k]);
        }
    }
    (min, max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_brute_force(
            points in proptest::collection::vec(proptest::array::uniform3(-1.0f32..1.0), 1..200),
            k in 1usize..12,
        ) {
            let grid = Grid::new(&points, 4);
            let mut found = Vec::new();
            for i in 0..points.len() {
                grid.nearest(i, k, &mut found);
                let mut all: Vec<f32> = points
                    .iter()
                    .map(|q| (0..3).map(|a| (points[i][a] - q[a]) * (points[i][a] - q[a])).sum())
                    .collect();
                all.sort_by(f32::total_cmp);
                all.truncate(k);
                prop_assert_eq!(found.iter().map(|f| f.0).collect::<Vec<_>>(), all);
            }
        }
    }

    #[test]
    fn flat_and_tiny_clouds_work() {
        let points = vec![[1.0, 2.0, 3.0]; 5];
        let mut found = Vec::new();
        Grid::new(&points, 4).nearest(2, 3, &mut found);
        assert_eq!(found.len(), 3);
        Grid::new(&points[..1], 4).nearest(0, 3, &mut found);
        assert_eq!(found, vec![(0.0, 0)]);
    }
}
