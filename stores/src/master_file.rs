//! Writing a master key file (keystore.md 3.1).

use crate::KeyStoreError;
use crate::safe_file::{Unfinished, sync_directory};
use crate::v1::present;
use acra_engine::keys::MasterKey;
use rustix::io::Errno;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Permission bits of a master key file.
const MODE: u32 = 0o600;

/// Makes a new master key, writes its raw bytes to a file of mode 0600 and gives the path under which a former content was kept.
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
        let mut file = OpenOptions::new().write(true).open(&resolved)?;
        file.write_all(key)?;
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
        Err(error) if forbids_replacing(&error) => write_in_place(&resolved, key)?,
        other => other?,
    }
    Ok(kept)
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn replace(path: &Path, key: &[u8]) -> io::Result<()> {
    let directory = parent(path);
    Unfinished::write(directory, key, MODE)?.rename(path)?;
    sync_directory(directory)
}

/// Keeps the content of a file as `<path>.<time stamp>`: a copy, since the file itself may have another mode.
fn keep(path: &Path) -> io::Result<PathBuf> {
    let mut time = present();
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
        sync_directory(directory)?;
        return Ok(kept);
    }
}

fn forbids_replacing(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::ACCESS | Errno::PERM | Errno::ROFS | Errno::BUSY)
    )
}

fn write_in_place(path: &Path, key: &[u8]) -> io::Result<()> {
    let mut file: File = OpenOptions::new().write(true).truncate(true).open(path)?;
    file.write_all(key)?;
    file.sync_all()
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
