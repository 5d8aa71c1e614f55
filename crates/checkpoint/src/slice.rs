//! A strided view into the bytes of a file: one stored tensor, not yet read.

use std::ops::Range;
use std::sync::Arc;

use crate::bytes::Bytes;
use crate::stored::StoredType;

/// One stored tensor: checked to lie inside its file, read only when asked for.
#[derive(Clone)]
pub(crate) struct Slice {
    bytes: Arc<Bytes>,
    /// First byte of element 0.
    offset: usize,
    stored: StoredType,
    big_endian: bool,
    shape: Vec<usize>,
    /// In elements, one a dimension.
    strides: Vec<usize>,
}

impl Slice {
    /// A row-major tensor in `range`, whose length must be exactly that of the shape.
    pub(crate) fn dense(
        bytes: Arc<Bytes>,
        range: Range<usize>,
        stored: StoredType,
        shape: Vec<usize>,
    ) -> Result<Self, String> {
        let strides = row_major(&shape);
        let slice = Self::strided(bytes, range.clone(), stored, 0, shape, strides)?;
        match slice.len().checked_mul(stored.size()) {
            Some(needed) if needed == range.len() => Ok(slice),
            _ => Err(format!(
                "has shape {:?} but {} bytes",
                slice.shape,
                range.len()
            )),
        }
    }

    /// A view into the storage at `storage` that starts at element `start`. Every element must
    /// lie inside the storage.
    pub(crate) fn strided(
        bytes: Arc<Bytes>,
        storage: Range<usize>,
        stored: StoredType,
        start: usize,
        shape: Vec<usize>,
        strides: Vec<usize>,
    ) -> Result<Self, String> {
        if bytes.get(storage.clone()).is_none() {
            return Err(format!(
                "lies at bytes {}..{}, but the file has {}",
                storage.start,
                storage.end,
                bytes.all().len()
            ));
        }
        let beyond = || format!("of shape {shape:?} reaches beyond its storage");
        if shape.len() != strides.len() {
            return Err(format!(
                "has {} dimensions but {} strides",
                shape.len(),
                strides.len()
            ));
        }
        shape
            .iter()
            .try_fold(1_usize, |n, &d| n.checked_mul(d))
            .ok_or_else(beyond)?;
        let offset = start
            .checked_mul(stored.size())
            .and_then(|o| o.checked_add(storage.start))
            .ok_or_else(beyond)?;
        if !shape.contains(&0) {
            let last = shape.iter().zip(&strides).try_fold(start, |at, (&d, &s)| {
                at.checked_add((d - 1).checked_mul(s)?)
            });
            let end = last
                .and_then(|l| l.checked_add(1))
                .and_then(|e| e.checked_mul(stored.size()))
                .ok_or_else(beyond)?;
            if end > storage.len() {
                return Err(beyond());
            }
        }
        Ok(Self {
            bytes,
            offset,
            stored,
            big_endian: false,
            shape,
            strides,
        })
    }

    pub(crate) fn with_big_endian(mut self, big_endian: bool) -> Self {
        self.big_endian = big_endian;
        self
    }

    pub(crate) fn shape(&self) -> &[usize] {
        &self.shape
    }

    pub(crate) fn stored(&self) -> StoredType {
        self.stored
    }

    /// Number of elements.
    pub(crate) fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// The matrix with rows and columns exchanged; other ranks are refused.
    pub(crate) fn transposed(&self) -> Option<Self> {
        let mut out = self.clone();
        if out.shape.len() != 2 {
            return None;
        }
        out.shape.reverse();
        out.strides.reverse();
        Some(out)
    }

    /// Rows `range` of the first dimension.
    pub(crate) fn rows(&self, range: Range<usize>) -> Option<Self> {
        let (&rows, &stride) = (self.shape.first()?, self.strides.first()?);
        if range.start > range.end || range.end > rows {
            return None;
        }
        let mut out = self.clone();
        out.shape[0] = range.len();
        if !range.is_empty() {
            out.offset += range.start * stride * self.stored.size();
        }
        Some(out)
    }

