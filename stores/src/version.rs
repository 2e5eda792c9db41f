//! Which version of a key store is in a directory (keystore.md 1).

use crate::KeyStoreError;
use crate::directory::list;
use acra_engine::keys::{v1, v2};
use std::fmt;
use std::fs::{self, File};
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

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "without keys",
            Self::V1 => "v1",
            Self::V2 => "v2",
        })
    }
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
    Ok(match holds_more_than(directory, &[])? {
        true => Version::V1,
        false => Version::Empty,
    })
}

/// Whether a directory holds an empty file `version` and nothing else: Acra was cut off when it made a key store v2.
pub(crate) fn is_cut_off(directory: &Path) -> Result<bool, KeyStoreError> {
    let version = fs::symlink_metadata(directory.join(v1::VERSION));
    let is_empty = version.is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0);
    Ok(is_empty && !holds_more_than(directory, &[v1::VERSION])?)
}

/// Whether anything is in a directory that counts, except for these names.
fn holds_more_than(directory: &Path, names: &[&str]) -> Result<bool, KeyStoreError> {
    let counts = |name: &str| {
        let is_leftover = v1::is_unfinished(name) || v2::is_new(name);
        !matches!(name, v1::LOCK | "lost+found") && !is_leftover && !names.contains(&name)
    };
    Ok(list(directory)?.iter().any(|(name, _)| counts(name)))
}
