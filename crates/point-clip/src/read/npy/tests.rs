//! Arrays as NumPy writes them.

use crate::read::read_bytes;
use crate::{PointCloud, Shape};
use half::f16;
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// An array file of version 1 with the given header values and numbers.
fn npy(descr: &str, fortran: bool, shape: &str, numbers: &[u8]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let mut header = format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}");
    header.push_str(&" ".repeat(63 - (header.len() + 10) % 64));
    header.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.bytes());
    file.extend(numbers);
    file
}

fn f32s(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn npz(members: &[(&str, Vec<u8>)], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let options = SimpleFileOptions::default().compression_method(method);
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

const POINTS: [f32; 6] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];

pub(in crate::read) fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let points = npy("'<f4'", false, "(2, 3)", &f32s(&POINTS));
    let records = "[('z', '>i2'), ('x', '|u1'), ('y', '<f8')]";
    let mut record = vec![0, 7, 3];
    record.extend(2.5_f64.to_le_bytes());
    let members = [
        ("id.npy", npy("'<i8'", false, "(2,)", &[0; 16])),
        (
            "normals.npy",
            npy(
                "'<f4'",
                false,
                "(2, 3)",
                &f32s(&[0.0, 0.0, 2.0, 1.0, 0.0, 0.0]),
            ),
        ),
        ("points.npy", points.clone()),
    ];
    vec![
        ("npy", points),
        ("npy", npy(records, false, "(1,)", &record)),
        ("npz", npz(&members, CompressionMethod::Stored)),
        ("npz", npz(&members, CompressionMethod::Deflated)),
    ]
}

fn cloud(bytes: &[u8]) -> PointCloud {
    match read_bytes(bytes, None) {
        Ok(Shape::Cloud(cloud)) => cloud,
        other => panic!("{other:?}"),
    }
}

fn said(bytes: &[u8]) -> String {
    read_bytes(bytes, None).unwrap_err().to_string()
}

#[test]
fn every_type_order_and_shape() {
    let expected = [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]];
    let across = [0.0, 3.0, 1.0, 4.0, 2.0, 5.0];
    let bytes =
        |encode: fn(f32) -> Vec<u8>| POINTS.iter().flat_map(|&v| encode(v)).collect::<Vec<_>>();
    for file in [
        npy("'<f4'", false, "(2, 3)", &f32s(&POINTS)),
        npy("'<f4'", false, "(1, 2, 3)", &f32s(&POINTS)),
        npy("'<f4'", true, "(2, 3)", &f32s(&across)),
        npy(
            "'>f4'",
            false,
            "(2, 3)",
            &bytes(|v| v.to_be_bytes().to_vec()),
        ),
        npy(
            "'<f8'",
            false,
            "(2, 3)",
            &bytes(|v| f64::from(v).to_le_bytes().to_vec()),
        ),
        npy(
            "'<f2'",
            false,
            "(2, 3)",
            &bytes(|v| f16::from_f32(v).to_le_bytes().to_vec()),
        ),
        npy("'|u1'", false, "(2, 3)", &bytes(|v| vec![v as u8])),
        npy(
            "'>i8'",
            false,
            "(2L, 3L)",
            &bytes(|v| (v as i64).to_be_bytes().to_vec()),
        ),
    ] {
        assert_eq!(cloud(&file).positions, expected);
    }
    let many: Vec<f32> = (0..120).map(|v| v as f32).collect();
    let transposed = cloud(&npy("'<f4'", false, "(3, 40)", &f32s(&many)));
    assert_eq!(transposed.positions[1], [1.0, 41.0, 81.0]);
    let transposed = cloud(&npy("'<f4'", true, "(3, 40)", &f32s(&many)));
    assert_eq!(transposed.positions[1], [3.0, 4.0, 5.0]);
}

