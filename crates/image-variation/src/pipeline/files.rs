//! Where the parts of a pipeline are: a diffusers folder, or a single file.

use std::path::{Path, PathBuf};

use checkpoint::{Checkpoint, Lora};
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::json;
use crate::names::{LDM_MARK, LDM_VAE};
use crate::unet::UnetConfig;
use crate::vae::VaeConfig;

/// What to do where no pipeline is.
pub(super) const GET: &str = "download lambdalabs/sd-image-variations-diffusers, revision v2.0, \
    from the Hugging Face hub (UNet 3.4 GB, image encoder 1.2 GB, VAE 0.3 GB; licence CreativeML \
    Open RAIL-M) and give its folder";

/// The class of pipelines that this crate runs.
const CLASS: &str = "StableDiffusionImageVariationPipeline";

/// The parts, opened but not read.
pub(super) struct Files {
    pub(super) unet: (Checkpoint, UnetConfig),
    pub(super) vae: (Checkpoint, VaeConfig),
    /// Under internal names.
    pub(super) encoder: Checkpoint,
    /// `scheduler_config.json`, and the file it is from.
    pub(super) scheduler: (Value, String),
    /// `preprocessor_config.json`, if there is one.
    pub(super) feature_extractor: Option<Value>,
    pub(super) safety_checker: Option<Checkpoint>,
}

/// Parts that stand in for the pipeline's own.
#[derive(Debug, Default)]
pub(super) struct Instead {
    pub(super) image_encoder: Option<PathBuf>,
    /// A folder whose configurations describe a single file.
    pub(super) configs: Option<PathBuf>,
}

impl Files {
    pub(super) fn open(path: &Path, instead: &Instead) -> Result<Self> {
        let about = std::fs::metadata(path)
            .map_err(|e| Error::pipeline(path, format!("there is no pipeline ({e})"), GET))?;
        if about.is_dir() {
            Self::open_folder(&with_files(path), instead)
        } else {
            Self::open_single(path, instead)
        }
    }

    fn open_folder(folder: &Path, instead: &Instead) -> Result<Self> {
        let index = folder.join("model_index.json");
        let index = match index.is_file() {
            true => Some(json::read(&index)?),
            false => None,
        };
        let class = index
            .as_ref()
            .and_then(|index| index.get("_class_name")?.as_str());
        let lacks = |part: &&str| !folder.join(part).is_dir();
        let mut lacking: Vec<&str> = ["unet", "vae", "scheduler"]
            .into_iter()
            .filter(lacks)
            .collect();
        if instead.image_encoder.is_none() && lacks(&"image_encoder") {
            lacking.push("image_encoder");
        }
        // The UNet's configuration tells most about what this is.
        let unet = match lacking.contains(&"unet") {
            true => None,
            false => Some(part(folder, "unet", UnetConfig::from_json)?),
        };
        if let Some(class) = class
            && class != CLASS
            && instead.image_encoder.is_none()
        {
            let words = if folder.join("text_encoder").is_dir() {
                ", which takes words"
            } else {
                ""
            };
            return Err(Error::pipeline(
                folder,
                format!("this is a {class}{words}, not a {CLASS}"),
                GET,
            ));
        }
        let Some(unet) = unet.filter(|_| lacking.is_empty()) else {
            return Err(lacking_parts(folder, &lacking));
        };
        let encoder = match &instead.image_encoder {
            Some(path) => image_encoder(Checkpoint::open(path)?)?,
            None => image_encoder(weights(&folder.join("image_encoder"))?)?,
        };
        let scheduler = folder.join("scheduler").join("scheduler_config.json");
        let safety = folder.join("safety_checker");
        Ok(Self {
            unet,
            vae: part(folder, "vae", VaeConfig::from_json)?,
            encoder,
            scheduler: (json::read(&scheduler)?, scheduler.display().to_string()),
            feature_extractor: feature_extractor(folder)?,
            safety_checker: match safety.is_dir() {
                true => Some(weights(&safety)?),
                false => None,
            },
        })
    }

