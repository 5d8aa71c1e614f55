//! Where a product's left side comes from.

use std::ops::Range;

use crate::instructions::Instructions;
use crate::kernel::{Kernel, Precision, run_on};
use crate::lanes;
use crate::rows;
use crate::simd::Vector;

/// A matrix that is read in pieces of rows, and may be made as it is read.
pub trait Rows: Sync {
    /// Number of rows (M).
    fn count(&self) -> usize;

    /// Values of a row (K).
    fn width(&self) -> usize;

    /// Writes the values from `start` on of row `row`, as many as `to` has room for.
    fn copy(&self, row: usize, start: usize, to: &mut [f32]);

    /// These values of row `row`, where they lie in memory as they are.
    fn get(&self, _row: usize, _values: Range<usize>) -> Option<&[f32]> {
        None
    }
}

/// Rows that follow each other in memory.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    values: &'a [f32],
    width: usize,
}

impl<'a> Matrix<'a> {
    /// Rows of `width` values.
    ///
    /// # Panics
    /// If the values are not whole rows.
    pub fn new(values: &'a [f32], width: usize) -> Self {
        assert!(
            width > 0 && values.len().is_multiple_of(width),
            "{} values are not rows of {width}",
            values.len()
        );
        Self { values, width }
    }
}

impl Rows for Matrix<'_> {
    fn count(&self) -> usize {
        self.values.len() / self.width
    }

    fn width(&self) -> usize {
        self.width
    }

    #[inline]
    fn copy(&self, row: usize, start: usize, to: &mut [f32]) {
        to.copy_from_slice(&self.values[row * self.width + start..][..to.len()]);
    }

    #[inline]
    fn get(&self, row: usize, values: Range<usize>) -> Option<&[f32]> {
        Some(&self.values[row * self.width..][values])
    }
}

/// The LayerNorm of a matrix, made row by row as the matrix is packed.
#[derive(Clone, Copy, Debug)]
pub struct Normalised<'a> {
    rows: Matrix<'a>,
    weight: &'a [f32],
    bias: &'a [f32],
    eps: f32,
    kernel: Kernel,
}

impl<'a> Normalised<'a> {
    /// `rows` normalised with the parameters of a LayerNorm.
    ///
    /// # Panics
    /// If the parameters do not have the width of a row.
    pub fn new(rows: Matrix<'a>, weight: &'a [f32], bias: &'a [f32], eps: f32) -> Self {
        assert_eq!([weight.len(), bias.len()], [rows.width; 2]);
        Self {
            rows,
            weight,
            bias,
            eps,
            kernel: Kernel::new(Instructions::best(), Precision::F32),
        }
    }

    /// Writes all of it, on the threads of the caller's rayon pool.
    ///
    /// # Panics
    /// If `to` does not have as many values.
    pub fn write(&self, to: &mut [f32]) {
        assert_eq!(to.len(), self.rows.values.len());
        rows::for_each(to, self.rows.width, |i, row| self.copy(i, 0, row));
    }
}

impl Rows for Normalised<'_> {
    fn count(&self) -> usize {
        self.rows.count()
    }

    fn width(&self) -> usize {
        self.rows.width
    }

    fn copy(&self, row: usize, start: usize, to: &mut [f32]) {
        run_on!(
            self.kernel,
            normalise(rows: &Normalised<'_> = self, row: usize = row, start: usize = start, to: &mut [f32] = to)
        );
    }
}

/// The values from `start` on of a normalised row. The variance is of the differences to the mean.
///
/// # Safety
/// As for [`Vector`].
#[inline(always)]
unsafe fn normalise<V: Vector>(all: &Normalised<'_>, row: usize, start: usize, to: &mut [f32]) {
    let width = all.rows.width;
    let x = &all.rows.values[row * width..][..width];
    let mean = lanes::sum(x) / width as f32;
    let squares = lanes::running(x, 0., |sum, x| sum + (x - mean) * (x - mean));
    let variance = squares.iter().sum::<f32>() / width as f32;
    let inverse = 1. / (variance + all.eps).sqrt();
    let end = start + to.len();
    let (weight, bias) = (&all.weight[start..end], &all.bias[start..end]);
    for (((to, x), w), b) in to.iter_mut().zip(&x[start..end]).zip(weight).zip(bias) {
        *to = (x - mean) * inverse * w + b;
    }
}
