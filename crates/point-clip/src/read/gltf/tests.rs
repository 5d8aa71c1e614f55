//! Documents written by hand, as text and in the binary container.

use crate::read::{read_bytes, read_path};
use crate::{Shape, TriangleMesh};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::f64::consts::FRAC_1_SQRT_2;

/// A quad: four corners, indices as u16 (padded), colours as normalised bytes.
fn buffer() -> Vec<u8> {
    let corners = [
        0.0_f32, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0,
    ];
    let mut bytes: Vec<u8> = corners.iter().flat_map(|v| v.to_le_bytes()).collect();
    bytes.extend([0_u16, 1, 2, 2, 1, 3].iter().flat_map(|v| v.to_le_bytes()));
    bytes.extend([
        255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 255, 255, 255, 255,
    ]);
    bytes
}

fn document() -> Value {
    json!({
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [
            {"children": [1], "translation": [10.0, 0.0, 0.0]},
            {"mesh": 0, "rotation": [0.0, 0.0, FRAC_1_SQRT_2, FRAC_1_SQRT_2],
             "scale": [2.0, 1.0, 1.0]},
        ],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 4, "type": "VEC3"},
            {"bufferView": 1, "componentType": 5123, "count": 6, "type": "SCALAR"},
            {"bufferView": 2, "componentType": 5121, "count": 4, "type": "VEC4", "normalized": true},
        ],
        "bufferViews": [
            {"buffer": 0, "byteLength": 48},
            {"buffer": 0, "byteOffset": 48, "byteLength": 12},
            {"buffer": 0, "byteOffset": 60, "byteLength": 16},
        ],
        "buffers": [{"byteLength": 76}],
    })
}

fn glb(document: &Value, binary: &[u8]) -> Vec<u8> {
    let mut json = document.to_string().into_bytes();
    json.resize(json.len().next_multiple_of(4), b' ');
    let total = 12 + 8 + json.len() + 8 + binary.len();
    let mut file = b"glTF".to_vec();
    file.extend(2_u32.to_le_bytes());
    file.extend((total as u32).to_le_bytes());
    for (kind, chunk) in [(b"JSON", json.as_slice()), (b"BIN\0", binary)] {
        file.extend((chunk.len() as u32).to_le_bytes());
        file.extend(kind);
        file.extend(chunk);
    }
    file
}

/// The document with its buffer inside.
fn embedded(mut document: Value) -> Vec<u8> {
    let data = BASE64_STANDARD.encode(buffer());
    document["buffers"][0]["uri"] = format!("data:application/octet-stream;base64,{data}").into();
    document.to_string().into_bytes()
}

pub(in crate::read) fn samples() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("glb", glb(&document(), &buffer())),
        ("gltf", embedded(document())),
    ]
}

fn mesh(bytes: &[u8]) -> TriangleMesh {
    match read_bytes(bytes, None) {
        Ok(Shape::Mesh(mesh)) => mesh,
        other => panic!("{other:?}"),
    }
}

fn said(document: &Value) -> String {
    read_bytes(&glb(document, &buffer()), None)
        .unwrap_err()
        .to_string()
}

#[test]
fn transforms_apply_from_the_inside_out() {
    for (_, file) in samples() {
        let mesh = mesh(&file);
        assert_eq!(mesh.triangles, [[0, 1, 2], [2, 1, 3]]);
        assert_eq!(mesh.colors, None);
        // (1, 1, 0) is stretched to (2, 1, 0), turned to (-1, 2, 0), and moved.
        let expected = [
            [10.0, 0.0, 0.0],
            [10.0, 2.0, 0.0],
            [9.0, 0.0, 0.0],
            [9.0, 2.0, 0.0],
        ];
        for (p, q) in mesh.positions.iter().zip(expected) {
            assert!(
                p.iter()
                    .zip(q)
                    .all(|(a, b): (&f32, f32)| (a - b).abs() < 1e-6),
                "{p:?} {q:?}"
            );
        }
    }
    let mut by_matrix = document();
    by_matrix["nodes"][1] = json!({"mesh": 0, "matrix":
        [2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 5, 6, 7, 1]});
    assert_eq!(
        mesh(&glb(&by_matrix, &buffer())).positions[3],
        [17.0, 7.0, 7.0]
    );
}

