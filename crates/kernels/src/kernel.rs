//! [`Kernel`]: the instructions and the precision that a product is compiled for.

use crate::instructions::Instructions;

/// What values are rounded to before they are multiplied. Sums are f32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// Not at all.
    F32,
    /// To bf16, eight bits.
    Bf16,
    /// To bytes with a scale for every 64 values along the summed axis, weights once and the left
    /// side as it is read.
    Int8,
}

/// One of the compiled variants of a product. There is none that this CPU cannot run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kernel {
    instructions: Instructions,
    precision: Precision,
}

impl Kernel {
    /// The variant for these instructions, or for lesser ones if the CPU lacks them.
    pub(crate) fn new(instructions: Instructions, precision: Precision) -> Self {
        Self {
            instructions: instructions.held_to_cpu(),
            precision,
        }
    }

    /// The variant for operations whose factors are both new every time: bf16 where it is faster
    /// stands in for int8.
    pub(crate) fn of_floats(instructions: Instructions, precision: Precision) -> Self {
        let precision = match precision {
            Precision::Int8 if instructions.held_to_cpu().have_bf16() => Precision::Bf16,
            Precision::Int8 => Precision::F32,
            precision => precision,
        };
        Self::new(instructions, precision)
    }

    pub(crate) fn instructions(self) -> Instructions {
        self.instructions
    }

    pub(crate) fn precision(self) -> Precision {
        self.precision
    }
}

/// Calls `function::<V>(arguments)`, an unsafe and always inlined function over
/// [`Floats`](crate::simd::Floats), compiled for the instructions of a [`Kernel`] made by
/// [`Kernel::of_floats`].
macro_rules! run_on_floats {
    ($kernel:expr, $function:ident($($name:ident: $type:ty = $value:expr),* $(,)?) $(-> $result:ty)?) => {{
        use $crate::instructions::Instructions;
        use $crate::kernel::Precision;
        #[cfg(target_arch = "x86_64")]
        use $crate::simd::{Avx2, Avx2Bf16, Avx512, Avx512Bf16};
        use $crate::simd::{Portable, PortableBf16};

        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma")]
        fn avx2($($name: $type),*) $(-> $result)? {
            // SAFETY: this function is compiled for what the vector needs.
            unsafe { $function::<Avx2>($($name),*) }
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma")]
        fn avx2_bf16($($name: $type),*) $(-> $result)? {
            // SAFETY: as above.
            unsafe { $function::<Avx2Bf16>($($name),*) }
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
        fn avx512($($name: $type),*) $(-> $result)? {
            // SAFETY: as above.
            unsafe { $function::<Avx512>($($name),*) }
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
        fn avx512_bf16($($name: $type),*) $(-> $result)? {
            // SAFETY: as above.
            unsafe { $function::<Avx512Bf16>($($name),*) }
        }
        let kernel: $crate::kernel::Kernel = $kernel;
        match (kernel.instructions(), kernel.precision()) {
            #[cfg(target_arch = "x86_64")]
            (
                Instructions::Avx512 | Instructions::Avx512Vnni | Instructions::Avx512Bf16,
                Precision::F32,
            ) => {
                // SAFETY: a kernel's instructions are there, see `Kernel::new`.
                unsafe { avx512($($value),*) }
            }
            #[cfg(target_arch = "x86_64")]
            (Instructions::Avx512Bf16, Precision::Bf16) => {
                // SAFETY: as above.
                unsafe { avx512_bf16($($value),*) }
            }
            #[cfg(target_arch = "x86_64")]
            (Instructions::Avx2 | Instructions::Avx2Vnni, Precision::F32) => {
                // SAFETY: as above.
                unsafe { avx2($($value),*) }
            }
            #[cfg(target_arch = "x86_64")]
            (
                Instructions::Avx2
                | Instructions::Avx2Vnni
                | Instructions::Avx512
                | Instructions::Avx512Vnni,
                Precision::Bf16,
            ) => {
                // SAFETY: as above.
                unsafe { avx2_bf16($($value),*) }
            }
            (_, Precision::F32) => {
                // SAFETY: the portable vectors need no instructions.
                unsafe { $function::<Portable>($($value),*) }
            }
            (_, Precision::Bf16) => {
                // SAFETY: as above.
                unsafe { $function::<PortableBf16>($($value),*) }
            }
            (_, Precision::Int8) => unreachable!("both factors are floats"),
        }
    }};
}
pub(crate) use run_on_floats;

/// As [`run_on_floats`], over any [`Vector`](crate::simd::Vector).
macro_rules! run_on {
    ($kernel:expr, $function:ident($($name:ident: $type:ty = $value:expr),* $(,)?) $(-> $result:ty)?) => {{
        use $crate::simd::PortableInt8;
        #[cfg(target_arch = "x86_64")]
        use $crate::simd::{Avx2Int8, Avx2Vnni, Avx512Vnni};

        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma")]
        fn avx2_int8($($name: $type),*) $(-> $result)? {
            // SAFETY: this function is compiled for what the vector needs.
            unsafe { $function::<Avx2Int8>($($name),*) }
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma,avxvnni")]
        fn avx2_vnni($($name: $type),*) $(-> $result)? {
            // SAFETY: as above.
            unsafe { $function::<Avx2Vnni>($($name),*) }
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
        fn avx512_vnni($($name: $type),*) $(-> $result)? {
            // SAFETY: as above.
            unsafe { $function::<Avx512Vnni>($($name),*) }
        }
        let kernel: $crate::kernel::Kernel = $kernel;
        match (kernel.instructions(), kernel.precision()) {
            #[cfg(target_arch = "x86_64")]
            (
                $crate::Instructions::Avx512Vnni | $crate::Instructions::Avx512Bf16,
                $crate::Precision::Int8,
            ) => {
                // SAFETY: a kernel's instructions are there, see `Kernel::new`.
                unsafe { avx512_vnni($($value),*) }
            }
            #[cfg(target_arch = "x86_64")]
            ($crate::Instructions::Avx2Vnni, $crate::Precision::Int8) => {
                // SAFETY: as above.
                unsafe { avx2_vnni($($value),*) }
            }
            #[cfg(target_arch = "x86_64")]
            ($crate::Instructions::Avx2 | $crate::Instructions::Avx512, $crate::Precision::Int8) => {
                // SAFETY: as above.
                unsafe { avx2_int8($($value),*) }
            }
            (_, $crate::Precision::Int8) => {
                // SAFETY: the portable vectors need no instructions.
                unsafe { $function::<PortableInt8>($($value),*) }
            }
            _ => $crate::kernel::run_on_floats!(
                kernel,
                $function($($name: $type = $value),*) $(-> $result)?
            ),
        }
    }};
}
pub(crate) use run_on;
