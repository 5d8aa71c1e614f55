//! bf16 and int8 against f32 on towers of true size with random weights.

#![allow(clippy::print_stdout)] // the cosines, for `--nocapture`

use alpha_clip::{
    Activation, LoadOptions, TextConfig, TextPooling, TextTower, TransformerConfig, VisionConfig,
    VisionInput, VisionKind, VisionTower, fastest_dtype,
};
use candle_core::{DType, Device, Tensor};

mod support;
use support::cosine;

fn blocks(width: usize) -> TransformerConfig {
    TransformerConfig {
        width,
        layers: 12,
        heads: width / 64,
        mlp_width: 4 * width,
        activation: Activation::QuickGelu,
        layer_norm_eps: 1e-5,
    }
}

fn vision(kind: VisionKind) -> VisionConfig {
    VisionConfig {
        image_size: 224,
        embed_dim: 512,
        alpha: true,
        kind,
    }
}

/// f32, bf16, and int8 beside f32.
fn arithmetics() -> [LoadOptions; 3] {
    let plain = LoadOptions::default;
    [
        plain(),
        LoadOptions {
            dtype: DType::BF16,
            ..plain()
        },
        LoadOptions {
            int8: true,
            ..plain()
        },
    ]
}

/// The cosines of a tower's features in bf16 and in int8 with those in f32.
fn nearness(config: &VisionConfig) -> [f64; 2] {
    let side = config.image_size;
    let wave = |channels: usize| {
        let value = |i: usize| ((i % 977) as f32 * 0.37).sin() * 1.5;
        let values: Vec<f32> = (0..channels * side * side).map(value).collect();
        Tensor::from_vec(values, (1, channels, side, side), &Device::Cpu).unwrap()
    };
    let input = VisionInput {
        pixels: wave(3),
        alpha: Some(wave(1)),
    };
    let [exact, rounded @ ..] = arithmetics().map(|options| {
        let tower = VisionTower::random(config, &options).unwrap();
        let features = tower.encode(&input).unwrap();
        assert_eq!(features.dtype(), options.dtype);
        features.to_dtype(DType::F32).unwrap()
    });
    rounded.map(|features| cosine(&features, &exact))
}

#[test]
fn rounding_keeps_the_direction_of_true_size_features() {
    let transformer = vision(VisionKind::Transformer {
        patch: 16,
        blocks: blocks(768),
    });
    let resnet = vision(VisionKind::ResNet {
        width: 64,
        layers: [3, 4, 6, 3],
        heads: 32,
    });
    for (name, config) in [("ViT-B/16", transformer), ("RN50", resnet)] {
        let near = nearness(&config);
        println!(
            "{name}: cosine with f32 of bf16 {:.6}, of int8 {:.6}",
            near[0], near[1]
        );
        assert!(near.iter().all(|near| *near >= 0.999), "{name}: {near:?}");
    }
}

#[test]
fn rounding_keeps_the_direction_of_true_size_text_features() {
    let config = TextConfig {
        vocabulary: 49_408,
        context: 77,
        embed_dim: 512,
        pooling: TextPooling::LargestId,
        blocks: blocks(512),
    };
    let rows = [
        [49_406u32, 320, 1_125, 539, 320, 2_368, 49_407, 0],
        [49_406, 1_000, 49_407, 0, 0, 0, 0, 0],
    ];
    let ids = Tensor::new(&rows, &Device::Cpu).unwrap();
    let [exact, rounded @ ..] = arithmetics().map(|options| {
        let tower = TextTower::random(&config, &options).unwrap();
        let features = tower.encode(&ids).unwrap();
        features.to_dtype(DType::F32).unwrap()
    });
    let row = |features: &Tensor, i| features.narrow(0, i, 1).unwrap();
    let near = rounded.map(|features| {
        let near = [0, 1].map(|i| cosine(&row(&features, i), &row(&exact, i)));
        near[0].min(near[1])
    });
    let [bf16, int8] = near;
    println!("text tower of ViT-B/16: cosine with f32 of bf16 {bf16:.6}, of int8 {int8:.6}");
    assert!(near.iter().all(|near| *near >= 0.999), "{near:?}");
}

#[test]
fn the_fastest_type_is_one_that_the_cpu_multiplies() {
    let expected = if kernels::Instructions::best().have_bf16() {
        DType::BF16
    } else {
        DType::F32
    };
    assert_eq!(fastest_dtype(&Device::Cpu), expected);
    let fastest = LoadOptions::fastest(Device::Cpu);
    assert_eq!(fastest.dtype, expected);
    assert_eq!(fastest.int8, kernels::Instructions::best().have_int8());
}
