//! A named tensor, as the recipe that makes it from what the file stores.

use std::ops::Range;

use candle_core::{DType, Device, Tensor};

use crate::decode::{self, Element, with_element};
use crate::slice::Slice;
use crate::stored::StoredType;

/// What is known of a tensor before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// The candle type that takes the stored values without loss.
    pub dtype: DType,
    /// Size of each dimension; empty for a scalar.
    pub shape: Vec<usize>,
    /// The element type in the file.
    pub stored: StoredType,
}

impl TensorInfo {
    /// Number of elements.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }
}

/// One tensor: stored parts one below the other (first dimension), and products of two small
/// matrices added to some of its rows.
#[derive(Clone)]
pub(crate) struct Entry {
    info: TensorInfo,
    parts: Vec<Slice>,
    deltas: Vec<Delta>,
    /// Names of the parts in the file.
    sources: Vec<String>,
}

/// A low-rank update: rows `rows` += `scale` · b · a.
#[derive(Clone)]
pub(crate) struct Delta {
    pub(crate) rows: Range<usize>,
    /// [rank, columns]
    pub(crate) a: Slice,
    /// [rows, rank]
    pub(crate) b: Slice,
    pub(crate) scale: f32,
}

impl Entry {
    pub(crate) fn stored(name: &str, slice: Slice) -> Self {
        let stored = slice.stored();
        Self {
            info: TensorInfo {
                dtype: stored.loads_as(),
                shape: slice.shape().to_vec(),
                stored,
            },
            parts: vec![slice],
            deltas: Vec::new(),
            sources: vec![name.to_owned()],
        }
    }

    pub(crate) fn info(&self) -> &TensorInfo {
        &self.info
    }

    pub(crate) fn sources(&self) -> &[String] {
        &self.sources
    }

    /// The only part, where there is one.
    pub(crate) fn slice(&self) -> Result<&Slice, String> {
        match (self.parts.as_slice(), self.deltas.is_empty()) {
            ([slice], true) => Ok(slice),
            _ => Err("is already put together from several".into()),
        }
    }

    /// The matrix with rows and columns exchanged.
    pub(crate) fn transposed(&self) -> Result<Self, String> {
        let slice = self.slice()?;
        let turned = slice
            .transposed()
            .ok_or_else(|| format!("should be a matrix but has shape {:?}", self.info.shape))?;
        let mut out = Self::stored("", turned);
        out.sources.clone_from(&self.sources);
        Ok(out)
    }

    /// The parts of all entries below each other; all sizes but the first must agree.
    pub(crate) fn stacked<'a>(entries: impl IntoIterator<Item = &'a Self>) -> Result<Self, String> {
        let mut entries = entries.into_iter();
        let mut out = entries.next().ok_or("has no parts")?.clone();
        for entry in entries {
            let (whole, part) = (&out.info.shape, &entry.info.shape);
            if whole.is_empty() || whole.len() != part.len() || whole.get(1..) != part.get(1..) {
                return Err(format!("has parts of shapes {whole:?} and {part:?}"));
            }
            if entry.info.stored != out.info.stored {
                return Err(format!(
                    "has parts of types {} and {}",
                    out.info.stored, entry.info.stored
                ));
            }
            out.info.shape[0] += entry.info.shape[0];
            out.parts.extend_from_slice(&entry.parts);
            out.sources.extend_from_slice(&entry.sources);
            if !entry.deltas.is_empty() {
                return Err("has a part with a low-rank update".into());
            }
        }
        Ok(out)
    }

    /// Rows `range` of the first dimension.
    pub(crate) fn rows(&self, range: Range<usize>) -> Result<Self, String> {
        let slice = self.slice()?.rows(range.clone()).ok_or_else(|| {
            format!(
                "of shape {:?} lacks rows {}..{}",
                self.info.shape, range.start, range.end
            )
        })?;
        let mut out = Self::stored("", slice);
        out.sources.clone_from(&self.sources);
        Ok(out)
    }

    /// Adds a low-rank update, whose sources are named `names`.
    pub(crate) fn updated(mut self, delta: Delta, names: [&str; 2]) -> Result<Self, String> {
        let (a, b) = (delta.a.shape(), delta.b.shape());
        let fits = match (self.info.shape.as_slice(), a, b) {
            ([rows, columns], [rank, a_columns], [b_rows, b_rank]) => {
                rank == b_rank
                    && columns == a_columns
                    && delta.rows.end <= *rows
                    && delta.rows.len() == *b_rows
            }
            _ => false,
        };
        if !fits || !self.info.stored.is_float() {
            return Err(format!(
                "of shape {:?} cannot take a low-rank update of shapes {b:?} and {a:?}",
                self.info.shape
            ));
        }
        self.deltas.push(delta);
        for name in names {
            if !self.sources.iter().any(|s| s == name) {
                self.sources.push(name.to_owned());
            }
        }
        Ok(self)
    }

    /// Reads the tensor. The error completes the sentence "tensor NAME …".
    pub(crate) fn read(&self, dtype: DType, device: &Device) -> Result<Tensor, ReadError> {
        with_element!(dtype, T => {
            let values = self.values::<T>()?;
            Ok(Tensor::from_vec(values, self.info.shape.as_slice(), &Device::Cpu)?
                .to_device(device)?)
        }, Err(ReadError::Type(format!("cannot be made as {}", dtype.as_str()))))
    }

    /// All elements in row-major order.
    pub(crate) fn values<T: Element>(&self) -> Result<Vec<T>, ReadError> {
        if self.deltas.is_empty() {
            return decode::read(&self.parts).map_err(ReadError::Type);
        }
        let merged = self.merged()?;
        let mut out = T::zeros(merged.len());
        T::put_f32(&merged, &mut out)
            .ok_or_else(|| ReadError::Type("cannot be had as integers".into()))?;
        Ok(out)
    }

    /// Gives the stored elements in row-major order as little-endian bytes, without any low-rank
    /// update.
    pub(crate) fn stored_bytes(&self, each: &mut dyn FnMut(&[u8])) {
        self.parts.iter().for_each(|part| part.chunks(&mut *each));
    }

    /// Gives what tells this tensor from another one, without reading all of it.
    pub(crate) fn sample(&self, each: &mut dyn FnMut(&[u8])) {
        each(self.info.stored.name().as_bytes());
        self.parts.iter().for_each(|part| part.sample(&mut *each));
        for delta in &self.deltas {
            each(&delta.scale.to_le_bytes());
            each(format!("{:?}", delta.rows).as_bytes());
            delta.a.sample(&mut *each);
            delta.b.sample(&mut *each);
        }
    }

    /// Whether there is a low-rank update.
    pub(crate) fn is_updated(&self) -> bool {
        !self.deltas.is_empty()
    }

    fn merged(&self) -> Result<Vec<f32>, ReadError> {
        let mut base: Vec<f32> = decode::read(&self.parts).map_err(ReadError::Type)?;
        let columns = self.info.shape.get(1).copied().unwrap_or(1);
        for delta in &self.deltas {
            let product = matrix(&delta.b)?.matmul(&matrix(&delta.a)?)?;
            let product: Vec<f32> = product.flatten_all()?.to_vec1()?;
            let rows = delta.rows.start * columns..delta.rows.end * columns;
            let Some(target) = base.get_mut(rows) else {
                return Err(ReadError::Type(
                    "is smaller than its low-rank update".into(),
                ));
            };
            for (value, change) in target.iter_mut().zip(product) {
                *value += change * delta.scale;
            }
        }
        Ok(base)
    }
}

