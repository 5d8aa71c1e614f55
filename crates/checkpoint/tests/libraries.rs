//! Files that transformers and open_clip wrote (tests/fixtures/make.py) are understood as what
//! they are. What a model computes from them is tested where the towers are.

use std::path::{Path, PathBuf};

use candle_core::{DType, Device};
use checkpoint::{Checkpoint, Form, Layout, Lora, Towers};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures")
        .join(name)
}

fn open(name: &str) -> Checkpoint {
    Checkpoint::open(fixture(name)).unwrap()
}

/// Names and shapes of a ViT CLIP of two blocks a tower, as the fixtures are.
fn needed(vision: bool, text: bool, mlp: [usize; 2]) -> Vec<(String, Vec<usize>)> {
    let mut out: Vec<(String, Vec<usize>)> = Vec::new();
    let mut put = |name: String, shape: &[usize]| out.push((name, shape.to_vec()));
    for (there, tower, mlp) in [(vision, "visual.", mlp[0]), (text, "", mlp[1])] {
        if !there {
            continue;
        }
        for n in 0..2 {
            let block = format!("{tower}transformer.resblocks.{n}.");
            put(format!("{block}attn.in_proj_weight"), &[96, 32]);
            put(format!("{block}attn.in_proj_bias"), &[96]);
            put(format!("{block}attn.out_proj.weight"), &[32, 32]);
            put(format!("{block}attn.out_proj.bias"), &[32]);
            put(format!("{block}mlp.c_fc.weight"), &[mlp, 32]);
            put(format!("{block}mlp.c_fc.bias"), &[mlp]);
            put(format!("{block}mlp.c_proj.weight"), &[32, mlp]);
            put(format!("{block}mlp.c_proj.bias"), &[32]);
            for norm in ["ln_1", "ln_2"] {
                put(format!("{block}{norm}.weight"), &[32]);
                put(format!("{block}{norm}.bias"), &[32]);
            }
        }
    }
    if vision {
        put("visual.class_embedding".into(), &[32]);
        put("visual.positional_embedding".into(), &[17, 32]);
        put("visual.conv1.weight".into(), &[32, 3, 8, 8]);
        put("visual.proj".into(), &[32, 24]);
        for norm in ["ln_pre", "ln_post"] {
            put(format!("visual.{norm}.weight"), &[32]);
            put(format!("visual.{norm}.bias"), &[32]);
        }
    }
    if text {
        put("token_embedding.weight".into(), &[64, 32]);
        put("positional_embedding".into(), &[16, 32]);
        put("text_projection".into(), &[32, 24]);
        put("logit_scale".into(), &[]);
        put("ln_final.weight".into(), &[32]);
        put("ln_final.bias".into(), &[32]);
    }
    out
}

#[test]
fn every_library_file_has_exactly_the_tensors_of_a_clip() {
    for (name, layout, form, text, mlp) in [
        (
            "transformers_clip",
            Layout::HuggingFace,
            Form::Safetensors,
            true,
            [64, 128],
        ),
        (
            "transformers_clip_sharded",
            Layout::HuggingFace,
            Form::Sharded,
            true,
            [64, 128],
        ),
        (
            "transformers_vision",
            Layout::HuggingFace,
            Form::Safetensors,
            false,
            [64, 128],
        ),
        (
            "open_clip_gelu",
            Layout::OpenClip,
            Form::Safetensors,
            true,
            [128, 128],
        ),
        (
            "open_clip_quickgelu/epoch_1.pt",
            Layout::OpenAi,
            Form::TorchZip,
            true,
            [128, 128],
        ),
    ] {
        let file = open(name);
        assert_eq!((file.layout(), file.form()), (Some(layout), form), "{name}");
        let clip = file.clip(Lora::Merge).unwrap();
        assert_eq!(
            clip.towers(),
            Some(Towers {
                vision: true,
                text,
                alpha: false
            }),
            "{name}"
        );
        let report = clip.check(needed(true, text, mlp)).into_result().unwrap();
        assert_eq!(report.unexpected, [""; 0], "{name}");
        assert_eq!(report.used.len(), clip.names().len());
        assert!(report.to_string().contains("tensors used"), "{report}");
    }
}

#[test]
fn a_training_checkpoint_holds_what_was_published() {
    let published = open("open_clip_quickgelu").clip(Lora::Merge).unwrap();
    let training = open("open_clip_quickgelu/epoch_1.pt")
        .clip(Lora::Merge)
        .unwrap();
    for name in published.names() {
        let read = |c: &Checkpoint| {
            let tensor = c.tensor(name, DType::F32, &Device::Cpu).unwrap();
            tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap()
        };
        assert_eq!(read(&published), read(&training), "{name}");
        assert_eq!(training.origin(name), [format!("module.{name}")]);
    }
}

#[test]
fn a_report_tells_the_cause_and_the_remedy() {
    let whole = open("transformers_clip").clip(Lora::Merge).unwrap();
    let said = |clip: &Checkpoint, needed: Vec<(String, Vec<usize>)>| {
        let report = clip.check(needed);
        let lines = report.to_string();
        let error = report.into_result().unwrap_err().to_string();
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(lines.lines().count() > 1, "{lines}");
        error
    };
    let mut alpha = needed(true, true, [64, 128]);
    alpha.push(("visual.conv1_alpha.weight".into(), vec![32, 1, 8, 8]));
    let error = said(&whole, alpha);
    assert!(error.contains("without an alpha channel") && error.contains("--alpha-weights"));

    let larger = said(&whole, needed(true, true, [128, 128]));
    assert!(
        larger.contains("shape [64, 32] instead of [128, 32]") && larger.contains("another size")
    );

    let mut deeper = needed(true, true, [64, 128]);
    deeper.push((
        "visual.transformer.resblocks.2.ln_1.weight".into(),
        vec![32],
    ));
    assert!(said(&whole, deeper).contains("not complete or of another architecture"));

    let half = open("transformers_vision").clip(Lora::Merge).unwrap();
    assert!(said(&half, needed(true, true, [64, 128])).contains("only the vision tower"));
}

#[test]
fn a_cache_folder_of_the_hub_opens_like_its_snapshot() {
    let cache = tempfile::tempdir().unwrap();
    let snapshot = cache.path().join("snapshots/abc");
    std::fs::create_dir_all(&snapshot).unwrap();
    std::fs::create_dir_all(cache.path().join("refs")).unwrap();
    std::fs::write(cache.path().join("refs/main"), "abc").unwrap();
    for name in ["config.json", "model.safetensors"] {
        std::fs::copy(
            fixture("transformers_vision").join(name),
            snapshot.join(name),
        )
        .unwrap();
    }
    let file = Checkpoint::open(cache.path()).unwrap();
    assert_eq!(file.layout(), Some(Layout::HuggingFace));
    assert!(file.config("config.json").is_some());
}

#[test]
fn threads_can_share_a_checkpoint() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&open("transformers_vision"));
}
