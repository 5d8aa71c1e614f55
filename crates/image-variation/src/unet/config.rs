//! `unet/config.json`.

use checkpoint::Checkpoint;
use serde_json::Value;

use crate::error::Result;
use crate::json::Object;
use crate::names::{LDM_UNET, Names};

/// Shape of a UNet of the Stable Diffusion 1.x and 2.x kind.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct UnetConfig {
    /// Side of the latents that it was trained on.
    pub sample_size: usize,
    /// Channels of the latents.
    pub channels: usize,
    /// Width of each resolution, the finest first.
    pub widths: Vec<usize>,
    /// Whether each of them has attention.
    pub attention: Vec<bool>,
    /// Attention heads of each.
    pub heads: Vec<usize>,
    /// Resnets of a down block; an up block has one more.
    pub layers: usize,
    /// Width of a context token.
    pub context_width: usize,
    /// Groups of a group normalisation.
    pub groups: usize,
    /// Epsilon of the resnets' group normalisations.
    pub norm_eps: f64,
    /// Order of the timestep embedding: cosines before sines.
    pub flip_sin_to_cos: bool,
    /// Shift in the frequencies of the timestep embedding.
    pub freq_shift: f64,
    /// Input and output projections of attention are linear layers, not 1×1 convolutions.
    pub linear_projection: bool,
}

/// No Stable Diffusion has more.
const MOST_BLOCKS: usize = 8;
const WIDEST: usize = 16_384;

impl UnetConfig {
    /// The UNet of Stable Diffusion 1.x: 859 520 964 parameters.
    pub fn stable_diffusion_1() -> Self {
        Self {
            sample_size: 64,
            channels: 4,
            widths: vec![320, 640, 1280, 1280],
            attention: vec![true, true, true, false],
            heads: vec![8; 4],
            layers: 2,
            context_width: 768,
            groups: 32,
            norm_eps: 1e-5,
            flip_sin_to_cos: true,
            freq_shift: 0.,
            linear_projection: false,
        }
    }

    /// Reads `config.json`, keys that are missing with the defaults of diffusers; `file` stands
    /// for it in messages.
    ///
    /// # Errors
    /// [`Error::Pipeline`](crate::Error::Pipeline) for UNets of another kind (SDXL, inpainting, …),
    /// which it names.
    pub fn from_json(config: &Value, file: &str) -> Result<Self> {
        let json = Object::new(config, file)?;
        refuse_other_kinds(&json)?;
        let widths = json
            .counts("block_out_channels")?
            .unwrap_or(vec![320, 640, 1280, 1280]);
        let blocks = widths.len();
        if !(1..=MOST_BLOCKS).contains(&blocks) || widths.iter().any(|w| !(1..=WIDEST).contains(w))
        {
            return Err(json.wrong(
                format!("block_out_channels = {widths:?} cannot be"),
                "download the configuration again",
            ));
        }
        let default = || {
            let mut names = vec!["CrossAttnDownBlock2D"; blocks];
            names[blocks - 1] = "DownBlock2D";
            names
        };
        let down = json.texts("down_block_types")?.unwrap_or_else(default);
        let attention = kinds(&json, &down, "CrossAttnDownBlock2D", "DownBlock2D")?;
        let mirrored: Vec<bool> = attention.iter().rev().copied().collect();
        if let Some(up) = json.texts("up_block_types")?
            && kinds(&json, &up, "CrossAttnUpBlock2D", "UpBlock2D")? != mirrored
        {
            return Err(unlike_sd(
                &json,
                "up_block_types does not mirror down_block_types",
            ));
        }
        if attention.len() != blocks {
            return Err(json.wrong(
                format!(
                    "there are {} block types for {blocks} widths",
                    attention.len()
                ),
                "download the configuration again",
            ));
        }
        // The key's name is wrong in diffusers: it is the number of heads.
        let heads = match json.get("attention_head_dim") {
            Some(Value::Array(_)) => json.counts("attention_head_dim")?.unwrap_or_default(),
            _ => vec![json.count("attention_head_dim")?.unwrap_or(8); blocks],
        };
        let fits = |(width, heads): (&usize, &usize)| *heads > 0 && width.is_multiple_of(*heads);
        if heads.len() != blocks || !widths.iter().zip(&heads).all(fits) {
            return Err(json.wrong(
                format!("{heads:?} attention heads do not divide the widths {widths:?}"),
                "download the configuration again",
            ));
        }
        let channels = json.count("in_channels")?.unwrap_or(4);
        Ok(Self {
            sample_size: json.count("sample_size")?.unwrap_or(64),
            channels,
            widths,
            attention,
            heads,
            layers: json.count("layers_per_block")?.unwrap_or(2),
            context_width: json.count("cross_attention_dim")?.unwrap_or(1280),
            groups: json.count("norm_num_groups")?.unwrap_or(32),
            norm_eps: json.number("norm_eps")?.unwrap_or(1e-5),
            flip_sin_to_cos: json.flag("flip_sin_to_cos")?.unwrap_or(true),
            freq_shift: json.number("freq_shift")?.unwrap_or(0.),
            linear_projection: json.flag("use_linear_projection")?.unwrap_or(false),
        })
    }

