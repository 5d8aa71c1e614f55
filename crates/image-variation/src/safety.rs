//! The safety checker that pipelines may come with.

use alpha_clip::{LoadOptions, Picture, Preprocess, Region, VisionTower};
use candle_core::{D, DType, Device, Tensor};
use checkpoint::Checkpoint;

use crate::error::{Error, Result};
use crate::pipeline::to_rgb8;

/// `StableDiffusionSafetyChecker`: tells pictures whose embedding is too close to one of some
/// concepts.
#[derive(Debug)]
pub(crate) struct SafetyChecker {
    tower: VisionTower,
    preprocess: Preprocess,
    concepts: Concepts,
    /// Concepts that make the others count more.
    special: Concepts,
}

#[derive(Debug)]
struct Concepts {
    /// Unit rows [N, D].
    directions: Tensor,
    /// Cosines from which a concept counts as shown.
    thresholds: Vec<f32>,
}

impl SafetyChecker {
    /// `options` say where to compute.
    pub(crate) fn load(file: &Checkpoint, options: &LoadOptions) -> Result<Self> {
        let tower = VisionTower::load(file, options)?;
        let width = tower.config().embed_dim;
        let concepts = |name: &str| Concepts::load(file, name, width, &options.device);
        Ok(Self {
            preprocess: Preprocess::clip(tower.config().image_size),
            concepts: concepts("concept_embeds")?,
            special: concepts("special_care_embeds")?,
            tower,
        })
    }

    /// Whether a picture [3, H, W] with values in 0..=1 shows what it should not.
    pub(crate) fn flags(&self, image: &Tensor) -> Result<bool> {
        let rgb = to_rgb8(image)?;
        let (width, height) = (rgb.width() as usize, rgb.height() as usize);
        let picture = Picture::from_rgb8(width, height, rgb.into_raw())?;
        let input = self.preprocess.prepare(&picture, &Region::Whole)?;
        let embedding = self.tower.encode(&input)?.to_dtype(DType::F32)?;
        let concepts = self.concepts.cosines(&embedding)?;
        let special = self.special.cosines(&embedding)?;
        Ok(decide(
            (&special, &self.special.thresholds),
            (&concepts, &self.concepts.thresholds),
        ))
    }
}

impl Concepts {
    fn load(file: &Checkpoint, name: &str, width: usize, device: &Device) -> Result<Self> {
        let thresholds = format!("{name}_weights");
        let shape = |name: &str| file.info(name).map(|info| info.shape.as_slice());
        let fits = matches!((shape(name), shape(&thresholds)), (Some(&[n, w]), Some(&[m])) if n == m && w == width);
        if !fits {
            return Err(Error::pipeline(
                file.name(),
                format!("the safety checker's {name} are missing or do not fit its tower"),
                "download it again, or switch the safety check off",
            ));
        }
        let directions = file.tensor(name, DType::F32, device)?;
        let lengths = directions.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?;
        Ok(Self {
            directions: directions.broadcast_div(&lengths)?,
            thresholds: file
                .tensor(&thresholds, DType::F32, &Device::Cpu)?
                .to_vec1()?,
        })
    }

    /// The cosine of each concept and an embedding [1, D].
    fn cosines(&self, embedding: &Tensor) -> Result<Vec<f32>> {
        let length = embedding.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?;
        let unit = embedding.broadcast_div(&length)?;
        Ok(unit
            .matmul(&self.directions.t()?)?
            .flatten_all()?
            .to_vec1()?)
    }
}

/// Whether any concept is shown: cosine minus threshold, rounded to three decimals, above 0. A
/// special concept that is shown adds 0.01 to all that come after it.
fn decide(
    (special, special_thresholds): (&[f32], &[f32]),
    (concepts, thresholds): (&[f32], &[f32]),
) -> bool {
    const MORE: f64 = 0.01;
    let shown = |cosine: f32, threshold: f32, more: f64| {
        let excess = f64::from(cosine) - f64::from(threshold) + more;
        (excess * 1000.).round_ties_even() > 0.
    };
    let mut more = 0.;
    for (&cosine, &threshold) in special.iter().zip(special_thresholds) {
        if shown(cosine, threshold, more) {
            more = MORE;
        }
    }
    let mut pairs = concepts.iter().zip(thresholds);
    pairs.any(|(&cosine, &threshold)| shown(cosine, threshold, more))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::golden::{self, assert_within, flat, tensor, values};

    fn checker() -> SafetyChecker {
        let file = golden::part("safety_checker", "model.safetensors");
        SafetyChecker::load(&file, &LoadOptions::default()).unwrap()
    }

    #[test]
    fn cosines_equal_the_reference() {
        let checker = checker();
        let inputs = tensor("safety/clip_input");
        for (i, row) in [1, 2].into_iter().enumerate() {
            let pixels = inputs.narrow(0, i, 1).unwrap();
            let input = alpha_clip::VisionInput {
                pixels,
                alpha: None,
            };
            let embedding = checker.tower.encode(&input).unwrap();
            let wanted = |name, width| values(name)[row * width..][..width].to_vec();
            assert_within(
                &flat(&embedding),
                &wanted("safety/embeds", 16),
                5e-5,
                "embeds",
            );
            let concepts = checker.concepts.cosines(&embedding).unwrap();
            assert_within(
                &concepts,
                &wanted("safety/cos_concepts", 17),
                1e-5,
                "concepts",
            );
            let special = checker.special.cosines(&embedding).unwrap();
            assert_within(&special, &wanted("safety/cos_special", 3), 1e-5, "special");
        }
    }

    #[test]
    fn decisions_equal_the_reference() {
        let checker = checker();
        let (concepts, special) = (values("safety/cos_concepts"), values("safety/cos_special"));
        let decisions: Vec<i64> = concepts
            .chunks(17)
            .zip(special.chunks(3))
            .map(|(concepts, special)| {
                i64::from(decide(
                    (special, &checker.special.thresholds),
                    (concepts, &checker.concepts.thresholds),
                ))
            })
            .collect();
        assert_eq!(decisions, golden::integers("safety/decision"));
    }

    #[test]
    fn a_checker_without_its_concepts_is_refused() {
        let data = golden::weights("pipeline/image_encoder/model.safetensors");
        let file = Checkpoint::from_bytes(data, "encoder")
            .unwrap()
            .with_config("config.json", golden::config("pipeline/image_encoder"));
        let said = SafetyChecker::load(&file, &LoadOptions::default())
            .unwrap_err()
            .to_string();
        assert!(said.contains("concept_embeds"), "{said}");
    }
}
