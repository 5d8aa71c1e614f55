//! `vae/config.json`.

use checkpoint::Checkpoint;
use serde_json::Value;

use crate::error::Result;
use crate::json::Object;
use crate::names::{LDM_VAE, Names};

/// Shape of the autoencoder of Stable Diffusion.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct VaeConfig {
    /// Width of each resolution, the finest first.
    pub widths: Vec<usize>,
    /// Resnets of an encoder block; a decoder block has one more.
    pub layers: usize,
    /// Channels of the latents.
    pub latent_channels: usize,
    /// Groups of a group normalisation.
    pub groups: usize,
    /// What the autoencoder's latents are multiplied by for the UNet.
    pub scaling_factor: f64,
    /// Whether there is a 1×1 convolution behind the encoder.
    pub quant_conv: bool,
    /// Whether there is a 1×1 convolution before the decoder.
    pub post_quant_conv: bool,
}

const MOST_BLOCKS: usize = 8;
const WIDEST: usize = 16_384;

impl VaeConfig {
    /// The autoencoder of Stable Diffusion 1.x: 83 653 863 parameters.
    pub fn stable_diffusion_1() -> Self {
        Self {
            widths: vec![128, 256, 512, 512],
            layers: 2,
            latent_channels: 4,
            groups: 32,
            scaling_factor: 0.18215,
            quant_conv: true,
            post_quant_conv: true,
        }
    }

    /// Reads `config.json`, keys that are missing with the defaults of diffusers; `file` stands
    /// for it in messages.
    ///
    /// # Errors
    /// [`Error::Pipeline`](crate::Error::Pipeline) for autoencoders of another kind.
    pub fn from_json(config: &Value, file: &str) -> Result<Self> {
        let json = Object::new(config, file)?;
        refuse_other_kinds(&json)?;
        let widths = json.counts("block_out_channels")?.unwrap_or(vec![64]);
        let fits = |width: &usize| (1..=WIDEST).contains(width);
        if !(1..=MOST_BLOCKS).contains(&widths.len()) || !widths.iter().all(fits) {
            return Err(json.wrong(
                format!("block_out_channels = {widths:?} cannot be"),
                "download the configuration again",
            ));
        }
        let scaling_factor = json.number("scaling_factor")?.unwrap_or(0.18215);
        if scaling_factor <= 0. {
            return Err(json.wrong(
                format!("scaling_factor = {scaling_factor} cannot be"),
                "download the configuration again",
            ));
        }
        Ok(Self {
            widths,
            layers: json.count("layers_per_block")?.unwrap_or(1),
            latent_channels: json.count("latent_channels")?.unwrap_or(4),
            groups: json.count("norm_num_groups")?.unwrap_or(32),
            scaling_factor,
            quant_conv: json.flag("use_quant_conv")?.unwrap_or(true),
            post_quant_conv: json.flag("use_post_quant_conv")?.unwrap_or(true),
        })
    }

    /// Reads the widths off the shapes of a single file. What shapes do not tell is as in Stable
    /// Diffusion 1.x: 32 groups, a scaling factor of 0.18215.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json).
    pub fn from_single_file(file: &Checkpoint) -> Result<Self> {
        let mut widths = Vec::new();
        for block in 0..MOST_BLOCKS {
            let name = format!("{LDM_VAE}encoder.down.{block}.block.0.norm2.weight");
            let Some(&[width]) = file.info(&name).map(|info| info.shape.as_slice()) else {
                break;
            };
            widths.push(width);
        }
        let config = serde_json::json!({"block_out_channels": widths, "layers_per_block": 2});
        Self::from_json(&config, file.name())
    }

    /// Pixels on a side of one latent position: 8 for four blocks.
    pub fn factor(&self) -> usize {
        1 << (self.widths.len() - 1)
    }

    /// How a single file names the tensors of this autoencoder.
    pub(crate) fn ldm_names(&self) -> Names {
        Names::LdmVae {
            blocks: self.widths.len(),
        }
    }
}

fn refuse_other_kinds(json: &Object<'_>) -> Result<()> {
    const REMEDY: &str = "give the VAE of a Stable Diffusion 1.x pipeline";
    let refuse = |what: String| Err(json.wrong(what, REMEDY));
    if let Some(class) = json.text("_class_name")?
        && class != "AutoencoderKL"
    {
        return refuse(format!("this is a {class}, not an AutoencoderKL"));
    }
    for (key, kind) in [
        ("down_block_types", "DownEncoderBlock2D"),
        ("up_block_types", "UpDecoderBlock2D"),
    ] {
        let types = json.texts(key)?.unwrap_or_default();
        if let Some(other) = types.iter().find(|name| **name != kind) {
            return refuse(format!("this VAE has blocks of type {other:?}"));
        }
    }
    for key in ["latents_mean", "latents_std", "shift_factor"] {
        if json
            .get(key)
            .is_some_and(|value| value.as_f64() != Some(0.))
        {
            return refuse(format!("this VAE normalises its latents ({key})"));
        }
    }
    if json.flag("mid_block_add_attention")? == Some(false) {
        return refuse("this VAE has no attention in its middle block".into());
    }
    for key in ["in_channels", "out_channels"] {
        if let Some(n) = json.count(key)?.filter(|&n| n != 3) {
            return refuse(format!("this VAE has {n} {key}, not 3"));
        }
    }
    if let Some(n) = json.count("latent_channels")?.filter(|&n| n != 4) {
        return refuse(format!("this VAE has {n} latent channels, not 4"));
    }
    if let Some(other) = json
        .text("act_fn")?
        .filter(|name| !matches!(*name, "silu" | "swish"))
    {
        return refuse(format!("this VAE has the activation {other:?}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn other_autoencoders_are_named() {
        let said = |config: Value| {
            VaeConfig::from_json(&config, "vae")
                .unwrap_err()
                .to_string()
        };
        assert!(said(json!({"_class_name": "AutoencoderTiny"})).contains("AutoencoderTiny"));
        assert!(said(json!({"latent_channels": 16})).contains("16 latent channels"));
        assert!(said(json!({"shift_factor": 0.1159})).contains("shift_factor"));
        assert!(said(json!({"scaling_factor": -1})).contains("scaling_factor"));
        assert!(said(json!({"block_out_channels": [1000000]})).contains("cannot be"));
        let short = json!({"block_out_channels": [128, 256, 512, 512]});
        let config = VaeConfig::from_json(&short, "vae").unwrap();
        assert_eq!((config.factor(), config.scaling_factor), (8, 0.18215));
        assert!(config.quant_conv && config.post_quant_conv);
    }
}
