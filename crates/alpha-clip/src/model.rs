//! [`AlphaClip`]: both towers and what belongs to them, from a weight file.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{D, DType, Device, Tensor};
use checkpoint::{Checkpoint, Lora, Report};
use sha2::{Digest, Sha256};

use crate::config::{Activation, ClipConfig, VisionConfig};
use crate::error::{Error, Result};
use crate::hints::Hints;
use crate::preprocess::Preprocess;
use crate::probe::LinearProbe;
use crate::source::Weights;
use crate::text::TextTower;
use crate::tokenizer::Tokenizer;
use crate::views::VisionInput;
use crate::vision::{VisionOptions, VisionOutput, VisionTower};

/// Texts that go through the text tower at once.
const TEXTS_AT_ONCE: usize = 64;

/// How a model is loaded.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// Where it computes; the CPU by default.
    pub device: Device,
    /// What it computes in; f32 by default, whatever the file stores. LayerNorms stay in f32; in
    /// bf16 on a CPU so does all but the factors of products. See [`fastest_dtype`].
    pub dtype: DType,
    /// Whether the large products in the blocks of transformers are of 8-bit integers, which have a
    /// scale for every 64 values of a row on both sides. What else there is stays in `dtype`. It
    /// has no effect on devices other than a CPU, nor on blocks too narrow to gain by it.
    pub int8: bool,
    /// An Alpha-CLIP fine-tune, whose vision tower takes the place of the model's own. LoRA
    /// matrices are merged (open it with `clip(Lora::Ignore)` to leave them out).
    pub alpha_weights: Option<Checkpoint>,
    /// Whether the projection stays the model's own when alpha weights are laid over it. By
    /// default it does for a vision tower alone (what a diffusion model was trained to read; the
    /// reference's image variation does the same), and does not for a whole CLIP.
    pub keep_projection: Option<bool>,
    /// The activation of both towers, where the configuration is wrong or absent.
    pub activation: Option<Activation>,
    /// Another side of the square input in pixels than the file is for, a multiple of the patch
    /// (of 32 for a ResNet): the position table is interpolated.
    pub image_size: Option<usize>,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            device: Device::Cpu,
            dtype: DType::F32,
            int8: false,
            alpha_weights: None,
            keep_projection: None,
            activation: None,
            image_size: None,
        }
    }
}

impl LoadOptions {
    /// For a device, what is fastest there while the cosine of a tower's features with those in f32
    /// stays above 0.999: int8 on a CPU with instructions for it (AVX-VNNI, AVX512-VNNI), beside
    /// [`fastest_dtype`].
    pub fn fastest(device: Device) -> Self {
        Self {
            dtype: fastest_dtype(&device),
            int8: device.is_cpu() && kernels::Instructions::best().have_int8(),
            device,
            ..Self::default()
        }
    }
}

/// The floating-point type in which a tower is fastest on a device while the cosine of its features
/// with those in f32 stays above 0.999: bf16 on a CPU that multiplies it (AVX512-BF16), else f32.
pub fn fastest_dtype(device: &Device) -> DType {
    if device.is_cpu() && kernels::Instructions::best().have_bf16() {
        DType::BF16
    } else {
        DType::F32
    }
}

/// A CLIP or an Alpha-CLIP: vision tower, text tower, tokenizer, preprocessing, logit scale.
pub struct AlphaClip {
    vision: Arc<VisionTower>,
    text: TextTower,
    config: ClipConfig,
    tokenizer: Tokenizer,
    preprocess: Preprocess,
    logit_scale: f32,
    pose: Option<LinearProbe>,
    fingerprint: String,
    metadata: BTreeMap<String, String>,
    report: Report,
}

