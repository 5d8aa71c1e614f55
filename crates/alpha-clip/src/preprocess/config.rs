//! Preprocessing as configuration files and metadata say it.

use std::collections::BTreeMap;

use checkpoint::Checkpoint;
use serde_json::{Map, Value};

use super::{Geometry, Preprocess};
use crate::error::{Error, Result};
use crate::resize::{Filter, Resampling};

impl Preprocess {
    /// The preprocessing of `weights` whose tower takes `size` pixels: from
    /// `open_clip_config.json` or `preprocessor_config.json` beside the weights, from entries of
    /// these names (without `.json`) in their metadata, else CLIP's.
    ///
    /// # Errors
    /// [`Error::Model`] if the configuration cannot be understood or asks for something that this
    /// crate does not do.
    pub fn of(weights: &Checkpoint, size: usize) -> Result<Self> {
        if let Some(config) = weights.config("open_clip_config.json") {
            return Self::from_open_clip(config, size);
        }
        if let Some(config) = weights.config("preprocessor_config.json") {
            return Self::from_hugging_face(config, size);
        }
        Self::from_metadata(weights.metadata(), size)
    }

    /// From the metadata of a safetensors file: the JSON text of an `open_clip_config` or a
    /// `preprocessor_config`, else `mean` and `std` (JSON lists of three numbers), `alpha_mean` and
    /// `alpha_std` (numbers); CLIP's values where these are absent.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn from_metadata(metadata: &BTreeMap<String, String>, size: usize) -> Result<Self> {
        let parse = |name: &str| -> Result<Option<Value>> {
            let Some(text) = metadata.get(name) else {
                return Ok(None);
            };
            serde_json::from_str(text).map(Some).map_err(|e| {
                Error::model(
                    format!("{name} in the metadata is not valid JSON ({e})"),
                    "write the file again",
                )
            })
        };
        if let Some(config) = parse("open_clip_config")? {
            return Self::from_open_clip(&config, size);
        }
        if let Some(config) = parse("preprocessor_config")? {
            return Self::from_hugging_face(&config, size);
        }
        let mut own = Map::new();
        for name in ["mean", "std", "alpha_mean", "alpha_std"] {
            if let Some(value) = parse(name)? {
                own.insert(name.to_owned(), value);
            }
        }
        Self::clip(size).with_statistics(&own, ["mean", "std"])
    }

    /// From `open_clip_config.json`, whose `preprocess_cfg` has `mean`, `std`, `interpolation`,
    /// `resize_mode` (open_clip's defaults where they are absent), or from a `preprocess_cfg`
    /// alone. `alpha_mean` and `alpha_std` may stand beside them.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn from_open_clip(config: &Value, size: usize) -> Result<Self> {
        let alone = config.get("model_cfg").is_none();
        let nested = config.get("preprocess_cfg");
        let Some(config) = nested
            .or(alone.then_some(config))
            .and_then(Value::as_object)
        else {
            return Ok(Self::clip(size));
        };
        let filter = match text(config, "interpolation")? {
            None | Some("bicubic") => Filter::Bicubic,
            Some("bilinear") => Filter::Bilinear,
            Some(other) => return Err(unsupported("interpolation", other, "bicubic or bilinear")),
        };
        let geometry = match text(config, "resize_mode")? {
            None | Some("shortest") => Geometry::Clip,
            Some("squash") => Geometry::Squash,
            Some(other) => return Err(unsupported("resize_mode", other, "shortest or squash")),
        };
        Self {
            geometry,
            ..Self::clip(size)
        }
        .with_filter(filter)
        .with_statistics(config, ["mean", "std"])
    }

    /// From `preprocessor_config.json` of transformers (`CLIPImageProcessor`,
    /// `CLIPFeatureExtractor`); what is absent has their defaults.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn from_hugging_face(config: &Value, size: usize) -> Result<Self> {
        let Some(config) = config.as_object() else {
            return Err(Error::model(
                "preprocessor_config.json is no object",
                "restore the file",
            ));
        };
        let flag = |key| flag(config, key).map(|f| f.unwrap_or(true));
        if !flag("do_resize")? || !flag("do_rescale")? {
            return Err(unsupported("do_resize or do_rescale", "false", "true"));
        }
        let filter = match config
            .get("resample")
            .filter(|v| !v.is_null())
            .map(Value::as_u64)
        {
            None | Some(Some(3)) => Filter::Bicubic,
            Some(Some(2)) => Filter::Bilinear,
            Some(_) => {
                let found = config
                    .get("resample")
                    .map(Value::to_string)
                    .unwrap_or_default();
                return Err(unsupported(
                    "resample",
                    &found,
                    "3 (bicubic) or 2 (bilinear)",
                ));
            }
        };
        let geometry = hugging_face_geometry(config, flag("do_center_crop")?)?;
        let mut preprocess = Self {
            geometry,
            ..Self::clip(size)
        }
        .with_filter(filter);
        if !flag("do_normalize")? {
            preprocess.mean = [0.; 3];
            preprocess.std = [1.; 3];
            return Ok(preprocess);
        }
        preprocess.with_statistics(config, ["image_mean", "image_std"])
    }

    fn with_filter(mut self, filter: Filter) -> Self {
        self.resampling = Resampling::Pillow(filter);
        self.region_resampling = Resampling::Pillow(filter);
        self
    }

    fn with_statistics(mut self, config: &Map<String, Value>, names: [&str; 2]) -> Result<Self> {
        let [mean, std] = names;
        self.mean = three(config, mean)?.unwrap_or(self.mean);
        self.std = three(config, std)?.unwrap_or(self.std);
        self.alpha_mean = number(config, "alpha_mean")?.unwrap_or(self.alpha_mean);
        self.alpha_std = number(config, "alpha_std")?.unwrap_or(self.alpha_std);
        if self.std.iter().chain([&self.alpha_std]).any(|s| *s <= 0.) {
            return Err(Error::model(
                format!(
                    "the preprocessing has the deviations {:?}, {}",
                    self.std, self.alpha_std
                ),
                "they must be above 0",
            ));
        }
        Ok(self)
    }
}

