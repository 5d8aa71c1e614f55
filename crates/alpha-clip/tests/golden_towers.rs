//! Towers equal to the reference's, for every file form of `tests/golden/alpha_clip` and for files
//! that transformers and open_clip wrote (`tests/fixtures`).

mod support;

use std::collections::HashMap;

use alpha_clip::{
    Activation, AlphaClip, AttentionTap, LoadOptions, Taps, TextPooling, VisionInput, VisionKind,
    VisionOptions, VisionOutput, VisionTower, normalise_rows,
};
use candle_core::{DType, Device, Tensor};
use checkpoint::{Checkpoint, Lora};
use support::{Golden, cosine, file, folder, largest_gap, opened, relative_error};

const GOLDEN: &str = "golden/alpha_clip";

fn named(name: &str) -> Checkpoint {
    file(&format!("{GOLDEN}/{name}"))
}

fn load(file: &Checkpoint) -> AlphaClip {
    AlphaClip::load(file, &LoadOptions::default()).unwrap()
}

fn with_alpha(alpha: Checkpoint) -> LoadOptions {
    LoadOptions {
        alpha_weights: Some(alpha),
        ..LoadOptions::default()
    }
}

/// The three golden pictures with one of the golden planes; `plain` is a plane of 0 (alpha 0.5),
/// which switches an alpha convolution off.
fn input(golden: &Golden, plane: Option<&str>) -> VisionInput {
    let shape = (1, 1, 64, 64);
    let alpha = plane.map(|name| match name {
        "plain" => Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap(),
        _ => golden
            .get(&format!("in/alpha_{name}"))
            .reshape(shape)
            .unwrap(),
    });
    VisionInput {
        pixels: golden.get("in/pixels"),
        alpha,
    }
}

fn everything() -> VisionOptions {
    let taps = Taps {
        attention: AttentionTap::All,
        hidden: true,
        tokens: true,
    };
    VisionOptions {
        taps,
        ..VisionOptions::default()
    }
}

/// Tensors of several blocks as one, for the first picture.
fn first(blocks: &[Tensor]) -> Tensor {
    Tensor::stack(
        &blocks
            .iter()
            .map(|b| b.narrow(0, 0, 1).unwrap())
            .collect::<Vec<_>>(),
        0,
    )
    .unwrap()
}

#[test]
fn features_of_masks_soft_planes_and_whole_pictures() {
    let golden = Golden::of(GOLDEN);
    let clip = load(&named("clip.safetensors"));
    assert_eq!(clip.dtype(), DType::F32, "whatever the file stores");
    for plane in ["mask", "soft", "whole", "zero"] {
        let input = input(&golden, Some(plane));
        let features = clip
            .encode_views(&input, &VisionOptions::default())
            .unwrap()
            .features;
        golden.same(&features, &format!("image_features/alpha_{plane}"));
        let unit = normalise_rows(&features).unwrap();
        golden.same(&unit, &format!("image_features/alpha_{plane}_unit"));
    }
    // No plane means the whole picture.
    let whole = clip.vision().encode(&input(&golden, None)).unwrap();
    golden.same(&whole, "image_features/alpha_whole");
    let plain = clip
        .vision()
        .encode(&input(&golden, Some("plain")))
        .unwrap();
    golden.same(&plain, "image_features/plain");
    golden.same(
        &normalise_rows(&plain).unwrap(),
        "image_features/plain_unit",
    );
}

#[test]
fn texts_logits_and_probabilities() {
    let golden = Golden::of(GOLDEN);
    let clip = load(&named("clip.safetensors"));
    let texts = clip.text().encode(&golden.ids("tokens")).unwrap();
    golden.same(&texts, "text_features");
    let texts = normalise_rows(&texts).unwrap();
    golden.same(&texts, "text_features_unit");
    let scale = Tensor::new(clip.logit_scale(), &Device::Cpu).unwrap();
    golden.same(&scale, "logit_scale_exp");

    let hidden = clip
        .text()
        .hidden_states(&golden.ids("tokens").narrow(0, 0, 1).unwrap())
        .unwrap();
    golden.same(&first(&hidden), "text0_hidden_blocks");

    for name in ["mask", "plain"] {
        let images = clip.vision().encode(&input(&golden, Some(name))).unwrap();
        let images = normalise_rows(&images).unwrap();
        let logits = images.matmul(&texts.t().unwrap()).unwrap();
        let logits = logits.broadcast_mul(&scale).unwrap();
        golden.same(&logits, &format!("logits/{name}"));
        let five = logits.narrow(1, 0, 5).unwrap();
        let probabilities = candle_nn::ops::softmax(&five, 1).unwrap();
        let gap = largest_gap(
            &probabilities,
            &golden.get(&format!("probabilities/{name}_first5")),
        );
        assert!(gap <= 1e-5, "{name}: {gap:e}");
    }
}