#[test]
fn columns_are_told_by_name_or_number() {
    let rows = [0.0, 0.0, 0.0, 0.6, 0.0, 0.8, 1.0, 1.0, 1.0, 0.0, 1.0, 0.0];
    let cloud6 = cloud(&npy("'<f4'", false, "(2, 6)", &f32s(&rows)));
    assert_eq!(cloud6.normals.unwrap(), [[0.6, 0.0, 0.8], [0.0, 1.0, 0.0]]);
    let records = &samples()[1].1;
    assert_eq!(cloud(records).positions, [[3.0, 2.5, 7.0]]);
}

#[test]
fn archives_are_searched() {
    for (extension, file) in samples() {
        if extension == "npz" {
            let cloud = cloud(&file);
            assert_eq!(cloud.positions, [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]);
            assert_eq!(cloud.normals.unwrap(), [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]);
        }
    }
    let vertices = f32s(&[0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    let faces: Vec<u8> = [0_i64, 1, 2].iter().flat_map(|v| v.to_le_bytes()).collect();
    let members = [
        ("faces.npy", npy("'<i8'", false, "(1, 3)", &faces)),
        ("vertices.npy", npy("'<f4'", false, "(3, 3)", &vertices)),
        (
            "colors.npy",
            npy("'|u1'", false, "(3, 3)", &[9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ),
    ];
    let Shape::Mesh(mesh) = read_bytes(&npz(&members, CompressionMethod::Stored), None).unwrap()
    else {
        panic!("not a mesh");
    };
    assert_eq!(mesh.triangles, [[0, 1, 2]]);
    assert_eq!(mesh.colors.unwrap(), [[9, 8, 7], [6, 5, 4], [3, 2, 1]]);
}

#[test]
fn damage_is_named() {
    let short = npy("'<f4'", false, "(4000000000, 3)", &f32s(&POINTS));
    assert!(
        said(&short).contains("promises 4000000000 rows"),
        "{}",
        said(&short)
    );
    let wrapping = npy("'<f4'", false, "(18446744073709551615, 3)", &f32s(&POINTS));
    assert!(said(&wrapping).contains("promises 18446744073709551615 rows"));
    for (descr, shape, expected) in [
        ("'<f4'", "(2, 2)", "shape [2, 2], which is no cloud"),
        ("'<f4'", "(6,)", "shape [6], which is no cloud"),
        ("'<f4'", "(8, 2, 3)", "shape [8, 2, 3], which is no cloud"),
        ("'|O'", "(2, 3)", "its array is of `|O`"),
        ("[('a', '<f4')]", "(2,)", "which is no cloud"),
        ("3", "(2, 3)", "its array is of an unknown type"),
        ("'<f4'", "2", "its header cannot be understood"),
    ] {
        let file = npy(descr, false, shape, &f32s(&POINTS));
        assert!(said(&file).contains(expected), "{}", said(&file));
    }
    let nan = npy(
        "'<f4'",
        false,
        "(2, 3)",
        &f32s(&[0.0, 0.0, 0.0, 0.0, f32::NAN, 0.0]),
    );
    assert!(said(&nan).contains("vertex 1 has a coordinate that is NaN"));
    let none = npz(
        &[("readme.txt", b"hello".to_vec())],
        CompressionMethod::Stored,
    );
    assert!(said(&none).contains("a ZIP archive without arrays"));
    let flat = npz(
        &[("a.npy", npy("'<f4'", false, "(6,)", &f32s(&POINTS)))],
        CompressionMethod::Stored,
    );
    assert!(said(&flat).contains("none of its arrays is a cloud (`a`)"));
}

#[test]
fn a_bomb_is_refused() {
    let rows = 4 << 20;
    let zeros = npy("'<f4'", false, &format!("({rows}, 3)"), &vec![0; rows * 12]);
    let bomb = npz(&[("points.npy", zeros)], CompressionMethod::Deflated);
    assert!(bomb.len() < 1 << 16);
    assert!(
        said(&bomb).contains("unpack to more than 16777216 bytes"),
        "{}",
        said(&bomb)
    );
    // A header that promises more than the member has.
    let short = npy("'<f4'", false, "(1000, 3)", &f32s(&POINTS));
    let short = npz(&[("points.npy", short)], CompressionMethod::Deflated);
    assert!(said(&short).contains("promises 1000 rows, but ends before the last"));
}
