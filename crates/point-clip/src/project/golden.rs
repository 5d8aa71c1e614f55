//! Reference outputs for the tests of this module.

use candle_core::{Device, Tensor};
use safetensors::{Dtype, SafeTensors};
use std::io::Read;

/// One file of `tests/golden/pointclip`.
pub(super) struct Golden(Vec<u8>);

impl Golden {
    pub(super) fn open(name: &str) -> Self {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/pointclip");
        let file = std::fs::File::open(format!("{folder}/{name}.safetensors.gz")).unwrap();
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(file)
            .read_to_end(&mut bytes)
            .unwrap();
        Golden(bytes)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn words(&self, name: &str, dtype: Dtype) -> Vec<[u8; 4]> {
        let tensors = SafeTensors::deserialize(&self.0).unwrap();
        let tensor = tensors.tensor(name).unwrap();
        assert_eq!(tensor.dtype(), dtype);
        tensor.data().as_chunks().0.to_vec()
    }

    pub(super) fn f32(&self, name: &str) -> Vec<f32> {
        self.words(name, Dtype::F32)
            .into_iter()
            .map(f32::from_le_bytes)
            .collect()
    }

    pub(super) fn u32(&self, name: &str) -> Vec<u32> {
        self.words(name, Dtype::U32)
            .into_iter()
            .map(u32::from_le_bytes)
            .collect()
    }

    pub(super) fn u8(&self, name: &str) -> Vec<u8> {
        let tensors = SafeTensors::deserialize(&self.0).unwrap();
        tensors.tensor(name).unwrap().data().to_vec()
    }

    /// An f32 tensor on the CPU, in its own shape.
    pub(super) fn tensor(&self, name: &str) -> Tensor {
        let tensors = SafeTensors::deserialize(&self.0).unwrap();
        let shape = tensors.tensor(name).unwrap().shape().to_vec();
        Tensor::from_vec(self.f32(name), shape, &Device::Cpu).unwrap()
    }

    pub(super) fn points(&self, name: &str) -> Vec<[f32; 3]> {
        self.f32(name).as_chunks().0.to_vec()
    }
}

/// A golden cloud.
pub(super) fn points(name: &str) -> Vec<[f32; 3]> {
    Golden::open("clouds").points(name)
}

/// Asserts that all values agree to `tolerance`, absolute.
pub(super) fn assert_close(ours: &[f32], reference: &[f32], tolerance: f32) {
    assert_eq!(ours.len(), reference.len());
    for (i, (a, b)) in ours.iter().zip(reference).enumerate() {
        assert!((a - b).abs() <= tolerance, "value {i}: {a}, reference {b}");
    }
}
