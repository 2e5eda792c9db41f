//! Writing a master key file (keystore.md 3.1, 3.2).

use crate::clock::time_stamp;
use crate::directory::parent;
use crate::output_files::{forbids_replacing, write_directly};
use crate::safe_file::Unfinished;
use crate::{KeyStoreError, disk};
use acra_engine::keys::{MasterKey, MasterKeys};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Permission bits of a master key file.
const MODE: u32 = 0o600;

/// Makes a new master key of a key store v1, writes its raw bytes to a file of mode 0600 and gives the path under which a
/// former content was kept.
///
/// The name is resolved through symbolic links. What is no regular file (a pipe, `/dev/stdout`) is written to directly.
/// Where the directory does not allow a file to be replaced, the existing one is written in place. Unlike Acra, a former
/// content that cannot be kept is never overwritten.
///
/// # Errors
///
/// The file cannot be written, or its former content cannot be kept; that is then what it was.
pub fn generate_master_key(path: &Path) -> Result<Option<PathBuf>, KeyStoreError> {
    let key = MasterKey::generate(&mut rand::rng());
    write(path, key.as_bytes()).map_err(KeyStoreError::io("write", path))
}

/// Makes new master keys of a key store v2 and writes them as JSON, like [`generate_master_key`].
///
/// # Errors
///
/// Those of [`generate_master_key`].
pub fn generate_master_keys(path: &Path) -> Result<Option<PathBuf>, KeyStoreError> {
    let keys = MasterKeys::generate(&mut rand::rng()).to_json();
    write(path, keys.as_bytes()).map_err(KeyStoreError::io("write", path))
}

fn write(path: &Path, key: &[u8]) -> io::Result<Option<PathBuf>> {
    let resolved = match fs::canonicalize(path) {
        Ok(resolved) => resolved,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            replace(path, key)?;
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    if !fs::metadata(&resolved)?.is_file() {
        write_directly(&resolved, key)?;
        return Ok(None);
    }
    // Losing a master key is losing all data: a former content that cannot be kept is not overwritten.
    let kept = if fs::metadata(&resolved)?.len() == 0 {
        None
    } else {
        Some(keep(&resolved)?)
    };
    match replace(&resolved, key) {
        // A single file mounted into a container, for instance.
        Err(error) if forbids_replacing(&error) => write_directly(&resolved, key)?,
        other => other?,
    }
    Ok(kept)
}

fn replace(path: &Path, key: &[u8]) -> io::Result<()> {
    let directory = parent(path);
    Unfinished::write(directory, key, MODE)?.rename(path)?;
    disk::sync_directory(directory)
}

/// Keeps the content of a file as `<path>.<time stamp>`: a copy, since the file itself may have another mode.
fn keep(path: &Path) -> io::Result<PathBuf> {
    let mut time = time_stamp();
    let content = zeroize::Zeroizing::new(fs::read(path)?);
    let directory = parent(path);
    let copy = Unfinished::write(directory, &content, MODE)?;
    loop {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{time}"));
        let kept = PathBuf::from(name);
        if fs::symlink_metadata(&kept).is_ok() {
            time = time.next();
            continue;
        }
        copy.rename(&kept)?;
        disk::sync_directory(directory)?;
        return Ok(kept);
    }
}

#[cfg(test)]
mod tests {
    use super::{generate_master_key, write};
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_former_key_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("master.key");
        assert_eq!(write(&path, b"first").unwrap(), None);
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let kept = write(&link, b"second").unwrap().unwrap();
        assert!(kept.to_str().unwrap().contains("master.key.2"));
        assert_eq!(fs::read(&kept).unwrap(), b"first");
        assert_eq!(fs::read(&path).unwrap(), b"second");
        for path in [&path, &kept] {
            assert_eq!(
                fs::metadata(path).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 3);
    }

    #[test]
    fn what_is_no_file_is_written_to() {
        assert_eq!(generate_master_key("/dev/null".as_ref()).unwrap(), None);
        let missing = generate_master_key("/nowhere/master.key".as_ref()).unwrap_err();
        assert!(
            missing
                .to_string()
                .starts_with("cannot write /nowhere/master.key: ")
        );
    }
}
