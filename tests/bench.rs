//! `gen3d bench`: what each measurement prints.

mod support;

use serde_json::Value;
use support::{CLOUD, Place, clouds};

/// The lines that a measurement prints.
fn lines(place: &Place, arguments: &str) -> Vec<Value> {
    let ran = place.run(arguments);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let objects = ran.objects();
    for object in &objects {
        for field in ["threads", "dtype", "device", "cpu"] {
            assert!(object.get(field).is_some(), "{field} is missing");
        }
    }
    objects
}

/// The one line that a measurement prints.
fn measured(place: &Place, arguments: &str) -> Value {
    let mut objects = lines(place, arguments);
    assert_eq!(objects.len(), 1);
    objects.remove(0)
}

/// A field that is a share of a whole.
fn share(line: &Value, field: &str) -> f64 {
    let share = line[field].as_f64();
    let share = share.unwrap_or_else(|| panic!("{field} is no number: {line}"));
    assert!((0. ..=1.).contains(&share), "{field}: {share}");
    share
}

#[test]
fn measurements_are_one_object_a_line() {
    let place = clouds();
    let line = measured(&place, "bench encode --arch gen3d-mini --batch 2 --runs 2");
    assert_eq!(
        (&line["bench"], &line["arch"]),
        (&"encode".into(), &"gen3d-mini".into())
    );
    let (seconds, each) = (
        line["seconds"].as_f64().unwrap(),
        line["per_second"].as_f64().unwrap(),
    );
    assert!((each * seconds - 2.).abs() < 1e-6);
    let line = measured(&place, "bench text --arch gen3d-mini --batch 3 --runs 1");
    assert_eq!(line["bench"], "text");
    let line = measured(
        &place,
        "bench project --points 300 --projection v1 --runs 1",
    );
    assert_eq!((&line["views"], &line["pixels"]), (&6.into(), &224.into()));
    let line = measured(&place, "bench load a.xyz --runs 1");
    assert_eq!(
        (&line["points"], &line["bytes"]),
        (&6.into(), &CLOUD.len().into())
    );
}

/// A model's features of pictures from a file are those that open_clip computed from them.
#[test]
fn features_of_given_pictures_are_saved() {
    let place = Place::new();
    for name in [
        "open_clip_model.safetensors",
        "open_clip_config.json",
        "expected.safetensors",
    ] {
        place.copy(&format!("tests/fixtures/open_clip_gelu/{name}"), name);
    }
    let encode = "bench encode --dtype f32 --model open_clip_model.safetensors --pixels expected.safetensors";
    let batches = "--batch 1,2 --runs 1 --features out.safetensors";
    let printed = lines(&place, &format!("{encode} {batches}"));
    let sizes: Vec<_> = printed.iter().map(|line| &line["batch"]).collect();
    assert_eq!(sizes, [&Value::from(1), &Value::from(2)]);
    let tensor = |file: &str, name: &str| -> Vec<Vec<f32>> {
        let all = candle_core::safetensors::load(place.path(file), &candle_core::Device::Cpu);
        all.unwrap()[name].to_vec2().unwrap()
    };
    let ours = tensor("out.safetensors", "features").concat();
    let theirs = tensor("expected.safetensors", "image_features").concat();
    assert_eq!(ours.len(), theirs.len());
    assert!(ours.iter().zip(&theirs).all(|(a, b)| (a - b).abs() < 1e-4));

    let ran = place.run(&format!("{encode} --batch 3"));
    assert!(
        ran.stderr.contains("--batch 3 needs more"),
        "{}",
        ran.stderr
    );

    place.file("texts", "a\nthe\n");
    let given = "--texts texts --batch 3 --features words.safetensors";
    let line = measured(&place, &format!("bench text --arch gen3d-mini {given}"));
    assert_eq!(line["batch"], 3);
    let words = tensor("words.safetensors", "features");
    assert_eq!(words[0], words[2]);
    assert_ne!(words[0], words[1]);
}

/// A labelled set of two meshes, a tetrahedron that is z up and a triangle, of these classes.
fn labelled_set(place: &Place, classes: [&str; 2], labels: [usize; 2]) {
    let verts: [[u16; 3]; 7] = [
        [0, 0, 0],
        [65535, 0, 0],
        [0, 65535, 0],
        [20000, 20000, 65535],
        [0, 0, 0],
        [65535, 0, 0],
        [0, 65535, 0],
    ];
    let faces: [[u16; 3]; 5] = [[0, 1, 2], [0, 1, 3], [1, 2, 3], [0, 2, 3], [0, 1, 2]];
    let small = |rows: &[[u16; 3]]| -> Vec<u8> {
        rows.iter()
            .flatten()
            .flat_map(|v| v.to_le_bytes())
            .collect()
    };
    let large = |rows: [i64; 3]| rows.map(i64::to_le_bytes).concat();
    let mut at = 0;
    let mut data = Vec::new();
    let mut header = serde_json::Map::new();
    for (name, dtype, shape, bytes) in [
        ("vert_offsets", "I64", vec![3], large([0, 4, 7])),
        ("face_offsets", "I64", vec![3], large([0, 4, 5])),
        ("verts", "U16", vec![7, 3], small(&verts)),
        ("faces", "U16", vec![5, 3], small(&faces)),
    ] {
        let offsets = [at, at + bytes.len()];
        at = offsets[1];
        data.extend(bytes);
        let entry = serde_json::json!({"dtype": dtype, "shape": shape, "data_offsets": offsets});
        header.insert(name.into(), entry);
    }
    let header = Value::Object(header).to_string();
    let head = [
        (header.len() as u64).to_le_bytes().as_slice(),
        header.as_bytes(),
    ]
    .concat();
    place.file("set.safetensors", [head, data].concat());
    let index = serde_json::json!({
        "name": "two",
        "classes": classes,
        "more": 1,
        "entries": [
            {"index": 0, "label": labels[0], "up": "z"},
            {"index": 1, "label": labels[1], "up": "?"},
        ],
    });
    place.file("set.json", index.to_string());
}

