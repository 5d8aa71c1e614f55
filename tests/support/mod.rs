//! A folder for one test and the program run in it.

#![allow(dead_code, reason = "each test file uses a part")]

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use gen3d::checkpoint::Checkpoint;
use serde_json::Value;
use tempfile::TempDir;

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A folder that is empty at first and gone at the end.
pub(crate) struct Place(TempDir);

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("stdout is text")
    }

    /// The objects on the lines of stdout.
    pub(crate) fn objects(&self) -> Vec<Value> {
        let object = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"));
        self.text().lines().map(object).collect()
    }
}

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A file with this content.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder");
        fs::write(path, content).expect("a file");
    }

    /// A copy of a file of the repository.
    pub(crate) fn copy(&self, from: &str, name: &str) {
        let content = fs::read(root().join(from)).unwrap_or_else(|e| panic!("{from}: {e}"));
        self.file(name, content);
    }

    /// The names of all files and folders in it, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        fn walk(folder: &Path, root: &Path, names: &mut Vec<String>) {
            for entry in fs::read_dir(folder).expect("a folder").flatten() {
                let path = entry.path();
                let name = path.strip_prefix(root).expect("below the root");
                names.push(name.to_string_lossy().replace('\\', "/"));
                if path.is_dir() {
                    walk(&path, root, names);
                }
            }
        }
        let mut names = Vec::new();
        walk(self.0.path(), self.0.path(), &mut names);
        names.sort();
        names
    }

    /// Runs `gen3d` with `arguments` (blanks part them) in this folder.
    pub(crate) fn run(&self, arguments: &str) -> Ran {
        self.run_with(&arguments.split_whitespace().collect::<Vec<_>>(), "")
    }

    /// The same with arguments that may hold blanks, and with something on stdin.
    pub(crate) fn run_with(&self, arguments: &[&str], stdin: impl Into<Vec<u8>>) -> Ran {
        let output = Command::new(env!("CARGO_BIN_EXE_gen3d"))
            .args(arguments)
            .current_dir(self.0.path())
            // Features of labels are kept between the tests, and nothing in the user's folders.
            .env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"))
            .env("NO_COLOR", "1")
            .env_remove("HF_HOME")
            .env_remove("HF_HUB_CACHE")
            .write_stdin(stdin)
            .output()
            .expect("the program runs");
        Ran {
            code: output.status.code(),
            stdout: output.stdout,
            stderr: String::from_utf8(output.stderr).expect("stderr is text"),
        }
    }

    /// What a person would see: the command, stdout, stderr (`!` before each line), exit code.
    pub(crate) fn transcript(&self, arguments: &str) -> String {
        let ran = self.run(arguments);
        let mut shown = format!("$ gen3d {arguments}\n{}", ran.text());
        for line in ran.stderr.lines() {
            shown += &format!("! {line}\n");
        }
        shown + &format!("= {}\n", ran.code.unwrap_or(-1))
    }

    /// The transcripts of several commands.
    pub(crate) fn transcripts(&self, commands: &[&str]) -> String {
        commands
            .iter()
            .map(|c| self.transcript(c))
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// Snapshots that do not change with the model's version.
pub(crate) fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_omit_expression(true);
    settings.add_filter(r"gen3d-mini \d+\.\d+\.\d+", "gen3d-mini");
    settings
}

/// Six points that span an octahedron.
pub(crate) const CLOUD: &str = "1 0 0\n-1 0 0\n0 1 0\n0 -1 0\n0 0 1\n0 0 -1\n";

/// A folder with some clouds.
pub(crate) fn clouds() -> Place {
    let place = Place::new();
    place.file("b.xyz", CLOUD);
    place.file("a.xyz", CLOUD);
    place.file("more/c.csv", CLOUD.replace(' ', ","));
    place.file("more/readme.md", "no cloud");
    place
}

/// The inputs of all results.
pub(crate) fn inputs(ran: &Ran) -> Vec<String> {
    let input = |object: &Value| object["input"].as_str().unwrap_or_default().to_owned();
    ran.objects().iter().map(input).collect()
}

/// The bytes of a file of `tests/golden/alpha_clip`, unpacked.
pub(crate) fn golden_bytes(name: &str) -> Vec<u8> {
    let path = root().join("tests/golden/alpha_clip").join(name);
    if let Ok(bytes) = fs::read(&path) {
        return bytes;
    }
    let file = fs::File::open(format!("{}.gz", path.display()));
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(file.unwrap_or_else(|e| panic!("{path:?}: {e}")))
        .read_to_end(&mut bytes)
        .expect("gzip");
    bytes
}

/// The golden model and pictures in a folder, and the expected tensors.
pub(crate) fn golden() -> (Place, Checkpoint) {
    let place = Place::new();
    place.file("clip.safetensors", golden_bytes("clip.safetensors"));
    for name in ["photo", "photo_mask", "photo_soft", "rgba", "grey"] {
        let from = format!("tests/golden/alpha_clip/images/{name}.png");
        place.copy(&from, &format!("{name}.png"));
    }
    let golden = Checkpoint::from_bytes(golden_bytes("golden.safetensors"), "golden").unwrap();
    (place, golden)
}
