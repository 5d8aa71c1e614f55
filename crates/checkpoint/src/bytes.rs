//! Where the bytes of a weight file are: mapped from disk, or held in memory.

use std::borrow::Cow;
use std::fs::File;
use std::ops::Range;
use std::path::Path;

use memmap2::Mmap;

use crate::error::{Error, Result};

/// The bytes of one file.
pub(crate) struct Bytes {
    name: String,
    data: Data,
}

enum Data {
    Mapped(Mmap),
    Held(Cow<'static, [u8]>),
}

impl Bytes {
    /// Maps a file. Nothing is read yet.
    pub(crate) fn map(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let about = std::fs::metadata(path).map_err(|e| Error::io(&name, e))?;
        if !about.is_file() {
            return Err(Error::not_weights(
                &name,
                "this is not a regular file",
                "give a weight file or the folder that holds it",
            ));
        }
        if about.len() == 0 {
            return Err(Error::not_weights(
                &name,
                "the file is empty",
                "download it again",
            ));
        }
        let file = File::open(path).map_err(|e| Error::io(&name, e))?;
        // SAFETY: the map is read-only and private to this struct. Should another process cut the
        // file short while it is mapped, the operating system stops the program, as it does for
        // every reader of mapped weights; no other memory is touched.
        let map = unsafe { Mmap::map(&file) }.map_err(|e| Error::io(&name, e))?;
        Ok(Self {
            name,
            data: Data::Mapped(map),
        })
    }

    pub(crate) fn held(data: Cow<'static, [u8]>, name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            data: Data::Held(data),
        }
    }

    /// The file's name, for messages.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn all(&self) -> &[u8] {
        match &self.data {
            Data::Mapped(map) => map,
            Data::Held(held) => held,
        }
    }

    pub(crate) fn get(&self, range: Range<usize>) -> Option<&[u8]> {
        self.all().get(range)
    }

    /// Says that this range is needed now: its pages come at once instead of a few at a time.
    pub(crate) fn expect(&self, range: Range<usize>) {
        #[cfg(target_os = "linux")]
        if let Data::Mapped(map) = &self.data
            && range.start < range.end
            && range.end <= map.len()
        {
            // An older system refuses; then the pages come when they are touched.
            let _ = map.advise_range(memmap2::Advice::PopulateRead, range.start, range.len());
        }
        #[cfg(not(target_os = "linux"))]
        let _ = range;
    }

    /// Says that this range is not needed again soon: its pages leave the process (they stay in
    /// the system's cache), so that a file of any size passes through little memory.
    pub(crate) fn release(&self, range: Range<usize>) {
        #[cfg(unix)]
        if let Data::Mapped(map) = &self.data
            && range.start < range.end
            && range.end <= map.len()
        {
            // SAFETY: the map is shared, read-only and backed by a file: a page that was dropped
            // is read from the file again when it is next touched, with the same contents.
            // A refusal only means that the pages stay.
            let _ = unsafe {
                map.unchecked_advise_range(
                    memmap2::UncheckedAdvice::DontNeed,
                    range.start,
                    range.len(),
                )
            };
        }
        #[cfg(not(unix))]
        let _ = range;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn released_pages_read_the_same_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pages");
        let content: Vec<u8> = (0..100_000_u32).map(|i| (i % 251) as u8).collect();
        std::fs::write(&path, &content).unwrap();
        let bytes = Bytes::map(&path).unwrap();
        assert_eq!(bytes.all(), content);
        bytes.release(5_000..90_000);
        assert_eq!(bytes.all(), content);
    }

    #[test]
    fn folders_and_empty_files_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("empty.pt");
        std::fs::write(&path, b"").unwrap();
        assert!(
            Bytes::map(&path)
                .err()
                .unwrap()
                .to_string()
                .contains("empty")
        );
        assert!(
            Bytes::map(folder.path())
                .err()
                .unwrap()
                .to_string()
                .contains("regular file")
        );
    }
}
