//! What a file has against what a model needs, said in words.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::checkpoint::Checkpoint;
use crate::error::{Error, Result, quote};
use crate::layout::Towers;
use crate::stored::StoredType;

/// The tensors of a checkpoint against those that a model needs. `Display` gives it in a few
/// lines for people; [`into_result`](Self::into_result) turns it into a one-line error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The file.
    pub file: String,
    /// Needed tensors that are there in the right shape.
    pub used: Vec<String>,
    /// Needed tensors that are not there.
    pub missing: Vec<String>,
    /// Tensors that nothing needs. They do no harm.
    pub unexpected: Vec<String>,
    /// Needed tensors of another shape.
    pub wrong_shape: Vec<WrongShape>,
    /// Number of used tensors of each stored type.
    pub types: BTreeMap<StoredType, usize>,
    /// The likely cause of what is missing or wrong.
    pub cause: Option<String>,
    /// What to do about it.
    pub remedy: Option<String>,
}

/// A tensor that is there, but not in the shape that is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongShape {
    /// Name of the tensor.
    pub name: String,
    /// The shape that the model needs.
    pub needed: Vec<usize>,
    /// The shape in the file.
    pub found: Vec<usize>,
}

impl Checkpoint {
    /// Compares this checkpoint with the names and shapes that a model needs, before anything is
    /// read.
    pub fn check<N, S>(&self, needed: impl IntoIterator<Item = (N, S)>) -> Report
    where
        N: Into<String>,
        S: Into<Vec<usize>>,
    {
        let mut report = Report {
            file: self.name().to_owned(),
            used: Vec::new(),
            missing: Vec::new(),
            unexpected: Vec::new(),
            wrong_shape: Vec::new(),
            types: BTreeMap::new(),
            cause: None,
            remedy: None,
        };
        let mut wanted = BTreeSet::new();
        for (name, shape) in needed {
            let (name, shape) = (name.into(), shape.into());
            match self.info(&name) {
                None => report.missing.push(name.clone()),
                Some(info) if info.shape != shape => report.wrong_shape.push(WrongShape {
                    name: name.clone(),
                    needed: shape,
                    found: info.shape.clone(),
                }),
                Some(info) => {
                    *report.types.entry(info.stored).or_default() += 1;
                    report.used.push(name.clone());
                }
            }
            wanted.insert(name);
        }
        report.unexpected = self
            .names()
            .filter(|n| !wanted.contains(*n))
            .map(str::to_owned)
            .collect();
        if !report.fits() {
            let (cause, remedy) = explain(self, &report);
            report.cause = Some(cause);
            report.remedy = Some(remedy);
        }
        report
    }
}

impl Report {
    /// Whether every needed tensor is there in the right shape.
    pub fn fits(&self) -> bool {
        self.missing.is_empty() && self.wrong_shape.is_empty()
    }