impl AlphaClip {
    /// Loads a model of any size from any file that [`Checkpoint`] opens, in any of the layouts
    /// of [`checkpoint::Layout`] that hold both towers. The architecture is read from the shapes
    /// of the tensors, activation and head counts from the configuration beside them (without one:
    /// QuickGELU and heads of 64, as OpenAI's).
    ///
    /// # Errors
    /// [`Error::Checkpoint`] or [`Error::Model`], which name the file, what it lacks and what to
    /// do: a vision tower alone, a model of another kind, another size than the alpha weights', …
    pub fn load(file: &Checkpoint, options: &LoadOptions) -> Result<Self> {
        let plan = Plan::of(file, options, false)?;
        let stored = plan.named(ClipConfig::infer(&plan.weights, &plan.hints))?;
        let mut config = stored.clone();
        config.vision = plan.named(config.vision.resized(options.image_size))?;
        // Some training programs keep the scalar as a vector of one.
        let scale = plan
            .weights
            .info("logit_scale")
            .map(|info| info.shape.clone());
        let scale = scale.filter(|shape| shape == &[1]).unwrap_or_default();
        let poses = plan
            .weights
            .info("pose.bias")
            .map(|info| info.shape.iter().product());
        let load = |weights: &Weights<'_>| {
            let logit_scale = weights.get_f32("logit_scale", &scale)?;
            let probe = |k| LinearProbe::load(&weights.at("pose"), k, config.vision.embed_dim);
            let pose = poses.map(probe).transpose()?;
            let text = TextTower::load(weights, config.text.clone())?;
            let vision = weights.at("visual");
            let vision = VisionTower::build(&vision, &stored.vision, config.vision.clone())?;
            Ok((vision, text, logit_scale, pose))
        };
        let ((vision, text, logit_scale, pose), report) = plan.run(options, load)?;
        let logit_scale = logit_scale
            .flatten_all()?
            .squeeze(0)?
            .to_scalar::<f32>()?
            .exp();
        if !logit_scale.is_finite() || logit_scale <= 0. {
            return plan.named(Err(Error::model(
                format!("the logit scale is {logit_scale}"),
                "check where the weights come from",
            )));
        }
        Ok(Self {
            tokenizer: Tokenizer::new(config.text.context),
            preprocess: plan.named(Preprocess::of(&plan.weights, config.vision.image_size))?,
            fingerprint: fingerprint(&plan.weights, &config, options),
            metadata: plan.weights.metadata().clone(),
            vision: Arc::new(vision),
            text,
            config,
            logit_scale,
            pose,
            report,
        })
    }

    /// The vision tower; it may outlive the rest.
    pub fn vision(&self) -> &Arc<VisionTower> {
        &self.vision
    }

    /// The text tower.
    pub fn text(&self) -> &TextTower {
        &self.text
    }

    /// The architecture of both.
    pub fn config(&self) -> &ClipConfig {
        &self.config
    }

    /// The tokenizer, for texts of the length that the text tower takes.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// How pictures become input of the vision tower.
    pub fn preprocess(&self) -> &Preprocess {
        &self.preprocess
    }

    /// What cosines are multiplied by before the softmax: the exponential of the stored value,
    /// about 100 for published models.
    pub fn logit_scale(&self) -> f32 {
        self.logit_scale
    }

    /// What tells the pose of an object by the features of its views, where the file has it
    /// (`pose.weight` `[K, E]`, `pose.bias` `[K]`).
    pub fn pose(&self) -> Option<&LinearProbe> {
        self.pose.as_ref()
    }

    /// 64 hexadecimal digits that change with the weights, the architecture (overrides included)
    /// and the type: a key for caches of features. It takes milliseconds to make and is no proof
    /// of authenticity.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The notes in the weight file (`__metadata__` of safetensors).
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    /// Which tensors were used, which were not, and their types.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The device that it computes on.
    pub fn device(&self) -> &Device {
        self.vision.device()
    }

    /// The type that it computes in.
    pub fn dtype(&self) -> DType {
        self.vision.dtype()
    }

    /// Features [B, E] of B pictures, in f32 and not normalised, and what `options` ask for
    /// beside them.
    ///
    /// # Errors
    /// [`Error::Input`] as [`VisionTower::forward`].
    pub fn encode_views(
        &self,
        input: &VisionInput,
        options: &VisionOptions,
    ) -> Result<VisionOutput> {
        let mut output = self.vision.forward(input, options)?;
        output.features = output.features.to_dtype(DType::F32)?;
        Ok(output)
    }

    /// Features [N, E] of N texts, in f32 and not normalised. Texts of like length are run
    /// together; what one text gives does not depend on the others beyond rounding.
    ///
    /// # Errors
    /// [`Error::TextTooLong`], and [`Error::Input`] if there are none.
    pub fn encode_texts<S: AsRef<str>>(&self, texts: &[S]) -> Result<Tensor> {
        let rows: Vec<Vec<u32>> = texts
            .iter()
            .map(|text| self.tokenizer.encode(text.as_ref()))
            .collect::<Result<_>>()?;
        self.encode_tokens(&rows)
    }

    /// As [`encode_texts`](Self::encode_texts), of rows of ids that all have one length, as the
    /// [`tokenizer`](Self::tokenizer) makes them: for texts that are to be cut where they are too
    /// long.
    ///
    /// # Errors
    /// [`Error::Input`] if there are none or an id is not in the vocabulary.
    pub fn encode_tokens(&self, rows: &[Vec<u32>]) -> Result<Tensor> {
        if rows.is_empty() {
            return Err(Error::input("there are no texts", "give at least one"));
        }
        let used = |row: &[u32]| {
            row.iter()
                .rposition(|id| *id != Tokenizer::PAD)
                .unwrap_or(0)
        };
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|&i| used(&rows[i]));
        let mut features = Vec::new();
        for chunk in order.chunks(TEXTS_AT_ONCE) {
            let ids: Vec<&[u32]> = chunk.iter().map(|&i| rows[i].as_slice()).collect();
            let ids = Tensor::new(ids, self.device())?;
            features.push(self.text.encode(&ids)?.to_dtype(DType::F32)?);
        }
        let mut places = vec![0u32; rows.len()];
        for (place, &row) in (0u32..).zip(&order) {
            places[row] = place;
        }
        let places = Tensor::from_vec(places, rows.len(), self.device())?;
        Ok(Tensor::cat(&features, 0)?.index_select(&places, 0)?)
    }
}

