//! Files written by hand in every encoding.

use super::lzf;
use crate::read::read_bytes;
use crate::{PointCloud, Shape};

const HEADER: &str = "# .PCD v0.7 - Point Cloud Data file format\nVERSION 0.7\n\
                      FIELDS rgb z y intensity x _\nSIZE 4 8 4 2 4 1\nTYPE F F F U F U\n\
                      COUNT 1 1 1 1 1 3\nWIDTH 3\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS 3\n";

/// x, y, z and 0xRRGGBB.
const POINTS: [([f32; 3], u32); 3] = [
    ([0.0, 0.0, 0.5], 0x010203),
    ([1.0, 0.0, 0.5], 0xFF8000),
    ([1.0, 1.5, 0.5], 0x000000),
];

/// The same cloud as text, binary and compressed.
pub(in crate::read) fn samples() -> [Vec<u8>; 3] {
    let mut ascii = format!("{HEADER}DATA ascii\n").into_bytes();
    let mut binary = format!("{HEADER}DATA binary\n").into_bytes();
    let mut fields: [Vec<u8>; 6] = Default::default();
    for ([x, y, z], rgb) in POINTS {
        let float = f32::from_bits(rgb);
        ascii.extend(format!("{float:e} {z} {y} 7 {x} 0 0 0\n").into_bytes());
        let values = [
            rgb.to_le_bytes().to_vec(),
            f64::from(z).to_le_bytes().to_vec(),
            y.to_le_bytes().to_vec(),
            7_u16.to_le_bytes().to_vec(),
            x.to_le_bytes().to_vec(),
            vec![0; 3],
        ];
        for (field, value) in fields.iter_mut().zip(values) {
            binary.extend(&value);
            field.extend(value);
        }
    }
    let unpacked = fields.concat();
    let packed = lzf::pack(&unpacked);
    let mut compressed = format!("{HEADER}DATA binary_compressed\n").into_bytes();
    compressed.extend((packed.len() as u32).to_le_bytes());
    compressed.extend((unpacked.len() as u32).to_le_bytes());
    compressed.extend(packed);
    [ascii, binary, compressed]
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
fn every_encoding_reads_the_same() {
    for file in samples() {
        let cloud = cloud(&file);
        assert_eq!(cloud.positions, POINTS.map(|(position, _)| position));
        assert_eq!(cloud.colors.unwrap(), [[1, 2, 3], [255, 128, 0], [0, 0, 0]]);
    }
}

#[test]
fn pixels_without_a_measurement_are_left_out() {
    for file in samples() {
        let text = String::from_utf8_lossy(&file).into_owned();
        let header = text[..text.find("DATA").unwrap()].len();
        let mut file = file[header..].to_vec();
        // Binary: the first point's x, y and z.
        if text.contains("DATA binary\n") {
            let at = "DATA binary\n".len();
            file[at + 4..at + 12].copy_from_slice(&f64::NAN.to_le_bytes());
            file[at + 12..at + 16].copy_from_slice(&f32::NAN.to_le_bytes());
            file[at + 18..at + 22].copy_from_slice(&f32::NAN.to_le_bytes());
        } else if text.contains("DATA ascii") {
            let line = text[header..].replace("0.5 0 7 0 0 0 0", "nan nan 7 nan 0 0 0");
            file = line.into_bytes();
        } else {
            continue;
        }
        let grid = HEADER
            .replace("WIDTH 3\nHEIGHT 1", "WIDTH 1\nHEIGHT 3")
            .into_bytes();
        let organised = cloud(&[grid, file.clone()].concat());
        assert_eq!(organised.positions, [[1.0, 0.0, 0.5], [1.0, 1.5, 0.5]]);
        assert_eq!(organised.colors.unwrap(), [[255, 128, 0], [0, 0, 0]]);
        let plain = [HEADER.as_bytes().to_vec(), file].concat();
        assert!(
            said(&plain).contains("has a coordinate that is NaN"),
            "{}",
            said(&plain)
        );
    }
}

#[test]
fn normals_and_old_headers() {
    let file = "COLUMNS x y z normal_x normal_y normal_z\nPOINTS 2\nDATA ascii\n\
                0 0 0 0 0 2\n1 1 1 0 1 0\n";
    assert_eq!(
        cloud(file.as_bytes()).normals.unwrap(),
        [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    );
}

#[test]
fn damage_is_named() {
    let [ascii, binary, compressed] = samples();
    let ascii = String::from_utf8(ascii).unwrap();
    for (from, to, expected) in [
        (
            "POINTS 3",
            "POINTS 4000000000",
            "promises 4000000000 points, but the file can hold",
        ),
        ("POINTS 3", "POINTS 4", "promises 4 points, but there are 3"),
        (
            "POINTS 3",
            "POINTS -3",
            "line 10 of its header has the unknown number `-3`",
        ),
        ("POINTS 3\n", "", ""),
        (" z ", " w ", "its fields are without x, y or z"),
        ("SIZE 4 8", "SIZE 4 3", "field `z` has type `F` of 3 bytes"),
        ("DATA ascii", "DATA morse", "unknown encoding `morse`"),
        ("DATA ascii", "DADA ascii", "unknown keyword `DADA`"),
        (
            "0.5 1.5 7 1 0 0 0",
            "0.5 1.5 7",
            "line 14 ends before its last number",
        ),
    ] {
        let file = ascii.replace(from, to);
        match read_bytes(file.as_bytes(), None) {
            // WIDTH says the same as POINTS.
            Ok(_) => assert_eq!(expected, "", "{to}"),
            Err(error) => assert!(error.to_string().contains(expected), "{to}: {error}"),
        }
    }
    assert!(said(&binary[..binary.len() - 4]).contains("it ends before the last of 3 points"));
    assert!(said(&compressed[..compressed.len() - 1]).contains("end of its compressed data"));
    // A promise that no compression keeps.
    let at = compressed
        .windows(11)
        .position(|w| w == b"compressed\n")
        .unwrap()
        + 11;
    let mut bomb = compressed.clone();
    bomb[at + 4..at + 8].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(
        said(&bomb).contains("do not decompress to the 4294967295 bytes"),
        "{}",
        said(&bomb)
    );
}
