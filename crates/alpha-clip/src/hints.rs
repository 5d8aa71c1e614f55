//! What a configuration file says about a CLIP beyond the shapes of its tensors.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::config::{Activation, TextPooling};
use crate::error::{Error, Result};

/// Facts from `config.json` (Hugging Face) or `open_clip_config.json`; without either, those of
/// OpenAI's models.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Hints {
    pub(crate) vision_heads: Option<usize>,
    pub(crate) text_heads: Option<usize>,
    pub(crate) vision_activation: Activation,
    pub(crate) text_activation: Activation,
    /// Set by the caller, it wins over the configuration.
    pub(crate) forced_activation: Option<Activation>,
    pub(crate) vision_eps: f64,
    pub(crate) text_eps: f64,
    pub(crate) pooling: TextPooling,
}

impl Default for Hints {
    fn default() -> Self {
        Self {
            vision_heads: None,
            text_heads: None,
            vision_activation: Activation::QuickGelu,
            text_activation: Activation::QuickGelu,
            forced_activation: None,
            vision_eps: 1e-5,
            text_eps: 1e-5,
            pooling: TextPooling::LargestId,
        }
    }
}

/// Name under which a converted single file carries its `open_clip_config.json` in the metadata.
pub(crate) const METADATA_CONFIG: &str = "open_clip_config";

impl Hints {
    /// Reads the configuration beside the weights, or the one in their metadata.
    pub(crate) fn read(checkpoint: &checkpoint::Checkpoint) -> Result<Self> {
        if let Some(config) = open_clip_config(checkpoint)? {
            return Self::open_clip(&config);
        }
        match checkpoint.config("config.json") {
            Some(config) => Self::hugging_face(config),
            None => Self::metadata(checkpoint.metadata()),
        }
    }

    /// A single file without a configuration may name its activation in the metadata.
    fn metadata(metadata: &BTreeMap<String, String>) -> Result<Self> {
        let activation = match metadata.get("activation").map(String::as_str) {
            None | Some("quickgelu" | "quick_gelu") => Activation::QuickGelu,
            Some("gelu") => Activation::Gelu,
            Some(other) => {
                return Err(Error::model(
                    format!("the metadata asks for the activation {other:?}"),
                    "only quickgelu and gelu are known; override it if the name is wrong",
                ));
            }
        };
        Ok(Self {
            vision_activation: activation,
            text_activation: activation,
            ..Self::default()
        })
    }

    pub(crate) fn vision(&self) -> (Activation, f64) {
        (self.vision_activation, self.vision_eps)
    }

    pub(crate) fn text(&self) -> (Activation, f64) {
        (self.text_activation, self.text_eps)
    }

    /// `config.json` of transformers: a CLIPModel with two halves, or one half alone. Keys that
    /// old files omit have the defaults of transformers.
    fn hugging_face(config: &Value) -> Result<Self> {
        let half = |names: [&str; 2]| names.iter().find_map(|n| config.get(n)?.as_object());
        let vision = half(["vision_config", "vision_config_dict"]);
        let text = half(["text_config", "text_config_dict"]);
        let alone = config
            .as_object()
            .filter(|_| vision.is_none() && text.is_none());
        let kind = config
            .get("model_type")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let vision = vision.or(alone.filter(|_| kind != "clip_text_model"));
        let text = text.or(alone.filter(|_| kind == "clip_text_model"));

        let mut hints = Self::default();
        if let Some(vision) = vision {
            hints.vision_heads = Some(count(vision, "num_attention_heads")?.unwrap_or(12));
            hints.vision_activation = activation(vision)?;
            hints.vision_eps = number(vision, "layer_norm_eps")?.unwrap_or(1e-5);
        }
        if let Some(text) = text {
            hints.text_heads = Some(count(text, "num_attention_heads")?.unwrap_or(8));
            hints.text_activation = activation(text)?;
            hints.text_eps = number(text, "layer_norm_eps")?.unwrap_or(1e-5);
            // 2 is a historic mistake in the published configurations and means "largest id".
            hints.pooling = match count(text, "eos_token_id")? {
                None | Some(2) => TextPooling::LargestId,
                Some(id) => TextPooling::FirstId(u32::try_from(id).unwrap_or(u32::MAX)),
            };
        }
        Ok(hints)
    }

