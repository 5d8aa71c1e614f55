//! Keeps single precision fine enough for things far from the origin.

/// Whole units that are subtracted from every point of a shape.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Origin([f64; 3]);

impl Origin {
    /// Distance along an axis from which on points are moved: single precision steps by 1/128 here.
    const FAR: f64 = 65_536.0;

    /// The origin for a shape whose first point is `first`.
    pub(super) fn near(first: [f64; 3]) -> Self {
        // A point beyond single precision is refused later, with its place.
        let far = Self::FAR..f64::from(f32::MAX);
        Origin(first.map(|v| {
            if far.contains(&v.abs()) {
                v.round()
            } else {
                0.0
            }
        }))
    }

    /// `point`, seen from here, in single precision.
    #[inline]
    pub(super) fn place(&self, point: [f64; 3]) -> [f32; 3] {
        let [x, y, z] = point;
        let Origin([ox, oy, oz]) = self;
        [(x - ox) as f32, (y - oy) as f32, (z - oz) as f32]
    }

    /// Coordinate `value` along `axis`, seen from here, in single precision.
    #[inline]
    pub(super) fn along(&self, axis: usize) -> f64 {
        self.0.get(axis).copied().unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_survey_keeps_its_centimetres() {
        let origin = Origin::near([500_123.25, 12.5, -5_400_000.75]);
        assert_eq!(
            origin.place([500_123.26, 12.51, -5_400_001.0]),
            [0.26, 12.51, 0.0]
        );
    }

    #[test]
    fn near_things_stay_where_they_are() {
        let origin = Origin::near([-65_535.0, 0.0, f64::NAN]);
        assert_eq!(origin, Origin::default());
    }
}
