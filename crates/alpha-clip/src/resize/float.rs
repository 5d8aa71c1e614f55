//! Resampling of float planes as PyTorch does it, on the host and as matrix products on any
//! device.

use candle_core::{Device, Tensor};
use rayon::prelude::*;

use super::Taps;

/// Resamples planes of `height` x `width` values, one after another: columns first, then rows.
pub(crate) fn resize_planes(
    values: &[f32],
    (height, width): (usize, usize),
    columns: &Taps,
    rows: &Taps,
) -> Vec<f32> {
    let needed = rows.inputs();
    let narrow = columns.len();
    let (columns, rows) = (single(columns), single(rows));
    let mut result = Vec::with_capacity(values.len() / (height * width) * narrow * rows.len());
    for plane in values.chunks_exact(height * width) {
        let mut middle = vec![0.; needed.len() * narrow];
        middle
            .par_chunks_exact_mut(narrow)
            .zip(plane.par_chunks_exact(width).skip(needed.start))
            .for_each(|(out, line)| {
                for (value, (first, weights)) in out.iter_mut().zip(&columns) {
                    *value = line
                        .iter()
                        .skip(*first)
                        .zip(weights)
                        .map(|(v, w)| v * w)
                        .sum();
                }
            });
        for (first, weights) in &rows {
            let start = result.len();
            result.resize(start + narrow, 0.);
            let lines = middle
                .chunks_exact(narrow)
                .skip(first.saturating_sub(needed.start));
            for (line, weight) in lines.zip(weights) {
                for (sum, value) in result[start..].iter_mut().zip(line) {
                    *sum += value * weight;
                }
            }
        }
    }
    result
}

fn single(taps: &Taps) -> Vec<(usize, Vec<f32>)> {
    taps.iter()
        .map(|(first, weights)| (first, weights.iter().map(|&w| w as f32).collect()))
        .collect()
}

/// The same for a tensor [V, C, H, W] on its device.
pub(crate) fn resize_tensor(
    planes: &Tensor,
    columns: &Taps,
    rows: &Taps,
) -> candle_core::Result<Tensor> {
    let (views, channels, height, width) = planes.dims4()?;
    let columns = dense(columns, width, planes.device())?.t()?;
    let rows = dense(rows, height, planes.device())?;
    let narrow = planes
        .reshape((views * channels * height, width))?
        .matmul(&columns)?;
    let (across, down) = (columns.dim(1)?, rows.dim(0)?);
    let narrow = narrow.reshape((views * channels, height, across))?;
    rows.broadcast_matmul(&narrow)?
        .reshape((views, channels, down, across))
}

/// The weights as a matrix [outputs, inputs].
fn dense(taps: &Taps, inputs: usize, device: &Device) -> candle_core::Result<Tensor> {
    let mut matrix = vec![0f32; taps.len() * inputs];
    for (row, (first, weights)) in matrix.chunks_exact_mut(inputs).zip(taps.iter()) {
        for (value, weight) in row.iter_mut().skip(first).zip(weights) {
            *value = *weight as f32;
        }
    }
    Tensor::from_vec(matrix, (taps.len(), inputs), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resize::Filter;

    #[test]
    fn the_tensor_path_equals_the_host_path() {
        let values: Vec<f32> = (0..2 * 3 * 13 * 29)
            .map(|i| (i * 37 % 101) as f32 / 101.)
            .collect();
        let tensor = Tensor::from_slice(&values, (2, 3, 13, 29), &Device::Cpu).unwrap();
        for filter in [Filter::Bilinear, Filter::Bicubic] {
            let columns = Taps::antialiased(filter, 29, 11, 2..9);
            let rows = Taps::interpolating(filter, 13, 20, 1..20);
            let host = resize_planes(&values, (13, 29), &columns, &rows);
            let device = resize_tensor(&tensor, &columns, &rows).unwrap();
            assert_eq!(device.dims(), [2, 3, 19, 7]);
            let device = device.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            assert_eq!(host.len(), device.len());
            assert!(host.iter().zip(&device).all(|(a, b)| (a - b).abs() < 1e-6));
        }
    }
}
