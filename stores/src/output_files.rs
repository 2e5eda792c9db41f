//! Writing the files of a bundle where the user says (keystore.md 1.1, 8.1).

use crate::directory::parent;
use crate::disk;
use crate::safe_file::Unfinished;
use rustix::io::Errno;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Permission bits of the files.
const MODE: u32 = 0o600;

/// Why output files could not be written.
#[derive(Debug)]
pub enum OutputError {
    /// One exists and lets others in.
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The system refuses.
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

impl fmt::Display for OutputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mode { path, mode } => write!(
                f,
                "incorrect output file permissions: {} has mode {mode:04o}, expected 0600; run: chmod 600 {}",
                path.display(),
                path.display()
            ),
            Self::Io { path, error } => write!(f, "cannot write {}: {error}", path.display()),
        }
    }
}

impl std::error::Error for OutputError {}

/// How a file gets its content.
enum Prepared {
    /// It is complete under a temporary name next to its own.
    Unfinished(Unfinished, PathBuf),
    /// It is written directly: what is no regular file, or where the directory does not let files be replaced.
    Direct(PathBuf),
}

/// Writes files of mode 0600. All are complete before the first gets its name, in this order.
///
/// # Errors
///
/// One exists with another mode; one cannot be written. Before the first has its name, nothing has changed.
pub fn write_files(files: &[(&Path, &[u8])]) -> Result<(), OutputError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |error| OutputError::Io { path, error }
    };
    let mut resolved = Vec::new();
    for (path, content) in files {
        resolved.push((resolve(path)?, *content));
    }
    let mut prepared = Vec::new();
    for (path, content) in &resolved {
        prepared.push((prepare(path, content).map_err(io(path))?, *content));
    }
    for (prepared, content) in prepared {
        match prepared {
            Prepared::Unfinished(file, path) => file
                .rename(&path)
                .and_then(|()| disk::sync_directory(parent(&path)))
                .map_err(io(&path))?,
            Prepared::Direct(path) => write_directly(&path, content).map_err(io(&path))?,
        }
    }
    Ok(())
}

/// The path behind symbolic links, if the mode of what is there allows to write to it.
fn resolve(path: &Path) -> Result<PathBuf, OutputError> {
    let io = |error| OutputError::Io {
        path: path.to_owned(),
        error,
    };
    let path = match fs::canonicalize(path) {
        Ok(path) => path,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(path.to_owned()),
        Err(error) => return Err(io(error)),
    };
    let metadata = fs::metadata(&path).map_err(io)?;
    let mode = metadata.permissions().mode() & 0o7777;
    match metadata.is_file() && mode != MODE {
        true => Err(OutputError::Mode { path, mode }),
        false => Ok(path),
    }
}

fn prepare(path: &Path, content: &[u8]) -> io::Result<Prepared> {
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Ok(Prepared::Direct(path.to_owned()));
    }
    match Unfinished::write(parent(path), content, MODE) {
        Ok(file) => Ok(Prepared::Unfinished(file, path.to_owned())),
        // A single file mounted into a container, for instance.
        Err(error) if forbids_replacing(&error) && path.exists() => {
            Ok(Prepared::Direct(path.to_owned()))
        }
        Err(error) => Err(error),
    }
}

/// Whether a directory does not let files be made or replaced.
pub(crate) fn forbids_replacing(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::ACCESS | Errno::PERM | Errno::ROFS | Errno::BUSY)
    )
}

/// Writes into a file that is there.
pub(crate) fn write_directly(path: &Path, content: &[u8]) -> io::Result<()> {
    let is_file = fs::metadata(path)?.is_file();
    let mut file = disk::open_existing(path, is_file)?;
    disk::write(&mut file, content)?;
    match is_file {
        true => disk::sync(&file),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{OutputError, write_files};
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn both_or_none() {
        let directory = tempfile::tempdir().unwrap();
        let (data, secret) = (
            directory.path().join("data"),
            directory.path().join("secret"),
        );
        write_files(&[(&data, b"data"), (&secret, b"secret")]).unwrap();
        for (path, content) in [(&data, "data"), (&secret, "secret")] {
            assert_eq!(fs::read_to_string(path).unwrap(), content);
            assert_eq!(
                fs::metadata(path).unwrap().permissions().mode() & 0o7777,
                0o600
            );
        }
        fs::set_permissions(&secret, Permissions::from_mode(0o644)).unwrap();
        let refused = write_files(&[(&data, b"new"), (&secret, b"new")]).unwrap_err();
        assert!(matches!(refused, OutputError::Mode { mode: 0o644, .. }));
        let nowhere = directory.path().join("no/where");
        let refused = write_files(&[(&data, b"new"), (&nowhere, b"new")]).unwrap_err();
        assert!(
            refused.to_string().starts_with("cannot write "),
            "{refused}"
        );
        assert_eq!(fs::read_to_string(&data).unwrap(), "data");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
        write_files(&[(&data, b"new"), ("/dev/null".as_ref(), b"new")]).unwrap();
        assert_eq!(fs::read_to_string(&data).unwrap(), "new");
    }
}
