//! View rotations, in the float32 order of the reference.

/// Points handled at once, so that the arithmetic runs in vector registers.
pub(super) const BLOCK: usize = 128;

/// A rotation of column vectors: `q = R p`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rotation(pub(super) [[f32; 3]; 3]);

impl Rotation {
    /// `Rx(x π) · Ry(y π) · Rz(z π)`, right-handed: z is turned first, then y, then x.
    ///
    /// Each angle is rounded to f32 before its sine and cosine are taken, so that the cosine of a
    /// right angle is −4.37e-8 as in the reference, not 0.
    pub(super) fn from_half_turns([x, y, z]: [f64; 3]) -> Self {
        let ([sx, cx], [sy, cy], [sz, cz]) = (sin_cos(x), sin_cos(y), sin_cos(z));
        let about_x = Rotation([[1.0, 0.0, 0.0], [0.0, cx, -sx], [0.0, sx, cx]]);
        let about_y = Rotation([[cy, 0.0, sy], [0.0, 1.0, 0.0], [-sy, 0.0, cy]]);
        let about_z = Rotation([[cz, -sz, 0.0], [sz, cz, 0.0], [0.0, 0.0, 1.0]]);
        about_x.after(&about_y).after(&about_z)
    }

    /// The product `self · first`.
    fn after(&self, first: &Rotation) -> Rotation {
        let (a, b) = (&self.0, &first.0);
        Rotation(std::array::from_fn(|i| {
            std::array::from_fn(|j| (a[i][0] * b[0][j] + a[i][1] * b[1][j]) + a[i][2] * b[2][j])
        }))
    }

    /// `R p`, each product and sum rounded.
    #[inline(always)]
    pub(super) fn apply(&self, [x, y, z]: [f32; 3]) -> [f32; 3] {
        let r = &self.0;
        std::array::from_fn(|j| (x * r[j][0] + y * r[j][1]) + z * r[j][2])
    }
}

/// Sine and cosine of a multiple of π. Taken in f64 and rounded, they are those of the reference
/// on every platform.
fn sin_cos(half_turns: f64) -> [f32; 2] {
    let angle = f64::from((half_turns * std::f64::consts::PI) as f32);
    [angle.sin() as f32, angle.cos() as f32]
}

/// Up to [`BLOCK`] points, one array per axis. A short block is filled up with its first point.
pub(super) struct Block {
    pub(super) axes: [[f32; BLOCK]; 3],
    pub(super) len: usize,
}

impl Block {
    /// All of `points`, in order.
    pub(super) fn of(points: &[[f32; 3]]) -> Vec<Self> {
        points.chunks(BLOCK).map(Block::load).collect()
    }

    /// The next block of `points`, which are a chunk of at most [`BLOCK`] and not empty.
    fn load(points: &[[f32; 3]]) -> Self {
        debug_assert!(!points.is_empty() && points.len() <= BLOCK);
        let mut axes = [[0.0; BLOCK]; 3];
        let [x, y, z] = &mut axes;
        for (i, p) in points.iter().enumerate() {
            (x[i], y[i], z[i]) = (p[0], p[1], p[2]);
        }
        for i in points.len()..BLOCK {
            (x[i], y[i], z[i]) = (x[0], y[0], z[0]);
        }
        Block {
            axes,
            len: points.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden::Golden;
    use super::super::{v1, v2};
    use super::*;

    #[test]
    fn rotations_are_those_of_the_reference() {
        let cameras = Golden::open("cameras");
        let compare = |name: &str, views: &[[f64; 3]]| {
            let stored = cameras.f32(name);
            assert_eq!(stored.len(), views.len() * 9);
            for (&view, stored) in views.iter().zip(stored.chunks(9)) {
                let Rotation(ours) = Rotation::from_half_turns(view);
                for (k, &expected) in stored.iter().enumerate() {
                    // Stored for row vectors, that is transposed.
                    assert_eq!(ours[k % 3][k / 3], expected, "{name}");
                }
            }
        };
        compare("v1_zs.rot", &v1::ZERO_SHOT_VIEWS);
        compare("v1_fs.rot", &v1::FEW_SHOT_VIEWS);
        compare("v2.rot1", &v2::VIEWS.map(|[first, _]| first));
        compare("v2.rot2", &v2::VIEWS.map(|[_, second]| second));
    }

    #[test]
    fn a_right_angle_keeps_the_rounding_of_its_angle() {
        let Rotation(r) = Rotation::from_half_turns([0.0, 0.0, 0.5]);
        assert_eq!(r[0][0], -4.371_139e-8);
    }

    #[test]
    fn a_short_block_repeats_its_first_point() {
        let block = Block::load(&[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        assert_eq!(block.len, 2);
        assert_eq!(block.axes[1][..3], [2.0, 5.0, 2.0]);
    }
}
