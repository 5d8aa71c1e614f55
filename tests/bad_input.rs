//! What the program says to bad input: one line that names the file and the remedy, the other
//! inputs still done, nothing half-written. The lines themselves are in `snapshots/`.
//!
//! With a single label its probability is 1, whatever the model: the snapshots do not depend on it.

mod support;

use insta::assert_snapshot;
use support::{CLOUD, Place, settings};

/// A header of a binary PLY file that promises `count` vertices.
fn header(count: &str) -> String {
    format!(
        "ply\nformat binary_little_endian 1.0\nelement vertex {count}\nproperty float x\n\
         property float y\nproperty float z\nend_header\n"
    )
}

/// Files that hold no shape, and one that does.
fn shapes() -> Place {
    let place = Place::new();
    place.file("empty.ply", "");
    place.file(
        "truncated.ply",
        [header("100").as_bytes(), &[0; 600]].concat(),
    );
    place.file(
        "promises.ply",
        [header("4000000000").as_bytes(), &[0; 120]].concat(),
    );
    place.file("overflows.ply", header("99999999999999999999"));
    place.file("nan.xyz", "0 0 0\n1 0 0\nnan 1 0\n");
    let infinite: Vec<u8> = [0f32, 0., 0., 1., f32::INFINITY, 0.]
        .map(f32::to_le_bytes)
        .concat();
    place.file("infinite.ply", [header("2").as_bytes(), &infinite].concat());
    place.file("one-point.xyz", "1 2 3\n");
    place.file("one-place.xyz", "1 2 3\n".repeat(9));
    place.copy("tests/golden/alpha_clip/images/rgba.png", "picture.ply");
    place.file(
        "page.obj",
        "<!DOCTYPE html><html><body>Not found</body></html>",
    );
    place.file("empty/notes.md", "nothing to see");
    place.file("good.xyz", CLOUD);
    place
}

#[test]
fn shapes_that_are_none() {
    let place = shapes();
    let before = place.names();
    let files = [
        "empty.ply",
        "truncated.ply",
        "promises.ply",
        "overflows.ply",
        "nan.xyz",
        "infinite.ply",
        "one-point.xyz",
        "one-place.xyz",
        "picture.ply",
        "page.obj",
        "empty",
        "missing.ply",
        "*.las",
    ];
    let commands: Vec<String> = files
        .iter()
        .map(|file| format!("recognize {file} good.xyz --labels thing"))
        .collect();
    let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
    settings().bind(|| assert_snapshot!(place.transcripts(&commands)));
    assert_eq!(place.names(), before);
}

#[test]
fn every_command_says_it_and_does_the_others() {
    let place = shapes();
    settings().bind(|| {
        assert_snapshot!(place.transcripts(&[
            "recognize good.xyz empty.ply --labels thing --format jsonl",
            "recognize empty.ply good.xyz --labels thing --format csv",
            "recognize empty.ply --labels thing --format json",
            "project empty.ply good.xyz --views 2 -o views",
            "bench load --runs 1 empty.ply",
        ]))
    });
    let views: Vec<String> = place
        .names()
        .into_iter()
        .filter(|name| name.starts_with("views/"))
        .collect();
    assert_eq!(
        views,
        [
            "views/contact-sheet.png",
            "views/good-00.png",
            "views/good-01.png"
        ]
    );

    let ran = place.run("embed cloud empty.ply good.xyz one-point.xyz -o features.npy --up +y");
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 2, "{}", ran.stderr);
    let features = std::fs::read(place.path("features.npy")).expect("the good one is written");
    assert!(String::from_utf8_lossy(&features[..80]).contains("'shape': (1, "));
    let ran = place.run("embed cloud empty.ply -o none.npy");
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(!place.path("none.npy").exists());
}

