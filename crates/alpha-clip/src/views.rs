//! [`Views`] and [`VisionInput`]: what every road to a vision tower ends in.

use candle_core::{DType, Device, Tensor};

use crate::error::{Error, Result};
use crate::preprocess::Preprocess;

/// V pictures of one size and, beside each, an alpha plane that says where to look.
///
/// ```
/// use alpha_clip::{Preprocess, Views};
/// use candle_core::{DType, Device, Tensor};
///
/// # fn main() -> Result<(), alpha_clip::Error> {
/// // Ten grey views of 224 x 224 pixels whose middle is to be looked at.
/// let rgb = Tensor::full(0.5f32, (10, 3, 224, 224), &Device::Cpu)?;
/// let middle = Tensor::ones((10, 1, 112, 112), DType::F32, &Device::Cpu)?;
/// let alpha = middle.pad_with_zeros(2, 56, 56)?.pad_with_zeros(3, 56, 56)?;
/// let input = Views::new(rgb, alpha)?.normalise(&Preprocess::clip(224))?;
/// assert_eq!(input.pixels.dims(), [10, 3, 224, 224]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Views {
    /// [V, 3, H, W], f32: red, green, blue in 0..=1. (Float resampling may overshoot a little.)
    pub rgb: Tensor,
    /// [V, 1, H, W], f32 in 0..=1: 1 is looked at, 0 is not.
    pub alpha: Tensor,
}

/// What a vision tower takes: normalised pixels and, for an Alpha-CLIP, normalised alpha planes.
#[derive(Clone, Debug)]
pub struct VisionInput {
    /// [B, 3, R, R]: (rgb - mean) / std.
    pub pixels: Tensor,
    /// [B, 1, R, R]: (alpha - 0.5) / 0.26, or none for "the whole picture".
    pub alpha: Option<Tensor>,
}

impl Views {
    /// Views from RGB [V, 3, H, W] and alpha [V, 1, H, W], both f32.
    ///
    /// # Errors
    /// [`Error::Input`] if a shape or type is another, a value is not finite, or the values are
    /// clearly not in 0..=1 (0..=255, say).
    pub fn new(rgb: Tensor, alpha: Tensor) -> Result<Self> {
        let views = Self { rgb, alpha };
        views.shape()?;
        // Bicubic overshoot is at most a quarter of the range on each side.
        check_values("RGB values", &views.rgb, -0.5..=1.5)?;
        check_values("alpha values", &views.alpha, -1e-4..=1.0001)?;
        Ok(views)
    }

    /// Views from `planes`, V times red, green, blue, alpha of `height` x `width` values each.
    ///
    /// # Errors
    /// As [`new`](Self::new), and if the number of values is not a multiple of such a view.
    pub fn from_planes(
        planes: Vec<f32>,
        height: usize,
        width: usize,
        device: &Device,
    ) -> Result<Self> {
        let view = height.saturating_mul(width).saturating_mul(4);
        if view == 0 || planes.is_empty() || !planes.len().is_multiple_of(view) {
            return Err(Error::input(
                format!(
                    "{} values are not views of 4 x {height} x {width}",
                    planes.len()
                ),
                "give four planes a view: red, green, blue, alpha",
            ));
        }
        let count = planes.len() / view;
        let all = Tensor::from_vec(planes, (count, 4, height, width), device)?;
        let planes = |first, n| all.narrow(1, first, n)?.contiguous();
        Self::new(planes(0, 3)?, planes(3, 1)?)
    }

    /// All views of `parts` as one, in order.
    ///
    /// # Errors
    /// [`Error::Input`] if there is none, or their sizes differ.
    pub fn cat(parts: &[Self]) -> Result<Self> {
        let size = parts
            .first()
            .map(Self::shape)
            .transpose()?
            .map(|(_, h, w)| (h, w));
        let Some(size) = size else {
            return Err(Error::input("there are no views", "give at least one"));
        };
        for part in parts {
            let (_, height, width) = part.shape()?;
            if (height, width) != size {
                return Err(Error::input(
                    format!("views of {height} x {width} and of {} x {}", size.0, size.1),
                    "bring all views to one size first",
                ));
            }
        }
        let all = |plane: fn(&Self) -> &Tensor| {
            Tensor::cat(&parts.iter().map(plane).collect::<Vec<_>>(), 0)
        };
        Ok(Self {
            rgb: all(|v| &v.rgb)?,
            alpha: all(|v| &v.alpha)?,
        })
    }

