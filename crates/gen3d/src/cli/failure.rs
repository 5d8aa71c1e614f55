//! How a run ends.

use std::io;

/// A run that came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All inputs are done.
    Done,
    /// At least one input failed; the others are done.
    SomeFailed,
}

/// A run that could not start, or had to stop.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Exit code.
    pub(crate) code: u8,
    pub(crate) error: anyhow::Error,
}

impl Failure {
    /// The command line is wrong.
    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self {
            code: 2,
            error: error.into(),
        }
    }

    /// What the whole run needs is not there: a model, an output folder.
    pub(crate) fn missing(error: impl Into<anyhow::Error>) -> Self {
        Self {
            code: 3,
            error: error.into(),
        }
    }

    /// The one thing that was asked for failed.
    pub(crate) fn failed(error: impl Into<anyhow::Error>) -> Self {
        Self {
            code: 1,
            error: error.into(),
        }
    }

    /// The user stopped it.
    pub(crate) fn interrupted() -> Self {
        let error = anyhow::anyhow!("interrupted; what was finished is kept");
        Self { code: 130, error }
    }

    /// Results could not be written.
    pub(crate) fn output(error: io::Error) -> Self {
        Self {
            code: 3,
            error: anyhow::Error::new(error).context("cannot write the results"),
        }
    }

    /// Whether the reader of our results went away (`gen3d … | head`), which is no mistake.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        let kind = |cause: &(dyn std::error::Error + 'static)| {
            cause.downcast_ref::<io::Error>().map(io::Error::kind)
        };
        self.error
            .chain()
            .any(|cause| kind(cause) == Some(io::ErrorKind::BrokenPipe))
    }
}

/// `error` on one line, whatever it holds.
pub(crate) fn one_line(error: &anyhow::Error) -> String {
    format!("{error:#}")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
