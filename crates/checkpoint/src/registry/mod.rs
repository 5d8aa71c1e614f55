//! Published weights that are known: what they are, what they may be used for, where they live.
//!
//! The entries are data (`towers.json`); a new one needs no code.
//!
//! ```
//! use checkpoint::registry;
//!
//! let tower = registry::find("openai/ViT-L-14").expect("is published");
//! assert_eq!(tower.pixels, 224);
//! assert!(tower.licence().commercial);
//! let hidden = registry::towers().iter().filter(|t| !t.licence().commercial).count();
//! assert_eq!(hidden, 8); // Alpha-CLIP's are for research
//! ```

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// One published set of weights.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tower {
    /// Unique name, `maker/model`; for weights on the Hugging Face hub, their repository.
    pub name: String,
    /// Who made it.
    pub maker: String,
    /// `ViT-L/14`, `RN50x4`, … as in the papers.
    pub architecture: String,
    /// What the file holds.
    pub kind: Kind,
    /// Height and width of the pictures that it takes, in pixels.
    pub pixels: u32,
    /// Length of its features.
    pub embedding: u32,
    /// Number of weights.
    pub parameters: u64,
    /// Type that most weights are stored in (`F32`, `F16`).
    pub stored: String,
    /// Length of a text in tokens; none without a text tower.
    pub context: Option<u32>,
    /// Whether it takes an alpha plane beside the picture.
    pub alpha: bool,
    /// `quick_gelu` or `gelu`.
    pub activation: String,
    /// Key of the licence.
    licence: String,
    /// A page for people.
    pub page: String,
    /// Where the weights are.
    pub source: Source,
    /// The whole CLIP that a vision tower goes over.
    #[serde(default)]
    pub base: Option<String>,
    /// What else to know, one or two sentences.
    #[serde(default)]
    pub note: Option<String>,
}

/// What published weights hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A vision and a text tower.
    Clip,
    /// A vision tower that goes over a base CLIP.
    Vision,
    /// A diffusion pipeline with a CLIP image encoder.
    Pipeline,
}

/// Where published weights are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Source {
    /// A repository on the Hugging Face hub.
    Hub {
        /// `owner/name`.
        hub: String,
        /// Branch, tag or commit; `main` if none.
        #[serde(default)]
        revision: Option<String>,
        /// Folders to take beside the top one.
        #[serde(default)]
        folders: Vec<String>,
    },
    /// One file.
    Url {
        /// Its address.
        url: String,
        /// Its name.
        file: String,
        /// Its SHA-256.
        sha256: String,
    },
    /// To be downloaded by hand (from a cloud drive).
    ByHand {
        /// The page with the links.
        by_hand: String,
        /// The file's name.
        file: String,
    },
}

/// What weights may be used for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Licence {
    /// Its usual name.
    pub name: String,
    /// Whether commercial use is allowed.
    pub commercial: bool,
    /// What it means, in a sentence or two. No legal advice.
    pub plain: String,
    /// Its text.
    pub page: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Registry {
    licences: BTreeMap<String, Licence>,
    towers: Vec<Tower>,
}

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    // The text is part of the program, and a test reads it.
    serde_json::from_str(include_str!("towers.json")).expect("towers.json is valid")
});

static UNKNOWN: LazyLock<Licence> = LazyLock::new(|| Licence {
    name: "unknown".into(),
    commercial: false,
    plain: "The licence is not known.".into(),
    page: String::new(),
});

/// All known weights, grouped by maker.
pub fn towers() -> &'static [Tower] {
    &REGISTRY.towers
}

/// The weights of this name. Case does not matter, and the maker may be left out where only one
/// has a model of that name (`ViT-L-14`).
pub fn find(name: &str) -> Option<&'static Tower> {
    let exact = towers().iter().find(|t| t.name.eq_ignore_ascii_case(name));
    exact.or_else(|| {
        let mut same = towers()
            .iter()
            .filter(|t| t.model().eq_ignore_ascii_case(name));
        same.next().filter(|_| same.next().is_none())
    })
}

