//! What `gen3d vary` is asked for.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use image_variation::Recipe;
use image_variation::scheduler::SchedulerChoice;
use point_clip::shaded::Up;

/// Where the published pipeline lies when its repository was downloaded under its own name.
const PIPELINE: &str = "sd-image-variations-diffusers";

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    gen3d vary park.jpg -o dogs --mask dog.png --alpha-weights clip_l14_grit20m_fultune_2xe.pth\n  \
    gen3d vary park.jpg -o mix --mask dog.png:0.7 --mask sofa.png:0.3 --alpha-weights FILE\n  \
    gen3d vary park.jpg -o other --mask dog.png --keep-outside --feather 8\n  \
    gen3d vary chair.glb -o chairs --seed 7")]
pub(crate) struct Vary {
    /// A picture, or a cloud or mesh, of which one view is drawn and its foreground is the region
    #[arg(value_name = "IMAGE|SHAPE")]
    pub(crate) input: PathBuf,
    /// Folder for the pictures
    #[arg(long, short, value_name = "DIR")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) pipeline: PipelineArgs,
    #[command(flatten)]
    pub(crate) regions: WeightedRegions,
    #[command(flatten)]
    pub(crate) sampling: Sampling,
    #[command(flatten)]
    pub(crate) start: StartArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Which pipeline, and how it is run.
#[derive(Debug, Args)]
#[command(next_help_heading = "Pipeline")]
pub(crate) struct PipelineArgs {
    /// Stable Diffusion image variation: a diffusers folder, or a single-file checkpoint
    #[arg(long, default_value = PIPELINE, value_name = "DIR|FILE")]
    pub(crate) pipeline: PathBuf,
    /// Alpha-CLIP weights that go over its image encoder, so that the region counts
    #[arg(long, value_name = "FILE")]
    pub(crate) alpha_weights: Option<PathBuf>,
    /// An image encoder in place of the pipeline's
    #[arg(long, value_name = "DIR|FILE")]
    pub(crate) image_encoder: Option<PathBuf>,
    /// Diffusers folder whose configurations describe a single file
    #[arg(long, value_name = "DIR")]
    pub(crate) configs: Option<PathBuf>,
    /// How pictures are brought to the square that the image encoder takes
    #[arg(long, value_enum, default_value_t = RecipeChoice::ModelCard, value_name = "RECIPE")]
    pub(crate) recipe: RecipeChoice,
    /// Keep one network in memory at a time, and decode large pictures in tiles
    #[arg(long)]
    pub(crate) low_memory: bool,
    /// Do not run the pipeline's safety checker
    #[arg(long)]
    pub(crate) no_safety_check: bool,
}

/// The regions; without one, all of the picture, or the foreground of a shape.
#[derive(Debug, Args)]
#[command(next_help_heading = "Region")]
pub(crate) struct WeightedRegions {
    /// Picture of the region: white, or opaque, is inside. Several regions are mixed by their
    /// weights
    #[arg(long, value_name = "FILE[:WEIGHT]")]
    pub(crate) mask: Vec<String>,
    /// Box in pixels: left, top, width, height
    #[arg(long = "box", value_name = "X,Y,W,H[:WEIGHT]")]
    pub(crate) bounds: Vec<String>,
    /// Point in pixels; several are one region
    #[arg(long, value_name = "X,Y")]
    pub(crate) point: Vec<String>,
    /// Corners of a polygon in pixels
    #[arg(long, value_name = "X,Y,X,Y,…[:WEIGHT]")]
    pub(crate) polygon: Vec<String>,
    /// COCO run-length encoding, a JSON file
    #[arg(long, value_name = "FILE[:WEIGHT]")]
    pub(crate) rle: Vec<String>,
    /// Look with the pipeline's own image encoder, at the whole picture
    #[arg(long)]
    pub(crate) original_clip: bool,
    /// The direction of a shape's file that is up
    #[arg(
        long,
        default_value = "+y",
        allow_hyphen_values = true,
        value_name = "+x|-x|+y|-y|+z|-z"
    )]
    pub(crate) up: Up,
}

/// How pictures are made.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sampling")]
pub(crate) struct Sampling {
    /// Steps of the scheduler
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=1000), value_name = "N")]
    pub(crate) steps: u32,
    /// How strongly the condition counts; 1 and less is no guidance, in half the time
    #[arg(long, default_value_t = 3., value_parser = guidance, allow_hyphen_values = true, value_name = "SCALE")]
    pub(crate) guidance: f64,
    /// pndm, ddim, euler, euler-ancestral, dpm++, unipc, lcm; -karras behind a name for Karras's
    /// noise levels [default: the pipeline's]
    #[arg(long, value_name = "NAME")]
    pub(crate) scheduler: Option<SchedulerChoice>,
    /// Share of noise that DDIM draws anew at each step, 0 to 1
    #[arg(long, default_value_t = 0., value_parser = share, allow_hyphen_values = true, value_name = "SHARE")]
    pub(crate) eta: f64,
    /// Pictures to make
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=100_000), value_name = "N")]
    pub(crate) count: u32,
    /// Most pictures made at once on a GPU [default: 4]; on a CPU it is always one
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1024), value_name = "N")]
    pub(crate) batch: Option<u32>,
    /// Seed of the noise: picture I of seed S begins the same whatever the count, batch and device
    #[arg(long, default_value_t = 0, value_name = "S")]
    pub(crate) seed: u64,
    /// Seed of PyTorch's CPU generator in its place, to compare with diffusers
    #[arg(long, conflicts_with = "seed", value_name = "S")]
    pub(crate) torch_seed: Option<u64>,
    /// Width and height of the pictures, multiples of 8 [default: the pipeline's]
    #[arg(long, value_parser = size, value_name = "WxH")]
    pub(crate) size: Option<(u32, u32)>,
    /// Picture of what not to show
    #[arg(long, value_name = "IMAGE")]
    pub(crate) negative: Option<PathBuf>,
    /// First latents [count, 4, H/8, W/8] in place of drawn noise
    #[arg(long, value_name = "FILE.safetensors|FILE.npy")]
    pub(crate) latents: Option<PathBuf>,
}

