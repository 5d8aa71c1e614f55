//! [`PromptTemplates`]: the sentences that labels are put into.

use crate::error::{Error, Result};

/// Where the label goes.
const PLACE: &str = "{}";

/// One or more prompts with a place, `{}`, for the label.
///
/// ```
/// use alpha_clip::PromptTemplates;
///
/// let prompts = PromptTemplates::new(vec!["a photo of a {}.".into()])?;
/// assert_eq!(prompts.fill("dog").collect::<Vec<_>>(), ["a photo of a dog."]);
/// assert_eq!(PromptTemplates::imagenet().len(), 80);
/// # Ok::<(), alpha_clip::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromptTemplates(Vec<String>);

impl PromptTemplates {
    /// These prompts.
    ///
    /// # Errors
    /// [`Error::Input`] if there is none, or one does not have exactly one `{}`.
    pub fn new(prompts: Vec<String>) -> Result<Self> {
        if prompts.is_empty() {
            return Err(Error::input(
                "there is no prompt",
                "give at least one, \"{}\" for instance",
            ));
        }
        for prompt in &prompts {
            if prompt.matches(PLACE).count() != 1 {
                return Err(Error::input(
                    format!("the prompt {prompt:?} does not hold {PLACE} exactly once"),
                    "put {} where the label goes",
                ));
            }
        }
        Ok(Self(prompts))
    }

    /// The label alone.
    pub fn plain() -> Self {
        Self(vec![PLACE.into()])
    }

    /// CLIP's simplest: "a photo of a {}."
    pub fn photo() -> Self {
        Self(vec!["a photo of a {}.".into()])
    }

    /// The 80 prompts that CLIP was evaluated on ImageNet with (Radford et al., 2021, from the
    /// notebook in OpenAI's repository).
    pub fn imagenet() -> Self {
        let prompts = include_str!("../assets/imagenet_templates.txt").lines();
        Self(prompts.map(str::to_owned).collect())
    }

    /// The number of prompts.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Never true: there is at least one.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The prompts themselves.
    pub fn prompts(&self) -> &[String] {
        &self.0
    }

    /// All prompts with `label` in its place. An underscore in the label stands for a blank, as in
    /// the class names of data sets.
    pub fn fill(&self, label: &str) -> impl Iterator<Item = String> {
        let label = label.replace('_', " ");
        self.0
            .iter()
            .map(move |prompt| prompt.replacen(PLACE, &label, 1))
    }
}

impl Default for PromptTemplates {
    fn default() -> Self {
        Self::plain()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prompt_has_one_place() {
        for wrong in ["a photo", "{} and {}", ""] {
            assert!(PromptTemplates::new(vec![wrong.into()]).is_err(), "{wrong}");
        }
        assert!(PromptTemplates::new(Vec::new()).is_err());
        let imagenet = PromptTemplates::imagenet();
        assert!(PromptTemplates::new(imagenet.prompts().to_vec()).is_ok());
        assert_eq!(imagenet.len(), 80);
        assert_eq!(
            imagenet.fill("night_stand").next().unwrap(),
            "a bad photo of a night stand."
        );
    }
}
