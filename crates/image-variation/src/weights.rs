//! Named parameters of a network, whatever the file calls them.

use candle_core::{DType, Device, Tensor};
use checkpoint::Checkpoint;

use crate::error::{Error, Result};
use crate::names::Names;
use crate::ops::{Conv2d, GroupNorm, LayerNorm, Linear, Padding};

/// Hands a network its parameters by their present diffusers names.
pub(crate) struct Weights<'a> {
    checkpoint: &'a Checkpoint,
    names: &'a Names,
    prefix: String,
    dtype: DType,
    device: &'a Device,
}

impl<'a> Weights<'a> {
    /// Weight matrices are kept as `dtype`; norms and biases in f32.
    pub(crate) fn new(
        checkpoint: &'a Checkpoint,
        names: &'a Names,
        dtype: DType,
        device: &'a Device,
    ) -> Self {
        Self {
            checkpoint,
            names,
            prefix: String::new(),
            dtype,
            device,
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
        let place = self.checkpoint.name();
        let Some(stored) = self.names.find(self.checkpoint, &name) else {
            return Err(Error::pipeline(
                place,
                format!("tensor {name} is missing"),
                "check that the file is complete and fits its configuration",
            ));
        };
        let found = self
            .checkpoint
            .info(&stored)
            .map(|info| info.shape.as_slice());
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
        Ok(self
            .checkpoint
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
        Ok(Linear::new(weight, Some(here.vector("bias", outputs)?)))
    }

    /// Several layers without bias on the same input as one; their outputs lie side by side.
    pub(crate) fn joined(&self, names: &[&str], [inputs, outputs]: [usize; 2]) -> Result<Linear> {
        let weights: Result<Vec<Tensor>> = names
            .iter()
            .map(|name| self.at(name).get("weight", &[outputs, inputs], self.dtype))
            .collect();
        Ok(Linear::new(Tensor::cat(&weights?, 0)?, None))
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
        Ok(Linear::new(
            Tensor::cat(&weights, 0)?,
            Some(Tensor::cat(&biases, 0)?),
        ))
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
                self.checkpoint.name(),
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
