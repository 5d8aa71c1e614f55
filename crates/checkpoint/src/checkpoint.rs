//! [`Checkpoint`]: the named tensors of a weight file or folder.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::bytes::Bytes;
use crate::digest::hex;
use crate::entry::{Entry, ReadError, TensorInfo};
use crate::error::{Error, Result};
use crate::folder;
use crate::layout::Mapped;
use crate::safetensors;
use crate::sniff::{self, Form, Kind};
use crate::torch;

/// Named tensors, lazily read.
///
/// Opening maps the file, reads its directory and checks every claim in it; elements are read when
/// [`tensor`](Self::tensor) asks for them, straight into the type that was asked for. A clone is
/// cheap and shares the map.
#[derive(Clone)]
pub struct Checkpoint {
    pub(crate) name: String,
    pub(crate) form: Form,
    pub(crate) contents: Contents,
    pub(crate) configs: BTreeMap<String, Value>,
    /// The weight files, for their hashes; none if the weights are in memory.
    pub(crate) files: Vec<PathBuf>,
    /// Set on the view under internal names.
    pub(crate) mapped: Option<Mapped>,
}

/// What a reader of one format finds.
#[derive(Clone, Default)]
pub(crate) struct Contents {
    pub(crate) tensors: BTreeMap<String, Entry>,
    /// Tensors that are there but cannot be read, with the reason.
    pub(crate) skipped: BTreeMap<String, String>,
    pub(crate) metadata: BTreeMap<String, String>,
}