impl VisionTower {
    /// Loads the vision tower alone: of a whole CLIP, of a vision-only file, or of the
    /// `image_encoder` folder of a diffusers pipeline (CLIPVisionModelWithProjection). Alpha
    /// weights are laid over it as [`LoadOptions`] say.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] or [`Error::Model`], as for [`AlphaClip::load`].
    pub fn load(file: &Checkpoint, options: &LoadOptions) -> Result<Self> {
        let plan = Plan::of(file, options, true)?;
        let stored = plan.named(VisionConfig::infer(&plan.weights, &plan.hints))?;
        let config = plan.named(stored.resized(options.image_size))?;
        let load =
            |weights: &Weights<'_>| Self::build(&weights.at("visual"), &stored, config.clone());
        Ok(plan.run(options, load)?.0)
    }

    /// A tower of this architecture with random weights, for measurements; of the options, device
    /// and arithmetic count.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the device has no room.
    pub fn random(config: &VisionConfig, options: &LoadOptions) -> Result<Self> {
        let weights = Weights::noise(options).at("visual");
        Self::build(&weights, config, config.clone())
    }
}

/// What is to be loaded: the weights as they are after the overlay, under internal names.
struct Plan {
    weights: Checkpoint,
    hints: Hints,
}

impl Plan {
    fn of(file: &Checkpoint, options: &LoadOptions, vision_alone: bool) -> Result<Self> {
        let base = file.clip(Lora::Merge)?;
        let mut hints = in_file(&base, Hints::read(&base))?;
        hints.forced_activation = options.activation;
        let Some(alpha) = &options.alpha_weights else {
            return Ok(Self {
                weights: base,
                hints,
            });
        };
        let alpha = alpha.clip(Lora::Merge)?;
        if !alpha.contains("visual.conv1_alpha.weight") {
            return in_file(
                &alpha,
                Err(Error::model(
                    "these weights have no alpha channel (visual.conv1_alpha.weight)",
                    "give an Alpha-CLIP fine-tune as the alpha weights, and a plain CLIP as the model",
                )),
            );
        }
        let image_encoder = vision_alone && base.towers().is_some_and(|towers| !towers.text);
        let keep = options.keep_projection.unwrap_or(image_encoder);
        let replaced = |name: &str| name.starts_with("visual.") && !(keep && name == "visual.proj");
        // The towers must have the same parts, else the result would be a mixture.
        if let Some(lacking) = base
            .names()
            .find(|name| replaced(name) && !alpha.contains(name))
        {
            return in_file(
                &alpha,
                Err(Error::model(
                    format!(
                        "the alpha weights lack {lacking}, which {} has",
                        base.name()
                    ),
                    "take a model and alpha weights of the same architecture",
                )),
            );
        }
        let kept: Vec<&str> = alpha.names().filter(|name| !replaced(name)).collect();
        Ok(Self {
            weights: base.overlaid(&alpha, &kept),
            hints,
        })
    }

