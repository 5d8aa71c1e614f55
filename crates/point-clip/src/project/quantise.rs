//! The orthographic box fit and the grid of PointCLIP V2, in the float32 order of the reference.

use super::ceil;
use super::rotation::{BLOCK, Block, Rotation};

/// Added to the turned points. The box fit takes it away again, but for the last float bit.
const SHIFT: [f32; 3] = [0.5, 0.5, 1.5];

/// Constants of a grid of depth layers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Grid {
    /// Rows and columns.
    pub(super) resolution: usize,
    /// Depth layers.
    pub(super) layers: usize,
    /// Keeps the farthest point off depth 0.
    pub(super) depth_bias: f64,
    /// Share of the picture that the longest side of the box takes, were it in the picture plane.
    pub(super) object_ratio: f32,
}

/// The box of a view.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fit {
    centre: [f32; 3],
    range: f32,
}

/// Where one point falls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cell {
    /// Picture row, `1..=resolution - 2`.
    pub(super) row: usize,
    /// Picture column, `1..=resolution - 2`.
    pub(super) column: usize,
    /// Depth layer, below `layers`.
    pub(super) layer: usize,
    /// Height above the far side in layers, `1..=layers - 2`; nearest is largest.
    pub(super) depth: f32,
}

/// Where the points of one [`Block`] fall. A short block repeats its first point.
pub(super) struct Cells {
    pub(super) rows: [i32; BLOCK],
    pub(super) columns: [i32; BLOCK],
    pub(super) layers: [i32; BLOCK],
    pub(super) depths: [f32; BLOCK],
    len: usize,
}

impl Cells {
    /// One point.
    #[cfg(test)]
    pub(super) fn one(cell: Cell) -> Self {
        let whole = |v: usize| [v as i32; BLOCK];
        Cells {
            rows: whole(cell.row),
            columns: whole(cell.column),
            layers: whole(cell.layer),
            depths: [cell.depth; BLOCK],
            len: 1,
        }
    }

    /// The cell of every point, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = Cell> {
        (0..self.len).map(|i| Cell {
            row: self.rows[i] as usize,
            column: self.columns[i] as usize,
            layer: self.layers[i] as usize,
            depth: self.depths[i],
        })
    }
}

/// The points of one view: turned by each rotation in turn, and shifted.
#[inline(always)]
fn turned<const N: usize>(block: &Block, rotations: &[Rotation; N]) -> Block {
    let mut out = Block {
        axes: [[0.0; BLOCK]; 3],
        len: block.len,
    };
    let [x, y, z] = &block.axes;
    for i in 0..BLOCK {
        let point = [x[i], y[i], z[i]];
        let turned = rotations.iter().fold(point, |p, r| r.apply(p));
        for axis in 0..3 {
            out.axes[axis][i] = turned[axis] + SHIFT[axis];
        }
    }
    out
}

impl Fit {
    /// The box around all points as this view sees them; none where they have no extent that f32
    /// can hold.
    #[inline(always)]
    pub(super) fn around<const N: usize>(
        blocks: &[Block],
        rotations: &[Rotation; N],
    ) -> Option<Fit> {
        let mut min = [[f32::INFINITY; BLOCK]; 3];
        let mut max = [[f32::NEG_INFINITY; BLOCK]; 3];
        for block in blocks {
            let block = turned(block, rotations);
            for axis in 0..3 {
                for ((&v, min), max) in block.axes[axis]
                    .iter()
                    .zip(&mut min[axis])
                    .zip(&mut max[axis])
                {
                    *min = if v < *min { v } else { *min };
                    *max = if v > *max { v } else { *max };
                }
            }
        }
        let min = min.map(|lanes| lanes.into_iter().fold(f32::INFINITY, f32::min));
        let max = max.map(|lanes| lanes.into_iter().fold(f32::NEG_INFINITY, f32::max));
        let centre = std::array::from_fn(|k| (max[k] + min[k]) / 2.0);
        let range = (0..3).map(|k| max[k] - min[k]).fold(0.0, f32::max);
        let sound = range > 0.0 && range.is_finite() && centre.iter().all(|c: &f32| c.is_finite());
        sound.then_some(Fit { centre, range })
    }
}