#[test]
fn accuracy_on_a_labelled_set_is_measured() {
    let place = Place::new();
    labelled_set(&place, ["thing", "matter"], [0, 0]);
    let line = measured(
        &place,
        "bench recognize --set set.json --points 200 --views 2 --confusions 3 --per-class",
    );
    assert_eq!((&line["set"], &line["meshes"]), (&"two".into(), &2.into()));
    assert_eq!(
        (&line["classes"], &line["up"]),
        (&2.into(), &"given".into())
    );
    // Two labels: the right one is always among the first five.
    assert_eq!(line["top5"], 1.);
    assert_eq!(line["chance"], serde_json::json!([0.5, 1.]));
    assert_eq!(line["top1"], line["mean_class"]);
    share(&line, "ece");
    let mistakes = line.get("confusions").map_or(0, |list| {
        let times = list.as_array().unwrap().iter().map(|c| &c["times"]);
        times.map(|n| n.as_u64().unwrap()).sum()
    });
    assert_eq!(mistakes as f64, 2. * (1. - share(&line, "top1")));
    assert_eq!(line["per_class"].as_array().unwrap().len(), 1);
    assert_eq!(line["per_class"][0]["class"], "thing");
    let line = measured(
        &place,
        "bench recognize --set set.safetensors --points 200 --views 2 --turned",
    );
    assert_eq!(
        (&line["up"], &line["turned"]),
        (&"auto".into(), &true.into())
    );
    assert!(line.get("confusions").is_none() && line.get("per_class").is_none());
}

#[test]
fn spoiled_clouds_and_more_labels_can_be_asked_for() {
    let place = Place::new();
    labelled_set(&place, ["thing", "matter"], [0, 1]);
    let command = "bench recognize --set set.json --points 200 --views 2 --cut --noise 0.01 \
                   --outliers 0.05 --label-set objects";
    let line = measured(&place, command);
    assert_eq!(
        (&line["cut"], &line["noise"], &line["outliers"]),
        (&true.into(), &0.01.into(), &0.05.into())
    );
    assert_eq!(line["classes"], 2);
    let labels = line["labels"].as_u64().unwrap();
    assert!(labels > 300, "{labels}");
    let chance = line["chance"][1].as_f64().unwrap();
    assert!((chance - 5. / labels as f64).abs() < 1e-12, "{chance}");
    let again = measured(&place, command);
    for field in ["top1", "top5", "ece"] {
        assert_eq!(line[field], again[field], "{field}");
    }
    let ran = place.run("bench recognize --set set.json --noise 2");
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("0 to 1"), "{}", ran.stderr);
}

#[test]
fn words_are_asked_for_alone_and_of_shapes() {
    let place = Place::new();
    labelled_set(&place, ["sofa", "hammer"], [0, 1]);
    let lines = lines(&place, "bench words --set set.json --points 200 --views 2");
    let of = |i: usize, field: &str| lines[i][field].as_str().unwrap();
    let forms: Vec<_> = (0..4).map(|i| (of(i, "test"), of(i, "form"))).collect();
    assert_eq!(
        forms,
        [
            ("synonyms", "words"),
            ("hypernyms", "words"),
            ("synonyms", "shapes"),
            ("hypernyms", "shapes")
        ]
    );
    for (line, least) in lines.iter().zip([80, 40, 3, 2]) {
        assert!(line["pairs"].as_u64().unwrap() >= least, "{line}");
        let right = share(line, "right");
        if line["form"] == "words" {
            let missed = line["missed"].as_array().unwrap().len() as f64;
            let pairs = line["pairs"].as_f64().unwrap();
            assert!((right - (1. - missed / pairs)).abs() < 1e-9);
            // Far above chance with the embedded model.
            assert!(right > 0.5, "{line}");
        }
    }
    // With two classes any word is among the first three.
    assert_eq!(
        (&lines[2]["right"], &lines[2]["own_word"]),
        (&1.0.into(), &1.0.into())
    );
    assert_eq!(lines[3]["meshes"], 2);
}

#[test]
fn objects_of_scenes_are_pointed_at() {
    let place = Place::new();
    labelled_set(&place, ["pyramid", "flag"], [0, 1]);
    let command = "bench regions --set set.json --objects 2 --scenes 3 --points 200 --views 3";
    let line = measured(&place, command);
    assert_eq!((&line["objects"], &line["regions"]), (&2.into(), &6.into()));
    for field in ["filling", "single", "mask", "soft", "box", "changed"] {
        share(&line, field);
    }
    assert!(share(&line, "flipped") <= share(&line, "changed"));
    // One answer for a whole picture: right for one object of two at most.
    assert_eq!(line["whole_changed"], 0.);
    assert!(share(&line, "whole") <= 0.5);
    let again = measured(&place, command);
    assert_eq!(
        (&line["mask"], &line["single"]),
        (&again["mask"], &again["single"])
    );

    let ran = place.run("bench regions --set set.json --objects 3 --scenes 1 --points 200");
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr.contains("fewer than 3 classes"),
        "{}",
        ran.stderr
    );
    let ran = place.run("bench regions --set set.json --projection v2");
    assert_eq!(ran.code, Some(2));
}
