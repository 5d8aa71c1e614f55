//! Model folders (Hugging Face, open_clip, diffusers) and indexes of several files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use crate::bytes::Bytes;
use crate::checkpoint::{Checkpoint, Contents};
use crate::error::{Error, Result, quote};
use crate::sniff::Form;

/// Configurations that describe the weights beside them.
const CONFIGS: [&str; 3] = [
    "config.json",
    "open_clip_config.json",
    "preprocessor_config.json",
];

/// No configuration and no index is larger than this.
const JSON_LIMIT: u64 = 32 << 20;

/// Names of weight files in model folders, the one to take first in front.
const STEMS: [&str; 4] = [
    "model",
    "open_clip_model",
    "diffusion_pytorch_model",
    "pytorch_model",
];
const BIN_STEMS: [&str; 3] = [
    "pytorch_model",
    "open_clip_pytorch_model",
    "diffusion_pytorch_model",
];

/// Endings of weight files under any other name.
pub(crate) const ENDINGS: [&str; 6] = ["safetensors", "pt", "pth", "bin", "ckpt", "th"];

/// Names of weight files in the order in which they are looked for.
pub(crate) fn standard_names() -> Vec<String> {
    let mut names = Vec::new();
    for (stems, end) in [(&STEMS[..], "safetensors"), (&BIN_STEMS[..], "bin")] {
        for tail in ["", ".index.json"] {
            for variant in ["", ".fp16"] {
                names.extend(stems.iter().map(|stem| {
                    if tail.is_empty() {
                        format!("{stem}{variant}.{end}")
                    } else {
                        format!("{stem}.{end}.index{}.json", variant)
                    }
                }));
            }
        }
    }
    names
}

/// The folder that holds the files: a `models--…` folder of the hub's cache keeps them in a
/// snapshot.
pub(crate) fn with_files(folder: &Path) -> PathBuf {
    let snapshot = std::fs::read_to_string(folder.join("refs").join("main")).ok();
    let commit = snapshot
        .as_deref()
        .map(str::trim)
        .filter(|c| is_plain_name(c));
    let inside = commit.map(|commit| folder.join("snapshots").join(commit));
    inside
        .filter(|f| f.is_dir())
        .unwrap_or_else(|| folder.to_owned())
}

/// Whether this names something in a folder, without any step to another folder.
pub(crate) fn is_plain_name(name: &str) -> bool {
    let path = Path::new(name);
    let plain = matches!(
        path.components().collect::<Vec<_>>()[..],
        [Component::Normal(_)]
    );
    plain && !name.contains(['/', '\\', ':'])
}

/// The weight file of a model folder: safetensors before pickles, one file before several, and
/// otherwise the only weight file there.
pub(crate) fn weights_in(folder: &Path) -> Result<PathBuf> {
    for name in standard_names() {
        let path = folder.join(name);
        if path.is_file() {
            return Ok(path);
        }
    }
    let file = folder.display().to_string();
    let mut found = Vec::new();
    let mut parts = Vec::new();
    for item in std::fs::read_dir(folder).map_err(|e| Error::io(&file, e))? {
        let path = item.map_err(|e| Error::io(&file, e))?.path();
        let end = path
            .extension()
            .and_then(|e| e.to_str())
            .unwrap_or_default();
        if path.is_dir() {
            parts.push(path);
        } else if ENDINGS.contains(&end) {
            found.push(path);
        }
    }
    found.sort();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => {
            parts.retain(|p| p.join("config.json").is_file());
            parts.sort();
            let what = "the folder holds no weight file";
            Err(if parts.is_empty() {
                Error::not_weights(
                    &file,
                    what,
                    "give the folder or file that holds the weights",
                )
            } else {
                let names: Vec<_> = parts.iter().map(|p| base_name(p)).collect();
                let remedy = format!("give one of its parts: {}", names.join(", "));
                Error::not_weights(&file, what, &remedy)
            })
        }
        several => {
            let names: Vec<_> = several.iter().take(8).map(|p| base_name(p)).collect();
            Err(Error::not_weights(
                &file,
                format!(
                    "the folder holds several weight files ({})",
                    names.join(", ")
                ),
                "give one of them by its path",
            ))
        }
    }
}