    /// The number of views (V).
    ///
    /// # Errors
    /// [`Error::Input`] if the tensors are not views.
    pub fn count(&self) -> Result<usize> {
        Ok(self.shape()?.0)
    }

    /// Height and width of every view.
    ///
    /// # Errors
    /// [`Error::Input`] if the tensors are not views.
    pub fn size(&self) -> Result<(usize, usize)> {
        self.shape().map(|(_, height, width)| (height, width))
    }

    /// The same pictures, each looked at as a whole (alpha 1 everywhere).
    ///
    /// # Errors
    /// [`Error::Input`] if the tensors are not views.
    pub fn with_whole_alpha(&self) -> Result<Self> {
        self.shape()?;
        Ok(Self {
            rgb: self.rgb.clone(),
            alpha: self.alpha.ones_like()?,
        })
    }

    /// What a tower with this preprocessing takes: resampled to its size where they have another,
    /// picture and alpha plane alike, then normalised. Stays on the device of the views.
    ///
    /// # Errors
    /// [`Error::Input`] if the tensors are not views.
    pub fn normalise(&self, preprocess: &Preprocess) -> Result<VisionInput> {
        let fitted = preprocess.fit(self)?;
        let (mean, std) = (&preprocess.mean, &preprocess.std);
        let alpha = (&[preprocess.alpha_mean], &[preprocess.alpha_std]);
        Ok(VisionInput {
            pixels: standardised(&fitted.rgb, mean, std)?,
            alpha: Some(standardised(&fitted.alpha, alpha.0, alpha.1)?),
        })
    }

    /// (V, H, W) of tensors that have the shapes of views.
    pub(crate) fn shape(&self) -> Result<(usize, usize, usize)> {
        let (rgb, alpha) = (self.rgb.dims(), self.alpha.dims());
        let fits = match (rgb, alpha) {
            (&[v, 3, h, w], &[va, 1, ha, wa]) => (v, h, w) == (va, ha, wa) && v * h * w > 0,
            _ => false,
        };
        if !fits {
            return Err(Error::input(
                format!("RGB of shape {rgb:?} and alpha of shape {alpha:?} are not views"),
                "give [V, 3, H, W] and [V, 1, H, W], none of them empty",
            ));
        }
        if self.rgb.dtype() != DType::F32 || self.alpha.dtype() != DType::F32 {
            return Err(Error::input(
                format!(
                    "views of type {:?} and {:?}",
                    self.rgb.dtype(),
                    self.alpha.dtype()
                ),
                "give f32",
            ));
        }
        if !self.rgb.device().same_device(self.alpha.device()) {
            return Err(Error::input(
                "RGB and alpha are on two devices",
                "bring them to one",
            ));
        }
        let (v, _, h, w) = self.rgb.dims4()?;
        Ok((v, h, w))
    }
}

impl VisionInput {
    /// All pictures of `parts` as one batch, in order. Where only some have alpha planes, the
    /// others count as whole pictures.
    ///
    /// # Errors
    /// [`Error::Input`] if there is none, or their sizes differ.
    pub fn cat(parts: &[Self]) -> Result<Self> {
        let first = parts.first().map(|part| part.pixels.dims().get(1..));
        let Some(first) = first else {
            return Err(Error::input("there are no pictures", "give at least one"));
        };
        if let Some(other) = parts
            .iter()
            .find(|part| part.pixels.dims().get(1..) != first)
        {
            return Err(Error::input(
                format!(
                    "pictures of shape {:?} in a batch of {:?}",
                    other.pixels.dims(),
                    parts.first().map_or(&[][..], |part| part.pixels.dims())
                ),
                "preprocess all of them for one model",
            ));
        }
        let pixels: Vec<_> = parts.iter().map(|part| &part.pixels).collect();
        let alpha = if parts.iter().any(|part| part.alpha.is_some()) {
            let planes = parts
                .iter()
                .map(Self::alpha_or_whole)
                .collect::<Result<Vec<_>>>()?;
            Some(Tensor::cat(&planes, 0)?)
        } else {
            None
        };
        Ok(Self {
            pixels: Tensor::cat(&pixels, 0)?,
            alpha,
        })
    }

