//! Name layouts of CLIP weight files, and their translation into one internal naming.
//!
//! The internal names are those of OpenAI's files: the vision tower under `visual.`, attention
//! inputs as one matrix `attn.in_proj_weight` (rows q, k, v), projections as `[width, embedding]`
//! (features are multiplied by them from the left). What each source calls these tensors is data
//! in one module a layout.

mod hugging_face;
mod lora;
mod openai;

use std::collections::BTreeMap;
use std::fmt;

use crate::checkpoint::{Checkpoint, Contents};
use crate::entry::Entry;
use crate::error::{Error, Result};

/// How a CLIP file names its tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// OpenAI's names: `visual.conv1.weight`, `transformer.resblocks.0.attn.in_proj_weight`.
    OpenAi,
    /// OpenAI's names with an `open_clip_config.json` beside the weights.
    OpenClip,
    /// OpenAI's names with two position tables of the text tower (Long-CLIP).
    LongClip,
    /// OpenAI's names of the vision tower without `visual.`: Alpha-CLIP's fine-tunes, with or
    /// without LoRA.
    VisionOnly,
    /// transformers' `CLIPModel` and its halves; `image_encoder` of a diffusers pipeline.
    HuggingFace,
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenAi => "OpenAI",
            Self::OpenClip => "open_clip",
            Self::LongClip => "Long-CLIP",
            Self::VisionOnly => "Alpha-CLIP (vision only)",
            Self::HuggingFace => "Hugging Face",
        })
    }
}

/// Which towers a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Towers {
    /// The vision tower is there.
    pub vision: bool,
    /// The text tower is there.
    pub text: bool,
    /// The vision tower takes an alpha plane (`visual.conv1_alpha.weight`).
    pub alpha: bool,
}

/// What to do with LoRA matrices in a file (names ending in `lora_A`, `lora_B`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lora {
    /// Add them to their weights, W + B·A / rank. Alpha-CLIP's training saves them unmerged.
    #[default]
    Merge,
    /// Leave the weights as stored: for a file that was saved after merging.
    Ignore,
}

/// What is known of a view under internal names.
#[derive(Debug, Clone)]
pub(crate) struct Mapped {
    pub(crate) layout: Layout,
    pub(crate) towers: Towers,
    pub(crate) notes: Vec<String>,
    pub(crate) dropped: Vec<String>,
}

/// The work in progress: source tensors not yet used, and what was made of the others.
struct Mapping<'a> {
    file: &'a Checkpoint,
    /// Name without the prefix → name in the file.
    left: BTreeMap<String, &'a str>,
    made: BTreeMap<String, Entry>,
    dropped: Vec<String>,
    notes: Vec<String>,
}