    /// Parts that follow each other and can be read at the same time; a view with gaps is one part.
    pub(crate) fn pieces(&self) -> Vec<Self> {
        /// Bytes of a part: enough to be worth handing to another core.
        const PIECE: usize = 1 << 20;
        let size = self.stored.size();
        let (run, outer) = self.runs();
        if outer != 0 || run <= PIECE / size {
            return vec![self.clone()];
        }
        (0..run)
            .step_by(PIECE / size)
            .map(|start| Self {
                bytes: Arc::clone(&self.bytes),
                offset: self.offset + start * size,
                stored: self.stored,
                big_endian: self.big_endian,
                shape: vec![(run - start).min(PIECE / size)],
                strides: vec![1],
            })
            .collect()
    }

    /// Gives the elements to `each` in row-major order, little-endian, some at a time (whole
    /// elements). Pages that were read are released as it goes.
    pub(crate) fn chunks(&self, mut each: impl FnMut(&[u8])) {
        /// Bytes given at a time: large enough to be fast, small enough to stay in a cache.
        const CHUNK: usize = 1 << 18;
        /// Bytes whose pages are fetched together, and handed back together when read.
        const WINDOW: usize = 1 << 22;
        if self.len() == 0 {
            return;
        }
        let size = self.stored.size();
        let swap = self.big_endian && size > 1;
        let (run, outer) = self.runs();
        let mut buffer = Vec::new();
        let mut give = |bytes: &[u8]| {
            if swap {
                let mut swapped = bytes.to_vec();
                swapped.chunks_exact_mut(size).for_each(<[u8]>::reverse);
                each(&swapped);
            } else {
                each(bytes);
            }
        };
        let mut index = vec![0_usize; outer];
        loop {
            let start: usize = index.iter().zip(&self.strides).map(|(i, s)| i * s).sum();
            let from = self.offset + start * size;
            // `strided` has checked that every element is inside the file.
            let bytes = self.bytes.get(from..from + run * size).unwrap_or_default();
            if bytes.len() >= CHUNK {
                for (n, window) in bytes.chunks(WINDOW).enumerate() {
                    let at = from + n * WINDOW;
                    self.bytes.expect(at..at + window.len());
                    window.chunks(CHUNK).for_each(&mut give);
                    self.bytes.release(at..at + window.len());
                }
            } else {
                buffer.extend_from_slice(bytes);
                if buffer.len() >= CHUNK {
                    give(&buffer);
                    buffer.clear();
                }
            }
            if !advance(&mut index, &self.shape) {
                break;
            }
        }
        if !buffer.is_empty() {
            give(&buffer);
        }
        self.release();
    }

    /// Gives the pages of all elements back.
    pub(crate) fn release(&self) {
        if self.len() != 0 {
            self.bytes.release(self.span());
        }
    }

    /// Where the elements are in the file's bytes, and some of these bytes: from the beginning,
    /// the middle and the end.
    pub(crate) fn sample(&self, mut each: impl FnMut(&[u8])) {
        const PART: usize = 4096;
        each(format!("{:?}{:?}{}", self.shape, self.strides, self.big_endian).as_bytes());
        if self.len() == 0 {
            return;
        }
        let span = self.span();
        let part = span.len().min(PART);
        for start in [
            span.start,
            span.start + (span.len() - part) / 2,
            span.end - part,
        ] {
            each(self.bytes.get(start..start + part).unwrap_or_default());
        }
    }

    /// Elements that lie one after the other (a run), and how many leading dimensions are
    /// outside of a run.
    fn runs(&self) -> (usize, usize) {
        let mut run = 1;
        let mut outer = self.shape.len();
        while let Some(d) = outer.checked_sub(1) {
            if self.strides[d] != run && self.shape[d] != 1 {
                break;
            }
            run *= self.shape[d];
            outer = d;
        }
        (run, outer)
    }

    /// The bytes from the first to the last element.
    fn span(&self) -> Range<usize> {
        let last: usize = self
            .shape
            .iter()
            .zip(&self.strides)
            .map(|(d, s)| (d - 1) * s)
            .sum();
        self.offset..self.offset + (last + 1) * self.stored.size()
    }
}

/// Strides, in elements, of a row-major tensor.
pub(crate) fn row_major(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1_usize; shape.len()];
    for d in (1..shape.len()).rev() {
        strides[d - 1] = strides[d].saturating_mul(shape[d].max(1));
    }
    strides
}

