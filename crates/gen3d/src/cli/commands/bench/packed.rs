//! Labelled sets of meshes: `NAME.json` beside `NAME.safetensors` or `NAME.safetensors.zst`.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use point_clip::shaded::Up;
use point_clip::{PackedSet, TriangleMesh};
use serde::Deserialize;

/// The most bytes that an index, or a set after decompression, may have.
const LIMIT: u64 = 4 << 30;

/// Meshes and what they are.
#[derive(Debug)]
pub(super) struct LabelledSet {
    pub(super) name: String,
    /// Names of the classes.
    pub(super) classes: Vec<String>,
    /// The meshes, at least one; each names a class that is there.
    pub(super) entries: Vec<Entry>,
    meshes: PackedSet,
}

/// What `NAME.json` says.
#[derive(Debug, Deserialize)]
struct Index {
    name: String,
    classes: Vec<String>,
    entries: Vec<Entry>,
}

/// One mesh.
#[derive(Debug, Deserialize)]
pub(super) struct Entry {
    /// Its row in the set.
    pub(super) index: usize,
    /// Index of its class.
    pub(super) label: usize,
    /// Its axis that is up (`y`, `+z`, …); `?` where that is not known.
    #[serde(default)]
    up: String,
}

impl Entry {
    /// The direction that is up, +y where that is not known.
    pub(super) fn up(&self) -> Up {
        let signed = if self.up.len() == 1 {
            format!("+{}", self.up)
        } else {
            self.up.clone()
        };
        signed.parse().unwrap_or_default()
    }
}

impl LabelledSet {
    /// The mesh of `entry`, in the axes of the set.
    pub(super) fn mesh(&self, entry: &Entry) -> anyhow::Result<TriangleMesh> {
        let mesh = self.meshes.mesh(entry.index);
        mesh.ok_or_else(|| anyhow!("mesh {} is not in the set", entry.index))
    }
}

/// Opens the set that `path` names: its index, or the set itself.
///
/// # Errors
/// Names the file and what is wrong with it.
pub(super) fn open(path: &Path) -> anyhow::Result<LabelledSet> {
    let (index_path, set_path) = places(path);
    let bytes = read(&index_path)?;
    let index: Index = serde_json::from_slice(&bytes).map_err(|e| {
        anyhow!(
            "{}: {e}; give the index of a labelled set",
            index_path.display()
        )
    })?;
    let bytes = read(&set_path)?;
    let meshes = PackedSet::parse(&bytes).map_err(|error| error.in_file(set_path.display()))?;
    for entry in &index.entries {
        if entry.label >= index.classes.len() || entry.index >= meshes.len() {
            bail!(
                "{}: entry {} names a class or a mesh that is not there; \
                 take index and set from one place",
                index_path.display(),
                entry.index
            );
        }
    }
    if index.entries.is_empty() {
        bail!(
            "{}: it lists no meshes; give another set",
            index_path.display()
        );
    }
    Ok(LabelledSet {
        name: index.name,
        classes: index.classes,
        entries: index.entries,
        meshes,
    })
}

/// Index and set, whichever of them was named.
fn places(path: &Path) -> (PathBuf, PathBuf) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = [".json", ".safetensors.zst", ".safetensors"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(&name);
    let beside = |ending: &str| path.with_file_name(format!("{stem}{ending}"));
    let plain = beside(".safetensors");
    let packed = beside(".safetensors.zst");
    (beside(".json"), if plain.exists() { plain } else { packed })
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let shown = path.display();
    let file = File::open(path).map_err(|e| {
        anyhow!("{shown}: cannot be opened ({e}); give NAME.json of a labelled set")
    })?;
    let mut file = BufReader::new(file);
    let mut bytes = Vec::new();
    if path.extension().is_some_and(|e| e == "zst") {
        ruzstd::decoding::StreamingDecoder::new(&mut file)
            .map_err(std::io::Error::other)
            .and_then(|decoder| decoder.take(LIMIT).read_to_end(&mut bytes))
            .map_err(|e| anyhow!("{shown}: cannot be decompressed ({e}); download it again"))?;
    } else {
        file.take(LIMIT)
            .read_to_end(&mut bytes)
            .map_err(|e| anyhow!("{shown}: cannot be read ({e}); check its permissions"))?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_file_names_the_set() {
        let expected = (
            PathBuf::from("d/a.b.json"),
            PathBuf::from("d/a.b.safetensors.zst"),
        );
        for given in [
            "d/a.b.json",
            "d/a.b.safetensors.zst",
            "d/a.b.safetensors",
            "d/a.b",
        ] {
            assert_eq!(places(Path::new(given)), expected);
        }
    }

    #[test]
    fn the_axis_is_read_and_unknown_is_y() {
        let up = |up: &str| {
            Entry {
                index: 0,
                label: 0,
                up: up.into(),
            }
            .up()
        };
        assert_eq!(up("z"), Up::PosZ);
        assert_eq!(up("-x"), Up::NegX);
        assert_eq!([up("y"), up("?"), up("")], [Up::PosY; 3]);
    }
}
