//! Foveal attention equal to FALIP's: the bias, and what it does to features and attention.

mod support;

use alpha_clip::{
    AlphaClip, AttentionBias, AttentionTap, FovealAttention, LoadOptions, Taps, VisionConfig,
    VisionInput, VisionKind, VisionOptions, VisionOutput, VisionTower, normalise_rows,
};
use candle_core::{D, Device, Tensor};
use serde_json::Value;
use support::{Golden, bytes, file, largest_gap};

const GOLDEN: &str = "golden/falip";

/// Name and [left, top, right, bottom].
type Named = (String, [f64; 4]);

/// The twelve boxes, and the size of the picture that they are in.
fn boxes() -> (Vec<Named>, (usize, usize)) {
    let all: Value = serde_json::from_slice(&bytes(&format!("{GOLDEN}/boxes.json"))).unwrap();
    let size = |key: &str| all[key].as_u64().unwrap() as usize;
    let of = |entry: &Value| {
        let [x, y, w, h]: [f64; 4] = serde_json::from_value(entry["xywh"].clone()).unwrap();
        (
            entry["name"].as_str().unwrap().to_owned(),
            [x, y, x + w, y + h],
        )
    };
    (
        all["boxes"].as_array().unwrap().iter().map(of).collect(),
        (size("width"), size("height")),
    )
}

fn named(name: &str) -> [f64; 4] {
    boxes()
        .0
        .into_iter()
        .find(|(other, _)| other == name)
        .unwrap()
        .1
}

/// The golden tower of ten blocks.
fn tower() -> VisionTower {
    let weights = file(&format!("{GOLDEN}/visual_b16_10blocks.safetensors"));
    VisionTower::load(&weights, &LoadOptions::default()).unwrap()
}

/// The published code's first block.
fn published() -> FovealAttention {
    FovealAttention::new().with_first_block(8)
}

fn run(tower: &VisionTower, pixels: Tensor, bias: Option<AttentionBias>) -> VisionOutput {
    let taps = Taps {
        attention: AttentionTap::All,
        hidden: true,
        tokens: false,
    };
    tower
        .forward(
            &VisionInput {
                pixels,
                alpha: None,
            },
            &VisionOptions { bias, taps },
        )
        .unwrap()
}

/// A grey picture as an alpha plane [1, 1, H, W].
fn plane(name: &str) -> Tensor {
    let picture = image::load_from_memory(&bytes(name)).unwrap().to_luma8();
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let values: Vec<f32> = picture.iter().map(|v| f32::from(*v) / 255.).collect();
    Tensor::from_vec(values, (1, 1, height, width), &Device::Cpu).unwrap()
}

/// The golden tower's shape with another picture and patch.
fn like(config: &VisionConfig, image_size: usize, side: usize) -> VisionConfig {
    let VisionKind::Transformer { blocks, .. } = config.kind.clone() else {
        panic!()
    };
    let kind = VisionKind::Transformer {
        patch: side,
        blocks,
    };
    VisionConfig {
        image_size,
        kind,
        ..config.clone()
    }
}

#[test]
fn rows_of_boxes() {
    let golden = Golden::of(GOLDEN);
    let config = tower().config().clone();
    let (boxes, size) = boxes();
    let towers = [
        ("base16_224", 224, 16),
        ("large14_224", 224, 14),
        ("tiny16_64", 64, 16),
    ];
    for (name, image_size, patch) in towers {
        let config = like(&config, image_size, patch);
        let exact = golden.get_f64(&format!("bias_rows_f64/{name}"));
        let published = golden.get_f64(&format!("bias_rows/{name}"));
        assert_eq!(exact.dim(0).unwrap(), boxes.len());
        for (i, (title, edges)) in boxes.iter().enumerate() {
            let made = FovealAttention::new()
                .row_of_box(*edges, size, &config)
                .unwrap();
            let made = Tensor::new(made, &Device::Cpu).unwrap();
            let gap = largest_gap(&made, &exact.get(i).unwrap());
            assert!(gap <= 1e-9, "{name} {title}: {gap:e} from the formula");
            let gap = largest_gap(&made, &published.get(i).unwrap());
            assert!(
                gap <= 5e-5,
                "{name} {title}: {gap:e} from the published code"
            );
        }
    }
}

#[test]
fn rows_of_free_regions() {
    let golden = Golden::of(GOLDEN);
    let config = tower().config().clone();
    for name in ["photo_mask", "photo_soft"] {
        let alpha = plane(&format!("golden/alpha_clip/images/{name}.png"));
        let width = alpha.dim(3).unwrap();
        let values = alpha.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let made = published().row_of_plane(&values, width, &config).unwrap();
        let made = Tensor::new(made, &Device::Cpu).unwrap();
        let gap = largest_gap(&made, &golden.get_f64(&format!("free/bias_row_{name}")));
        assert!(gap <= 1e-8, "{name}: {gap:e}");
    }
}