#[test]
fn vertex_and_base_colours_are_multiplied() {
    let mut colored = document();
    colored["materials"] =
        json!([{"pbrMetallicRoughness": {"baseColorFactor": [0.5, 1, 0.25, 1]}}]);
    colored["meshes"][0]["primitives"][0]["material"] = 0.into();
    let base = mesh(&glb(&colored, &buffer())).colors.unwrap();
    assert_eq!(base, [[188, 255, 137]; 4]);
    colored["meshes"][0]["primitives"][0]["attributes"]["COLOR_0"] = 2.into();
    let both = mesh(&glb(&colored, &buffer())).colors.unwrap();
    assert_eq!(
        both,
        [[188, 0, 0], [0, 255, 0], [0, 0, 137], [188, 255, 137]]
    );
}

#[test]
fn strips_fans_points_and_no_scene() {
    let mut other = document();
    let primitive = &mut other["meshes"][0]["primitives"][0];
    primitive.as_object_mut().unwrap().remove("indices");
    primitive["mode"] = 5.into();
    assert_eq!(
        mesh(&glb(&other, &buffer())).triangles,
        [[0, 1, 2], [2, 1, 3]]
    );
    other["meshes"][0]["primitives"][0]["mode"] = 6.into();
    assert_eq!(
        mesh(&glb(&other, &buffer())).triangles,
        [[0, 1, 2], [0, 2, 3]]
    );
    other["meshes"][0]["primitives"][0]["mode"] = 0.into();
    let shape = read_bytes(&glb(&other, &buffer()), None).unwrap();
    assert!(matches!(shape, Shape::Cloud(cloud) if cloud.positions.len() == 4));
    other["meshes"][0]["primitives"][0]["mode"] = 1.into();
    assert!(said(&other).contains("it holds no points"));
    let mut rootless = document();
    rootless.as_object_mut().unwrap().remove("scenes");
    assert_eq!(mesh(&glb(&rootless, &buffer())).triangles.len(), 2);
}

#[test]
fn files_beside_it_are_found_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.gltf");
    let mut document = document();
    document["buffers"][0]["uri"] = "my%20numbers.bin".into();
    std::fs::write(&path, document.to_string()).unwrap();
    let missing = read_path(&path).unwrap_err().to_string();
    assert!(
        missing.contains("its numbers are in `my%20numbers.bin`, which cannot be read"),
        "{missing}"
    );
    std::fs::write(folder.path().join("my numbers.bin"), buffer()).unwrap();
    assert_eq!(read_path(&path).unwrap().positions().len(), 4);
    let alone = read_bytes(document.to_string().as_bytes(), None)
        .unwrap_err()
        .to_string();
    assert!(alone.contains("its numbers are in another file"), "{alone}");
    for uri in [
        "../my numbers.bin",
        "/etc/passwd",
        "https://example.org/a.bin",
        "%2e%2e/a.bin",
    ] {
        document["buffers"][0]["uri"] = uri.into();
        std::fs::write(&path, document.to_string()).unwrap();
        let error = read_path(&path).unwrap_err().to_string();
        assert!(error.contains("which does not lie beside it"), "{error}");
    }
}

#[test]
fn compression_is_named() {
    let mut draco = document();
    draco["accessors"][0]
        .as_object_mut()
        .unwrap()
        .remove("bufferView");
    draco["meshes"][0]["primitives"][0]["extensions"] =
        json!({"KHR_draco_mesh_compression": {"bufferView": 0, "attributes": {"POSITION": 0}}});
    assert!(said(&draco).contains("compressed with Draco; export it without compression"));
    let mut meshopt = document();
    meshopt["buffers"] = json!([{"byteLength": 76}, {"byteLength": 48}]);
    meshopt["bufferViews"][0] = json!({"buffer": 1, "byteLength": 48, "extensions":
        {"EXT_meshopt_compression": {"buffer": 0, "byteLength": 9, "count": 4, "mode": "ATTRIBUTES"}}});
    assert!(said(&meshopt).contains("compressed with meshopt; export it without compression"));
}