    fn open_single(path: &Path, instead: &Instead) -> Result<Self> {
        let file = Checkpoint::open(path)?;
        if !file.contains(LDM_MARK) {
            return Err(not_single_file(path, &file));
        }
        let configs = instead.configs.as_deref();
        let config = |name: &str| -> Result<Option<(Value, String)>> {
            let Some(path) = configs
                .map(|folder| folder.join(name))
                .filter(|p| p.is_file())
            else {
                return Ok(None);
            };
            Ok(Some((json::read(&path)?, path.display().to_string())))
        };
        let unet = match config("unet/config.json")? {
            Some((config, place)) => UnetConfig::from_json(&config, &place)?,
            None => UnetConfig::from_single_file(&file)?,
        };
        if !file.contains(&format!("{LDM_VAE}decoder.conv_in.weight")) {
            return Err(Error::pipeline(
                path,
                "this single file has no VAE (first_stage_model)",
                "give one that is complete, or a diffusers folder",
            ));
        }
        let vae = match config("vae/config.json")? {
            Some((config, place)) => VaeConfig::from_json(&config, &place)?,
            None => VaeConfig::from_single_file(&file)?,
        };
        let encoder = match &instead.image_encoder {
            Some(path) => image_encoder(Checkpoint::open(path)?)?,
            None => {
                let encoder = image_encoder_within(path, &file)?;
                match config("image_encoder/config.json")? {
                    Some((config, _)) => encoder.with_config("config.json", config),
                    None => encoder,
                }
            }
        };
        Ok(Self {
            unet: (file.clone(), unet),
            vae: (file, vae),
            encoder,
            scheduler: match config("scheduler/scheduler_config.json")? {
                Some(scheduler) => scheduler,
                None => (published_scheduler(), path.display().to_string()),
            },
            feature_extractor: configs.map(feature_extractor).transpose()?.flatten(),
            safety_checker: None,
        })
    }
}

/// The scheduler of Stable Diffusion 1.x, for single files, which carry none.
fn published_scheduler() -> Value {
    json!({
        "_class_name": "PNDMScheduler",
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "num_train_timesteps": 1000,
        "skip_prk_steps": true,
        "set_alpha_to_one": false,
        "steps_offset": 1,
        "clip_sample": false,
    })
}

/// The folder with the files: one of the hub's cache keeps them in a snapshot.
fn with_files(folder: &Path) -> PathBuf {
    let snapshots = folder.join("snapshots");
    if folder.join("model_index.json").is_file() || !snapshots.is_dir() {
        return folder.to_owned();
    }
    let main = std::fs::read_to_string(folder.join("refs").join("main")).unwrap_or_default();
    let commit = main.trim();
    let plain = !commit.is_empty() && commit.bytes().all(|b| b.is_ascii_alphanumeric());
    let main = plain.then(|| snapshots.join(commit)).filter(|f| f.is_dir());
    // A revision that is not `main` is there alone.
    let only = || {
        let mut all = std::fs::read_dir(&snapshots).ok()?.flatten();
        all.next()
            .filter(|_| all.next().is_none())
            .map(|e| e.path())
    };
    main.or_else(only).unwrap_or_else(|| folder.to_owned())
}

/// A part's weights and its configuration.
fn part<C>(
    folder: &Path,
    name: &str,
    read: impl FnOnce(&Value, &str) -> Result<C>,
) -> Result<(Checkpoint, C)> {
    let folder = folder.join(name);
    let place = folder.join("config.json");
    if !place.is_file() {
        return Err(Error::pipeline(
            &folder,
            "the part has no config.json",
            "download the pipeline again",
        ));
    }
    let config = read(&json::read(&place)?, &place.display().to_string())?;
    Ok((weights(&folder)?, config))
}

fn weights(folder: &Path) -> Result<Checkpoint> {
    Checkpoint::open(folder).map_err(|error| match error {
        checkpoint::Error::NotWeights { file, what, .. } => Error::pipeline(file, what, GET),
        other => other.into(),
    })
}

fn feature_extractor(folder: &Path) -> Result<Option<Value>> {
    let path = folder
        .join("feature_extractor")
        .join("preprocessor_config.json");
    path.is_file().then(|| json::read(&path)).transpose()
}

fn lacking_parts(folder: &Path, lacking: &[&str]) -> Error {
    if let Ok(config) = json::read(&folder.join("config.json"))
        && let Some(class) = config.get("_class_name").and_then(Value::as_str)
    {
        return Error::pipeline(
            folder,
            format!("this is one part of a pipeline ({class})"),
            "give the folder above it",
        );
    }
    if lacking.len() == 4 {
        return Error::pipeline(folder, "this is no folder of a diffusers pipeline", GET);
    }
    Error::pipeline(
        folder,
        format!("the pipeline lacks {}", lacking.join(", ")),
        "download the missing parts again",
    )
}

