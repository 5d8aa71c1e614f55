//! A run: the pictures of one request, batch by batch.

use std::collections::VecDeque;
use std::ops::{ControlFlow, Range};

use candle_core::{DType, Tensor};

use super::keep::Masks;
use super::request::{Request, Start};
use super::variation::{Variation, colours};
use super::{Loan, Pipeline};
use crate::error::{Error, Result};
use crate::noise::Noise;
use crate::scheduler::{Scheduler, SchedulerConfig};
use crate::unet::{Conditioning, Unet};

/// Pictures made at once on devices other than CPUs unless a request says otherwise.
const DEVICE_BATCH: usize = 4;

/// A step that was taken.
#[derive(Debug)]
pub struct Step<'a> {
    /// The pictures of this batch.
    pub images: Range<usize>,
    /// Pictures of the whole run.
    pub count: usize,
    /// Steps taken of this batch, from 1 to `total`.
    pub step: usize,
    /// Steps that this batch takes: calls of the UNet. PNDM takes one more than was asked for; a
    /// run that changes a picture takes fewer.
    pub total: usize,
    /// The timestep that it was taken at.
    pub timestep: f64,
    /// The latents after it, [B, 4, h, w].
    pub latents: &'a Tensor,
    /// The same with about unit variance.
    scaled: &'a Tensor,
}

impl Step<'_> {
    /// About what the pictures look like by now, at the size of the latents: [B, 3, h, w] in
    /// 0..=1. It costs next to nothing.
    ///
    /// # Errors
    /// [`Error::Tensor`].
    pub fn preview(&self) -> Result<Tensor> {
        colours(self.scaled)
    }
}

/// The pictures of one request, made batch by batch; see [`Pipeline::start`].
pub struct Run<'p> {
    pipeline: &'p Pipeline,
    scheduler: SchedulerConfig,
    steps: usize,
    eta: f64,
    guidance: Option<f64>,
    /// One row, or two: without and with the condition. [1 or 2, 1, D]
    context: Tensor,
    /// For the batch that it was last used with.
    conditioning: Option<(usize, Conditioning)>,
    unet: Option<Loan<'p, Unet>>,
    noise: Noise,
    latents: Option<Tensor>,
    changed: Option<Changed>,
    count: usize,
    pub(super) batch: usize,
    /// The first picture that is not begun.
    next: usize,
    /// Latents that wait to be decoded, by number.
    waiting: VecDeque<(usize, Tensor)>,
}

/// A picture that is changed.
struct Changed {
    /// Index of the first timestep; none for a strength of 0.
    begin: Option<usize>,
    /// Whether it starts with nothing but noise.
    from_noise: bool,
    /// [1, 3, H, W] in 0..=1.
    picture: Tensor,
    /// [1, 4, h, w]
    latents: Tensor,
    masks: Option<Masks>,
}

impl<'p> Run<'p> {
    pub(super) fn new(pipeline: &'p Pipeline, request: &Request) -> Result<Self> {
        let factor = pipeline.size_factor();
        let (width, height) = request.check(factor, pipeline.default_size().0)?;
        let scheduler = pipeline.scheduler_config(request.scheduler)?;
        // Says at once what is wrong with the steps or eta.
        Scheduler::new(&scheduler, request.steps, request.eta)?;
        let changed = match &request.start {
            Some(start) => Some(Changed::new(pipeline, start, request.steps)?),
            None => None,
        };
        let guidance = request.is_guided().then_some(request.guidance);
        let embedding = mixed(pipeline, request)?.unsqueeze(0)?;
        let context = match guidance {
            Some(_) => {
                let without = match &request.negative {
                    Some(negative) => pipeline.embed(negative)?.unsqueeze(0)?,
                    None => embedding.zeros_like()?,
                };
                Tensor::cat(&[without, embedding], 0)?
            }
            None => embedding,
        };
        let shape = [4, height / factor, width / factor];
        let device = pipeline.device();
        let latents = match &request.latents {
            Some(latents) => Some(latents.to_device(device)?.to_dtype(DType::F32)?),
            None => None,
        };
        // Matrix products of more rows round differently: one by one, a picture has the same bits
        // whatever it is made together with, and a CPU loses nothing by it.
        let batch = match device.is_cpu() {
            true => 1,
            false => request.batch.unwrap_or(DEVICE_BATCH),
        };
        Ok(Self {
            pipeline,
            scheduler,
            steps: request.steps,
            eta: request.eta,
            guidance,
            context,
            conditioning: None,
            unet: None,
            noise: Noise::new(request.seed, request.count, &shape),
            latents,
            changed,
            count: request.count,
            batch,
            next: 0,
            waiting: VecDeque::new(),
        })
    }

    /// The configuration of the scheduler that is used.
    pub fn scheduler_config(&self) -> &SchedulerConfig {
        &self.scheduler
    }

