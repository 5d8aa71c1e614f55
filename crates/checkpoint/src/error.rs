//! What can go wrong with a weight file, said in one line.

use std::fmt;

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a weight file cannot be used. Every message is one line of the form
/// `FILE: what is wrong; what to do`. Text that comes from the file is escaped and shortened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    #[error("{file}: {source}; check the path, its permissions and the space left")]
    Io {
        /// The file or folder.
        file: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file is not a weight file at all (a web page, a git-LFS pointer, a picture, …).
    #[error("{file}: {what}; {remedy}")]
    NotWeights {
        /// The file or folder.
        file: String,
        /// What was found instead.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// The file contradicts itself or ends too early.
    #[error("{file}: {what}; {remedy}")]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong, and where.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// The file asks for something that reading weights never needs (code, files elsewhere,
    /// memory far beyond its own size).
    #[error("{file}: {what}; {remedy}")]
    Refused {
        /// The file.
        file: String,
        /// What it asked for.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// A sound file in a form or of a kind that is not read.
    #[error("{file}: {what}; {remedy}")]
    Unsupported {
        /// The file.
        file: String,
        /// What it is.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// One tensor is absent or cannot be had as it was asked for.
    #[error("{file}: tensor {name} {what}; {remedy}")]
    Tensor {
        /// The file.
        file: String,
        /// Name of the tensor, quoted.
        name: String,
        /// What is wrong with it.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// The tensors in the file are not those that the caller needs (see [`crate::Report`]).
    #[error("{file}: {what}; {remedy}")]
    Mismatch {
        /// The file.
        file: String,
        /// What is missing, left over or of another shape.
        what: String,
        /// The likely cause and what to do.
        remedy: String,
    },
    /// Published weights could not be had.
    #[error("{place}: {what}; {remedy}")]
    Hub {
        /// The address, repository or name.
        place: String,
        /// What is wrong.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// The tensor library failed (out of device memory, for instance).
    #[error("{file}: tensor {name}: {source}; check the free memory of the device")]
    Candle {
        /// The file.
        file: String,
        /// Name of the tensor, quoted.
        name: String,
        /// What candle said.
        source: Box<candle_core::Error>,
    },
}

const AGAIN: &str = "download or copy the file again";

impl Error {
    pub(crate) fn io(file: impl fmt::Display, source: std::io::Error) -> Self {
        Self::Io {
            file: file.to_string(),
            source,
        }
    }

    pub(crate) fn not_weights(file: &str, what: impl Into<String>, remedy: &str) -> Self {
        Self::NotWeights {
            file: file.into(),
            what: what.into(),
            remedy: remedy.into(),
        }
    }

    pub(crate) fn damaged(file: &str, what: impl Into<String>) -> Self {
        Self::Damaged {
            file: file.into(),
            what: what.into(),
            remedy: AGAIN.into(),
        }
    }

    pub(crate) fn refused(file: &str, what: impl Into<String>, remedy: &str) -> Self {
        Self::Refused {
            file: file.into(),
            what: what.into(),
            remedy: remedy.into(),
        }
    }

    pub(crate) fn unsupported(file: &str, what: impl Into<String>, remedy: &str) -> Self {
        Self::Unsupported {
            file: file.into(),
            what: what.into(),
            remedy: remedy.into(),
        }
    }

    pub(crate) fn tensor(file: &str, name: &str, what: impl Into<String>, remedy: &str) -> Self {
        Self::Tensor {
            file: file.into(),
            name: quote(name),
            what: what.into(),
            remedy: remedy.into(),
        }
    }

    pub(crate) fn hub(place: &str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Hub {
            place: place.into(),
            what: what.into(),
            remedy: remedy.into(),
        }
    }

    pub(crate) fn candle(file: &str, name: &str, source: candle_core::Error) -> Self {
        Self::Candle {
            file: file.into(),
            name: quote(name),
            source: Box::new(source),
        }
    }
}

/// Text from a file, fit for one line on a terminal: quoted, escaped, at most 80 characters.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::from("`");
    for (count, c) in text.chars().enumerate() {
        if count == 80 {
            out.push('…');
            break;
        }
        if c.is_control() || (!c.is_ascii() && !c.is_alphanumeric()) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out.push('`');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_whatever_the_file_says() {
        let name = "a\nb\u{1b}[31m".to_owned() + &"x".repeat(500);
        let error = Error::tensor("m.pt", &name, "is absent", "give another file").to_string();
        assert_eq!(error.lines().count(), 1);
        assert!(
            error.starts_with("m.pt: tensor `a\\u{a}b\\u{1b}[31m"),
            "{error}"
        );
        assert!(error.chars().count() < 160, "{error}");
    }
}
