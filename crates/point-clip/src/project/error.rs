//! What can go wrong beside the projections: scores, adapters, prompt files.

/// Why scores cannot be had. Every message is one line of the form `what is wrong; what to do`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScoreError {
    /// The tensor library failed: out of memory, or an operation that the device lacks.
    #[error("the computation failed: {0}; check the free memory of the device")]
    Tensor(#[from] candle_core::Error),
    /// A weight file cannot be used.
    #[error(transparent)]
    Checkpoint(Box<checkpoint::Error>),
    /// A prompt file cannot be used.
    #[error("{file}: {what}; {remedy}")]
    Prompts {
        /// The file.
        file: String,
        /// What is wrong, and where.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// What a caller gave does not fit together: shapes, or numbers of views.
    #[error("{what}; {remedy}")]
    Input {
        /// What does not fit.
        what: String,
        /// What to do.
        remedy: String,
    },
}

impl From<checkpoint::Error> for ScoreError {
    fn from(error: checkpoint::Error) -> Self {
        ScoreError::Checkpoint(Box::new(error))
    }
}

impl ScoreError {
    pub(super) fn input(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        ScoreError::Input {
            what: what.into(),
            remedy: remedy.into(),
        }
    }
}
