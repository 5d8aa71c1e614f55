//! [`Instructions`]: which instructions of the CPU the kernels use.

use std::sync::OnceLock;

/// A set of vector instructions that there are kernels for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Instructions {
    /// What every CPU has: loops that the compiler turns into whatever the target's vectors are.
    Portable,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// The same with AVX-VNNI: products of bytes.
    Avx2Vnni,
    /// x86-64 with AVX-512 (F, BW, DQ and VL).
    Avx512,
    /// The same with AVX512-VNNI: products of bytes.
    Avx512Vnni,
    /// The same with AVX512-BF16 as well: products of pairs of bf16, summed in f32.
    Avx512Bf16,
}

impl Instructions {
    /// The environment variable that holds [`best`](Self::best) to lesser ones than the CPU's.
    pub const VARIABLE: &str = "GEN3D_INSTRUCTIONS";

    /// All, from the plainest to the best.
    pub const ALL: [Self; 6] = [
        Self::Portable,
        Self::Avx2,
        Self::Avx2Vnni,
        Self::Avx512,
        Self::Avx512Vnni,
        Self::Avx512Bf16,
    ];

    /// The best that this CPU has, found out once; a [name](Self::name) in
    /// [`VARIABLE`](Self::VARIABLE) holds it to lesser ones, any other value is ignored.
    pub fn best() -> Self {
        static BEST: OnceLock<Instructions> = OnceLock::new();
        *BEST.get_or_init(|| {
            let limit = std::env::var(Self::VARIABLE).ok();
            let limit = limit.and_then(|name| Self::named(&name));
            let limit = limit.unwrap_or(Self::Avx512Bf16);
            let usable = |i: &Self| *i <= limit && i.are_there();
            let best = Self::ALL.into_iter().rev().find(usable);
            best.unwrap_or(Self::Portable)
        })
    }

    /// Those of this [name](Self::name).
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|i| i.name() == name)
    }

    /// Whether this CPU has them.
    pub fn are_there(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        {
            let avx512 = || {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
            };
            let vnni = || avx512() && is_x86_feature_detected!("avx512vnni");
            let avx2 = || is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            match self {
                Self::Portable => true,
                Self::Avx2 => avx2(),
                Self::Avx2Vnni => avx2() && is_x86_feature_detected!("avxvnni"),
                Self::Avx512 => avx2() && avx512(),
                Self::Avx512Vnni => avx2() && vnni(),
                Self::Avx512Bf16 => avx2() && vnni() && is_x86_feature_detected!("avx512bf16"),
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            self == Self::Portable
        }
    }

    /// Whether products of bf16 are faster with them than products of f32.
    pub fn have_bf16(self) -> bool {
        self == Self::Avx512Bf16
    }

    /// Whether products of int8 are the fastest with them.
    pub fn have_int8(self) -> bool {
        matches!(self, Self::Avx2Vnni | Self::Avx512Vnni | Self::Avx512Bf16)
    }

    /// `portable`, `avx2`, `avx2vnni`, `avx512`, `avx512vnni` or `avx512bf16`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx2Vnni => "avx2vnni",
            Self::Avx512 => "avx512",
            Self::Avx512Vnni => "avx512vnni",
            Self::Avx512Bf16 => "avx512bf16",
        }
    }

    /// These, or the best lesser ones that this CPU has: what makes it safe to call a kernel.
    pub(crate) fn held_to_cpu(self) -> Self {
        let usable = |i: &Self| *i <= self && i.are_there();
        let best = Self::ALL.into_iter().rev().find(usable);
        best.unwrap_or(Self::Portable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_chosen_is_there() {
        assert!(Instructions::Portable.are_there() && Instructions::best().are_there());
        for i in Instructions::ALL {
            assert!(i.held_to_cpu() <= i && i.held_to_cpu().are_there());
            assert_eq!(Instructions::named(i.name()), Some(i));
        }
        assert_eq!(Instructions::named("sse9"), None);
    }
}
