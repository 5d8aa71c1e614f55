//! Output files: complete or not there at all, and never over another one unasked.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::bail;
use tempfile::NamedTempFile;

use super::failure::Failure;

/// A file under a temporary name until [`OutputFile::finish`]; dropped before that, it is gone.
pub(crate) struct OutputFile {
    writer: BufWriter<NamedTempFile>,
    target: PathBuf,
    force: bool,
}

impl OutputFile {
    pub(crate) fn create(target: &Path, force: bool) -> anyhow::Result<Self> {
        refuse_existing(target, force)?;
        let folder = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let file = tempfile::Builder::new()
            .prefix(".gen3d-")
            .tempfile_in(folder)
            .map_err(|e| refused(target, "cannot write there", &e, "give another place"))?;
        Ok(Self {
            writer: BufWriter::new(file),
            target: target.to_owned(),
            force,
        })
    }

    /// Puts the file in its place.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        let target = self.target;
        let unwritten = |error| refused(&target, "cannot be written", &error, "check the disk");
        let file = self
            .writer
            .into_inner()
            .map_err(|e| unwritten(e.into_error()))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // Temporary files are private; results are as open as the folder's owner wants.
            let mode = 0o666 & !umask();
            let _ = fs::set_permissions(file.path(), fs::Permissions::from_mode(mode));
        }
        let put = if self.force {
            file.persist(&target)
        } else {
            file.persist_noclobber(&target)
        };
        put.map(|_| ()).map_err(|e| unwritten(e.error))
    }
}

/// The permissions that new files do without, found by making one.
#[cfg(unix)]
fn umask() -> u32 {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::LazyLock;
    static MASK: LazyLock<u32> = LazyLock::new(|| {
        let probe = || -> io::Result<u32> {
            let folder = tempfile::tempdir()?;
            let file = fs::File::create(folder.path().join("probe"))?;
            Ok(!file.metadata()?.permissions().mode() & 0o777)
        };
        probe().unwrap_or(0o022)
    });
    *MASK
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Where results go: stdout, or a file.
pub(crate) enum Sink {
    Stdout(BufWriter<Box<dyn Write>>),
    File(OutputFile),
}

impl Sink {
    /// A file at `out`, else `stdout`.
    pub(crate) fn new(
        out: Option<&Path>,
        force: bool,
        stdout: impl Write + 'static,
    ) -> anyhow::Result<Self> {
        Ok(match out {
            None => Self::Stdout(BufWriter::new(Box::new(stdout))),
            Some(path) => Self::File(OutputFile::create(path, force)?),
        })
    }

    /// Writes out what is left, and puts a file in its place.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Stdout(mut out) => out.flush().map_err(Failure::output),
            Self::File(file) => file.finish().map_err(Failure::missing),
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write(bytes),
            Self::File(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::File(out) => out.flush(),
        }
    }
}

/// Refuses a target that exists, unless `force`.
pub(crate) fn refuse_existing(target: &Path, force: bool) -> anyhow::Result<()> {
    if !force && target.exists() {
        bail!(
            "{}: already exists; give another name, or --force to replace it",
            target.display()
        );
    }
    Ok(())
}

/// Makes `folder` if need be, and makes sure that files can be written there.
pub(crate) fn writable_folder(folder: &Path) -> anyhow::Result<()> {
    let remedy = "give another one";
    fs::create_dir_all(folder)
        .map_err(|e| refused(folder, "cannot make this folder", &e, remedy))?;
    tempfile::Builder::new()
        .prefix(".gen3d-")
        .tempfile_in(folder)
        .map_err(|e| refused(folder, "cannot write into this folder", &e, remedy))?;
    Ok(())
}

/// An error about a path. The system's own words may name a temporary file: its kind is enough.
fn refused(path: &Path, what: &str, error: &io::Error, remedy: &str) -> anyhow::Error {
    anyhow::anyhow!("{}: {what} ({}); {remedy}", path.display(), error.kind())
}

/// Writes a whole file.
pub(crate) fn write(target: &Path, bytes: &[u8], force: bool) -> anyhow::Result<()> {
    let mut file = OutputFile::create(target, force)?;
    file.write_all(bytes)
        .map_err(|e| refused(target, "cannot be written", &e, "check the disk"))?;
    file.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_overwritten_unasked_and_nothing_half_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write(&path, b"1", false).unwrap();
        let told = write(&path, b"2", false).unwrap_err().to_string();
        assert!(told.ends_with("already exists; give another name, or --force to replace it"));
        write(&path, b"3", true).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"3");
        drop(OutputFile::create(&folder.path().join("b"), false).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