/// `size` is `{"shortest_edge": n}`, in old files n alone; a height and a width mean squeezing.
fn hugging_face_geometry(config: &Map<String, Value>, crop: bool) -> Result<Geometry> {
    let side = |value: &Value, key: &str| value.get(key).and_then(Value::as_u64);
    let size = config.get("size").filter(|v| !v.is_null());
    let squeezed = size.is_some_and(|s| side(s, "height").is_some());
    if squeezed {
        return Ok(Geometry::Squash);
    }
    if !crop {
        return Err(unsupported(
            "do_center_crop",
            "false",
            "true with a shortest_edge",
        ));
    }
    let shortest = size.and_then(|s| s.as_u64().or(side(s, "shortest_edge")));
    let cropped = config
        .get("crop_size")
        .and_then(|c| c.as_u64().or(side(c, "height")));
    match (shortest, cropped) {
        (Some(shortest), Some(cropped)) if shortest != cropped => Err(unsupported(
            "size and crop_size",
            &format!("{shortest} and {cropped}"),
            "one number for both",
        )),
        _ => Ok(Geometry::Clip),
    }
}

fn text<'a>(config: &'a Map<String, Value>, key: &str) -> Result<Option<&'a str>> {
    let Some(value) = config.get(key).filter(|v| !v.is_null()) else {
        return Ok(None);
    };
    value
        .as_str()
        .map(Some)
        .ok_or_else(|| unsupported(key, &value.to_string(), "a word"))
}

fn flag(config: &Map<String, Value>, key: &str) -> Result<Option<bool>> {
    let Some(value) = config.get(key).filter(|v| !v.is_null()) else {
        return Ok(None);
    };
    value
        .as_bool()
        .map(Some)
        .ok_or_else(|| unsupported(key, &value.to_string(), "true or false"))
}

fn number(config: &Map<String, Value>, key: &str) -> Result<Option<f32>> {
    let Some(value) = config.get(key).filter(|v| !v.is_null()) else {
        return Ok(None);
    };
    let number = value.as_f64().map(|x| x as f32).filter(|x| x.is_finite());
    number
        .map(Some)
        .ok_or_else(|| unsupported(key, &value.to_string(), "a number"))
}

fn three(config: &Map<String, Value>, key: &str) -> Result<Option<[f32; 3]>> {
    let Some(value) = config.get(key).filter(|v| !v.is_null()) else {
        return Ok(None);
    };
    let numbers = value.as_array().and_then(|all| {
        let all: Option<Vec<f32>> = all.iter().map(|x| x.as_f64().map(|x| x as f32)).collect();
        <[f32; 3]>::try_from(all?).ok()
    });
    let numbers = numbers.filter(|all| all.iter().all(|x| x.is_finite()));
    numbers
        .map(Some)
        .ok_or_else(|| unsupported(key, &value.to_string(), "three numbers"))
}

