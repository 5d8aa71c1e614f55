//! Text towers with random weights, for measurements.

use crate::config::TextConfig;
use crate::error::Result;
use crate::model::LoadOptions;
use crate::source::Weights;
use crate::text::TextTower;

impl TextTower {
    /// A tower of this architecture with random weights, for measurements; of the options, device
    /// and arithmetic count.
    ///
    /// # Errors
    /// [`Error::Tensor`](crate::Error::Tensor) if the device has no room.
    pub fn random(config: &TextConfig, options: &LoadOptions) -> Result<Self> {
        Self::load(&Weights::noise(options), config.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Activation, TextPooling, TransformerConfig};
    use candle_core::{Device, Tensor};

    #[test]
    fn a_random_tower_encodes() {
        let blocks = TransformerConfig {
            width: 64,
            layers: 2,
            heads: 1,
            mlp_width: 128,
            activation: Activation::QuickGelu,
            layer_norm_eps: 1e-5,
        };
        let config = TextConfig {
            vocabulary: 10,
            context: 8,
            embed_dim: 16,
            pooling: TextPooling::LargestId,
            blocks,
        };
        let tower = TextTower::random(&config, &LoadOptions::default()).unwrap();
        let ids = Tensor::new(&[[8u32, 3, 9, 0], [8, 9, 0, 0]], &Device::Cpu).unwrap();
        assert_eq!(tower.encode(&ids).unwrap().dims(), [2, 16]);
    }
}