    /// Reads the widths off the shapes of a single file. What shapes do not tell is as in Stable
    /// Diffusion 1.x (8 heads, 32 groups, 64×64 latents), or 2.x (heads of width 64).
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json).
    pub fn from_single_file(file: &Checkpoint) -> Result<Self> {
        let shape = |name: &str| {
            file.info(&format!("{LDM_UNET}{name}"))
                .map(|info| info.shape.as_slice())
        };
        let mut config = serde_json::json!({});
        if let Some([_, channels, ..]) = shape("input_blocks.0.0.weight") {
            config["in_channels"] = (*channels).into();
        }
        if shape("label_emb.0.0.weight").is_some() {
            config["addition_embed_type"] = "text_time".into();
        }
        let (mut widths, mut down) = (Vec::new(), Vec::new());
        for block in 0..MOST_BLOCKS {
            let first = format!("input_blocks.{}", 3 * block + 1);
            let Some(&[width]) = shape(&format!("{first}.0.out_layers.0.weight")) else {
                break;
            };
            widths.push(width);
            let keys = shape(&format!("{first}.1.transformer_blocks.0.attn2.to_k.weight"));
            if let Some([_, context]) = keys {
                config["cross_attention_dim"] = (*context).into();
            }
            down.push(if keys.is_some() {
                "CrossAttnDownBlock2D"
            } else {
                "DownBlock2D"
            });
        }
        if let Some([_, _]) = shape("input_blocks.1.1.proj_in.weight") {
            config["use_linear_projection"] = true.into();
            let heads: Vec<usize> = widths.iter().map(|width| width / 64).collect();
            config["attention_head_dim"] = heads.into();
        }
        config["block_out_channels"] = widths.into();
        config["down_block_types"] = down.into();
        Self::from_json(&config, file.name())
    }

    /// Resolutions from the coarsest to the finest.
    pub(super) fn upwards(&self) -> impl Iterator<Item = usize> {
        (0..self.widths.len()).rev()
    }

    /// How a single file names the tensors of this UNet.
    pub(crate) fn ldm_names(&self) -> Names {
        Names::LdmUnet {
            layers: self.layers,
            up_attention: self.attention.iter().rev().copied().collect(),
        }
    }
}

/// Whether each block has attention.
fn kinds(json: &Object<'_>, names: &[&str], with: &str, without: &str) -> Result<Vec<bool>> {
    let kind = |name: &&str| match *name {
        name if name == with => Ok(true),
        name if name == without => Ok(false),
        other => Err(unlike_sd(json, &format!("it has blocks of type {other:?}"))),
    };
    names.iter().map(kind).collect()
}

fn unlike_sd(json: &Object<'_>, what: &str) -> crate::Error {
    json.wrong(
        format!("this UNet is not of the kind of Stable Diffusion 1.x: {what}"),
        NEEDED,
    )
}

const NEEDED: &str = "give an image variation pipeline of the Stable Diffusion 1.x kind \
                      (lambdalabs/sd-image-variations-diffusers)";

