//! What is asked of a pipeline, and whether it can be.

use alpha_clip::VisionInput;
use candle_core::Tensor;

use crate::error::{Error, Result};
use crate::noise::Seed;
use crate::scheduler::SchedulerChoice;

/// Longest side of a picture in pixels.
const LONGEST: usize = 8192;

/// What pictures are made from.
#[derive(Clone, Debug)]
pub enum Condition {
    /// A picture and its region as [`Pipeline::preprocess`](super::Pipeline::preprocess) prepares
    /// them: [1, 3, R, R] and [1, 1, R, R]. Without alpha weights over the image encoder the
    /// region has no effect.
    View(VisionInput),
    /// A picture through the pipeline's own image encoder, whatever alpha weights lie over it.
    Plain(VisionInput),
    /// An image embedding of the encoder's width D, not normalised: of shape
    /// \[D\], [1, D] or [1, 1, D].
    Embedding(Tensor),
}

/// One of several conditions that are mixed.
#[derive(Clone, Debug)]
pub struct Subject {
    /// What it shows.
    pub condition: Condition,
    /// Its part in the mixture: embeddings are averaged with these weights, which need not sum to
    /// 1.
    pub weight: f64,
}

/// Where a run begins that changes a picture.
#[derive(Clone, Debug)]
pub struct Start {
    /// The picture, [1, 3, H, W] with values in 0..=1; its size is that of the run.
    pub picture: Tensor,
    /// How much of it is changed: from 0, nothing, to 1.
    pub strength: f64,
    /// What of it stays as it is.
    pub keep: Option<Keep>,
}

/// Keeps what lies outside a mask.
#[derive(Clone, Debug)]
pub struct Keep {
    /// [1, 1, H, W], values of 0.5 and more are repainted; all others keep their pixels exactly.
    pub mask: Tensor,
    /// Width in pixels of the edge, inside the mask, over which the new picture fades in.
    ///
    /// With 0 latents are blended as diffusers does, where each position of the latents takes the
    /// value of one pixel of the mask; otherwise where the mask touches it.
    pub feather: f64,
}

/// What to make.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use image_variation::{Condition, Request};
///
/// let embedding = Tensor::zeros((1, 768), DType::F32, &Device::Cpu)?;
/// let request = Request {
///     steps: 50,
///     count: 4,
///     ..Request::new(Condition::Embedding(embedding))
/// };
/// assert_eq!(request.guidance, 3.0);
/// # Ok::<(), candle_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Request {
    /// What the pictures show: one subject, or several that are mixed.
    pub subjects: Vec<Subject>,
    /// What they do not show, in place of the zeros of classifier-free guidance. Without effect
    /// where `guidance` is 1 or less.
    pub negative: Option<Condition>,
    /// Steps of the scheduler, 25 unless set.
    pub steps: usize,
    /// Scale of classifier-free guidance (Ho and Salimans 2022), 3 unless set; at 1 and below
    /// there is none, and a step takes half the time.
    pub guidance: f64,
    /// A scheduler in place of the pipeline's own.
    pub scheduler: Option<SchedulerChoice>,
    /// Part of DDIM's noise, 0 (the default) to 1.
    pub eta: f64,
    /// Number of pictures, 1 unless set.
    pub count: usize,
    /// Seed of the noise.
    pub seed: Seed,
    /// Width and height in pixels, in place of the starting picture's or the pipeline's own.
    pub size: Option<(usize, usize)>,
    /// Start with these unit normal latents [count, 4, H/8, W/8] in place of drawn ones.
    pub latents: Option<Tensor>,
    /// Change a picture rather than begin with noise.
    pub start: Option<Start>,
    /// Most pictures made at once on a device, 4 unless set; fewer where memory does not suffice.
    /// Its results then differ in the last digits. A CPU makes them one by one in any case.
    pub batch: Option<usize>,
}

impl Request {
    /// One picture of `condition` with 25 steps and guidance 3, which the published model was
    /// made for.
    pub fn new(condition: Condition) -> Self {
        Self {
            subjects: vec![Subject {
                condition,
                weight: 1.,
            }],
            negative: None,
            steps: 25,
            guidance: 3.,
            scheduler: None,
            eta: 0.,
            count: 1,
            seed: Seed::default(),
            size: None,
            latents: None,
            start: None,
            batch: None,
        }
    }

