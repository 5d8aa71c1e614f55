//! Stored elements to candle tensors of any type, through small buffers, on all cores.

use std::mem;

use candle_core::WithDType;
use half::slice::HalfFloatSliceExt;
use half::vec::HalfBitsVecExt;
use half::{bf16, f16};
use rayon::prelude::*;

use crate::slice::Slice;
use crate::stored::StoredType;

/// An element type that candle holds and that stored elements can be turned into.
pub(crate) trait Element: WithDType {
    /// The stored type with the same bytes.
    const SAME: StoredType;
    /// Zeros whose memory is not touched before it is written.
    fn zeros(count: usize) -> Vec<Self>;
    /// Reads little-endian elements of exactly this type.
    fn copy(bytes: &[u8], out: &mut [Self]);
    /// The inverse of [`copy`](Self::copy).
    fn put_le(values: &[Self], out: &mut Vec<u8>);
    /// Rounds to nearest even; `None` if floats are refused.
    fn put_f32(values: &[f32], out: &mut [Self]) -> Option<()>;
    /// As [`put_f32`](Self::put_f32).
    fn put_f64(values: &[f64], out: &mut [Self]) -> Option<()>;
    /// `None` if a value does not fit.
    fn put_i64(values: &[i64], out: &mut [Self]) -> Option<()>;
}

/// The elements of all `parts`, one part after the other. Floats round to nearest even; an error
/// says why values cannot be had as `T`. Doubles become halves by way of f32, as in PyTorch.
pub(crate) fn read<T: Element>(parts: &[Slice]) -> Result<Vec<T>, String> {
    let mut out = T::zeros(parts.iter().map(Slice::len).sum());
    let mut rest = out.as_mut_slice();
    let mut jobs = Vec::new();
    for part in parts {
        let stored = part.stored();
        if stored.is_float() && !T::SAME.is_float() {
            return Err(format!(
                "holds {stored}, which integers ({}) cannot take",
                T::DTYPE.as_str()
            ));
        }
        for piece in part.pieces() {
            let (here, after) = mem::take(&mut rest).split_at_mut(piece.len());
            rest = after;
            jobs.push((piece, here));
        }
    }
    jobs.into_par_iter().try_for_each(|(piece, out)| {
        fill(&piece, out).ok_or_else(|| {
            format!(
                "holds {} values that {} cannot take",
                piece.stored(),
                T::DTYPE.as_str()
            )
        })
    })?;
    // Cores that read side by side bring back pages at each other's edges.
    parts.iter().for_each(Slice::release);
    Ok(out)
}

/// Reads as many elements as `out` has, which are those of `slice`.
fn fill<T: Element>(slice: &Slice, out: &mut [T]) -> Option<()> {
    let stored = slice.stored();
    let mut lanes = Lanes::default();
    let mut fits = Some(());
    let mut rest = out;
    slice.chunks(|bytes| {
        let count = (bytes.len() / stored.size()).min(rest.len());
        let (here, after) = mem::take(&mut rest).split_at_mut(count);
        rest = after;
        if stored == T::SAME {
            T::copy(bytes, here);
        } else if fits.is_some() {
            fits = lanes.convert(stored, bytes, here);
        }
    });
    fits
}

/// Buffers for the step between two types.
#[derive(Default)]
struct Lanes {
    f16: Vec<f16>,
    f32: Vec<f32>,
    f64: Vec<f64>,
    i64: Vec<i64>,
}

