//! The program from end to end: forms of results, order, exit codes, inputs of every kind.

mod support;

use std::io::Read;

use insta::assert_snapshot;
use serde_json::Value;
use support::{CLOUD, Place, clouds, golden, inputs, root, settings};

#[test]
fn results_have_four_forms() {
    let place = clouds();
    settings().bind(|| {
        assert_snapshot!(place.transcripts(&[
            "recognize b.xyz --labels thing",
            "recognize b.xyz a.xyz --labels thing",
            "recognize b.xyz a.xyz --labels thing --format jsonl",
            "recognize b.xyz a.xyz --labels thing --format json",
            "recognize b.xyz a.xyz --labels thing --format csv",
            "recognize b.xyz --labels thing --views 3 --up +z --verbose",
            "recognize b.xyz --labels thing --format csv -o out.csv",
            "recognize b.xyz --labels thing --quiet -o out.txt --color always",
        ]))
    });
    let csv = std::fs::read_to_string(place.path("out.csv")).expect("it was written");
    assert_eq!(csv, "input,rank,label,score\nb.xyz,1,thing,1\n");
    let text = std::fs::read_to_string(place.path("out.txt")).expect("it was written");
    assert!(!text.contains('\x1b'), "{text:?}");
}

#[test]
fn probabilities_sum_to_one_and_fall() {
    let place = clouds();
    let ran = place.run("recognize a.xyz --labels chair,table,lamp --top 3 --format jsonl");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let object = &ran.objects()[0];
    let scores: Vec<f64> = object["top"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["score"].as_f64().unwrap())
        .collect();
    assert_eq!(scores.len(), 3);
    assert!((scores.iter().sum::<f64>() - 1.).abs() < 1e-5, "{scores:?}");
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    assert_eq!(object["points"], 6);
    let again = place.run("recognize a.xyz --labels chair,table,lamp --top 3 --format jsonl");
    assert_eq!(ran.stdout, again.stdout);
}

#[test]
fn folders_globs_and_stdin_in_order() {
    let place = clouds();
    let flags = "--labels thing --format jsonl --threads 3";
    let ran = place.run(&format!("recognize more *.xyz . b.xyz {flags}"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let expected = [
        "more/c.csv",
        "a.xyz",
        "b.xyz",
        "./a.xyz",
        "./b.xyz",
        "./more/c.csv",
        "b.xyz",
    ];
    assert_eq!(inputs(&ran), expected);

    let arguments: Vec<&str> = "recognize - a.xyz"
        .split(' ')
        .chain(flags.split(' '))
        .collect();
    let ran = place.run_with(&arguments, CLOUD);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(inputs(&ran), ["-", "a.xyz"]);
    let ran = place.run_with(&arguments, "");
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.starts_with("error: -: "), "{}", ran.stderr);
}

#[test]
fn many_inputs_come_out_in_their_order() {
    let place = Place::new();
    for i in 0..24 {
        // Every third takes longer, every fifth fails.
        let content = match i {
            _ if i % 5 == 4 => String::new(),
            _ if i % 3 == 0 => (0..2000).map(|k| format!("{} {k} {i}\n", k % 17)).collect(),
            _ => CLOUD.to_owned(),
        };
        place.file(&format!("{i:02}.xyz"), content);
    }
    let ran = place.run("recognize . --labels thing --format jsonl --threads 4 --up +y --views 1");
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let names: Vec<String> = (0..24).map(|i| format!("./{i:02}.xyz")).collect();
    assert_eq!(inputs(&ran), names);
    let failed = ran
        .objects()
        .iter()
        .filter(|object| object.get("error").is_some())
        .count();
    assert_eq!((failed, ran.stderr.lines().count()), (4, 4));
}

/// Runs over many inputs until the first result is there, then lets `end` act.
#[cfg(unix)]
fn after_the_first_result(
    end: impl FnOnce(u32, std::io::BufReader<std::process::ChildStdout>) -> String,
) -> (Option<i32>, String) {
    use std::io::{BufRead, BufReader};
    let place = clouds();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_gen3d"))
        .args([
            "recognize",
            "--labels",
            "thing",
            "--format",
            "jsonl",
            "--no-cache",
        ])
        .args(["a.xyz"; 2000])
        .current_dir(place.path(""))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut lines = String::new();
    out.read_line(&mut lines).expect("a result");
    lines += &end(child.id(), out);
    let ended = child.wait_with_output().expect("it ends");
    let told = String::from_utf8(ended.stderr).expect("stderr is text");
    for line in lines.lines() {
        serde_json::from_str::<Value>(line).expect("whole lines only");
    }
    (ended.status.code(), told)
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_keeps_what_it_has() {
    let (code, told) = after_the_first_result(|process, mut out| {
        let signalled = std::process::Command::new("kill")
            .args(["-INT", &process.to_string()])
            .status();
        assert!(signalled.expect("kill is there").success());
        let mut rest = String::new();
        out.read_to_string(&mut rest).expect("text");
        assert!(rest.lines().count() < 1999);
        rest
    });
    assert_eq!((code, told.lines().count()), (Some(130), 1), "{told}");
    assert!(told.starts_with("error: interrupted; "), "{told}");
}

#[cfg(unix)]
#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let (code, told) = after_the_first_result(|_, out| {
        drop(out);
        String::new()
    });
    assert_eq!((code, told.as_str()), (Some(0), ""));
}

