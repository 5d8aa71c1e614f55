//! Fetching published weights into the caches.

use std::collections::BTreeSet;
use std::env;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use super::fetch::Client;
use super::{Cache, is_plain};
use crate::digest::{is_sha256, sha256_file};
use crate::error::{Error, Result, quote};
use crate::folder;
use crate::registry::{Source, Tower};

/// What a download has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The file.
    pub file: &'a str,
    /// Bytes that are there.
    pub done: u64,
    /// Bytes in all; 0 if the server does not say.
    pub total: u64,
}

/// Fetches published weights. Nothing is fetched twice, and a broken transfer goes on where it
/// stopped.
pub struct Hub {
    cache: Cache,
    endpoint: String,
    offline: bool,
    client: Client,
}

impl Hub {
    /// The hub as this user's environment sets it: `HF_ENDPOINT`, `HF_TOKEN`, `HF_HUB_OFFLINE`
    /// and the places of [`Cache::from_env`].
    pub fn from_env() -> Self {
        let set = |name: &str| env::var(name).ok().filter(|v| !v.is_empty());
        let endpoint = set("HF_ENDPOINT").unwrap_or_else(|| "https://huggingface.co".into());
        let offline = set("HF_HUB_OFFLINE")
            .is_some_and(|v| matches!(v.to_lowercase().as_str(), "1" | "true" | "yes" | "on"));
        let mut hub = Self::new(Cache::from_env(), &endpoint, set("HF_TOKEN"));
        hub.offline = offline;
        hub
    }

    /// A hub at another address or with another cache.
    pub fn new(cache: Cache, endpoint: &str, token: Option<String>) -> Self {
        Self {
            cache,
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            offline: false,
            client: Client::new(token),
        }
    }

    /// Uses only what is in the cache.
    #[must_use]
    pub fn offline(mut self, offline: bool) -> Self {
        self.offline |= offline;
        self
    }