impl Lanes {
    /// Turns `bytes`, elements of type `stored`, into as many elements in `out`.
    fn convert<T: Element>(
        &mut self,
        stored: StoredType,
        bytes: &[u8],
        out: &mut [T],
    ) -> Option<()> {
        let count = bytes.len() / stored.size();
        match stored {
            StoredType::F32 => f32::copy(bytes, sized(&mut self.f32, count)),
            StoredType::F16 => {
                f16::copy(bytes, sized(&mut self.f16, count));
                let halves = self.f16.as_slice();
                halves.convert_to_f32_slice(sized(&mut self.f32, count));
            }
            StoredType::BF16 => put(elements(bytes), sized(&mut self.f32, count), |b| {
                bf16::from_le_bytes(b).to_f32()
            }),
            StoredType::F8E4M3 => put(bytes.iter(), sized(&mut self.f32, count), |&b| f8e4m3(b)),
            StoredType::F8E5M2 => put(bytes.iter(), sized(&mut self.f32, count), |&b| {
                f16::from_le_bytes([0, b]).to_f32()
            }),
            StoredType::F64 => {
                f64::copy(bytes, sized(&mut self.f64, count));
                return T::put_f64(&self.f64, out);
            }
            _ => {
                self.i64.clear();
                integers(stored, bytes, &mut self.i64)?;
                return T::put_i64(&self.i64, out);
            }
        }
        T::put_f32(&self.f32, out)
    }
}

/// Appends the integers in `bytes`; `None` if one is beyond `i64`.
fn integers(stored: StoredType, bytes: &[u8], out: &mut Vec<i64>) -> Option<()> {
    match stored {
        StoredType::Bool => out.extend(bytes.iter().map(|&b| i64::from(b != 0))),
        StoredType::U8 => out.extend(bytes.iter().map(|&b| i64::from(b))),
        StoredType::I8 => out.extend(bytes.iter().map(|&b| i64::from(i8::from_le_bytes([b])))),
        StoredType::U16 => out.extend(elements(bytes).map(|b| i64::from(u16::from_le_bytes(b)))),
        StoredType::I16 => out.extend(elements(bytes).map(|b| i64::from(i16::from_le_bytes(b)))),
        StoredType::U32 => out.extend(elements(bytes).map(|b| i64::from(u32::from_le_bytes(b)))),
        StoredType::I32 => out.extend(elements(bytes).map(|b| i64::from(i32::from_le_bytes(b)))),
        StoredType::U64 => {
            for b in elements(bytes) {
                out.push(i64::try_from(u64::from_le_bytes(b)).ok()?);
            }
        }
        StoredType::I64 => out.extend(elements(bytes).map(i64::from_le_bytes)),
        StoredType::F8E4M3
        | StoredType::F8E5M2
        | StoredType::F16
        | StoredType::BF16
        | StoredType::F32
        | StoredType::F64 => return None,
    }
    Some(())
}

/// The first `count` values of a buffer, to be written.
fn sized<T: Copy + Default>(buffer: &mut Vec<T>, count: usize) -> &mut [T] {
    buffer.resize(count, T::default());
    buffer
}

/// Writes what `turn` makes of each value.
fn put<A, B>(values: impl Iterator<Item = A>, out: &mut [B], turn: impl Fn(A) -> B) {
    for (slot, value) in out.iter_mut().zip(values) {
        *slot = turn(value);
    }
}

fn elements<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> + '_ {
    bytes.as_chunks::<N>().0.iter().copied()
}

/// OCP 8-bit float: 1 sign, 4 exponent (bias 7), 3 mantissa bits; no infinity, NaN is S.1111.111.
fn f8e4m3(byte: u8) -> f32 {
    let sign = if byte & 0x80 == 0 { 1.0 } else { -1.0 };
    let (exponent, mantissa) = (i32::from(byte >> 3 & 15), f32::from(byte & 7));
    match (exponent, byte & 7) {
        (15, 7) => f32::NAN,
        (0, _) => sign * mantissa * 2_f32.powi(-9),
        _ => sign * (1.0 + mantissa / 8.0) * 2_f32.powi(exponent - 7),
    }
}

/// Rounds to nearest even, as `bf16::from_f32` does, without a branch, so that it is done for
/// several values at once.
fn to_bf16(value: f32) -> bf16 {
    let bits = value.to_bits();
    let rounded = bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16;
    // Rounding could turn a NaN into an infinity; it stays a NaN, made quiet.
    let kept = if value.is_nan() {
        bits >> 16 | 0x40
    } else {
        rounded
    };
    bf16::from_bits(kept as u16)
}