#[test]
fn the_examples_are_named_right() {
    let kinds = [
        ("guitar.obj", "guitar"),
        ("teddy-bear-cloud.ply", "teddy bear"),
        ("biplane.glb", "biplane"),
        ("truck.ply", "truck"),
        ("horse-cloud-ascii.ply", "horse"),
        ("umbrella.stl", "umbrella"),
        ("piano.off", "piano"),
        ("chair.ply", "chair"),
        ("sofa.obj", "sofa"),
        ("toilet-cloud.xyz", "toilet"),
    ];
    let folder = root().join("assets/examples");
    let files: Vec<String> = kinds
        .iter()
        .map(|(file, _)| folder.join(file).display().to_string())
        .collect();
    let mut arguments = vec!["recognize", "--format", "jsonl"];
    arguments.extend(files.iter().map(String::as_str));
    let ran = Place::new().run_with(&arguments, "");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let named: Vec<String> = ran
        .objects()
        .iter()
        .map(|object| {
            object["top"][0]["label"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
        .collect();
    let right = kinds
        .iter()
        .zip(&named)
        .filter(|((_, kind), label)| kind == label)
        .count();
    assert!(right >= 8, "{right} of 10: {named:?}");
}

#[test]
fn views_are_pictures_and_a_contact_sheet() {
    let place = clouds();
    let ran = place.run("project a.xyz more b.xyz -o out/views --views 3 --size 32");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let names: Vec<String> = place
        .names()
        .into_iter()
        .filter_map(|n| n.strip_prefix("out/views/").map(str::to_owned))
        .collect();
    let expected: Vec<String> = ["a", "b", "c"]
        .iter()
        .flat_map(|stem| (0..3).map(move |i| format!("{stem}-{i:02}.png")))
        .chain(["contact-sheet.png".to_owned()])
        .collect();
    assert_eq!(names, expected);
    let view = image::open(place.path("out/views/a-01.png"))
        .expect("a picture")
        .into_rgba8();
    assert_eq!(view.dimensions(), (32, 32));
    let opaque = view.pixels().filter(|p| p[3] == 255).count();
    assert!(
        opaque > 20 && opaque < 32 * 32,
        "{opaque} pixels of foreground"
    );
    let sheet = image::open(place.path("out/views/contact-sheet.png")).expect("a picture");
    assert!(sheet.width() >= 3 * 96 && sheet.height() >= 3 * 96);

    // Nothing is replaced unasked.
    let again = place.run("project a.xyz -o out/views --views 3 --size 16");
    assert_eq!(again.code, Some(3), "{}", again.stderr);
    let view = image::open(place.path("out/views/a-01.png")).expect("a picture");
    assert_eq!(view.width(), 32);
    let forced = place.run("project a.xyz -o out/views --views 3 --size 16 --force");
    assert_eq!(forced.code, Some(0), "{}", forced.stderr);
    let view = image::open(place.path("out/views/a-01.png")).expect("a picture");
    assert_eq!(view.width(), 16);
}

#[test]
fn files_of_one_name_do_not_overwrite_each_other() {
    let place = Place::new();
    place.file("x/a.xyz", CLOUD);
    place.file("y/a.xyz", CLOUD);
    let ran = place.run("project x y -o out --projection v1");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(place.path("out/a-05.png").exists() && place.path("out/a-2-05.png").exists());
}

#[test]
fn completions_and_the_manual_know_every_command() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = place.run(&format!("completions {shell}"));
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
        for word in ["recognize", "label-set", "bench"] {
            assert!(ran.text().contains(word), "{shell} lacks {word}");
        }
    }
    let ran = place.run("man");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    for command in [
        "recognize",
        "project",
        "classify",
        "embed",
        "models",
        "bench",
        "completions",
    ] {
        assert!(
            ran.text().contains(&format!("gen3d\\-{command}")),
            "{command}"
        );
    }
    let ran = place.run("--version");
    assert_eq!(ran.code, Some(0));
    assert!(ran.text().starts_with("gen3d "));
}

#[test]
fn models_are_listed_and_shown() {
    let (place, _) = golden();
    let ran = place.run("models list");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(
        ran.text()
            .lines()
            .any(|l| l.starts_with("gen3d-mini ") && l.ends_with("embedded"))
    );
    let ran = place.run("models show --format json");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(ran.objects()[0]["clip"]["vision"]["image_size"], 64);
    let ran = place.run("models show clip.safetensors --format json");
    assert_eq!(ran.objects()[0]["clip"]["text"]["context"], 77);
}
