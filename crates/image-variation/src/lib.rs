//! Stable Diffusion image variation, conditioned on a region of a picture by Alpha-CLIP.
//!
//! A [`Pipeline`] takes the embedding of a picture where Stable Diffusion has words. With
//! Alpha-CLIP weights laid over its image encoder the embedding is that of a region: mask the dog,
//! get dogs.
//!
//! ```no_run
//! use std::ops::ControlFlow;
//!
//! use alpha_clip::{Picture, Region};
//! use checkpoint::Checkpoint;
//! use image_variation::{Condition, Pipeline, Recipe, Request};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let pipeline = Pipeline::builder("sd-image-variations-diffusers")
//!     .alpha_weights(Checkpoint::open("clip_l14_grit20m_fultune_2xe.pth")?)
//!     .open()?;
//! let (picture, dog) = (Picture::open("park.jpg")?, Region::read_mask("dog.png")?);
//! let view = pipeline.preprocess(Recipe::ModelCard)?.prepare(&picture, &dog)?;
//! let request = Request {
//!     count: 4,
//!     ..Request::new(Condition::View(view))
//! };
//! let variations = pipeline.generate(&request, &mut |step| {
//!     println!("step {} of {}", step.step, step.total);
//!     ControlFlow::Continue(())
//! })?;
//! for variation in variations {
//!     variation.to_rgb8()?.save(format!("{:03}.png", variation.index))?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What it is made of
//! | | |
//! |---|---|
//! | [`unet`] | noisy latents and a context to predicted noise |
//! | [`vae`] | pictures to latents and back |
//! | [`scheduler`] | how noise becomes a picture: PNDM, DDIM, Euler, Euler ancestral, DPM++ 2M, UniPC, LCM |
//! | [`noise`] | starts that can be had again, PyTorch's among them |
//! | [`Pipeline`] | all of it, with guidance, picture-to-picture and masks of what to keep |
//!
//! Each equals diffusers 0.42 on a small pipeline: networks to 1e-4, schedulers to 1e-5, the
//! latents of whole runs to 1e-3 (relative, f32 on a CPU).
//!
//! The parts stand alone; this walks a small network with random weights through four steps:
//!
//! ```
//! use candle_core::{DType, Device, Tensor};
//! use image_variation::noise::{Noise, Seed};
//! use image_variation::scheduler::{Scheduler, SchedulerConfig};
//! use image_variation::unet::{Unet, UnetConfig};
//!
//! # fn main() -> Result<(), image_variation::Error> {
//! let mut config = UnetConfig::stable_diffusion_1();
//! (config.widths, config.groups) = (vec![8, 16, 16, 16], 4);
//! let unet = Unet::random(&config, 1, DType::F32, &Device::Cpu)?;
//! let embedding = Tensor::zeros((1, 1, 768), DType::F32, &Device::Cpu)?;
//! let conditioning = unet.condition(&embedding)?;
//!
//! let mut scheduler = Scheduler::new(&SchedulerConfig::stable_diffusion(), 4, 0.0)?;
//! let noise = Noise::new(Seed::Counter(7), 1, &[4, 8, 8]).draw(0, 0..1)?;
//! let mut latents = (noise * scheduler.init_noise_sigma())?;
//! while let Some(timestep) = scheduler.timestep() {
//!     let input = scheduler.scale_input(&latents)?;
//!     let output = unet.forward(&input, &[timestep as f32], &conditioning)?;
//!     latents = scheduler.step(&output, &latents, &mut || unreachable!("PNDM draws nothing"))?;
//! }
//! assert_eq!(latents.dims(), [1, 4, 8, 8]);
//! # Ok(())
//! # }
//! ```
//!
//! # Reproducing a run
//! The same [`Request`] gives the same bits on one machine. Noise is drawn on the CPU whatever the
//! device, and each picture has its own, so that the third of four is the third of eight.

mod error;
mod json;
mod names;
pub mod noise;
mod ops;
mod pipeline;
mod safety;
pub mod scheduler;
#[cfg(test)]
mod testing;
pub mod unet;
pub mod vae;
mod weights;

pub use error::{Error, Result};
pub use pipeline::{
    Condition, Keep, Pipeline, PipelineBuilder, Recipe, Request, Run, Start, Step, Subject,
    Variation,
};
