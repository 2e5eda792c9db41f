//! The lock of a key directory (keystore.md 1.1, 7.1).

use crate::KeyStoreError;
use crate::disk;
use acra_engine::keys::v1;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Longest wait for others.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Pause between attempts.
const PAUSE: Duration = Duration::from_millis(20);

/// What becomes of the lock file when a writer lets go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum LockFile {
    /// v1: it is removed, since it would disturb Acra.
    Removed,
    /// v2: it stays, since running processes of Acra hold it open.
    Kept,
}

/// The exclusive lock of a writer.
pub(crate) struct Lock {
    path: PathBuf,
    after: LockFile,
    _file: File,
    /// False: the file system has no locks.
    pub(crate) is_held: bool,
}

/// The shared lock of a reader (v2).
pub(crate) struct SharedLock {
    _file: File,
}

impl Lock {
    /// Takes the lock, waiting for others for at most a minute.
    pub(crate) fn take(directory: &Path, after: LockFile) -> Result<Self, KeyStoreError> {
        Self::take_within(directory, after, TIMEOUT)
    }

    fn take_within(
        directory: &Path,
        after: LockFile,
        timeout: Duration,
    ) -> Result<Self, KeyStoreError> {
        let path = directory.join(v1::LOCK);
        let until = Instant::now() + timeout;
        loop {
            let file = disk::open_lock(&path).map_err(KeyStoreError::io("lock", &path))?;
            let exclusive = FlockOperation::NonBlockingLockExclusive;
            let is_held = wait(&file, exclusive, &path, until)?;
            // The former holder may have removed the file between our opening and locking it.
            if !is_held || is_still_named(&path, &file) {
                return Ok(Self {
                    path,
                    after,
                    _file: file,
                    is_held,
                });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Before the lock is let go by closing the file.
        if self.after == LockFile::Removed {
            let _ = disk::remove_file(&self.path);
        }
    }
}

impl SharedLock {
    /// Takes the lock if there is one that can be opened: readers create nothing, and may not be allowed to.
    pub(crate) fn take(directory: &Path) -> Result<Option<Self>, KeyStoreError> {
        let path = directory.join(v1::LOCK);
        let Ok(file) = File::open(&path) else {
            return Ok(None);
        };
        let shared = FlockOperation::NonBlockingLockShared;
        wait(&file, shared, &path, Instant::now() + TIMEOUT)?;
        Ok(Some(Self { _file: file }))
    }
}

/// Tries until the lock is held or time is over. False: the file system has no locks.
fn wait(
    file: &File,
    operation: FlockOperation,
    path: &Path,
    until: Instant,
) -> Result<bool, KeyStoreError> {
    loop {
        match flock(file, operation) {
            Ok(()) => return Ok(true),
            Err(Errno::WOULDBLOCK | Errno::INTR) => {}
            Err(Errno::NOSYS | Errno::NOLCK | Errno::OPNOTSUPP | Errno::INVAL) => return Ok(false),
            Err(error) => return Err(KeyStoreError::io("lock", path)(error.into())),
        }
        if Instant::now() >= until {
            return Err(KeyStoreError::Locked(path.to_owned()));
        }
        std::thread::sleep(PAUSE);
    }
}

fn is_still_named(path: &Path, file: &File) -> bool {
    match (fs::symlink_metadata(path), file.metadata()) {
        (Ok(named), Ok(open)) => (named.dev(), named.ino()) == (open.dev(), open.ino()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Lock, LockFile, SharedLock};
    use acra_engine::keys::v1;
    use std::time::Duration;

    #[test]
    fn one_at_a_time_and_nothing_left() {
        for after in [LockFile::Removed, LockFile::Kept] {
            let directory = tempfile::tempdir().unwrap();
            let first = Lock::take(directory.path(), after).unwrap();
            let second = Lock::take_within(directory.path(), after, Duration::ZERO);
            assert!(second.is_err_and(|error| error.to_string().contains("timed out")));
            drop(first);
            let is_kept = directory.path().join(v1::LOCK).exists();
            assert_eq!(is_kept, after == LockFile::Kept);
            Lock::take_within(directory.path(), after, Duration::ZERO).unwrap();
        }
    }

    #[test]
    fn readers_share_and_create_nothing() {
        let directory = tempfile::tempdir().unwrap();
        assert!(SharedLock::take(directory.path()).unwrap().is_none());
        assert!(!directory.path().join(v1::LOCK).exists());
        drop(Lock::take(directory.path(), LockFile::Kept).unwrap());
        let readers = [(); 2].map(|()| SharedLock::take(directory.path()).unwrap());
        assert!(readers.iter().all(Option::is_some));
        let writer = Lock::take_within(directory.path(), LockFile::Kept, Duration::ZERO);
        assert!(writer.is_err());
        drop(readers);
        Lock::take_within(directory.path(), LockFile::Kept, Duration::ZERO).unwrap();
    }
}
