//! Zip archives: `torch.save` since 1.6 and `torch.jit.save`.
//!
//! A folder with `data.pkl` (the tree), `data/KEY` (one entry a storage, not compressed, so that
//! they can be mapped), `byteorder`, `version`; TorchScript adds `code/` and `constants.pkl`,
//! which are never looked at.

use std::collections::HashMap;
use std::io::{Cursor, Read};
use std::ops::Range;
use std::sync::Arc;

use zip::read::{ArchiveOffset, Config};
use zip::{CompressionMethod, ZipArchive};

use super::tree::{self, Storage, Storages, unfolded_limit};
use super::{no_tensors, problem};
use crate::bytes::Bytes;
use crate::checkpoint::Contents;
use crate::error::{Error, Result, quote};
use crate::pickle;
use crate::sniff::Form;

/// Bytes that compressed entries may unpack to, beside [`UNPACKED_RATIO`] times the file.
const UNPACKED: u64 = 64 << 20;
const UNPACKED_RATIO: u64 = 8;

/// One entry of the archive.
struct Item {
    index: usize,
    /// The bytes in the archive.
    range: Range<usize>,
    packed: bool,
    /// Unpacked length, as the archive claims.
    len: u64,
}

struct Archive {
    bytes: Arc<Bytes>,
    zip: ZipArchive<Cursor<Shared>>,
    items: HashMap<String, Item>,
    /// Bytes that may still be unpacked.
    left: u64,
}

/// The archive's bytes as the zip reader wants them.
#[derive(Clone)]
struct Shared(Arc<Bytes>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        self.0.all()
    }
}

pub(crate) fn read(bytes: &Arc<Bytes>) -> Result<(Form, Contents)> {
    let file = bytes.name();
    let mut archive = Archive::open(bytes)?;
    let Some(root) = archive.root() else {
        return Err(archive.without_pickle());
    };
    let script = archive.items.keys().any(|name| {
        name.strip_prefix(root.as_str())
            .is_some_and(|rest| rest == "constants.pkl" || rest.starts_with("code/"))
    });
    let big_endian = match archive.items.contains_key(&format!("{root}byteorder")) {
        true => archive.take(&format!("{root}byteorder"))?.bytes() == b"big",
        false => false,
    };
    let program = archive.take(&format!("{root}data.pkl"))?;
    let tree = pickle::parse(program.bytes()).map_err(|p| problem(file, p))?;
    let mut storages = Entries {
        archive: &mut archive,
        root,
        big_endian,
        unpacked: HashMap::new(),
    };
    let contents = tree::tensors(&tree, &mut storages, file)?;
    if contents.tensors.is_empty() && contents.skipped.is_empty() {
        return Err(no_tensors(file));
    }
    Ok((
        if script {
            Form::TorchScript
        } else {
            Form::TorchZip
        },
        contents,
    ))
}

impl Archive {
    /// Reads the directory at the archive's end and checks where each entry lies.
    fn open(bytes: &Arc<Bytes>) -> Result<Self> {
        let file = bytes.name();
        let config = Config {
            archive_offset: ArchiveOffset::Known(0),
        };
        let mut zip = ZipArchive::with_config(config, Cursor::new(Shared(bytes.clone())))
            .map_err(|e| Error::damaged(file, cut(&e)))?;
        let mut items = HashMap::with_capacity(zip.len());
        for index in 0..zip.len() {
            let entry = zip
                .by_index_raw(index)
                .map_err(|e| Error::damaged(file, cut(&e)))?;
            let Ok(name) = std::str::from_utf8(entry.name_raw()) else {
                continue;
            };
            let start = entry.data_start().and_then(|s| usize::try_from(s).ok());
            let range = start.and_then(|start| {
                let len = usize::try_from(entry.compressed_size()).ok()?;
                Some(start..start.checked_add(len)?)
            });
            let Some(range) = range.filter(|r| r.end <= bytes.all().len()) else {
                let what = format!("entry {} of the archive lies beyond its end", quote(name));
                return Err(Error::damaged(file, what));
            };
            let packed = match entry.compression() {
                CompressionMethod::Stored => false,
                CompressionMethod::Deflated => true,
                // Nothing that matters here is packed in any other way.
                _ => continue,
            };
            if entry.encrypted() {
                return Err(Error::unsupported(
                    file,
                    "the archive is encrypted",
                    "unlock it first",
                ));
            }
            if !packed && entry.size() != range.len() as u64 {
                let what = format!("entry {} of the archive has two sizes", quote(name));
                return Err(Error::damaged(file, what));
            }
            items.insert(
                name.to_owned(),
                Item {
                    index,
                    range,
                    packed,
                    len: entry.size(),
                },
            );
        }
        let mut out = Self {
            bytes: bytes.clone(),
            zip,
            items,
            left: 0,
        };
        out.left = out.budget();
        Ok(out)
    }