fn refuse_other_kinds(json: &Object<'_>) -> Result<()> {
    let refuse = |what: &str| Err(json.wrong(what, NEEDED));
    if json
        .text("addition_embed_type")?
        .is_some_and(|kind| kind == "text_time")
    {
        return refuse("this is the UNet of SDXL");
    }
    match json.count("in_channels")?.unwrap_or(4) {
        4 => {}
        9 => return refuse("this is an inpainting UNet (9 input channels)"),
        8 => return refuse("this is an InstructPix2Pix or upscaling UNet (8 input channels)"),
        5 => return refuse("this is a depth-to-image UNet (5 input channels)"),
        7 => return refuse("this is an upscaling UNet (7 input channels)"),
        3 => return refuse("this UNet works on pixels, not on latents (3 input channels)"),
        n => return refuse(&format!("this UNet takes {n} channels, not 4")),
    }
    if let Some(class) = json.text("_class_name")?
        && class != "UNet2DConditionModel"
    {
        return refuse(&format!("this is a {class}, not a UNet2DConditionModel"));
    }
    for key in [
        "addition_embed_type",
        "class_embed_type",
        "num_class_embeds",
        "encoder_hid_dim",
        "encoder_hid_dim_type",
        "time_cond_proj_dim",
        "time_embedding_dim",
        "time_embedding_act_fn",
        "timestep_post_act",
        "cross_attention_norm",
        "num_attention_heads",
        "reverse_transformer_layers_per_block",
    ] {
        if json.get(key).is_some() {
            return Err(unlike_sd(json, &format!("{key} is set")));
        }
    }
    for key in [
        "center_input_sample",
        "dual_cross_attention",
        "only_cross_attention",
        "mid_block_only_cross_attention",
        "class_embeddings_concat",
        "resnet_skip_time_act",
    ] {
        if json
            .get(key)
            .is_some_and(|value| value != &Value::Bool(false))
        {
            return Err(unlike_sd(json, &format!("{key} is on")));
        }
    }
    const CHOICES: [(&str, &[&str]); 5] = [
        ("act_fn", &["silu", "swish"]),
        ("mid_block_type", &["UNetMidBlock2DCrossAttn"]),
        ("resnet_time_scale_shift", &["default"]),
        ("time_embedding_type", &["positional"]),
        ("attention_type", &["default"]),
    ];
    for (key, known) in CHOICES {
        if let Some(value) = json.text(key)?
            && !known.contains(&value)
        {
            return Err(unlike_sd(json, &format!("{key} is {value:?}")));
        }
    }
    const COUNTS: [(&str, usize); 5] = [
        ("out_channels", 4),
        ("conv_in_kernel", 3),
        ("conv_out_kernel", 3),
        ("downsample_padding", 1),
        ("transformer_layers_per_block", 1),
    ];
    for (key, known) in COUNTS {
        if json
            .get(key)
            .is_some_and(|value| value.as_u64() != Some(known as u64))
        {
            return Err(unlike_sd(json, &format!("{key} is not {known}")));
        }
    }
    for key in ["mid_block_scale_factor", "resnet_out_scale_factor"] {
        if json.number(key)?.is_some_and(|value| value != 1.) {
            return Err(unlike_sd(json, &format!("{key} is not 1")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn other_kinds_of_unet_are_named() {
        let said = |config: Value| {
            UnetConfig::from_json(&config, "unet/config.json")
                .unwrap_err()
                .to_string()
        };
        let xl = json!({"addition_embed_type": "text_time", "in_channels": 4});
        assert!(said(xl).starts_with("unet/config.json: this is the UNet of SDXL; give"));
        assert!(said(json!({"in_channels": 9})).contains("inpainting"));
        assert!(said(json!({"class_embed_type": "timestep"})).contains("class_embed_type"));
        assert!(said(json!({"down_block_types": ["AttnDownBlock2D"]})).contains("AttnDownBlock2D"));
        assert!(said(json!({"attention_head_dim": 7})).contains("attention heads"));
        assert!(said(json!({"block_out_channels": []})).contains("cannot be"));
        assert!(said(json!({"transformer_layers_per_block": [1, 2, 10]})).contains("not 1"));
        assert!(said(json!([1])).contains("no JSON object"));
    }

    #[test]
    fn a_short_configuration_is_enough() {
        let config = UnetConfig::from_json(&json!({"cross_attention_dim": 768}), "c").unwrap();
        assert_eq!(config, UnetConfig::stable_diffusion_1());
        assert_eq!(config.widths, [320, 640, 1280, 1280]);
        assert_eq!(config.attention, [true, true, true, false]);
        assert_eq!(
            (config.heads[0], config.groups, config.context_width),
            (8, 32, 768)
        );
        let lists = json!({"attention_head_dim": [5, 10, 20, 20], "use_linear_projection": true});
        assert_eq!(
            UnetConfig::from_json(&lists, "c").unwrap().heads,
            [5, 10, 20, 20]
        );
    }
}
