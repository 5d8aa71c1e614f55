//! Golden files, unpacked, and the relative error that they are compared by.

#![allow(dead_code, unreachable_pub)] // each test uses some of these

use std::io::Read;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use checkpoint::Checkpoint;

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests")
}

/// Bytes of `tests/<name>`, or of `tests/<name>.gz` unpacked.
pub fn bytes(name: &str) -> Vec<u8> {
    let path = tests().join(name);
    if let Ok(data) = std::fs::read(&path) {
        return data;
    }
    let packed = std::fs::File::open(format!("{}.gz", path.display())).unwrap();
    let mut data = Vec::new();
    flate2::read::GzDecoder::new(packed)
        .read_to_end(&mut data)
        .unwrap();
    data
}

/// A weight file below `tests`, from memory.
pub fn file(name: &str) -> Checkpoint {
    Checkpoint::from_bytes(bytes(name), name).unwrap()
}

/// A folder of weights below `tests`: the file `weights` in it and its configurations.
pub fn folder(name: &str, weights: &str) -> Checkpoint {
    let mut out = file(&format!("{name}/{weights}"));
    for config in [
        "config.json",
        "open_clip_config.json",
        "preprocessor_config.json",
    ] {
        if let Ok(text) = std::fs::read(tests().join(name).join(config)) {
            out = out.with_config(config, serde_json::from_slice(&text).unwrap());
        }
    }
    out
}

/// A folder below `tests`, opened as a user would.
pub fn opened(name: &str) -> Checkpoint {
    Checkpoint::open(tests().join(name)).unwrap()
}

/// Expected tensors.
pub struct Golden(Checkpoint);

impl Golden {
    pub fn of(folder: &str) -> Self {
        Self(file(&format!("{folder}/golden.safetensors")))
    }

    pub fn expected(name: &str) -> Self {
        Self(file(&format!("{name}/expected.safetensors")))
    }

    pub fn get(&self, name: &str) -> Tensor {
        self.0.tensor(name, DType::F32, &Device::Cpu).unwrap()
    }

    pub fn get_f64(&self, name: &str) -> Tensor {
        self.0.tensor(name, DType::F64, &Device::Cpu).unwrap()
    }

    pub fn ids(&self, name: &str) -> Tensor {
        self.0.tensor(name, DType::U32, &Device::Cpu).unwrap()
    }

    /// Asserts that `made` equals the tensor `name` to a relative error of 1e-5.
    pub fn same(&self, made: &Tensor, name: &str) {
        let error = relative_error(made, &self.get(name));
        assert!(error <= 1e-5, "{name}: relative error {error:e}");
    }
}

/// ‖made − expected‖ / ‖expected‖ of tensors whose shapes differ at most in axes of length 1.
pub fn relative_error(made: &Tensor, expected: &Tensor) -> f64 {
    let long = |t: &Tensor| {
        t.dims()
            .iter()
            .copied()
            .filter(|d| *d != 1)
            .collect::<Vec<_>>()
    };
    assert_eq!(long(made), long(expected), "shapes");
    let values = |t: &Tensor| -> Vec<f64> {
        t.to_dtype(DType::F64)
            .unwrap()
            .flatten_all()
            .unwrap()
            .to_vec1()
            .unwrap()
    };
    let (made, expected) = (values(made), values(expected));
    let gap: f64 = made
        .iter()
        .zip(&expected)
        .map(|(a, b)| (a - b) * (a - b))
        .sum();
    let norm: f64 = expected.iter().map(|b| b * b).sum();
    assert!(norm > 0.);
    (gap / norm).sqrt()
}

/// The largest absolute difference.
pub fn largest_gap(made: &Tensor, expected: &Tensor) -> f64 {
    assert_eq!(made.elem_count(), expected.elem_count());
    let values = |t: &Tensor| -> Vec<f64> {
        t.to_dtype(DType::F64)
            .unwrap()
            .flatten_all()
            .unwrap()
            .to_vec1()
            .unwrap()
    };
    let gaps = values(made)
        .into_iter()
        .zip(values(expected))
        .map(|(a, b)| (a - b).abs());
    gaps.fold(0., f64::max)
}

/// Cosine of all values as two vectors.
pub fn cosine(one: &Tensor, two: &Tensor) -> f64 {
    let values = |t: &Tensor| -> Vec<f64> {
        t.to_dtype(DType::F64)
            .unwrap()
            .flatten_all()
            .unwrap()
            .to_vec1()
            .unwrap()
    };
    let (one, two) = (values(one), values(two));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    dot(&one, &two) / (dot(&one, &one) * dot(&two, &two)).sqrt()
}