fn image_encoder(file: Checkpoint) -> Result<Checkpoint> {
    let encoder = file.clip(Lora::Merge)?;
    if encoder.towers().is_some_and(|towers| towers.vision) {
        return Ok(encoder);
    }
    Err(Error::pipeline(
        file.name(),
        "this is no image encoder: there is no vision tower in it",
        "give a CLIP, or a CLIPVisionModelWithProjection",
    ))
}

fn image_encoder_within(path: &Path, file: &Checkpoint) -> Result<Checkpoint> {
    image_encoder(file.clone()).map_err(|_| {
        let on_words = |name: &str| name.starts_with("cond_stage_model.");
        let what = if file.names().any(on_words) {
            "this checkpoint is conditioned on words, not on pictures: it has no image encoder"
        } else {
            "this single file has no image encoder"
        };
        Error::pipeline(path, what, GET)
    })
}

fn not_single_file(path: &Path, file: &Checkpoint) -> Error {
    let has = |name| file.contains(name);
    let what = if has("conv_in.weight") && has("mid_block.resnets.0.norm1.weight") {
        "this is a UNet alone"
    } else if has("decoder.conv_in.weight") {
        "this is a VAE alone"
    } else if file.clip(Lora::Ignore).is_ok() {
        "this is a CLIP alone"
    } else {
        return Error::pipeline(path, "this is no checkpoint of Stable Diffusion", GET);
    };
    Error::pipeline(path, what, "give the folder of the whole pipeline")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Pipeline;
    use crate::scheduler::SchedulerConfig;
    use crate::testing::fixture::Fixture;

    #[test]
    fn a_single_file_has_the_scheduler_of_stable_diffusion() {
        let config = SchedulerConfig::from_json(&published_scheduler(), "ckpt", None).unwrap();
        assert_eq!(config, SchedulerConfig::stable_diffusion());
    }

    #[test]
    fn what_is_no_pipeline_is_named() {
        let said = |path: &Path| {
            let error = Pipeline::open(path).unwrap_err().to_string();
            assert!(!error.contains('\n') && error.contains("; "), "{error}");
            error
        };
        let fixture = Fixture::folder();
        let path = fixture.path();
        let missing = said(&path.join("nothing"));
        assert!(
            missing.contains("no pipeline") && missing.contains("Open RAIL-M"),
            "{missing}"
        );
        assert!(said(&path.join("unet")).contains("one part of a pipeline (UNet2DConditionModel)"));
        assert!(said(&path.join("feature_extractor")).contains("no folder of a diffusers"));
        let file = "unet/diffusion_pytorch_model.safetensors";
        assert!(said(&path.join(file)).contains("this is a UNet alone"));
        let encoder = path.join("image_encoder/model.safetensors");
        assert!(said(&encoder).contains("this is a CLIP alone"));

        std::fs::remove_file(path.join(file)).unwrap();
        assert!(
            said(path).contains("no weight file; download"),
            "{}",
            said(path)
        );
        fixture.put("unet/config.json", br#"{"in_channels": 9}"#);
        assert!(said(path).contains("inpainting"));
        fixture.put(
            "unet/config.json",
            br#"{"addition_embed_type": "text_time"}"#,
        );
        assert!(said(path).contains("SDXL"));
        std::fs::remove_dir_all(path.join("vae")).unwrap();
        std::fs::remove_dir_all(path.join("unet")).unwrap();
        assert!(said(path).contains("the pipeline lacks unet, vae"));
    }

    #[test]
    fn pipelines_on_words_are_refused() {
        let fixture = Fixture::folder();
        let index = json!({"_class_name": "StableDiffusionPipeline"}).to_string();
        fixture.put("model_index.json", index.as_bytes());
        fixture.put("text_encoder/config.json", b"{}");
        let said = Pipeline::open(fixture.path()).unwrap_err().to_string();
        assert!(
            said.contains("StableDiffusionPipeline, which takes words"),
            "{said}"
        );

        let single = Fixture::single_file();
        let said = Pipeline::open(single.path()).unwrap_err().to_string();
        // Without configurations it is taken for Stable Diffusion's norms.
        assert!(
            said.contains("32 groups") && said.contains("configurations"),
            "{said}"
        );
    }

    #[test]
    fn an_image_encoder_of_another_width_is_refused() {
        let fixture = Fixture::folder().with_safety_checker();
        let encoder = fixture.path().join("safety_checker");
        let said = Pipeline::builder(fixture.path())
            .image_encoder(encoder)
            .open();
        let said = said.unwrap_err().to_string();
        assert!(
            said.contains("gives 16 values and the UNet takes 48"),
            "{said}"
        );
    }
}