impl Checkpoint {
    /// Opens a weight file of any supported form, an index of several
    /// (`*.safetensors.index.json`, `*.bin.index.json`), or a folder that holds one of them
    /// (Hugging Face, open_clip, a sub-folder of a diffusers pipeline).
    ///
    /// The form is told from the contents. Nothing in the file is ever run.
    ///
    /// # Errors
    /// Everything that [`Error`] lists but for [`Error::Mismatch`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let about = std::fs::metadata(path).map_err(|e| Error::io(path.display(), e))?;
        if about.is_dir() {
            let folder = folder::with_files(path);
            let mut out = Self::open_file(&folder::weights_in(&folder)?)?;
            out.configs.extend(folder::configs_in(&folder)?);
            out.name = path.display().to_string();
            return Ok(out);
        }
        let mut out = Self::open_file(path)?;
        if let Some(parent) = folder::model_folder(path) {
            out.configs.extend(folder::configs_in(parent)?);
        }
        Ok(out)
    }

    fn open_file(path: &Path) -> Result<Self> {
        let bytes = Arc::new(Bytes::map(path)?);
        match sniff::kind(bytes.all(), bytes.name())? {
            Kind::Json => folder::open_index(path, &bytes),
            _ => Self::open_one(path),
        }
    }

    /// Reads weights that are in memory, embedded in the program for instance. `name` stands for
    /// the file in messages.
    ///
    /// # Errors
    /// As [`open`](Self::open); an index of several files cannot be read from memory.
    pub fn from_bytes(data: impl Into<Cow<'static, [u8]>>, name: &str) -> Result<Self> {
        Self::read(Arc::new(Bytes::held(data.into(), name)))
    }

    /// Opens a file that must itself hold tensors.
    pub(crate) fn open_one(path: &Path) -> Result<Self> {
        let mut out = Self::read(Arc::new(Bytes::map(path)?))?;
        out.files.push(path.to_owned());
        Ok(out)
    }

    fn read(bytes: Arc<Bytes>) -> Result<Self> {
        let name = bytes.name();
        let (form, contents) = match sniff::kind(bytes.all(), name)? {
            Kind::Safetensors => (Form::Safetensors, safetensors::read(&bytes)?),
            Kind::Zip => torch::read_zip(&bytes)?,
            Kind::Pickle => (Form::TorchLegacy, torch::read_legacy(&bytes)?),
            Kind::Json => {
                return Err(Error::not_weights(
                    name,
                    "this is JSON where weights should be",
                    "give the weight file, or the folder with the files that an index names",
                ));
            }
        };
        Ok(Self::from_contents(name, form, contents))
    }

    pub(crate) fn from_contents(name: &str, form: Form, contents: Contents) -> Self {
        let configs = folder::configs_of(&contents.metadata);
        Self {
            name: name.into(),
            form,
            contents,
            configs,
            files: Vec::new(),
            mapped: None,
        }
    }

    /// The path or name it was opened by, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The form of the file.
    pub fn form(&self) -> Form {
        self.form
    }

    /// Names of all tensors that can be read, in alphabetical order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.contents.tensors.keys().map(String::as_str)
    }

    /// Whether there is a tensor of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.contents.tensors.contains_key(name)
    }

    /// Type and shape of a tensor.
    pub fn info(&self, name: &str) -> Option<&TensorInfo> {
        self.contents.tensors.get(name).map(Entry::info)
    }

    /// Reads one tensor as `dtype` on `device`. Floats round to nearest even; integers must fit.
    /// With the type of [`info`](Self::info) nothing is lost.
    ///
    /// # Errors
    /// [`Error::Tensor`] if there is none of this name or its values cannot be had as `dtype`
    /// (fractions as integers); [`Error::Candle`] if the device has no room.
    pub fn tensor(&self, name: &str, dtype: DType, device: &Device) -> Result<Tensor> {
        let entry = self.entry(name)?;
        entry
            .read(dtype, device)
            .map_err(|e| self.read_error(name, e))
    }

    pub(crate) fn entry(&self, name: &str) -> Result<&Entry> {
        if let Some(entry) = self.contents.tensors.get(name) {
            return Ok(entry);
        }
        Err(match self.contents.skipped.get(name) {
            Some(reason) => Error::tensor(
                &self.name,
                name,
                reason.as_str(),
                "convert the file with PyTorch",
            ),
            None => Error::tensor(
                &self.name,
                name,
                "is absent",
                "check that this is the right kind of model",
            ),
        })
    }

    pub(crate) fn read_error(&self, name: &str, error: ReadError) -> Error {
        match error {
            ReadError::Type(what) => {
                Error::tensor(&self.name, name, what, "ask for the type it is stored in")
            }
            ReadError::Candle(source) => Error::candle(&self.name, name, source),
        }
    }

    /// Names of tensors that are in the file but cannot be read (complex or quantised elements),
    /// each with the reason.
    pub fn unreadable(&self) -> &BTreeMap<String, String> {
        &self.contents.skipped
    }

    /// The file's own notes (`__metadata__` of safetensors); empty for other forms.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.contents.metadata
    }

    /// A configuration that lies beside the weights: `config.json`, `open_clip_config.json` or
    /// `preprocessor_config.json`. Read for folders, and for files with one of the names that
    /// such folders use (`model.safetensors`, `pytorch_model.bin`, `open_clip_model.safetensors`,
    /// …), so that a download folder's stray file does not describe another model. Without one, a
    /// safetensors file may carry it in its metadata, under the same name without `.json`, as
    /// [`convert`](crate::convert) writes it.
    pub fn config(&self, file: &str) -> Option<&Value> {
        self.configs.get(file)
    }

    /// A name for these weights that changes when they change, for caches of what was computed
    /// from them: 64 hexadecimal digits over the names, types and shapes of all tensors and up to
    /// 12 KiB of each one's bytes. It takes milliseconds, and is no proof: for that see
    /// [`sha256_file`](crate::sha256_file).
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for (name, entry) in &self.contents.tensors {
            hash.update((name.len() as u64).to_le_bytes());
            hash.update(name);
            entry.sample(&mut |bytes| hash.update(bytes));
        }
        hex(&hash.finalize())
    }

    /// The same checkpoint with a configuration put beside it, for weights in memory.
    #[must_use]
    pub fn with_config(mut self, file: &str, config: Value) -> Self {
        self.configs.insert(file.to_owned(), config);
        self
    }

    /// The same checkpoint described by this file, a `config.json` of transformers or an
    /// `open_clip_config.json` under any name, in place of what came with the weights.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Damaged`] or [`Error::NotWeights`] if the file is no such
    /// configuration.
    pub fn with_config_file(mut self, path: impl AsRef<Path>) -> Result<Self> {
        let (name, config) = folder::model_config(path.as_ref())?;
        for other in ["config.json", "open_clip_config.json"] {
            self.configs.remove(other);
        }
        // What a converted file carries has become an entry of `configs` when it was opened.
        self.contents.metadata.remove("open_clip_config");
        Ok(self.with_config(name, config))
    }
}

impl std::fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checkpoint")
            .field("name", &self.name)
            .field("form", &self.form)
            .field("tensors", &self.contents.tensors.len())
            .field("mapped", &self.mapped)
            .finish()
    }
}
