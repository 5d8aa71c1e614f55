//! [`Plane`]: how much each pixel of a picture is looked at.

use crate::error::{Error, Result};

/// The most pixels that a picture or plane may have: 128 Mi.
pub(crate) const MAX_PIXELS: usize = 1 << 27;

/// One value in 0..=1 a pixel: 1 is looked at, 0 is not.
#[derive(Clone, Debug, PartialEq)]
pub struct Plane {
    width: usize,
    height: usize,
    values: Vec<f32>,
}

impl Plane {
    /// A plane of `width` x `height` pixels from its rows.
    ///
    /// # Errors
    /// [`Error::Input`] if the number of values is another, or a value is not in 0..=1.
    pub fn new(width: usize, height: usize, values: Vec<f32>) -> Result<Self> {
        check_size(width, height)?;
        if values.len() != width * height {
            return Err(Error::input(
                format!("{} values for a plane of {width}x{height}", values.len()),
                "give one value a pixel",
            ));
        }
        if let Some(value) = values.iter().find(|v| !(0. ..=1.).contains(*v)) {
            return Err(Error::input(
                format!("a plane with the value {value}"),
                "give values from 0 to 1",
            ));
        }
        Ok(Self {
            width,
            height,
            values,
        })
    }

    /// A plane that is `value` everywhere.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn filled(width: usize, height: usize, value: f32) -> Result<Self> {
        check_size(width, height)?;
        Self::new(width, height, vec![value; width * height])
    }

    /// A plane whose values are known to be right.
    pub(crate) fn trusted(width: usize, height: usize, values: Vec<f32>) -> Self {
        debug_assert_eq!(values.len(), width * height);
        Self {
            width,
            height,
            values,
        }
    }

    /// Pixels across.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Pixels down.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The values, row by row from the top.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The values, row by row from the top.
    pub fn into_values(self) -> Vec<f32> {
        self.values
    }

    /// Whether no pixel is looked at.
    pub fn is_empty(&self) -> bool {
        self.values.iter().all(|v| *v == 0.)
    }

    /// The mean of the values: the part of the picture that is looked at.
    pub fn mean(&self) -> f64 {
        self.values.iter().map(|v| f64::from(*v)).sum::<f64>() / self.values.len() as f64
    }

    /// The larger of the two values of each pixel. Both planes have one size.
    pub(crate) fn join(mut self, other: &Self) -> Self {
        for (value, other) in self.values.iter_mut().zip(&other.values) {
            *value = value.max(*other);
        }
        self
    }
}

/// Refuses sizes that no picture has.
pub(crate) fn check_size(width: usize, height: usize) -> Result<()> {
    match width.checked_mul(height) {
        Some(0) => Err(Error::input(
            format!("a size of {width}x{height} has no pixel"),
            "give a width and a height above 0",
        )),
        Some(pixels) if pixels <= MAX_PIXELS => Ok(()),
        _ => Err(Error::input(
            format!("a size of {width}x{height} is more than 128 megapixels"),
            "scale it down first",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_values_are_checked() {
        assert!(Plane::new(2, 2, vec![0., 0.5, 1., 1.]).is_ok());
        for (width, height, values) in [
            (2, 2, vec![0.; 3]),
            (0, 2, vec![]),
            (usize::MAX, 2, vec![]),
            (1, 1, vec![f32::NAN]),
            (1, 1, vec![1.5]),
            (1, 1, vec![-0.1]),
        ] {
            assert!(Plane::new(width, height, values).is_err());
        }
        assert!(Plane::filled(1 << 20, 1 << 20, 1.).is_err());
    }

    #[test]
    fn planes_are_joined_by_their_larger_values() {
        let a = Plane::new(2, 1, vec![0.2, 0.]).unwrap();
        let b = Plane::new(2, 1, vec![0.1, 0.5]).unwrap();
        let both = a.join(&b);
        assert_eq!(both.values(), [0.2, 0.5]);
        assert!((both.mean() - 0.35).abs() < 1e-6 && !both.is_empty());
    }
}
