//! Files that are no model, or not the one that was asked for: one clear line each.

mod support;

use std::collections::HashMap;

use alpha_clip::{AlphaClip, LoadOptions, VisionTower};
use candle_core::{DType, Device, Tensor};
use checkpoint::Checkpoint;
use support::{file, folder};

fn golden(name: &str) -> Checkpoint {
    file(&format!("golden/alpha_clip/{name}"))
}

/// A safetensors file of these tensors.
fn written(name: &str, tensors: HashMap<String, Tensor>) -> Checkpoint {
    let place = tempfile::NamedTempFile::new().unwrap();
    candle_core::safetensors::save(&tensors, place.path()).unwrap();
    Checkpoint::from_bytes(std::fs::read(place.path()).unwrap(), name).unwrap()
}

/// The tensors of `file` that `keep` wants.
fn part(file: &Checkpoint, keep: impl Fn(&str) -> bool) -> HashMap<String, Tensor> {
    let read = |name: &str| file.tensor(name, DType::F16, &Device::Cpu).unwrap();
    file.names()
        .filter(|n| keep(n))
        .map(|n| (n.to_owned(), read(n)))
        .collect()
}

fn zeros(tensors: &[(&str, &[usize])]) -> Checkpoint {
    let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F16, &Device::Cpu).unwrap();
    let all = tensors
        .iter()
        .map(|(name, shape)| ((*name).to_owned(), zeros(shape)));
    written("model.safetensors", all.collect())
}

/// What is said when the file is loaded as a whole model.
fn said(file: &Checkpoint) -> String {
    let said = AlphaClip::load(file, &LoadOptions::default())
        .unwrap_err()
        .to_string();
    one_line(file, said)
}

fn said_of_tower(file: &Checkpoint) -> String {
    let said = VisionTower::load(file, &LoadOptions::default())
        .unwrap_err()
        .to_string();
    one_line(file, said)
}

fn said_of_alpha(base: &Checkpoint, alpha: Checkpoint) -> String {
    let options = LoadOptions {
        alpha_weights: Some(alpha),
        ..LoadOptions::default()
    };
    AlphaClip::load(base, &options).unwrap_err().to_string()
}

fn one_line(file: &Checkpoint, said: String) -> String {
    assert!(!said.contains('\n') && said.contains("; "), "{said}");
    assert!(said.starts_with(file.name()), "{said}");
    said
}

#[track_caller]
fn says(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
}

#[test]
fn a_vision_tower_alone_is_no_clip() {
    let remedy = "give the base CLIP with --model and this one with --alpha-weights";
    let full = golden("alpha_visual_fulltune.pth");
    says(
        &said(&full),
        &["this file holds only the vision tower; ", remedy],
    );
    let encoder = folder(
        "golden/alpha_clip/hf_vision_projection",
        "model.safetensors",
    );
    says(&said(&encoder), &["only the vision tower", remedy]);
}

#[test]
fn a_text_tower_alone_is_no_clip() {
    let clip = golden("clip.safetensors");
    let text = written(
        "text.safetensors",
        part(&clip, |n| !n.starts_with("visual.")),
    );
    says(&said(&text), &["only a text tower; give the whole CLIP"]);
    says(&said_of_tower(&text), &["only a text tower"]);
}

#[test]
fn models_of_other_kinds_are_named() {
    let unet = zeros(&[("down_blocks.0.attentions.0.proj_in.weight", &[4, 4])]);
    says(&said(&unet), &["a diffusion UNet; give a CLIP model"]);
    let whole = zeros(&[("model.diffusion_model.input_blocks.0.0.weight", &[4, 4])]);
    says(&said_of_tower(&whole), &["Stable Diffusion checkpoint"]);
    let other = zeros(&[("fc.weight", &[4, 4])]);
    says(
        &said(&other),
        &["not named like a CLIP model's (first: `fc.weight`)"],
    );
}