    fn alpha_or_whole(&self) -> Result<Tensor> {
        match &self.alpha {
            Some(alpha) => Ok(alpha.clone()),
            None => {
                let whole = (1. - Preprocess::ALPHA_MEAN) / Preprocess::ALPHA_STD;
                let (items, _, height, width) = self.pixels.dims4()?;
                Ok(Tensor::full(
                    whole,
                    (items, 1, height, width),
                    self.pixels.device(),
                )?)
            }
        }
    }
}

/// (x - mean) / std, by channel, of pictures [V, C, H, W].
fn standardised(pictures: &Tensor, mean: &[f32], std: &[f32]) -> Result<Tensor> {
    let (_, channels, height, width) = pictures.dims4()?;
    let device = pictures.device();
    if device.is_cpu() {
        // On this thread: candle's loops wake threads of its own, which wait spinning and whose
        // turn only one caller at a time has, in the way of callers that have a thread each.
        let mut values = pictures.flatten_all()?.to_vec1::<f32>()?;
        let planes = values.chunks_exact_mut(height * width);
        for (plane, channel) in planes.zip((0..channels).cycle()) {
            let (mean, std) = (mean[channel], std[channel]);
            plane.iter_mut().for_each(|x| *x = (*x - mean) / std);
        }
        return Ok(Tensor::from_vec(values, pictures.shape(), device)?);
    }
    let row = |values: &[f32]| Tensor::from_slice(values, (1, channels, 1, 1), device);
    Ok(pictures
        .broadcast_sub(&row(mean)?)?
        .broadcast_div(&row(std)?)?)
}