    /// Loads a model, once everything that it needs is known to be there.
    fn run<T>(
        &self,
        options: &LoadOptions,
        load: impl Fn(&Weights<'_>) -> Result<T>,
    ) -> Result<(T, Report)> {
        let plain = LoadOptions::default();
        let rehearsal = Weights::rehearsal(&plain);
        load(&rehearsal)?;
        let report = self.weights.check(rehearsal.asked()).into_result()?;
        let model = load(&Weights::file(&self.weights, options))?;
        Ok((model, report))
    }

    fn named<T>(&self, result: Result<T>) -> Result<T> {
        in_file(&self.weights, result)
    }
}

/// Puts the name of the file in front of what is wrong with its model.
fn in_file<T>(file: &Checkpoint, result: Result<T>) -> Result<T> {
    result.map_err(|error| match error {
        Error::Model { what, remedy } => Error::Model {
            what: format!("{}: {what}", file.name()),
            remedy,
        },
        other => other,
    })
}

fn fingerprint(weights: &Checkpoint, config: &ClipConfig, options: &LoadOptions) -> String {
    let mut hash = Sha256::new();
    hash.update(weights.fingerprint());
    hash.update(format!("{config:?} {:?}", options.dtype));
    if options.int8 {
        hash.update(" int8");
    }
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Rows scaled to length 1 over the last axis, in f32; a row of zeros stays one.
///
/// # Errors
/// [`Error::Tensor`] if the device fails.
pub fn normalise_rows(rows: &Tensor) -> Result<Tensor> {
    let rows = rows.to_dtype(DType::F32)?;
    let norms = rows.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?;
    Ok(rows.broadcast_div(&norms.maximum(f32::MIN_POSITIVE)?)?)
}

impl std::fmt::Debug for AlphaClip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AlphaClip")
            .field("vision", &self.vision)
            .field("text", &self.text)
            .field("logit_scale", &self.logit_scale)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_unit_and_zero_stays_zero() {
        let rows = Tensor::new(&[[3f32, 4.], [0., 0.], [1e-20, 0.]], &Device::Cpu).unwrap();
        let unit: Vec<Vec<f32>> = normalise_rows(&rows).unwrap().to_vec2().unwrap();
        assert_eq!(unit[0], [0.6, 0.8]);
        assert_eq!(unit[1], [0., 0.]);
        assert!(unit[2].iter().all(|x| x.is_finite()));
    }
}
