//! `gen3d vary` from end to end, with the small pipeline of `golden/image_variation`.

mod support;

#[path = "../crates/image-variation/src/testing/fixture.rs"]
#[allow(dead_code, reason = "shared with the tests of image-variation")]
mod fixture;
#[path = "../crates/image-variation/src/testing/golden.rs"]
#[allow(dead_code, reason = "shared with the tests of image-variation")]
mod golden;

use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use candle_core::{DType, Device, Tensor};
use fixture::Fixture;
use gen3d::checkpoint::Checkpoint;
use image::RgbImage;
use serde_json::Value;
use support::{CLOUD, Place, Ran};

/// A folder with the picture, its mask, the alpha weights and the pipeline.
struct Studio {
    place: Place,
    pipeline: Fixture,
}

impl Studio {
    fn new() -> Self {
        let place = Place::new();
        for name in ["input.png", "mask.png"] {
            place.copy(&format!("tests/golden/image_variation/{name}"), name);
        }
        place.file(
            "alpha.safetensors",
            golden::weights("alpha/visual_alpha.safetensors"),
        );
        Self {
            place,
            pipeline: Fixture::folder(),
        }
    }

    /// Runs `gen3d vary` with the pipeline, in f32 as the reference.
    fn vary(&self, arguments: &str) -> Ran {
        let pipeline = self.pipeline.path().display();
        self.place.run(&format!(
            "vary {arguments} --pipeline {pipeline} --dtype f32"
        ))
    }

