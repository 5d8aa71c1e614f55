//! Features that the program makes with every form of checkpoint, against the reference.
//!
//! The golden pictures are also written at the size that the tower takes, and the golden alpha
//! planes as masks of that size: then no step of preparation can differ from the reference's, and
//! its mask, which is made binary only after it was resized, reaches the tower as it was.

mod support;

use candle_core::{DType, Device, Tensor};
use gen3d::checkpoint::Checkpoint;
use image::{GrayImage, RgbImage};
use serde_json::Value;
use support::{Place, Ran, golden, golden_bytes};

/// CLIP's statistics of the pixels, and Alpha-CLIP's of the plane.
const MEAN: [f32; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
const STD: [f32; 3] = [0.268_629_54, 0.261_302_6, 0.275_777_1];
const ALPHA: (f32, f32) = (0.5, 0.26);

/// The order of the golden features.
const PICTURES: [&str; 3] = ["photo", "rgba", "grey"];
const PLANES: [&str; 3] = ["mask", "soft", "whole"];

/// The golden folder with the small pictures and masks in it, and the expected tensors.
struct Bench {
    place: Place,
    golden: Checkpoint,
}

impl Bench {
    fn new() -> Self {
        let (place, golden) = golden();
        let bench = Self { place, golden };
        bench.write_pictures();
        for name in PLANES {
            let values = bench.tensor(&format!("in/alpha_{name}"));
            let values: Vec<f32> = values.flatten_all().unwrap().to_vec1().unwrap();
            let bytes = values.iter().map(|v| eight_bits(*v, ALPHA.0, ALPHA.1));
            let mask = GrayImage::from_raw(64, 64, bytes.collect()).expect("64 x 64");
            let path = bench.place.path(&format!("{name}64.png"));
            mask.save(path).expect("a mask");
        }
        bench
    }

    /// Writes the golden pictures at the size of the tower.
    fn write_pictures(&self) {
        let pixels = self.tensor("in/pixels");
        for (i, name) in PICTURES.iter().enumerate() {
            let values = pixels.get(i).unwrap().permute((1, 2, 0)).unwrap();
            let values: Vec<f32> = values.flatten_all().unwrap().to_vec1().unwrap();
            let channel = |(i, v): (usize, &f32)| eight_bits(*v, MEAN[i % 3], STD[i % 3]);
            let bytes = values.iter().enumerate().map(channel).collect();
            let picture = RgbImage::from_raw(64, 64, bytes).expect("64 x 64");
            let path = self.place.path(&format!("{name}64.png"));
            picture.save(path).expect("a picture");
        }
    }

    fn tensor(&self, name: &str) -> Tensor {
        let tensor = self.golden.tensor(name, DType::F32, &Device::Cpu);
        tensor.unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// Puts golden files into the folder.
    fn with(self, files: &[&str]) -> Self {
        for name in files {
            self.place.file(name, golden_bytes(name));
        }
        self
    }

    /// `gen3d embed image … --raw` of the small pictures, or with a plane of the pictures as they
    /// are, gives the rows of this golden tensor.
    #[track_caller]
    fn assert_images(&self, model: &str, region: Option<&str>, expected: &str) {
        let (side, region) = match region {
            None => ("", String::new()),
            Some(plane) => ("64", format!("--mask {plane}64.png")),
        };
        let pictures = PICTURES.map(|name| format!("{name}{side}.png")).join(" ");
        let command = format!("embed image {pictures} --model {model} {region} --dtype f32 --raw");
        let ran = self.place.run(&command);
        self.assert_rows(&ran, &command, expected);
    }

    #[track_caller]
    fn assert_texts(&self, model: &str, texts: &[&str], expected: &str) {
        let given = "embed text - --raw --truncate --dtype f32 --model".split(' ');
        let arguments: Vec<&str> = given.chain(model.split(' ')).collect();
        let ran = self.place.run_with(&arguments, texts.join("\n"));
        self.assert_rows(&ran, &arguments.join(" "), expected);
    }

    #[track_caller]
    fn assert_rows(&self, ran: &Ran, command: &str, expected: &str) {
        let wanted: Vec<Vec<f32>> = self.tensor(expected).to_vec2().unwrap();
        let found = features(ran);
        assert_eq!(found.len(), wanted.len(), "{command}");
        for (found, wanted) in found.iter().zip(&wanted) {
            let off = relative_error(found, wanted);
            assert!(off <= 1e-5, "{command}: {off:e} off {expected}");
        }
    }
}

/// The byte that was normalised to this value, which it must be exactly.
fn eight_bits(value: f32, mean: f32, std: f32) -> u8 {
    let byte = (value * std + mean) * 255.;
    assert!((byte - byte.round()).abs() < 1e-3, "{byte} is no byte");
    byte.round() as u8
}

#[track_caller]
fn features(ran: &Ran) -> Vec<Vec<f32>> {
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let feature = |object: &Value| -> Vec<f32> {
        let values = object["feature"].as_array().expect("a feature").iter();
        let value = |v: &Value| v.as_f64().expect("a number") as f32;
        values.map(value).collect()
    };
    ran.objects().iter().map(feature).collect()
}

fn relative_error(found: &[f32], wanted: &[f32]) -> f32 {
    assert_eq!(found.len(), wanted.len());
    let norm = |values: &mut dyn Iterator<Item = f32>| values.map(|v| v * v).sum::<f32>().sqrt();
    let off = norm(&mut found.iter().zip(wanted).map(|(a, b)| a - b));
    off / norm(&mut wanted.iter().copied())
}

/// The texts of `extra_tokens`.
const TEXTS: [&str; 5] = [
    "a photo of a cat.",
    "a blue bowl",
    "a tall lamp on a table",
    "an aeroplane in the sky",
    "a depth map of a chair.",
];

#[test]
fn a_whole_alpha_clip_with_every_plane() {
    let bench = Bench::new();
    let model = "clip.safetensors";
    for plane in PLANES {
        let expected = format!("image_features/alpha_{plane}");
        bench.assert_images(model, Some(plane), &expected);
    }
    bench.assert_images(model, None, "image_features/alpha_whole");
}

#[test]
fn torch_files_and_a_hugging_face_folder() {
    let bench = Bench::new().with(&[
        "clip_state_dict.pt",
        "clip_torchscript.pt",
        "clip_hf/config.json",
        "clip_hf/preprocessor_config.json",
        "clip_hf/model.safetensors",
    ]);
    let hub = bench.place.path("clip_hf/model.safetensors");
    let hub = hub.to_str().expect("UTF-8");
    for model in ["clip_state_dict.pt", "clip_torchscript.pt", "clip_hf", hub] {
        bench.assert_images(model, None, "image_features/plain");
    }
}

#[test]
fn fine_tunes_over_every_base() {
    let bench = Bench::new().with(&[
        "alpha_visual_fulltune.pth",
        "alpha_visual_lora_r4.pth",
        "clip_state_dict.pt",
        "clip_torchscript.pt",
        "clip_hf/config.json",
        "clip_hf/preprocessor_config.json",
        "clip_hf/model.safetensors",
    ]);
    for base in [
        "clip.safetensors",
        "clip_state_dict.pt",
        "clip_torchscript.pt",
        "clip_hf",
    ] {
        let full = format!("{base} --alpha-weights alpha_visual_fulltune.pth");
        bench.assert_images(&full, Some("mask"), "fulltune/image_features_mask");
        bench.assert_images(&full, None, "fulltune/image_features_whole");
        let lora = format!("{base} --alpha-weights alpha_visual_lora_r4.pth");
        bench.assert_images(&lora, Some("mask"), "lora_r4/image_features_applied");
    }
    // The tower by itself has its own projection.
    let alone = "alpha_visual_fulltune.pth";
    bench.assert_images(alone, Some("mask"), "fulltune/image_features_mask");
    let ran = bench.place.run(&format!("embed text cat --model {alone}"));
    assert_eq!(ran.code, Some(3));
    assert!(
        ran.stderr.contains("only the vision tower"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("--alpha-weights"), "{}", ran.stderr);
}

#[test]
fn open_clip_folders() {
    for part in ["gelu", "quickgelu"] {
        let folder = format!("open_clip_vit/{part}");
        let weights = format!("{folder}/open_clip_model.safetensors");
        let config = format!("{folder}/open_clip_config.json");
        let bench = Bench::new().with(&[&weights, &config]);
        let expected = format!("open_clip_{part}/image_features");
        // The same weights under a name that no folder of open_clip has, as from a training run.
        let renamed = golden_bytes(&weights);
        bench.place.file("epoch_9.safetensors", renamed);
        let described = format!("epoch_9.safetensors --model-config {config}");
        for model in [&folder, &described] {
            let command = format!("embed image photo.png --model {model} --dtype f32 --raw");
            let ran = bench.place.run(&command);
            bench.assert_rows(&ran, &command, &expected);
            bench.assert_texts(model, &TEXTS, &format!("open_clip_{part}/text_features"));
        }
    }
}

#[test]
fn a_resnet() {
    let bench = Bench::new().with(&["rn/clip_rn.safetensors"]);
    let model = "rn/clip_rn.safetensors";
    bench.assert_images(model, Some("mask"), "rn/image_features_mask");
    bench.assert_images(model, None, "rn/image_features_whole");
    bench.assert_texts(model, &TEXTS, "rn/text_features");
}

#[test]
fn long_clip() {
    let bench = Bench::new().with(&["long_clip/longclip.pt"]);
    let model = "long_clip/longclip.pt";
    bench.assert_images(model, None, "long_clip/image_features");
    let entries: Vec<Value> =
        serde_json::from_slice(&golden_bytes("long_clip/texts.json")).expect("a list");
    let texts = entries.iter().map(|e| e["text"].as_str().expect("a text"));
    let texts: Vec<&str> = texts.collect();
    bench.assert_texts(model, &texts, "long_clip/text_features");
}
