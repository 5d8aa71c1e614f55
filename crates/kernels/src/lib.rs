//! What the CPU operations of the towers and of diffusion are built from: rows of candle tensors
//! spread over threads, and functions of a row that the compiler turns into vector code.
//!
//! ```
//! use kernels::{lanes, rows};
//!
//! // The softmax of two rows, in place.
//! let mut data = [0f32, 1., 2., 5., 5., 5.];
//! rows::for_each(&mut data, 3, |_, row| {
//!     let largest = lanes::largest(row);
//!     row.iter_mut().for_each(|x| *x = lanes::exp(*x - largest));
//!     let sum = lanes::sum(row);
//!     row.iter_mut().for_each(|x| *x /= sum);
//! });
//! assert!((data[2] - 0.665_240_96).abs() < 1e-6 && (data[5] - 1. / 3.).abs() < 1e-6);
//! ```

mod activation;
mod aligned;
pub mod attention;
mod gated;
pub mod gemm;
mod group_norm;
mod instructions;
mod kernel;
pub mod lanes;
pub mod rows;
mod simd;

pub use activation::{Activation, gelu, quick_gelu, silu};
pub use gated::geglu;
pub use group_norm::GroupNorm;
pub use instructions::Instructions;
pub use kernel::Precision;
