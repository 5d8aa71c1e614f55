//! The few-shot adapter of PointCLIP.

use super::ScoreError;
use super::score::{by_object, compare, unit};
use candle_core::{DType, Device, Tensor};
use checkpoint::Checkpoint;

/// Share of the adapted features in the output; the rest is the input.
const ADAPTED: f64 = 0.6;
const BATCH_NORM_EPSILON: f64 = 1e-5;
/// The tensor that tells where in a checkpoint the adapter lies, and for how many views it is.
const FUSION: &str = "fusion_ratio";

/// The inter-view adapter of few-shot PointCLIP (Zhang et al., CVPR 2022), in evaluation mode.
///
/// It mixes the features of all views of an object into a global one, and gives each view back a
/// feature that knows of the others. Takes the features of
/// [`PointClipV1::few_shot`](super::PointClipV1::few_shot) views as the tower gives them, not scaled
/// to unit length.
#[derive(Clone, Debug)]
pub struct InterViewAdapter {
    views: usize,
    width: usize,
    /// `[1, views, 1]`.
    fusion: Tensor,
    normalise_input: BatchNorm,
    fuse: Linear,
    normalise_global: BatchNorm,
    expand: Linear,
    distribute: Linear,
}

/// `x · weightᵀ + bias`, `weight` stored transposed.
#[derive(Clone, Debug)]
struct Linear {
    weight: Tensor,
    bias: Tensor,
}

/// Batch norm in evaluation mode: a factor and a summand a channel.
#[derive(Clone, Debug)]
struct BatchNorm {
    factor: Tensor,
    summand: Tensor,
}

impl InterViewAdapter {
    /// Loads the adapter from a file of its own or from one that holds it under a common prefix,
    /// with the names of the published code (`fusion_ratio`, `global_f.3.weight`, …).
    ///
    /// # Errors
    /// [`ScoreError::Checkpoint`] where tensors are missing or of the wrong shape.
    pub fn load(weights: &Checkpoint, device: &Device) -> Result<Self, ScoreError> {
        let absent = || {
            ScoreError::input(
                format!(
                    "{}: it holds no PointCLIP adapter (no tensor {FUSION})",
                    weights.name()
                ),
                "give the weights of a few-shot adapter",
            )
        };
        let fusion = weights
            .names()
            .find(|name| name.ends_with(FUSION))
            .ok_or_else(absent)?;
        let prefix = fusion.strip_suffix(FUSION).unwrap_or_default();
        let name = |tensor: &str| format!("{prefix}{tensor}");
        let dims = |tensor: &str| weights.info(&name(tensor)).map(|i| i.shape.as_slice());
        let views = dims(FUSION).map_or(0, |shape| shape.iter().product());
        let width = dims("view_f.0.bias")
            .and_then(|shape| shape.first().copied())
            .unwrap_or(0);
        let joined = views
            .checked_mul(width)
            .filter(|joined| *joined > 0)
            .ok_or_else(absent)?;

        let vectors = ["weight", "bias", "running_mean", "running_var"];
        let norms = ["global_f.0.bn", "global_f.4"];
        let needed = norms
            .iter()
            .flat_map(|norm| vectors.map(|v| (name(&format!("{norm}.{v}")), vec![width])))
            .chain([
                (name(FUSION), vec![views]),
                (name("global_f.3.weight"), vec![width, joined]),
                (name("global_f.3.bias"), vec![width]),
                (name("view_f.0.weight"), vec![width, width]),
                (name("view_f.0.bias"), vec![width]),
                (name("view_f.2.weight"), vec![joined, width]),
                (name("view_f.2.bias"), vec![joined]),
            ]);
        weights.check(needed).into_result()?;

        let tensor = |t: String| -> Result<Tensor, ScoreError> {
            Ok(weights.tensor(&name(&t), DType::F32, device)?)
        };
        let linear = |layer: &str| -> Result<Linear, ScoreError> {
            Ok(Linear {
                weight: tensor(format!("{layer}.weight"))?.t()?,
                bias: tensor(format!("{layer}.bias"))?,
            })
        };
        let batch_norm = |layer: &str| -> Result<BatchNorm, ScoreError> {
            let [weight, bias, mean, variance] = vectors.map(|v| tensor(format!("{layer}.{v}")));
            let factor = (weight? / (variance? + BATCH_NORM_EPSILON)?.sqrt()?)?;
            let summand = (bias? - (mean? * &factor)?)?;
            Ok(BatchNorm { factor, summand })
        };
        Ok(InterViewAdapter {
            views,
            width,
            fusion: tensor(FUSION.to_owned())?.reshape((1, views, 1))?,
            normalise_input: batch_norm(norms[0])?,
            fuse: linear("global_f.3")?,
            normalise_global: batch_norm(norms[1])?,
            expand: linear("view_f.0")?,
            distribute: linear("view_f.2")?,
        })
    }