macro_rules! float {
    (
        $type:ty, $stored:expr, zeros: |$count:ident| $zeros:expr,
        f32: |$values:ident, $out:ident| $f32:expr, f64: |$v:ident| $f64:expr $(,)?
    ) => {
        impl Element for $type {
            const SAME: StoredType = $stored;
            fn zeros($count: usize) -> Vec<Self> {
                $zeros
            }
            fn copy(bytes: &[u8], out: &mut [Self]) {
                put(elements(bytes), out, <$type>::from_le_bytes);
            }
            fn put_le(values: &[Self], out: &mut Vec<u8>) {
                out.extend(values.iter().flat_map(|v| v.to_le_bytes()));
            }
            fn put_f32($values: &[f32], $out: &mut [Self]) -> Option<()> {
                $f32;
                Some(())
            }
            fn put_f64(values: &[f64], out: &mut [Self]) -> Option<()> {
                put(values.iter(), out, |&$v| $f64);
                Some(())
            }
            fn put_i64(values: &[i64], out: &mut [Self]) -> Option<()> {
                put(values.iter().map(|&v| v as f64), out, |$v| $f64);
                Some(())
            }
        }
    };
}

// Zeros of a number come from the system, untouched; those of a half would be written.
float!(
    f16,
    StoredType::F16,
    zeros: |count| vec![0_u16; count].reinterpret_into(),
    f32: |values, out| out.convert_from_f32_slice(values),
    f64: |v| f16::from_f32(v as f32),
);
float!(
    bf16,
    StoredType::BF16,
    zeros: |count| vec![0_u16; count].reinterpret_into(),
    f32: |values, out| put(values.iter(), out, |&v| to_bf16(v)),
    f64: |v| bf16::from_f32(v as f32),
);
float!(
    f32,
    StoredType::F32,
    zeros: |count| vec![0.0; count],
    f32: |values, out| out.copy_from_slice(values),
    f64: |v| v as f32,
);
float!(
    f64,
    StoredType::F64,
    zeros: |count| vec![0.0; count],
    f32: |values, out| put(values.iter(), out, |&v| f64::from(v)),
    f64: |v| v,
);

macro_rules! integer {
    ($type:ty, $stored:expr) => {
        impl Element for $type {
            const SAME: StoredType = $stored;
            fn zeros(count: usize) -> Vec<Self> {
                vec![0; count]
            }
            fn copy(bytes: &[u8], out: &mut [Self]) {
                put(elements(bytes), out, <$type>::from_le_bytes);
            }
            fn put_le(values: &[Self], out: &mut Vec<u8>) {
                out.extend(values.iter().flat_map(|v| v.to_le_bytes()));
            }
            fn put_f32(_: &[f32], _: &mut [Self]) -> Option<()> {
                None
            }
            fn put_f64(_: &[f64], _: &mut [Self]) -> Option<()> {
                None
            }
            fn put_i64(values: &[i64], out: &mut [Self]) -> Option<()> {
                for (slot, &value) in out.iter_mut().zip(values) {
                    *slot = value.try_into().ok()?;
                }
                Some(())
            }
        }
    };
}

integer!(u8, StoredType::U8);
integer!(i16, StoredType::I16);
integer!(u32, StoredType::U32);
integer!(i32, StoredType::I32);
integer!(i64, StoredType::I64);