fn check_values(what: &str, values: &Tensor, range: std::ops::RangeInclusive<f32>) -> Result<()> {
    let flat = values.flatten_all()?;
    // The sum is not finite if any value is not; minimum and maximum may pass over NaN.
    let sum = flat.sum(0)?.to_scalar::<f32>()?;
    let (low, high) = (
        flat.min(0)?.to_scalar::<f32>()?,
        flat.max(0)?.to_scalar::<f32>()?,
    );
    if !sum.is_finite() {
        return Err(Error::input(
            format!("{what} that are not finite"),
            "give numbers between 0 and 1",
        ));
    }
    if !range.contains(&low) || !range.contains(&high) {
        return Err(Error::input(
            format!("{what} from {low} to {high}"),
            "scale them to 0..=1",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn views(count: usize, side: usize) -> Views {
        let rgb = Tensor::rand(0f32, 1., (count, 3, side, side), &Device::Cpu).unwrap();
        let alpha = Tensor::rand(0f32, 1., (count, 1, side, side), &Device::Cpu).unwrap();
        Views::new(rgb, alpha).unwrap()
    }

    fn refused(rgb: Tensor, alpha: Tensor, words: &str) {
        let said = Views::new(rgb, alpha).unwrap_err().to_string();
        assert!(said.contains(words), "{said}");
    }

    #[test]
    fn shapes_types_and_values_are_checked() {
        let of = |shape: &[usize], value: f32| Tensor::full(value, shape, &Device::Cpu).unwrap();
        refused(
            of(&[2, 4, 8, 8], 0.),
            of(&[2, 1, 8, 8], 0.),
            "are not views",
        );
        refused(
            of(&[2, 3, 8, 8], 0.),
            of(&[1, 1, 8, 8], 0.),
            "are not views",
        );
        refused(
            of(&[0, 3, 8, 8], 0.),
            of(&[0, 1, 8, 8], 0.),
            "are not views",
        );
        refused(of(&[1, 3, 8, 8], 255.), of(&[1, 1, 8, 8], 0.), "scale them");
        refused(of(&[1, 3, 8, 8], 0.), of(&[1, 1, 8, 8], 2.), "scale them");
        refused(
            of(&[1, 3, 8, 8], f32::NAN),
            of(&[1, 1, 8, 8], 0.),
            "not finite",
        );
        let double = of(&[1, 3, 8, 8], 0.).to_dtype(DType::F64).unwrap();
        refused(double, of(&[1, 1, 8, 8], 0.), "give f32");
    }

    #[test]
    fn planes_are_red_green_blue_alpha() {
        let planes: Vec<f32> = (0..2 * 4 * 6).map(|i| i as f32 / 48.).collect();
        let views = Views::from_planes(planes, 2, 3, &Device::Cpu).unwrap();
        assert_eq!((views.count().unwrap(), views.size().unwrap()), (2, (2, 3)));
        let alpha = views.alpha.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(alpha[0], 18. / 48.);
        assert_eq!(alpha[6], 42. / 48.);
        assert!(Views::from_planes(vec![0.; 25], 2, 3, &Device::Cpu).is_err());
        assert!(Views::from_planes(vec![], 2, 3, &Device::Cpu).is_err());
        assert!(Views::from_planes(vec![0.; 24], usize::MAX, 2, &Device::Cpu).is_err());
    }

    #[test]
    fn batches_are_joined_in_order() {
        let (a, b) = (views(2, 4), views(1, 4));
        let all = Views::cat(&[a.clone(), b]).unwrap();
        assert_eq!(all.count().unwrap(), 3);
        let head = all.rgb.narrow(0, 0, 2).unwrap();
        let gap = (head - &a.rgb).unwrap().abs().unwrap().sum_all().unwrap();
        assert_eq!(gap.to_scalar::<f32>().unwrap(), 0.);
        assert!(Views::cat(&[a, views(1, 5)]).is_err());
        assert!(Views::cat(&[]).is_err());
    }

    #[test]
    fn a_whole_picture_is_alpha_one() {
        let views = views(1, 8).with_whole_alpha().unwrap();
        let input = views.normalise(&Preprocess::clip(8)).unwrap();
        let alpha = input
            .alpha
            .clone()
            .unwrap()
            .flatten_all()
            .unwrap()
            .to_vec1::<f32>()
            .unwrap();
        assert!(alpha.iter().all(|a| (a - 1.923_077).abs() < 1e-6));

        let plain = VisionInput {
            alpha: None,
            ..input.clone()
        };
        let both = VisionInput::cat(&[plain.clone(), input])
            .unwrap()
            .alpha
            .unwrap();
        let both = both.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert!(both.iter().all(|a| (a - 1.923_077).abs() < 1e-6) && both.len() == 128);
        assert!(
            VisionInput::cat(&[plain.clone(), plain])
                .unwrap()
                .alpha
                .is_none()
        );
    }

    #[test]
    fn views_of_another_size_are_resampled_alike() {
        // Left half looked at and bright: stays so, in both planes.
        let half = Tensor::from_vec(
            (0..40 * 40)
                .map(|i| if i % 40 < 20 { 1f32 } else { 0. })
                .collect::<Vec<_>>(),
            (1, 1, 40, 40),
            &Device::Cpu,
        )
        .unwrap();
        let rgb = half
            .broadcast_as((1, 3, 40, 40))
            .unwrap()
            .contiguous()
            .unwrap();
        let preprocess = Preprocess {
            mean: [0.; 3],
            std: [1.; 3],
            ..Preprocess::clip(10)
        };
        let input = Views::new(rgb, half)
            .unwrap()
            .normalise(&preprocess)
            .unwrap();
        let pixels = input
            .pixels
            .flatten_all()
            .unwrap()
            .to_vec1::<f32>()
            .unwrap();
        assert_eq!(input.pixels.dims(), [1, 3, 10, 10]);
        assert!(
            pixels[..4].iter().all(|p| (p - 1.).abs() < 0.05),
            "{pixels:?}"
        );
        assert!(pixels[6..10].iter().all(|p| p.abs() < 0.05));
        let alpha = input
            .alpha
            .unwrap()
            .flatten_all()
            .unwrap()
            .to_vec1::<f32>()
            .unwrap();
        assert!(alpha[..4].iter().all(|a| (a - 1.923).abs() < 0.2));
        assert!(alpha[6..10].iter().all(|a| (a + 1.923).abs() < 0.2));
    }
}