fn base_name(path: &Path) -> String {
    quote(&path.file_name().unwrap_or_default().to_string_lossy())
}

/// The folder whose configurations describe this file: its own, if the file has a standard name.
pub(crate) fn model_folder(file: &Path) -> Option<&Path> {
    let name = file.file_name()?.to_str()?;
    let stem = name.split('.').next()?;
    let standard = STEMS.contains(&stem) || BIN_STEMS.contains(&stem);
    standard.then(|| file.parent()).flatten()
}

/// Reads the configurations that are there.
pub(crate) fn configs_in(folder: &Path) -> Result<BTreeMap<String, Value>> {
    let mut out = BTreeMap::new();
    for name in CONFIGS {
        let path = folder.join(name);
        if path.is_file() {
            out.insert(name.to_owned(), read_json(&path)?);
        }
    }
    Ok(out)
}

/// Reads the configuration of a CLIP from a file of any name, and gives it the name that the
/// library which wrote it would have used.
pub(crate) fn model_config(path: &Path) -> Result<(&'static str, Value)> {
    let config = read_json(path)?;
    let [hugging_face, open_clip, _] = CONFIGS;
    let any = |keys: &[&str]| keys.iter().any(|key| config.get(key).is_some());
    if any(&["model_cfg", "vision_cfg"]) {
        return Ok((open_clip, config));
    }
    if any(&["vision_config", "text_config", "hidden_size"]) {
        return Ok((hugging_face, config));
    }
    Err(Error::not_weights(
        &path.display().to_string(),
        "this JSON does not describe a CLIP",
        "give the config.json or open_clip_config.json of the model",
    ))
}

/// Configurations that a file carries in its metadata.
pub(crate) fn configs_of(metadata: &BTreeMap<String, String>) -> BTreeMap<String, Value> {
    let carried = CONFIGS.iter().filter_map(|name| {
        let text = metadata.get(name.strip_suffix(".json")?)?;
        let config: Value = serde_json::from_str(text).ok()?;
        config.is_object().then(|| ((*name).to_owned(), config))
    });
    carried.collect()
}

fn read_json(path: &Path) -> Result<Value> {
    let file = path.display().to_string();
    let about = std::fs::metadata(path).map_err(|e| Error::io(&file, e))?;
    if about.len() > JSON_LIMIT {
        return Err(Error::damaged(
            &file,
            format!("{} bytes of JSON are too many", about.len()),
        ));
    }
    let data = std::fs::read(path).map_err(|e| Error::io(&file, e))?;
    parse_json(&data, &file)
}

fn parse_json(data: &[u8], file: &str) -> Result<Value> {
    serde_json::from_slice(data)
        .map_err(|e| Error::damaged(file, format!("this is not valid JSON ({e})")))
}

/// The files that an index names, and the tensors that it places in each.
pub(crate) fn parse_index(data: &[u8], file: &str) -> Result<BTreeMap<String, BTreeSet<String>>> {
    if data.len() as u64 > JSON_LIMIT {
        return Err(Error::damaged(
            file,
            format!("{} bytes of JSON are too many", data.len()),
        ));
    }
    let value = parse_json(data, file)?;
    let Some(map) = value.get("weight_map").and_then(Value::as_object) else {
        return Err(Error::not_weights(
            file,
            "this JSON is no index of weight files (it has no `weight_map`)",
            "give the weight file or its folder",
        ));
    };
    let mut shards = BTreeMap::<String, BTreeSet<String>>::new();
    for (tensor, shard) in map {
        let Some(shard) = shard.as_str() else {
            return Err(Error::damaged(
                file,
                format!("{} has no file name", quote(tensor)),
            ));
        };
        if !is_plain_name(shard) {
            return Err(Error::refused(
                file,
                format!(
                    "the index names {}, which is not a file beside it",
                    quote(shard)
                ),
                "do not use this download; get it from another place",
            ));
        }
        shards
            .entry(shard.to_owned())
            .or_default()
            .insert(tensor.clone());
    }
    Ok(shards)
}