/// Calls `$run` with `$type` bound to the Rust type of the candle type `$dtype`; `$otherwise` for
/// the types that weights are never asked for in.
macro_rules! with_element {
    ($dtype:expr, $type:ident => $run:expr, $otherwise:expr) => {
        match $dtype {
            candle_core::DType::U8 => {
                type $type = u8;
                $run
            }
            candle_core::DType::I16 => {
                type $type = i16;
                $run
            }
            candle_core::DType::U32 => {
                type $type = u32;
                $run
            }
            candle_core::DType::I32 => {
                type $type = i32;
                $run
            }
            candle_core::DType::I64 => {
                type $type = i64;
                $run
            }
            candle_core::DType::F16 => {
                type $type = half::f16;
                $run
            }
            candle_core::DType::BF16 => {
                type $type = half::bf16;
                $run
            }
            candle_core::DType::F32 => {
                type $type = f32;
                $run
            }
            candle_core::DType::F64 => {
                type $type = f64;
                $run
            }
            _ => $otherwise,
        }
    };
}
pub(crate) use with_element;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Bytes;
    use std::sync::Arc;

    fn read<T: Element>(stored: StoredType, bytes: &[u8]) -> Result<Vec<T>, String> {
        let held = Arc::new(Bytes::held(bytes.to_vec().into(), "t"));
        let n = bytes.len() / stored.size();
        let slice = Slice::dense(held, 0..bytes.len(), stored, vec![n])?;
        super::read(&[slice])
    }

    #[test]
    fn floats_round_to_nearest_even_and_keep_exact_values() {
        let source = [1.0_f32, -0.0, 65504.0, 1e-7, 1.000_488_3, f32::INFINITY];
        let bytes: Vec<u8> = source.iter().flat_map(|v| v.to_le_bytes()).collect();
        let halves: Vec<f16> = read(StoredType::F32, &bytes).unwrap();
        let expected: Vec<f16> = source.iter().map(|&v| f16::from_f32(v)).collect();
        assert_eq!(halves, expected);
        let doubles: Vec<f64> = read(StoredType::F32, &bytes).unwrap();
        assert_eq!(doubles[4], f64::from(source[4]));
        // As PyTorch does it, a double becomes a half by way of f32.
        let half: Vec<f16> = read(StoredType::F64, &(1.0 + 2_f64.powi(-10)).to_le_bytes()).unwrap();
        assert_eq!(half[0].to_bits(), 0x3c01);
    }

    #[test]
    fn bf16_rounds_like_the_library() {
        // All exponents and signs with mantissas around the middle between two results.
        for high in 0..=u16::MAX {
            for low in [0, 1, 0x7fff, 0x8000, 0x8001, 0xffff] {
                let value = f32::from_bits(u32::from(high) << 16 | low);
                let (ours, theirs) = (to_bf16(value), bf16::from_f32(value));
                assert_eq!(ours.to_bits(), theirs.to_bits(), "{value:e}");
            }
        }
    }

    #[test]
    fn integers_are_checked() {
        assert_eq!(
            read::<i64>(StoredType::U64, &7_u64.to_le_bytes()).unwrap(),
            [7]
        );
        assert!(read::<i64>(StoredType::U64, &u64::MAX.to_le_bytes()).is_err());
        assert!(read::<u8>(StoredType::I32, &300_i32.to_le_bytes()).is_err());
        assert_eq!(
            read::<i16>(StoredType::I8, &[0x80, 0x7f]).unwrap(),
            [-128, 127]
        );
        assert_eq!(read::<u8>(StoredType::Bool, &[0, 1, 2]).unwrap(), [0, 1, 1]);
        assert!(read::<i32>(StoredType::F32, &1_f32.to_le_bytes()).is_err());
        assert_eq!(
            read::<f32>(StoredType::I64, &(-3_i64).to_le_bytes()).unwrap(),
            [-3.0]
        );
    }

    #[test]
    fn eight_bit_floats_match_their_definition() {
        let e4m3: Vec<f32> = read(StoredType::F8E4M3, &[0x38, 0x7e, 0x01, 0xb8]).unwrap();
        assert_eq!(e4m3, [1.0, 448.0, 2_f32.powi(-9), -1.0]);
        assert!(f8e4m3(0x7f).is_nan());
        let e5m2: Vec<f32> = read(StoredType::F8E5M2, &[0x3c, 0x7b, 0x7c]).unwrap();
        assert_eq!(e5m2, [1.0, 57344.0, f32::INFINITY]);
        // Both fit f16 without loss.
        for byte in (0..=255).filter(|b| b & 0x7f != 0x7f) {
            assert_eq!(f16::from_f32(f8e4m3(byte)).to_f32(), f8e4m3(byte));
        }
    }
}
