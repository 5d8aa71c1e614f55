//! [`PackedMatrix`]: the right side of a product.

use rayon::prelude::*;

use crate::aligned::Aligned;
use crate::instructions::Instructions;
use crate::kernel::{Kernel, Precision, run_on};
use crate::simd::{Vector, panel};

/// A matrix W [N, K] in the order in which the kernels read it: panels of rows, each along K, the
/// last one filled up with zeros. It takes 4 bytes a value in f32, 2 in bf16, 1.13 in int8.
pub struct PackedMatrix {
    data: Aligned,
    outputs: usize,
    inputs: usize,
    kernel: Kernel,
}

impl PackedMatrix {
    /// Packs N = `outputs` rows of K = `inputs` values for the best instructions of this CPU.
    /// `row(n, values)` writes row n.
    pub fn new(
        outputs: usize,
        inputs: usize,
        precision: Precision,
        row: impl Fn(usize, &mut [f32]) + Sync,
    ) -> Self {
        Self::for_instructions(Instructions::best(), outputs, inputs, precision, row)
    }

    /// As [`new`](Self::new), for these instructions, or for lesser ones if the CPU lacks them.
    pub fn for_instructions(
        instructions: Instructions,
        outputs: usize,
        inputs: usize,
        precision: Precision,
        row: impl Fn(usize, &mut [f32]) + Sync,
    ) -> Self {
        let kernel = Kernel::new(instructions, precision);
        let (width, unit, elements) = run_on!(kernel, shape() -> (usize, usize, usize));
        let values = inputs.next_multiple_of(unit);
        let depth = inputs.div_ceil(unit) * elements;
        let mut data = Aligned::zeros(outputs.div_ceil(width) * width * depth);
        data.as_mut_slice()
            .par_chunks_mut((width * depth).max(1))
            .enumerate()
            .for_each(|(index, panel)| {
                let rows = index * width..outputs.min((index + 1) * width);
                // Whole units: the values that the last one lacks are zero.
                let mut floats = vec![0f32; values];
                let mut elements = vec![0u32; depth];
                for (column, n) in rows.enumerate() {
                    row(n, &mut floats[..inputs]);
                    let (floats, elements) = (&floats[..], &mut elements[..]);
                    run_on!(kernel, pack(from: &[f32] = floats, to: &mut [u32] = elements));
                    for (line, element) in panel.chunks_exact_mut(width).zip(elements) {
                        line[column] = *element;
                    }
                }
            });
        Self {
            data,
            outputs,
            inputs,
            kernel,
        }
    }

    /// Packs rows of `inputs` values that follow each other.
    ///
    /// # Panics
    /// If the values are not whole rows.
    pub fn of_rows(weights: &[f32], inputs: usize, precision: Precision) -> Self {
        assert!(inputs > 0 && weights.len().is_multiple_of(inputs));
        Self::new(weights.len() / inputs, inputs, precision, |n, row| {
            row.copy_from_slice(&weights[n * inputs..][..inputs]);
        })
    }

    /// Rows of W, the width of a product (N).
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Values of a row of W (K).
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    pub(super) fn kernel(&self) -> Kernel {
        self.kernel
    }

    pub(super) fn elements(&self) -> &[u32] {
        self.data.as_slice()
    }
}

impl std::fmt::Debug for PackedMatrix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PackedMatrix")
            .field("outputs", &self.outputs)
            .field("inputs", &self.inputs)
            .field("kernel", &self.kernel)
            .finish_non_exhaustive()
    }
}

/// Columns of a panel, values of a unit, and the elements that it becomes.
///
/// # Safety
/// None is needed; it is unsafe for `run_on`.
#[inline(always)]
unsafe fn shape<V: Vector>() -> (usize, usize, usize) {
    (panel::<V>(), V::UNIT, V::PANEL_UNIT)
}

/// A row as elements.
///
/// # Safety
/// As for [`Vector`].
#[inline(always)]
unsafe fn pack<V: Vector>(from: &[f32], to: &mut [u32]) {
    assert_eq!(from.len() / V::UNIT * V::PANEL_UNIT, to.len());
    // SAFETY: there is room for every element, by the line above.
    unsafe { V::pack_weights(from, to.as_mut_ptr()) }
}
