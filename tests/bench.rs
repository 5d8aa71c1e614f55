//! `gen3d bench`: what each measurement prints.

mod support;

use serde_json::Value;
use support::{CLOUD, Place, clouds};

/// The one line that a measurement prints.
fn measured(place: &Place, arguments: &str) -> Value {
    let ran = place.run(arguments);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let objects = ran.objects();
    assert_eq!(objects.len(), 1, "{}", ran.text());
    for field in ["threads", "dtype", "device", "cpu"] {
        assert!(objects[0].get(field).is_some(), "{field} is missing");
    }
    objects[0].clone()
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

/// A labelled set of two meshes: a tetrahedron that is z up, and a triangle.
fn labelled_set(place: &Place) {
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
    place.file(
        "set.json",
        r#"{"name": "two", "classes": ["thing", "matter"], "more": 1, "entries": [
            {"index": 0, "label": 0, "up": "z"}, {"index": 1, "label": 0, "up": "?"}]}"#,
    );
}

#[test]
fn accuracy_on_a_labelled_set_is_measured() {
    let place = Place::new();
    labelled_set(&place);
    let line = measured(
        &place,
        "bench recognize --set set.json --points 200 --views 2",
    );
    assert_eq!((&line["set"], &line["meshes"]), (&"two".into(), &2.into()));
    assert_eq!(
        (&line["classes"], &line["up"]),
        (&2.into(), &"given".into())
    );
    // Two labels: the right one is always among the first five.
    assert_eq!(line["top5"], 1.);
    assert_eq!(line["top1"], line["mean_class"]);
    let ece = line["ece"].as_f64().unwrap();
    assert!((0. ..=1.).contains(&ece), "{ece}");
    let line = measured(
        &place,
        "bench recognize --set set.safetensors --points 200 --views 2 --turned",
    );
    assert_eq!(
        (&line["up"], &line["turned"]),
        (&"auto".into(), &true.into())
    );
}