/// Opens all files of an index as one checkpoint.
pub(crate) fn open_index(path: &Path, bytes: &Bytes) -> Result<Checkpoint> {
    let file = bytes.name();
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut contents = Contents::default();
    let mut files = Vec::new();
    for (shard, names) in parse_index(bytes.all(), file)? {
        let shard_path = folder.join(&shard);
        if !shard_path.exists() {
            return Err(Error::damaged(
                file,
                format!("the index names {}, which is not there", quote(&shard)),
            ));
        }
        let part = Checkpoint::open_one(&shard_path)?.contents;
        if let Some(lost) = names
            .iter()
            .find(|n| !part.tensors.contains_key(*n) && !part.skipped.contains_key(*n))
        {
            return Err(Error::damaged(
                file,
                format!(
                    "tensor {} is not in {} as the index says",
                    quote(lost),
                    quote(&shard)
                ),
            ));
        }
        for (name, entry) in part.tensors {
            if contents.tensors.insert(name.clone(), entry).is_some() {
                return Err(Error::damaged(
                    file,
                    format!("tensor {} is in two of the files", quote(&name)),
                ));
            }
        }
        contents.skipped.extend(part.skipped);
        contents.metadata.extend(part.metadata);
        files.push(shard_path);
    }
    let mut out = Checkpoint::from_contents(file, Form::Sharded, contents);
    out.files = files;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_cannot_leave_its_folder() {
        for name in [
            "../a.bin",
            "/etc/passwd",
            "a/b.bin",
            "..",
            "",
            "c:\\x",
            "a\\..\\b",
        ] {
            let index = serde_json::json!({"weight_map": {"w": name}}).to_string();
            let error = parse_index(index.as_bytes(), "i").unwrap_err();
            assert!(matches!(error, Error::Refused { .. }), "{name}: {error}");
        }
        let index = br#"{"weight_map": {"w": "a.bin", "v": "a.bin"}}"#;
        assert_eq!(parse_index(index, "i").unwrap()["a.bin"].len(), 2);
        assert!(
            parse_index(b"{}", "i")
                .unwrap_err()
                .to_string()
                .contains("weight_map")
        );
        assert!(parse_index(br#"{"weight_map": {"w": 3}}"#, "i").is_err());
        let deep = "[".repeat(100_000);
        assert!(parse_index(deep.as_bytes(), "i").is_err());
    }

    #[test]
    fn a_folder_without_one_obvious_file_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let said = |f: &Path| weights_in(f).unwrap_err().to_string();
        assert!(said(folder.path()).contains("no weight file"));
        std::fs::create_dir(folder.path().join("unet")).unwrap();
        std::fs::write(folder.path().join("unet/config.json"), "{}").unwrap();
        assert!(said(folder.path()).contains("one of its parts: `unet`"));
        std::fs::write(folder.path().join("a.pt"), "").unwrap();
        assert!(weights_in(folder.path()).unwrap().ends_with("a.pt"));
        std::fs::write(folder.path().join("b.pt"), "").unwrap();
        assert!(said(folder.path()).contains("`a.pt`, `b.pt`"));
        std::fs::write(folder.path().join("pytorch_model.bin"), "").unwrap();
        assert!(
            weights_in(folder.path())
                .unwrap()
                .ends_with("pytorch_model.bin")
        );
        std::fs::write(folder.path().join("model.safetensors"), "").unwrap();
        assert!(
            weights_in(folder.path())
                .unwrap()
                .ends_with("model.safetensors")
        );
    }
}