#[test]
fn the_foreground_of_a_depth_map() {
    let golden = Golden::of(GOLDEN);
    let tower = tower();
    let [left, top, width, height] = [65., 54., 94., 128.];
    let boxed = [[left, top, left + width, top + height]];
    let made = published()
        .row_of_box(boxed[0], (224, 224), tower.config())
        .unwrap();
    let made = Tensor::new(made, &Device::Cpu).unwrap();
    assert!(largest_gap(&made, &golden.get_f64("depth/bias_row")) <= 1e-8);
    let pixels = golden.get("depth/pixels");
    let bias = published()
        .bias_of_boxes(&boxed, (224, 224), tower.config(), &Device::Cpu)
        .unwrap();
    golden.same(
        &run(&tower, pixels.clone(), Some(bias)).features,
        "depth/features",
    );
    golden.same(
        &run(&tower, pixels, None).features,
        "depth/features_no_bias",
    );
}

#[test]
fn features_attention_and_hidden_states() {
    let golden = Golden::of(GOLDEN);
    let tower = tower();
    let boxed = |name: &str, foveal: FovealAttention| {
        let size = boxes().1;
        foveal
            .bias_of_boxes(&[named(name)], size, tower.config(), &Device::Cpu)
            .unwrap()
    };
    let free = |name: &str| {
        let alpha = plane(&format!("golden/alpha_clip/images/{name}.png"));
        published().bias(&alpha, tower.config()).unwrap()
    };
    let cases = [
        ("none", None),
        ("box_a", Some(boxed("box_a", published()))),
        ("box_b", Some(boxed("box_b", published()))),
        ("free_photo_mask", Some(free("photo_mask"))),
        ("free_photo_soft", Some(free("photo_soft"))),
    ];
    for (name, bias) in cases {
        let output = run(&tower, golden.get("pixels"), bias);
        golden.same(&output.features, &format!("{name}/features"));
        let blocks: Vec<_> = output
            .attention
            .iter()
            .map(|a| a.mean(1).unwrap())
            .collect();
        let class: Vec<_> = blocks.iter().map(|a| a.narrow(1, 0, 1).unwrap()).collect();
        let class = Tensor::cat(&class, 1).unwrap();
        golden.same(&class, &format!("{name}/attention_cls_all_blocks"));
        let heads = output.attention[9].narrow(2, 0, 1).unwrap();
        golden.same(&heads, &format!("{name}/attention_last_cls_per_head"));
        let hidden: Vec<_> = output.hidden[1..]
            .iter()
            .map(|h| h.narrow(1, 0, 1).unwrap())
            .collect();
        golden.same(
            &Tensor::cat(&hidden, 1).unwrap(),
            &format!("{name}/hidden_cls"),
        );
        if name == "box_a" {
            golden.same(&blocks[9], "box_a/attention_last");
        }
    }
    for (strength, name) in [(1., "box_a_strength_1"), (3., "box_a_strength_3")] {
        let bias = boxed("box_a", published().with_strength(strength));
        let output = run(&tower, golden.get("pixels"), Some(bias));
        golden.same(&output.features, &format!("{name}/features"));
    }
}

#[test]
fn every_first_block_of_a_small_tower() {
    let golden = Golden::of(GOLDEN);
    let base = file("golden/alpha_clip/clip_state_dict.pt");
    let tower = VisionTower::load(&base, &LoadOptions::default()).unwrap();
    let pixels = golden.get("tiny/pixels");
    golden.same(
        &run(&tower, pixels.clone(), None).features,
        "tiny/none/features",
    );
    for first in 0..3 {
        for name in ["box_a", "box_b"] {
            for (strength, written) in [(0.2, "0.2"), (2., "2")] {
                let foveal = FovealAttention::new()
                    .with_first_block(first)
                    .with_strength(strength);
                let size = boxes().1;
                let bias = foveal
                    .bias_of_boxes(&[named(name)], size, tower.config(), &Device::Cpu)
                    .unwrap();
                let output = run(&tower, pixels.clone(), Some(bias));
                let name = format!("tiny/first{first}_{name}_strength{written}");
                golden.same(&output.features, &format!("{name}/features"));
                let attention = Tensor::cat(&output.attention, 0).unwrap();
                golden.same(&attention, &format!("{name}/attention_all"));
            }
        }
    }
}

#[test]
fn boxes_are_scored_against_captions() {
    let golden = Golden::of(GOLDEN);
    let clip = AlphaClip::load(
        &file("golden/alpha_clip/clip.safetensors"),
        &LoadOptions::default(),
    )
    .unwrap();
    let texts = clip.text().encode(&golden.ids("rec/text_tokens")).unwrap();
    let texts = normalise_rows(&texts).unwrap();
    golden.same(&texts, "rec/text_features_unit");
    // One batch: the same picture for both boxes, each with its own bias.
    let tower = tower();
    let two = [named("box_a"), named("box_b")];
    let bias = published()
        .bias_of_boxes(&two, boxes().1, tower.config(), &Device::Cpu)
        .unwrap();
    let pixels = golden.get("pixels").broadcast_as((2, 3, 224, 224)).unwrap();
    let features = normalise_rows(&run(&tower, pixels, Some(bias)).features).unwrap();
    let logits = features.matmul(&texts.t().unwrap()).unwrap();
    let logits = (logits * f64::from(clip.logit_scale())).unwrap();
    golden.same(&logits, "rec/logits");
    let shares = candle_nn::ops::softmax(&logits.t().unwrap(), D::Minus1).unwrap();
    assert!(largest_gap(&shares, &golden.get("rec/probabilities")) <= 1e-5);
}