#[test]
fn texts_in_any_order_and_number_give_their_own_features() {
    let golden = Golden::of(GOLDEN);
    let clip = load(&named("clip.safetensors"));
    let five = [
        "a photo of a cat.",
        "a blue bowl",
        "a tall lamp on a table",
        "an aeroplane in the sky",
        "a depth map of a chair.",
    ];
    let expected = clip.text().encode(&golden.ids("extra_tokens")).unwrap();
    let made = clip.encode_texts(&five).unwrap();
    assert!(relative_error(&made, &expected) <= 1e-5);
    // More texts than go through the tower at once, long and short by turns.
    let many: Vec<&str> = (0..150).map(|i| five[(i * 7 + i / 3) % 5]).collect();
    let made = clip.encode_texts(&many).unwrap();
    assert_eq!(made.dims(), [150, 64]);
    for (i, _) in many.iter().enumerate() {
        let row = made.narrow(0, i, 1).unwrap();
        let own = expected.narrow(0, (i * 7 + i / 3) % 5, 1).unwrap();
        assert!(relative_error(&row, &own) <= 1e-5, "text {i}");
    }
    assert!(clip.encode_texts::<&str>(&[]).is_err());
}

#[test]
fn attention_hidden_states_and_patch_tokens() {
    let golden = Golden::of(GOLDEN);
    let clip = load(&named("clip.safetensors"));
    for (plane, name) in [("mask", "photo_mask"), ("plain", "photo_plain")] {
        let input = input(&golden, Some(plane));
        let output = clip.encode_views(&input, &everything()).unwrap();
        golden.same(&first(&output.attention), &format!("{name}/attention_all"));
        golden.same(&first(&output.hidden), &format!("{name}/hidden_blocks"));
        let tokens = output.tokens.unwrap();
        golden.same(
            &tokens.narrow(0, 0, 1).unwrap(),
            &format!("{name}/tokens_projected"),
        );
        let class = tokens.narrow(1, 0, 1).unwrap();
        assert!(relative_error(&class, &output.features) <= 1e-6);

        let taps = Taps {
            attention: AttentionTap::Last,
            ..Taps::default()
        };
        let last = VisionOptions {
            taps,
            ..VisionOptions::default()
        };
        let last = clip.encode_views(&input, &last).unwrap();
        assert!(last.attention.len() == 1 && last.hidden.is_empty() && last.tokens.is_none());
        let attention = last.attention[0].narrow(0, 0, 1).unwrap();
        golden.same(&attention, &format!("{name}/attention_last"));
        assert!(relative_error(&last.features, &output.features) <= 1e-6);
    }
}

#[test]
fn torch_files_and_folders_give_the_same_model() {
    let golden = Golden::of(GOLDEN);
    let files = [
        named("clip_state_dict.pt"),
        named("clip_torchscript.pt"),
        folder(&format!("{GOLDEN}/clip_hf"), "model.safetensors"),
    ];
    for file in files {
        let clip = load(&file);
        assert!(!clip.config().vision.alpha, "{}", file.name());
        // A tower without an alpha convolution does not look at the plane.
        let features = clip.vision().encode(&input(&golden, Some("mask"))).unwrap();
        golden.same(&features, "image_features/plain");
        golden.same(
            &clip.text().encode(&golden.ids("tokens")).unwrap(),
            "text_features",
        );
        let scale = Tensor::new(clip.logit_scale(), &Device::Cpu).unwrap();
        golden.same(&scale, "logit_scale_exp");
        assert_eq!(clip.text().config().pooling, pooling(&file));
    }
}

/// The configuration of the golden folder names the end token; bare files cannot.
fn pooling(file: &Checkpoint) -> TextPooling {
    match file
        .config("config.json")
        .and_then(|c| c.pointer("/text_config/eos_token_id")?.as_u64())
    {
        None | Some(2) => TextPooling::LargestId,
        Some(id) => TextPooling::FirstId(id as u32),
    }
}