    /// The path to open for these weights, fetched if they are not there.
    ///
    /// # Errors
    /// [`Error::Hub`] if they cannot be had, with where to look; [`Error::Io`] if they cannot be
    /// written.
    pub fn pull(&self, tower: &Tower, progress: &mut dyn FnMut(&Progress<'_>)) -> Result<PathBuf> {
        if self.offline {
            return super::locate(&tower.name, &self.cache);
        }
        match &tower.source {
            Source::Hub {
                hub,
                revision,
                folders,
            } => {
                let revision = revision.as_deref().unwrap_or("main");
                self.repository(hub, revision, folders, &tower.page, progress)
            }
            Source::Url { url, file, sha256 } => {
                self.single(url, file, sha256, &tower.page, progress)
            }
            Source::ByHand { .. } => super::locate(&tower.name, &self.cache),
        }
    }

    /// Fetches the configurations and the best weight file of a repository on the hub, and the
    /// same of `folders` in it. Gives the folder to open.
    ///
    /// # Errors
    /// As [`pull`](Self::pull).
    pub fn repository(
        &self,
        repository: &str,
        revision: &str,
        folders: &[String],
        page: &str,
        progress: &mut dyn FnMut(&Progress<'_>),
    ) -> Result<PathBuf> {
        let sound = repository.split('/').count() == 2 && repository.split('/').all(is_plain);
        if !sound || !is_plain(revision) {
            return Err(Error::hub(
                repository,
                "this is no name of a repository",
                "write OWNER/NAME as on the hub",
            ));
        }
        let url = format!(
            "{}/api/models/{repository}/revision/{revision}",
            self.endpoint
        );
        let listing = match self.client.text(&url, page) {
            Ok(text) => text,
            Err(error) => {
                // Without a network, what was fetched before still serves.
                let before = self.cache.snapshot(repository, revision);
                return before
                    .filter(|s| folder::weights_in(s).is_ok())
                    .ok_or(error);
            }
        };
        let (commit, files) = read_listing(&listing, &url)?;
        let home = self.cache.repository(repository);
        let snapshot = home.join("snapshots").join(&commit);
        let mut tops = vec![String::new()];
        tops.extend(folders.iter().map(|f| format!("{f}/")));
        for top in &tops {
            let inside: BTreeSet<&str> = files
                .iter()
                .filter_map(|f| f.strip_prefix(top.as_str()))
                .filter(|f| !f.contains('/'))
                .collect();
            let mut wanted: Vec<String> = inside
                .iter()
                .filter(|f| f.ends_with("config.json") || **f == "model_index.json")
                .map(|f| format!("{top}{f}"))
                .collect();
            wanted.extend(weights_among(&inside).map(|f| format!("{top}{f}")));
            let mut next = 0;
            while let Some(name) = wanted.get(next).cloned() {
                let blob = self.blob(repository, &commit, &name, &home, page, progress)?;
                link(&blob, &snapshot.join(&name))?;
                if name.contains(".index.") {
                    let data = std::fs::read(&blob).map_err(|e| Error::io(blob.display(), e))?;
                    let shards = folder::parse_index(&data, &name)?;
                    wanted.extend(shards.keys().map(|shard| format!("{top}{shard}")));
                }
                next += 1;
            }
        }
        let refs = home.join("refs");
        std::fs::create_dir_all(&refs)
            .and_then(|()| std::fs::write(refs.join(revision), &commit))
            .map_err(|e| Error::io(refs.display(), e))?;
        Ok(snapshot)
    }

    /// One file of a repository, in `blobs/` under its tag.
    fn blob(
        &self,
        repository: &str,
        commit: &str,
        name: &str,
        home: &Path,
        page: &str,
        progress: &mut dyn FnMut(&Progress<'_>),
    ) -> Result<PathBuf> {
        let url = format!("{}/{repository}/resolve/{commit}/{name}", self.endpoint);
        let about = self.client.about(&url, page)?;
        let Some(etag) = about.etag.filter(|t| is_plain(t)) else {
            return Err(Error::hub(
                &url,
                "the server names no tag for the file",
                "try again later",
            ));
        };
        let blobs = home.join("blobs");
        std::fs::create_dir_all(&blobs).map_err(|e| Error::io(blobs.display(), e))?;
        let blob = blobs.join(&etag);
        if !blob.exists() {
            let part = blobs.join(format!("{etag}.incomplete"));
            let mut tell = |done, total| {
                progress(&Progress {
                    file: name,
                    done,
                    total,
                })
            };
            self.client
                .fetch(&url, &part, about.size, page, &mut tell)?;
            if is_sha256(&etag) {
                check(&part, &etag, &url)?;
            }
            std::fs::rename(&part, &blob).map_err(|e| Error::io(blob.display(), e))?;
        }
        Ok(blob)
    }

    /// One file with a published hash.
    fn single(
        &self,
        url: &str,
        name: &str,
        sha256: &str,
        page: &str,
        progress: &mut dyn FnMut(&Progress<'_>),
    ) -> Result<PathBuf> {
        let folder = &self.cache.files;
        let path = folder.join(name);
        if path.is_file() {
            return Ok(path);
        }
        std::fs::create_dir_all(folder).map_err(|e| Error::io(folder.display(), e))?;
        let part = folder.join(format!("{name}.incomplete"));
        let mut tell = |done, total| {
            progress(&Progress {
                file: name,
                done,
                total,
            })
        };
        self.client.fetch(url, &part, None, page, &mut tell)?;
        check(&part, sha256, url)?;
        std::fs::rename(&part, &path).map_err(|e| Error::io(path.display(), e))?;
        Ok(path)
    }
}

/// Refuses, and removes, a file with another hash.
fn check(part: &Path, expected: &str, url: &str) -> Result<()> {
    let found = sha256_file(part, &mut |_| ())?;
    if found == expected {
        return Ok(());
    }
    std::fs::remove_file(part).map_err(|e| Error::io(part.display(), e))?;
    Err(Error::hub(
        url,
        format!("what arrived has SHA-256 {found}, published is {expected}"),
        "try again, over another network if it repeats",
    ))
}

/// The commit and the files of a repository.
fn read_listing(text: &str, url: &str) -> Result<(String, Vec<String>)> {
    let odd = || Error::hub(url, "the hub's answer is not understood", "try again later");
    let value: Value = serde_json::from_str(text).map_err(|_| odd())?;
    let commit = value
        .get("sha")
        .and_then(Value::as_str)
        .filter(|s| is_plain(s));
    let files = value
        .get("siblings")
        .and_then(Value::as_array)
        .ok_or_else(odd)?;
    let names = files.iter().filter_map(|f| f.get("rfilename")?.as_str());
    let mut out = Vec::new();
    for name in names {
        if !Path::new(name)
            .components()
            .all(|c| matches!(c, Component::Normal(_)))
        {
            let what = format!("the repository names a file {}", quote(name));
            return Err(Error::hub(url, what, "do not use this repository"));
        }
        out.push(name.to_owned());
    }
    Ok((commit.ok_or_else(odd)?.to_owned(), out))
}

/// The weight file to take, by the rules for folders.
fn weights_among<'a>(files: &BTreeSet<&'a str>) -> Option<&'a str> {
    let standard = folder::standard_names();
    if let Some(name) = standard.iter().find_map(|name| files.get(name.as_str())) {
        return Some(name);
    }
    let mut others = files.iter().filter(|f| {
        f.rsplit_once('.')
            .is_some_and(|(_, end)| folder::ENDINGS.contains(&end))
    });
    others.next().filter(|_| others.next().is_none()).copied()
}

/// Puts a blob under its name in a snapshot: a relative link, as the hub's clients do, or a copy
/// where the system has none.
fn link(blob: &Path, name: &Path) -> Result<()> {
    let at = |e| Error::io(name.display(), e);
    let Some(folder) = name.parent() else {
        return Ok(());
    };
    std::fs::create_dir_all(folder).map_err(at)?;
    if name.exists() {
        return Ok(());
    }
    #[cfg(unix)]
    {
        // snapshots/COMMIT/NAME → ../../blobs/TAG, one step more for each folder in NAME.
        let home = blob.parent().and_then(Path::parent);
        let depth = home
            .and_then(|home| folder.strip_prefix(home).ok())
            .map_or(2, |inside| inside.components().count());
        let mut target = PathBuf::from_iter(std::iter::repeat_n("..", depth));
        target.push("blobs");
        target.push(blob.file_name().unwrap_or_default());
        std::os::unix::fs::symlink(target, name).map_err(at)
    }
    #[cfg(not(unix))]
    {
        std::fs::hard_link(blob, name)
            .or_else(|_| std::fs::copy(blob, name).map(drop))
            .map_err(at)
    }
}
