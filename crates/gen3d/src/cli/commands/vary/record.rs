//! All that it takes to make the pictures again: `run.json`, and the metadata of each picture.

use std::path::Path;

use anyhow::Context as _;
use clap::ValueEnum as _;
use image_variation::noise::Seed;
use image_variation::scheduler::SchedulerConfig;
use serde::Serialize;

use super::args::{RecipeChoice, Vary};
use super::regions::RegionRecord;
use crate::cli::context::Context;

/// What made a picture. It does not say where the pictures went, so that the same pictures carry
/// the same words.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Record {
    pub(super) program: &'static str,
    /// Makes them again; without the output folder.
    pub(super) command: String,
    pub(super) input: InputRecord,
    pub(super) regions: Vec<RegionRecord>,
    pub(super) original_clip: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) negative: Option<SourceFile>,
    pub(super) recipe: &'static str,
    pub(super) pipeline: PipelineRecord,
    pub(super) steps: u32,
    pub(super) guidance: f64,
    pub(super) eta: f64,
    pub(super) seed: Seed,
    /// In place of drawn noise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) latents: Option<SourceFile>,
    pub(super) count: u32,
    pub(super) width: u32,
    pub(super) height: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) start: Option<StartRecord>,
    pub(super) scheduler: SchedulerConfig,
    pub(super) device: &'static str,
    /// What the UNet's weights are kept as.
    pub(super) dtype: &'static str,
}

/// The picture or shape.
#[derive(Clone, Debug, Serialize)]
pub(super) struct InputRecord {
    #[serde(flatten)]
    pub(super) file: SourceFile,
    /// Of the picture, or of the view of a shape.
    pub(super) width: usize,
    pub(super) height: usize,
    /// The direction of a shape's file that is up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) up: Option<String>,
}

/// The weights.
#[derive(Clone, Debug, Serialize)]
pub(super) struct PipelineRecord {
    pub(super) path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image_encoder: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) alpha_weights: Option<String>,
    /// Of UNet, VAE, image encoder and alpha weights.
    pub(super) fingerprint: String,
    pub(super) safety_checker: bool,
}

/// What the pictures begin with, unless it is noise.
#[derive(Clone, Debug, Serialize)]
pub(super) struct StartRecord {
    pub(super) strength: f64,
    pub(super) keep_outside: bool,
    pub(super) feather: f64,
}

/// A file and its content.
#[derive(Clone, Debug, Serialize)]
pub(super) struct SourceFile {
    pub(super) path: String,
    pub(super) sha256: String,
}

impl SourceFile {
    pub(super) fn of(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display().to_string();
        let sha256 = checkpoint::sha256_file(path, &mut |_| {}).with_context(|| shown.clone())?;
        Ok(Self {
            path: shown,
            sha256,
        })
    }
}

impl RecipeChoice {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ModelCard => "model-card",
            Self::FeatureExtractor => "feature-extractor",
        }
    }
}

/// The command line, with what was left to defaults but for the device.
pub(super) fn command(args: &Vary, size: (u32, u32), context: &Context) -> String {
    let mut words = Words::default();
    words.word("gen3d").word("vary").path(None, &args.input);

    let pipeline = &args.pipeline;
    words.path(Some("--pipeline"), &pipeline.pipeline);
    for (flag, path) in [
        ("--alpha-weights", &pipeline.alpha_weights),
        ("--image-encoder", &pipeline.image_encoder),
        ("--configs", &pipeline.configs),
        ("--negative", &args.sampling.negative),
        ("--latents", &args.sampling.latents),
    ] {
        if let Some(path) = path {
            words.path(Some(flag), path);
        }
    }
    words.option("--recipe", pipeline.recipe.name());

    let regions = &args.regions;
    for (flag, given) in [
        ("--mask", &regions.mask),
        ("--box", &regions.bounds),
        ("--point", &regions.point),
        ("--polygon", &regions.polygon),
        ("--rle", &regions.rle),
    ] {
        for given in given {
            words.option(flag, given);
        }
    }
    words.flag("--original-clip", regions.original_clip);
    words.option("--up", &regions.up.to_string());

    let sampling = &args.sampling;
    words.option("--steps", &sampling.steps.to_string());
    words.option("--guidance", &sampling.guidance.to_string());
    if let Some(scheduler) = sampling.scheduler {
        words.option("--scheduler", &scheduler.to_string());
    }
    words.option("--eta", &sampling.eta.to_string());
    words.option("--count", &sampling.count.to_string());
    match sampling.torch_seed {
        Some(seed) => words.option("--torch-seed", &seed.to_string()),
        None => words.option("--seed", &sampling.seed.to_string()),
    };
    words.option("--size", &format!("{}x{}", size.0, size.1));

    if let Some(strength) = args.start.strength {
        words.option("--strength", &strength.to_string());
    }
    if args.start.keep_outside {
        words.flag("--keep-outside", true);
        words.option("--feather", &args.start.feather.to_string());
    }
    words.flag("--no-safety-check", pipeline.no_safety_check);
    if !context.device.is_cpu() {
        if let Some(dtype) = context.dtype_choice.to_possible_value() {
            words.option("--dtype", dtype.get_name());
        }
        if let Some(batch) = sampling.batch {
            words.option("--batch", &batch.to_string());
        }
    }
    words.0
}

/// A command line as a shell takes it.
#[derive(Default)]
struct Words(String);

impl Words {
    fn word(&mut self, word: &str) -> &mut Self {
        let plain = |c: char| c.is_alphanumeric() || "-_=+.,:/@%".contains(c);
        if !self.0.is_empty() {
            self.0.push(' ');
        }
        match !word.is_empty() && word.chars().all(plain) {
            true => self.0.push_str(word),
            false => {
                self.0.push('\'');
                self.0.push_str(&word.replace('\'', r"'\''"));
                self.0.push('\'');
            }
        }
        self
    }

    fn option(&mut self, flag: &str, value: &str) -> &mut Self {
        self.word(flag).word(value)
    }

    fn path(&mut self, flag: Option<&str>, path: &Path) -> &mut Self {
        if let Some(flag) = flag {
            self.word(flag);
        }
        self.word(&path.display().to_string())
    }

    fn flag(&mut self, flag: &str, set: bool) {
        if set {
            self.word(flag);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_a_shell_would_split_are_quoted() {
        let mut words = Words::default();
        words.word("a.png:0.7").word("my dog's").word("").word("$x");
        assert_eq!(words.0, r"a.png:0.7 'my dog'\''s' '' '$x'");
    }
}