#[test]
fn fine_tunes_are_laid_over_any_base() {
    let golden = Golden::of(GOLDEN);
    let full = named("alpha_visual_fulltune.pth");
    for base in [
        "clip.safetensors",
        "clip_state_dict.pt",
        "clip_torchscript.pt",
    ] {
        let clip = AlphaClip::load(&named(base), &with_alpha(full.clone())).unwrap();
        for plane in ["mask", "whole"] {
            let features = clip.vision().encode(&input(&golden, Some(plane))).unwrap();
            golden.same(&features, &format!("fulltune/image_features_{plane}"));
        }
        golden.same(
            &clip.text().encode(&golden.ids("tokens")).unwrap(),
            "text_features",
        );
    }
    let lora = named("alpha_visual_lora_r4.pth");
    let base = named("clip_state_dict.pt");
    let merged = AlphaClip::load(&base, &with_alpha(lora.clone())).unwrap();
    let features = merged
        .vision()
        .encode(&input(&golden, Some("mask")))
        .unwrap();
    golden.same(&features, "lora_r4/image_features_applied");
    let ignored = with_alpha(lora.clip(Lora::Ignore).unwrap());
    let ignored = AlphaClip::load(&base, &ignored).unwrap();
    let features = ignored
        .vision()
        .encode(&input(&golden, Some("mask")))
        .unwrap();
    golden.same(&features, "lora_r4/image_features_reference_load");
    assert_ne!(merged.fingerprint(), ignored.fingerprint());
}

#[test]
fn a_vision_tower_stands_alone() {
    let golden = Golden::of(GOLDEN);
    // The fine-tune by itself has its own projection.
    let full = named("alpha_visual_fulltune.pth");
    let tower = VisionTower::load(&full, &LoadOptions::default()).unwrap();
    let features = tower.encode(&input(&golden, Some("mask"))).unwrap();
    golden.same(&features, "fulltune/image_features_mask");

    // Over an image encoder the encoder's projection stays, as in the reference's variation.
    let encoder = image_encoder();
    let tower = VisionTower::load(&encoder, &with_alpha(full.clone())).unwrap();
    for plane in ["mask", "whole"] {
        let features = tower.encode(&input(&golden, Some(plane))).unwrap();
        golden.same(&features, &format!("fulltune_in_hf/image_embeds_{plane}"));
    }
    let own = LoadOptions {
        keep_projection: Some(false),
        ..with_alpha(full.clone())
    };
    let tower = VisionTower::load(&encoder, &own).unwrap();
    let features = tower.encode(&input(&golden, Some("mask"))).unwrap();
    golden.same(&features, "fulltune/image_features_mask");

    // A whole CLIP takes the fine-tune's, and may be asked not to.
    let base = folder(&format!("{GOLDEN}/clip_hf"), "model.safetensors");
    let kept = LoadOptions {
        keep_projection: Some(true),
        ..with_alpha(full)
    };
    let clip = AlphaClip::load(&base, &kept).unwrap();
    let features = clip.vision().encode(&input(&golden, Some("mask"))).unwrap();
    golden.same(&features, "fulltune_in_hf/image_embeds_mask");
}

/// The vision half of the base model, as a diffusers pipeline keeps it.
fn image_encoder() -> Checkpoint {
    let whole = folder(&format!("{GOLDEN}/clip_hf"), "model.safetensors");
    let tensor = |n: &str| whole.tensor(n, DType::F32, &Device::Cpu).unwrap();
    let names = whole.names().filter(|n| n.starts_with("vis"));
    let tensors: HashMap<_, _> = names.map(|n| (n.to_owned(), tensor(n))).collect();
    let place = tempfile::NamedTempFile::new().unwrap();
    candle_core::safetensors::save(&tensors, place.path()).unwrap();
    let data = std::fs::read(place.path()).unwrap();
    let config = whole.config("config.json").unwrap()["vision_config"].clone();
    Checkpoint::from_bytes(data, "image_encoder")
        .unwrap()
        .with_config("config.json", config)
}

