//! [`VisionTower`]: views to features.

use candle_core::{DType, Device, Tensor};
use kernels::rows::in_pool;

use crate::attention_bias::AttentionBias;
use crate::config::{VisionConfig, VisionKind};
use crate::cpu;
use crate::error::{Error, Result};
use crate::resnet::ModifiedResNet;
use crate::source::Weights;
use crate::views::VisionInput;
use crate::vit::VisionTransformer;

/// What [`VisionTower::forward`] is asked for beyond the features.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taps {
    /// Attention maps.
    pub attention: AttentionTap,
    /// The tokens after the input stage and after each block.
    pub hidden: bool,
    /// Every token in the space of the feature.
    pub tokens: bool,
}

/// Which attention maps are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AttentionTap {
    /// None.
    #[default]
    None,
    /// That of the last block.
    Last,
    /// Those of all blocks.
    All,
}

/// Options of [`VisionTower::forward`].
#[derive(Clone, Debug, Default)]
pub struct VisionOptions {
    /// Added to the attention logits.
    pub bias: Option<AttentionBias>,
    /// What to hand out beside the features.
    pub taps: Taps,
}

/// What a vision tower gives for B pictures. N is the number of tokens: the class token, then
/// G×G patches row by row from the top left.
#[derive(Clone, Debug)]
pub struct VisionOutput {
    /// Features [B, E], not normalised.
    pub features: Tensor,
    /// Attention after the softmax [B, H, N, N], in the order of the blocks. For a ResNet the one
    /// map of the attention pool, [B, H, 1, N].
    pub attention: Vec<Tensor>,
    /// Tokens [B, N, W]: before the first block (after `ln_pre`), then after each block. For a
    /// ResNet the maps [B, C, h, w] after the stem and after each of the four stages.
    pub hidden: Vec<Tensor>,
    /// Tokens through `ln_post` and the projection [B, N, E]; row 0 is the feature.
    pub tokens: Option<Tensor>,
}

/// The vision tower of a CLIP or an Alpha-CLIP.
pub struct VisionTower {
    config: VisionConfig,
    body: Body,
    dtype: DType,
    int8: bool,
    device: Device,
}

enum Body {
    // The packed ones run over the kernels of the CPU.
    PackedTransformer(cpu::VisionTransformer),
    PackedResNet(Box<cpu::ModifiedResNet>),
    Transformer(VisionTransformer),
    ResNet(ModifiedResNet),
}

impl VisionTower {
    /// Loads the tensors below `weights` as `config` says. `stored` is the configuration as the
    /// file has it; it differs in the image size where the position table is to be interpolated.
    pub(crate) fn build(
        weights: &Weights<'_>,
        stored: &VisionConfig,
        config: VisionConfig,
    ) -> Result<Self> {
        let body = match &config.kind {
            VisionKind::Transformer { patch, blocks } => {
                let grid = stored.grid();
                match cpu::precision(weights.dtype(), weights.device()) {
                    Some(precision) => Body::PackedTransformer(cpu::VisionTransformer::load(
                        weights, grid, &config, *patch, blocks, precision,
                    )?),
                    None => Body::Transformer(VisionTransformer::load(
                        weights, grid, &config, *patch, blocks,
                    )?),
                }
            }
            VisionKind::ResNet {
                width,
                layers,
                heads,
            } => {
                let (grid, shape) = (stored.grid(), (*width, *layers, *heads));
                match cpu::precision(weights.dtype(), weights.device()) {
                    Some(precision) => Body::PackedResNet(Box::new(cpu::ModifiedResNet::load(
                        weights, grid, &config, shape, precision,
                    )?)),
                    None => Body::ResNet(ModifiedResNet::load(weights, grid, &config, shape)?),
                }
            }
        };
        let int8 = match &config.kind {
            VisionKind::Transformer { blocks, .. } => cpu::int8(weights, blocks),
            VisionKind::ResNet { .. } => false,
        };
        let (dtype, device) = (weights.dtype(), weights.device().clone());
        Ok(Self {
            config,
            body,
            dtype,
            int8,
            device,
        })
    }

