//! The UNet against diffusers.

use candle_core::{DType, Device, Tensor};

use super::*;
use crate::testing::golden::{self, assert_relative, assert_within, flat, tensor, values};

fn unet() -> Unet {
    let file = golden::part("pipeline/unet", "diffusion_pytorch_model.safetensors");
    let config = UnetConfig::from_json(file.config("config.json").unwrap(), "config.json");
    Unet::load(&file, &config.unwrap(), DType::F32, &Device::Cpu).unwrap()
}

fn check(got: &Tensor, name: &str, tolerance: f32) {
    assert_within(&flat(got), &values(name), tolerance, name);
    assert_relative(got, name, 1e-4);
}

#[test]
fn every_output_equals_the_reference() {
    let unet = unet();
    let latents = tensor("unet/latents");
    let embedding = tensor("embed/readme").unsqueeze(1).unwrap();
    let one = unet.condition(&embedding).unwrap();
    for timestep in ["1", "501", "999", "713.625"] {
        let got = unet
            .forward(&latents, &[timestep.parse().unwrap()], &one)
            .unwrap();
        check(&got, &format!("unet/t{timestep}"), 3e-5);
    }
    let both = Tensor::cat(&[&embedding.zeros_like().unwrap(), &embedding], 0).unwrap();
    let both = unet.condition(&both).unwrap();
    let twice = Tensor::cat(&[&latents, &latents], 0).unwrap();
    for timestep in ["1", "501", "999"] {
        let got = unet
            .forward(&twice, &[timestep.parse().unwrap()], &both)
            .unwrap();
        check(&got, &format!("unet/t{timestep}_cfg2"), 3e-5);
    }
    let got = unet
        .forward(&tensor("unet/latents_8x12"), &[501.], &one)
        .unwrap();
    check(&got, "unet/8x12_t501", 3e-5);
    let three = unet.condition(&tensor("unet/context3")).unwrap();
    let scaled = Tensor::cat(&[&latents, &(&latents * 0.5).unwrap()], 0).unwrap();
    let got = unet.forward(&scaled, &[37., 802.], &three).unwrap();
    check(&got, "unet/ctx3_t37_t802", 5e-5);
}

#[test]
fn half_precision_weights_give_nearly_the_same() {
    let file = golden::part("pipeline/unet", "diffusion_pytorch_model.safetensors");
    let config = UnetConfig::from_json(&golden::config("pipeline/unet"), "c").unwrap();
    let embedding = tensor("embed/readme").unsqueeze(1).unwrap();
    for dtype in [DType::F16, DType::BF16] {
        let unet = Unet::load(&file, &config, dtype, &Device::Cpu).unwrap();
        let conditioning = unet.condition(&embedding).unwrap();
        let got = unet
            .forward(&tensor("unet/latents"), &[501.], &conditioning)
            .unwrap();
        let cosine = golden::cosine(&flat(&got), &values("unet/t501"));
        assert!(cosine > 0.999, "{dtype:?}: {cosine}");
    }
}

#[test]
fn inputs_that_do_not_fit_are_refused() {
    let unet = unet();
    let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
    let said = unet
        .condition(&zeros(&[1, 1, 768]))
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("[1, 1, 768]") && said.contains("48"),
        "{said}"
    );
    let one = unet.condition(&zeros(&[1, 1, 48])).unwrap();
    assert!(unet.forward(&zeros(&[2, 4, 8, 8]), &[1.], &one).is_err());
    assert!(unet.forward(&zeros(&[1, 3, 8, 8]), &[1.], &one).is_err());
    assert!(
        unet.forward(&zeros(&[1, 4, 8, 8]), &[1., 2.], &one)
            .is_err()
    );
}

#[test]
fn random_weights_are_repeatable_and_keep_the_size_of_values() {
    let config = UnetConfig {
        widths: vec![8, 16],
        attention: vec![true, false],
        heads: vec![2, 2],
        groups: 4,
        context_width: 6,
        ..UnetConfig::stable_diffusion_1()
    };
    let context = tensor("unet/context3").narrow(2, 0, 6).unwrap();
    let latents = tensor("unet/latents");
    let run = |seed| {
        let unet = Unet::random(&config, seed, DType::F32, &Device::Cpu).unwrap();
        let conditioning = unet.condition(&context.narrow(0, 0, 1).unwrap()).unwrap();
        flat(&unet.forward(&latents, &[500.], &conditioning).unwrap())
    };
    let (first, other) = (run(1), run(2));
    assert_eq!(first, run(1));
    assert_ne!(first, other);
    let size = first.iter().map(|x| x * x).sum::<f32>() / first.len() as f32;
    assert!((0.05..20.).contains(&size), "{size}");
}