#[test]
fn heads_and_activation_come_from_the_configuration() {
    let golden = Golden::of(GOLDEN);
    let name = format!("{GOLDEN}/hf_vision_projection");
    for encoder in [folder(&name, "model.safetensors"), opened(&name)] {
        let tower = VisionTower::load(&encoder, &LoadOptions::default()).unwrap();
        let VisionKind::Transformer { blocks, .. } = &tower.config().kind else {
            panic!()
        };
        assert_eq!((blocks.heads, blocks.activation), (4, Activation::Gelu));
        let input = VisionInput {
            pixels: golden.get("hf_vision_projection/pixels"),
            alpha: None,
        };
        let output = tower.forward(&input, &everything()).unwrap();
        golden.same(&output.features, "hf_vision_projection/image_embeds");
        golden.same(
            &output.attention[output.attention.len() - 1],
            "hf_vision_projection/attention_last",
        );
        let hidden = Tensor::stack(&output.hidden, 0).unwrap();
        golden.same(&hidden, "hf_vision_projection/hidden_states");
        golden.same(
            &output.hidden[output.hidden.len() - 1],
            "hf_vision_projection/last_hidden_state",
        );

        let quick = LoadOptions {
            activation: Some(Activation::QuickGelu),
            ..LoadOptions::default()
        };
        let tower = VisionTower::load(&encoder, &quick).unwrap();
        let features = tower.encode(&input).unwrap();
        golden.same(&features, "hf_vision_projection/image_embeds_if_quick_gelu");
    }
}

#[test]
fn open_clip_models() {
    let golden = Golden::of(GOLDEN);
    for (part, heads) in [("gelu", 2), ("quickgelu", 1)] {
        let clip = load(&folder(
            &format!("{GOLDEN}/open_clip_vit/{part}"),
            "open_clip_model.safetensors",
        ));
        let VisionKind::Transformer { blocks, .. } = &clip.config().vision.kind else {
            panic!()
        };
        assert_eq!((blocks.heads, clip.config().text.blocks.heads), (heads, 4));
        let pixels = golden.get(&format!("open_clip_{part}/pixels"));
        let images = clip
            .vision()
            .encode(&VisionInput {
                pixels,
                alpha: None,
            })
            .unwrap();
        golden.same(&images, &format!("open_clip_{part}/image_features"));
        let texts = clip.text().encode(&golden.ids("extra_tokens")).unwrap();
        golden.same(&texts, &format!("open_clip_{part}/text_features"));
        let unit = |rows: &Tensor| normalise_rows(rows).unwrap();
        let logits = unit(&images).matmul(&unit(&texts).t().unwrap()).unwrap();
        let logits = (logits * f64::from(clip.logit_scale())).unwrap();
        golden.same(&logits, &format!("open_clip_{part}/logits"));
    }
}

#[test]
fn a_resnet_and_its_alpha_stem() {
    let golden = Golden::of(GOLDEN);
    let clip = load(&named("rn/clip_rn.safetensors"));
    let kind = VisionKind::ResNet {
        width: 8,
        layers: [1, 2, 1, 1],
        heads: 4,
    };
    assert_eq!(
        (&clip.config().vision.kind, clip.config().vision.alpha),
        (&kind, true)
    );
    for plane in ["mask", "whole", "plain"] {
        let features = clip.vision().encode(&input(&golden, Some(plane))).unwrap();
        golden.same(&features, &format!("rn/image_features_{plane}"));
    }
    golden.same(
        &clip.text().encode(&golden.ids("extra_tokens")).unwrap(),
        "rn/text_features",
    );

    let output = clip
        .encode_views(&input(&golden, Some("plain")), &everything())
        .unwrap();
    golden.same(&output.hidden[0].narrow(0, 0, 1).unwrap(), "rn/stem_out");
    golden.same(&output.hidden[4].narrow(0, 0, 1).unwrap(), "rn/layer4_out");
    assert_eq!(output.attention.len(), 1);
    assert_eq!(output.attention[0].dims(), [3, 4, 1, 5]);
    let tokens = output.tokens.unwrap();
    assert_eq!(tokens.dims(), [3, 5, 32]);
    assert!(relative_error(&tokens.narrow(1, 0, 1).unwrap(), &output.features) <= 1e-6);
}

#[test]
fn long_clip_reads_248_positions() {
    let golden = Golden::of(GOLDEN);
    let clip = load(&named("long_clip/longclip.pt"));
    assert_eq!(clip.config().text.context, 248);
    assert_eq!(clip.tokenizer().context(), 248);
    let ids = golden.ids("long_clip/tokens");
    golden.same(
        &clip.text().encode(&ids).unwrap(),
        "long_clip/text_features",
    );
    let features = clip.vision().encode(&input(&golden, None)).unwrap();
    golden.same(&features, "long_clip/image_features");
}

