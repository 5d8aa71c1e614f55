//! The error of this crate.

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong, said in one line of the form `what is wrong; what to do`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The tensor library failed: out of memory, or an operation that the device lacks.
    #[error("the computation failed: {0}")]
    Tensor(#[from] candle_core::Error),
    /// The weight file cannot be read.
    #[error(transparent)]
    Checkpoint(#[from] checkpoint::Error),
    /// The weights are not those of a CLIP that this crate can build.
    #[error("{what}; {remedy}")]
    Model {
        /// What is wrong with the weights or their configuration.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// What a caller gave does not fit the model: a shape, a type, a number.
    #[error("{what}; {remedy}")]
    Input {
        /// What does not fit.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// A picture or mask file cannot be used.
    #[error("{file}: {what}; {remedy}")]
    Picture {
        /// Path or name of the file.
        file: String,
        /// What is wrong with it.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// A region covers no pixel of its picture.
    #[error("{what} covers nothing of the picture; choose a region inside it")]
    EmptyRegion {
        /// The kind of region and its numbers.
        what: String,
    },
    /// A text has more tokens than the model takes.
    #[error(
        "the text has {tokens} tokens, the model takes {context}; shorten it, or let it be cut"
    )]
    TextTooLong {
        /// Tokens of the text, start and end included.
        tokens: usize,
        /// The most that the model takes.
        context: usize,
    },
}

impl Error {
    pub(crate) fn model(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Model {
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
