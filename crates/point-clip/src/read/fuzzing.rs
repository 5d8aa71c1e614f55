//! What the fuzz targets call (`fuzz/`), and a test that replays their corpus.

use super::{Reader, Source, gltf, las, npy, obj, off, pcd, ply, read_bytes, stl, table};
use crate::Shape;
use crate::error::Result;
use memchr::memmem;
use std::io::{Cursor, Write};
use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

/// The function of a target.
type Target = fn(&[u8]);

/// All targets by name. LAZ has none: its decompressor is for files that are trusted.
pub const TARGETS: [(&str, Target); 11] = [
    ("shape", shape),
    ("ply", ply),
    ("off", off),
    ("obj", obj),
    ("stl", stl),
    ("gltf", gltf),
    ("pcd", pcd),
    ("las", las),
    ("npy", npy),
    ("npz", npz),
    ("table", table),
];

/// A file whose name says one of these, chosen by the first byte.
const EXTENSIONS: [&str; 4] = ["", "stl", "off", "xyz"];

/// A file of any format.
pub fn shape(data: &[u8]) {
    if let Some((&first, bytes)) = data.split_first() {
        let extension = EXTENSIONS.get(usize::from(first) % EXTENSIONS.len());
        check_promises(&read_bytes(bytes, extension.copied()));
    }
}

/// A PLY file.
pub fn ply(data: &[u8]) {
    read_as(&ply::READER, "ply", data);
}

/// An OFF file, whose keyword may be missing.
pub fn off(data: &[u8]) {
    read_as(&off::READER, "off", data);
}

/// An OBJ file.
pub fn obj(data: &[u8]) {
    read_as(&obj::READER, "obj", data);
}

/// An STL file, text or binary.
pub fn stl(data: &[u8]) {
    read_as(&stl::READER, "stl", data);
}

/// A glTF or GLB file that needs no other.
pub fn gltf(data: &[u8]) {
    read_as(&gltf::READER, "glb", data);
}

/// A PCD file.
pub fn pcd(data: &[u8]) {
    read_as(&pcd::READER, "pcd", data);
}

/// A LAS file.
pub fn las(data: &[u8]) {
    read_as(&las::READER, "las", data);
}

/// An array of numpy.
pub fn npy(data: &[u8]) {
    read_as(&npy::NPY, "npy", data);
}

/// An archive of numpy, or the arrays of one: checksums are too much to ask of a fuzzer.
pub fn npz(data: &[u8]) {
    read_as(&npy::NPZ, "npz", data);
    let ends = memmem::find_iter(data, npy::MAGIC).skip(1);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut start = 0;
    for (name, end) in ["points", "faces", "normals", "colors"]
        .iter()
        .zip(ends.chain([data.len()]))
    {
        let array = data.get(start..end).unwrap_or_default();
        start = end;
        let started = zip.start_file(format!("{name}.npy"), options);
        if started.is_err() || zip.write_all(array).is_err() {
            return;
        }
    }
    if let Ok(archive) = zip.finish() {
        read_as(&npy::NPZ, "npz", archive.get_ref());
    }
}

/// A text table.
pub fn table(data: &[u8]) {
    read_as(&table::READER, "xyz", data);
}

/// Reads what is of one format, as if no other were tried before it.
fn read_as(reader: &Reader, extension: &str, bytes: &[u8]) {
    let source = Source {
        bytes,
        extension,
        folder: None,
    };
    if (reader.recognises)(&source) {
        check_promises(&reader.shape(&source));
    }
}

/// Panics if a reader's answer is not what the readers promise: a shape whose numbers can be
/// relied upon, or one line that tells what to do.
pub(super) fn check_promises(answer: &Result<Shape>) {
    let shape = match answer {
        Ok(shape) => shape,
        Err(error) => {
            let text = error.to_string();
            assert_eq!(text.lines().count(), 1, "{text:?}");
            assert!(text.contains("; "), "no remedy: {text}");
            assert!(text.chars().count() < 400, "{text}");
            return;
        }
    };
    let positions = shape.positions();
    let count = positions.len();
    assert!(count > 0);
    assert!(positions.iter().flatten().all(|v| v.is_finite()));
    let colors = match shape {
        Shape::Mesh(mesh) => {
            let within = |&corner: &u32| (corner as usize) < count;
            assert!(mesh.triangles.iter().flatten().all(within));
            &mesh.colors
        }
        Shape::Cloud(cloud) => {
            if let Some(normals) = &cloud.normals {
                let unit = |n: &[f32; 3]| (n.iter().map(|v| v * v).sum::<f32>() - 1.0).abs() < 1e-3;
                assert_eq!(normals.len(), count);
                assert!(normals.iter().all(unit));
            }
            &cloud.colors
        }
    };
    assert!(colors.as_ref().is_none_or(|colors| colors.len() == count));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::hostile::samples;
    use std::fs;
    use std::path::{Path, PathBuf};

    fn corpus(target: &str) -> PathBuf {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
        root.join(target)
    }

    /// Every file in `fuzz/corpus`, through the function of its target.
    #[test]
    fn replay() {
        for (name, target) in TARGETS {
            let mut files = 0;
            for item in fs::read_dir(corpus(name)).unwrap() {
                target(&fs::read(item.unwrap().path()).unwrap());
                files += 1;
            }
            assert!(files > 0, "{name} has no files");
        }
    }

    #[test]
    #[ignore = "writes the seeds of the corpus"]
    fn write_seeds() {
        let readers = [
            ("ply", &ply::READER),
            ("off", &off::READER),
            ("obj", &obj::READER),
            ("stl", &stl::READER),
            ("gltf", &gltf::READER),
            ("pcd", &pcd::READER),
            ("las", &las::READER),
            ("npy", &npy::NPY),
            ("npz", &npy::NPZ),
            ("table", &table::READER),
        ];
        for (at, (extension, bytes)) in samples().into_iter().enumerate() {
            let source = Source {
                bytes: &bytes,
                extension,
                folder: None,
            };
            let (target, _) = readers
                .iter()
                .find(|(_, reader)| (reader.recognises)(&source))
                .unwrap();
            let hint = EXTENSIONS.iter().position(|&e| e == extension).unwrap_or(0) as u8;
            let hinted = [&[hint], bytes.as_slice()].concat();
            for (target, data) in [(*target, &bytes), ("shape", &hinted)] {
                fs::create_dir_all(corpus(target)).unwrap();
                fs::write(
                    corpus(target).join(format!("seed_{at:02}_{extension}")),
                    data,
                )
                .unwrap();
            }
        }
    }
}
