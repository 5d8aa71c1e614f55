//! Latents and pictures as numbers: safetensors and NPY files.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use candle_core::{DType, Device, Tensor};
use checkpoint::Checkpoint;
use image_variation::Variation;
use serde_json::json;

use crate::cli::features::npy_head;
use crate::cli::files;

/// The two forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Safetensors,
    Npy,
}

impl Form {
    fn of(path: &Path) -> anyhow::Result<Self> {
        let extension = path.extension().unwrap_or_default();
        match extension.to_ascii_lowercase().to_str() {
            Some("safetensors") => Ok(Self::Safetensors),
            Some("npy") => Ok(Self::Npy),
            _ => bail!(
                "{}: of no known form; give a name that ends in .safetensors or .npy",
                path.display()
            ),
        }
    }
}

/// Checks that `path` says how it is written.
pub(super) fn check_form(path: &Path) -> anyhow::Result<()> {
    Form::of(path).map(|_| ())
}

/// First latents [N, 4, h, w]: the array of an NPY file, or of a safetensors file the tensor
/// `latents`, or its only one.
pub(super) fn read_latents(path: &Path) -> anyhow::Result<Tensor> {
    let shown = path.display();
    let latents = match Form::of(path)? {
        Form::Npy => {
            let bytes = fs::read(path).with_context(|| shown.to_string())?;
            npy(&bytes).with_context(|| shown.to_string())?
        }
        Form::Safetensors => {
            let file = Checkpoint::open(path)?;
            let names: Vec<&str> = file.names().collect();
            let name = match names.as_slice() {
                [only] => *only,
                names if names.contains(&"latents") => "latents",
                names => bail!(
                    "{shown}: none of its {} tensors is called latents; give a file with one \
                     tensor",
                    names.len()
                ),
            };
            file.tensor(name, DType::F32, &Device::Cpu)?
        }
    };
    let finite = latents.sqr()?.sum_all()?.to_scalar::<f32>()?.is_finite();
    if !finite {
        bail!("{shown}: some of its numbers are not finite; check what wrote it");
    }
    Ok(latents)
}

/// A NPY file of 32-bit floats in C order.
fn npy(bytes: &[u8]) -> anyhow::Result<Tensor> {
    let wrong = |what: &str| anyhow!("{what}; save it with numpy.save as float32");
    let (shape, values) = npy_parts(bytes).ok_or_else(|| wrong("this is no array of float32"))?;
    let count = shape
        .iter()
        .try_fold(1usize, |n, &side| n.checked_mul(side));
    let (chunks, rest) = values.as_chunks::<4>();
    if count != Some(chunks.len()) || !rest.is_empty() {
        return Err(wrong("it has not as many numbers as its shape says"));
    }
    let values: Vec<f32> = chunks.iter().copied().map(f32::from_le_bytes).collect();
    Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
}

/// Shape and bytes, if it is a float32 array in C order.
fn npy_parts(bytes: &[u8]) -> Option<(Vec<usize>, &[u8])> {
    let rest = bytes.strip_prefix(b"\x93NUMPY")?;
    let (&major, rest) = rest.split_first()?;
    let (_, rest) = rest.split_first()?;
    let (length, rest) = match major {
        1 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (u16::from_le_bytes(*length).into(), rest)
        }
        2 | 3 => {
            let (length, rest) = rest.split_first_chunk::<4>()?;
            (usize::try_from(u32::from_le_bytes(*length)).ok()?, rest)
        }
        _ => return None,
    };
    let (head, values) = rest.split_at_checked(length)?;
    let head: String = std::str::from_utf8(head)
        .ok()?
        .replace('"', "'")
        .split_whitespace()
        .collect();
    let sound = head.contains("'descr':'<f4'") && head.contains("'fortran_order':False");
    let shape = head.split_once("'shape':(")?.1.split_once(')')?.0;
    let sides = shape.split(',').filter(|side| !side.is_empty());
    let shape = sides
        .map(|side| side.parse().ok())
        .collect::<Option<Vec<usize>>>()?;
    sound.then_some((shape, values))
}

