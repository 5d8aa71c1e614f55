//! Files written by hand in every encoding.

use crate::read::read_bytes;
use crate::{PointCloud, Shape, TriangleMesh};

fn shape(bytes: &[u8]) -> Shape {
    read_bytes(bytes, None).unwrap_or_else(|error| panic!("{error}"))
}

fn mesh(bytes: &[u8]) -> TriangleMesh {
    match shape(bytes) {
        Shape::Mesh(mesh) => mesh,
        Shape::Cloud(_) => panic!("not a mesh"),
    }
}

fn cloud(bytes: &[u8]) -> PointCloud {
    match shape(bytes) {
        Shape::Cloud(cloud) => cloud,
        Shape::Mesh(_) => panic!("not a cloud"),
    }
}

fn said(bytes: &[u8]) -> String {
    read_bytes(bytes, None).unwrap_err().to_string()
}

/// A mesh with every obstacle: odd order, aliases, unknown elements, lists, and quads. `numbers`
/// turns a value of a type into bytes.
fn obstacles(format: &str, numbers: impl Fn(&str, f64) -> Vec<u8>) -> Vec<u8> {
    let mut file = format!(
        "ply\nformat {format} 1.0\ncomment made by hand\nobj_info none\n\
         element camera 1\nproperty float view_px\nproperty list uchar short lenses\n\
         element vertex 4\nproperty uchar diffuse_red\nproperty double z\nproperty float x\n\
         property uchar diffuse_green\nproperty list uchar uint neighbours\nproperty float y\n\
         property uchar diffuse_blue\n\
         element face 2\nproperty uchar flags\nproperty list uint int vertex_index\n\
         property list uchar float texcoord\n\
         element edge 100\nproperty int vertex1\nend_header\n"
    )
    .into_bytes();
    let mut row = |values: &[(&str, f64)]| {
        for &(kind, value) in values {
            file.extend(numbers(kind, value));
        }
        if format == "ascii" {
            file.push(b'\n');
        }
    };
    row(&[
        ("float", 0.5),
        ("uchar", 2.0),
        ("short", -7.0),
        ("short", 8.0),
    ]);
    for (i, [x, y, z]) in [
        [0.0, 0.0, 0.5],
        [1.0, 0.0, 0.5],
        [1.0, 1.0, 0.5],
        [0.0, 1.0, 0.5],
    ]
    .into_iter()
    .enumerate()
    {
        let color = 10.0 * i as f64;
        let mut values = vec![
            ("uchar", color),
            ("double", z),
            ("float", x),
            ("uchar", color + 1.0),
        ];
        values.push(("uchar", i as f64));
        values.extend((0..i).map(|n| ("uint", n as f64)));
        values.extend([("float", y), ("uchar", color + 2.0)]);
        row(&values);
    }
    let corner = |i| ("int", i);
    row(&[
        ("uchar", 1.0),
        ("uint", 4.0),
        corner(0.0),
        corner(1.0),
        corner(2.0),
        corner(3.0),
        ("uchar", 1.0),
        ("float", 0.25),
    ]);
    row(&[
        ("uchar", 1.0),
        ("uint", 3.0),
        corner(3.0),
        corner(1.0),
        corner(0.0),
        ("uchar", 0.0),
    ]);
    file
}

fn binary(kind: &str, value: f64, big: bool) -> Vec<u8> {
    let mut bytes = match kind {
        "uchar" => vec![value as u8],
        "short" => (value as i16).to_le_bytes().to_vec(),
        "int" => (value as i32).to_le_bytes().to_vec(),
        "uint" => (value as u32).to_le_bytes().to_vec(),
        "float" => (value as f32).to_le_bytes().to_vec(),
        "double" => value.to_le_bytes().to_vec(),
        other => panic!("{other}"),
    };
    if big {
        bytes.reverse();
    }
    bytes
}

