//! Files cut at every offset, files with bytes turned over, and the examples as they should be.

use super::fuzzing::check_promises;
use super::{gltf, las, npy, pcd, ply, read_bytes, read_path};
use crate::Shape;
use proptest::prelude::*;
use std::path::PathBuf;

/// A small file of each kind, with its extension.
pub(super) fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let mut samples: Vec<(&str, Vec<u8>)> = ply::tests::samples().map(|s| ("ply", s)).into();
    let texts = [
        (
            "off",
            "COFF 3 1 0\n0 0 0 255 0 0\n1 0 0 0 255 0\n0 1 0 0 0 255\n3 0 1 2\n",
        ),
        (
            "obj",
            "v 0 0 0\nv 1 0 0\nvn 0 0 1\nv 0 1 0\nf 1//1 2//1 \\\n -1//1\n",
        ),
        ("xyz", "# x y z r g b\n0 0 0 1 2 3\n1 2.5 -3e1 4 5 6\n"),
        ("csv", "id;x;y;z\n1;0,5;1;2\n2;3;4;5\n"),
        (
            "stl",
            "solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\n\
             endloop\nendfacet\nendsolid a\n",
        ),
    ];
    samples.extend(texts.map(|(extension, text)| (extension, text.as_bytes().to_vec())));
    let mut stl = b"solid, though binary".to_vec();
    stl.resize(80, 0);
    stl.extend(2_u32.to_le_bytes());
    stl.extend([7; 100]);
    samples.push(("stl", stl));
    samples.extend(pcd::tests::samples().map(|s| ("pcd", s)));
    samples.extend(las::tests::samples().map(|s| ("las", s)));
    samples.extend(npy::tests::samples());
    samples.extend(gltf::tests::samples());
    samples
}

/// Reads `bytes` under every hint; whatever comes out must be what the readers promise.
fn check(bytes: &[u8], extension: &str) {
    for hint in [None, Some(extension)] {
        check_promises(&read_bytes(bytes, hint));
    }
}

#[test]
fn samples_are_sound() {
    for (extension, bytes) in samples() {
        for hint in [None, Some(extension)] {
            let shape = read_bytes(&bytes, hint);
            assert!(
                shape.is_ok(),
                "{extension} {hint:?}: {}",
                shape.unwrap_err()
            );
        }
    }
}

#[test]
fn files_cut_anywhere_never_panic() {
    for (extension, bytes) in samples() {
        for end in 0..bytes.len() {
            check(&bytes[..end], extension);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn turned_bytes_never_panic(
        turns in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        for (extension, mut bytes) in samples() {
            for (at, value) in &turns {
                let at = at.index(bytes.len());
                bytes[at] = *value;
            }
            check(&bytes, extension);
        }
    }

    #[test]
    fn numbers_put_anywhere_never_panic(
        at in any::<prop::sample::Index>(),
        number in prop::sample::select(vec![
            "0", "-1", "1e9", "nan", "4294967295", "4294967296", "18446744073709551615", "\n", " ",
        ]),
    ) {
        for (extension, bytes) in samples() {
            let (head, tail) = bytes.split_at(at.index(bytes.len()));
            check(&[head, number.as_bytes(), tail].concat(), extension);
        }
    }

    #[test]
    fn noise_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for extension in ["ply", "stl", "off", "npy", "glb", "las", "pcd", "npz", ""] {
            check(&bytes, extension);
        }
    }
}

#[test]
fn the_examples_are_read_whole() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../assets/examples");
    // Vertices and triangles, 0 for a cloud.
    for (name, vertices, triangles) in [
        ("chair.ply", 1485, 2998),
        ("truck.ply", 1349, 2289),
        ("teddy-bear-cloud.ply", 12_000, 0),
        ("horse-cloud-ascii.ply", 5000, 0),
        ("guitar.obj", 1649, 2979),
        ("sofa.obj", 1738, 3000),
        ("piano.off", 1578, 2999),
        ("biplane.glb", 1607, 3000),
        ("umbrella.stl", 9000, 3000),
        ("toilet-cloud.xyz", 5000, 0),
    ] {
        let shape = read_path(folder.join(name)).unwrap();
        let read = match &shape {
            Shape::Mesh(mesh) => (mesh.positions.len(), mesh.triangles.len()),
            Shape::Cloud(cloud) => (cloud.positions.len(), 0),
        };
        assert_eq!(read, (vertices, triangles), "{name}");
        let normals = matches!(&shape, Shape::Cloud(cloud) if cloud.normals.is_some());
        assert_eq!(normals, name == "teddy-bear-cloud.ply", "{name}");
        shape.validate_extent().unwrap();
    }
}

#[test]
fn the_name_comes_before_the_reason() {
    let missing = read_path("no/such.ply").unwrap_err().to_string();
    assert!(missing.starts_with("no/such.ply: "), "{missing}");
    assert!(
        missing.ends_with("; check the path and its permissions"),
        "{missing}"
    );
    let folder = read_path(env!("CARGO_MANIFEST_DIR"))
        .unwrap_err()
        .to_string();
    assert!(
        folder.ends_with(": this is a folder; give a file that is in it"),
        "{folder}"
    );
}