/// Names that resemble a mistyped one, the most similar first, at most five.
pub fn similar(name: &str) -> Vec<&'static str> {
    let wanted = letters(name);
    let mut scored: Vec<_> = towers()
        .iter()
        .map(|t| (shared_pairs(&wanted, &letters(&t.name)), t.name.as_str()))
        .filter(|(score, _)| *score >= 0.3)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(5).map(|(_, name)| name).collect()
}

/// The published file with this SHA-256.
pub fn by_sha256(digest: &str) -> Option<&'static Tower> {
    towers().iter().find(|t| t.sha256() == Some(digest))
}

/// The published weights whose file is called so.
pub fn by_file_name(name: &str) -> Option<&'static Tower> {
    towers().iter().find(|t| t.file() == Some(name))
}

impl Tower {
    /// The licence of the weights.
    pub fn licence(&self) -> &'static Licence {
        REGISTRY.licences.get(&self.licence).unwrap_or(&UNKNOWN)
    }

    /// The name without its maker.
    pub fn model(&self) -> &str {
        self.name
            .split_once('/')
            .map_or(self.name.as_str(), |(_, model)| model)
    }

    /// About how many bytes the weights have.
    pub fn approximate_bytes(&self) -> u64 {
        self.parameters * if self.stored == "F16" { 2 } else { 4 }
    }

    /// Name of its one file, where it has one.
    pub fn file(&self) -> Option<&str> {
        match &self.source {
            Source::Url { file, .. } | Source::ByHand { file, .. } => Some(file),
            Source::Hub { .. } => None,
        }
    }

    /// The published SHA-256, where there is one.
    pub fn sha256(&self) -> Option<&str> {
        match &self.source {
            Source::Url { sha256, .. } => Some(sha256),
            _ => None,
        }
    }
}

fn letters(name: &str) -> Vec<char> {
    name.to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric())
        .collect()
}

/// Dice coefficient of neighbouring letters, 0 to 1.
fn shared_pairs(a: &[char], b: &[char]) -> f64 {
    let shared = a
        .windows(2)
        .filter(|pair| b.windows(2).any(|other| other == *pair))
        .count();
    2.0 * shared as f64 / (a.len() + b.len()).saturating_sub(2).max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::is_sha256;

    #[test]
    fn every_entry_makes_sense() {
        let mut names = std::collections::BTreeSet::new();
        for tower in towers() {
            assert!(
                names.insert(tower.name.to_lowercase()),
                "{} is there twice",
                tower.name
            );
            assert!(
                REGISTRY.licences.contains_key(&tower.licence),
                "{}",
                tower.name
            );
            assert!(tower.sha256().is_none_or(is_sha256), "{}", tower.name);
            assert!(tower.page.starts_with("https://"), "{}", tower.name);
            assert!(["quick_gelu", "gelu"].contains(&tower.activation.as_str()));
            assert!(["F16", "F32"].contains(&tower.stored.as_str()));
            assert_eq!(tower.alpha, tower.maker == "Alpha-CLIP");
            if let Some(base) = &tower.base {
                let base = find(base).expect("its base is known");
                assert_eq!(
                    (base.embedding, base.pixels),
                    (tower.embedding, tower.pixels)
                );
            }
            if let Source::Url { url, file, sha256 } = &tower.source {
                assert!(url.ends_with(&format!("{sha256}/{file}")), "{url}");
            }
        }
        assert!(
            REGISTRY
                .licences
                .values()
                .all(|l| l.plain.ends_with(['.', ')']))
        );
    }

    #[test]
    fn names_are_found_however_they_are_written() {
        assert_eq!(find("OPENAI/vit-l-14").unwrap().name, "openai/ViT-L-14");
        assert_eq!(
            find("clip_b16_grit1m_fultune_8xe").unwrap().maker,
            "Alpha-CLIP"
        );
        assert!(find("ViT").is_none());
        assert!(similar("openai/ViT-L14").contains(&"openai/ViT-L-14"));
        assert!(similar("qqq").is_empty());
        let sha = "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af";
        assert_eq!(by_sha256(sha).unwrap().file(), Some("ViT-B-32.pt"));
        assert_eq!(by_file_name("RN50.pt").unwrap().embedding, 1024);
    }
}
