//! SHA-256 of files.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// SHA-256 of a file as 64 lower-case hexadecimal digits. `progress` hears the number of bytes
/// read so far.
///
/// # Errors
/// [`Error::Io`].
pub fn sha256_file(path: &Path, progress: &mut dyn FnMut(u64)) -> Result<String> {
    let name = path.display();
    let mut file = File::open(path).map_err(|e| Error::io(name, e))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut done = 0;
    loop {
        let n = file
            .read(&mut buffer)
            .map_err(|e| Error::io(path.display(), e))?;
        let Some(part) = buffer.get(..n).filter(|part| !part.is_empty()) else {
            break;
        };
        hash.update(part);
        done += n as u64;
        progress(done);
    }
    Ok(hex(&hash.finalize()))
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether this is how a SHA-256 is written.
pub(crate) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_digests() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let of = |data: &[u8]| {
            std::fs::write(file.path(), data).unwrap();
            let mut seen = 0;
            let hash = sha256_file(file.path(), &mut |n| seen = n).unwrap();
            assert_eq!(seen, data.len() as u64);
            hash
        };
        // FIPS 180-4 examples.
        assert_eq!(
            of(b""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            of(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert!(is_sha256(&of(b"abc")) && !is_sha256("abc"));
    }
}