pub(in crate::read) fn samples() -> [Vec<u8>; 3] {
    [
        obstacles("ascii", |_, value| format!("{value} ").into_bytes()),
        obstacles("binary_little_endian", |kind, value| {
            binary(kind, value, false)
        }),
        obstacles("binary_big_endian", |kind, value| binary(kind, value, true)),
    ]
}

#[test]
fn every_encoding_reads_the_same() {
    for file in samples() {
        let mesh = mesh(&file);
        assert_eq!(
            mesh.positions,
            [
                [0.0, 0.0, 0.5],
                [1.0, 0.0, 0.5],
                [1.0, 1.0, 0.5],
                [0.0, 1.0, 0.5]
            ]
        );
        assert_eq!(mesh.triangles, [[0, 1, 2], [0, 2, 3], [3, 1, 0]]);
        assert_eq!(
            mesh.colors.unwrap(),
            [[0, 1, 2], [10, 11, 12], [20, 21, 22], [30, 31, 32]]
        );
    }
}

#[test]
fn line_ends_of_any_system() {
    let unix = "ply\nformat ascii 1.0\nelement vertex 2\nproperty float x\nproperty float y\n\
                property float z\nend_header\n0 0 0\n1 2 3\n";
    for end in ["\n", "\r\n", "\r"] {
        let file = unix.replace('\n', end);
        assert_eq!(
            cloud(file.as_bytes()).positions,
            [[0.0; 3], [1.0, 2.0, 3.0]],
            "{end:?}"
        );
    }
    for end in ["\n", "\r\n", "\r"] {
        let header = unix
            .replace("ascii", "binary_little_endian")
            .replace('\n', end);
        let header = header.split("0 0 0").next().unwrap();
        let mut file = header.as_bytes().to_vec();
        for v in [13.0_f32, 0.0, 0.0, 1.0, 2.0, 3.0] {
            file.extend(v.to_le_bytes());
        }
        assert_eq!(cloud(&file).positions[1], [1.0, 2.0, 3.0], "{end:?}");
    }
}

#[test]
fn normals_and_colours_of_any_type() {
    let file = "ply\nformat ascii 1.0\nelement vertex 2\nproperty float x\nproperty float y\n\
                property float z\nproperty float normal_x\nproperty float normal_y\n\
                property float normal_z\nproperty float r\nproperty float g\nproperty float b\n\
                end_header\n0 0 0 0 0 2 0 0.5 1\n1 2 3 3 0 4 0 0 0\n";
    let read = cloud(file.as_bytes());
    assert_eq!(read.normals.unwrap(), [[0.0, 0.0, 1.0], [0.6, 0.0, 0.8]]);
    assert_eq!(read.colors.unwrap(), [[0, 128, 255], [0, 0, 0]]);
    // In whole numbers 1 is nearly black.
    let dark = file
        .replace("float r", "uchar r")
        .replace("0.5 1\n", "1 1\n");
    assert_eq!(cloud(dark.as_bytes()).colors.unwrap()[0], [0, 1, 1]);
}

#[test]
fn triangle_strips() {
    let file = "ply\nformat ascii 1.0\nelement vertex 5\nproperty float x\nproperty float y\n\
                property float z\nelement tristrips 1\nproperty list int int vertex_indices\n\
                end_header\n0 0 0\n1 0 0\n0 1 0\n1 1 0\n2 2 2\n9 0 1 2 3 -1 2 3 4 -1\n";
    assert_eq!(
        mesh(file.as_bytes()).triangles,
        [[0, 1, 2], [2, 1, 3], [2, 3, 4]]
    );
}

#[test]
fn rows_may_go_on_in_the_next_line() {
    let file = "ply\nformat ascii 1.0\nelement vertex 2\nproperty float x\nproperty float y\n\
                property float z\nend_header\n\n0 0\n0\n\n1 2 3";
    assert_eq!(cloud(file.as_bytes()).positions[1], [1.0, 2.0, 3.0]);
}

