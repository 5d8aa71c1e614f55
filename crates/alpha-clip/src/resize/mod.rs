//! Resampling as Pillow and PyTorch do it.

mod eight_bit;
mod float;
mod taps;

pub(crate) use eight_bit::resize_8bit;
pub(crate) use float::{resize_planes, resize_tensor};
pub(crate) use taps::Taps;

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// A resampling kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// A triangle.
    Bilinear,
    /// Keys' cubic; a = -0.5, but -0.75 in PyTorch without antialiasing.
    Bicubic,
}

/// How pictures and planes are resampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resampling {
    /// As Pillow does it: the kernel widens when shrinking, 8-bit values, rounded after each of
    /// the two passes. Bit-exact.
    Pillow(Filter),
    /// As PyTorch does it on float tensors; bicubic values may leave the range of the input.
    Float {
        /// The kernel.
        filter: Filter,
        /// Whether it widens when shrinking.
        antialias: bool,
    },
}

impl Resampling {
    /// The kernel.
    pub fn filter(self) -> Filter {
        match self {
            Self::Pillow(filter) | Self::Float { filter, .. } => filter,
        }
    }

    /// Weights of the outputs `kept` of a resampling from `from` to `to` samples.
    pub(crate) fn taps(self, from: usize, to: usize, kept: Range<usize>) -> Taps {
        match self {
            Self::Float {
                filter,
                antialias: false,
            } => Taps::interpolating(filter, from, to, kept),
            _ => Taps::antialiased(self.filter(), from, to, kept),
        }
    }
}
