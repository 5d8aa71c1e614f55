//! Where towers take their parameters from.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use candle_core::{DType, Device, Tensor};
use checkpoint::Checkpoint;

use crate::error::Result;
use crate::model::LoadOptions;

/// Hands a tower its parameters by name.
///
/// A tower is loaded twice: first in a rehearsal, which reads nothing and only notes what is asked
/// for, so that everything that a file lacks is known before the first tensor is read; then in
/// earnest.
#[derive(Clone)]
pub(crate) struct Weights<'a> {
    source: Source<'a>,
    prefix: String,
    /// Device and arithmetic.
    options: &'a LoadOptions,
}

#[derive(Clone)]
enum Source<'a> {
    /// Names and shapes that were asked for.
    Rehearsal(Rc<RefCell<BTreeMap<String, Vec<usize>>>>),
    File(&'a Checkpoint),
    /// Values of a random tower, for measurements: always the same under one name.
    Noise,
}

impl<'a> Weights<'a> {
    pub(crate) fn rehearsal(options: &'a LoadOptions) -> Self {
        Self::new(Source::Rehearsal(Rc::default()), options)
    }

    /// Tensors of a file in the type that the model computes in. Their names and shapes must have
    /// been checked.
    pub(crate) fn file(file: &'a Checkpoint, options: &'a LoadOptions) -> Self {
        Self::new(Source::File(file), options)
    }

    pub(crate) fn noise(options: &'a LoadOptions) -> Self {
        Self::new(Source::Noise, options)
    }

    fn new(source: Source<'a>, options: &'a LoadOptions) -> Self {
        Self {
            source,
            prefix: String::new(),
            options,
        }
    }

    /// The same below `prefix` (without its dot).
    pub(crate) fn at(&self, prefix: impl std::fmt::Display) -> Self {
        Self {
            prefix: format!("{}{prefix}.", self.prefix),
            ..self.clone()
        }
    }

    pub(crate) fn device(&self) -> &'a Device {
        &self.options.device
    }

    pub(crate) fn dtype(&self) -> DType {
        self.options.dtype
    }

    /// Whether the blocks of transformers are asked to multiply in int8.
    pub(crate) fn int8(&self) -> bool {
        self.options.int8
    }

    /// Whether tensors are stand-ins.
    pub(crate) fn is_rehearsal(&self) -> bool {
        matches!(self.source, Source::Rehearsal(_))
    }

    /// A parameter in the type that the model computes in.
    pub(crate) fn get(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        self.fetch(name, shape, self.dtype())
    }

    /// A parameter that stays in f32 (LayerNorm, BatchNorm, scalars).
    pub(crate) fn get_f32(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        self.fetch(name, shape, DType::F32)
    }

    /// A tensor that is computed from parameters; in a rehearsal a stand-in, for the shapes are
    /// not known to be justified by the file yet.
    pub(crate) fn derive(&self, make: impl FnOnce() -> Result<Tensor>) -> Result<Tensor> {
        match self.source {
            Source::Rehearsal(_) => self.stand_in(),
            _ => make(),
        }
    }

    fn fetch(&self, name: &str, shape: &[usize], dtype: DType) -> Result<Tensor> {
        let name = format!("{}{name}", self.prefix);
        match &self.source {
            Source::Rehearsal(asked) => {
                asked.borrow_mut().insert(name, shape.to_vec());
                self.stand_in()
            }
            Source::File(file) => Ok(file.tensor(&name, dtype, self.device())?),
            Source::Noise => {
                let scale = name.ends_with("weight") && shape.len() == 1;
                let variance = name.ends_with("running_var");
                Ok(if scale || variance {
                    Tensor::ones(shape, dtype, self.device())?
                } else {
                    noise(&name, shape, self.device())?.to_dtype(dtype)?
                })
            }
        }
    }

    fn stand_in(&self) -> Result<Tensor> {
        Ok(Tensor::zeros((), DType::F32, self.device())?)
    }

    /// What a rehearsal noted.
    pub(crate) fn asked(&self) -> BTreeMap<String, Vec<usize>> {
        match &self.source {
            Source::Rehearsal(asked) => asked.borrow().clone(),
            _ => BTreeMap::new(),
        }
    }
}

/// Values of mean 0 and standard deviation 0.02, drawn evenly from a generator (xorshift64*) whose
/// seed is the name's hash (FNV-1a).
fn noise(name: &str, shape: &[usize], device: &Device) -> Result<Tensor> {
    const WIDTH: f32 = 0.04 * 1.732_050_8;
    let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let mut state = name.bytes().fold(0xcbf2_9ce4_8422_2325, hash) | 1;
    let value = |_| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        let bits = state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 40;
        (bits as f32 / (1 << 24) as f32 - 0.5) * WIDTH
    };
    let values: Vec<f32> = (0..shape.iter().product()).map(value).collect();
    Ok(Tensor::from_vec(values, shape, device)?)
}
