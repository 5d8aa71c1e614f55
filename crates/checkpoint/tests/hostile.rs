//! Files that lie. Each is refused with one clear line, in little memory and time; nothing panics
//! and nothing is run.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use candle_core::{DType, Device};
use checkpoint::{Checkpoint, Lora};
use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

/// Bytes that a refusal may take beside [`FACTOR`] times the file.
const MEMORY: u64 = 64 << 20;
const FACTOR: u64 = 4;

fn field(name: &str) -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find(|l| l.starts_with(name))?;
    line.split_whitespace()
        .nth(1)?
        .parse::<u64>()
        .ok()
        .map(|kib| kib * 1024)
}

/// Processor time of this process in seconds.
fn cpu_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = text.rsplit(')').next()?.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(ticks as f64 / 100.0)
}

/// Opens a file, and if that works reads everything in it. Gives the message of the refusal, and
/// checks what it took.
fn refusal(name: &str, path: &Path) -> String {
    let len = std::fs::metadata(path).map_or(0, |m| m.len());
    // Writing 5 resets the peak; where that is not to be had the bound is only looser.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let (before, started) = (field("VmRSS:"), cpu_seconds());
    let message = match read_all(path) {
        Ok(()) => panic!("{name} was read"),
        Err(message) => message,
    };
    if let (Some(before), Some(peak)) = (before, field("VmHWM:")) {
        let took = peak.saturating_sub(before);
        assert!(
            took <= MEMORY + FACTOR * len,
            "{name}: {took} bytes for a file of {len}"
        );
    }
    if let (Some(started), Some(ended)) = (started, cpu_seconds()) {
        assert!(ended - started <= 1.0, "{name}: {} s", ended - started);
    }
    assert_eq!(message.lines().count(), 1, "{name}: {message}");
    assert!(
        message.chars().all(|c| !c.is_control()),
        "{name}: {message:?}"
    );
    assert!(message.len() < 600, "{name}: {message}");
    let file = path.display().to_string();
    assert!(
        message.starts_with(&file),
        "{name} names its file: {message}"
    );
    assert!(message.contains("; "), "{name} says what to do: {message}");
    message
}

fn read_all(path: &Path) -> Result<(), String> {
    let file = Checkpoint::open(path).map_err(|e| e.to_string())?;
    for name in file.names() {
        let dtype = file.info(name).map_or(DType::F32, |i| i.dtype);
        file.tensor(name, dtype, &Device::Cpu)
            .map_err(|e| e.to_string())?;
    }
    file.clip(Lora::Merge).map(drop).map_err(|e| e.to_string())
}

/// A folder to write hostile files to.
struct Den(tempfile::TempDir);

impl Den {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, data: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, data).unwrap();
        path
    }

    /// The refusal of a file with these bytes.
    fn refusal(&self, name: &str, data: &[u8]) -> String {
        refusal(name, &self.write(name, data))
    }
}

/// A pickle, written instruction by instruction.
#[derive(Clone, Default)]
struct Program(Vec<u8>);

impl Program {
    fn new() -> Self {
        Self(b"\x80\x02".to_vec())
    }