/// What the pictures begin with.
#[derive(Debug, Args)]
#[command(next_help_heading = "Changing the picture itself")]
pub(crate) struct StartArgs {
    /// Begin with the picture, and change it by this much: 0 nothing, 1 all
    #[arg(long, value_parser = share, allow_hyphen_values = true, value_name = "SHARE")]
    pub(crate) strength: Option<f64>,
    /// Keep every pixel outside the regions
    #[arg(long)]
    pub(crate) keep_outside: bool,
    /// Pixels inside the edge over which the new picture fades in
    #[arg(long, default_value_t = 0., value_parser = pixels, requires = "keep_outside", allow_hyphen_values = true, value_name = "PX")]
    pub(crate) feather: f64,
}

/// What is written.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Write about what each picture looks like every K steps, NNN-preview.png
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..), value_name = "K")]
    pub(crate) preview: Option<u32>,
    /// File for the final latents, and for safetensors the pictures as floats too
    #[arg(long, value_name = "FILE.safetensors|FILE.npy")]
    pub(crate) raw: Option<PathBuf>,
    /// What stdout says: the files, or one JSON object an event
    #[arg(long, value_enum, default_value_t = EventFormat::Text, value_name = "FORMAT")]
    pub(crate) format: EventFormat,
    /// Replace files that exist
    #[arg(long)]
    pub(crate) force: bool,
}

/// `--format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EventFormat {
    /// The files, one a line
    Text,
    /// One JSON object an event
    Jsonl,
}

/// `--recipe`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RecipeChoice {
    /// Squeezed to the square without antialiasing, which the published model was trained with
    ModelCard,
    /// The middle, as the pipeline's feature extractor says
    FeatureExtractor,
}

impl From<RecipeChoice> for Recipe {
    fn from(choice: RecipeChoice) -> Self {
        match choice {
            RecipeChoice::ModelCard => Self::ModelCard,
            RecipeChoice::FeatureExtractor => Self::FeatureExtractor,
        }
    }
}

/// A number from 0 on.
fn from_zero(text: &str, remedy: &str) -> Result<f64, String> {
    let number = text
        .parse()
        .ok()
        .filter(|n: &f64| n.is_finite() && *n >= 0.);
    number.ok_or_else(|| remedy.to_owned())
}

fn guidance(text: &str) -> Result<f64, String> {
    from_zero(text, "give a number from 0 on; 3 is usual")
}

fn pixels(text: &str) -> Result<f64, String> {
    from_zero(text, "give a number of pixels from 0 on")
}

fn share(text: &str) -> Result<f64, String> {
    let remedy = "give a number from 0 to 1";
    from_zero(text, remedy).and_then(|n| {
        if n <= 1. {
            Ok(n)
        } else {
            Err(remedy.to_owned())
        }
    })
}

/// Width and height. What 8 does not divide is refused here, before any weights are read.
fn size(text: &str) -> Result<(u32, u32), String> {
    const FACTOR: u32 = 8;
    const LONGEST: u32 = 8192;
    let sides = text.split_once(['x', 'X', '×']);
    let side = |text: &str| text.trim().parse::<u32>().ok().filter(|n| *n > 0);
    let both = sides.and_then(|(width, height)| Some((side(width)?, side(height)?)));
    let Some((width, height)) = both else {
        return Err("give width and height in pixels, like 512x512".into());
    };
    if width.max(height) > LONGEST {
        return Err(format!("give at most {LONGEST} pixels on a side"));
    }
    if !width.is_multiple_of(FACTOR) || !height.is_multiple_of(FACTOR) {
        let near = |side: u32| ((side + FACTOR / 2) / FACTOR).max(1) * FACTOR;
        return Err(format!(
            "{FACTOR} does not divide it; take {}x{}",
            near(width),
            near(height)
        ));
    }
    Ok((width, height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_pairs_that_eight_divides() {
        assert_eq!(size("512x768"), Ok((512, 768)));
        assert_eq!(size("64X8"), Ok((64, 8)));
        for (text, told) in [
            ("500x512", "8 does not divide it; take 504x512"),
            ("3x3", "8 does not divide it; take 8x8"),
            ("512", "give width and height in pixels, like 512x512"),
            ("0x512", "give width and height in pixels, like 512x512"),
            ("-8x8", "give width and height in pixels, like 512x512"),
            (
                "9999999999x8",
                "give width and height in pixels, like 512x512",
            ),
            ("16384x8", "give at most 8192 pixels on a side"),
        ] {
            assert_eq!(size(text), Err(told.to_owned()), "{text}");
        }
    }

    #[test]
    fn numbers_that_cannot_be_are_refused() {
        assert_eq!(guidance("7.5"), Ok(7.5));
        assert_eq!(share("1"), Ok(1.));
        for wrong in ["NaN", "inf", "-1", "three", ""] {
            assert!(guidance(wrong).is_err() && share(wrong).is_err() && pixels(wrong).is_err());
        }
        assert!(share("1.01").is_err());
    }
}
