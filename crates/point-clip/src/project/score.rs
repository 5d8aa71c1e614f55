//! From features of views to logits of classes.

use super::ScoreError;
use candle_core::{D, DType, Tensor};

/// The logit scale that PointCLIP V2 has in place of the one its model learned.
pub const V2_LOGIT_SCALE: f64 = 100.0;

/// Keeps a feature of zeros from becoming NaN.
const SMALLEST_NORM: f64 = 1e-12;

/// Logits `[objects, classes]` of `features` `[objects × views, width]` (object by object; any
/// length) against `text` `[classes, width]`.
///
/// `weights` has one factor per view: ones in PointCLIP, a published set
/// ([`Benchmark::view_weights`](super::Benchmark::view_weights)) in V2. With unit features `f` and
/// unit texts `t`, a logit is `scale / √views · Σ weight · f · t`. The root comes from the
/// published code, which compares the joined views with the joined copies of the text; it does not
/// change the order of classes but does change probabilities.
///
/// # Errors
/// [`ScoreError::Input`] where the shapes do not fit, [`ScoreError::Tensor`] where the device fails.
pub fn view_logits(
    features: &Tensor,
    text: &Tensor,
    weights: &[f32],
    scale: f64,
) -> Result<Tensor, ScoreError> {
    let views = weights.len();
    let features = by_object(features, views)?;
    let weights = Tensor::from_slice(weights, (1, views, 1), features.device())?;
    let weighted = unit(&features)?.broadcast_mul(&weights)?;
    compare(&weighted, text, scale)
}

/// `features` `[objects × views, width]` as f32 `[objects, views, width]`.
pub(super) fn by_object(features: &Tensor, views: usize) -> Result<Tensor, ScoreError> {
    match features.dims() {
        &[rows, width] if views > 0 && width > 0 && rows % views == 0 => {
            let shape = (rows / views, views, width);
            Ok(features.to_dtype(DType::F32)?.reshape(shape)?)
        }
        shape => Err(ScoreError::input(
            format!("features of shape {shape:?} are not those of {views} views an object"),
            "give one row per view, object by object",
        )),
    }
}

/// `scale / √views · Σ over views of joined · unit text`; `joined` is `[objects, views, width]`.
pub(super) fn compare(joined: &Tensor, text: &Tensor, scale: f64) -> Result<Tensor, ScoreError> {
    let (_, views, width) = joined.dims3()?;
    if text.rank() != 2 || text.dim(1)? != width {
        return Err(ScoreError::input(
            format!(
                "texts of shape {:?} do not go with features {width} wide",
                text.dims()
            ),
            "encode both with the same model",
        ));
    }
    let text = unit(&text.to_dtype(DType::F32)?)?;
    let logits = joined.sum(1)?.matmul(&text.t()?)?;
    Ok((logits * (scale / (views as f64).sqrt()))?)
}

/// `x` with its last axis scaled to unit length.
pub(super) fn unit(x: &Tensor) -> Result<Tensor, ScoreError> {
    let norm = x
        .sqr()?
        .sum_keepdim(D::Minus1)?
        .sqrt()?
        .maximum(SMALLEST_NORM)?;
    Ok(x.broadcast_div(&norm)?)
}

#[cfg(test)]
mod tests {
    use super::super::golden::{Golden, assert_close};
    use super::*;
    use candle_core::Device;

    fn flat(t: &Tensor) -> Vec<f32> {
        t.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn logits_are_those_of_the_reference() {
        let golden = Golden::open("logits_and_adapter");
        let text = golden.tensor("text");
        let v1 = golden.tensor("v1.feat");
        let logits = view_logits(&v1, &text, &[1.0; 6], 100.0).unwrap();
        assert_eq!(logits.dims(), [3, 5]);
        assert_close(&flat(&logits), &golden.f32("v1.logits"), 1e-4);
        let weights = golden.f32("v1.weights");
        let logits = view_logits(&v1, &text, &weights, 100.0).unwrap();
        assert_close(&flat(&logits), &golden.f32("v1.logits_weighted"), 1e-4);

        let (v2, weights) = (golden.tensor("v2.feat"), golden.f32("v2.weights"));
        let logits = view_logits(&v2, &text, &weights, V2_LOGIT_SCALE).unwrap();
        assert_close(&flat(&logits), &golden.f32("v2.logits"), 1e-4);
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
        let say = |features: &[usize], text: &[usize], views: usize| {
            let weights = vec![1.0; views];
            view_logits(&zeros(features), &zeros(text), &weights, 100.0)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            say(&[7, 4], &[2, 4], 6),
            "features of shape [7, 4] are not those of 6 views an object; \
             give one row per view, object by object"
        );
        assert!(say(&[6, 4], &[2, 4], 0).contains("0 views"));
        assert!(say(&[6, 4], &[2, 5], 6).contains("texts of shape [2, 5]"));
        // Nothing at all is no NaN.
        let logits = view_logits(&zeros(&[6, 4]), &zeros(&[2, 4]), &[1.0; 6], 100.0).unwrap();
        assert_eq!(flat(&logits), [0.0, 0.0]);
    }
}
