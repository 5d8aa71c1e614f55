//! Files written by hand in several versions.

use crate::read::read_bytes;
use crate::{PointCloud, Shape};

/// A file with the given points (x, y, z in hundredths; colour) in one of the point formats.
pub(in crate::read) fn las(minor: u8, format: u8, points: &[([i32; 3], [u16; 3])]) -> Vec<u8> {
    let (stride, color) = match format {
        0 => (20, None),
        2 => (26, Some(20)),
        7 => (36 + 3, Some(30)),
        other => panic!("{other}"),
    };
    let size = if minor >= 4 { 375 } else { 227 };
    let mut file = vec![0; size];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"LASF");
    put(24, &[1, minor]);
    put(94, &(size as u16).to_le_bytes());
    put(96, &(size as u32).to_le_bytes());
    put(104, &[format]);
    put(105, &(stride as u16).to_le_bytes());
    if minor >= 4 {
        put(247, &(points.len() as u64).to_le_bytes());
    } else {
        put(107, &(points.len() as u32).to_le_bytes());
    }
    for (k, offset) in [500_000.0_f64, 0.0, -3.0].into_iter().enumerate() {
        put(131 + 8 * k, &0.01_f64.to_le_bytes());
        put(155 + 8 * k, &offset.to_le_bytes());
    }
    for (position, rgb) in points {
        let mut point = vec![0; stride];
        for k in 0..3 {
            point[4 * k..4 * k + 4].copy_from_slice(&position[k].to_le_bytes());
            if let Some(color) = color {
                point[color + 2 * k..color + 2 * k + 2].copy_from_slice(&rgb[k].to_le_bytes());
            }
        }
        file.extend(point);
    }
    file
}

pub(super) const POINTS: [([i32; 3], [u16; 3]); 2] = [
    ([25, 100, 300], [65_535, 0, 257]),
    ([26, -100, 0], [0, 65_535, 0]),
];

pub(in crate::read) fn samples() -> [Vec<u8>; 3] {
    [las(2, 0, &POINTS), las(2, 2, &POINTS), las(4, 7, &POINTS)]
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
fn versions_and_formats() {
    for (at, file) in samples().iter().enumerate() {
        let cloud = cloud(file);
        // Moved by 500,000 along x, where this is a survey.
        assert_eq!(cloud.positions, [[0.25, 1.0, 0.0], [0.26, -1.0, -3.0]]);
        let colors = (at > 0).then_some(vec![[255, 0, 1], [0, 255, 0]]);
        assert_eq!(cloud.colors, colors);
    }
    let black = [([0, 0, 0], [0; 3]), ([1, 0, 0], [0; 3])];
    assert_eq!(cloud(&las(2, 2, &black)).colors, None);
    let bytes = [([0, 0, 0], [1, 2, 3]), ([1, 0, 0], [200, 0, 0])];
    assert_eq!(
        cloud(&las(2, 2, &bytes)).colors.unwrap(),
        [[1, 2, 3], [200, 0, 0]]
    );
}

#[test]
fn damage_is_named() {
    let [file, ..] = samples();
    assert!(
        said(&file[..150]).contains("it ends within its header"),
        "{}",
        said(&file[..150])
    );
    assert!(said(&file[..file.len() - 1]).contains("promises 2 points, but there are 1"));
    let edit = |at: usize, bytes: &[u8]| {
        let mut file = file.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        said(&file)
    };
    assert!(edit(107, &u32::MAX.to_le_bytes()).contains("promises 4294967295 points"));
    assert!(edit(96, &u32::MAX.to_le_bytes()).contains("but there are 0"));
    assert!(edit(104, &[63]).contains("its points have format 63, which is unknown"));
    assert!(edit(131, &f64::NAN.to_le_bytes()).contains("vertex 0 has a coordinate that is NaN"));
    assert!(
        edit(105, &[0, 0]).contains("it ends before the last of 2 points"),
        "{}",
        edit(105, &[0, 0])
    );
    assert!(edit(107, &[0; 4]).contains("it holds no points"));
    #[cfg(not(feature = "laz"))]
    assert!(edit(104, &[0x80]).contains("LAZ, compressed LAS, which this build does not read"));
    #[cfg(feature = "laz")]
    assert!(edit(104, &[0x80]).contains("it has no record about its compression"));
}
