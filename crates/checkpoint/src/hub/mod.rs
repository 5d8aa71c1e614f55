//! Published weights on this machine and, with the feature `hub`, on the network.
//!
//! [`Cache`] finds what is there; it never touches the network. `Hub` (feature `hub`) fetches what
//! is not. Both use the places of the libraries that people have already: the Hugging Face cache
//! for repositories (`HF_HUB_CACHE`, `HF_HOME`, or `~/.cache/huggingface`), the folder of OpenAI's
//! package for its files (`~/.cache/clip`).

#[cfg(feature = "hub")]
mod fetch;
#[cfg(feature = "hub")]
mod pull;

use std::env;
use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::folder;
use crate::registry::{Source, Tower};

#[cfg(feature = "hub")]
pub use pull::{Hub, Progress};

/// Where weights that were fetched before are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    /// Folders `models--OWNER--NAME`.
    hub: PathBuf,
    /// Single files.
    files: PathBuf,
}

impl Cache {
    /// The caches of this user.
    pub fn from_env() -> Self {
        let set = |name: &str| {
            env::var_os(name)
                .filter(|v| !v.is_empty())
                .map(PathBuf::from)
        };
        let home = set("HOME")
            .or_else(|| set("USERPROFILE"))
            .unwrap_or_else(env::temp_dir);
        let cache = set("XDG_CACHE_HOME").unwrap_or_else(|| home.join(".cache"));
        let hub = set("HF_HUB_CACHE").unwrap_or_else(|| {
            set("HF_HOME")
                .unwrap_or_else(|| cache.join("huggingface"))
                .join("hub")
        });
        Self {
            hub,
            files: home.join(".cache").join("clip"),
        }
    }

    /// Caches in other places: the hub's (`models--…` folders) and that of single files.
    pub fn at(hub: impl Into<PathBuf>, files: impl Into<PathBuf>) -> Self {
        Self {
            hub: hub.into(),
            files: files.into(),
        }
    }

    /// The folder or file to open for these weights, if they are there. A file is taken by its
    /// name; [`verify`](crate::verify) tells whether it is sound.
    pub fn find(&self, tower: &Tower) -> Option<PathBuf> {
        match &tower.source {
            Source::Hub {
                hub,
                revision,
                folders,
            } => {
                let snapshot = self.snapshot(hub, revision.as_deref().unwrap_or("main"))?;
                let complete = |folder: &Path| folder::weights_in(folder).is_ok();
                // Of a pipeline, the folders with weights must have them.
                let there = match folders.is_empty() {
                    true => complete(&snapshot),
                    false => folders.iter().all(|f| {
                        let folder = snapshot.join(f);
                        folder.is_dir()
                            && (!folder.join("config.json").exists() || complete(&folder))
                    }),
                };
                there.then_some(snapshot)
            }
            Source::Url { file, .. } | Source::ByHand { file, .. } => {
                Some(self.files.join(file)).filter(|path| path.is_file())
            }
        }
    }

    /// The folder of a repository's files at a revision, as the hub's clients keep it.
    fn snapshot(&self, repository: &str, revision: &str) -> Option<PathBuf> {
        let folder = self.repository(repository);
        let known = std::fs::read_to_string(folder.join("refs").join(revision)).ok();
        let commit = known.as_deref().map_or(revision, str::trim);
        is_plain(commit)
            .then(|| folder.join("snapshots").join(commit))
            .filter(|snapshot| snapshot.is_dir())
    }

    fn repository(&self, repository: &str) -> PathBuf {
        self.hub
            .join(format!("models--{}", repository.replace('/', "--")))
    }
}

/// Opens weights by what a user may write: a path, or the name of known weights that are in the
/// cache.
///
/// # Errors
/// As [`Checkpoint::open`](crate::Checkpoint::open); [`Error::Hub`](crate::Error::Hub) with the
/// way to get them if the name is known but the weights are not there.
pub fn locate(name: &str, cache: &Cache) -> Result<PathBuf> {
    let path = PathBuf::from(name);
    if path.exists() {
        return Ok(path);
    }
    let Some(tower) = crate::registry::find(name) else {
        let similar = crate::registry::similar(name);
        let remedy = if similar.is_empty() {
            "give a path, or a name that `gen3d models list` shows".to_owned()
        } else {
            format!("give a path, or one of the names {}", similar.join(", "))
        };
        let what = "there is no such file, and no known weights have this name";
        return Err(crate::Error::hub(name, what, remedy));
    };
    cache.find(tower).ok_or_else(|| {
        let remedy = match &tower.source {
            Source::ByHand { by_hand, file } => {
                format!("download {file} by hand from {by_hand} and give its path")
            }
            _ => format!(
                "get them with `gen3d models pull {}`, or see {}",
                tower.name, tower.page
            ),
        };
        crate::Error::hub(&tower.name, "these weights are not on this machine", remedy)
    })
}

/// Whether this is one name, without any step to another folder.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry;

    #[test]
    fn weights_of_other_programs_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path().join("hub"), folder.path().join("clip"));
        let hub = registry::find("openai/clip-vit-base-patch32").unwrap();
        let file = registry::find("openai/ViT-B-32").unwrap();
        assert_eq!((cache.find(hub), cache.find(file)), (None, None));

        let repository = folder
            .path()
            .join("hub/models--openai--clip-vit-base-patch32");
        let snapshot = repository.join("snapshots/abc");
        std::fs::create_dir_all(&snapshot).unwrap();
        std::fs::create_dir_all(repository.join("refs")).unwrap();
        std::fs::write(repository.join("refs/main"), "abc\n").unwrap();
        assert_eq!(cache.find(hub), None, "no weights yet");
        std::fs::write(snapshot.join("model.safetensors"), "").unwrap();
        assert_eq!(cache.find(hub), Some(snapshot));
        std::fs::write(repository.join("refs/main"), "../../../x").unwrap();
        assert_eq!(cache.find(hub), None);

        std::fs::create_dir(folder.path().join("clip")).unwrap();
        std::fs::write(folder.path().join("clip/ViT-B-32.pt"), "").unwrap();
        assert_eq!(
            locate("ViT-B-32", &cache).unwrap(),
            folder.path().join("clip/ViT-B-32.pt")
        );
    }

    #[test]
    fn what_is_not_there_comes_with_the_way_to_get_it() {
        let cache = Cache::at("/nonexistent", "/nonexistent");
        let said = |name: &str| locate(name, &cache).unwrap_err().to_string();
        assert!(said("openai/ViT-B-16").contains("gen3d models pull openai/ViT-B-16"));
        assert!(said("clip_b16_grit1m_fultune_8xe").contains("by hand from https://"));
        assert!(said("openai/ViT-L14").contains("openai/ViT-L-14"));
        assert!(said("qqq").contains("models list"));
    }
}