    /// Whether there are two rows, without and with the condition, for each picture.
    pub(super) fn is_guided(&self) -> bool {
        self.guidance > 1.
    }

    /// Checks everything but the conditions; `factor` pixels on a side are one position of the
    /// latents, `default` is the side that the pipeline was made for. Gives width and height.
    pub(super) fn check(&self, factor: usize, default: usize) -> Result<(usize, usize)> {
        let wrong = |what: String, remedy: &str| Err(Error::setting(what, remedy));
        if !self.guidance.is_finite() || self.guidance < 0. {
            return wrong(
                format!("the guidance is {}", self.guidance),
                "give a number from 0 on; 3 is usual",
            );
        }
        if self.count == 0 {
            return wrong(
                "no pictures are asked for".into(),
                "give a count of 1 or more",
            );
        }
        if self.batch == Some(0) {
            return wrong("the batch is 0".into(), "give 1 or more");
        }
        if self.steps == 0 {
            return wrong(
                "the number of steps is 0".into(),
                "give 1 or more; 25 are usual",
            );
        }
        if self.subjects.is_empty() {
            return wrong("there is no condition".into(), "give at least one picture");
        }
        let weights = || self.subjects.iter().map(|subject| subject.weight);
        if let Some(weight) = weights().find(|w| !w.is_finite() || *w < 0.) {
            return wrong(
                format!("a region has the weight {weight}"),
                "give a number from 0 on",
            );
        }
        if weights().sum::<f64>() <= 0. {
            return wrong(
                "all regions have the weight 0".into(),
                "give one of them another",
            );
        }
        self.check_size(factor, default)
    }

    fn check_size(&self, factor: usize, default: usize) -> Result<(usize, usize)> {
        let mut size = self.size;
        let mut agree = |found: (usize, usize), what: &str| {
            let (width, height) = *size.get_or_insert(found);
            if (width, height) == found {
                return Ok(());
            }
            Err(Error::input(
                format!(
                    "{what} {}×{} pixels, not {width}×{height}",
                    found.0, found.1
                ),
                "bring all to one size",
            ))
        };
        if let Some(start) = &self.start {
            if !(0. ..=1.).contains(&start.strength) {
                return Err(Error::setting(
                    format!("the strength is {}", start.strength),
                    "give a number from 0 to 1",
                ));
            }
            agree(
                plane_size(&start.picture, 3, "the picture to start from")?,
                "the picture to start from has",
            )?;
            if let Some(keep) = &start.keep {
                if !keep.feather.is_finite() || keep.feather < 0. {
                    return Err(Error::setting(
                        format!("the feather is {}", keep.feather),
                        "give a number of pixels from 0 on",
                    ));
                }
                agree(plane_size(&keep.mask, 1, "the mask")?, "the mask has")?;
            }
        }
        if let Some(latents) = &self.latents {
            let &[count, 4, height, width] = latents.dims() else {
                return Err(Error::input(
                    format!("the latents have shape {:?}", latents.dims()),
                    format!("give [{}, 4, height/{factor}, width/{factor}]", self.count),
                ));
            };
            if count != self.count {
                return Err(Error::input(
                    format!("there are latents for {count} pictures, not {}", self.count),
                    "give as many as pictures are asked for",
                ));
            }
            let pixels = |side: usize| side.saturating_mul(factor);
            agree((pixels(width), pixels(height)), "the latents are for")?;
        }
        let (width, height) = size.unwrap_or((default, default));
        if width.max(height) > LONGEST {
            return Err(Error::setting(
                format!("the size {width}×{height} is too large"),
                format!("give at most {LONGEST} pixels on a side"),
            ));
        }
        let fits = |side: usize| side > 0 && side.is_multiple_of(factor);
        if !fits(width) || !fits(height) {
            let near = |side: usize| ((side + factor / 2) / factor).max(1) * factor;
            return Err(Error::setting(
                format!("the size {width}×{height} is not a multiple of {factor}"),
                format!("take {}×{}", near(width), near(height)),
            ));
        }
        Ok((width, height))
    }
}

