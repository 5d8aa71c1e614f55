//! Whether a file is what was published.

use std::path::Path;

use crate::digest::{is_sha256, sha256_file};
use crate::error::Result;
use crate::registry::{self, Tower};

/// What a file's SHA-256 says.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// It is this published file, to the last bit.
    Published {
        /// What it is.
        tower: &'static Tower,
        /// Its SHA-256.
        sha256: String,
    },
    /// It has the SHA-256 that its place promises (a blob of the hub's cache, or a folder named
    /// by the hash as in OpenAI's addresses).
    AsNamed {
        /// Its SHA-256.
        sha256: String,
    },
    /// It is not what its name promises: damaged, cut short, or another file.
    Different {
        /// The SHA-256 that was published.
        expected: String,
        /// The SHA-256 of this file.
        found: String,
    },
    /// Nothing was published to compare it with.
    Unknown {
        /// Its SHA-256.
        sha256: String,
    },
}

/// Compares the SHA-256 of a file with what was published: by the list of known files, by a blob
/// name of the Hugging Face cache (which is the hash), or by a folder named by the hash.
/// `progress` hears the number of bytes read so far.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io).
pub fn verify(path: &Path, progress: &mut dyn FnMut(u64)) -> Result<Verdict> {
    let sha256 = sha256_file(path, progress)?;
    if let Some(tower) = registry::by_sha256(&sha256) {
        return Ok(Verdict::Published { tower, sha256 });
    }
    Ok(match promised(path) {
        Some(expected) if expected == sha256 => Verdict::AsNamed { sha256 },
        Some(expected) => Verdict::Different {
            expected,
            found: sha256,
        },
        None => Verdict::Unknown { sha256 },
    })
}

/// The hash that the file's place or name promises.
fn promised(path: &Path) -> Option<String> {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let places = [Some(real.as_path()), real.parent(), path.parent()];
    let by_place = places
        .into_iter()
        .flatten()
        .filter_map(|place| place.file_name()?.to_str())
        .find(|name| is_sha256(name));
    let by_name = || registry::by_file_name(path.file_name()?.to_str()?)?.sha256();
    by_place.or_else(by_name).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn names_and_places_promise_hashes() {
        let folder = tempfile::tempdir().unwrap();
        let check = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "abc").unwrap();
            verify(&path, &mut |_| ()).unwrap()
        };
        assert!(matches!(check("some.pt"), Verdict::Unknown { sha256 } if sha256 == ABC));
        assert!(matches!(check(ABC), Verdict::AsNamed { .. }));
        assert!(matches!(
            check(&format!("in/{ABC}/x.pt")),
            Verdict::AsNamed { .. }
        ));
        let other = ABC.replace('b', "c");
        assert!(matches!(check(&other), Verdict::Different { expected, .. } if expected == other));
        assert!(matches!(
            check("ViT-B-32.pt"),
            Verdict::Different { expected, .. } if expected.starts_with("40d36571")
        ));
    }
}
