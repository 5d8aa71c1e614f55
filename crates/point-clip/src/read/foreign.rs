//! Names what a file is that holds no shape: people give pictures, pages and archives.

use crate::error::{Error, quote};

const EXPORT: &str = "export it as PLY, OBJ, STL, OFF or GLB";
const UNPACK: &str = "unpack it and give the file inside";
const AGAIN: &str = "download the file itself";
const PICTURE: &str = "give a cloud or a mesh, or use `classify` for pictures";
const KNOWN: &str = "give PLY, OFF, OBJ, STL, glTF, GLB, PCD, XYZ, TXT, CSV, NPY, NPZ, LAS or LAZ";

/// Beginnings of files that are no shapes or of formats that are not read.
const SIGNATURES: &[(&[u8], &str, &str)] = &[
    (b"\x89PNG", "this is a PNG picture", PICTURE),
    (b"\xFF\xD8\xFF", "this is a JPEG picture", PICTURE),
    (b"GIF8", "this is a GIF picture", PICTURE),
    (b"II*\0", "this is a TIFF picture", PICTURE),
    (b"MM\0*", "this is a TIFF picture", PICTURE),
    (b"BM", "this is a BMP picture", PICTURE),
    (b"8BPS", "this is a Photoshop picture", PICTURE),
    (b"%PDF", "this is a PDF document", EXPORT),
    (
        b"version https://git-lfs",
        "this is a git-LFS pointer, not the file",
        "run `git lfs pull`",
    ),
    (b"\x1F\x8B", "this is a gzip archive", UNPACK),
    (b"BZh", "this is a bzip2 archive", UNPACK),
    (b"\xFD7zXZ\0", "this is an xz archive", UNPACK),
    (b"\x28\xB5\x2F\xFD", "this is a zstd archive", UNPACK),
    (b"7z\xBC\xAF\x27\x1C", "this is a 7-Zip archive", UNPACK),
    (b"Rar!", "this is a RAR archive", UNPACK),
    (b"PK", "this is a ZIP archive without arrays", UNPACK),
    (b"Kaydara FBX", "this is an FBX file", EXPORT),
    (b"; FBX", "this is an FBX file", EXPORT),
    (b"BLENDER", "this is a Blender file", EXPORT),
    (b"PXR-USDC", "this is a USD file", EXPORT),
    (b"#usda", "this is a USD file", EXPORT),
    (b"Ogawa", "this is an Alembic file", EXPORT),
    (b"# vtk DataFile", "this is a VTK file", EXPORT),
    (b"#VRML", "this is a VRML file", EXPORT),
    (b"ISO-10303-21", "this is a STEP file", EXPORT),
    (b"ASTM-E57", "this is an E57 file", EXPORT),
    (b"DRACO", "this is a Draco file", EXPORT),
    (b"\x89HDF", "this is an HDF5 file", EXPORT),
    (b"\x7FELF", "this is a program", KNOWN),
    (b"MZ", "this is a program", KNOWN),
    (b"\xFF\xFE", "this is UTF-16 text", "save it as UTF-8"),
    (b"\xFE\xFF", "this is UTF-16 text", "save it as UTF-8"),
];

/// Whether the bytes are of something else than a shape.
pub(super) fn is_known(bytes: &[u8]) -> bool {
    identify(bytes).is_some()
}

/// What the bytes are, and what to do.
fn identify(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    if bytes.is_empty() {
        return Some(("the file is empty", "export or download it again"));
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Some(("this is a WebP picture", PICTURE));
    }
    if let Some(&(_, what, remedy)) = SIGNATURES.iter().find(|(s, ..)| bytes.starts_with(s)) {
        return Some((what, remedy));
    }
    let text = head(bytes).trim_ascii_start().to_ascii_lowercase();
    if text.starts_with(b"<!doctype html") || text.starts_with(b"<html") {
        return Some(("this is a web page, not the file", AGAIN));
    }
    if text.starts_with(b"<") {
        let collada = text.windows(8).any(|w| w == b"<collada");
        let what = if collada {
            "this is a COLLADA file"
        } else {
            "this is an XML file"
        };
        return Some((what, EXPORT));
    }
    None
}

fn head(bytes: &[u8]) -> &[u8] {
    bytes.get(..1024).unwrap_or(bytes)
}

/// The error for bytes that no reader recognises.
pub(super) fn describe(bytes: &[u8]) -> Error {
    if let Some((what, remedy)) = identify(bytes) {
        return Error::not_a_shape(what, remedy);
    }
    let head = head(bytes);
    if head.contains(&0) {
        return Error::not_a_shape("this is no 3D format that is known", KNOWN);
    }
    let first_line = head
        .trim_ascii()
        .split(|&b| b == b'\n' || b == b'\r')
        .next();
    Error::not_a_shape(
        format!(
            "this is no 3D format that is known (it begins with {})",
            quote(first_line.unwrap_or_default())
        ),
        KNOWN,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(bytes: &[u8]) -> String {
        describe(bytes).to_string()
    }

    #[test]
    fn things_that_people_give_are_named() {
        assert!(said(b"").starts_with("the file is empty; "));
        assert!(said(b"\x89PNG\r\n\x1a\n").starts_with("this is a PNG picture; "));
        assert!(said(b"RIFF\0\0\0\0WEBPVP8 ").starts_with("this is a WebP picture; "));
        assert!(said(b"\n  <!DOCTYPE html><html>").starts_with("this is a web page"));
        assert!(said(b"<?xml version=\"1.0\"?>\n<COLLADA xmlns").contains("COLLADA"));
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1\n";
        assert!(said(pointer).ends_with("; run `git lfs pull`"));
        assert!(said(b"Dear all,\nhello").contains("begins with `Dear all,`"));
        assert!(!said(b"\x01\x02\0\x03").contains("begins"));
    }
}
