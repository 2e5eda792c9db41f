//! Making a key store v2 (keystore.md 1, 7.1).

use super::{ROOT_MODE, VERSION_MODE};
use crate::directory::list;
use crate::lock::{Lock, LockFile};
use crate::safe_file::{Unfinished, create_directory, remove_leftovers};
use crate::version::{is_cut_off, version_of};
use crate::{KeyStoreError, Version, disk};
use acra_engine::keys::v1;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Refuses a root that is no directory or lets others in; it need not exist.
pub(crate) fn check_root(root: &Path) -> Result<(), KeyStoreError> {
    let metadata = match fs::metadata(root) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(KeyStoreError::io("open key directory", root)(error)),
    };
    let path = root.to_owned();
    match metadata.permissions().mode() & 0o7777 {
        _ if !metadata.is_dir() => Err(KeyStoreError::NoDirectory(path)),
        ROOT_MODE => Ok(()),
        mode => Err(KeyStoreError::RootMode { path, mode }),
    }
}

/// Whether there is no key store v2 yet, and one can be made.
pub(crate) fn can_be_made(root: &Path) -> Result<bool, KeyStoreError> {
    is_version_2(root).map(|exists| !exists)
}

/// Makes the key store, unless it is there. A directory with keys of v1 is refused.
pub(crate) fn create(root: &Path) -> Result<(), KeyStoreError> {
    check_root(root)?;
    if is_version_2(root)? {
        return Ok(());
    }
    create_directory(root).map_err(KeyStoreError::io("create key directory", root))?;
    let lock = Lock::take(root, LockFile::Kept)?;
    // Somebody else may have been faster.
    if is_version_2(root)? {
        return Ok(());
    }
    remove_leftovers(root, lock.is_held)?;
    let path = root.join(v1::VERSION);
    let write = || {
        Unfinished::write(root, v1::VERSION_2, VERSION_MODE)?.rename(&path)?;
        disk::sync_directory(root)
    };
    write().map_err(KeyStoreError::io("write", &path))
}

/// Whether there is a key store v2; false: one can be made.
fn is_version_2(root: &Path) -> Result<bool, KeyStoreError> {
    match version_of(root) {
        Ok(Version::V2) => Ok(true),
        Ok(Version::Empty) => Ok(false),
        Ok(Version::V1) if has_keys_of_v1(root)? => Err(KeyStoreError::OtherVersion {
            path: root.to_owned(),
            found: Version::V1,
        }),
        Ok(Version::V1) => Ok(false),
        // An initialisation of Acra that was cut off.
        Err(_) if is_cut_off(root)? => Ok(false),
        Err(error) => Err(error),
    }
}

fn has_keys_of_v1(root: &Path) -> Result<bool, KeyStoreError> {
    let is_key = |name: &str| {
        let file = v1::without_old(name).unwrap_or(name);
        matches!(v1::Entry::of(file), v1::Entry::Key { .. })
    };
    let poison = list(&root.join(v1::POISON_DIRECTORY))?;
    let poison = poison
        .iter()
        .map(|(name, _)| format!("{}/{name}", v1::POISON_DIRECTORY));
    let names = list(root)?.into_iter().map(|(name, _)| name);
    Ok(names.chain(poison).any(|name| is_key(&name)))
}
