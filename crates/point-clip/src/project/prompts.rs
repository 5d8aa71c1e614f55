//! The sentences that PointCLIP V2 published, read from a file of the user's.

use super::{Backbone, Benchmark, ScoreError};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// A prompt file: JSON with the published sentences,
///
/// ```json
/// {"v2": {"modelnet40": {"vit_b16": {"prompts": ["A three-dimensional …", "…"]}}},
///  "v2_part_segmentation": {"chair": {"parts": ["back", "seat pad", "leg", "armrest"],
///                                     "prompts": ["…", "…", "…", "…"],
///                                     "view_weights": [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]}}}
/// ```
///
/// One sentence a class, in the order of [`Benchmark::classes`], used as it is. Other keys are left
/// alone. The sentences were chosen with the labels of the test set: state figures made with them
/// beside figures with one template.
#[derive(Clone, Debug)]
pub struct PromptFile {
    name: String,
    contents: Contents,
}

/// What is known of the parts of one kind of object.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct PartPrompts {
    /// Names of the parts, in the order of the labels.
    pub parts: Vec<String>,
    /// One sentence a part.
    pub prompts: Vec<String>,
    /// Factors of the ten views.
    pub view_weights: [f32; 10],
}

#[derive(Clone, Debug, Deserialize)]
struct Contents {
    v2: BTreeMap<String, BTreeMap<String, ClassPrompts>>,
    #[serde(default)]
    v2_part_segmentation: BTreeMap<String, PartPrompts>,
}

#[derive(Clone, Debug, Deserialize)]
struct ClassPrompts {
    prompts: Vec<String>,
}

impl PromptFile {
    /// Reads a prompt file.
    ///
    /// # Errors
    /// [`ScoreError::Prompts`] where it cannot be read or is no such file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ScoreError> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|e| ScoreError::Prompts {
            file: name.clone(),
            what: e.to_string(),
            remedy: "check the path and its permissions".into(),
        })?;
        Self::from_bytes(&bytes, &name)
    }

    /// Reads a prompt file in memory; `name` is what errors call it.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_bytes(bytes: &[u8], name: &str) -> Result<Self, ScoreError> {
        let contents = serde_json::from_slice(bytes).map_err(|e| ScoreError::Prompts {
            file: name.to_owned(),
            what: format!("not a prompt file: {e}"),
            remedy: "give the JSON file with PointCLIP V2's prompts".into(),
        })?;
        Ok(PromptFile {
            name: name.to_owned(),
            contents,
        })
    }

    /// The sentences for the classes of `benchmark`, one each.
    ///
    /// # Errors
    /// [`ScoreError::Prompts`] where there are none for this pair, or not one a class.
    pub fn sentences(
        &self,
        benchmark: Benchmark,
        backbone: Backbone,
    ) -> Result<&[String], ScoreError> {
        let key = |name: &String| name.parse() == Ok(backbone);
        let found = self.contents.v2.get(benchmark.name()).and_then(|of| {
            of.iter()
                .find(|(name, _)| key(name))
                .map(|(_, prompts)| prompts.prompts.as_slice())
        });
        let classes = benchmark.classes().len();
        let what = match found {
            Some(sentences) if sentences.len() == classes => return Ok(sentences),
            Some(sentences) => {
                let count = sentences.len();
                format!("{count} sentences for the {classes} classes of {benchmark}, {backbone}")
            }
            None => format!("no sentences for {benchmark} and {backbone}"),
        };
        Err(ScoreError::Prompts {
            file: self.name.clone(),
            what,
            remedy: "choose another pair, or use a template".into(),
        })
    }

    /// The parts of a kind of object (`airplane`, `chair`, …), if there is one sentence for each.
    pub fn parts(&self, category: &str) -> Option<&PartPrompts> {
        let found = self.contents.v2_part_segmentation.get(category)?;
        (!found.parts.is_empty() && found.parts.len() == found.prompts.len()).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_one_a_class() {
        let quoted: Vec<_> = (0..15).map(|i| format!("\"Sentence {i}.\"")).collect();
        let json = |count: usize| {
            let list = quoted[..count].join(",");
            format!(
                r#"{{"about": 1, "v2": {{"scanobjectnn": {{"vit_b16": {{"prompts": [{list}]}}}}}}}}"#
            )
        };
        let read = |count| PromptFile::from_bytes(json(count).as_bytes(), "p.json").unwrap();
        let file = read(15);
        let sentences = file
            .sentences(Benchmark::ScanObjectNn, Backbone::VitB16)
            .unwrap();
        assert_eq!(sentences[14], "Sentence 14.");
        let say = |file: &PromptFile, benchmark, backbone| {
            file.sentences(benchmark, backbone).unwrap_err().to_string()
        };
        assert_eq!(
            say(&read(3), Benchmark::ScanObjectNn, Backbone::VitB16),
            "p.json: 3 sentences for the 15 classes of scanobjectnn, ViT-B/16; \
             choose another pair, or use a template"
        );
        assert!(say(&file, Benchmark::ModelNet10, Backbone::VitB16).contains("no sentences"));
        assert!(say(&file, Benchmark::ScanObjectNn, Backbone::Rn50).contains("RN50"));
        assert_eq!(file.parts("chair"), None);
    }

    #[test]
    fn other_files_are_errors() {
        for bytes in [
            &b""[..],
            b"{}",
            b"[1, 2]",
            b"ply\n",
            &[b'['; 100_000],
            b"{\"v2\": 3}",
        ] {
            let error = PromptFile::from_bytes(bytes, "p.json")
                .unwrap_err()
                .to_string();
            assert!(error.starts_with("p.json: not a prompt file") && !error.contains('\n'));
        }
        let error = PromptFile::open("no/such/file.json")
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("no/such/file.json: "));
    }

    /// The published file, where it lies beside the repository.
    #[test]
    #[allow(clippy::print_stderr)]
    fn the_published_file_has_all_pairs() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../../shared/golden/pointclip/prompts_mit_pointclip_v2.json");
        if !path.exists() {
            eprintln!("skipped: {} is not here", path.display());
            return;
        }
        let file = PromptFile::open(&path).unwrap();
        for benchmark in [Benchmark::ModelNet40, Benchmark::ScanObjectNn] {
            for backbone in Backbone::ALL {
                let sentences = file.sentences(benchmark, backbone).unwrap();
                assert!(sentences.iter().all(|s| !s.is_empty()));
            }
        }
        assert_eq!(file.parts("chair").unwrap().parts.len(), 4);

        // The tables of this crate are those of the file.
        let json: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        for benchmark in Benchmark::ALL {
            assert_eq!(
                json["classes"][benchmark.name()],
                serde_json::json!(benchmark.classes())
            );
            for (key, backbone) in ["rn50", "rn101", "vit_b32", "vit_b16"]
                .iter()
                .zip(Backbone::ALL)
            {
                let stored = &json["v2"][benchmark.name()][key]["view_weights"];
                match benchmark.view_weights(backbone) {
                    Some(weights) => assert_eq!(*stored, serde_json::json!(weights)),
                    None => assert!(stored.is_null()),
                }
            }
        }
        assert_eq!(
            json["v1"]["zero_shot_template"],
            super::super::V1_ZERO_SHOT_TEMPLATE
        );
        assert_eq!(
            json["v1"]["few_shot_template"],
            super::super::V1_FEW_SHOT_TEMPLATE
        );
    }
}
