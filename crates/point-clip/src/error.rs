//! What can go wrong between a file and a name for what it shows, each in one line.

use crate::DegenerateShape;
use std::fmt;

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a shape cannot be read or recognised.
///
/// Every message is one line that says what is wrong and what to do. Text that comes from a file
/// is quoted, escaped and shortened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another error, and the file it is about: `FILE: what is wrong; what to do`.
    #[error("{file}: {error}")]
    InFile {
        /// The file as the caller named it.
        file: String,
        /// What is wrong with it.
        error: Box<Error>,
    },
    /// The operating system refused.
    #[error("{0}; check the path and its permissions")]
    Io(std::io::Error),
    /// The bytes are something else than a 3D shape (a picture, a web page, nothing at all).
    #[error("{what}; {remedy}")]
    NotAShape {
        /// What was found instead.
        what: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The file contradicts itself or ends too early.
    #[error("damaged {format}: {what}; {remedy}")]
    Damaged {
        /// Name of the format.
        format: &'static str,
        /// What is wrong, and where.
        what: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A sound file that uses something that is not read.
    #[error("{what}; {remedy}")]
    Unsupported {
        /// What it uses.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// The file asks for something that reading a shape never needs (files elsewhere, memory far
    /// beyond its own size).
    #[error("{what}; {remedy}")]
    Refused {
        /// What it asks for.
        what: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A coordinate is NaN, infinite, or too large for single precision.
    #[error(
        "{0} has a coordinate that is NaN, infinite or beyond single precision; remove such points and save the file again"
    )]
    NotFinite(Place),
    /// There is nothing to see.
    #[error(transparent)]
    Degenerate(#[from] DegenerateShape),
    /// The tower that looks at the views failed, or does not fit them.
    #[error(transparent)]
    Model(Box<alpha_clip::Error>),
}

/// Where in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A line of a text file, from 1.
    Line(usize),
    /// A vertex or point, from 0.
    Vertex(usize),
    /// A face, from 0.
    Face(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Line(number) => write!(f, "line {number}"),
            Place::Vertex(index) => write!(f, "vertex {index}"),
            Place::Face(index) => write!(f, "face {index}"),
        }
    }
}

impl Error {
    /// This error with the name of the file that it is about.
    pub fn in_file(self, file: impl fmt::Display) -> Self {
        Error::InFile {
            file: file.to_string(),
            error: Box::new(self),
        }
    }

    /// What is wrong, without the file's name: for callers that print the name themselves.
    pub fn without_file(&self) -> &Error {
        match self {
            Error::InFile { error, .. } => error.without_file(),
            other => other,
        }
    }

    pub(crate) fn not_a_shape(what: impl Into<String>, remedy: &'static str) -> Self {
        Error::NotAShape {
            what: what.into(),
            remedy,
        }
    }

    pub(crate) fn damaged(format: &'static str, what: impl Into<String>) -> Self {
        Error::Damaged {
            format,
            what: what.into(),
            remedy: "export or download the file again",
        }
    }

    pub(crate) fn unsupported(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Error::Unsupported {
            what: what.into(),
            remedy: remedy.into(),
        }
    }

    pub(crate) fn refused(what: impl Into<String>, remedy: &'static str) -> Self {
        Error::Refused {
            what: what.into(),
            remedy,
        }
    }
}

/// Bytes of a file, fit for one line on a terminal: quoted, escaped, at most 40 characters after
/// that.
pub(crate) fn quote(bytes: &[u8]) -> String {
    const LONGEST: usize = 40;
    let shown = bytes.get(..4 * LONGEST).unwrap_or(bytes);
    let mut out = String::from("`");
    let mut length = 0;
    for c in String::from_utf8_lossy(shown).chars() {
        let escaped = c.is_control() || (!c.is_ascii() && !c.is_alphanumeric());
        length += if escaped { c.escape_unicode().len() } else { 1 };
        if length > LONGEST {
            out.push('…');
            break;
        }
        if escaped {
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
    fn text_from_a_file_cannot_leave_its_line() {
        let long = [b"a\nb\x1b[31m".as_slice(), &[b'x'; 500]].concat();
        let quoted = quote(&long);
        assert!(quoted.starts_with("`a\\u{a}b\\u{1b}[31mxxx"), "{quoted}");
        for bytes in [long.as_slice(), &[0xCC; 500], &[0x1B; 500]] {
            let quoted = quote(bytes);
            assert!(quoted.chars().count() <= 43, "{quoted}");
        }
    }

    #[test]
    fn the_file_comes_first_and_can_be_left_out() {
        let error = Error::NotFinite(Place::Line(7)).in_file("a.xyz");
        assert!(error.to_string().starts_with("a.xyz: line 7 has"));
        assert!(error.without_file().to_string().starts_with("line 7 has"));
    }
}
