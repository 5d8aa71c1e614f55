//! Tensors in safetensors files: what a measurement is given, and the features that it gives, so that
//! they can be compared with another program's.

use std::collections::HashMap;
use std::path::Path;

use anyhow::anyhow;
use candle_core::{DType, Device, Tensor};

use crate::cli::failure::Failure;

/// The f32 tensor called `name` in `path`.
///
/// # Errors
/// Where the file cannot be read, or holds no such tensor.
pub(super) fn read(path: &Path, name: &str, device: &Device) -> anyhow::Result<Tensor> {
    let place = path.display();
    let all = candle_core::safetensors::load(path, device).map_err(|e| anyhow!("{place}: {e}"))?;
    let tensor = all.get(name).filter(|t| t.dtype() == DType::F32);
    let tensor = tensor.ok_or_else(|| anyhow!("{place} holds no f32 tensor called '{name}'"))?;
    Ok(tensor.clone())
}

/// Writes `features` as f32 where a file is asked for.
pub(super) fn write(features: Option<Tensor>, path: Option<&Path>) -> Result<(), Failure> {
    let (Some(features), Some(path)) = (features, path) else {
        return Ok(());
    };
    let write = || -> candle_core::Result<()> {
        let features = features.to_device(&Device::Cpu)?.to_dtype(DType::F32)?;
        candle_core::safetensors::save(&HashMap::from([("features", features)]), path)
    };
    write().map_err(|e| Failure::missing(anyhow!("--features: {}: {e}", path.display())))
}