#[test]
fn what_is_missing_or_of_another_shape_is_counted() {
    let clip = golden("clip.safetensors");
    let hole = |name: &str| name.contains("resblocks.1.mlp") && !name.starts_with("visual.");
    let holed = written("holed.safetensors", part(&clip, |n| !hole(n)));
    let first = "first: `transformer.resblocks.1.mlp.c_fc.bias`";
    says(&said(&holed), &["4 tensors are missing", first]);

    let mut bent = part(&clip, |_| true);
    let short = Tensor::zeros(7, DType::F16, &Device::Cpu).unwrap();
    bent.insert("visual.ln_post.bias".into(), short);
    let bent = written("bent.safetensors", bent);
    says(
        &said(&bent),
        &["`visual.ln_post.bias` has shape [7] instead of [128]"],
    );

    let mut wide = part(&clip, |_| true);
    let table = Tensor::zeros((19, 128), DType::F16, &Device::Cpu).unwrap();
    wide.insert("visual.positional_embedding".into(), table);
    let wide = written("wide.safetensors", wide);
    says(&said(&wide), &["19 rows, not one more than a square"]);

    let mut bent = part(&clip, |_| true);
    let infinite = Tensor::full(f32::INFINITY, (), &Device::Cpu).unwrap();
    bent.insert("logit_scale".into(), infinite);
    says(
        &said(&written("scale.safetensors", bent)),
        &["the logit scale is inf"],
    );
}

#[test]
fn alpha_weights_must_have_alpha_and_the_size_of_the_base() {
    let base = golden("clip.safetensors");
    let plain = golden("clip_state_dict.pt");
    says(
        &said_of_alpha(&base, plain),
        &["no alpha channel", "give an Alpha-CLIP fine-tune"],
    );
    let resnet = golden("rn/clip_rn.safetensors");
    let other = said_of_alpha(&base, resnet);
    says(
        &other,
        &[
            "clip_rn",
            "lack visual.class_embedding",
            "of the same architecture",
        ],
    );
    let fewer = part(&golden("clip.safetensors"), |n| !n.contains("resblocks.2."));
    let fewer = said_of_alpha(&base, written("fewer.safetensors", fewer));
    says(
        &fewer,
        &["fewer.safetensors: ", "lack visual.transformer.resblocks.2"],
    );
    let small = folder(
        "golden/alpha_clip/open_clip_vit/gelu",
        "open_clip_model.safetensors",
    );
    let full = golden("alpha_visual_fulltune.pth");
    says(
        &said_of_alpha(&small, full),
        &["the vision tower's features have 64 values"],
    );
}

#[test]
fn shapes_are_believed_only_as_far_as_the_file_goes() {
    // 2 MB that ask for convolutions of terabytes.
    let width = 32_768;
    let resnet = zeros(&[
        ("visual.layer1.0.conv1.weight", &[width, 1, 1, 1]),
        ("visual.layer2.0.conv1.weight", &[1, 1, 1, 1]),
        ("visual.layer3.0.conv1.weight", &[1, 1, 1, 1]),
        ("visual.layer4.0.conv1.weight", &[1, 1, 1, 1]),
        ("visual.conv1.weight", &[1, 1, 1, 1]),
        ("visual.attnpool.positional_embedding", &[2, 32 * width]),
        ("visual.attnpool.c_proj.weight", &[1, 1]),
    ]);
    says(&said_of_tower(&resnet), &["tensors are missing"]);
    let transformer = zeros(&[
        ("visual.conv1.weight", &[65_536, 3, 1, 1]),
        ("visual.class_embedding", &[65_536]),
        ("visual.positional_embedding", &[65_537, 1]),
        ("visual.proj", &[1, 1]),
        (
            "visual.transformer.resblocks.0.mlp.c_fc.weight",
            &[65_536, 1],
        ),
        ("visual.transformer.resblocks.0.ln_1.weight", &[1]),
    ]);
    says(
        &said_of_tower(&transformer),
        &["tensors are missing", "has shape [65537, 1]"],
    );
}
