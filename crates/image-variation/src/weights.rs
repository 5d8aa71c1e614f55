//! Named parameters of a network, whatever the file calls them.

use candle_core::{DType, Device, Tensor};
use checkpoint::Checkpoint;
use kernels::Precision;
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::names::Names;
use crate::ops::{Conv2d, GroupNorm, LayerNorm, Linear, Padding, precision};

/// Hands a network its parameters by their present diffusers names.
pub(crate) struct Weights<'a> {
    source: Source<'a>,
    prefix: String,
    dtype: DType,
    device: &'a Device,
}

#[derive(Clone, Copy)]
enum Source<'a> {
    File(&'a Checkpoint, &'a Names),
    /// Random numbers from a seed.
    Random(u64),
}

impl<'a> Weights<'a> {
    /// Weight matrices are of `dtype`, as which a CPU packs f32 and bf16, and f16 as f32; norms and
    /// biases are f32.
    pub(crate) fn new(
        checkpoint: &'a Checkpoint,
        names: &'a Names,
        dtype: DType,
        device: &'a Device,
    ) -> Self {
        Self::from_source(Source::File(checkpoint, names), dtype, device)
    }

    /// Random matrices that keep the variance of their input, norms that scale by 1, biases of 0.
    pub(crate) fn random(seed: u64, dtype: DType, device: &'a Device) -> Self {
        Self::from_source(Source::Random(seed), dtype, device)
    }

    fn from_source(source: Source<'a>, dtype: DType, device: &'a Device) -> Self {
        Self {
            source,
            prefix: String::new(),
            dtype,
            device,
        }
    }

    /// What a CPU multiplies in.
    pub(crate) fn precision(&self) -> Precision {
        precision(self.dtype)
    }

    /// The file, for messages.
    fn place(&self) -> &str {
        match self.source {
            Source::File(checkpoint, _) => checkpoint.name(),
            Source::Random(_) => "random weights",
        }
    }

    /// The same below `prefix` (without its dot).
    pub(crate) fn at(&self, prefix: impl std::fmt::Display) -> Self {
        Self {
            prefix: format!("{}{prefix}.", self.prefix),
            ..*self
        }
    }

    /// A parameter of this shape; axes of length 1 at the end may be missing or left over.
    fn get(&self, name: &str, shape: &[usize], dtype: DType) -> Result<Tensor> {
        let name = format!("{}{name}", self.prefix);
        let (checkpoint, names) = match self.source {
            Source::File(checkpoint, names) => (checkpoint, names),
            Source::Random(seed) => return random(&name, shape, seed, dtype, self.device),
        };
        let place = checkpoint.name();
        let Some(stored) = names.find(checkpoint, &name) else {
            return Err(Error::pipeline(
                place,
                format!("tensor {name} is missing"),
                "check that the file is complete and fits its configuration",
            ));
        };
        let found = checkpoint.info(&stored).map(|info| info.shape.as_slice());
        let trimmed = |shape: &[usize]| {
            let kept = shape
                .iter()
                .rposition(|&n| n != 1)
                .map_or(0, |last| last + 1);
            shape[..kept].to_vec()
        };
        if found.map(trimmed) != Some(trimmed(shape)) {
            return Err(Error::pipeline(
                place,
                format!(
                    "tensor {stored} has shape {:?}, not {shape:?}",
                    found.unwrap_or(&[])
                ),
                "check that the weights and the configuration belong together",
            ));
        }
        Ok(checkpoint
            .tensor(&stored, dtype, self.device)?
            .reshape(shape)?)
    }

    fn vector(&self, name: &str, length: usize) -> Result<Tensor> {
        self.get(name, &[length], DType::F32)
    }

    pub(crate) fn conv(
        &self,
        name: &str,
        [inputs, outputs]: [usize; 2],
        kernel: usize,
        stride: usize,
        padding: Padding,
    ) -> Result<Conv2d> {
        let here = self.at(name);
        let weight = here.get("weight", &[outputs, inputs, kernel, kernel], self.dtype)?;
        Conv2d::new(weight, here.vector("bias", outputs)?, stride, padding)
    }

    pub(crate) fn linear(&self, name: &str, [inputs, outputs]: [usize; 2]) -> Result<Linear> {
        let here = self.at(name);
        let weight = here.get("weight", &[outputs, inputs], self.dtype)?;
        Linear::new(weight, Some(here.vector("bias", outputs)?))
    }

    /// Several layers without bias on the same input as one; their outputs lie side by side.
    pub(crate) fn joined(&self, names: &[&str], [inputs, outputs]: [usize; 2]) -> Result<Linear> {
        let weights: Result<Vec<Tensor>> = names
            .iter()
            .map(|name| self.at(name).get("weight", &[outputs, inputs], self.dtype))
            .collect();
        Linear::new(Tensor::cat(&weights?, 0)?, None)
    }

    /// As [`joined`](Self::joined), of layers with a bias.
    pub(crate) fn joined_with_bias(&self, names: &[&str], width: usize) -> Result<Linear> {
        let mut weights = Vec::new();
        let mut biases = Vec::new();
        for name in names {
            let here = self.at(name);
            weights.push(here.get("weight", &[width, width], self.dtype)?);
            biases.push(here.vector("bias", width)?);
        }
        Linear::new(Tensor::cat(&weights, 0)?, Some(Tensor::cat(&biases, 0)?))
    }

    pub(crate) fn group_norm(
        &self,
        name: &str,
        channels: usize,
        groups: usize,
        eps: f64,
    ) -> Result<GroupNorm> {
        let here = self.at(name);
        let (weight, bias) = (
            here.vector("weight", channels)?,
            here.vector("bias", channels)?,
        );
        if groups == 0 || !channels.is_multiple_of(groups) {
            return Err(Error::pipeline(
                self.place(),
                format!("{channels} channels cannot be normalised in {groups} groups"),
                "give the folder with the configurations that belong to these weights",
            ));
        }
        Ok(GroupNorm::new(weight, bias, groups, eps))
    }

    pub(crate) fn layer_norm(&self, name: &str, width: usize) -> Result<LayerNorm> {
        let here = self.at(name);
        Ok(LayerNorm::new(
            here.vector("weight", width)?,
            here.vector("bias", width)?,
            1e-5,
        ))
    }
}

/// A parameter made of the bits of a counter; each name has its own.
fn random(name: &str, shape: &[usize], seed: u64, dtype: DType, device: &Device) -> Result<Tensor> {
    let count: usize = shape.iter().product();
    if shape.len() < 2 {
        let value = if name.ends_with("weight") { 1f32 } else { 0. };
        return Ok(Tensor::full(value, shape, device)?.to_dtype(dtype)?);
    }
    let mut key = name
        .bytes()
        .fold(seed, |key, byte| scrambled(key ^ u64::from(byte)));
    key |= 1;
    // Uniform on ±√(3 / inputs), whose variance is 1 / inputs.
    let inputs = (count / shape[0].max(1)).max(1);
    let scale = 2. * (3. / inputs as f32).sqrt();
    let value = |i: usize| {
        let bits = scrambled(key.wrapping_mul(i as u64 + 1)) >> 40;
        (bits as f32 / 16_777_216. - 0.5) * scale
    };
    let values: Vec<f32> = (0..count).into_par_iter().map(value).collect();
    Ok(Tensor::from_vec(values, shape, &Device::Cpu)?
        .to_dtype(dtype)?
        .to_device(device)?)
}

/// The finaliser of SplitMix64 (Steele et al. 2014).
fn scrambled(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
