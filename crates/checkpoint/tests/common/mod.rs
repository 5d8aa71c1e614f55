//! Golden weights, unpacked, and ways to compare checkpoints.

#![allow(dead_code, unreachable_pub)] // each test uses some of these

use std::io::Read;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use checkpoint::Checkpoint;

pub fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/alpha_clip")
}

/// Unpacks a golden file (or copies a folder, unpacking what is packed) to a temporary folder.
pub fn unpacked(name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join(name);
    unpack(&golden().join(name), &target);
    (folder, target)
}

pub fn unpack(source: &Path, target: &Path) {
    if source.is_dir() {
        std::fs::create_dir_all(target).unwrap();
        for item in std::fs::read_dir(source).unwrap() {
            let path = item.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let name = name.strip_suffix(".gz").unwrap_or(&name).to_owned();
            unpack(&source.join(&name), &target.join(&name));
        }
    } else if source.exists() {
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(source, target).unwrap();
    } else {
        let packed = std::fs::File::open(format!("{}.gz", source.display())).unwrap();
        let mut data = Vec::new();
        flate2::read::GzDecoder::new(packed)
            .read_to_end(&mut data)
            .unwrap();
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::write(target, data).unwrap();
    }
}

pub fn open(name: &str) -> (tempfile::TempDir, Checkpoint) {
    let (folder, path) = unpacked(name);
    let file = Checkpoint::open(path).unwrap();
    (folder, file)
}

pub fn values(file: &Checkpoint, name: &str) -> Vec<f32> {
    read(file, name).flatten_all().unwrap().to_vec1().unwrap()
}

pub fn read(file: &Checkpoint, name: &str) -> Tensor {
    file.tensor(name, DType::F32, &Device::Cpu).unwrap()
}

/// Every tensor of `one` is in `two`, equal in shape and in every bit as f32.
pub fn assert_within(one: &Checkpoint, two: &Checkpoint) {
    assert!(one.names().len() > 0);
    for name in one.names() {
        let info = two
            .info(name)
            .unwrap_or_else(|| panic!("{} lacks {name}", two.name()));
        assert_eq!(one.info(name).unwrap().shape, info.shape, "{name}");
        let same = values(one, name)
            .iter()
            .zip(values(two, name))
            .all(|(a, b)| a.to_bits() == b.to_bits());
        assert!(
            same,
            "{name} differs between {} and {}",
            one.name(),
            two.name()
        );
    }
}
