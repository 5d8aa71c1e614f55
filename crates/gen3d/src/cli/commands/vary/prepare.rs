//! From the command line to a request that a pipeline takes.

use alpha_clip::{Picture, Plane, Preprocess, Region};
use anyhow::anyhow;
use candle_core::Tensor;
use image_variation::noise::Seed;
use image_variation::{Condition, Error, Pipeline, Request, Start, Subject as Part};

use super::args::Vary;
use super::failure;
use super::raw;
use super::record::{self, InputRecord, PipelineRecord, Record, SourceFile, StartRecord};
use super::regions::{self, Weighted};
use super::source::Subject;
use crate::cli::args::DTypeChoice;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::model;

/// The files of a run, read and checked against each other.
pub(super) struct Inputs {
    pub(super) subject: Subject,
    pub(super) regions: Vec<Weighted>,
    /// The regions in the picture.
    pub(super) planes: Vec<Plane>,
    negative: Option<Picture>,
    latents: Option<Tensor>,
}

/// What a pipeline is asked for.
pub(super) struct Prepared {
    pub(super) request: Request,
    pub(super) record: Record,
    pub(super) size: (u32, u32),
}

impl Inputs {
    /// Reads everything but the weights.
    pub(super) fn read(args: &Vary, context: &Context) -> Result<Self, Failure> {
        let (asked, start) = (args.regions.any(), &args.start);
        let looks = args.pipeline.alpha_weights.is_some() || args.regions.original_clip;
        if asked && !looks && !start.keep_outside {
            return Err(Failure::usage(anyhow!(
                "a region counts only with Alpha-CLIP; give its weights with --alpha-weights, or \
                 --keep-outside to change the region alone"
            )));
        }
        if asked && !looks {
            context.warn(
                "without --alpha-weights the pictures show what the whole picture does; the \
                 region says only what is changed",
            );
        }
        let mut regions = args.regions.read().map_err(Failure::usage)?;
        let name = args.input.display();
        let subject = Subject::read(&args.input, args.regions.up)
            .map_err(|error| Failure::failed(error.context(name.to_string())))?;
        if start.keep_outside && !asked && subject.foreground.is_none() {
            return Err(Failure::usage(anyhow!(
                "--keep-outside needs a region; give --mask, --box, --point, --polygon or --rle"
            )));
        }
        if regions.is_empty() {
            let (region, kind) = subject.default_region();
            regions.push(Weighted::plain(region, kind, None, 1.));
        }
        let planes = regions::planes(&regions, &subject.picture)
            .map_err(|error| Failure::failed(anyhow!("{name}: {error}")))?;
        let negative = match &args.sampling.negative {
            Some(path) => Some(
                Picture::open(path)
                    .map_err(|error| Failure::usage(anyhow!("--negative: {error}")))?,
            ),
            None => None,
        };
        let latents = match &args.sampling.latents {
            Some(path) => {
                let read = raw::read_latents(path).map_err(|e| e.context("--latents"));
                Some(read.map_err(Failure::usage)?)
            }
            None => None,
        };
        Ok(Self {
            subject,
            regions,
            planes,
            negative,
            latents,
        })
    }

    /// Brings pictures and regions to what the pipeline takes.
    pub(super) fn request(
        &self,
        args: &Vary,
        pipeline: &Pipeline,
        context: &Context,
    ) -> Result<Prepared, Failure> {
        let recipe = args.pipeline.recipe;
        let preprocess = pipeline.preprocess(recipe.into()).map_err(opening)?;
        let picture = &self.subject.picture;
        let name = args.input.display().to_string();
        let condition = |picture: &Picture, region: &Region, name: &str| {
            let plain = args.regions.original_clip;
            condition(&preprocess, picture, region, plain)
                .map_err(|error| Failure::failed(anyhow!("{name}: {error}")))
        };
        let subjects = self
            .regions
            .iter()
            .map(|weighted| {
                Ok(Part {
                    condition: condition(picture, &weighted.region, &name)?,
                    weight: weighted.weight,
                })
            })
            .collect::<Result<Vec<_>, Failure>>()?;
        let negative = self.negative.as_ref();
        let negative = negative.map(|picture| condition(picture, &Region::Whole, "--negative"));
        let size = self.size(args, pipeline)?;
        let sampling = &args.sampling;
        let request = Request {
            subjects,
            negative: negative.transpose()?,
            steps: sampling.steps as usize,
            guidance: sampling.guidance,
            scheduler: sampling.scheduler,
            eta: sampling.eta,
            count: sampling.count as usize,
            seed: match sampling.torch_seed {
                Some(seed) => Seed::Torch(seed),
                None => Seed::Counter(sampling.seed),
            },
            size: Some((size.0 as usize, size.1 as usize)),
            latents: self.latents.clone(),
            start: self.start(args, size)?,
            batch: sampling.batch.map(|batch| batch as usize),
        };
        let record = self.record(args, pipeline, size, context)?;
        Ok(Prepared {
            request,
            record,
            size,
        })
    }

    /// Width and height of the pictures: as asked for, as the latents say, like the picture that is
    /// changed, or the pipeline's own.
    fn size(&self, args: &Vary, pipeline: &Pipeline) -> Result<(u32, u32), Failure> {
        if let Some(size) = args.sampling.size {
            return Ok(size);
        }
        let changes = args.start.strength.is_some() || args.start.keep_outside;
        let picture = &self.subject.picture;
        let (width, height) = match self.latents.as_ref().map(Tensor::dims) {
            Some(&[_, _, height, width]) => {
                let pixels = |side: usize| side.saturating_mul(pipeline.size_factor());
                (pixels(width), pixels(height))
            }
            Some(shape) => {
                return Err(Failure::usage(anyhow!(
                    "--latents: they have the shape {shape:?}; give [count, 4, height/8, width/8]"
                )));
            }
            None if changes => pipeline.size_like(picture.width(), picture.height()),
            None => pipeline.default_size(),
        };
        let side = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Ok((side(width), side(height)))
    }

