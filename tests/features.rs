//! Features and names of texts, pictures, regions and clouds, against the golden outputs.

mod support;

use gen3d::checkpoint::Checkpoint;
use insta::assert_snapshot;
use serde_json::Value;
use support::{Place, Ran, clouds, golden, inputs, settings};

fn rows(file: &Checkpoint, name: &str) -> Vec<Vec<f32>> {
    use candle_core::{DType, Device};
    let tensor = file.tensor(name, DType::F32, &Device::Cpu);
    tensor
        .unwrap_or_else(|e| panic!("{name}: {e}"))
        .to_vec2()
        .expect("rows")
}

fn assert_close(found: &[f32], expected: &[f32]) {
    let norm = |values: &mut dyn Iterator<Item = f32>| values.map(|v| v * v).sum::<f32>().sqrt();
    assert_eq!(found.len(), expected.len());
    let off = norm(&mut found.iter().zip(expected).map(|(a, b)| a - b));
    let relative = off / norm(&mut expected.iter().copied());
    assert!(relative <= 1e-5, "relative error {relative}");
}

/// The features of a jsonl run.
fn features(ran: &Ran) -> Vec<Vec<f32>> {
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let feature = |object: &Value| -> Vec<f32> {
        let values = object["feature"].as_array().expect("a feature").iter();
        values
            .map(|v| v.as_f64().expect("a number") as f32)
            .collect()
    };
    ran.objects().iter().map(feature).collect()
}

#[test]
fn features_of_pictures_equal_the_reference() {
    let (place, golden) = golden();
    let model = "--model clip.safetensors --dtype f32";
    for (region, name) in [("", "whole"), ("--mask photo_soft.png", "soft")] {
        let ran = place.run(&format!("embed image photo.png {region} {model} --raw"));
        let expected = &rows(&golden, &format!("image_features/alpha_{name}"))[0];
        assert_close(&features(&ran)[0], expected);
        let ran = place.run(&format!("embed image photo.png {region} {model}"));
        let expected = &rows(&golden, &format!("image_features/alpha_{name}_unit"))[0];
        assert_close(&features(&ran)[0], expected);
    }
    // Whole pictures in the order that they were given.
    let ran = place.run(&format!(
        "embed image grey.png photo.png rgba.png {model} --raw"
    ));
    let expected = rows(&golden, "image_features/alpha_whole");
    for (found, row) in features(&ran).iter().zip([2, 0, 1]) {
        assert_close(found, &expected[row]);
    }
    assert_eq!(inputs(&ran), ["grey.png", "photo.png", "rgba.png"]);
}

/// Some of the golden texts, and their rows.
const TEXTS: [(&str, usize); 5] = [
    ("a photo of a chair.", 0),
    ("a depth map of an airplane.", 1),
    ("a photo of a dog", 2),
    ("a", 11),
    ("the ﬁrst ﬂower in the oﬃce", 31),
];

#[test]
fn features_of_texts_equal_the_reference_in_every_form() {
    let (place, golden) = golden();
    let all = rows(&golden, "text_features");
    let expected = TEXTS.map(|(_, row)| all[row].clone());
    let texts = TEXTS.map(|(text, _)| text);
    let model = "clip.safetensors";
    let given = [
        "embed", "text", texts[0], "-", texts[4], "--model", model, "--dtype", "f32", "--raw",
    ];
    let stdin = texts[1..4].join("\n");
    let ran = place.run_with(&given, stdin.as_str());
    for (found, expected) in features(&ran).iter().zip(&expected) {
        assert_close(found, expected);
    }
    assert_eq!(inputs(&ran), texts);

    let to = |file| [given.as_slice(), &["-o", file]].concat();
    assert_eq!(
        place.run_with(&to("f.safetensors"), stdin.as_str()).code,
        Some(0)
    );
    let file = Checkpoint::open(place.path("f.safetensors")).expect("it is sound");
    for (found, expected) in rows(&file, "features").iter().zip(&expected) {
        assert_close(found, expected);
    }
    let names: Vec<String> = serde_json::from_str(&file.metadata()["inputs"]).expect("a list");
    assert_eq!(names, texts);
    assert_eq!(file.metadata()["normalised"], "false");

    assert_eq!(place.run_with(&to("f.npy"), stdin.as_str()).code, Some(0));
    let npy = std::fs::read(place.path("f.npy")).expect("it was written");
    let (head, values) = npy.split_at(npy.len() - 5 * 64 * 4);
    assert!(head.starts_with(b"\x93NUMPY\x01\x00") && head.len() % 64 == 0);
    assert!(String::from_utf8_lossy(head).contains("(5, 64)"));
    let value = |b: &[u8]| f32::from_le_bytes(b.try_into().expect("four bytes"));
    let values: Vec<f32> = values.chunks(4).map(value).collect();
    assert_close(&values, &expected.concat());

    let piped = [given.as_slice(), &["--format", "npy"]].concat();
    assert_eq!(place.run_with(&piped, stdin.as_str()).stdout, npy);
}

