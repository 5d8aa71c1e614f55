//! Position tables of a vision tower at another resolution than they were trained for.

use candle_core::Tensor;

use crate::error::Result;
use crate::resize::{Filter, Taps, resize_tensor};

/// A table [1 + g·g, W] (class token first, then the grid row by row) for a grid of `side`: the
/// class token's row stays, the others are resampled bicubically with antialiasing, as open_clip
/// does it.
pub(crate) fn resized(table: &Tensor, side: usize) -> Result<Tensor> {
    let (rows, width) = table.dims2()?;
    let cells = rows.saturating_sub(1);
    let stored = cells.isqrt();
    if stored == side {
        return Ok(table.clone());
    }
    let grid = table
        .narrow(0, 1, cells)?
        .t()?
        .reshape((1, width, stored, stored))?;
    let taps = Taps::antialiased(Filter::Bicubic, stored, side, 0..side);
    let grid = resize_tensor(&grid, &taps, &taps)?;
    let grid = grid.reshape((width, side * side))?.t()?.contiguous()?;
    Ok(Tensor::cat(&[&table.narrow(0, 0, 1)?, &grid], 0)?)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    fn resized_grid(from: usize, to: usize) -> Vec<f32> {
        let mut values = vec![5f32];
        values.extend((0..from * from).map(|i| (i * 7 % 11) as f32));
        let table = Tensor::from_vec(values, (from * from + 1, 1), &Device::Cpu).unwrap();
        let table = resized(&table, to)
            .unwrap()
            .flatten_all()
            .unwrap()
            .to_vec1()
            .unwrap();
        assert_eq!(table[0], 5., "the class token's row stays");
        table[1..].to_vec()
    }

    #[test]
    fn grids_are_resampled_as_by_pytorch() {
        // interpolate(grid, size, mode="bicubic", antialias=True, align_corners=False)
        #[rustfmt::skip]
        let grown = [
            -1.34567, 2.1708, 7.07547, 4.82906, 2.77358, 3.31512, 4.83332, 6.69403, 4.23769,
            2.39214, 10.30189, 8.77612, 6.0, 3.22388, 1.69811, 10.13757, 8.40187, 5.30597, 2.5078,
            1.00408, 9.22641, 7.70065, 4.92453, 2.14841, 0.62264,
        ];
        let shrunk = [
            3.81467, 5.36379, 6.61041, 3.28594, 5.07866, 5.58519, 5.38746, 4.18032, 3.8587,
        ];
        for (made, expected) in [
            (resized_grid(3, 5), &grown[..]),
            (resized_grid(5, 3), &shrunk),
        ] {
            assert_eq!(made.len(), expected.len());
            assert!(
                made.iter().zip(expected).all(|(a, b)| (a - b).abs() < 2e-5),
                "{made:?}"
            );
        }
        assert_eq!(resized_grid(2, 2), [0., 7., 3., 10.]);
    }
}