/// Width and height of [1, channels, H, W].
fn plane_size(tensor: &Tensor, channels: usize, what: &str) -> Result<(usize, usize)> {
    match tensor.dims() {
        &[1, c, height, width] if c == channels => Ok((width, height)),
        shape => Err(Error::input(
            format!("{what} has shape {shape:?}"),
            format!("give [1, {channels}, height, width]"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;

    fn zeros(shape: &[usize]) -> Tensor {
        Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap()
    }

    fn plain() -> Request {
        Request::new(Condition::Embedding(zeros(&[1, 4])))
    }

    fn start(strength: f64) -> Option<Start> {
        Some(Start {
            picture: zeros(&[1, 3, 16, 24]),
            strength,
            keep: None,
        })
    }

    #[track_caller]
    fn refused(request: Request, words: &str) {
        let said = request.check(8, 64).unwrap_err().to_string();
        assert!(said.contains(words) && said.contains("; "), "{said}");
    }

    #[test]
    fn what_cannot_be_is_refused() {
        refused(
            Request {
                steps: 0,
                ..plain()
            },
            "steps is 0",
        );
        refused(
            Request {
                count: 0,
                ..plain()
            },
            "no pictures",
        );
        refused(
            Request {
                batch: Some(0),
                ..plain()
            },
            "batch is 0",
        );
        refused(
            Request {
                guidance: f64::NAN,
                ..plain()
            },
            "guidance is NaN",
        );
        refused(
            Request {
                guidance: -1.,
                ..plain()
            },
            "guidance is -1",
        );
        refused(
            Request {
                subjects: vec![],
                ..plain()
            },
            "no condition",
        );
        for (weight, words) in [
            (f64::NAN, "weight NaN"),
            (-1., "weight -1"),
            (0., "all regions"),
        ] {
            let mut request = plain();
            request.subjects[0].weight = weight;
            refused(request, words);
        }
        refused(
            Request {
                size: Some((100, 64)),
                ..plain()
            },
            "take 104×64",
        );
        refused(
            Request {
                size: Some((0, 64)),
                ..plain()
            },
            "take 8×64",
        );
        refused(
            Request {
                size: Some((64, usize::MAX)),
                ..plain()
            },
            "too large",
        );
        for strength in [-0.1, 1.1, f64::NAN] {
            refused(
                Request {
                    start: start(strength),
                    ..plain()
                },
                "strength is",
            );
        }
        let other = Request {
            start: start(0.5),
            size: Some((24, 24)),
            ..plain()
        };
        refused(other, "24×16 pixels, not 24×24");
        refused(
            Request {
                latents: Some(zeros(&[2, 4, 8, 8])),
                ..plain()
            },
            "for 2 pictures",
        );
        refused(
            Request {
                latents: Some(zeros(&[1, 3, 8, 8])),
                ..plain()
            },
            "[1, 3, 8, 8]",
        );
        for (mask, feather, words) in [
            (zeros(&[1, 1, 16, 16]), 0., "the mask has 16×16"),
            (zeros(&[16, 24]), 0., "[16, 24]"),
            (zeros(&[1, 1, 16, 24]), f64::INFINITY, "feather is inf"),
        ] {
            let mut start = start(1.).unwrap();
            start.keep = Some(Keep { mask, feather });
            refused(
                Request {
                    start: Some(start),
                    ..plain()
                },
                words,
            );
        }
    }

    #[test]
    fn the_size_is_that_of_what_is_given() {
        assert_eq!(plain().check(8, 64).unwrap(), (64, 64));
        let wide = Request {
            latents: Some(zeros(&[1, 4, 8, 12])),
            ..plain()
        };
        assert_eq!(wide.check(8, 64).unwrap(), (96, 64));
        let picture = Request {
            start: start(0.5),
            ..plain()
        };
        assert_eq!(picture.check(8, 64).unwrap(), (24, 16));
        let sized = Request {
            size: Some((128, 8)),
            ..plain()
        };
        assert_eq!(sized.check(8, 64).unwrap(), (128, 8));
    }
}