impl Grid {
    /// `block` in the coordinates of the box: −1..=1, and x and y −ratio..=ratio.
    #[inline(always)]
    fn normalise(&self, block: &mut Block, fit: &Fit) {
        for (axis, centre) in block.axes.iter_mut().zip(fit.centre) {
            for v in axis {
                *v = (*v - centre) / fit.range * 2.0;
            }
        }
        for axis in &mut block.axes[..2] {
            for v in axis {
                *v *= self.object_ratio;
            }
        }
    }

    /// The rows or columns of coordinates in the picture plane.
    #[inline(always)]
    fn pixels(&self, coordinates: &[f32; BLOCK]) -> [i32; BLOCK] {
        let side = self.resolution as f32;
        let last = self.resolution as i32 - 2;
        coordinates.map(|v| ceil((v + 1.0) / 2.0 * side).min(last).max(1))
    }

    /// Layers and depths of coordinates along the view.
    #[inline(always)]
    fn heights(&self, coordinates: &[f32; BLOCK]) -> ([i32; BLOCK], [f32; BLOCK]) {
        let bias = self.depth_bias as f32;
        let scale = (1.0 + self.depth_bias) as f32;
        let steps = (self.layers - 2) as f32;
        let last = self.layers as i32 - 1;
        let heights = coordinates.map(|v| ((v + 1.0) / 2.0 + bias) / scale * steps);
        // The layer comes before the clamp; a rounding excess belongs to the next layer.
        let layers = heights.map(|height| ceil(height).min(last).max(0));
        (layers, heights.map(|height| height.min(steps).max(1.0)))
    }

    /// Where the points of `block` fall in the view with this box.
    #[inline(always)]
    pub(super) fn cells<const N: usize>(
        &self,
        block: &Block,
        rotations: &[Rotation; N],
        fit: &Fit,
    ) -> Cells {
        let mut block = turned(block, rotations);
        self.normalise(&mut block, fit);
        let [x, y, z] = &block.axes;
        let (layers, depths) = self.heights(z);
        Cells {
            rows: self.pixels(x),
            columns: self.pixels(y),
            layers,
            depths,
            len: block.len,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden::{Golden, assert_close, points};
    use super::super::v2::{GRID, PointClipV2};
    use super::*;

    #[test]
    fn stages_are_those_of_the_reference() {
        let chair = points("chair");
        let golden = Golden::open("v2_intermediates_chair");
        for view in [0, 8] {
            let stage = |name: &str| format!("view{view}.{name}");
            let rotations = PointClipV2::default().views[view];
            let blocks = Block::of(&chair);
            let fit = Fit::around(&blocks, &rotations).unwrap();
            let (mut turned_points, mut normalised) = (Vec::new(), Vec::new());
            for block in &blocks {
                let mut block = turned(block, &rotations);
                let flat = |b: &Block| {
                    (0..b.len * 3)
                        .map(|i| b.axes[i % 3][i / 3])
                        .collect::<Vec<_>>()
                };
                turned_points.extend(flat(&block));
                GRID.normalise(&mut block, &fit);
                normalised.extend(flat(&block));
            }
            assert_close(&turned_points, &golden.f32(&stage("points")), 0.0);
            assert_close(&normalised, &golden.f32(&stage("normalised")), 0.0);

            let cells: Vec<Cell> = blocks
                .iter()
                .flat_map(|b| GRID.cells(b, &rotations, &fit).iter().collect::<Vec<_>>())
                .collect();
            let depths: Vec<_> = cells.iter().map(|c| c.depth).collect();
            assert_close(&depths, &golden.f32(&stage("z")), 0.0);
            let whole =
                |f: fn(&Cell) -> usize| cells.iter().map(|c| f(c) as u32).collect::<Vec<_>>();
            assert_eq!(whole(|c| c.row), golden.u32(&stage("ix")));
            assert_eq!(whole(|c| c.column), golden.u32(&stage("iy")));
            assert_eq!(whole(|c| c.layer), golden.u32(&stage("iz")));
        }
    }

    #[test]
    fn no_extent_is_none() {
        let still = [Rotation::from_half_turns([0.0; 3]); 2];
        let around = |points: &[[f32; 3]]| Fit::around(&Block::of(points), &still);
        assert_eq!(around(&[[0.3; 3]; 5]), None);
        // Lost beside the shift, and beyond the range of f32.
        assert_eq!(around(&[[1e-12; 3], [2e-12; 3]]), None);
        assert_eq!(around(&[[3e38; 3], [-3e38; 3]]), None);
        assert!(around(&[[0.3; 3], [0.3, 0.3, 0.4]]).is_some());
    }
}