#[test]
fn a_text_that_is_too_long_keeps_no_other_from_its_feature() {
    let place = Place::new();
    let long = "a very long text ".repeat(40);
    let ran = place.run_with(&["embed", "text", "short", &long, "also short"], "");
    assert_eq!(ran.code, Some(1));
    settings().bind(|| assert_snapshot!(ran.stderr));
    let objects = ran.objects();
    assert!(objects[0].get("feature").is_some() && objects[2].get("feature").is_some());
    assert!(objects[1].get("error").is_some());
}

#[test]
fn features_of_clouds_are_unit_vectors() {
    let place = clouds();
    let length = |v: &[f32]| v.iter().map(|v| v * v).sum::<f32>().sqrt();
    let ran = place.run("embed cloud b.xyz more");
    let unit = features(&ran);
    assert_eq!(inputs(&ran), ["b.xyz", "more/c.csv"]);
    assert!(unit.iter().all(|v| (length(v) - 1.).abs() < 1e-5));
    // Views that differ have a mean that is shorter than each.
    let raw = features(&place.run("embed cloud b.xyz --raw"));
    let shorter = length(&raw[0]);
    assert!(shorter < 1.);
    assert_close(
        &raw[0].iter().map(|v| v / shorter).collect::<Vec<_>>(),
        &unit[0],
    );
}

#[test]
fn regions_of_pictures_are_classified_as_the_reference_does() {
    let (place, golden) = golden();
    let unit = rows(&golden, "text_features_unit");
    let image = &rows(&golden, "image_features/alpha_soft_unit")[0];
    let scale = 4.605_468_8_f32.exp();
    let cosine = |row: usize| unit[row].iter().zip(image).map(|(a, b)| a * b).sum::<f32>();
    let logits = TEXTS.map(|(_, row)| scale * cosine(row));
    let sum: f32 = logits.iter().map(|l| l.exp()).sum();
    let labels = TEXTS.map(|(text, _)| text).join(",");
    let arguments = [
        "classify",
        "photo.png",
        "--mask",
        "photo_soft.png",
        "--dtype",
        "f32",
        "--model",
        "clip.safetensors",
        "--prompt",
        "{}",
        "--labels",
        &labels,
        "--format",
        "jsonl",
    ];
    let ran = place.run_with(&arguments, "");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let object = &ran.objects()[0];
    for ((text, _), logit) in TEXTS.iter().zip(logits) {
        let top = object["top"].as_array().expect("labels");
        let scored = top
            .iter()
            .find(|s| s["label"] == **text)
            .expect("all five are shown");
        let (found, expected) = (
            scored["score"].as_f64().unwrap(),
            f64::from(logit.exp() / sum),
        );
        assert!(
            (found - expected).abs() < 1e-3,
            "{text}: {found}, not {expected}"
        );
    }
}

#[test]
fn one_region_has_many_forms() {
    let (place, _) = golden();
    let embed = |region: &str| {
        let ran = place.run(&format!(
            "embed image photo.png --model clip.safetensors --dtype f32 {region}"
        ));
        features(&ran).remove(0)
    };
    let boxed = embed("--box 40,20,60,50");
    assert_close(&embed("--polygon 40,20,100,20,100,70,40,70"), &boxed);
    // Column by column: 40 columns and 20 rows outside, 50 rows inside, 87 outside, …
    let runs: Vec<String> = (0..60)
        .flat_map(|i| [if i == 0 { 40 * 137 + 20 } else { 87 }, 50])
        .chain([67 + 101 * 137])
        .map(|n: u32| n.to_string())
        .collect();
    place.file(
        "box.json",
        format!("{{\"size\": [137, 201], \"counts\": [{}]}}", runs.join(",")),
    );
    assert_close(&embed("--rle box.json"), &boxed);
    let pointed = embed("--point 70,45 --point 60,40");
    assert!(
        pointed
            .iter()
            .zip(&boxed)
            .any(|(a, b)| (a - b).abs() > 1e-4)
    );
    let foveal = embed("--box 40,20,60,50 --focus foveal");
    let plain = embed("--box 40,20,60,50 --focus none");
    assert!(foveal.iter().zip(&plain).any(|(a, b)| (a - b).abs() > 1e-5));
    assert_close(&plain, &embed("--focus none"));
}

#[test]
fn a_photograph_for_the_embedded_model_is_warned_about_once() {
    let (place, _) = golden();
    let ran = place.run("classify photo.png rgba.png --labels a,b");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.starts_with("warning: ") && ran.stderr.contains("--model"));
    let ran = place.run("classify photo.png --labels a,b --quiet");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
}