    /// Makes the next pictures; `None` when there are no more, or `on_step`, which is called
    /// after each step, broke off.
    ///
    /// With low memory the latents of all pictures are made first, so that the UNet is freed
    /// before any is decoded.
    ///
    /// # Errors
    /// [`Error::Tensor`] if memory is short even for one picture.
    pub fn next_batch(
        &mut self,
        on_step: &mut dyn FnMut(Step<'_>) -> ControlFlow<()>,
    ) -> Result<Option<Vec<Variation>>> {
        while self.next < self.count && (self.waiting.is_empty() || self.pipeline.low_memory) {
            let images = self.next..(self.next + self.batch).min(self.count);
            match self.denoise(images.clone(), on_step) {
                Ok(Some(latents)) => {
                    check_finite(&latents)?;
                    for (i, image) in images.clone().enumerate() {
                        self.waiting.push_back((image, latents.narrow(0, i, 1)?));
                    }
                    self.next = images.end;
                }
                Ok(None) => {
                    self.count = self.next;
                }
                Err(error) if images.len() > 1 && is_memory(&error) => {
                    self.batch = images.len() / 2;
                    self.conditioning = None;
                }
                Err(error) => return Err(error),
            }
        }
        if self.pipeline.low_memory || self.next >= self.count {
            self.unet = None;
            self.conditioning = None;
        }
        let mut done = Vec::new();
        if !self.waiting.is_empty() {
            let vae = self.pipeline.vae.borrow()?;
            while let Some((index, latents)) = self.waiting.pop_front() {
                let image = vae.decode(&latents)?.affine(0.5, 0.5)?.clamp(0f32, 1f32)?;
                let image = match &self.changed {
                    Some(changed) => changed.over_kept(&image)?,
                    None => image,
                };
                done.push(Variation {
                    index,
                    image: image.squeeze(0)?,
                    latents: latents.squeeze(0)?,
                    flagged: None,
                });
            }
        }
        if let Some(safety) = &self.pipeline.safety
            && !done.is_empty()
        {
            let safety = safety.borrow()?;
            for variation in &mut done {
                let flagged = safety.flags(&variation.image)?;
                if flagged {
                    variation.image = variation.image.zeros_like()?;
                }
                variation.flagged = Some(flagged);
            }
        }
        Ok((!done.is_empty()).then_some(done))
    }

    /// Latents of these pictures [B, 4, h, w]; `None` if `on_step` broke off.
    fn denoise(
        &mut self,
        images: Range<usize>,
        on_step: &mut dyn FnMut(Step<'_>) -> ControlFlow<()>,
    ) -> Result<Option<Tensor>> {
        let mut scheduler = Scheduler::new(&self.scheduler, self.steps, self.eta)?;
        let device = self.pipeline.device();
        let mut draws = 0;
        let start = match &self.latents {
            Some(latents) => latents.narrow(0, images.start, images.len())?,
            None => {
                draws += 1;
                self.noise.draw(0, images.clone())?.to_device(device)?
            }
        };
        let mut x = match &self.changed {
            Some(changed) => changed.begin(&mut scheduler, &start)?,
            None => (&start * scheduler.init_noise_sigma())?,
        };
        let first = scheduler.index();
        let total = scheduler.timesteps().len().saturating_sub(first);
        let rows = self.context.dim(0)?;
        while let Some(timestep) = scheduler.timestep() {
            let unet = match &self.unet {
                Some(unet) => unet,
                None => self.unet.insert(self.pipeline.unet.borrow()?),
            };
            let conditioning = match &self.conditioning {
                Some((items, conditioning)) if *items == images.len() => conditioning,
                _ => {
                    let repeated = repeat_rows(&self.context, images.len())?;
                    let prepared = (images.len(), unet.condition(&repeated)?);
                    &self.conditioning.insert(prepared).1
                }
            };
            let input = scheduler.scale_input(&x)?;
            let input = Tensor::cat(&vec![&input; rows], 0)?;
            let output = unet.forward(&input, &[timestep as f32], conditioning)?;
            let output = match self.guidance {
                Some(scale) => {
                    let [without, with] =
                        [0, 1].map(|half| output.narrow(0, half * images.len(), images.len()));
                    let without = without?;
                    (&without + ((with? - &without)? * scale)?)?
                }
                None => output,
            };
            let noise = &mut self.noise;
            x = scheduler.step(&output, &x, &mut || {
                draws += 1;
                Ok(noise.draw(draws - 1, images.clone())?.to_device(device)?)
            })?;
            if let Some(changed) = &self.changed {
                x = changed.keep(&scheduler, &start, x)?;
            }
            let scaled = scheduler.scale_input(&x)?;
            let step = Step {
                images: images.clone(),
                count: self.count,
                step: scheduler.index() - first,
                total,
                timestep,
                latents: &x,
                scaled: &scaled,
            };
            if on_step(step).is_break() {
                return Ok(None);
            }
        }
        Ok(Some(x))
    }
}

impl std::fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run")
            .field("scheduler", &self.scheduler)
            .field("count", &self.count)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

impl Changed {
    fn new(pipeline: &Pipeline, start: &Start, steps: usize) -> Result<Self> {
        let begin = Scheduler::start_index(steps, start.strength);
        let begin = (begin < steps).then_some(begin);
        if begin.is_none() && start.strength > 0. {
            return Err(Error::setting(
                format!(
                    "a strength of {} leaves none of {steps} steps to take",
                    start.strength
                ),
                "raise the strength or the number of steps",
            ));
        }
        let device = pipeline.device();
        let picture = start.picture.to_device(device)?.to_dtype(DType::F32)?;
        let range = |value: Tensor| value.to_scalar::<f32>();
        let (low, high) = (range(picture.min_all()?)?, range(picture.max_all()?)?);
        if !(low >= -1e-3 && high <= 1.001) {
            return Err(Error::input(
                format!("the picture to start from has values from {low} to {high}"),
                "give values in 0..=1",
            ));
        }
        let masks = match &start.keep {
            Some(keep) => Some(Masks::new(keep, pipeline.size_factor(), device)?),
            None => None,
        };
        let latents = pipeline
            .vae
            .borrow()?
            .encode_mean(&picture.affine(2., -1.)?)?;
        Ok(Self {
            begin,
            from_noise: masks.is_some() && begin == Some(0),
            picture,
            latents,
            masks,
        })
    }

    /// Sets the scheduler to the first step and gives the latents that it takes.
    fn begin(&self, scheduler: &mut Scheduler, noise: &Tensor) -> Result<Tensor> {
        if self.from_noise {
            return Ok((noise * scheduler.init_noise_sigma())?);
        }
        // A strength of 0 takes no step, however many calls the scheduler makes of its steps.
        let begin = self.begin.unwrap_or(scheduler.timesteps().len());
        scheduler.begin_at(begin);
        scheduler.add_noise(&self.latents.broadcast_as(noise.shape())?, noise, begin)
    }

    /// The latents with the picture's outside the mask, noised for the next step.
    fn keep(&self, scheduler: &Scheduler, noise: &Tensor, x: Tensor) -> Result<Tensor> {
        let Some(masks) = &self.masks else {
            return Ok(x);
        };
        let clean = self.latents.broadcast_as(noise.shape())?;
        let kept = scheduler.add_noise(&clean, noise, scheduler.index())?;
        Masks::blend(&masks.latents, &kept, &x)
    }

    /// The picture's own pixels outside the mask.
    fn over_kept(&self, image: &Tensor) -> Result<Tensor> {
        match &self.masks {
            Some(masks) => Masks::blend(&masks.pixels, &self.picture, image),
            None => Ok(image.clone()),
        }
    }
}

/// The weighted mean of the subjects' embeddings, [1, D].
fn mixed(pipeline: &Pipeline, request: &Request) -> Result<Tensor> {
    let total: f64 = request.subjects.iter().map(|subject| subject.weight).sum();
    let mut sum: Option<Tensor> = None;
    for subject in &request.subjects {
        let embedding = pipeline.embed(&subject.condition)?;
        // A single subject stays as it is to the last bit.
        let part = match subject.weight == total {
            true => embedding,
            false => (embedding * (subject.weight / total))?,
        };
        sum = Some(match sum {
            Some(sum) => (sum + part)?,
            None => part,
        });
    }
    sum.ok_or_else(|| Error::setting("there is no condition", "give at least one picture"))
}

/// Each row `times` times, one kind after the other: [a, b] to [a, a, b, b].
fn repeat_rows(rows: &Tensor, times: usize) -> Result<Tensor> {
    let (kinds, tokens, width) = rows.dims3()?;
    let repeated = rows
        .unsqueeze(1)?
        .broadcast_as((kinds, times, tokens, width))?;
    Ok(repeated.reshape((kinds * times, tokens, width))?)
}

/// Half precision may overflow, which would give black pictures without a word.
fn check_finite(latents: &Tensor) -> Result<()> {
    let sum = latents.abs()?.sum_all()?.to_scalar::<f32>()?;
    if sum.is_finite() {
        return Ok(());
    }
    Err(Error::setting(
        "the latents are no longer finite numbers",
        "compute in f32, or with less guidance",
    ))
}

/// Whether this says that a device's memory did not suffice.
fn is_memory(error: &Error) -> bool {
    let said = error.to_string().to_lowercase().replace('_', " ");
    matches!(error, Error::Tensor(_)) && said.contains("out of memory")
}
