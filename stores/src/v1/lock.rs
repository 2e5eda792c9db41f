//! The lock that writers of a key directory hold (keystore.md 1.1).

use crate::KeyStoreError;
use acra_engine::keys::v1;
use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Longest wait for another writer.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Pause between attempts.
const PAUSE: Duration = Duration::from_millis(20);

/// An exclusive lock of a key directory. Letting go removes the lock file: in a v1 directory it would disturb Acra.
pub(super) struct Lock {
    path: PathBuf,
    _file: File,
    /// False: the file system has no locks.
    pub(super) is_held: bool,
}

impl Lock {
    /// Takes the lock, waiting for another writer for at most a minute.
    pub(super) fn take(directory: &Path) -> Result<Self, KeyStoreError> {
        Self::take_within(directory, TIMEOUT)
    }

    pub(super) fn take_within(directory: &Path, timeout: Duration) -> Result<Self, KeyStoreError> {
        let path = directory.join(v1::LOCK);
        let until = Instant::now() + timeout;
        loop {
            let file = open(&path).map_err(KeyStoreError::io("lock", &path))?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                // The former holder may have removed the file between our opening and locking it.
                Ok(()) if is_still_named(&path, &file) => {
                    return Ok(Self {
                        path,
                        _file: file,
                        is_held: true,
                    });
                }
                Ok(()) => continue,
                Err(Errno::WOULDBLOCK | Errno::INTR) => {}
                Err(Errno::NOSYS | Errno::NOLCK | Errno::OPNOTSUPP | Errno::INVAL) => {
                    return Ok(Self {
                        path,
                        _file: file,
                        is_held: false,
                    });
                }
                Err(error) => return Err(KeyStoreError::io("lock", &path)(error.into())),
            }
            if Instant::now() >= until {
                return Err(KeyStoreError::Locked(directory.to_owned()));
            }
            std::thread::sleep(PAUSE);
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Before the lock is let go by closing the file.
        let _ = fs::remove_file(&self.path);
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)
}

fn is_still_named(path: &Path, file: &File) -> bool {
    match (fs::symlink_metadata(path), file.metadata()) {
        (Ok(named), Ok(open)) => (named.dev(), named.ino()) == (open.dev(), open.ino()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::Lock;
    use acra_engine::keys::v1;
    use std::time::Duration;

    #[test]
    fn one_at_a_time_and_nothing_left() {
        let directory = tempfile::tempdir().unwrap();
        let first = Lock::take(directory.path()).unwrap();
        let second = Lock::take_within(directory.path(), Duration::ZERO);
        assert!(second.is_err_and(|error| error.to_string().contains("timed out")));
        drop(first);
        assert!(!directory.path().join(v1::LOCK).exists());
        Lock::take_within(directory.path(), Duration::ZERO).unwrap();
    }
}