    /// Where the run begins, unless with noise.
    fn start(&self, args: &Vary, size: (u32, u32)) -> Result<Option<Start>, Failure> {
        let Some(strength) = strength(args) else {
            return Ok(None);
        };
        let size = (size.0 as usize, size.1 as usize);
        let start = Start::new(&self.subject.picture, size, strength).map_err(failure)?;
        if !args.start.keep_outside {
            return Ok(Some(start));
        }
        let together = Region::Union(self.regions.iter().map(|r| r.region.clone()).collect());
        let picture = &self.subject.picture;
        let plane = together
            .plane(picture.width(), picture.height())
            .map_err(Failure::failed)?;
        let kept = start.keeping_outside(&plane, args.start.feather);
        kept.map(Some).map_err(failure)
    }

    fn record(
        &self,
        args: &Vary,
        pipeline: &Pipeline,
        size: (u32, u32),
        context: &Context,
    ) -> Result<Record, Failure> {
        let sampling = &args.sampling;
        let file = |path: &Option<_>| {
            let path: Option<&std::path::PathBuf> = path.as_ref();
            path.map(|path| SourceFile::of(path)).transpose()
        };
        let shown = |path: &Option<std::path::PathBuf>| {
            path.as_ref().map(|path| path.display().to_string())
        };
        let read = |result: anyhow::Result<_>| result.map_err(Failure::failed);
        let picture = &self.subject.picture;
        Ok(Record {
            program: concat!("gen3d ", env!("CARGO_PKG_VERSION")),
            command: record::command(args, size, context),
            input: InputRecord {
                file: SourceFile::of(&args.input).map_err(Failure::failed)?,
                width: picture.width(),
                height: picture.height(),
                up: self
                    .subject
                    .foreground
                    .as_ref()
                    .map(|_| args.regions.up.to_string()),
            },
            regions: self.regions.iter().map(|r| r.record.clone()).collect(),
            original_clip: args.regions.original_clip,
            negative: read(file(&sampling.negative))?,
            recipe: args.pipeline.recipe.name(),
            pipeline: PipelineRecord {
                path: pipeline.path().display().to_string(),
                image_encoder: shown(&args.pipeline.image_encoder),
                alpha_weights: shown(&args.pipeline.alpha_weights),
                fingerprint: pipeline.fingerprint().to_owned(),
                safety_checker: pipeline.has_safety_checker(),
            },
            steps: sampling.steps,
            guidance: sampling.guidance,
            eta: sampling.eta,
            seed: match sampling.torch_seed {
                Some(seed) => Seed::Torch(seed),
                None => Seed::Counter(sampling.seed),
            },
            latents: read(file(&sampling.latents))?,
            count: sampling.count,
            width: size.0,
            height: size.1,
            start: strength(args).map(|strength| StartRecord {
                strength,
                keep_outside: args.start.keep_outside,
                feather: args.start.feather,
            }),
            scheduler: pipeline
                .scheduler_config(sampling.scheduler)
                .map_err(failure)?,
            device: match context.device.location() {
                candle_core::DeviceLocation::Cpu => "cpu",
                candle_core::DeviceLocation::Cuda { .. } => "cuda",
                candle_core::DeviceLocation::Metal { .. } => "metal",
            },
            dtype: pipeline.dtype().as_str(),
        })
    }
}

/// How much of the picture itself is changed; `None` begins with noise. What is kept outside is
/// repainted in full unless asked otherwise.
fn strength(args: &Vary) -> Option<f64> {
    let default = args.start.keep_outside.then_some(1.);
    args.start.strength.or(default)
}

fn condition(
    preprocess: &Preprocess,
    picture: &Picture,
    region: &Region,
    plain: bool,
) -> alpha_clip::Result<Condition> {
    let view = preprocess.prepare(picture, region)?;
    Ok(if plain {
        Condition::Plain(view)
    } else {
        Condition::View(view)
    })
}

/// Opens the pipeline with what goes over and beside it.
pub(super) fn open(args: &Vary, context: &Context) -> Result<Pipeline, Failure> {
    let (asked, context) = (&args.pipeline, context.for_diffusion()?);
    let mut builder = Pipeline::builder(&asked.pipeline)
        .device(context.device.clone())
        .low_memory(asked.low_memory)
        .vae_tiling(asked.low_memory)
        .safety_check(!asked.no_safety_check);
    if let Some(path) = &asked.alpha_weights {
        let weights = model::open(&path.display().to_string(), Some("--alpha-weights"))?;
        builder = builder.alpha_weights(weights);
    }
    if let Some(path) = &asked.image_encoder {
        builder = builder.image_encoder(path);
    }
    if let Some(path) = &asked.configs {
        builder = builder.configs(path);
    }
    // The fastest is known for a CPU only; elsewhere the pipeline chooses.
    if context.dtype_choice != DTypeChoice::Auto || context.device.is_cpu() {
        builder = builder.dtype(context.dtype);
    }
    builder.open().map_err(opening)
}

/// While a pipeline is opened its files are at fault, whatever it is.
fn opening(error: Error) -> Failure {
    Failure::missing(anyhow::Error::new(error).context("--pipeline"))
}
