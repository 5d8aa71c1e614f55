//! What the measurements of diffusion networks are asked for.

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct BenchUnet {
    /// Size of the network
    #[arg(long, value_enum, default_value_t = DiffusionSize::StableDiffusion1, value_name = "NAME")]
    pub(crate) arch: DiffusionSize,
    /// Side of the latents: an eighth of the picture's
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=512), value_name = "N")]
    pub(crate) latents: u32,
    /// Items in a batch; guidance takes two for a picture
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2], value_parser = batch, value_name = "N,…")]
    pub(crate) batch: Vec<usize>,
    /// Times that are measured
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000), value_name = "N")]
    pub(crate) runs: u32,
}

#[derive(Debug, Args)]
pub(crate) struct BenchVae {
    /// Size of the network
    #[arg(long, value_enum, default_value_t = DiffusionSize::StableDiffusion1, value_name = "NAME")]
    pub(crate) arch: DiffusionSize,
    /// Side of the latents: an eighth of the picture's
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=512), value_name = "N")]
    pub(crate) latents: u32,
    /// Pictures in a batch
    #[arg(long, value_delimiter = ',', default_values_t = [1], value_parser = batch, value_name = "N,…")]
    pub(crate) batch: Vec<usize>,
    /// Decode in tiles of 512x512 pixels
    #[arg(long)]
    pub(crate) tiling: bool,
    /// Times that are measured
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000), value_name = "N")]
    pub(crate) runs: u32,
}

/// Size of a diffusion network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiffusionSize {
    /// That of Stable Diffusion 1.x
    #[value(name = "sd1")]
    StableDiffusion1,
    /// A thin one of the same form, to try the measurement itself
    Small,
}

impl DiffusionSize {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::StableDiffusion1 => "sd1",
            Self::Small => "small",
        }
    }
}

/// Items in a batch.
fn batch(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|n| (1..=64).contains(n));
    count.ok_or_else(|| "give whole numbers from 1 to 64".to_owned())
}
