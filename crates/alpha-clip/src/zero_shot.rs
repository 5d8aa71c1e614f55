//! [`ZeroShotHead`]: features to words.

use candle_core::{D, DType, Device, Tensor};
use serde::Serialize;

use crate::cache::FeatureCache;
use crate::error::{Error, Result};
use crate::model::{AlphaClip, normalise_rows};
use crate::templates::PromptTemplates;

/// Classes by their names (Radford et al., 2021): a class is the unit mean of the unit text
/// features of its prompts, a score the softmax of logit scale × cosine.
#[derive(Clone, Debug)]
pub struct ZeroShotHead {
    labels: Vec<String>,
    /// [K, E], unit rows, f32 on the CPU.
    vectors: Tensor,
    logit_scale: f32,
}

/// A label and its score.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scored {
    /// The label.
    pub label: String,
    /// Its probability among all labels, 0..=1.
    pub score: f32,
    /// Its place in the list of labels.
    #[serde(skip)]
    pub index: usize,
}

impl ZeroShotHead {
    /// A head for `labels`, each put into every prompt of `templates`. Text features are taken
    /// from `cache` where it has them, and kept there.
    ///
    /// # Errors
    /// [`Error::TextTooLong`], and [`Error::Input`] if there is no label.
    pub fn build(
        clip: &AlphaClip,
        labels: &[impl AsRef<str>],
        templates: &PromptTemplates,
        cache: Option<&FeatureCache>,
    ) -> Result<Self> {
        let labels: Vec<String> = labels.iter().map(|l| l.as_ref().to_owned()).collect();
        if labels.is_empty() {
            return Err(Error::input("there is no label", "give at least one"));
        }
        let texts: Vec<String> = labels.iter().flat_map(|l| templates.fill(l)).collect();
        let features = match cache {
            Some(cache) => cache.features(clip, &texts)?,
            None => unit_features(clip, &texts)?,
        };
        let (_, width) = features.dims2()?;
        let each = features.reshape((labels.len(), templates.len(), width))?;
        let vectors = normalise_rows(&each.mean(1)?)?;
        Ok(Self {
            labels,
            vectors,
            logit_scale: clip.logit_scale(),
        })
    }

    /// A head of given class vectors [K, E] (any length, any device) in place of text features.
    ///
    /// # Errors
    /// [`Error::Input`] if there is not one row for each label.
    pub fn from_vectors(labels: Vec<String>, vectors: &Tensor, logit_scale: f32) -> Result<Self> {
        if labels.is_empty() || vectors.rank() != 2 || vectors.dim(0)? != labels.len() {
            return Err(Error::input(
                format!(
                    "{} labels and vectors of shape {:?}",
                    labels.len(),
                    vectors.dims()
                ),
                "give one row for each label",
            ));
        }
        let vectors = normalise_rows(&vectors.to_device(&Device::Cpu)?.to_dtype(DType::F32)?)?;
        Ok(Self {
            labels,
            vectors,
            logit_scale,
        })
    }

    /// The labels (K).
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The class vectors [K, E], unit rows, f32 on the CPU.
    pub fn vectors(&self) -> &Tensor {
        &self.vectors
    }

    /// What cosines are multiplied by.
    pub fn logit_scale(&self) -> f32 {
        self.logit_scale
    }

    /// Probabilities [B, K] of unit features [B, E], f32 on the CPU.
    ///
    /// # Errors
    /// [`Error::Input`] if the features have another width than the class vectors.
    pub fn probabilities(&self, features: &Tensor) -> Result<Tensor> {
        let width = self.vectors.dim(1)?;
        if features.rank() != 2 || features.dim(1)? != width {
            return Err(Error::input(
                format!("features of shape {:?}", features.dims()),
                format!("give [B, {width}], from the model that the labels were encoded with"),
            ));
        }
        let features = features.to_device(&Device::Cpu)?.to_dtype(DType::F32)?;
        let logits = (features.matmul(&self.vectors.t()?)? * f64::from(self.logit_scale))?;
        Ok(candle_nn::ops::softmax(&logits, D::Minus1)?)
    }

    /// The `count` likeliest labels of one unit feature `[E]`, best first; of equal ones the
    /// earlier label comes first.
    ///
    /// # Errors
    /// As [`probabilities`](Self::probabilities).
    pub fn top(&self, feature: &Tensor, count: usize) -> Result<Vec<Scored>> {
        let scores = self
            .probabilities(&feature.unsqueeze(0)?)?
            .squeeze(0)?
            .to_vec1::<f32>()?;
        Ok(self.ranked(&scores, count))
    }

    /// The `count` likeliest labels where `scores` are the labels' probabilities in their order; best
    /// first, of equal ones the earlier label. Labels beyond the scores are left out.
    pub fn ranked(&self, scores: &[f32], count: usize) -> Vec<Scored> {
        let mut scored: Vec<Scored> = self
            .labels
            .iter()
            .zip(scores)
            .enumerate()
            .map(|(index, (label, &score))| Scored {
                label: label.clone(),
                score,
                index,
            })
            .collect();
        scored.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.index.cmp(&b.index)));
        scored.truncate(count);
        scored
    }
}

/// Unit text features [N, E], f32 on the CPU.
pub(crate) fn unit_features(clip: &AlphaClip, texts: &[String]) -> Result<Tensor> {
    let features = clip.encode_texts(texts)?.to_device(&Device::Cpu)?;
    normalise_rows(&features)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> ZeroShotHead {
        let vectors = Tensor::new(&[[2f32, 0.], [0., 3.], [1., 0.]], &Device::Cpu).unwrap();
        let labels = ["x", "y", "x again"].map(String::from).to_vec();
        ZeroShotHead::from_vectors(labels, &vectors, 10.).unwrap()
    }

    #[test]
    fn scores_are_the_softmax_of_scaled_cosines() {
        let feature = Tensor::new(&[0.6f32, 0.8], &Device::Cpu).unwrap();
        let top = head().top(&feature, 3).unwrap();
        let order: Vec<&str> = top.iter().map(|s| s.label.as_str()).collect();
        assert_eq!(
            order,
            ["y", "x", "x again"],
            "equal scores keep the order of the labels"
        );
        let exact = 8f32.exp() / (8f32.exp() + 2. * 6f32.exp());
        assert!((top[0].score - exact).abs() < 1e-6);
        assert!((top.iter().map(|s| s.score).sum::<f32>() - 1.).abs() < 1e-6);
        assert_eq!(head().top(&feature, 1).unwrap().len(), 1);
    }

    #[test]
    fn features_of_another_model_are_refused() {
        let feature = Tensor::new(&[1f32, 0., 0.], &Device::Cpu).unwrap();
        assert!(head().top(&feature, 1).is_err());
        assert!(ZeroShotHead::from_vectors(vec!["x".into()], head().vectors(), 1.).is_err());
    }
}