/// Writes the final latents [N, 4, h, w] as `latents`, and in a safetensors file the pictures
/// [N, 3, H, W] with values in 0..=1 as `images` and their numbers [N] as `indices`.
pub(super) fn write(path: &Path, done: &[Variation], force: bool) -> anyhow::Result<()> {
    let latents = stacked(done.iter().map(|variation| &variation.latents))?;
    let bytes = match Form::of(path)? {
        Form::Npy => {
            let mut bytes = npy_head(latents.dims());
            bytes.extend(values(&latents)?);
            bytes
        }
        Form::Safetensors => {
            let images = stacked(done.iter().map(|variation| &variation.image))?;
            let indices: Vec<i64> = done
                .iter()
                .map(|variation| variation.index as i64)
                .collect();
            let indices: Vec<u8> = indices.iter().flat_map(|i| i.to_le_bytes()).collect();
            safetensors(&[
                ("latents", "F32", latents.dims(), values(&latents)?),
                ("images", "F32", images.dims(), values(&images)?),
                ("indices", "I64", &[done.len()], indices),
            ])
        }
    };
    files::write(path, &bytes, force)
}

fn stacked<'a>(tensors: impl Iterator<Item = &'a Tensor>) -> candle_core::Result<Tensor> {
    let tensors = tensors.map(|tensor| tensor.to_device(&Device::Cpu));
    let tensors = tensors.collect::<candle_core::Result<Vec<_>>>()?;
    Tensor::stack(&tensors, 0)?.to_dtype(DType::F32)
}

fn values(tensor: &Tensor) -> candle_core::Result<Vec<u8>> {
    let values = tensor.flatten_all()?.to_vec1::<f32>()?;
    Ok(values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect())
}

/// A safetensors file of these tensors: name, type, shape, little-endian values.
fn safetensors(tensors: &[(&str, &str, &[usize], Vec<u8>)]) -> Vec<u8> {
    let mut header = serde_json::Map::new();
    let mut end = 0;
    for (name, dtype, shape, values) in tensors {
        let start = end;
        end += values.len();
        let entry = json!({"dtype": dtype, "shape": shape, "data_offsets": [start, end]});
        header.insert((*name).to_owned(), entry);
    }
    let mut header = serde_json::Value::Object(header).to_string().into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header);
    file.extend(tensors.iter().flat_map(|(.., values)| values));
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variation(index: usize) -> Variation {
        let range = |n: usize, shape| {
            let values = Tensor::arange(index as f32, (index + n) as f32, &Device::Cpu);
            values
                .unwrap()
                .reshape::<(usize, usize, usize)>(shape)
                .unwrap()
        };
        Variation {
            index,
            image: range(3 * 8 * 16, (3, 8, 16)),
            latents: range(8, (4, 1, 2)),
            flagged: None,
        }
    }

    #[test]
    fn what_is_written_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.npy", "a.safetensors"] {
            let path = folder.path().join(name);
            write(&path, &[variation(0), variation(1)], false).unwrap();
            let latents = read_latents(&path).unwrap();
            assert_eq!(latents.dims(), [2, 4, 1, 2]);
            let values = latents.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            assert_eq!(values[..9], [0., 1., 2., 3., 4., 5., 6., 7., 1.]);
        }
        let file = Checkpoint::open(folder.path().join("a.safetensors")).unwrap();
        let images = file.tensor("images", DType::F32, &Device::Cpu).unwrap();
        assert_eq!(images.dims(), [2, 3, 8, 16]);
        assert!(check_form(Path::new("a.bin")).is_err());
    }

    #[test]
    fn arrays_that_lie_are_refused() {
        let mut good = npy_head(&[2, 3]);
        good.extend([0; 24]);
        assert_eq!(npy(&good).unwrap().dims(), [2, 3]);
        let text = |from: &str, to: &str| {
            let at = good
                .windows(from.len())
                .position(|w| w == from.as_bytes())
                .unwrap();
            let mut bytes = good.clone();
            bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
            bytes
        };
        for (bytes, words) in [
            (text("<f4", "<f8"), "no array of float32"),
            (text("False", "True "), "no array of float32"),
            (text("(2, 3)", "(2, 9)"), "as its shape says"),
            (text("(2, 3)", "(2,-3)"), "no array of float32"),
            (good[..good.len() - 1].to_vec(), "as its shape says"),
            (good[..20].to_vec(), "no array of float32"),
            (Vec::new(), "no array of float32"),
        ] {
            let said = npy(&bytes).unwrap_err().to_string();
            assert!(said.contains(words) && said.contains("; "), "{said}");
        }
        let huge = format!("({0},{0})", usize::MAX);
        let head = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {huge}, }}");
        let length = (head.len() as u16).to_le_bytes();
        let bytes = [b"\x93NUMPY\x01\0", &length[..], head.as_bytes()].concat();
        assert!(npy(&bytes).is_err());
    }
}
