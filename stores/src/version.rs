//! Which version of a key store is in a directory (keystore.md 1).

use crate::KeyStoreError;
use crate::directory::list;
use acra_engine::keys::v1;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// What a key directory holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Nothing, or it does not exist: lock files, `lost+found` and what writers left behind do not count.
    Empty,
    /// Something, and no file that says it is v2.
    V1,
    /// A key store v2.
    V2,
}

/// Finds out which version a directory holds.
///
/// # Errors
///
/// It cannot be read, or has a file `version` with another content than Acra writes, an empty one included.
pub fn version_of(directory: &Path) -> Result<Version, KeyStoreError> {
    let path = directory.join(v1::VERSION);
    let mut content = Vec::new();
    let read = File::open(&path).and_then(|file| {
        let limit = v1::VERSION_2.len() as u64 + 1;
        file.take(limit).read_to_end(&mut content)
    });
    match read {
        Ok(_) if content == v1::VERSION_2 => return Ok(Version::V2),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        _ => return Err(KeyStoreError::VersionFile(path)),
    }
    let counts = |name: &str| !matches!(name, v1::LOCK | "lost+found") && !v1::is_unfinished(name);
    let holds_something = list(directory)?.iter().any(|(name, _)| counts(name));
    Ok(if holds_something {
        Version::V1
    } else {
        Version::Empty
    })
}
