//! What a file is, told from its first bytes and never from its name.

use crate::error::{Error, Result};
use crate::safetensors;

/// The forms of weight files that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// safetensors.
    Safetensors,
    /// `torch.save` since PyTorch 1.6: a zip archive with a pickle.
    TorchZip,
    /// `torch.jit.save`: a zip archive with a pickle of module objects and code (never run).
    TorchScript,
    /// `torch.save` before PyTorch 1.6: pickles, then the storages.
    TorchLegacy,
    /// Several files under one `*.index.json`.
    Sharded,
}

impl std::fmt::Display for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Safetensors => "safetensors",
            Self::TorchZip => "PyTorch archive",
            Self::TorchScript => "TorchScript archive",
            Self::TorchLegacy => "PyTorch file before 1.6",
            Self::Sharded => "several files under one index",
        })
    }
}

/// First bytes of a kind of file.
pub(crate) enum Kind {
    Safetensors,
    Zip,
    Pickle,
    /// Perhaps a `*.index.json`.
    Json,
}

/// Tells the kind of file, or says what it is instead of weights.
pub(crate) fn kind(bytes: &[u8], file: &str) -> Result<Kind> {
    let text = String::from_utf8_lossy(bytes.get(..512).unwrap_or(bytes)).to_lowercase();
    let start = text.trim_start_matches(['\u{feff}', ' ', '\n', '\r', '\t']);
    let not = |what: &str, remedy: &str| Err(Error::not_weights(file, what, remedy));
    if bytes.is_empty() {
        return not("the file is empty", "download it again");
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Ok(Kind::Zip);
    }
    if bytes.starts_with(b"version https://git-lfs") {
        return not(
            "this is a git-LFS pointer, not the weights themselves",
            "run `git lfs pull` in that folder or download the file itself",
        );
    }
    if start.starts_with("<!doctype") || start.starts_with("<html") || start.starts_with("<?xml") {
        return not(
            "this is a web page saved under a weight file's name",
            "open the link in a browser: it may need a login or be gone; then download again",
        );
    }
    if safetensors::is_safetensors(bytes) {
        return Ok(Kind::Safetensors);
    }
    if matches!(bytes, [0x80, 0..=5, ..]) {
        return Ok(Kind::Pickle);
    }
    if start.starts_with('{') {
        return Ok(Kind::Json);
    }
    for (magic, what, remedy) in OTHERS {
        if bytes.starts_with(magic) {
            return not(what, remedy);
        }
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return not(
            "this is a tar archive",
            "unpack it and give the weight file inside",
        );
    }
    if bytes.len() < 8 {
        return not("the file is too short to hold weights", "download it again");
    }
    not("the file is in no known weight format", READ)
}

const READ: &str = "give safetensors, a PyTorch file (.pt .pth .bin .ckpt) or a model folder";

/// Files that people give by mistake: first bytes, what they are, what to do.
const OTHERS: &[(&[u8], &str, &str)] = &[
    (
        b"\x1f\x8b",
        "this file is compressed with gzip",
        "unpack it with gunzip",
    ),
    (
        b"(\xb5/\xfd",
        "this file is compressed with zstd",
        "unpack it with zstd -d",
    ),
    (
        b"BZh",
        "this file is compressed with bzip2",
        "unpack it with bunzip2",
    ),
    (
        b"\xfd7zXZ",
        "this file is compressed with xz",
        "unpack it with unxz",
    ),
    (
        b"7z\xbc\xaf",
        "this is a 7z archive",
        "unpack it and give the weight file inside",
    ),
    (
        b"PK\x05\x06",
        "this is an empty zip archive",
        "download the file again",
    ),
    (b"\x89PNG", "this is a PNG picture", READ),
    (b"\xff\xd8\xff", "this is a JPEG picture", READ),
    (b"\x93NUMPY", "this is a numpy array", READ),
    (
        b"\x89HDF",
        "this is an HDF5 file (Keras)",
        "convert the weights to safetensors first",
    ),
    (
        b"GGUF",
        "this is a GGUF file, which is not read",
        "give the safetensors or PyTorch file",
    ),
    (b"ply\n", "this is a point cloud or mesh", READ),
    (b"ply\r", "this is a point cloud or mesh", READ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_that_are_no_weights_are_named() {
        let said = |bytes: &[u8]| {
            kind(bytes, "f")
                .err()
                .map(|e| e.to_string())
                .unwrap_or_default()
        };
        assert!(said(b"version https://git-lfs.github.com/spec/v1\noid").contains("git lfs pull"));
        assert!(said(b"\n <!DOCTYPE html><html>").contains("web page"));
        assert!(said(b"<HTML>").contains("web page"));
        assert!(said(b"\x1f\x8b\x08").contains("gunzip"));
        assert!(said(b"").contains("empty"));
        assert!(said(b"abc").contains("too short"));
        assert!(said(&[7; 600]).contains("no known weight format"));
        let mut tar = vec![b'a'; 600];
        tar[257..262].copy_from_slice(b"ustar");
        assert!(said(&tar).contains("tar"));
        assert!(matches!(kind(b"PK\x03\x04..", "f"), Ok(Kind::Zip)));
        assert!(matches!(kind(b"\x80\x02\x8a\x0a", "f"), Ok(Kind::Pickle)));
        assert!(matches!(
            kind(b"\x02\0\0\0\0\0\0\0{}", "f"),
            Ok(Kind::Safetensors)
        ));
    }
}
