//! [`Kernel`]: the instructions and the precision that a product is compiled for.

use crate::instructions::Instructions;

/// What values are rounded to before they are multiplied. Sums are f32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// Not at all.
    F32,
    /// To bf16, eight bits.
    Bf16,
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

    pub(crate) fn instructions(self) -> Instructions {
        self.instructions
    }

    pub(crate) fn precision(self) -> Precision {
        self.precision
    }
}

/// Calls `function::<V>(arguments)`, an unsafe and always inlined function over a
/// [`Vector`](crate::simd::Vector), compiled for the instructions of a [`Kernel`].
macro_rules! run_on {
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
            (Instructions::Avx512 | Instructions::Avx512Bf16, Precision::F32) => {
                // SAFETY: a kernel's instructions are there, see `Kernel::new`.
                unsafe { avx512($($value),*) }
            }
            #[cfg(target_arch = "x86_64")]
            (Instructions::Avx512Bf16, Precision::Bf16) => {
                // SAFETY: as above.
                unsafe { avx512_bf16($($value),*) }
            }
            #[cfg(target_arch = "x86_64")]
            (Instructions::Avx2, Precision::F32) => {
                // SAFETY: as above.
                unsafe { avx2($($value),*) }
            }
            #[cfg(target_arch = "x86_64")]
            (Instructions::Avx2 | Instructions::Avx512, Precision::Bf16) => {
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
        }
    }};
}
pub(crate) use run_on;
