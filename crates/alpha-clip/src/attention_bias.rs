//! [`AttentionBias`]: what is added to attention logits.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor};

use crate::error::{Error, Result};

/// Values added to the attention logits of chosen blocks: attention =
/// softmax(q·kᵀ/√d + bias)·v.
///
/// A block's bias is f32 and broadcasts to [B, H, N, N] (pictures, heads, query tokens, key
/// tokens; token 0 is the class token): give an axis length 1 where all pictures, heads or queries
/// share it.
///
/// ```
/// use alpha_clip::AttentionBias;
/// use candle_core::{DType, Device, Tensor};
///
/// // Block 11 of a ViT-B/16, all pictures; every head may have its own bias.
/// let bias = Tensor::zeros((1, 12, 197, 197), DType::F32, &Device::Cpu)?;
/// let bias = AttentionBias::new().with_block(11, bias);
/// assert!(bias.block(11).is_some() && bias.block(10).is_none());
/// # Ok::<(), candle_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct AttentionBias {
    blocks: BTreeMap<usize, Tensor>,
}

impl AttentionBias {
    /// No bias anywhere.
    pub fn new() -> Self {
        Self::default()
    }

    /// With this bias in block `index` (from 0) in place of what was there.
    #[must_use]
    pub fn with_block(mut self, index: usize, bias: Tensor) -> Self {
        self.blocks.insert(index, bias);
        self
    }

    /// With the same bias in every block of `blocks`.
    #[must_use]
    pub fn with_blocks(self, blocks: impl IntoIterator<Item = usize>, bias: &Tensor) -> Self {
        blocks
            .into_iter()
            .fold(self, |all, index| all.with_block(index, bias.clone()))
    }

    /// The bias of one block.
    pub fn block(&self, index: usize) -> Option<&Tensor> {
        self.blocks.get(&index)
    }

    /// Whether no block has one.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Checks the whole against a tower and moves it to its device.
    pub(crate) fn fitted(
        &self,
        layers: usize,
        attention: [usize; 4],
        device: &Device,
    ) -> Result<Self> {
        let mut blocks = BTreeMap::new();
        for (&index, bias) in &self.blocks {
            if index >= layers {
                return Err(Error::input(
                    format!("the attention bias is for block {index} of a tower of {layers}"),
                    "count the blocks from 0",
                ));
            }
            let shape = bias.dims();
            let fits =
                shape.len() == 4 && shape.iter().zip(attention).all(|(&s, a)| s == 1 || s == a);
            if !fits {
                return Err(Error::input(
                    format!("the attention bias of block {index} has shape {shape:?}"),
                    format!("give one that broadcasts to {attention:?}"),
                ));
            }
            blocks.insert(
                index,
                bias.to_device(device)?.to_dtype(DType::F32)?.contiguous()?,
            );
        }
        Ok(Self { blocks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bias_that_does_not_fit_is_refused() {
        let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
        let fit = |index, shape: &[usize]| {
            let bias = AttentionBias::new().with_block(index, zeros(shape));
            bias.fitted(3, [2, 4, 17, 17], &Device::Cpu)
                .map(|_| ())
                .map_err(|e| e.to_string())
        };
        assert_eq!(fit(2, &[1, 4, 17, 17]), Ok(()));
        assert_eq!(fit(0, &[2, 1, 1, 17]), Ok(()));
        assert!(
            fit(3, &[1, 1, 17, 17])
                .unwrap_err()
                .contains("block 3 of a tower of 3")
        );
        assert!(
            fit(0, &[3, 1, 17, 17])
                .unwrap_err()
                .contains("[3, 1, 17, 17]")
        );
        assert!(fit(0, &[17, 17]).is_err());
    }
}