    /// Its architecture.
    pub fn config(&self) -> &VisionConfig {
        &self.config
    }

    /// The type that it computes in and that its features have.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Whether its blocks multiply in int8, as [`LoadOptions`](crate::LoadOptions) asked.
    pub fn int8(&self) -> bool {
        self.int8
    }

    /// The device that it computes on.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Features [B, E] of B pictures, not normalised.
    ///
    /// A tower with an alpha convolution takes a missing alpha plane for the whole picture (alpha
    /// 1); a tower without one does not look at the plane.
    ///
    /// # Errors
    /// [`Error::Input`] if the input does not have the shape that the tower takes.
    pub fn encode(&self, input: &VisionInput) -> Result<Tensor> {
        Ok(self.forward(input, &VisionOptions::default())?.features)
    }

    /// Features, and whatever else `options` ask for, with their attention bias.
    ///
    /// # Errors
    /// As [`encode`](Self::encode), and if the bias does not fit the tower.
    pub fn forward(&self, input: &VisionInput, options: &VisionOptions) -> Result<VisionOutput> {
        let pixels = self.checked(&input.pixels, 3)?;
        let items = pixels.dim(0)?;
        let alpha = match &input.alpha {
            _ if !self.config.alpha => None,
            Some(plane) => {
                let plane = self.checked(plane, 1)?;
                let side = self.config.image_size;
                match plane.dim(0)? {
                    1 => Some(plane.broadcast_as((items, 1, side, side))?),
                    n if n == items => Some(plane),
                    n => {
                        return Err(Error::input(
                            format!("there are {n} alpha planes for {items} pictures"),
                            "give one plane for each picture, or one for all",
                        ));
                    }
                }
            }
            None => {
                let side = self.config.image_size;
                let whole = Tensor::new(WHOLE as f32, &self.device)?.to_dtype(self.input_type())?;
                Some(whole.broadcast_as((items, 1, side, side))?)
            }
        };
        let (pixels, alpha) = (&pixels, alpha.as_ref());
        match &self.body {
            Body::PackedTransformer(tower) => in_pool(|| tower.forward(pixels, alpha, options)),
            Body::PackedResNet(tower) => in_pool(|| tower.forward(pixels, alpha, options)),
            Body::Transformer(tower) => tower.forward(pixels, alpha, options),
            Body::ResNet(tower) => tower.forward(pixels, alpha, options),
        }
    }

    fn checked(&self, x: &Tensor, channels: usize) -> Result<Tensor> {
        let side = self.config.image_size;
        let what = if channels == 3 {
            "pixels"
        } else {
            "alpha planes"
        };
        match *x.dims() {
            [items, c, h, w] if items > 0 && (c, h, w) == (channels, side, side) => {}
            _ => {
                return Err(Error::input(
                    format!("the {what} have shape {:?}", x.dims()),
                    format!("the tower takes [B, {channels}, {side}, {side}] with B > 0"),
                ));
            }
        }
        Ok(x.to_device(&self.device)?.to_dtype(self.input_type())?)
    }

    /// The type in which the body takes pixels.
    fn input_type(&self) -> DType {
        match self.body {
            Body::PackedTransformer(_) | Body::PackedResNet(_) => DType::F32,
            Body::Transformer(_) | Body::ResNet(_) => self.dtype,
        }
    }
}

/// The normalised alpha plane of a whole picture, (1 - 0.5) / 0.26.
const WHOLE: f64 = 0.5 / 0.26;

impl std::fmt::Debug for VisionTower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VisionTower")
            .field("config", &self.config)
            .field("dtype", &self.dtype)
            .field("device", &self.device.location())
            .finish_non_exhaustive()
    }
}
