//! Where bytes lie: in the GLB file, in the document as base64, or in a file beside it.

use super::FORMAT;
use super::document::{Buffer, Document};
use crate::error::{Error, Result, quote};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Display;
use std::path::{Component, Path, PathBuf};

/// The buffers of a document.
#[derive(Default)]
pub(super) struct Buffers<'a> {
    /// Where in `contents` a buffer is; `None` for one without bytes, which compressed files have
    /// as a placeholder.
    places: Vec<Option<usize>>,
    contents: Vec<Cow<'a, [u8]>>,
}

impl<'a> Buffers<'a> {
    /// Brings in the buffers that `document` names: the first may be `binary`, files are sought in
    /// `folder`.
    ///
    /// # Errors
    /// A file that is missing or lies elsewhere, and a buffer that is shorter than it says.
    pub(super) fn open(
        document: &Document,
        binary: Option<&'a [u8]>,
        folder: Option<&Path>,
    ) -> Result<Self> {
        let mut opened = Buffers::default();
        // A file is read once, however many buffers it is given for: they cost nothing to name.
        let mut files = HashMap::new();
        for (at, buffer) in document.buffers.iter().enumerate() {
            let content: Option<Cow<[u8]>> = match &buffer.uri {
                Some(uri) if uri.starts_with("data:") => Some(decode(uri)?.into()),
                Some(uri) => {
                    let path = path_beside(uri, folder)?;
                    match files.entry(path) {
                        Entry::Occupied(known) => {
                            opened.add(at, buffer, Some(*known.get()))?;
                            continue;
                        }
                        Entry::Vacant(new) => {
                            let content = file_beside(new.key(), uri)?;
                            new.insert(opened.contents.len());
                            Some(content.into())
                        }
                    }
                }
                None if at == 0 => binary.map(Cow::from),
                None => None,
            };
            let place = content.map(|content| {
                opened.contents.push(content);
                opened.contents.len() - 1
            });
            opened.add(at, buffer, place)?;
        }
        Ok(opened)
    }

    /// Adds buffer `at`, whose bytes are at `place`.
    fn add(&mut self, at: usize, buffer: &Buffer, place: Option<usize>) -> Result<()> {
        self.places.push(place);
        match self.get(at) {
            Some(bytes) if bytes.len() < buffer.byte_length => Err(Error::damaged(
                FORMAT,
                format!(
                    "buffer {at} promises {} bytes, but there are {}",
                    buffer.byte_length,
                    bytes.len()
                ),
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<&[u8]> {
        let place = (*self.places.get(index)?)?;
        self.contents.get(place).map(|content| &**content)
    }

    /// Bytes of all buffers.
    pub(super) fn total(&self) -> usize {
        self.contents.iter().map(|content| content.len()).sum()
    }
}

/// The bytes of a `data:` address.
fn decode(uri: &str) -> Result<Vec<u8>> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let data = uri
        .split_once(";base64,")
        .and_then(|(_, data)| LENIENT.decode(data).ok());
    data.ok_or_else(|| Error::damaged(FORMAT, "a buffer inside it is no base64"))
}

/// The path of the file `uri` in `folder`.
fn path_beside(uri: &str, folder: Option<&Path>) -> Result<PathBuf> {
    let shown = quote(uri.as_bytes());
    let name = percent_decoded(uri).filter(|name| is_inside(name));
    let Some(name) = name else {
        return Err(Error::refused(
            format!("it refers to {shown}, which does not lie beside it"),
            "copy the file beside it and correct the reference, or export it as GLB",
        ));
    };
    match folder {
        Some(folder) => Ok(folder.join(name)),
        None => Err(Error::unsupported(
            format!("its numbers are in another file, {shown}"),
            "give it as a file with the other beside it, or export it as GLB",
        )),
    }
}

/// The bytes of the file at `path`, which the document names `uri`.
fn file_beside(path: &Path, uri: &str) -> Result<Vec<u8>> {
    let missing = |reason: &dyn Display| {
        let shown = quote(uri.as_bytes());
        Error::unsupported(
            format!("its numbers are in {shown}, which cannot be read ({reason})"),
            "copy that file beside it, or export it as GLB",
        )
    };
    // Devices and pipes may have no end.
    let is_file = std::fs::metadata(path)
        .map_err(|error| missing(&error))?
        .is_file();
    if !is_file {
        return Err(missing(&"not a file"));
    }
    std::fs::read(path).map_err(|error| missing(&error))
}

/// Whether `name` leads to a file in the folder or below it, on any system.
fn is_inside(name: &str) -> bool {
    let plain = !name.contains(['\\', ':', '\0']) && !name.is_empty();
    plain
        && Path::new(name)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}

fn percent_decoded(uri: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(uri.len());
    let mut rest = uri.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_below_the_folder() {
        for name in ["a.bin", "buffers/a b.bin", "ä.bin"] {
            assert!(is_inside(name), "{name}");
        }
        for name in [
            "",
            "/etc/passwd",
            "../a.bin",
            "a/../../b",
            "http://a/b",
            "C:a",
            "C:\\a",
            "..\\a",
            "./a\0",
            "file:a",
            "./../a",
        ] {
            assert!(!is_inside(name), "{name}");
        }
    }

    #[test]
    fn escapes_are_undone_before_the_check() {
        assert_eq!(percent_decoded("a%20b.bin").unwrap(), "a b.bin");
        assert_eq!(percent_decoded("%2e%2e/a").unwrap(), "../a");
        for broken in ["%", "%2", "%zz", "%ff"] {
            assert_eq!(percent_decoded(broken), None);
        }
    }
}