#[test]
fn faces_may_come_first_and_may_be_none() {
    let file = "ply\nformat ascii 1.0\nelement face 1\nproperty list uchar int vertex_indices\n\
                element vertex 3\nproperty float x\nproperty float y\nproperty float z\n\
                end_header\n3 0 1 2\n0 0 0\n1 0 0\n0 1 0\n";
    assert_eq!(mesh(file.as_bytes()).triangles, [[0, 1, 2]]);
    let none = file.replace("face 1", "face 0").replace("3 0 1 2\n", "");
    assert_eq!(cloud(none.as_bytes()).positions.len(), 3);
}

#[test]
fn damage_is_named() {
    let sound = "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\n\
                 property float z\nelement face 1\nproperty list uchar int vertex_indices\n\
                 end_header\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n";
    assert_eq!(mesh(sound.as_bytes()).triangles.len(), 1);
    for (from, to, expected) in [
        (
            "vertex 3",
            "vertex 4000000000",
            "promises 4000000000 of element `vertex`, but the file can hold 4 at most",
        ),
        (
            "vertex 3",
            "vertex 18446744073709551616",
            "line 3 of its header has the unknown count",
        ),
        ("vertex 3", "vertex -3", "unknown count `-3`"),
        (
            "vertex 3",
            "vertex 4",
            "line 13 goes on with `2` after its last property",
        ),
        (
            "ascii",
            "utf8",
            "line 2 of its header has the unknown encoding `utf8`",
        ),
        (
            "float z",
            "float w",
            "its vertices have no properties x, y and z",
        ),
        ("float z", "string z", "unknown type `string`"),
        (
            "element vertex",
            "element vortex",
            "its header has no element named vertex",
        ),
        ("end_header", "endheader", "unknown keyword `endheader`"),
        ("1 0 0", "1 nan 0", "line 11 has a coordinate that is NaN"),
        (
            "1 0 0",
            "1 zero 0",
            "line 11 has `zero` where a number belongs",
        ),
        (
            "1 0 0",
            "1 0 0 0",
            "line 11 goes on with `0` after its last property",
        ),
        (
            "3 0 1 2",
            "3 0 1 3",
            "line 13 refers to vertex 3 (from 0), but there are 3",
        ),
        ("3 0 1 2", "3 0 1 -1", "line 13 refers to vertex -1"),
        (
            "3 0 1 2",
            "4 0 1 2",
            "promises 1 of element `face`, but the file ends after 0",
        ),
        ("3 0 1 2", "-3 0 1 2", "line 13 has a list of length -3"),
    ] {
        let file = sound.replace(from, to);
        assert!(
            said(file.as_bytes()).contains(expected),
            "{to}: {}",
            said(file.as_bytes())
        );
    }
    assert!(said(b"ply").contains("its header has no end_header line"));
}

#[test]
fn a_binary_header_cannot_promise_more_than_there_is() {
    for count in [2_u64, 4_000_000_000, u64::MAX] {
        let mut file = format!(
            "ply\nformat binary_little_endian 1.0\nelement vertex {count}\nproperty float x\n\
             property float y\nproperty float z\nend_header\n"
        )
        .into_bytes();
        file.extend([0; 12 + 11]);
        assert!(
            said(&file).contains("but the file can hold 1 at most"),
            "{}",
            said(&file)
        );
    }
    // Rows without properties take no bytes, and no time.
    let empty = "ply\nformat ascii 1.0\nelement nothing 18446744073709551615\nelement vertex 1\n\
                 property float x\nproperty float y\nproperty float z\nend_header\n1 2 3\n";
    assert_eq!(cloud(empty.as_bytes()).positions, [[1.0, 2.0, 3.0]]);
    let binary = empty
        .replace("ascii", "binary_big_endian")
        .replace("1 2 3\n", "abcdefghijkl");
    assert_eq!(cloud(binary.as_bytes()).positions.len(), 1);
}

#[test]
fn a_truncated_list_names_its_row() {
    let [_, little, _] = samples();
    // The second face, and the edges after it, which nobody needs.
    let cut = &little[..little.len() - 5];
    assert!(said(cut).contains("promises 2 of element `face`, but the file ends after 1"));
}