    /// The number of views that it was trained for, in the order of the projection.
    pub fn views(&self) -> usize {
        self.views
    }

    /// The width of the features.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Adapted features `[objects, views × width]` of `features` `[objects × views, width]`.
    ///
    /// # Errors
    /// [`ScoreError::Input`] where the shape does not fit, [`ScoreError::Tensor`] where the device fails.
    pub fn forward(&self, features: &Tensor) -> Result<Tensor, ScoreError> {
        let input = by_object(features, self.views)?;
        let (objects, _, width) = input.dims3()?;
        if width != self.width {
            return Err(ScoreError::input(
                format!(
                    "features are {width} wide, the adapter needs {}",
                    self.width
                ),
                "use the backbone that the adapter was trained with",
            ));
        }
        let joined = (objects, self.views * width);
        let fused = self
            .normalise_input
            .forward(&input.broadcast_mul(&self.fusion)?)?;
        let global = self.fuse.forward(&fused.reshape(joined)?)?;
        let global = self.normalise_global.forward(&global)?.relu()?;
        let expanded = self.expand.forward(&global)?.relu()?;
        let adapted = self.distribute.forward(&expanded)?.relu()?;
        Ok(((adapted * ADAPTED)? + (input.reshape(joined)? * (1.0 - ADAPTED))?)?)
    }

    /// Logits `[objects, classes]`: as [`view_logits`](super::view_logits), but the adapted features
    /// of an object are brought to unit length together, not view by view.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn logits(
        &self,
        features: &Tensor,
        text: &Tensor,
        scale: f64,
    ) -> Result<Tensor, ScoreError> {
        let adapted = unit(&self.forward(features)?)?;
        let objects = adapted.dim(0)?;
        compare(
            &adapted.reshape((objects, self.views, self.width))?,
            text,
            scale,
        )
    }
}

impl Linear {
    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        x.matmul(&self.weight)?.broadcast_add(&self.bias)
    }
}

impl BatchNorm {
    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        x.broadcast_mul(&self.factor)?.broadcast_add(&self.summand)
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden::{Golden, assert_close};
    use super::*;

    fn adapter(bytes: Vec<u8>) -> Result<InterViewAdapter, ScoreError> {
        InterViewAdapter::load(
            &Checkpoint::from_bytes(bytes, "adapter.safetensors")?,
            &Device::Cpu,
        )
    }

    fn flat(t: &Tensor) -> Vec<f32> {
        t.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn output_is_that_of_the_reference() {
        let golden = Golden::open("logits_and_adapter");
        let adapter = adapter(golden.bytes().to_vec()).unwrap();
        assert_eq!((adapter.views(), adapter.width()), (10, 16));
        let features = golden.tensor("fs.in");
        let out = adapter.forward(&features).unwrap();
        assert_eq!(out.dims(), [3, 160]);
        assert_close(&flat(&out), &golden.f32("fs.out"), 1e-5);
        let logits = adapter
            .logits(&features, &golden.tensor("text"), 100.0)
            .unwrap();
        assert_close(&flat(&logits), &golden.f32("fs.logits"), 1e-4);
    }

    #[test]
    fn objects_do_not_mix() {
        let golden = Golden::open("logits_and_adapter");
        let adapter = adapter(golden.bytes().to_vec()).unwrap();
        let features = golden.tensor("fs.in");
        let alone = adapter
            .forward(&features.narrow(0, 10, 10).unwrap())
            .unwrap();
        assert_close(&flat(&alone), &golden.f32("fs.out")[160..320], 1e-5);
    }

    #[test]
    fn other_files_and_other_features_are_errors() {
        let say = |result: Result<InterViewAdapter, ScoreError>| result.unwrap_err().to_string();
        let cameras = Golden::open("cameras").bytes().to_vec();
        assert_eq!(
            say(adapter(cameras)),
            "adapter.safetensors: it holds no PointCLIP adapter (no tensor fusion_ratio); \
             give the weights of a few-shot adapter"
        );
        let one = |name: &str, shape: &str, bytes: usize| {
            let header = format!(
                r#"{{"{name}":{{"dtype":"F32","shape":{shape},"data_offsets":[0,{bytes}]}}}}"#
            );
            let mut file = (header.len() as u64).to_le_bytes().to_vec();
            file.extend(header.into_bytes());
            file.resize(file.len() + bytes, 0);
            file
        };
        assert!(say(adapter(one("fusion_ratio", "[10]", 40))).contains("no PointCLIP adapter"));
        assert!(say(adapter(one("fusion_ratio", "[0]", 0))).contains("no PointCLIP adapter"));

        let adapter = adapter(Golden::open("logits_and_adapter").bytes().to_vec()).unwrap();
        let wide = Tensor::zeros((10, 8), DType::F32, &Device::Cpu).unwrap();
        assert!(
            adapter
                .forward(&wide)
                .unwrap_err()
                .to_string()
                .contains("8 wide")
        );
    }
}
