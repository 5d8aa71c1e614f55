//! Converting to safetensors keeps the weights, tells where they came from, and is safe to stop.

mod common;

use candle_core::DType;
use checkpoint::{
    Checkpoint, ConvertOptions, Error, Form, Layout, Lora, StoredType, convert, sha256_file,
};
use common::{assert_within, open, unpacked};

#[test]
fn a_hugging_face_folder_becomes_one_file_with_its_history() {
    let (keep, source) = unpacked("clip_hf");
    let target = keep.path().join("clip.safetensors");
    let options = ConvertOptions {
        dtype: Some(DType::F16),
        ..Default::default()
    };
    let mut steps = Vec::new();
    let done = convert(&source, &target, &options, &mut |n, of| steps.push((n, of))).unwrap();
    assert_eq!(done.bytes, std::fs::metadata(&target).unwrap().len());
    assert!(steps.windows(2).all(|w| w[0].0 < w[1].0) && steps.last().is_some_and(|s| s.0 == s.1));

    let file = Checkpoint::open(&target).unwrap();
    assert_eq!(
        (file.form(), file.layout()),
        (Form::Safetensors, Some(Layout::OpenAi))
    );
    assert!(
        file.names()
            .all(|n| file.info(n).unwrap().stored == StoredType::F16)
    );
    assert_eq!(file.names().len(), done.tensors);
    let (_keep, original) = open("clip.safetensors");
    assert_within(&file, &original);

    let told = file.metadata();
    assert_eq!(told["source"], "clip_hf");
    let weights = source.join("model.safetensors");
    assert_eq!(
        told["source_sha256"],
        sha256_file(&weights, &mut |_| ()).unwrap()
    );
    let map: serde_json::Value = serde_json::from_str(&told["key_map"]).unwrap();
    assert_eq!(
        map["visual.proj"],
        serde_json::json!(["visual_projection.weight"])
    );
    // The activation is still known, though no config.json is beside the file.
    let act = file
        .config("config.json")
        .unwrap()
        .pointer("/text_config/hidden_act")
        .unwrap();
    assert_eq!(act, "quick_gelu");
}

#[test]
fn types_and_names_can_be_kept() {
    let (keep, source) = unpacked("alpha_visual_lora_r4.pth");
    let target = keep.path().join("raw.safetensors");
    let raw = ConvertOptions {
        keep_names: true,
        licence: Some("research only".into()),
        ..Default::default()
    };
    convert(&source, &target, &raw, &mut |_, _| ()).unwrap();
    let (before, after) = (
        Checkpoint::open(&source).unwrap(),
        Checkpoint::open(&target).unwrap(),
    );
    assert_eq!(
        before.names().collect::<Vec<_>>(),
        after.names().collect::<Vec<_>>()
    );
    assert_within(&before, &after);
    assert_eq!(after.metadata()["licence"], "research only");
    assert!(!after.metadata().contains_key("key_map"));

    // Translated names with the LoRA merged: what the model computes with.
    let target = keep.path().join("merged.safetensors");
    convert(&source, &target, &ConvertOptions::default(), &mut |_, _| ()).unwrap();
    let merged = Checkpoint::open(&target).unwrap();
    assert_within(&merged, &before.clip(Lora::Merge).unwrap());
    assert!(
        merged
            .names()
            .all(|n| n.starts_with("visual.") && !n.contains("lora"))
    );
    let map: serde_json::Value = serde_json::from_str(&merged.metadata()["key_map"]).unwrap();
    assert_eq!(
        map["visual.transformer.resblocks.0.mlp.c_fc.weight"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
}

#[test]
fn integers_and_scalars_survive() {
    let (keep, source) = unpacked("clip_torchscript.pt");
    let target = keep.path().join("script.safetensors");
    let raw = ConvertOptions {
        keep_names: true,
        dtype: Some(DType::BF16),
        ..Default::default()
    };
    convert(&source, &target, &raw, &mut |_, _| ()).unwrap();
    let file = Checkpoint::open(&target).unwrap();
    assert_eq!(file.info("context_length").unwrap().stored, StoredType::I64);
    assert_eq!(file.info("context_length").unwrap().shape, [0_usize; 0]);
    assert_eq!(file.info("visual.proj").unwrap().stored, StoredType::BF16);
    let length = file
        .tensor("context_length", DType::I64, &candle_core::Device::Cpu)
        .unwrap();
    assert_eq!(length.to_scalar::<i64>().unwrap(), 77);
}

#[test]
fn what_exists_or_cannot_be_written_is_left_alone() {
    let (keep, source) = unpacked("hf_vision_projection");
    let target = keep.path().join("out.safetensors");
    std::fs::write(&target, "mine").unwrap();
    let options = ConvertOptions::default();
    let error = convert(&source, &target, &options, &mut |_, _| ()).unwrap_err();
    assert!(
        matches!(&error, Error::Io { .. }) && error.to_string().contains("exists"),
        "{error}"
    );
    assert_eq!(std::fs::read(&target).unwrap(), b"mine");
    let overwrite = ConvertOptions {
        overwrite: true,
        ..Default::default()
    };
    convert(&source, &target, &overwrite, &mut |_, _| ()).unwrap();
    assert!(Checkpoint::open(&target).unwrap().contains("visual.proj"));
    let nowhere = keep.path().join("no/such/folder.safetensors");
    assert!(convert(&source, &nowhere, &options, &mut |_, _| ()).is_err());
    let integers = ConvertOptions {
        dtype: Some(DType::U8),
        ..Default::default()
    };
    let error = convert(&source, &nowhere, &integers, &mut |_, _| ()).unwrap_err();
    assert!(
        error.to_string().contains("use f32, f16 or bf16"),
        "{error}"
    );
    assert_eq!(
        std::fs::read_dir(keep.path()).unwrap().count(),
        2,
        "no leftovers"
    );
}