    fn op(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn text(self, text: &str) -> Self {
        self.op(b"X")
            .op(&(text.len() as u32).to_le_bytes())
            .op(text.as_bytes())
    }

    fn int(self, n: i64) -> Self {
        self.op(&[0x8a, 8]).op(&n.to_le_bytes())
    }

    fn tuple(self, numbers: &[i64]) -> Self {
        numbers
            .iter()
            .fold(self.op(b"("), |program, n| program.int(*n))
            .op(b"t")
    }

    /// A tensor of `class` elements from storage `key` of `count` elements.
    fn tensor(
        self,
        class: &str,
        key: &str,
        count: i64,
        start: i64,
        shape: &[i64],
        strides: &[i64],
    ) -> Self {
        self.op(b"ctorch._utils\n_rebuild_tensor_v2\n((")
            .text("storage")
            .op(format!("ctorch\n{class}\n").as_bytes())
            .text(key)
            .text("cpu")
            .int(count)
            .op(b"tQ")
            .int(start)
            .tuple(shape)
            .tuple(strides)
            .op(b"\x89}tR")
    }

    fn end(self) -> Vec<u8> {
        self.op(b".").0
    }
}

/// A dict with one tensor.
fn one(class: &str, key: &str, count: i64, start: i64, shape: &[i64], strides: &[i64]) -> Vec<u8> {
    let dict = Program::new().op(b"}").text("w");
    dict.tensor(class, key, count, start, shape, strides)
        .op(b"s")
        .end()
}

/// A zip archive as `torch.save` writes it.
fn archive(entries: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, data) in entries {
        zip.start_file(format!("archive/{name}"), options).unwrap();
        zip.write_all(data).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn torch_zip(program: &[u8], storage: &[u8]) -> Vec<u8> {
    archive(
        &[("data.pkl", program), ("data/0", storage)],
        CompressionMethod::Stored,
    )
}

/// The form of PyTorch before 1.6: the tree, the keys of the storages, what follows them.
fn legacy(program: &[u8], keys: &[&str], tail: &[u8]) -> Vec<u8> {
    let mut out = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.".to_vec();
    out.extend_from_slice(b"\x80\x02M\xe9\x03.");
    out.extend(
        Program::new()
            .op(b"}")
            .text("little_endian")
            .op(b"\x88s")
            .end(),
    );
    out.extend_from_slice(program);
    let list = keys
        .iter()
        .fold(Program::new().op(b"]("), |p, key| p.text(key));
    out.extend(list.op(b"e").end());
    out.extend_from_slice(tail);
    out
}

fn safetensors(header: &str, body: &[u8]) -> Vec<u8> {
    let mut out = (header.len() as u64).to_le_bytes().to_vec();
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(body);
    out
}

/// All in one test: memory is measured for the whole process.
#[test]
fn hostile_files_are_refused() {
    let den = Den::new();
    code(&den);
    bombs(&den);
    lying_tensors(&den);
    lying_safetensors(&den);
    lying_archives(&den);
    lying_folders(&den);
    other_things(&den);
    cut_short(&den);
}

/// Programs that would run something.
fn code(den: &Den) {
    let call = Program::new()
        .op(b"cos\nsystem\n(")
        .text("touch /tmp/ran")
        .op(b"tR")
        .end();
    for (name, data) in [
        ("zip.pth", torch_zip(&call, b"")),
        ("old.pth", legacy(&call, &[], b"")),
    ] {
        let said = den.refusal(name, &data);
        assert!(
            said.contains("`os.system`") && said.contains("nothing was run"),
            "{said}"
        );
    }
    for (module, function) in [
        ("builtins", "eval"),
        ("__builtin__", "exec"),
        ("nt", "system"),
        ("runpy", "_run_code"),
        ("torch.hub", "load"),
        ("torch", "load"),
        ("torch.storage", "_load_from_bytes"),
    ] {
        let program = Program::new()
            .op(format!("c{module}\n{function}\n").as_bytes())
            .op(b"(")
            .text("x")
            .op(b"tR")
            .end();
        let said = den.refusal("call.pt", &torch_zip(&program, b""));
        assert!(said.contains(&format!("`{module}.{function}`")), "{said}");
    }
    let escape = Program::new().op(b"c\x1b[2Jevil\nname\n)R").end();
    assert!(
        den.refusal("terminal.pt", &torch_zip(&escape, b""))
            .contains("\\u{1b}")
    );
}

/// Small files that claim or unfold to much.
fn bombs(den: &Den) {
    let claim = b"\x80\x02X\xff\xff\xff\xffabcdefghijklmnopqrstuvw";
    assert_eq!(claim.len(), 30);
    for (name, data) in [
        ("claim.pth", torch_zip(claim, b"")),
        ("claim_old.pth", legacy(claim, &[], b"")),
    ] {
        let said = den.refusal(name, &data);
        assert!(said.contains("4294967295 bytes are promised"), "{said}");
    }
    // { "0": { "1": …, "2": the same }, "2": the same }: 2^40 paths to one tensor.
    let leaf = Program::new()
        .op(b"}")
        .text("w")
        .tensor("FloatStorage", "0", 1, 0, &[1], &[1])
        .op(b"s");
    let memo = (0..40_u8).fold(leaf, |p, i| {
        p.op(&[b'q', i, b'0', b'}', b'('])
            .text("1")
            .op(&[b'h', i])
            .text("2")
            .op(&[b'h', i])
            .op(b"u")
    });
    let said = den.refusal("memo.pth", &torch_zip(&memo.end(), &[0; 4]));
    assert!(said.contains("without end"), "{said}");
    // A dict that holds itself.
    let knot = Program::new()
        .op(b"}q\0")
        .text("a")
        .op(b"h\0s")
        .text("b")
        .op(b"h\0s")
        .end();
    assert!(
        den.refusal("knot.pth", &torch_zip(&knot, b""))
            .contains("without end")
    );
    // 400 000 lists inside each other, and as many dicts.
    let lists = [
        b"\x80\x02".as_slice(),
        &b"]".repeat(400_000),
        &b"a".repeat(399_999),
        b".",
    ]
    .concat();
    assert!(
        den.refusal("lists.pth", &torch_zip(&lists, b""))
            .contains("without end")
    );
    let dicts = Program::new()
        .op(&b"}K\x01".repeat(300_000))
        .op(b"}")
        .op(&b"s".repeat(300_000))
        .end();
    assert!(
        den.refusal("dicts.pth", &torch_zip(&dicts, b""))
            .contains("without end")
    );
    let values = [b"\x80\x02(".as_slice(), &b"N".repeat(5_000_000), b"t."].concat();
    assert!(
        den.refusal("values.pth", &legacy(&values, &[], b""))
            .contains("more than 1048576 values")
    );
    let memos = [b"\x80\x04".as_slice(), &b"N\x94".repeat(4_000_000), b"."].concat();
    assert!(
        den.refusal("memos.pth", &torch_zip(&memos, b""))
            .contains("more than 1048576 values")
    );

    // Zeros pack a thousandfold: as the tree, and as a storage.
    let zeros = vec![0; 200 << 20];
    let tree = archive(&[("data.pkl", &zeros)], CompressionMethod::Deflated);
    assert!(tree.len() < 1 << 20);
    let said = den.refusal("bomb_tree.pth", &tree);
    assert!(
        said.contains("claims to unpack to 209715200 bytes"),
        "{said}"
    );
    let program = one("ByteStorage", "0", 200 << 20, 0, &[200 << 20], &[1]);
    let storage = archive(
        &[("data.pkl", &program), ("data/0", &zeros)],
        CompressionMethod::Deflated,
    );
    assert!(
        den.refusal("bomb_storage.pth", &storage)
            .contains("claims to unpack")
    );
    // The same with a directory that claims less than there is.
    let mut liar = tree.clone();
    let claim = (zeros.len() as u32).to_le_bytes();
    for at in (0..liar.len() - 4).rev() {
        if liar[at..at + 4] == claim {
            liar[at..at + 4].copy_from_slice(&1000_u32.to_le_bytes());
        }
    }
    assert!(den.refusal("liar.pth", &liar).contains("entry"));
}

/// Tensors that are not what they say.
fn lying_tensors(den: &Den) {
    let storage = [0; 64];
    let said = |name: &str, program: &[u8]| den.refusal(name, &torch_zip(program, &storage));
    let huge = 1_i64 << 40;
    let wide = 6_i64 << 20;
    for (name, program, expected) in [
        (
            "wide.pt",
            one("FloatStorage", "0", 16, 0, &[wide], &[0]),
            "unfold to more than 167",
        ),
        (
            "unfold.pt",
            one("FloatStorage", "0", 16, 0, &[huge], &[0]),
            "unfold to more than",
        ),
        (
            "count.pt",
            one("FloatStorage", "0", huge, 0, &[2], &[1]),
            "its storage has 64 bytes",
        ),
        (
            "beyond.pt",
            one("FloatStorage", "0", 16, 0, &[17], &[1]),
            "beyond its storage",
        ),
        (
            "start.pt",
            one("FloatStorage", "0", 16, 16, &[1], &[1]),
            "beyond its storage",
        ),
        (
            "stride.pt",
            one("FloatStorage", "0", 16, 0, &[2], &[i64::MAX]),
            "beyond its storage",
        ),
        (
            "product.pt",
            one("FloatStorage", "0", 16, 0, &[huge, huge, 0], &[1, 1, 1]),
            "beyond",
        ),
        (
            "negative.pt",
            one("FloatStorage", "0", 16, 0, &[-1], &[1]),
            "no counts",
        ),
        (
            "rank.pt",
            one("FloatStorage", "0", 16, 0, &[2, 2], &[1]),
            "2 dimensions but 1 strides",
        ),
        (
            "key.pt",
            one("FloatStorage", "../../data.pkl", 1, 0, &[1], &[1]),
            "not in the archive",
        ),
        (
            "class.pt",
            one("LoadLibraryStorage", "0", 1, 0, &[1], &[1]),
            "unreadable type `LoadLibrary`",
        ),
    ] {
        let message = said(name, &program);
        assert!(message.contains(expected), "{message}");
    }
    // Many views of one storage.
    let views = (0..4000).fold(Program::new().op(b"}("), |p, i| {
        p.text(&i.to_string())
            .tensor("ByteStorage", "0", 1 << 20, 0, &[1 << 20], &[1])
    });
    let many = torch_zip(&views.op(b"u").end(), &vec![0; 1 << 20]);
    assert!(
        den.refusal("views.pt", &many)
            .contains("unfold to more than")
    );
    let no_call = Program::new()
        .op(b"}")
        .text("w")
        .op(b"ctorch._utils\n_rebuild_tensor_v2\n)Rs")
        .end();
    assert!(said("bare.pt", &no_call).contains("none of its tensors can be read"));

    let program = one("FloatStorage", "0", 16, 0, &[16], &[1]);
    let old = |tail: &[u8], keys: &[&str]| den.refusal("old.pt", &legacy(&program, keys, tail));
    assert!(old(&(1_u64 << 62).to_le_bytes(), &["0"]).contains("cut short"));
    assert!(old(&16_u64.to_le_bytes(), &["0"]).contains("cut short"));
    assert!(old(&[], &["nobody"]).contains("belongs to no tensor"));
    assert!(old(&[], &[]).contains("which is not there"));
}

/// Headers that are not what they say.
fn lying_safetensors(den: &Den) {
    let tensor = |name: &str, dtype: &str, shape: &str, range: &str| {
        format!(r#""{name}":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{range}}}"#)
    };
    let said = |name: &str, header: &str, body: usize| {
        den.refusal(name, &safetensors(header, &vec![0; body]))
    };
    let two = |a: &str, b: &str| format!("{{{a},{b}}}");
    let overlap = two(
        &tensor("a", "F32", "[2]", "[0,8]"),
        &tensor("b", "F32", "[2]", "[4,12]"),
    );
    assert!(said("overlap.safetensors", &overlap, 12).contains("overlaps"));
    let gap = two(
        &tensor("a", "F32", "[2]", "[0,8]"),
        &tensor("b", "F32", "[2]", "[16,24]"),
    );
    assert!(said("gap.safetensors", &gap, 24).contains("gap"));
    let one =
        |dtype: &str, shape: &str, range: &str| format!("{{{}}}", tensor("a", dtype, shape, range));
    assert!(said("dtype.safetensors", &one("F33", "[2]", "[0,8]"), 8).contains("F33"));
    assert!(said("tail.safetensors", &one("F32", "[200]", "[0,800]"), 700).contains("cut short"));
    let back = said("back.safetensors", &one("F32", "[2]", "[8,0]"), 8);
    assert!(back.contains("leaves a gap"), "{back}");
    let max = u64::MAX;
    let overflow = one("F32", &format!("[{max},{max}]"), "[0,8]");
    assert!(said("overflow.safetensors", &overflow, 8).contains("contradict"));
    let deep = format!("{{\"a\":{}", "[".repeat(200_000));
    assert!(said("deep.safetensors", &deep, 0).contains("header"));

    let mut huge = safetensors("{}", &[]);
    huge[..8].copy_from_slice(&(1_u64 << 39).to_le_bytes());
    assert!(
        den.refusal("huge.safetensors", &huge)
            .contains("549755813888")
    );
    huge[..8].copy_from_slice(&(1_u64 << 60).to_le_bytes());
    assert!(
        den.refusal("huger.safetensors", &huge)
            .contains("1152921504606846976")
    );
}

/// Archives that are not what they say.
fn lying_archives(den: &Den) {
    let program = one("FloatStorage", "0", 16, 0, &[16], &[1]);
    let good = torch_zip(&program, &[0; 64]);
    let plain = archive(&[("readme.txt", b"hello")], CompressionMethod::Stored);
    assert!(den.refusal("plain.zip", &plain).contains("no data.pkl"));
    let numpy = archive(&[("a.npy", b"hello")], CompressionMethod::Stored);
    assert!(den.refusal("numpy.npz", &numpy).contains("numpy"));
    let empty = torch_zip(&Program::new().op(b"}").end(), b"");
    assert!(den.refusal("empty_dict.pt", &empty).contains("no tensors"));
    // A directory that claims 65535 entries, and one of 2^40 by way of zip64.
    let end = good.len() - 22;
    let mut many = good.clone();
    many[end + 8..end + 12].fill(0xff);
    den.refusal("many.pt", &many);
    let mut zip64 = good[..end].to_vec();
    let place = zip64.len() as u64;
    zip64.extend_from_slice(b"PK\x06\x06");
    zip64.extend_from_slice(&44_u64.to_le_bytes());
    zip64.extend_from_slice(&[45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for number in [1_u64 << 40, 1 << 40, 1 << 60, 100] {
        zip64.extend_from_slice(&number.to_le_bytes());
    }
    zip64.extend_from_slice(b"PK\x06\x07\0\0\0\0");
    zip64.extend_from_slice(&place.to_le_bytes());
    zip64.extend_from_slice(&[1, 0, 0, 0]);
    zip64.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    zip64.extend_from_slice(&[0xff; 12]);
    zip64.extend_from_slice(&[0, 0]);
    assert!(den.refusal("zip64.pt", &zip64).contains("archive"));
}

/// Folders and indexes that reach elsewhere.
fn lying_folders(den: &Den) {
    for name in ["../secret.bin", "/etc/passwd", "a/../../b.bin", "C:\\x.bin"] {
        let index = serde_json::json!({"weight_map": {"w": name}}).to_string();
        let said = den.refusal("model.safetensors.index.json", index.as_bytes());
        assert!(said.contains("not a file beside it"), "{said}");
    }
    let itself = serde_json::json!({"weight_map": {"w": "loop.index.json"}}).to_string();
    let path = den.write("loop.index.json", itself.as_bytes());
    let said = read_all(&path).unwrap_err();
    assert!(said.contains("JSON where weights should be"), "{said}");
    let deep = format!("{{\"weight_map\":{}", "[".repeat(1_000_000));
    assert!(
        den.refusal("deep.index.json", deep.as_bytes())
            .contains("not valid JSON")
    );
    assert!(
        den.refusal("error.json", br#"{"error":"Entry not found"}"#)
            .contains("no index")
    );

    let folder = den.0.path().join("model");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("model.safetensors"), safetensors("{}", b"")).unwrap();
    std::fs::write(folder.join("config.json"), "{not json").unwrap();
    let said = read_all(&folder).unwrap_err();
    assert!(
        said.contains("config.json: this is not valid JSON"),
        "{said}"
    );
    // A configuration of 100 GB that takes no room on the disk.
    let sparse = std::fs::File::create(folder.join("config.json")).unwrap();
    if sparse.set_len(100 << 30).is_ok() {
        let said = read_all(&folder).unwrap_err();
        assert!(said.contains("are too many"), "{said}");
    }
}

/// Things that people take for weights.
fn other_things(den: &Den) {
    let html = b"<!DOCTYPE html><html><head><title>Google Drive - Virus scan warning</title>";
    assert!(den.refusal("clip.pth", html).contains("web page"));
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1215993967\n";
    assert!(
        den.refusal("pytorch_model.bin", pointer)
            .contains("git-LFS pointer")
    );
    assert!(den.refusal("nothing.pt", b"").contains("empty"));
    let list = Program::new().op(b"]").end();
    assert!(
        den.refusal("plain.pkl", &list)
            .contains("not one that PyTorch")
    );
    let unet = safetensors(
        r#"{"down_blocks.0.attentions.0.norm.weight":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
        &[0; 8],
    );
    assert!(den.refusal("unet.safetensors", &unet).contains("UNet"));
    let unknown = safetensors(
        r#"{"x.y":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
        &[0; 8],
    );
    assert!(
        den.refusal("unknown.safetensors", &unknown)
            .contains("`x.y`")
    );
    let odd = safetensors(
        r#"{"visual.conv1.weight":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}}"#,
        &[0; 1],
    );
    assert!(den.refusal("f4.safetensors", &odd).contains("unreadable"));
    let missing = den.0.path().join("no/such/file.pt");
    assert!(read_all(&missing).unwrap_err().contains("No such file"));
}

/// Every fixture, cut at many places: a refusal or, where only the end of an archive's comment is
/// gone, the whole; never a panic.
fn cut_short(den: &Den) {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/torch");
    let mut cut = 0;
    for item in std::fs::read_dir(fixtures).unwrap() {
        let path = item.unwrap().path();
        if !path.is_file() {
            continue;
        }
        let data = std::fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        for part in 1..40 {
            let end = data.len() * part / 40;
            let path = den.write(name, &data[..end]);
            let error = Checkpoint::open(&path).err();
            assert!(
                error.is_some(),
                "{name} cut at {end} of {} was read",
                data.len()
            );
            cut += 1;
        }
        for at in (0..data.len()).step_by(data.len() / 97 + 1) {
            let mut flipped = data.clone();
            flipped[at] ^= 0x55;
            // Weights may change unnoticed; nothing else may happen.
            let _ = read_all(&den.write(name, &flipped));
        }
    }
    assert!(cut > 300);
}