#[test]
fn files_that_the_libraries_wrote() {
    let models = [
        ("open_clip_gelu", "."),
        ("open_clip_quickgelu", "."),
        ("open_clip_quickgelu", "epoch_1.pt"),
        ("transformers_clip", "."),
        ("transformers_clip_sharded", "."),
    ];
    for (folder, weights) in models {
        let golden = Golden::expected(&format!("fixtures/{folder}"));
        let file = opened(&format!("fixtures/{folder}/{weights}"));
        let clip = match file
            .config("open_clip_config.json")
            .or(file.config("config.json"))
        {
            Some(_) => load(&file),
            None => load(&with_heads_of(&file, folder)),
        };
        let input = VisionInput {
            pixels: golden.get("pixels"),
            alpha: None,
        };
        golden.same(&clip.vision().encode(&input).unwrap(), "image_features");
        golden.same(
            &clip.text().encode(&golden.ids("ids")).unwrap(),
            "text_features",
        );
    }
    let golden = Golden::expected("fixtures/transformers_vision");
    let encoder = opened("fixtures/transformers_vision");
    let tower = VisionTower::load(&encoder, &LoadOptions::default()).unwrap();
    let input = VisionInput {
        pixels: golden.get("pixels"),
        alpha: None,
    };
    golden.same(&tower.encode(&input).unwrap(), "image_features");
}

/// A training state has no configuration of its own; these tiny models need the heads from one.
fn with_heads_of(file: &Checkpoint, folder: &str) -> Checkpoint {
    let config = opened(&format!("fixtures/{folder}"));
    let config = config.config("open_clip_config.json").unwrap().clone();
    file.clone().with_config("open_clip_config.json", config)
}

#[test]
fn half_precision_stays_close() {
    let golden = Golden::of(GOLDEN);
    let base = named("clip.safetensors");
    for dtype in [DType::F16, DType::BF16] {
        let options = LoadOptions {
            dtype,
            ..LoadOptions::default()
        };
        let clip = AlphaClip::load(&base, &options).unwrap();
        assert_eq!(clip.dtype(), dtype);
        let VisionOutput { features, .. } = clip
            .encode_views(&input(&golden, Some("mask")), &VisionOptions::default())
            .unwrap();
        assert_eq!(features.dtype(), DType::F32);
        let near = cosine(&features, &golden.get("image_features/alpha_mask"));
        assert!(near >= 0.999, "{dtype:?} image: {near}");
        let texts = clip.text().encode(&golden.ids("tokens")).unwrap();
        let near = cosine(&texts, &golden.get("text_features"));
        assert!(near >= 0.999, "{dtype:?} text: {near}");

        let resnet = AlphaClip::load(&named("rn/clip_rn.safetensors"), &options).unwrap();
        let features = resnet
            .vision()
            .encode(&input(&golden, Some("mask")))
            .unwrap();
        let near = cosine(&features, &golden.get("rn/image_features_mask"));
        assert!(near >= 0.999, "{dtype:?} resnet: {near}");
    }
}

#[test]
fn another_image_size_interpolates_the_positions() {
    let clip = |file: &str, size| {
        let options = LoadOptions {
            image_size: Some(size),
            ..LoadOptions::default()
        };
        AlphaClip::load(&named(file), &options)
    };
    let golden = Golden::of(GOLDEN);
    for file in ["clip.safetensors", "rn/clip_rn.safetensors"] {
        let same = clip(file, 64).unwrap();
        let usual = load(&named(file));
        let mask = input(&golden, Some("mask"));
        let features = same.vision().encode(&mask).unwrap();
        let expected = usual.vision().encode(&mask).unwrap();
        assert_eq!(relative_error(&features, &expected), 0.);
        assert_eq!(same.fingerprint(), usual.fingerprint());

        let large = clip(file, 96).unwrap();
        assert_eq!(large.config().vision.image_size, 96);
        assert_eq!(large.preprocess().size, 96);
        assert_ne!(large.fingerprint(), usual.fingerprint());
        let pixels = golden.get("in/pixels").upsample_nearest2d(96, 96).unwrap();
        let features = large
            .vision()
            .encode(&VisionInput {
                pixels,
                alpha: None,
            })
            .unwrap();
        let expected = usual.vision().encode(&input(&golden, None)).unwrap();
        assert!(features.dims() == expected.dims() && cosine(&features, &expected) > 0.5);
    }
    let said = clip("clip.safetensors", 72).unwrap_err().to_string();
    assert!(
        said.contains("72 pixels; choose a multiple of 16"),
        "{said}"
    );
    assert!(clip("clip.safetensors", 0).is_err());
    assert!(clip("clip.safetensors", 16 * 1000).is_err());
}