impl<'a> Mapping<'a> {
    fn new(file: &'a Checkpoint, prefix: &str) -> Self {
        let left = file
            .names()
            .filter_map(|name| Some((name.strip_prefix(prefix)?.to_owned(), name)))
            .collect();
        Self {
            file,
            left,
            made: BTreeMap::new(),
            dropped: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Takes a source tensor out of those that are left.
    fn take(&mut self, name: &str) -> Option<Entry> {
        let source = self.left.remove(name)?;
        self.file.contents.tensors.get(source).cloned()
    }

    fn put(&mut self, name: String, made: Result<Entry, String>) -> Result<()> {
        let entry = made.map_err(|what| self.odd(&name, what))?;
        if self.made.contains_key(&name) {
            return Err(self.odd(&name, "is there under two names".into()));
        }
        self.made.insert(name, entry);
        Ok(())
    }

    fn drop(&mut self, name: &str) {
        if let Some(source) = self.left.remove(name) {
            self.dropped.push(source.to_owned());
        }
    }

    fn left_names(&self) -> Vec<String> {
        self.left.keys().cloned().collect()
    }

    /// Everything that is left keeps its name, so that a report can call it unexpected.
    fn put_rest(&mut self) -> Result<()> {
        for name in self.left_names() {
            if let Some(entry) = self.take(&name) {
                self.put(name, Ok(entry))?;
            }
        }
        Ok(())
    }

    fn odd(&self, name: &str, what: String) -> Error {
        Error::tensor(
            self.file.name(),
            name,
            what,
            "check where this file comes from",
        )
    }
}

impl Checkpoint {
    /// How this file names the tensors of a CLIP model; `None` if it holds none that is known.
    pub fn layout(&self) -> Option<Layout> {
        match &self.mapped {
            Some(mapped) => Some(mapped.layout),
            None => find(self).map(|(layout, _)| layout),
        }
    }

    /// The view of this file under internal names (see [`crate::layout`]). Nothing is read yet.
    ///
    /// Prefixes such as `module.` are stripped; q, k and v of Hugging Face are put together and
    /// its projections turned; buffers that hold no weights (`position_ids`, OpenAI's integer
    /// scalars, `num_batches_tracked`) are dropped; Long-CLIP's two position tables become one;
    /// LoRA matrices are merged or ignored. Tensors beside the model (a UNet in the same file) are
    /// left out; unknown ones inside it keep their names.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the names are of no known layout; [`Error::Tensor`] if two tensors
    /// claim one name or parts do not fit each other.
    pub fn clip(&self, lora: Lora) -> Result<Self> {
        if self.mapped.is_some() {
            return Ok(self.clone());
        }
        let Some((layout, prefix)) = find(self) else {
            return Err(crate::report::not_clip(self));
        };
        let mut mapping = Mapping::new(self, &prefix);
        match layout {
            Layout::HuggingFace => hugging_face::map(&mut mapping)?,
            Layout::VisionOnly => openai::map(&mut mapping, "visual.")?,
            Layout::OpenAi | Layout::OpenClip | Layout::LongClip => openai::map(&mut mapping, "")?,
        }
        lora::apply(&mut mapping, lora)?;
        if layout == Layout::LongClip {
            openai::join_long_tables(&mut mapping)?;
        }
        let Mapping {
            made,
            dropped,
            notes,
            ..
        } = mapping;
        let towers = towers(&made);
        let contents = Contents {
            tensors: made,
            skipped: self.contents.skipped.clone(),
            metadata: self.contents.metadata.clone(),
        };
        Ok(Self {
            name: self.name.clone(),
            form: self.form,
            contents,
            configs: self.configs.clone(),
            files: self.files.clone(),
            mapped: Some(Mapped {
                layout,
                towers,
                notes,
                dropped,
            }),
        })
    }

    /// Which towers are there; `None` before [`clip`](Self::clip).
    pub fn towers(&self) -> Option<Towers> {
        self.mapped.as_ref().map(|m| m.towers)
    }

    /// Remarks for the user on how the file was understood (LoRA merged, say), one sentence each.
    pub fn notes(&self) -> &[String] {
        self.mapped.as_ref().map_or(&[], |m| &m.notes)
    }

    /// Tensors of the file that hold no weights and were dropped by [`clip`](Self::clip).
    pub fn dropped(&self) -> &[String] {
        self.mapped.as_ref().map_or(&[], |m| &m.dropped)
    }

    /// The names in the file from which a tensor is made: one, or several that are put together.
    pub fn origin(&self, name: &str) -> &[String] {
        self.contents.tensors.get(name).map_or(&[], Entry::sources)
    }

    /// This view with the tensors of `other` put in place of its own, but for those named in
    /// `except`: an Alpha-CLIP fine-tune (vision only) over its base CLIP. Both must be views from
    /// [`clip`](Self::clip); text tower, configuration and name stay those of `self`. Whether the
    /// shapes suit each other is for [`check`](Self::check) to say.
    #[must_use]
    pub fn overlaid(&self, other: &Self, except: &[&str]) -> Self {
        let mut out = self.clone();
        for (name, entry) in &other.contents.tensors {
            if !except.contains(&name.as_str()) {
                out.contents.tensors.insert(name.clone(), entry.clone());
            }
        }
        if let Some(mapped) = &mut out.mapped {
            mapped.towers = towers(&out.contents.tensors);
            mapped.notes.extend_from_slice(other.notes());
            mapped.dropped.extend_from_slice(other.dropped());
        }
        out
    }
}

fn towers(made: &BTreeMap<String, Entry>) -> Towers {
    Towers {
        vision: made.contains_key("visual.conv1.weight"),
        // Diffusion checkpoints keep the text tower's ends and drop its blocks.
        text: made.contains_key("token_embedding.weight")
            && made.contains_key("transformer.resblocks.0.ln_1.weight"),
        alpha: made.contains_key("visual.conv1_alpha.weight"),
    }
}

/// The layout, and the prefix that all names of the model have in this file.
fn find(file: &Checkpoint) -> Option<(Layout, String)> {
    if let Some(prefix) = hugging_face::prefix(file) {
        return Some((Layout::HuggingFace, prefix));
    }
    if let Some(prefix) = openai::prefix(file) {
        let layout = if file.contains(&format!("{prefix}{}", openai::LONG_TABLE)) {
            Layout::LongClip
        } else if file.config("open_clip_config.json").is_some() {
            Layout::OpenClip
        } else {
            Layout::OpenAi
        };
        return Some((layout, prefix));
    }
    openai::bare_prefix(file).map(|prefix| (Layout::VisionOnly, prefix))
}

/// The shortest `P` such that the file has a tensor `P` + `anchor`; it ends in a dot or is empty.
fn prefix_of<'a>(file: &'a Checkpoint, anchor: &str) -> Option<&'a str> {
    file.names()
        .filter_map(|name| name.strip_suffix(anchor))
        .filter(|prefix| prefix.is_empty() || prefix.ends_with('.'))
        .min_by_key(|prefix| prefix.len())
}
