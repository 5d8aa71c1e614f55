//! Columns of numbers of any type, at fixed strides in bytes.

use half::f16;

/// Type of a number in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F16,
    F32,
    F64,
}

impl Scalar {
    /// Bytes that a number takes.
    pub(super) fn size(self) -> usize {
        match self {
            Scalar::I8 | Scalar::U8 => 1,
            Scalar::I16 | Scalar::U16 | Scalar::F16 => 2,
            Scalar::I32 | Scalar::U32 | Scalar::F32 => 4,
            Scalar::I64 | Scalar::U64 | Scalar::F64 => 8,
        }
    }

    pub(super) fn is_float(self) -> bool {
        matches!(self, Scalar::F16 | Scalar::F32 | Scalar::F64)
    }

    /// Whether single precision cannot hold every value.
    pub(super) fn is_wide(self) -> bool {
        matches!(
            self,
            Scalar::I32 | Scalar::U32 | Scalar::I64 | Scalar::U64 | Scalar::F64
        )
    }
}

/// Order of the bytes of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByteOrder {
    Little,
    Big,
}

/// A column: a number of `scalar` every `stride` bytes from `start` on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) start: usize,
    pub(super) stride: usize,
    pub(super) scalar: Scalar,
    pub(super) order: ByteOrder,
}

impl Column {
    /// Calls `each` with the numbers of `rows` rows from row `first` on, as far as `bytes` go.
    #[inline(always)]
    pub(super) fn each(&self, bytes: &[u8], first: usize, rows: usize, each: impl FnMut(f64)) {
        let start = first.saturating_mul(self.stride).saturating_add(self.start);
        let bytes = bytes.get(start..).unwrap_or_default();
        /// Rows may overlap the end of `bytes` by what follows this column in the last row.
        #[inline(always)]
        fn walk<const N: usize>(
            (bytes, stride, rows): (&[u8], usize, usize),
            decode: impl Fn([u8; N]) -> f64,
            mut each: impl FnMut(f64),
        ) {
            for row in bytes.chunks(stride.max(1)).take(rows) {
                if let Some(&number) = row.first_chunk() {
                    each(decode(number));
                }
            }
        }
        macro_rules! walk {
            ($($scalar:ident $type:ident $convert:expr,)*) => {
                match (self.scalar, self.order) {
                    $(
                        (Scalar::$scalar, ByteOrder::Little) => walk(
                            (bytes, self.stride, rows),
                            |b| $convert($type::from_le_bytes(b)),
                            each,
                        ),
                        (Scalar::$scalar, ByteOrder::Big) => walk(
                            (bytes, self.stride, rows),
                            |b| $convert($type::from_be_bytes(b)),
                            each,
                        ),
                    )*
                }
            };
        }
        walk! {
            I8 i8 f64::from,
            U8 u8 f64::from,
            I16 i16 f64::from,
            U16 u16 f64::from,
            I32 i32 f64::from,
            U32 u32 f64::from,
            I64 i64 |v| v as f64,
            U64 u64 |v| v as f64,
            F16 f16 f64::from,
            F32 f32 f64::from,
            F64 f64 |v| v,
        }
    }

    /// The number in `row`.
    pub(super) fn get(&self, bytes: &[u8], row: usize) -> Option<f64> {
        let mut number = None;
        self.each(bytes, row, 1, |v| number = Some(v));
        number
    }

    /// Whether `bytes` hold `rows` rows of this column, each with bytes of its own.
    pub(super) fn fits(&self, bytes: &[u8], rows: usize) -> bool {
        let Some(before_last) = rows.checked_sub(1) else {
            return true;
        };
        let end = before_last
            .checked_mul(self.stride)
            .and_then(|at| at.checked_add(self.start))
            .and_then(|at| at.checked_add(self.scalar.size()));
        self.stride >= self.scalar.size() && end.is_some_and(|end| end <= bytes.len())
    }
}

/// Three columns that make a vector.
#[derive(Clone, Copy, Debug)]
pub(super) struct Triple(pub(super) [Column; 3]);

impl Triple {
    /// Whether its numbers are of type `scalar`, little-endian, and stand side by side.
    pub(super) fn is_packed(&self, scalar: Scalar) -> bool {
        let Triple([x, y, z]) = self;
        let alike =
            |c: &Column| c.scalar == scalar && c.order == ByteOrder::Little && c.stride == x.stride;
        self.0.iter().all(alike)
            && y.start.checked_sub(x.start) == Some(scalar.size())
            && z.start.checked_sub(y.start) == Some(scalar.size())
    }

    /// Calls `each` with the bytes of `rows` packed vectors, `N` bytes each, from row `first` on.
    #[inline(always)]
    pub(super) fn each_packed<const N: usize>(
        &self,
        bytes: &[u8],
        first: usize,
        rows: usize,
        mut each: impl FnMut([u8; N]),
    ) {
        let Triple([Column { start, stride, .. }, ..]) = *self;
        let start = first.saturating_mul(stride).saturating_add(start);
        let bytes = bytes.get(start..).unwrap_or_default();
        if stride == N {
            // Without gaps this becomes a copy.
            let (vectors, _) = bytes.as_chunks();
            vectors.iter().take(rows).for_each(|&vector| each(vector));
        } else {
            for row in bytes.chunks(stride.max(1)).take(rows) {
                if let Some(&vector) = row.first_chunk() {
                    each(vector);
                }
            }
        }
    }

    /// Calls `each` with every number of `rows` rows from row `first` on, column by column, and
    /// with its row (from 0) and column.
    #[inline(always)]
    pub(super) fn each(
        &self,
        bytes: &[u8],
        first: usize,
        rows: usize,
        mut each: impl FnMut(usize, usize, f64),
    ) {
        for (at, column) in self.0.iter().enumerate() {
            let mut row = 0;
            column.each(bytes, first, rows, |number| {
                each(row, at, number);
                row += 1;
            });
        }
    }
}