fn unsupported(key: &str, found: &str, known: &str) -> Error {
    Error::model(
        format!("the preprocessing of the model says {key} = {found}"),
        format!("only {known} is supported; correct the configuration beside the weights"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn open_clip_configurations_are_read() {
        let config = json!({
            "model_cfg": {"embed_dim": 32},
            "preprocess_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.25, 0.5],
                "interpolation": "bilinear", "resize_mode": "squash"},
        });
        let read = Preprocess::from_open_clip(&config, 64).unwrap();
        assert_eq!((read.mean, read.std), ([0.5; 3], [0.5, 0.25, 0.5]));
        assert_eq!((read.size, read.geometry), (64, Geometry::Squash));
        assert_eq!(read.resampling, Resampling::Pillow(Filter::Bilinear));
        let plain = json!({"model_cfg": {"embed_dim": 32}});
        assert_eq!(
            Preprocess::from_open_clip(&plain, 64).unwrap(),
            Preprocess::clip(64)
        );
        let alone = json!({"mean": [0.1, 0.2, 0.3], "alpha_std": 0.5});
        let alone = Preprocess::from_open_clip(&alone, 64).unwrap();
        assert_eq!((alone.mean, alone.alpha_std), ([0.1, 0.2, 0.3], 0.5));
    }

    #[test]
    fn hugging_face_configurations_are_read() {
        let new = json!({"crop_size": {"height": 64, "width": 64}, "do_center_crop": true,
            "do_normalize": true, "do_rescale": true, "do_resize": true, "resample": 3,
            "image_mean": Preprocess::CLIP_MEAN, "image_std": Preprocess::CLIP_STD,
            "size": {"shortest_edge": 64}});
        assert_eq!(
            Preprocess::from_hugging_face(&new, 64).unwrap(),
            Preprocess::clip(64)
        );
        let old = json!({"crop_size": 224, "size": 224, "resample": 3});
        assert_eq!(
            Preprocess::from_hugging_face(&old, 224).unwrap(),
            Preprocess::clip(224)
        );
        let squeezed = json!({"size": {"height": 224, "width": 224}, "do_center_crop": false});
        let squeezed = Preprocess::from_hugging_face(&squeezed, 224).unwrap();
        assert_eq!(squeezed, Preprocess::squash(224));
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        let refused = |config: Value, words: &str| {
            let said = Preprocess::from_hugging_face(&config, 224)
                .unwrap_err()
                .to_string();
            assert!(said.contains(words), "{said}");
        };
        refused(json!({"resample": 0}), "resample = 0");
        refused(json!({"do_resize": false}), "do_resize");
        refused(json!({"do_resize": "yes"}), "true or false");
        refused(
            json!({"size": {"shortest_edge": 256}, "crop_size": 224}),
            "256 and 224",
        );
        refused(json!({"image_std": [0.5, 0.5]}), "three numbers");
        refused(json!({"image_std": [0.5, 0.0, 0.5]}), "above 0");
        refused(json!([]), "no object");
        let odd = json!({"preprocess_cfg": {"resize_mode": "longest"}});
        let said = Preprocess::from_open_clip(&odd, 224)
            .unwrap_err()
            .to_string();
        assert!(said.contains("shortest or squash"), "{said}");
    }

    #[test]
    fn metadata_may_carry_the_configuration() {
        let entry = |name: &str, text: &str| BTreeMap::from([(name.to_owned(), text.to_owned())]);
        let read = |name, text| Preprocess::from_metadata(&entry(name, text), 64);
        let open_clip = r#"{"preprocess_cfg": {"resize_mode": "squash"}}"#;
        assert_eq!(
            read("open_clip_config", open_clip).unwrap(),
            Preprocess::squash(64)
        );
        let own = read("preprocessor_config", r#"{"do_normalize": false}"#).unwrap();
        assert_eq!((own.mean, own.std), ([0.; 3], [1.; 3]));
        assert_eq!(read("format", "pt").unwrap(), Preprocess::clip(64));
        assert!(read("open_clip_config", "{").is_err());
        let all = BTreeMap::from(
            [
                ("mean", "[0.1, 0.2, 0.3]"),
                ("std", "[0.4, 0.5, 0.6]"),
                ("alpha_mean", "0.25"),
                ("alpha_std", "0.5"),
            ]
            .map(|(name, text)| (name.to_owned(), text.to_owned())),
        );
        let own = Preprocess::from_metadata(&all, 64).unwrap();
        assert_eq!((own.mean, own.std), ([0.1, 0.2, 0.3], [0.4, 0.5, 0.6]));
        assert_eq!((own.alpha_mean, own.alpha_std), (0.25, 0.5));
        assert!(read("std", "[0, 1, 1]").is_err());
        assert!(read("mean", "0.5").is_err());
    }
}
