//! The reference outputs.

use std::io::Read;
use std::path::PathBuf;
use std::sync::OnceLock;

use candle_core::{DType, Device, Tensor};
use checkpoint::Checkpoint;
use serde_json::Value;

pub(crate) fn path(name: &str) -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.join("../../tests/golden/image_variation").join(name)
}

pub(crate) fn unpacked(name: &str) -> Vec<u8> {
    let file = std::fs::File::open(path(name)).unwrap();
    let mut out = Vec::new();
    flate2::read::GzDecoder::new(file)
        .read_to_end(&mut out)
        .unwrap();
    out
}

pub(crate) fn json(name: &str) -> Value {
    serde_json::from_slice(&unpacked(name)).unwrap()
}

/// A safetensors file of 16-bit values whose low and high bytes were stored apart.
pub(crate) fn weights(name: &str) -> Vec<u8> {
    let packed = unpacked(&format!("{name}.gz"));
    let header = 8 + u64::from_le_bytes(packed[..8].try_into().unwrap()) as usize;
    let (header, body) = packed.split_at(header);
    let (low, high) = body.split_at(body.len() / 2);
    let values = low.iter().zip(high).flat_map(|(&l, &h)| [l, h]);
    header.iter().copied().chain(values).collect()
}

/// A part's weights with its configuration beside them.
pub(crate) fn part(folder: &str, file: &str) -> Checkpoint {
    let data = weights(&format!("{folder}/{file}"));
    Checkpoint::from_bytes(data, file)
        .unwrap()
        .with_config("config.json", config(folder))
}

pub(crate) fn config(folder: &str) -> Value {
    let text = std::fs::read(path(folder).join("config.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn outputs() -> &'static Checkpoint {
    static OUTPUTS: OnceLock<Checkpoint> = OnceLock::new();
    OUTPUTS.get_or_init(|| {
        Checkpoint::from_bytes(unpacked("golden.safetensors.gz"), "golden").unwrap()
    })
}

pub(crate) fn tensor(name: &str) -> Tensor {
    outputs().tensor(name, DType::F32, &Device::Cpu).unwrap()
}

pub(crate) fn has(name: &str) -> bool {
    outputs().contains(name)
}

pub(crate) fn names(start: &str) -> Vec<String> {
    outputs()
        .names()
        .filter(|name| name.starts_with(start))
        .map(str::to_owned)
        .collect()
}

pub(crate) fn integers(name: &str) -> Vec<i64> {
    outputs()
        .tensor(name, DType::I64, &Device::Cpu)
        .unwrap()
        .to_vec1()
        .unwrap()
}

pub(crate) fn values(name: &str) -> Vec<f32> {
    tensor(name).flatten_all().unwrap().to_vec1().unwrap()
}

pub(crate) fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

pub(crate) fn assert_within(got: &[f32], wanted: &[f32], tolerance: f32, what: &str) {
    assert_eq!(got.len(), wanted.len(), "{what}");
    let worst = got
        .iter()
        .zip(wanted)
        .map(|(a, b)| (a - b).abs())
        .fold(0., f32::max);
    assert!(worst <= tolerance, "{what} differs by {worst}");
}

/// ‖got − wanted‖ / ‖wanted‖.
pub(crate) fn relative(got: &[f32], wanted: &[f32]) -> f64 {
    assert_eq!(got.len(), wanted.len());
    let square = |x: f32| f64::from(x).powi(2);
    let error: f64 = got.iter().zip(wanted).map(|(a, b)| square(a - b)).sum();
    let size: f64 = wanted.iter().copied().map(square).sum();
    (error / size.max(f64::MIN_POSITIVE)).sqrt()
}

pub(crate) fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter()
            .zip(b)
            .map(|(x, y)| f64::from(*x) * f64::from(*y))
            .sum()
    };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

pub(crate) fn assert_relative(got: &Tensor, name: &str, tolerance: f64) {
    let error = relative(&flat(got), &values(name));
    assert!(error <= tolerance, "{name} is off by {error:e}");
}
