//! glTF 2.0 and its binary container GLB (Khronos): the triangles of a scene, in its coordinates.
//!
//! Only what geometry needs is read. Numbers are taken from buffers by this crate's own checked
//! columns, since readers of whole documents trust their offsets or refuse files for flaws that do
//! not matter here.

mod accessor;
mod buffers;
mod document;
mod scene;

use super::{Reader, Source};
use crate::Shape;
use crate::error::{Error, Result};
use buffers::Buffers;
use document::Document;

const FORMAT: &str = "glTF";
const EXPORT_PLAIN: &str = "export it without compression";

pub(super) const READER: Reader = Reader {
    recognises: |source| {
        source.bytes.starts_with(b"glTF")
            || source.bytes.trim_ascii_start().starts_with(b"{")
                && memchr::memmem::find(source.bytes, b"\"asset\"").is_some()
    },
    read,
};

fn read(source: &Source) -> Result<Shape> {
    let (json, binary) = if source.bytes.starts_with(b"glTF") {
        chunks(source.bytes)?
    } else {
        (source.bytes, None)
    };
    let document: Document = serde_json::from_slice(json).map_err(|error| {
        Error::damaged(
            FORMAT,
            format!(
                "its JSON is broken at line {}, column {}",
                error.line(),
                error.column()
            ),
        )
    })?;
    if !document.asset.version.starts_with("2.") {
        return Err(Error::unsupported(
            "this is glTF of another version than 2",
            "export it as glTF 2.0",
        ));
    }
    let buffers = Buffers::open(&document, binary, source.folder)?;
    scene::read(&document, &buffers, source.bytes.len())
}

/// The JSON chunk and the binary chunk of a GLB file.
fn chunks(bytes: &[u8]) -> Result<(&[u8], Option<&[u8]>)> {
    const JSON: u32 = 0x4E4F_534A;
    const BINARY: u32 = 0x004E_4942;
    let word = |at: usize| {
        let bytes = bytes.get(at..).and_then(|rest| rest.first_chunk());
        bytes.map(|&bytes| u32::from_le_bytes(bytes))
    };
    if word(4).is_some_and(|version| version != 2) {
        return Err(Error::unsupported(
            "this is GLB of another version than 2",
            "export it as glTF 2.0",
        ));
    }
    let (mut json, mut binary) = (None, None);
    let mut at = 12;
    while let Some((length, kind)) = word(at).zip(word(at + 4)) {
        let length = length as usize;
        let Some(chunk) = bytes.get(at + 8..).and_then(|rest| rest.get(..length)) else {
            return Err(Error::damaged(
                FORMAT,
                format!(
                    "a chunk promises {length} bytes, but there are {}",
                    bytes.len() - at - 8
                ),
            ));
        };
        match kind {
            JSON => json = json.or(Some(chunk)),
            BINARY => binary = binary.or(Some(chunk)),
            _ => {}
        }
        at += 8 + length;
    }
    let json = json.ok_or_else(|| Error::damaged(FORMAT, "it ends before its JSON chunk"))?;
    Ok((json, binary))
}

#[cfg(test)]
pub(super) mod tests;
