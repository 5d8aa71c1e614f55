//! [`FeatureCache`]: text features kept on disk.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use sha2::{Digest, Sha256};

use crate::error::Result;
use crate::model::AlphaClip;
use crate::zero_shot::unit_features;

/// First bytes of a cache file, with the version of its form.
const MAGIC: &[u8; 8] = b"g3dtext1";
/// Bytes of a text's key: half of its SHA-256.
const KEY: usize = 16;
/// A file that grew beyond this many bytes is begun anew.
const MOST_BYTES: u64 = 256 << 20;

/// Unit text features, in one file for each model (by its
/// [`fingerprint`](AlphaClip::fingerprint)).
///
/// A cache helps and never harms: where it cannot be read or written the features are computed. A
/// file is replaced as a whole, so that it is never seen half written; of two programs that write
/// at once one wins.
#[derive(Clone, Debug)]
pub struct FeatureCache {
    folder: PathBuf,
}

type Row = Vec<f32>;

impl FeatureCache {
    /// A cache in `folder`, which is made when there is something to keep.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// The cache of this user: `gen3d/text` in `$XDG_CACHE_HOME` or `~/.cache`. None where neither
    /// is known.
    pub fn user_default() -> Option<Self> {
        let set = |name: &str| {
            std::env::var_os(name)
                .filter(|v| !v.is_empty())
                .map(PathBuf::from)
        };
        let base = set("XDG_CACHE_HOME").filter(|p| p.is_absolute());
        let base = base.or_else(|| Some(set("HOME")?.join(".cache")))?;
        Some(Self::at(base.join("gen3d").join("text")))
    }

    /// Unit features [N, E] of `texts`: those that are kept, and the rest from the model.
    pub(crate) fn features(&self, clip: &AlphaClip, texts: &[String]) -> Result<Tensor> {
        let width = clip.text().config().embed_dim;
        let path = self.folder.join(format!("{}.bin", clip.fingerprint()));
        let mut known = read(&path, width).unwrap_or_default();
        let keys: Vec<[u8; KEY]> = texts.iter().map(|t| key(t)).collect();
        let mut missing = Vec::new();
        let mut asked = HashMap::new();
        for (key, text) in keys.iter().zip(texts) {
            if !known.contains_key(key) && asked.insert(*key, ()).is_none() {
                missing.push((*key, text.clone()));
            }
        }
        if !missing.is_empty() {
            let wanted: Vec<String> = missing.iter().map(|(_, text)| text.clone()).collect();
            let rows = unit_features(clip, &wanted)?.to_vec2::<f32>()?;
            known.extend(missing.iter().map(|(key, _)| *key).zip(rows));
            // A cache that cannot be written is no reason to fail.
            let _ = write(&path, &known, width);
        }
        let mut all = Vec::with_capacity(texts.len() * width);
        for key in &keys {
            all.extend_from_slice(known.get(key).map(Vec::as_slice).unwrap_or_default());
        }
        Ok(Tensor::from_vec(all, (texts.len(), width), &Device::Cpu)?)
    }
}

fn key(text: &str) -> [u8; KEY] {
    let digest = Sha256::digest(text.as_bytes());
    std::array::from_fn(|i| digest[i])
}

/// Everything in a cache file: magic, width (u32), then a key, the row and a checksum for each
/// text. Nothing of a file that is not exactly so.
fn read(path: &Path, width: usize) -> Option<HashMap<[u8; KEY], Row>> {
    let file = fs::File::open(path).ok()?;
    if file.metadata().ok()?.len() > MOST_BYTES {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
    let rest = bytes.strip_prefix(MAGIC)?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    if u32::from_le_bytes(*length) as usize != width || width == 0 {
        return None;
    }
    let (records, digest) = rest.split_last_chunk::<32>()?;
    if Sha256::digest(records).as_slice() != digest || records.len() % (KEY + 4 * width) != 0 {
        return None;
    }
    let mut rows = HashMap::new();
    for record in records.chunks_exact(KEY + 4 * width) {
        let (key, row) = record.split_first_chunk::<KEY>()?;
        let (values, _) = row.as_chunks::<4>();
        rows.insert(
            *key,
            values.iter().map(|v| f32::from_le_bytes(*v)).collect(),
        );
    }
    Some(rows)
}

fn write(path: &Path, rows: &HashMap<[u8; KEY], Row>, width: usize) -> io::Result<()> {
    if rows.len() as u64 * (KEY + 4 * width) as u64 > MOST_BYTES {
        return fs::remove_file(path);
    }
    let mut records = Vec::with_capacity(rows.len() * (KEY + 4 * width));
    for (key, row) in rows {
        records.extend_from_slice(key);
        records.extend(row.iter().flat_map(|v| v.to_le_bytes()));
    }
    let digest = Sha256::digest(&records);
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let temporary = path.with_extension(format!("{}.part", std::process::id()));
    let mut file = fs::File::create(&temporary)?;
    let parts: [&[u8]; 4] = [MAGIC, &(width as u32).to_le_bytes(), &records, &digest];
    let written = parts.iter().try_for_each(|part| file.write_all(part));
    let done = written.and_then(|()| fs::rename(&temporary, path));
    if done.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_and_damage_is_noticed() {
        let folder = std::env::temp_dir().join(format!("gen3d-cache-{}", std::process::id()));
        let path = folder.join("model.bin");
        let rows = HashMap::from([(key("a"), vec![0.6f32, 0.8]), (key("b"), vec![1., 0.])]);
        write(&path, &rows, 2).unwrap();
        assert_eq!(read(&path, 2), Some(rows));
        assert_eq!(read(&path, 3), None, "another model");
        let mut bytes = fs::read(&path).unwrap();
        bytes[40] ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert_eq!(read(&path, 2), None);
        fs::write(&path, &bytes[..30]).unwrap();
        assert_eq!(read(&path, 2), None);
        fs::remove_dir_all(&folder).unwrap();
    }
}
