//! Files that appear whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// A file under a temporary name beside its target. Dropped before [`commit`](Self::commit), it
/// is removed.
pub(crate) struct AtomicFile {
    writer: Option<BufWriter<File>>,
    temporary: PathBuf,
    target: PathBuf,
}

impl AtomicFile {
    /// Begins a file. An existing target is refused unless `overwrite`.
    pub(crate) fn create(target: &Path, overwrite: bool) -> Result<Self> {
        let shown = target.display().to_string();
        if !overwrite && target.exists() {
            return Err(Error::Io {
                file: shown,
                source: std::io::Error::new(
                    std::io::ErrorKind::AlreadyExists,
                    "the file exists and is not overwritten unless asked",
                ),
            });
        }
        let Some(name) = target.file_name() else {
            let source = std::io::Error::new(std::io::ErrorKind::InvalidInput, "this is no file");
            return Err(Error::io(shown, source));
        };
        let hidden = format!(".{}.{}.part", name.to_string_lossy(), std::process::id());
        let temporary = target.with_file_name(hidden);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&temporary)
            .map_err(|e| Error::io(temporary.display(), e))?;
        let writer = Some(BufWriter::with_capacity(1 << 18, file));
        Ok(Self {
            writer,
            temporary,
            target: target.to_owned(),
        })
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.writer {
            Some(writer) => writer
                .write_all(bytes)
                .map_err(|e| Error::io(self.temporary.display(), e)),
            None => Ok(()),
        }
    }

    /// Puts the finished file in its place.
    pub(crate) fn commit(mut self) -> Result<()> {
        let at = |e| Error::io(self.target.display(), e);
        if let Some(writer) = self.writer.take() {
            let file = writer.into_inner().map_err(|e| at(e.into_error()))?;
            file.sync_all().map_err(at)?;
        }
        std::fs::rename(&self.temporary, &self.target).map_err(at)
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        self.writer = None;
        // After a commit there is nothing left to remove.
        let _ = std::fs::remove_file(&self.temporary);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let mut file = AtomicFile::create(&path, false).unwrap();
        file.write(b"half").unwrap();
        assert!(!path.exists());
        drop(file);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let mut file = AtomicFile::create(&path, false).unwrap();
        file.write(b"whole").unwrap();
        file.commit().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        let said = AtomicFile::create(&path, false).err().unwrap().to_string();
        assert!(said.contains("exists"), "{said}");
        let file = AtomicFile::create(&path, true).unwrap();
        file.commit().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"");
    }
}