/// The next index in row-major order; false after the last one.
fn advance(index: &mut [usize], shape: &[usize]) -> bool {
    for (i, &d) in index.iter_mut().zip(shape).rev() {
        *i += 1;
        if *i < d {
            return true;
        }
        *i = 0;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(n: u16) -> Arc<Bytes> {
        let data: Vec<u8> = (0..n).flat_map(u16::to_le_bytes).collect();
        Arc::new(Bytes::held(data.into(), "numbers"))
    }

    fn read(slice: &Slice) -> Vec<u16> {
        let mut out = Vec::new();
        slice.chunks(|bytes| {
            out.extend(
                bytes
                    .chunks_exact(2)
                    .map(|c| u16::from_le_bytes([c[0], c[1]])),
            );
        });
        out
    }

    #[test]
    fn transposed_rows_and_strides_read_in_order() {
        let slice = Slice::dense(numbers(6), 0..12, StoredType::U16, vec![2, 3]).unwrap();
        assert_eq!(read(&slice), [0, 1, 2, 3, 4, 5]);
        assert_eq!(read(&slice.transposed().unwrap()), [0, 3, 1, 4, 2, 5]);
        assert_eq!(read(&slice.rows(1..2).unwrap()), [3, 4, 5]);
        assert_eq!(read(&slice.rows(2..2).unwrap()), [] as [u16; 0]);
        assert!(slice.rows(1..3).is_none());
        let every_other =
            Slice::strided(numbers(6), 0..12, StoredType::U16, 1, vec![3], vec![2]).unwrap();
        assert_eq!(read(&every_other), [1, 3, 5]);
        let repeated = Slice::strided(
            numbers(6),
            0..12,
            StoredType::U16,
            4,
            vec![2, 2],
            vec![0, 1],
        )
        .unwrap();
        assert_eq!(read(&repeated), [4, 5, 4, 5]);
        assert_eq!(read(&slice.with_big_endian(true))[1], 256);
    }

    #[test]
    fn long_runs_come_in_whole_elements() {
        let data: Vec<u8> = (0..400_000_u32).flat_map(u32::to_le_bytes).collect();
        let bytes = Arc::new(Bytes::held(data.into(), "long"));
        let slice = Slice::dense(bytes, 0..1_600_000, StoredType::U32, vec![400, 1000]).unwrap();
        let mut total = 0;
        slice.chunks(|bytes| {
            assert_eq!(bytes.len() % 4, 0);
            total += bytes.len();
        });
        assert_eq!(total, 1_600_000);
    }

    #[test]
    fn pieces_are_the_whole_in_order() {
        let count = 700_001_u32;
        let data: Vec<u8> = (0..count).flat_map(u32::to_le_bytes).collect();
        let bytes = Arc::new(Bytes::held(data.into(), "long"));
        let range = 0..4 * count as usize;
        let shape = vec![1, count as usize, 1];
        let slice = Slice::dense(bytes, range, StoredType::U32, shape).unwrap();
        for slice in [slice.clone(), slice.clone().with_big_endian(true)] {
            let pieces = slice.pieces();
            assert_eq!(pieces.len(), 3);
            let (mut whole, mut joined) = (Vec::new(), Vec::new());
            slice.chunks(|bytes| whole.extend_from_slice(bytes));
            for piece in pieces {
                piece.chunks(|bytes| joined.extend_from_slice(bytes));
            }
            assert!(whole == joined);
        }
        let every_other = Slice::strided(
            Arc::clone(&slice.bytes),
            0..4 * count as usize,
            StoredType::U32,
            0,
            vec![350_000],
            vec![2],
        );
        assert_eq!(every_other.unwrap().pieces().len(), 1);
    }

    #[test]
    fn nothing_reaches_beyond_the_storage() {
        let view = |start, shape: &[usize], strides: &[usize]| {
            let (shape, strides) = (shape.to_vec(), strides.to_vec());
            Slice::strided(numbers(6), 2..12, StoredType::U16, start, shape, strides)
        };
        assert!(view(0, &[5], &[1]).is_ok());
        assert!(view(1, &[5], &[1]).is_err());
        assert!(view(0, &[2, 3], &[3, 1]).is_err());
        assert!(view(usize::MAX, &[1], &[1]).is_err());
        assert!(view(0, &[usize::MAX, usize::MAX], &[1, 1]).is_err());
        assert!(view(0, &[2], &[usize::MAX]).is_err());
        assert!(view(0, &[2], &[]).is_err());
        assert!(view(0, &[], &[]).is_ok());
        assert!(Slice::dense(numbers(6), 0..14, StoredType::U16, vec![7]).is_err());
        assert!(Slice::dense(numbers(6), 0..12, StoredType::U16, vec![5]).is_err());
    }
}
