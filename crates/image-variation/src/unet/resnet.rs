//! The convolutional blocks that the UNet and the VAE share.

use candle_core::Tensor;

use crate::error::Result;
use crate::ops::{Conv2d, FeatureMap, GroupNorm, Linear, Padding, Then};
use crate::weights::Weights;

/// How a network normalises.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Norm {
    pub(crate) groups: usize,
    pub(crate) eps: f64,
}

/// Two convolutions, each behind a group normalisation and SiLU, and the input added; the
/// timestep's embedding comes in between.
#[derive(Debug)]
pub(crate) struct ResnetBlock {
    norm1: GroupNorm,
    conv1: Conv2d,
    time: Option<Linear>,
    norm2: GroupNorm,
    conv2: Conv2d,
    /// Where the widths differ.
    shortcut: Option<Conv2d>,
}

impl ResnetBlock {
    /// `time_width` is the width of the timestep's embedding, if there is one.
    pub(crate) fn load(
        weights: &Weights<'_>,
        [inputs, outputs]: [usize; 2],
        norm: Norm,
        time_width: Option<usize>,
    ) -> Result<Self> {
        let conv =
            |name, inputs, kernel| weights.conv(name, [inputs, outputs], kernel, 1, Padding::Same);
        let time = time_width.map(|width| weights.linear("time_emb_proj", [width, outputs]));
        let shortcut = (inputs != outputs).then(|| conv("conv_shortcut", inputs, 1));
        Ok(Self {
            norm1: weights.group_norm("norm1", inputs, norm.groups, norm.eps)?,
            conv1: conv("conv1", inputs, 3)?,
            time: time.transpose()?,
            norm2: weights.group_norm("norm2", outputs, norm.groups, norm.eps)?,
            conv2: conv("conv2", outputs, 3)?,
            shortcut: shortcut.transpose()?,
        })
    }

    /// `time` [B, width] is the embedding behind its SiLU.
    pub(crate) fn forward(&self, x: &FeatureMap, time: Option<&Tensor>) -> Result<FeatureMap> {
        let h = self.norm1.forward(x, Then::Silu)?;
        let h = match (&self.time, time) {
            (Some(layer), Some(time)) => self.conv1.forward_shifted(&h, &layer.forward(time)?)?,
            _ => self.conv1.forward(&h)?,
        };
        let h = self.norm2.forward(&h, Then::Silu)?;
        match &self.shortcut {
            Some(conv) => self.conv2.forward_add(&h, &conv.forward(x)?),
            None => self.conv2.forward_add(&h, x),
        }
    }
}
