//! Products x·Wᵀ with a matrix W that was packed once.
//!
//! W [N, K] is cut into panels of as many rows as the widest tile has columns, each stored along K
//! ([`PackedMatrix`]). A block of rows of x small enough for the second-level cache is packed into
//! tiles, by whichever thread works on it, and every tile meets every panel; a tile's sums stay in
//! registers over up to a thousand elements of K. What follows the product — bias, activation, the
//! residual — is applied as a tile is written.

mod packed;
mod rows;
mod task;
mod tile;

use std::cell::Cell;
use std::thread::LocalKey;

pub use packed::PackedMatrix;
pub use rows::{Matrix, Normalised, Rows};

use crate::activation::Activation;
use crate::aligned::Aligned;

pub(crate) use tile::{floats, pack_rows, staging, tile, tile_of_floats, tile_of_integers};

/// What happens to a product before it is written: y ← activation(x·Wᵀ + bias), or, to `add` to
/// what `y` holds, y ← activation(y + x·Wᵀ + bias).
#[derive(Clone, Copy, Debug, Default)]
pub struct Epilogue<'a> {
    /// `[N]`.
    pub bias: Option<&'a [f32]>,
    /// Whether the product is added to what is there.
    pub add: bool,
    /// The last step.
    pub activation: Activation,
}

/// y [M, N] from x [M, K] and W [N, K], on the threads of the caller's rayon pool.
///
/// ```
/// use kernels::gemm::{Epilogue, Matrix, PackedMatrix, multiply};
/// use kernels::Precision;
///
/// let weights = [1f32, 0., 0., 0., 2., 0.];
/// let weights = PackedMatrix::of_rows(&weights, 3, Precision::F32);
/// let mut y = [0f32; 4];
/// let bias = Some(&[10f32, 20.][..]);
/// let x = Matrix::new(&[1f32, 2., 3., 4., 5., 6.], 3);
/// multiply(&x, &weights, Epilogue { bias, ..Epilogue::default() }, &mut y);
/// assert_eq!(y, [11., 24., 14., 30.]);
/// ```
///
/// # Panics
/// If x, the bias or y does not have the shape that W asks for.
pub fn multiply(x: &impl Rows, weights: &PackedMatrix, epilogue: Epilogue<'_>, y: &mut [f32]) {
    let rows = x.count();
    assert_eq!(x.width(), weights.inputs(), "x has rows of the width of W");
    assert_eq!(y.len(), rows * weights.outputs(), "y is [M, N]");
    if let Some(bias) = epilogue.bias {
        assert_eq!(bias.len(), weights.outputs(), "the bias is [N]");
    }
    task::spread((x, rows), weights, epilogue, y);
}

thread_local! {
    /// What a thread packs into, kept from product to product.
    pub(crate) static SCRATCH: Cell<Aligned> = Cell::default();
    /// Where the threads pack what they share of a product that this thread has begun.
    static SHARED: Cell<Aligned> = Cell::default();
}

/// A thread's memory for packing, borrowed. It is a value and not a call around a closure, so that
/// what is done with it is compiled for the instructions of the function that borrows.
pub(crate) struct Scratch {
    memory: Aligned,
    home: &'static LocalKey<Cell<Aligned>>,
}

impl Scratch {
    /// At least so many elements, of any content.
    pub(crate) fn of(home: &'static LocalKey<Cell<Aligned>>, elements: usize) -> Self {
        let mut memory = home.take();
        memory.grow(elements);
        Self { memory, home }
    }

    pub(crate) fn elements(&mut self) -> &mut [u32] {
        self.memory.as_mut_slice()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.home.set(std::mem::take(&mut self.memory));
    }
}

#[cfg(test)]
mod tests;