    /// The report if everything needed is there.
    ///
    /// # Errors
    /// [`Error::Mismatch`] with the likely cause and the remedy.
    pub fn into_result(self) -> Result<Self> {
        if self.fits() {
            return Ok(self);
        }
        let mut what = Vec::new();
        if let Some(first) = self.missing.first() {
            what.push(match self.missing.len() {
                1 => format!("tensor {} is missing", quote(first)),
                n => format!("{n} tensors are missing (first: {})", quote(first)),
            });
        }
        if let Some(first) = self.wrong_shape.first() {
            let others = match self.wrong_shape.len() {
                1 => String::new(),
                n => format!(" (and {} more)", n - 1),
            };
            what.push(format!(
                "tensor {} has shape {:?} instead of {:?}{others}",
                quote(&first.name),
                first.found,
                first.needed
            ));
        }
        if let Some(cause) = &self.cause {
            what.push(cause.clone());
        }
        Err(Error::Mismatch {
            file: self.file,
            what: what.join(", "),
            remedy: self.remedy.unwrap_or_default(),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let types: Vec<String> = self.types.iter().map(|(t, n)| format!("{n} {t}")).collect();
        writeln!(
            f,
            "{}: {} tensors used ({})",
            self.file,
            self.used.len(),
            types.join(", ")
        )?;
        for (title, names) in [("missing", &self.missing), ("unexpected", &self.unexpected)] {
            if !names.is_empty() {
                let shown: Vec<String> = names.iter().take(5).map(|n| quote(n)).collect();
                let more = if names.len() > shown.len() {
                    ", …"
                } else {
                    ""
                };
                writeln!(f, "  {title}: {} ({}{more})", names.len(), shown.join(", "))?;
            }
        }
        for wrong in &self.wrong_shape {
            let name = quote(&wrong.name);
            writeln!(
                f,
                "  {name}: shape {:?}, needed {:?}",
                wrong.found, wrong.needed
            )?;
        }
        if let (Some(cause), Some(remedy)) = (&self.cause, &self.remedy) {
            writeln!(f, "  {cause}; {remedy}")?;
        }
        Ok(())
    }
}

/// The likely cause of a mismatch, and the remedy.
fn explain(file: &Checkpoint, report: &Report) -> (String, String) {
    let missing_text = report.missing.iter().any(|n| !n.starts_with("visual."));
    let missing_alpha = report
        .missing
        .iter()
        .any(|n| n.starts_with("visual.conv1_alpha"));
    let pair = |cause: &str, remedy: &str| (cause.to_owned(), remedy.to_owned());
    match file.towers() {
        Some(Towers {
            vision: true,
            text: false,
            ..
        }) if missing_text => pair(
            "this file holds only the vision tower",
            "give the base CLIP with --model and this one with --alpha-weights",
        ),
        Some(Towers {
            vision: false,
            text: true,
            ..
        }) if !report.missing.is_empty() => pair(
            "this file holds only the text tower",
            "give the whole CLIP model",
        ),
        Some(Towers { alpha: false, .. }) if missing_alpha && report.missing.len() == 1 => pair(
            "this is a CLIP without an alpha channel",
            "add an Alpha-CLIP fine-tune of the same size with --alpha-weights",
        ),
        None => foreign(file),
        Some(_) if report.missing.is_empty() => pair(
            "the file belongs to a model of another size",
            "take weights of the same architecture (say ViT-L/14 with ViT-L/14)",
        ),
        Some(_) => pair(
            "the file is not complete or of another architecture",
            "download it again, or take weights of the architecture that its config names",
        ),
    }
}

/// Other models that people have lying about: a part of a tensor's name, what it is, what to do.
const FOREIGN: &[(&str, &str, &str)] = &[
    (
        "model.diffusion_model.",
        "this is a whole Stable Diffusion checkpoint without a CLIP image encoder",
        "give it with --pipeline, or give a CLIP model",
    ),
    (
        "down_blocks.0.attentions.",
        "this is a diffusion UNet",
        "give a CLIP model",
    ),
    (
        "encoder.down_blocks.",
        "this is a VAE of a diffusion pipeline",
        "give a CLIP model",
    ),
    (
        "mask_decoder.",
        "this is a Segment Anything model",
        "give a CLIP model",
    ),
    (
        "vision_model.head.attention",
        "this is a SigLIP model",
        "give a CLIP model",
    ),
    (
        "visual.trunk.",
        "this is an open_clip model with a timm tower",
        "give one with a ViT or ResNet tower",
    ),
    (
        "text.transformer.",
        "this is an open_clip model with its own kind of text tower",
        "give one with CLIP's text tower",
    ),
    (
        "blocks.0.attn.qkv.",
        "this is a ViT of timm or DINO, not of CLIP",
        "give a CLIP model",
    ),
    (
        "model.layers.0.self_attn.",
        "this is a language model",
        "give a CLIP model",
    ),
    ("bert.", "this is a BERT text model", "give a CLIP model"),
    (
        "lora_up.",
        "this is a LoRA for Stable Diffusion",
        "give a CLIP model",
    ),
    (
        "optimizer.",
        "this looks like a training state",
        "give the file with the weights",
    ),
];

/// What a file may be in which no CLIP was found.
fn foreign(file: &Checkpoint) -> (String, String) {
    for (part, cause, remedy) in FOREIGN {
        if file.names().any(|n| n.contains(part)) {
            return ((*cause).to_owned(), (*remedy).to_owned());
        }
    }
    let Some(first) = file.names().next() else {
        return match file.unreadable().iter().next() {
            Some((name, reason)) => (
                format!("none of its tensors can be read ({} {reason})", quote(name)),
                "convert the file to f16 or f32 with PyTorch".to_owned(),
            ),
            None => (
                "the file holds no tensors".to_owned(),
                "give a CLIP model".to_owned(),
            ),
        };
    };
    (
        format!(
            "its {} tensors are not named like a CLIP model's (first: {})",
            file.names().len(),
            quote(first)
        ),
        "give a CLIP or Alpha-CLIP model (OpenAI, open_clip or Hugging Face)".to_owned(),
    )
}

/// The error for a file in which no CLIP was found.
pub(crate) fn not_clip(file: &Checkpoint) -> Error {
    let (what, remedy) = foreign(file);
    Error::Mismatch {
        file: file.name().to_owned(),
        what,
        remedy,
    }
}