    /// The same, and it goes well.
    #[track_caller]
    fn made(&self, arguments: &str) -> Ran {
        let ran = self.vary(arguments);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        ran
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.place.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    fn picture(&self, name: &str) -> RgbImage {
        let decoded = image::load_from_memory(&self.bytes(name));
        decoded
            .unwrap_or_else(|e| panic!("{name}: {e}"))
            .into_rgb8()
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&self.bytes(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    fn tensor(&self, file: &str, name: &str) -> Tensor {
        let file = Checkpoint::open(self.place.path(file)).unwrap();
        file.tensor(name, DType::F32, &Device::Cpu).unwrap()
    }

    /// Writes tensors of the reference as the latents to begin with.
    fn latents(&self, name: &str) {
        let tensor = golden::tensor(name);
        tensor.write_npy(self.place.path("latents.npy")).unwrap();
    }

    /// The names in a folder of results.
    fn results(&self, folder: &str) -> Vec<String> {
        let names = self.place.names();
        let below = names
            .iter()
            .filter_map(|name| name.strip_prefix(folder)?.strip_prefix('/'));
        below.map(str::to_owned).collect()
    }

    #[track_caller]
    fn assert_run(&self, out: &str, name: &str) {
        let raw = format!("{out}.safetensors");
        golden::assert_relative(
            &self.tensor(&raw, "latents"),
            &format!("{name}/latents"),
            1e-3,
        );
        let wanted = format!("{name}/image_u8");
        if !golden::has(&wanted) {
            return;
        }
        let wanted = golden::values(&wanted);
        let picture = self.picture(&format!("{out}/000.png")).into_raw();
        assert_eq!(picture.len(), wanted.len());
        let gaps = picture
            .iter()
            .zip(&wanted)
            .map(|(&got, want)| (f32::from(got) - want).abs());
        assert!(gaps.sum::<f32>() / wanted.len() as f32 <= 1., "{name}");
    }
}

/// The numbers of a tensor.
fn flat(tensor: &Tensor) -> Vec<f32> {
    golden::flat(tensor)
}

#[test]
fn whole_runs_equal_the_reference_from_every_form_of_storage() {
    let studio = Studio::new();
    studio.latents("pipe/init_latents");
    let folder = studio.pipeline.path().display().to_string();
    let (old, single) = (Fixture::old_folder(), Fixture::single_file());
    let forms = [
        ("folder", format!("--pipeline {folder}")),
        (
            "old",
            format!(
                "--pipeline {} --image-encoder {folder}/image_encoder",
                old.path().display()
            ),
        ),
        (
            "single",
            format!(
                "--pipeline {} --configs {}",
                single.path().display(),
                single.configs().display()
            ),
        ),
    ];
    for (steps, guidance) in [(10, 3), (25, 1)] {
        for (form, pipeline) in &forms {
            let out = format!("{form}-{steps}");
            let ran = studio.place.run(&format!(
                "vary input.png -o {out} {pipeline} --steps {steps} --guidance {guidance} \
                 --count 1 --latents latents.npy --raw {out}.safetensors --dtype f32"
            ));
            assert_eq!(ran.code, Some(0), "{form}: {}", ran.stderr);
            studio.assert_run(&out, &format!("pipe/pndm_s{steps}_g{guidance}"));
        }
    }
}

#[test]
fn a_region_conditions_as_the_reference() {
    let studio = Studio::new();
    studio.latents("pipe/init_latents");
    let run = "input.png --scheduler ddim --steps 5 --count 1 --latents latents.npy \
               --alpha-weights alpha.safetensors";
    studio.made(&format!(
        "{run} -o region --mask mask.png --raw region.safetensors"
    ));
    studio.assert_run("region", "alpha/ddim_s5_g3_region");
    // The weight of the only region has no effect, nor has one of weight 0.
    for (out, regions) in [
        ("heavy", "--mask mask.png:7"),
        ("mixed", "--mask mask.png:0.5 --box 0,0,10,10:0"),
    ] {
        studio.made(&format!("{run} -o {out} {regions} --raw {out}.safetensors"));
        studio.assert_run(out, "alpha/ddim_s5_g3_region");
    }
    // Elsewhere, everywhere, by words of numbers: each moves the condition.
    let wanted = golden::values("alpha/ddim_s5_g3_region/latents");
    for (out, regions) in [
        ("whole", ""),
        ("box", "--box 0,0,30,30"),
        ("point", "--point 20,20 --point 70,40"),
        ("polygon", "--polygon 0,0,50,0,0,50"),
        ("two", "--mask mask.png:0.6 --box 0,0,30,30:0.4"),
        ("clip", "--mask mask.png --original-clip"),
    ] {
        studio.made(&format!("{run} -o {out} {regions} --raw {out}.safetensors"));
        let latents = flat(&studio.tensor(&format!("{out}.safetensors"), "latents"));
        let moved = golden::relative(&latents, &wanted);
        assert!(moved > 1e-3, "{out}: {moved}");
    }
    let regions = &studio.json("two/run.json")["regions"];
    assert_eq!(regions[0]["kind"], "mask");
    assert_eq!(regions[0]["weight"], 0.6);
    assert_eq!(regions[1]["given"], "0,0,30,30");
}

#[test]
fn pytorch_seeds_draw_as_pytorch() {
    let studio = Studio::new();
    studio.made(
        "input.png -o torch --scheduler ddim --steps 5 --count 1 --torch-seed 1234 \
         --raw torch.safetensors",
    );
    studio.assert_run("torch", "pipe/ddim_s5_g3_seed1234");
    assert_eq!(studio.json("torch/run.json")["seed"]["generator"], "torch");
}

#[test]
fn the_same_seed_gives_the_same_files_in_any_batch() {
    let studio = Studio::new();
    let run = "input.png --steps 3 --seed 7 --count 4";
    studio.made(&format!("{run} -o a --raw a.safetensors"));
    let names = studio.results("a");
    let expected = [
        "000.png",
        "001.png",
        "002.png",
        "003.png",
        "contact-sheet.png",
        "run.json",
    ];
    assert_eq!(names, expected);
    for (out, more) in [
        ("again", ""),
        ("one-by-one", "--batch 1"),
        ("four", "--batch 4"),
        ("little", "--low-memory"),
        ("watched", "--preview 2 --format jsonl"),
    ] {
        studio.made(&format!("{run} -o {out} {more}"));
        assert_eq!(studio.results(out), names, "{out}");
        for name in &names {
            let same = studio.bytes(&format!("a/{name}")) == studio.bytes(&format!("{out}/{name}"));
            assert!(same, "{out}/{name}");
        }
    }
    // A picture does not depend on how many are made; another seed gives others.
    studio.made("input.png --steps 3 --seed 7 --count 1 -o single --raw single.safetensors");
    let first = |file| flat(&studio.tensor(file, "latents").narrow(0, 0, 1).unwrap());
    assert_eq!(first("a.safetensors"), first("single.safetensors"));
    assert_eq!(
        studio.picture("a/000.png"),
        studio.picture("single/000.png")
    );
    studio.made("input.png --steps 3 --seed 8 --count 1 -o other");
    assert_ne!(studio.picture("a/000.png"), studio.picture("other/000.png"));
    assert_ne!(studio.picture("a/000.png"), studio.picture("a/001.png"));
}

/// The `tEXt` chunk of a PNG file under a keyword.
fn text_chunk(file: &[u8], keyword: &str) -> String {
    let mut rest = &file[8..];
    loop {
        let length = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
        let (kind, body) = (&rest[4..8], &rest[8..8 + length]);
        let start = [keyword.as_bytes(), b"\0"].concat();
        if kind == b"tEXt" && body.starts_with(&start) {
            return String::from_utf8(body[start.len()..].to_vec()).unwrap();
        }
        assert_ne!(kind, b"IEND", "no chunk {keyword}");
        rest = &rest[12 + length..];
    }
}

#[test]
fn a_run_can_be_made_again_from_what_it_notes() {
    let studio = Studio::new();
    studio.place.copy(
        "tests/golden/image_variation/input.png",
        "Hündin am See.png",
    );
    let pipeline = studio.pipeline.path().display().to_string();
    let arguments = [
        "vary",
        "Hündin am See.png",
        "-o",
        "first",
        "--pipeline",
        &pipeline,
        "--alpha-weights",
        "alpha.safetensors",
        "--mask",
        "mask.png:2",
        "--box",
        "1,2,30,40",
        "--steps",
        "2",
        "--guidance",
        "2.5",
        "--scheduler",
        "dpm++-karras",
        "--count",
        "2",
        "--seed",
        "9",
        "--size",
        "64x72",
        "--negative",
        "mask.png",
        "--strength",
        "0.9",
        "--keep-outside",
        "--feather",
        "3",
    ];
    let ran = studio.place.run_with(&arguments, "");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let run = studio.json("first/run.json");
    for (key, value) in [
        ("steps", Value::from(2)),
        ("guidance", 2.5.into()),
        ("count", 2.into()),
        ("width", 64.into()),
        ("height", 72.into()),
        ("device", "cpu".into()),
    ] {
        assert_eq!(run[key], value, "{key}");
    }
    assert_eq!(run["scheduler"]["kind"], "dpm++");
    assert_eq!(run["start"]["strength"], 0.9);
    assert_eq!(run["pictures"][1]["file"], "001.png");
    assert_eq!(run["input"]["sha256"].as_str().unwrap().len(), 64);
    let metadata = text_chunk(&studio.bytes("first/001.png"), "gen3d");
    assert!(metadata.is_ascii());
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    assert_eq!(metadata["index"], 1);
    for key in [
        "program",
        "command",
        "input",
        "regions",
        "pipeline",
        "seed",
        "scheduler",
    ] {
        assert_eq!(metadata[key], run[key], "{key}");
    }

    let command = run["command"].as_str().unwrap();
    assert!(command.contains("'Hündin am See.png'"), "{command}");
    let mut words: Vec<&str> = command.split_whitespace().skip(2).collect();
    assert_eq!(words[..3].join(" "), "'Hündin am See.png'");
    words.splice(..3, ["vary", "Hündin am See.png"]);
    words.extend(["-o", "second"]);
    let ran = studio.place.run_with(&words, "");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    for name in studio.results("first") {
        let same =
            studio.bytes(&format!("first/{name}")) == studio.bytes(&format!("second/{name}"));
        assert!(same, "{name}");
    }
}

#[test]
fn events_tell_what_happens() {
    let studio = Studio::new();
    let ran = studio.made("input.png -o out --steps 3 --count 2 --preview 2 --format jsonl");
    let events = ran.objects();
    let kinds: Vec<&str> = events
        .iter()
        .map(|e| e["event"].as_str().unwrap())
        .collect();
    // Three steps are four calls of PNDM.
    let picture = [
        "step", "step", "preview", "step", "step", "preview", "picture",
    ];
    assert_eq!(
        kinds,
        [&["start"], &picture[..], &picture[..], &["done"]].concat()
    );
    assert_eq!(events[0]["run"]["steps"], 3);
    assert_eq!(events[2]["steps"], 4);
    assert_eq!(events[3]["file"], "out/000-preview.png");
    assert_eq!(events[14]["file"], "out/001.png");
    assert_eq!(events[14]["flagged"], Value::Null);
    assert_eq!(events[15]["pictures"], 2);
    assert!(events.iter().all(|e| e["seconds"].as_f64().is_some()));
    let text = studio.made("input.png -o text --steps 1 --count 2");
    assert_eq!(text.text(), "text/000.png\ntext/001.png\n");
}

#[test]
fn what_lies_outside_is_kept() {
    let studio = Studio::new();
    studio
        .made("input.png -o out --steps 2 --count 1 --box 32,16,32,40 --keep-outside --size 96x80");
    // 100x80 in the shape of 96x80: the columns 2 to 97.
    let (input, output) = (studio.picture("input.png"), studio.picture("out/000.png"));
    let inside = |x: u32, y: u32| (30..62).contains(&x) && (16..56).contains(&y);
    let mut changed = 0;
    for (x, y, pixel) in output.enumerate_pixels() {
        let same = pixel == input.get_pixel(x + 2, y);
        assert!(same || inside(x, y), "{x},{y}");
        changed += u32::from(!same);
    }
    assert!(changed > 1000, "{changed}");
    studio.made("input.png -o little --steps 2 --count 1 --strength 0.5");
    assert_eq!(studio.picture("little/000.png").dimensions(), (72, 56));
}

#[test]
fn a_shape_is_seen_from_one_side_and_its_foreground_is_the_region() {
    let studio = Studio::new();
    studio.place.file("shape.xyz", CLOUD);
    studio.made("shape.xyz -o out --steps 1 --count 1 --alpha-weights alpha.safetensors --up +z");
    let run = studio.json("out/run.json");
    assert_eq!(run["regions"][0]["kind"], "foreground");
    assert_eq!(run["input"]["up"], "+z");
    assert_eq!(run["input"]["width"], 512);
    studio.made("shape.xyz -o plain --steps 1 --count 1");
    assert_ne!(
        studio.picture("out/000.png"),
        studio.picture("plain/000.png")
    );
}

#[test]
fn a_safety_checker_is_asked_unless_switched_off() {
    let mut studio = Studio::new();
    studio.pipeline = Fixture::folder().with_safety_checker();
    let run = "input.png --steps 1 --count 2";
    studio.made(&format!("{run} -o checked"));
    let run_json = studio.json("checked/run.json");
    assert_eq!(run_json["pipeline"]["safety_checker"], true);
    assert!(run_json["pictures"][0]["flagged"].is_boolean());
    studio.made(&format!("{run} -o unchecked --no-safety-check"));
    assert!(studio.json("unchecked/run.json")["pictures"][0]["flagged"].is_null());
}

#[test]
fn nothing_is_replaced_unasked() {
    let studio = Studio::new();
    let run = "input.png -o out --steps 1 --count 2 --raw raw.npy";
    studio.made(run);
    let before = studio.bytes("out/001.png");
    for name in ["out/001.png", "out/run.json", "raw.npy"] {
        let ran = studio.vary(&format!("{run} --seed 5"));
        assert_eq!(ran.code, Some(3));
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        assert!(ran.stderr.contains("already exists"), "{}", ran.stderr);
        assert_eq!(ran.text(), "");
        assert!(studio.place.path(name).exists());
    }
    assert_eq!(studio.bytes("out/001.png"), before);
    studio.made(&format!("{run} --seed 5 --force"));
    assert_ne!(studio.bytes("out/001.png"), before);
}

#[test]
fn bad_input_is_one_line_and_leaves_nothing() {
    let studio = Studio::new();
    let place = &studio.place;
    let tall = RgbImage::new(50, 90);
    tall.save(place.path("tall.png")).unwrap();
    let black = RgbImage::new(100, 80);
    black.save(place.path("black.png")).unwrap();
    place.file("text.png", "not a picture");
    place.file("empty.ply", "");
    place.file("latents.npy", "not an array");
    golden::tensor("pipe/init_latents4")
        .write_npy(place.path("four.npy"))
        .unwrap();
    let alpha = "--alpha-weights alpha.safetensors";
    let before = place.names();
    let cases = [
        (
            "input.png --size 500x512",
            2,
            "8 does not divide it; take 504x512",
        ),
        ("input.png --size 512", 2, "like 512x512"),
        ("input.png --steps 0", 2, "0 is not in 1..=1000"),
        ("input.png --guidance NaN", 2, "give a number from 0 on"),
        ("input.png --guidance -1", 2, "give a number from 0 on"),
        ("input.png --strength 1.5", 2, "from 0 to 1"),
        ("input.png --strength 0.01 --steps 2", 2, "none of 2 steps"),
        ("input.png --eta 2", 2, "from 0 to 1"),
        ("input.png --count 0", 2, "0 is not in 1.."),
        ("input.png --scheduler heun", 2, "unipc"),
        (
            "input.png --seed 1 --torch-seed 2",
            2,
            "cannot be used with",
        ),
        ("input.png --feather 3", 2, "--keep-outside"),
        ("input.png --keep-outside", 2, "needs a region"),
        (
            "input.png --mask mask.png",
            2,
            "give its weights with --alpha-weights",
        ),
        (
            &format!("input.png {alpha} --mask mask.png:nan"),
            2,
            "the weight NaN",
        ),
        (
            &format!("input.png {alpha} --mask mask.png:0"),
            2,
            "the weight 0",
        ),
        (
            &format!("input.png {alpha} --mask missing.png"),
            2,
            "--mask: missing.png",
        ),
        (
            &format!("input.png {alpha} --mask text.png"),
            2,
            "--mask: text.png",
        ),
        (&format!("input.png {alpha} --box 1,2,3"), 2, "--box"),
        (
            &format!("input.png {alpha} --mask tall.png"),
            1,
            "the mask is 50x90",
        ),
        (
            &format!("input.png {alpha} --mask black.png"),
            1,
            "covers nothing",
        ),
        (
            &format!("input.png {alpha} --box 500,500,9,9"),
            1,
            "covers nothing",
        ),
        ("input.png --latents latents.npy", 2, "no array of float32"),
        (
            "input.png --latents four.npy --count 2",
            2,
            "latents for 4 pictures",
        ),
        (
            "input.png --latents four.npy --count 4 --size 128x64",
            2,
            "64×64",
        ),
        ("input.png --latents missing.npy", 2, "missing.npy"),
        ("input.png --raw raw.bin", 2, ".safetensors or .npy"),
        (
            "input.png --negative missing.png",
            2,
            "--negative: missing.png",
        ),
        ("missing.png", 1, "missing.png"),
        ("text.png", 1, "text.png"),
        ("empty.ply", 1, "empty.ply"),
        ("input.png --alpha-weights missing.pth", 3, "missing.pth"),
        ("input.png --alpha-weights mask.png", 3, "mask.png"),
    ];
    for (arguments, code, words) in cases {
        let ran = studio.vary(&format!("{arguments} -o out --quiet"));
        assert_eq!(ran.code, Some(code), "{arguments}: {}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{arguments}: {}", ran.stderr);
        assert!(ran.stderr.contains(words), "{arguments}: {}", ran.stderr);
        assert_eq!(ran.text(), "", "{arguments}");
        let _ = fs::remove_dir(place.path("out"));
        assert_eq!(place.names(), before, "{arguments}");
    }
}

#[test]
fn pipelines_that_are_none_are_named() {
    let studio = Studio::new();
    let place = &studio.place;
    let said = |arguments: &str| {
        let ran = place.run(&format!("vary input.png -o out {arguments}"));
        assert_eq!(ran.code, Some(3), "{}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        ran.stderr
    };
    // Where nothing is given, it says what to get, how large it is, and its licence.
    let none = said("");
    for words in [
        "--pipeline",
        "lambdalabs/sd-image-variations-diffusers",
        "3.4 GB",
        "RAIL-M",
    ] {
        assert!(none.contains(words), "{none}");
    }
    let folder = studio.pipeline.path().display().to_string();
    assert!(said(&format!("--pipeline {folder}/unet")).contains("one part of a pipeline"));
    assert!(said("--pipeline alpha.safetensors").contains("; "));
    studio
        .pipeline
        .put("unet/config.json", br#"{"in_channels": 9}"#);
    assert!(said(&format!("--pipeline {folder}")).contains("inpainting"));
    studio.pipeline.put(
        "unet/config.json",
        br#"{"addition_embed_type": "text_time"}"#,
    );
    assert!(said(&format!("--pipeline {folder}")).contains("SDXL"));
    fs::remove_dir_all(studio.pipeline.path().join("vae")).unwrap();
    fs::remove_dir_all(studio.pipeline.path().join("unet")).unwrap();
    assert!(said(&format!("--pipeline {folder}")).contains("lacks unet, vae"));
}

/// A run that takes its time.
fn long_run(studio: &Studio) -> std::process::Child {
    Command::new(env!("CARGO_BIN_EXE_gen3d"))
        .args([
            "vary",
            "input.png",
            "-o",
            "out",
            "--count",
            "5000",
            "--steps",
            "2",
            "--pipeline",
        ])
        .arg(studio.pipeline.path())
        .current_dir(studio.place.path(""))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits until some pictures are there.
fn wait_for(studio: &Studio, name: &str) {
    let began = Instant::now();
    while !studio.place.path(name).exists() {
        assert!(
            began.elapsed() < Duration::from_secs(300),
            "{name} never came"
        );
        sleep(Duration::from_millis(5));
    }
}

/// All pictures that are there decode to the last pixel.
fn assert_whole(studio: &Studio) -> usize {
    let names = studio.results("out");
    let pictures = names
        .iter()
        .filter(|name| name.ends_with(".png") && name.len() == 7);
    let sizes = pictures.map(|name| studio.picture(&format!("out/{name}")).dimensions());
    let sizes: Vec<_> = sizes.collect();
    assert!(sizes.iter().all(|size| *size == (64, 64)), "{sizes:?}");
    sizes.len()
}

#[test]
fn a_run_that_is_killed_leaves_whole_pictures_only() {
    let studio = Studio::new();
    for _ in 0..3 {
        let mut child = long_run(&studio);
        wait_for(&studio, "out/002.png");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(assert_whole(&studio) >= 3);
        assert!(!studio.place.path("out/run.json").exists());
        fs::remove_dir_all(studio.place.path("out")).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn a_run_that_is_interrupted_keeps_what_is_finished() {
    let studio = Studio::new();
    let mut child = long_run(&studio);
    wait_for(&studio, "out/001.png");
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let count = assert_whole(&studio);
    assert!((2..5000).contains(&count), "{count}");
    let run = studio.json("out/run.json");
    assert_eq!(run["pictures"].as_array().unwrap().len(), count);
    assert!(studio.place.path("out/contact-sheet.png").exists());
}

#[cfg(unix)]
#[test]
fn a_disk_that_is_full_costs_one_line() {
    let studio = Studio::new();
    let program = env!("CARGO_BIN_EXE_gen3d");
    let pipeline = studio.pipeline.path().display();
    // No file may grow beyond a block, as on a disk that is full.
    let script = format!(
        "trap '' XFSZ; ulimit -f 1; '{program}' vary input.png -o out --steps 1 --count 2 \
         --pipeline '{pipeline}' --raw raw.npy"
    );
    let output = Command::new("sh")
        .args(["-c", &script])
        .current_dir(studio.place.path(""))
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(
        stderr.contains("out/000.png: cannot be written"),
        "{stderr}"
    );
    assert_eq!(studio.results("out"), Vec::<String>::new());
}

#[test]
fn the_networks_can_be_measured() {
    let place = Place::new();
    for (what, pixels) in [("unet", None), ("vae", Some(64))] {
        let ran = place.run(&format!(
            "bench {what} --arch small --latents 8 --batch 1,2 --runs 1"
        ));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let lines = ran.objects();
        assert_eq!(lines.len(), 2);
        for (line, batch) in lines.iter().zip([1, 2]) {
            assert_eq!(line["bench"], what);
            assert_eq!(line["batch"], batch);
            assert_eq!(line["pixels"].as_u64(), pixels);
            assert!(line["seconds"].as_f64().unwrap() > 0.);
            assert_eq!(line["peak_mib"].is_u64(), cfg!(target_os = "linux"));
        }
    }
    let ran = place.run("bench unet --batch 0");
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("give whole numbers from 1 to 64"),
        "{}",
        ran.stderr
    );
}