#[test]
fn damage_is_named() {
    let edit = |pointer: &str, value: Value| {
        let mut document = document();
        *document.pointer_mut(pointer).unwrap() = value;
        said(&document)
    };
    for (pointer, value, expected) in [
        (
            "/asset/version",
            json!("1.0"),
            "glTF of another version than 2",
        ),
        (
            "/accessors/0/count",
            json!(4_000_000_000_u32),
            "accessor 0 lies beyond the end",
        ),
        (
            "/accessors/0/type",
            json!("SCALAR"),
            "accessor 0 has a type that does not fit",
        ),
        (
            "/accessors/0/componentType",
            json!(1),
            "accessor 0 has an unknown componentType",
        ),
        (
            "/accessors/1/count",
            json!(7),
            "accessor 1 lies beyond the end",
        ),
        (
            "/bufferViews/0/byteLength",
            json!(77),
            "accessor 0 lies beyond the end",
        ),
        (
            "/bufferViews/0/buffer",
            json!(1),
            "accessor 0 refers to a buffer that is missing",
        ),
        (
            "/buffers/0/byteLength",
            json!(80),
            "buffer 0 promises 80 bytes, but there are 76",
        ),
        (
            "/nodes/0/children",
            json!([0]),
            "node 0 stands in its scene twice",
        ),
        (
            "/nodes/0/children",
            json!([1, 1]),
            "node 1 stands in its scene twice",
        ),
        ("/nodes/1/mesh", json!(3), "mesh 3 is missing"),
        ("/scenes/0/nodes", json!([5]), "node 5 is missing"),
        (
            "/nodes/0/translation",
            json!([1e300, 0, 0]),
            "vertex 0 has a coordinate",
        ),
        (
            "/accessors/0/count",
            json!(3),
            "face 1 refers to vertex 3 (from 0), but there are 3",
        ),
    ] {
        let error = edit(pointer, value);
        assert!(error.contains(expected), "{pointer}: {error}");
    }
    let whole = glb(&document(), &buffer());
    let error = read_bytes(&whole[..whole.len() - 9], None)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("a chunk promises 76 bytes, but there are 67"),
        "{error}"
    );
    let error =
        read_bytes(b"{\"asset\": {\"version\": \"2.0\"},\n \"nodes\": 3}", None).unwrap_err();
    assert!(
        error.to_string().contains("its JSON is broken at line 2"),
        "{error}"
    );
}

#[test]
fn endless_repetition_is_refused() {
    let mut scene = document();
    let count = 100_000;
    scene["nodes"] = vec![json!({"mesh": 0}); count].into();
    scene["scenes"][0]["nodes"] = (0..count).collect::<Vec<_>>().into();
    assert_eq!(mesh(&glb(&scene, &buffer())).positions.len(), 4 * count);
    // Every node shows a primitive that reads the same bytes over and over.
    scene["meshes"][0]["primitives"] = vec![scene["meshes"][0]["primitives"][0].clone(); 50].into();
    assert!(said(&scene).contains("repeats its meshes to more than 64 times"));
    // Every node shows many primitives of nothing, which cost time.
    scene["meshes"][0]["primitives"] = vec![json!({"attributes": {}}); 10_000].into();
    assert!(said(&scene).contains("repeats its meshes to more than 64 times"));
}

#[test]
fn a_file_beside_it_is_read_once() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.bin"), vec![0; 1 << 20]).unwrap();
    let names = ["a.bin", "%61.bin", "a%2ebin", "a.bin"];
    let count = 100_000;
    let buffers: Vec<_> = (0..count)
        .map(|at| json!({"uri": names[at % names.len()], "byteLength": 48}))
        .collect();
    let mut many = document();
    many["buffers"] = buffers.into();
    many["bufferViews"][0]["buffer"] = (count - 1).into();
    let path = folder.path().join("a.gltf");
    std::fs::write(&path, many.to_string()).unwrap();
    // As often as it is named, it would take 100 GB.
    assert_eq!(read_path(&path).unwrap().positions(), [[10.0, 0.0, 0.0]; 4]);
}