#[test]
fn pictures_that_are_none() {
    let place = Place::new();
    place.copy("tests/golden/alpha_clip/images/photo.png", "photo.png");
    place.copy("tests/golden/alpha_clip/images/photo_mask.png", "mask.png");
    place.copy("tests/golden/alpha_clip/images/grey.png", "small.png");
    let whole = std::fs::read(place.path("photo.png")).expect("it was copied");
    place.file("truncated.png", &whole[..whole.len() / 2]);
    place.file("empty.png", "");
    place.file("text.png", "not a picture");
    place.file("mask.json", "{\"size\": [2, 2], \"counts\": [9]}");
    let commands = [
        "empty.png photo.png",
        "text.png",
        "truncated.png",
        "missing.png",
        "photo.png --mask missing.png",
        "photo.png --mask text.png",
        "photo.png small.png --mask mask.png",
        "photo.png --box 1,2,3",
        "photo.png --box 900,900,5,5",
        "photo.png --point a,b",
        "photo.png --polygon 1,2,3,4",
        "photo.png --rle mask.json",
        "photo.png --mask mask.png --box 1,2,3,4",
        "photo.png --focus foveal",
    ];
    let commands: Vec<String> = commands
        .iter()
        .map(|c| format!("classify --quiet --labels thing {c}"))
        .collect();
    let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
    settings().bind(|| assert_snapshot!(place.transcripts(&commands)));
}

#[test]
fn wrong_command_lines() {
    let place = Place::new();
    place.file("good.xyz", CLOUD);
    place.file("empty.txt", "");
    settings().bind(|| {
        assert_snapshot!(place.transcripts(&[
            "recognise good.xyz",
            "recognize",
            "recognize good.xyz --bogus",
            "recognize good.xyz --format yaml",
            "recognize good.xyz --projection v3",
            "recognize good.xyz --focus eye",
            "recognize good.xyz --focus foveal",
            "recognize good.xyz --up w",
            "recognize good.xyz --views 0",
            "recognize good.xyz --points 0",
            "recognize good.xyz --top many",
            "recognize good.xyz --device gpu",
            "recognize good.xyz --dtype f8",
            "recognize good.xyz --threads 0",
            "recognize good.xyz --label-set imagenet",
            "recognize good.xyz --labels a --label-set objects",
            "recognize good.xyz --labels a,,b",
            "recognize good.xyz --labels-file missing.txt",
            "recognize good.xyz --labels-file empty.txt",
            "recognize good.xyz --prompt chair",
            "project good.xyz",
            "bench encode --arch ViT-X",
        ]))
    });
}

#[test]
fn what_the_whole_run_needs_is_missing() {
    let place = Place::new();
    place.file("good.xyz", CLOUD);
    place.file("file", "in the way");
    place.file("there.jsonl", "kept");
    let before = place.names();
    settings().bind(|| {
        assert_snapshot!(place.transcripts(&[
            "project good.xyz -o file/views",
            "project good.xyz -o file",
            "recognize good.xyz --labels thing -o file/out.csv",
            "recognize good.xyz --labels thing -o there.jsonl",
            "recognize good.xyz --model missing.safetensors",
            "recognize good.xyz --model file",
            "recognize good.xyz --alpha-weights missing.pth",
            "embed text hello -o there.jsonl",
            "bench recognize --set missing.json",
            "models show no-such-model",
            "models pull no-such-model",
        ]))
    });
    assert_eq!(place.names(), before);
    assert_eq!(
        std::fs::read(place.path("there.jsonl")).expect("it is kept"),
        b"kept"
    );
}

/// A promise of 48 GB in a file of a few hundred bytes must not be believed.
#[cfg(target_os = "linux")]
#[test]
fn memory_is_what_the_file_justifies() {
    let place = shapes();
    let run = |file: &str| {
        let limited = "ulimit -v 4000000 && exec \"$0\" \"$@\"";
        assert_cmd::Command::new("sh")
            .args(["-c", limited, env!("CARGO_BIN_EXE_gen3d")])
            .args([
                "recognize",
                file,
                "good.xyz",
                "--labels",
                "thing",
                "--threads",
                "2",
            ])
            .env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"))
            .current_dir(place.path(""))
            .output()
            .expect("the program runs")
    };
    for file in ["promises.ply", "overflows.ply", "truncated.ply"] {
        let output = run(file);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.starts_with(&format!("error: {file}: ")), "{told}");
    }
}
