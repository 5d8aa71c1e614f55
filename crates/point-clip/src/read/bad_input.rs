//! What is printed for the files that people give by mistake.

use super::read_path;
use std::fs;

const PLY: &str = "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\n\
                   property float z\nend_header\n";
const BINARY: &str = "ply\nformat binary_little_endian 1.0\nelement vertex 4000000000\n\
                      property float x\nproperty float y\nproperty float z\nend_header\n";
const POINTER: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1\n";
const PAGE: &str = "<!DOCTYPE html>\n<html><head><title>404</title></head></html>\n";

#[test]
fn each_is_one_line_with_the_file_and_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let ply = |rows: &str| format!("{PLY}{rows}").into_bytes();
    let promised = [BINARY.as_bytes(), &[0; 120]].concat();
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        (
            "empty.ply",
            vec![],
            "the file is empty; export or download it again",
        ),
        (
            "empty.stl",
            vec![],
            "the file is empty; export or download it again",
        ),
        (
            "truncated.ply",
            ply("0 0 0\n1 0 0\n"),
            "damaged PLY: the header promises 3 of element `vertex`, but the file can hold 2 at \
             most; export or download the file again",
        ),
        (
            "header.ply",
            PLY.replace("end_header\n", "").into_bytes(),
            "damaged PLY: its header has no end_header line; export or download the file again",
        ),
        (
            "promises.ply",
            promised,
            "damaged PLY: the header promises 4000000000 of element `vertex`, but the file can \
             hold 10 at most; export or download the file again",
        ),
        (
            "promises.off",
            b"OFF\n4000000000 1 0\n0 0 0\n".to_vec(),
            "damaged OFF: line 2 promises 4000000000 rows, more than the file can hold; export or \
             download the file again",
        ),
        (
            "nan.ply",
            ply("0 0 0\n1 nan 0\n0 1 0\n"),
            "line 9 has a coordinate that is NaN, infinite or beyond single precision; remove \
             such points and save the file again",
        ),
        (
            "infinite.xyz",
            b"0 0 0\n-inf 0 0\n".to_vec(),
            "line 2 has a coordinate that is NaN, infinite or beyond single precision; remove \
             such points and save the file again",
        ),
        (
            "none.ply",
            PLY.replace("vertex 3", "vertex 0").into_bytes(),
            "it holds no points; give a file with a surface or a cloud",
        ),
        (
            "picture.ply",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(),
            "this is a PNG picture; give a cloud or a mesh, or use `classify` for pictures",
        ),
        (
            "photo.stl",
            b"\xFF\xD8\xFF\xE0\0\x10JFIF\0".to_vec(),
            "this is a JPEG picture; give a cloud or a mesh, or use `classify` for pictures",
        ),
        (
            "pointer.pcd",
            POINTER.into(),
            "this is a git-LFS pointer, not the file; run `git lfs pull`",
        ),
        (
            "page.xyz",
            PAGE.into(),
            "this is a web page, not the file; download the file itself",
        ),
        (
            "page.stl",
            PAGE.into(),
            "this is a web page, not the file; download the file itself",
        ),
    ];
    for (name, content, reason) in cases {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        let said = read_path(&path).unwrap_err().to_string();
        assert_eq!(said, format!("{}: {reason}", path.display()));
    }
}

/// Readable files in which there is nothing to see; what is said has no file, which the caller
/// knows.
#[test]
fn shapes_without_extent_are_told() {
    for (rows, reason) in [
        (
            "1 2 3\n",
            "it holds a single point; give a shape that has an extent",
        ),
        (
            "1 2 3\n1 2 3\n",
            "all 2 points lie in one place; give a shape that has an extent",
        ),
    ] {
        let shape = super::read_bytes(rows.as_bytes(), None).unwrap();
        assert_eq!(shape.validate_extent().unwrap_err().to_string(), reason);
    }
}
