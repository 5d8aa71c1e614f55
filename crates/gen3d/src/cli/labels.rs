//! The words to choose from, and the prompts around them.

use std::path::Path;

use alpha_clip::{FeatureCache, LabelSet, PromptTemplates, ZeroShotHead};
use anyhow::{Context as _, anyhow, bail};
use point_clip::project::{V1_FEW_SHOT_TEMPLATE, V1_ZERO_SHOT_TEMPLATE};
use point_clip::recognize::Projection;

use super::args::{MoreLabels, Words};
use super::failure::Failure;
use super::model::Model;

/// The most bytes of a file of labels.
const LABELS_FILE_LIMIT: u64 = 16 << 20;

impl Words {
    /// The head for the labels that were asked for.
    pub(crate) fn head(
        &self,
        model: &Model,
        projection: Option<Projection>,
    ) -> Result<ZeroShotHead, Failure> {
        let labels = self.chosen().map_err(Failure::usage)?;
        let templates = templates(&self.prompt, model, projection)?;
        let cache = if self.no_cache {
            None
        } else {
            FeatureCache::user_default()
        };
        ZeroShotHead::build(&model.clip, &labels, &templates, cache.as_ref())
            .map_err(Failure::usage)
    }

    fn chosen(&self) -> anyhow::Result<Vec<String>> {
        if let Some(path) = &self.labels_file {
            return labels_in(path);
        }
        if self.labels.is_empty() {
            return labels_named(&self.label_set);
        }
        let labels = LabelSet::new(&self.labels).map_err(|e| anyhow!("--labels: {e}"))?;
        Ok(labels.names().to_vec())
    }
}

impl MoreLabels {
    /// Whether none are asked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.labels_file.is_none() && self.label_set.is_none()
    }

    /// `own` labels, and behind them those asked for that are not among them.
    pub(crate) fn beside(&self, own: &[String]) -> Result<Vec<String>, Failure> {
        let more = match (&self.labels_file, &self.label_set) {
            (Some(path), _) => labels_in(path),
            (None, Some(name)) => labels_named(name),
            (None, None) => Ok(Vec::new()),
        };
        let mut all = own.to_vec();
        for label in more.map_err(Failure::usage)? {
            if !all.contains(&label) {
                all.push(label);
            }
        }
        Ok(all)
    }
}

fn labels_named(name: &str) -> anyhow::Result<Vec<String>> {
    let set = LabelSet::by_name(name).map_err(|e| anyhow!("--label-set: {e}"))?;
    Ok(set.names().to_vec())
}

fn labels_in(path: &Path) -> anyhow::Result<Vec<String>> {
    let read = || -> anyhow::Result<LabelSet> {
        let unreadable =
            |e| anyhow!("cannot be read ({e}); give a text file with one label a line");
        let length = std::fs::metadata(path).map_err(unreadable)?.len();
        if length > LABELS_FILE_LIMIT {
            bail!("{length} bytes are too many for a list of labels; give a shorter one");
        }
        Ok(LabelSet::from_lines(
            &std::fs::read_to_string(path).map_err(unreadable)?,
        )?)
    };
    let labels = read().with_context(|| format!("--labels-file: {}", path.display()))?;
    Ok(labels.names().to_vec())
}

/// The prompts that were given, else the model's, else those of the projection.
pub(crate) fn templates(
    given: &[String],
    model: &Model,
    projection: Option<Projection>,
) -> Result<PromptTemplates, Failure> {
    if !given.is_empty() {
        return PromptTemplates::new(given.to_vec())
            .map_err(|e| Failure::usage(anyhow!("--prompt: {e}")));
    }
    if let Some(own) = gen3d::embedded::templates(model.clip.metadata()) {
        return Ok(own);
    }
    let one = |prompt: &str| PromptTemplates::new(vec![prompt.to_owned()]).map_err(Failure::usage);
    match projection {
        None => one("a photo of a {}."),
        Some(Projection::V1) => one(V1_ZERO_SHOT_TEMPLATE),
        Some(Projection::V1FewShot) => one(V1_FEW_SHOT_TEMPLATE),
        Some(Projection::Shaded | Projection::V2) => one("a 3d render of a {}."),
    }
}
