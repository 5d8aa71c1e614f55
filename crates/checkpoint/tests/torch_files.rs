//! Files that PyTorch wrote (tests/fixtures/make.py) give the tensors that it put in.

use std::path::{Path, PathBuf};

use candle_core::{DType, Device};
use checkpoint::{Checkpoint, Form, StoredType};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures/torch")
        .join(name)
}

fn open(name: &str) -> Checkpoint {
    Checkpoint::open(fixture(name)).unwrap()
}

/// All values exactly: f64 holds every type but 64-bit integers, which i64 holds.
fn values(file: &Checkpoint, name: &str) -> Vec<String> {
    let stored = file.info(name).unwrap().stored;
    let exact = if stored.is_float() {
        DType::F64
    } else {
        DType::I64
    };
    let tensor = file
        .tensor(name, exact, &Device::Cpu)
        .unwrap()
        .flatten_all()
        .unwrap();
    if stored.is_float() {
        tensor
            .to_vec1::<f64>()
            .unwrap()
            .iter()
            .map(f64::to_string)
            .collect()
    } else {
        tensor
            .to_vec1::<i64>()
            .unwrap()
            .iter()
            .map(i64::to_string)
            .collect()
    }
}

/// `name` + each name of the expected tensors gives the expected values.
fn assert_expected(file: &Checkpoint, prefix: &str, newer: bool) {
    let expected = open("expected.safetensors");
    let mut compared = 0;
    for name in expected.names() {
        let is_newer = ["uint16", "uint32", "uint64"].contains(&name) || name.starts_with("float8");
        if is_newer && !newer {
            continue;
        }
        let found = format!("{prefix}{name}");
        assert_eq!(
            file.info(&found),
            expected.info(name),
            "{name} in {}",
            file.name()
        );
        assert_eq!(
            values(file, &found),
            values(&expected, name),
            "{name} in {}",
            file.name()
        );
        compared += 1;
    }
    assert_eq!(compared, if newer { 22 } else { 17 });
}

#[test]
fn every_type_and_view_comes_out_of_a_zip_archive() {
    let file = open("zip.pt");
    assert_eq!(file.form(), Form::TorchZip);
    assert_eq!(file.names().len(), 17);
    assert_eq!(file.info("transposed").unwrap().shape, [4, 6]);
    assert_expected(&file, "", false);
    assert_expected(&open("protocol4.pt"), "", false);
    assert_expected(&open("newer_types.pt"), "", true);
}

#[test]
fn compressed_archives_are_unpacked() {
    assert_expected(&open("deflated.pt"), "", false);
}

#[test]
fn the_older_form_gives_the_same() {
    let file = open("legacy.pt");
    assert_eq!(file.form(), Form::TorchLegacy);
    assert_expected(&file, "", false);
}

#[test]
fn the_weights_of_a_training_state_are_taken() {
    let file = open("nested.ckpt");
    assert_expected(&file, "module.", false);
}

#[test]
fn torch_script_modules_are_walked_by_attribute() {
    let file = open("script.pt");
    assert_eq!(file.form(), Form::TorchScript);
    assert_expected(&file, "a_", false);
    assert_eq!(
        values(&file, "inner.weight"),
        ["0", "1", "2", "3", "4", "5"]
    );
}

#[test]
fn a_module_that_was_saved_whole_gives_its_state() {
    let file = open("module.pt");
    let names: Vec<_> = file.names().collect();
    let norm = [
        "bias",
        "num_batches_tracked",
        "running_mean",
        "running_var",
        "weight",
    ];
    let expected: Vec<_> = ["0.bias".to_owned(), "0.weight".to_owned()]
        .into_iter()
        .chain(norm.map(|n| format!("1.{n}")))
        .collect();
    assert_eq!(names, expected);
    assert_eq!(values(&file, "0.weight"), ["0", "1", "2", "3", "4", "5"]);
    assert_eq!(
        file.info("1.num_batches_tracked").unwrap().stored,
        StoredType::I64
    );
}

#[test]
fn shards_are_joined_by_their_index() {
    let file = open("sharded");
    assert_eq!(file.form(), Form::Sharded);
    assert_expected(&file, "", false);
    let same = open("sharded/pytorch_model.bin.index.json");
    assert_eq!(same.names().len(), 17);
}

#[test]
fn a_missing_shard_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let index = "pytorch_model.bin.index.json";
    std::fs::copy(fixture("sharded").join(index), folder.path().join(index)).unwrap();
    let said = Checkpoint::open(folder.path()).unwrap_err().to_string();
    assert!(
        said.contains("`pytorch_model-00001-of-00002.bin`, which is not there"),
        "{said}"
    );
}

#[test]
fn files_of_big_endian_machines_are_turned_around() {
    // {"w": FloatTensor(storage "0", 2 elements)} as such a machine saves it.
    let tree = b"\x80\x02}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n(\
        (X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x02tQ\
        K\0K\x02\x85K\x01\x85\x89}tRs.";
    let storage: Vec<u8> = [1.5_f32, -2.0]
        .iter()
        .flat_map(|v| v.to_be_bytes())
        .collect();
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, data) in [
        ("m/data.pkl", &tree[..]),
        ("m/byteorder", b"big"),
        ("m/data/0", storage.as_slice()),
    ] {
        zip.start_file(name, options).unwrap();
        std::io::Write::write_all(&mut zip, data).unwrap();
    }
    let file = zip.finish().unwrap().into_inner();
    let file = Checkpoint::from_bytes(file, "big.pt").unwrap();
    assert_eq!(values(&file, "w"), ["1.5", "-2"]);
}