    /// `open_clip_config.json`.
    fn open_clip(config: &Value) -> Result<Self> {
        let none = serde_json::Map::new();
        let model = object(config.get("model_cfg"))
            .or(config.as_object())
            .unwrap_or(&none);
        let vision = object(model.get("vision_cfg")).unwrap_or(&none);
        let text = object(model.get("text_cfg")).unwrap_or(&none);
        refuse_unknown_parts(model, vision, text)?;

        let quick = model
            .get("quick_gelu")
            .and_then(Value::as_bool)
            .unwrap_or(false);
        let activation = if quick {
            Activation::QuickGelu
        } else {
            Activation::Gelu
        };
        let head_width = count(vision, "head_width")?.unwrap_or(64).max(1);
        let resnet = vision.get("layers").is_some_and(Value::is_array);
        let width = count(vision, "width")?.unwrap_or(768) * if resnet { 32 } else { 1 };
        let eps = |tower: &serde_json::Map<String, Value>| match object(tower.get("norm_kwargs")) {
            Some(norm) => number(norm, "eps"),
            None => Ok(None),
        };
        Ok(Self {
            vision_heads: Some(width / head_width),
            text_heads: Some(count(text, "heads")?.unwrap_or(8)),
            vision_activation: activation,
            text_activation: activation,
            vision_eps: eps(vision)?.unwrap_or(1e-5),
            text_eps: eps(text)?.unwrap_or(1e-5),
            ..Self::default()
        })
    }
}

/// The open_clip configuration beside the weights, or in the metadata of a single file.
fn open_clip_config(checkpoint: &checkpoint::Checkpoint) -> Result<Option<Value>> {
    if let Some(config) = checkpoint.config("open_clip_config.json") {
        return Ok(Some(config.clone()));
    }
    let metadata: &BTreeMap<String, String> = checkpoint.metadata();
    let Some(text) = metadata.get(METADATA_CONFIG) else {
        return Ok(None);
    };
    serde_json::from_str(text).map(Some).map_err(|e| {
        Error::model(
            format!("{METADATA_CONFIG} in the metadata is not valid JSON ({e})"),
            "write the file again",
        )
    })
}

/// Parts that open_clip can build and this crate cannot.
fn refuse_unknown_parts(
    model: &serde_json::Map<String, Value>,
    vision: &serde_json::Map<String, Value>,
    text: &serde_json::Map<String, Value>,
) -> Result<()> {
    const SWITCHES: [&str; 15] = [
        "timm_model_name",
        "hf_model_name",
        "attentional_pool",
        "qk_norm",
        "scaled_cosine_attn",
        "scale_heads",
        "scale_attn_inner",
        "scale_attn",
        "scale_fc",
        "ls_init_value",
        "no_ln_pre",
        "embed_cls",
        "no_causal_mask",
        "final_ln_after_pool",
        "proj_bias",
    ];
    /// The values that mean what this crate builds.
    const CHOICES: [(&str, &[&str]); 4] = [
        ("pool_type", &["tok", "argmax"]),
        ("pos_embed_type", &["learnable"]),
        ("proj_type", &["linear"]),
        ("attn_type", &["default"]),
    ];
    let refuse = |what: String| {
        Err(Error::model(
            format!("the model uses open_clip's {what}, which is not supported"),
            "use a model with CLIP's plain vision and text transformers",
        ))
    };
    if model.get("multimodal_cfg").is_some_and(|v| !v.is_null()) {
        return refuse("multimodal decoder (CoCa)".into());
    }
    for (place, tower) in [("vision_cfg", vision), ("text_cfg", text)] {
        for name in SWITCHES {
            let on = tower
                .get(name)
                .is_some_and(|v| !v.is_null() && v != &Value::Bool(false));
            if on {
                return refuse(format!("{place}.{name}"));
            }
        }
        for (name, known) in CHOICES {
            if let Some(value) = tower.get(name).and_then(Value::as_str)
                && !known.contains(&value)
            {
                return refuse(format!("{place}.{name} = {value:?}"));
            }
        }
    }
    Ok(())
}

fn object(value: Option<&Value>) -> Option<&serde_json::Map<String, Value>> {
    value.and_then(Value::as_object)
}

fn activation(half: &serde_json::Map<String, Value>) -> Result<Activation> {
    match half.get("hidden_act").and_then(Value::as_str) {
        None | Some("quick_gelu") => Ok(Activation::QuickGelu),
        Some("gelu") => Ok(Activation::Gelu),
        Some(other) => Err(Error::model(
            format!("config.json asks for the activation {other:?}"),
            "only quick_gelu and gelu are known; override it if the name is wrong",
        )),
    }
}

fn count(object: &serde_json::Map<String, Value>, key: &str) -> Result<Option<usize>> {
    let Some(value) = object.get(key).filter(|v| !v.is_null()) else {
        return Ok(None);
    };
    let count = value.as_u64().and_then(|n| u32::try_from(n).ok());
    count
        .map(|n| Some(n as usize))
        .ok_or_else(|| wrong(key, value, "a small whole number"))
}

fn number(object: &serde_json::Map<String, Value>, key: &str) -> Result<Option<f64>> {
    let Some(value) = object.get(key).filter(|v| !v.is_null()) else {
        return Ok(None);
    };
    let number = value.as_f64().filter(|x| x.is_finite() && *x >= 0.);
    number
        .map(Some)
        .ok_or_else(|| wrong(key, value, "a number"))
}

fn wrong(key: &str, value: &Value, wanted: &str) -> Error {
    Error::model(
        format!("the configuration says {key} = {value}, not {wanted}"),
        "correct the configuration beside the weights",
    )
}