    /// Bytes that all compressed entries together may unpack to.
    fn budget(&self) -> u64 {
        UNPACKED + UNPACKED_RATIO * self.bytes.all().len() as u64
    }

    /// The folder of `data.pkl`, with a slash at its end; empty if it lies at the top.
    fn root(&self) -> Option<String> {
        let roots = self
            .items
            .keys()
            .filter_map(|name| name.strip_suffix("data.pkl"));
        roots
            .filter(|root| root.is_empty() || root.ends_with('/'))
            .min_by_key(|root| (root.len(), *root))
            .map(str::to_owned)
    }

    fn without_pickle(&self) -> Error {
        let file = self.bytes.name();
        let ends = |end: &str| self.items.keys().any(|name| name.ends_with(end));
        if ends("model.json") {
            return Error::unsupported(
                file,
                "this is a TorchScript archive of PyTorch 1.3 or older",
                "load and save it with a newer PyTorch",
            );
        }
        if ends(".npy") {
            return Error::not_weights(
                file,
                "this is a numpy archive (.npz)",
                "give safetensors or a PyTorch file",
            );
        }
        Error::not_weights(
            file,
            "this zip archive has no data.pkl, so PyTorch did not write it",
            "unpack it and give the weight file inside",
        )
    }

    /// The bytes of an entry, unpacked if need be.
    fn take(&mut self, name: &str) -> Result<Taken> {
        let file = self.bytes.name();
        let Some(item) = self.items.get(name) else {
            let what = format!("entry {} is not in the archive", quote(name));
            return Err(Error::damaged(file, what));
        };
        if !item.packed {
            return Ok(Taken {
                bytes: self.bytes.clone(),
                range: item.range.clone(),
            });
        }
        if item.len > self.left {
            return Err(Error::refused(
                file,
                format!(
                    "entry {} claims to unpack to {} bytes from an archive of {}",
                    quote(name),
                    item.len,
                    self.bytes.all().len()
                ),
                "do not trust this file",
            ));
        }
        let entry = self
            .zip
            .by_index(item.index)
            .map_err(|e| Error::damaged(file, cut(&e)))?;
        let mut data = Vec::new();
        entry
            .take(item.len + 1)
            .read_to_end(&mut data)
            .map_err(|e| Error::damaged(file, format!("entry {}: {e}", quote(name))))?;
        if data.len() as u64 != item.len {
            let what = format!(
                "entry {} does not unpack to the size it claims",
                quote(name)
            );
            return Err(Error::damaged(file, what));
        }
        self.left -= item.len;
        let range = 0..data.len();
        Ok(Taken {
            bytes: Arc::new(Bytes::held(data.into(), file)),
            range,
        })
    }
}

/// Bytes of an entry.
struct Taken {
    bytes: Arc<Bytes>,
    range: Range<usize>,
}

impl Taken {
    fn bytes(&self) -> &[u8] {
        self.bytes.get(self.range.clone()).unwrap_or_default()
    }
}

/// The archive's `data/` folder.
struct Entries<'a> {
    archive: &'a mut Archive,
    root: String,
    big_endian: bool,
    unpacked: HashMap<String, Storage>,
}

impl Storages for Entries<'_> {
    fn find(&mut self, key: &str) -> Result<Storage, String> {
        if let Some(storage) = self.unpacked.get(key) {
            return Ok(storage.clone());
        }
        let name = format!("{}data/{key}", self.root);
        let taken = self.archive.take(&name).map_err(|e| match e {
            Error::Damaged { what, .. } | Error::Refused { what, .. } => {
                format!("has no storage: {what}")
            }
            other => other.to_string(),
        })?;
        let storage = Storage {
            bytes: taken.bytes,
            range: taken.range,
            big_endian: self.big_endian,
        };
        self.unpacked.insert(key.to_owned(), storage.clone());
        Ok(storage)
    }

    fn limit(&self) -> u64 {
        let archive = &self.archive;
        unfolded_limit(archive.bytes.all().len() as u64 + archive.budget() - archive.left)
    }
}

/// The zip reader's complaint in a few words.
fn cut(error: &zip::result::ZipError) -> String {
    let said: String = error
        .to_string()
        .chars()
        .filter(|c| !c.is_control())
        .take(100)
        .collect();
    format!("the archive cannot be read, often because the file is cut short ({said})")
}
