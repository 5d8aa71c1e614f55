//! Gated linear units: half of a row times an activation of the other half.

use rayon::prelude::*;

use crate::activation::gelu_by;
use crate::instructions::Instructions;
use crate::kernel::{Kernel, Precision, run_on_floats};
use crate::rows::VALUES_PER_TASK;
use crate::simd::Floats;

/// The first half of each row of `x` [M, 2·width] times the GELU of the second half (Shazeer 2020),
/// to `to` [M, width], on the threads of the caller's rayon pool.
///
/// ```
/// let mut to = [0f32; 2];
/// kernels::geglu(&[3., 1., 2., -1.], 1, &mut to);
/// assert!((to[0] - 3. * kernels::gelu(1.)).abs() < 1e-6);
/// assert!((to[1] - 2. * kernels::gelu(-1.)).abs() < 1e-6);
/// ```
///
/// # Panics
/// If `x` is not twice as long as `to`, or they are not whole rows.
pub fn geglu(x: &[f32], width: usize, to: &mut [f32]) {
    assert!(width > 0 && to.len().is_multiple_of(width) && x.len() == 2 * to.len());
    let kernel = Kernel::new(Instructions::best(), Precision::F32);
    let values = (VALUES_PER_TASK / width).max(1) * width;
    to.par_chunks_mut(values)
        .zip(x.par_chunks(2 * values))
        .for_each(|(to, x)| {
            run_on_floats!(kernel, gate(x: &[f32] = x, width: usize = width, to: &mut [f32] = to));
        });
}

/// # Safety
/// As for [`Floats`].
#[inline(always)]
unsafe fn gate<V: Floats>(x: &[f32], width: usize, to: &mut [f32]) {
    for (to, x) in to.chunks_exact_mut(width).zip(x.chunks_exact(2 * width)) {
        let (value, gate) = x.split_at(width);
        for ((to, value), gate) in to.iter_mut().zip(value).zip(gate) {
            *to = value * gelu_by(*gate, V::multiply_add);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gelu;

    #[test]
    fn any_width() {
        for (rows, width) in [(1, 1), (3, 7), (5, 33), (9, 5_000)] {
            let value = |i: usize| (i * 37 % 101) as f32 / 20. - 2.5;
            let x: Vec<f32> = (0..2 * rows * width).map(value).collect();
            let mut to = vec![7f32; rows * width];
            geglu(&x, width, &mut to);
            for (i, to) in to.iter().enumerate() {
                let at = i / width * 2 * width + i % width;
                let wanted = x[at] * gelu(x[at + width]);
                assert!((to - wanted).abs() < 1e-6, "{to}, not {wanted}");
            }
        }
        geglu(&[], 3, &mut []);
    }
}
