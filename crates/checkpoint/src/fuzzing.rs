//! What the fuzz targets call (`fuzz/`), and a test that replays their corpus.

use std::io::{Cursor, Write};

use candle_core::Device;
use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

use crate::checkpoint::Checkpoint;
use crate::folder;
use crate::layout::Lora;
use crate::registry;

/// Tensors that are read after a file was opened, and their size.
const TENSORS: usize = 64;
const ELEMENTS: usize = 1 << 16;

/// The function of a target.
type Target = fn(&[u8]);

/// All targets by name.
pub const TARGETS: [(&str, Target); 4] = [
    ("archive", archive),
    ("pickle", pickle),
    ("safetensors", safetensors),
    ("json", json),
];

/// A weight file of any form: zip archives, TorchScript archives.
pub fn archive(data: &[u8]) {
    if let Ok(file) = Checkpoint::from_bytes(data.to_vec(), "fuzz") {
        use_up(&file);
        if let Ok(clip) = file.clip(Lora::Merge) {
            use_up(&clip);
            let _ = clip
                .check([("visual.conv1.weight", [8, 3, 4, 4])])
                .to_string();
        }
    }
}

/// The tree of a torch file: inside of an archive, of a TorchScript archive, and of the older form.
pub fn pickle(data: &[u8]) {
    for extra in [&[][..], &[("constants.pkl", &b"\x80\x02).")]] {
        let storage = [7; 64];
        let mut entries: Vec<(&str, &[u8])> = vec![
            ("data.pkl", data),
            ("data/0", &storage),
            ("data/1", &storage[..6]),
        ];
        entries.extend(extra.iter().map(|(name, data)| (*name, &data[..])));
        archive(&zipped(&entries));
    }
    let head =
        b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}.";
    let tail = b"\x80\x02]X\x01\0\0\x000a.\x10\0\0\0\0\0\0\0";
    archive(&[head, data, tail, &[7; 64]].concat());
}

/// A safetensors header with bytes behind it.
pub fn safetensors(data: &[u8]) {
    let end = data
        .iter()
        .rposition(|&b| b == b'}')
        .map_or(data.len(), |at| at + 1);
    archive(&[&(end as u64).to_le_bytes(), data].concat());
    archive(data);
}

/// Indexes, configurations and what a hub may answer.
pub fn json(data: &[u8]) {
    let _ = folder::parse_index(data, "fuzz");
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = registry::find(text);
        let _ = registry::similar(text);
    }
}

/// Reads some of the tensors.
fn use_up(file: &Checkpoint) {
    for name in file.names().take(TENSORS) {
        if let Some(info) = file.info(name).filter(|i| i.elements() <= ELEMENTS) {
            let _ = file.tensor(name, info.dtype, &Device::Cpu);
        }
    }
}

fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, data) in entries {
        let started = zip.start_file(format!("a/{name}"), options);
        if started.is_err() || zip.write_all(data).is_err() {
            return Vec::new();
        }
    }
    zip.finish().map(Cursor::into_inner).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::Path;

    /// Every file in `fuzz/corpus`, through the function of its target.
    #[test]
    fn replay() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
        for (name, target) in TARGETS {
            let mut files = 0;
            for item in std::fs::read_dir(corpus.join(name)).unwrap() {
                target(&std::fs::read(item.unwrap().path()).unwrap());
                files += 1;
            }
            assert!(files >= 5, "{name} has {files} files");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_tree_is_read_or_refused(
            words in proptest::collection::vec(
                proptest::sample::select(vec![
                    &b"}"[..], b"(", b"t", b"R", b"Q", b"s", b"u", b"b", b"q\x01", b"h\x01", b")",
                    b"K\x00", b"K\x04", b"\x89", b"X\x01\0\0\0w", b"X\x01\0\0\x000", b"X\x07\0\0\0storage",
                    b"ctorch\nFloatStorage\n", b"ctorch._utils\n_rebuild_tensor_v2\n",
                    b"ccollections\nOrderedDict\n", b"]", b"a", b"e",
                ]),
                0..60,
            )
        ) {
            pickle(&[b"\x80\x02", words.concat().as_slice(), b"."].concat());
        }

        #[test]
        fn any_header_is_read_or_refused(
            shape in proptest::collection::vec(0..5_u64, 0..4),
            from in 0..40_u64,
            to in 0..40_u64,
            dtype in proptest::sample::select(vec!["F32", "F16", "BOOL", "I64", "F4", "C64"]),
            body in 0..64_usize,
        ) {
            let header = serde_json::json!({
                "w": {"dtype": dtype, "shape": shape, "data_offsets": [from, to]}
            });
            safetensors(&[header.to_string().as_bytes(), &vec![1; body]].concat());
        }
    }
}