fn matrix(slice: &Slice) -> Result<Tensor, ReadError> {
    let values: Vec<f32> = decode::read(std::slice::from_ref(slice)).map_err(ReadError::Type)?;
    Ok(Tensor::from_vec(values, slice.shape(), &Device::Cpu)?)
}

/// Why a tensor could not be read.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// The stored values cannot be had as the type asked for.
    Type(String),
    Candle(candle_core::Error),
}

impl From<candle_core::Error> for ReadError {
    fn from(error: candle_core::Error) -> Self {
        Self::Candle(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Bytes;
    use std::sync::Arc;

    fn slice(values: &[f32], shape: &[usize]) -> Slice {
        let data: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let len = data.len();
        let bytes = Arc::new(Bytes::held(data.into(), "t"));
        Slice::dense(bytes, 0..len, StoredType::F32, shape.to_vec()).unwrap()
    }

    #[test]
    fn parts_stack_and_turn() {
        let a = Entry::stored("a", slice(&[1., 2., 3., 4.], &[2, 2]));
        let b = Entry::stored("b", slice(&[5., 6.], &[1, 2]));
        let whole = Entry::stacked([&a, &b]).unwrap();
        assert_eq!(whole.info().shape, [3, 2]);
        assert_eq!(whole.sources(), ["a", "b"]);
        assert_eq!(whole.values::<f32>().unwrap(), [1., 2., 3., 4., 5., 6.]);
        assert_eq!(
            a.transposed().unwrap().values::<f32>().unwrap(),
            [1., 3., 2., 4.]
        );
        assert_eq!(a.rows(1..2).unwrap().values::<f32>().unwrap(), [3., 4.]);
        assert!(a.rows(1..3).is_err());
        let scalar = Entry::stored("s", slice(&[1.], &[]));
        assert!(Entry::stacked([&scalar, &scalar]).is_err());
        assert!(scalar.transposed().is_err());
    }

    #[test]
    fn a_low_rank_update_adds_to_its_rows_only() {
        let base = Entry::stored("w", slice(&[0.; 6], &[3, 2]));
        let delta = Delta {
            rows: 1..3,
            a: slice(&[1., 10.], &[1, 2]),
            b: slice(&[1., 2.], &[2, 1]),
            scale: 0.5,
        };
        let merged = base.clone().updated(delta.clone(), ["a", "b"]).unwrap();
        assert_eq!(merged.values::<f32>().unwrap(), [0., 0., 0.5, 5., 1., 10.]);
        assert_eq!(merged.sources(), ["w", "a", "b"]);
        let beyond = Delta {
            rows: 2..4,
            ..delta
        };
        assert!(base.updated(beyond, ["a", "b"]).is_err());
    }
}
