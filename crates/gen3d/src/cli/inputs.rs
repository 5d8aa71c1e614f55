//! What the user named, as a list of files: files, folders, globs, and `-` for stdin.

use std::io::Read;
use std::path::{Path, PathBuf};

/// Extensions of files with shapes, taken when a folder is given.
pub(crate) const SHAPES: &[&str] = &[
    "ply", "off", "obj", "stl", "gltf", "glb", "pcd", "xyz", "txt", "csv", "pts", "asc", "npy",
    "npz", "las", "laz",
];
/// Extensions of pictures.
pub(crate) const PICTURES: &[&str] = &[
    "png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff", "ppm", "pgm", "pbm", "pnm", "tga",
];

/// The most bytes that are read from stdin.
const STDIN_LIMIT: u64 = 4 << 30;

/// One input.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    /// How results call it.
    pub(crate) name: String,
    pub(crate) source: Source,
}

/// Where an input is.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    File(PathBuf),
    Stdin,
    /// Nowhere, for this reason.
    Nowhere(String),
}

/// All inputs that `given` names, in its order; those of a folder (with its sub-folders) and of a
/// glob in alphabetical order. What names nothing becomes an input that fails.
pub(crate) fn expand(given: &[String], extensions: &[&str]) -> Vec<Input> {
    given
        .iter()
        .flat_map(|name| expand_one(name, extensions))
        .collect()
}

fn expand_one(name: &str, extensions: &[&str]) -> Vec<Input> {
    let input = |name: String, source| Input { name, source };
    if name == "-" {
        return vec![input("-".into(), Source::Stdin)];
    }
    let path = Path::new(name);
    let nowhere = |why: String| vec![input(name.to_owned(), Source::Nowhere(why))];
    let files = if path.is_dir() {
        let mut files = Vec::new();
        if let Err(error) = walk(path, extensions, &mut files) {
            return nowhere(format!("{error}; check its permissions"));
        }
        if files.is_empty() {
            let known = extensions.join(", ");
            return nowhere(format!(
                "this folder holds no file that can be read; give one with files of {known}"
            ));
        }
        files
    } else if path.exists() || !name.contains(['*', '?', '[']) {
        vec![path.to_owned()]
    } else {
        match glob::glob(name) {
            Err(error) => return nowhere(format!("{}; quote the name", error.msg)),
            Ok(found) => {
                let files: Vec<_> = found.flatten().filter(|p| p.is_file()).collect();
                if files.is_empty() {
                    return nowhere("no file has such a name; check the pattern".into());
                }
                files
            }
        }
    };
    files
        .into_iter()
        .map(|path| input(path.display().to_string(), Source::File(path)))
        .collect()
}

fn walk(folder: &Path, extensions: &[&str], files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut entries = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        // Links to folders are not followed: they may lead back.
        if entry.file_type()?.is_dir() {
            walk(&path, extensions, files)?;
        } else if has_extension(&path, extensions) && path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

pub(crate) fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let extension = path
        .extension()
        .and_then(|e| e.to_str())
        .unwrap_or_default();
    extensions
        .iter()
        .any(|known| known.eq_ignore_ascii_case(extension))
}

/// All of stdin.
pub(crate) fn read_stdin() -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .take(STDIN_LIMIT)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl Input {
    /// The shape in it.
    ///
    /// # Errors
    /// Without the input's name, for the caller says it.
    pub(crate) fn shape(&self) -> anyhow::Result<point_clip::Shape> {
        let shape = match &self.source {
            Source::File(path) => point_clip::read::read_path(path),
            Source::Stdin => point_clip::read::read_bytes(&read_stdin()?, None),
            Source::Nowhere(why) => anyhow::bail!("{why}"),
        };
        shape.map_err(|error| match error {
            point_clip::Error::InFile { error, .. } => anyhow::Error::new(*error),
            error => error.into(),
        })
    }

    /// A name for files made from it: that of the file without folder and extension.
    pub(crate) fn stem(&self) -> String {
        let path = Path::new(&self.name);
        let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned());
        stem.filter(|s| s != "-").unwrap_or_else(|| "stdin".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_globs_become_files_in_order() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("b")).unwrap();
        for name in ["c.PLY", "a.off", "b/x.stl", "readme.md"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let root = folder.path().display().to_string();
        let names = |given: &str| -> Vec<String> {
            let inputs = expand(&[given.to_owned()], SHAPES);
            inputs
                .into_iter()
                .map(|i| i.name.replace(&root, ""))
                .collect()
        };
        assert_eq!(names(&root), ["/a.off", "/b/x.stl", "/c.PLY"]);
        assert_eq!(names(&format!("{root}/*.o*")), ["/a.off"]);
        let missing = &expand(&[format!("{root}/*.npy")], SHAPES)[0];
        assert!(matches!(missing.source, Source::Nowhere(_)));
        assert!(matches!(
            expand(&["-".into()], SHAPES)[0].source,
            Source::Stdin
        ));
    }
}
