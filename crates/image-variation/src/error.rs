//! The error of this crate.

use std::path::Path;

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong, said in one line of the form `what is wrong; what to do`, with the file in
/// front where there is one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The tensor library failed: out of memory, or an operation that the device lacks.
    #[error("the computation failed: {0}")]
    Tensor(#[from] candle_core::Error),
    /// A weight file cannot be read.
    #[error(transparent)]
    Checkpoint(#[from] checkpoint::Error),
    /// An image encoder cannot be built from its weights, or does not take its input.
    #[error(transparent)]
    Clip(#[from] alpha_clip::Error),
    /// A pipeline is incomplete, or of a kind that this crate does not run.
    #[error("{place}: {what}; {remedy}")]
    Pipeline {
        /// The pipeline's folder or file, or the part of it that is at fault.
        place: String,
        /// What is wrong.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// A setting that cannot be: a size, a number of steps, a guidance scale.
    #[error("{what}; {remedy}")]
    Setting {
        /// Which setting, and what is wrong with it.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// A picture, mask, embedding or latent tensor that does not fit.
    #[error("{what}; {remedy}")]
    Input {
        /// What does not fit.
        what: String,
        /// What to do.
        remedy: String,
    },
}

impl Error {
    pub(crate) fn pipeline(
        place: impl AsRef<Path>,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::Pipeline {
            place: place.as_ref().display().to_string(),
            what: what.into(),
            remedy: remedy.into(),
        }
    }

    pub(crate) fn setting(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Setting {
            what: what.into(),
            remedy: remedy.into(),
        }
    }

    pub(crate) fn input(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Input {
            what: what.into(),
            remedy: remedy.into(),
        }
    }
}
