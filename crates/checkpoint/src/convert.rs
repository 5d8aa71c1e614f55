//! Writing a checkpoint as safetensors, with a note of where it came from.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::DType;
use serde_json::{Map, Value, json};

use crate::atomic::AtomicFile;
use crate::checkpoint::Checkpoint;
use crate::decode::{Element, with_element};
use crate::digest::sha256_file;
use crate::entry::{Entry, ReadError};
use crate::error::{Error, Result};
use crate::layout::Lora;
use crate::registry;
use crate::stored::StoredType;

/// How to convert.
#[derive(Debug, Clone, Default)]
pub struct ConvertOptions {
    /// Type of all tensors with fractions; each keeps its own by default. Integers stay as they
    /// are.
    pub dtype: Option<DType>,
    /// Keep the names of the file, for models that are no CLIP, or to load the result elsewhere.
    /// By default a CLIP gets the internal names (OpenAI's) and LoRA matrices are merged.
    pub keep_names: bool,
    /// What to do with LoRA matrices when names are translated.
    pub lora: Lora,
    /// Licence to note. A published file's own is noted by default.
    pub licence: Option<String>,
    /// Replace an existing target.
    pub overwrite: bool,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Converted {
    /// Number of tensors.
    pub tensors: usize,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// The note in the file's metadata.
    pub metadata: BTreeMap<String, String>,
}

/// Metadata names of what [`convert`] notes.
const SOURCE: &str = "source";
const SOURCE_SHA256: &str = "source_sha256";
const LICENCE: &str = "licence";
/// JSON: name → names in the source.
const KEY_MAP: &str = "key_map";

/// Writes the weights at `source` (whatever [`Checkpoint::open`] reads) as one safetensors file.
///
/// The file appears under its name when it is complete. Its metadata holds `source` (the name
/// without its folder), `source_sha256` (of each file, if there are several, joined by commas),
/// `licence` if known, `key_map` (JSON: new name → names in the source, where they differ), and
/// the configurations beside the source as `config`, `open_clip_config` and
/// `preprocessor_config`, from where [`Checkpoint::config`] reads them again. `progress` hears
/// bytes done and bytes in all; one tensor is in memory at a time.
///
/// # Errors
/// As [`Checkpoint::open`] and [`Checkpoint::tensor`]; [`Error::Io`] if the target exists or
/// cannot be written; [`Error::Unsupported`] if safetensors has no name for the type asked for.
pub fn convert(
    source: &Path,
    target: &Path,
    options: &ConvertOptions,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Converted> {
    let file = Checkpoint::open(source)?;
    let file = if options.keep_names || file.layout().is_none() {
        file
    } else {
        file.clip(options.lora)?
    };
    let stored = match options.dtype {
        Some(dtype) => Some(stored_type(dtype).ok_or_else(|| {
            Error::unsupported(
                &target.display().to_string(),
                format!("weights are not written as {}", dtype.as_str()),
                "use f32, f16 or bf16",
            )
        })?),
        None => None,
    };
    let plan: Vec<(&str, &Entry, StoredType)> = file
        .contents
        .tensors
        .iter()
        .map(|(name, entry)| {
            let own = entry.info().stored;
            (
                name.as_str(),
                entry,
                stored.filter(|_| own.is_float()).unwrap_or(own),
            )
        })
        .collect();
    let metadata = provenance(&file, source, options)?;
    let (header, data) = header(&plan, &metadata);

    let mut out = AtomicFile::create(target, options.overwrite)?;
    out.write(&(header.len() as u64).to_le_bytes())?;
    out.write(&header)?;
    let mut done = 0;
    for (name, entry, stored) in plan {
        write(&mut out, entry, stored).map_err(|e| match e {
            WriteError::Read(e) => file.read_error(name, e),
            WriteError::Io(e) => e,
        })?;
        done += size(entry, stored);
        progress(done, data);
    }
    out.commit()?;
    let tensors = file.names().len();
    Ok(Converted {
        tensors,
        bytes: 8 + header.len() as u64 + data,
        metadata,
    })
}

/// The stored type of a candle type that [`convert`] writes.
fn stored_type(dtype: DType) -> Option<StoredType> {
    match dtype {
        DType::F16 => Some(StoredType::F16),
        DType::BF16 => Some(StoredType::BF16),
        DType::F32 => Some(StoredType::F32),
        DType::F64 => Some(StoredType::F64),
        _ => None,
    }
}

fn size(entry: &Entry, stored: StoredType) -> u64 {
    entry.info().elements() as u64 * stored.size() as u64
}

/// The JSON header, padded so that tensors are aligned, and the size of all tensors.
fn header(
    plan: &[(&str, &Entry, StoredType)],
    metadata: &BTreeMap<String, String>,
) -> (Vec<u8>, u64) {
    let mut header = Map::new();
    if !metadata.is_empty() {
        header.insert("__metadata__".into(), json!(metadata));
    }
    let mut at = 0;
    for (name, entry, stored) in plan {
        let end = at + size(entry, *stored);
        header.insert(
            (*name).to_owned(),
            json!({
                "dtype": stored.name(),
                "shape": entry.info().shape,
                "data_offsets": [at, end],
            }),
        );
        at = end;
    }
    let mut bytes = Value::Object(header).to_string().into_bytes();
    bytes.resize(bytes.len().next_multiple_of(8), b' ');
    (bytes, at)
}

enum WriteError {
    Read(ReadError),
    Io(Error),
}

/// Writes one tensor: as it is stored, or through the type asked for.
fn write(out: &mut AtomicFile, entry: &Entry, stored: StoredType) -> Result<(), WriteError> {
    let mut result = Ok(());
    if entry.info().stored == stored && !entry.is_updated() {
        entry.stored_bytes(&mut |bytes| {
            if result.is_ok() {
                result = out.write(bytes);
            }
        });
        return result.map_err(WriteError::Io);
    }
    with_element!(stored.loads_as(), T => {
        let values = entry.values::<T>().map_err(WriteError::Read)?;
        let mut buffer = Vec::with_capacity(1 << 16);
        for part in values.chunks(1 << 13) {
            buffer.clear();
            T::put_le(part, &mut buffer);
            out.write(&buffer).map_err(WriteError::Io)?;
        }
        Ok(())
    }, Ok(()))
}

fn provenance(
    file: &Checkpoint,
    source: &Path,
    options: &ConvertOptions,
) -> Result<BTreeMap<String, String>> {
    let mut out = file.metadata().clone();
    out.insert("format".into(), "pt".into());
    let base = |path: &Path| {
        path.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let named = source.canonicalize().unwrap_or_else(|_| source.to_owned());
    out.insert(
        SOURCE.into(),
        base(if source.file_name().is_some() {
            source
        } else {
            &named
        }),
    );
    let mut hashes = Vec::new();
    for path in &file.files {
        hashes.push(sha256_file(path, &mut |_| ())?);
    }
    let published = match hashes.as_slice() {
        [one] => registry::by_sha256(one),
        _ => None,
    };
    out.insert(SOURCE_SHA256.into(), hashes.join(","));
    let licence = options
        .licence
        .clone()
        .or_else(|| Some(published?.licence().name.clone()));
    if let Some(licence) = licence {
        out.insert(LICENCE.into(), licence);
    }
    let renamed: Map<String, Value> = file
        .names()
        .filter(|name| file.origin(name) != [*name])
        .map(|name| (name.to_owned(), json!(file.origin(name))))
        .collect();
    if !renamed.is_empty() {
        out.insert(KEY_MAP.into(), Value::Object(renamed).to_string());
    }
    for (name, config) in &file.configs {
        let stem = name.strip_suffix(".json").unwrap_or(name);
        out.insert(stem.to_owned(), config.to_string());
    }
    Ok(out)
}
