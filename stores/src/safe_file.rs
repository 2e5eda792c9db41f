//! Files that are there whole or not at all (keystore.md 1.1).

use crate::directory::{list, parent};
use crate::{KeyStoreError, disk};
use acra_engine::keys::{v1, v2};
use rand::Rng as _;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How old a temporary file must be before it is removed without a lock.
const ABANDONED: Duration = Duration::from_secs(3600);

/// A complete, synced file under a temporary name. Dropping it removes it again.
pub(crate) struct Unfinished {
    path: PathBuf,
    renamed: bool,
}

impl Unfinished {
    /// Writes `content` next to where it will be.
    pub(crate) fn write(directory: &Path, content: &[u8], mode: u32) -> io::Result<Self> {
        loop {
            let path = directory.join(v1::temporary(rand::rng().next_u64()));
            match Self::write_as(path, content, mode) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                other => return other,
            }
        }
    }

    /// Writes `content` under a temporary name that nothing has.
    pub(crate) fn write_as(path: PathBuf, content: &[u8], mode: u32) -> io::Result<Self> {
        let mut file = disk::create_new(&path)?;
        let renamed = false;
        let unfinished = Self { path, renamed };
        fill(&mut file, content, mode)?;
        Ok(unfinished)
    }

    /// Gives the file its name; whatever had it is replaced. The directory is not synced yet.
    pub(crate) fn rename(mut self, to: &Path) -> io::Result<()> {
        disk::rename(&self.path, to)?;
        self.renamed = true;
        Ok(())
    }
}

fn fill(file: &mut File, content: &[u8], mode: u32) -> io::Result<()> {
    disk::write(file, content)?;
    disk::set_mode(file, mode)?;
    disk::sync(file)
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.renamed {
            // The next writer removes what stays.
            let _ = disk::remove_file(&self.path);
        }
    }
}

/// Makes a directory of mode 0700, and those above it, unless it exists.
pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = parent(path);
    if parent != Path::new(".") {
        create_directory(parent)?;
    }
    match disk::create_directory(path) {
        Ok(()) => disk::sync_directory(parent),
        // Somebody else was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Removes what writers left behind in a directory that were cut off. Whoever holds the lock is the only writer.
pub(crate) fn remove_leftovers(directory: &Path, locked: bool) -> Result<(), KeyStoreError> {
    for (name, path) in list(directory)? {
        // Those of Acra look like key files; they stay.
        if !v1::is_temporary(&name) && !v2::is_new(&name) {
            continue;
        }
        let age = fs::symlink_metadata(&path).and_then(|metadata| metadata.modified());
        let is_old = age.is_ok_and(|time| time.elapsed().is_ok_and(|elapsed| elapsed > ABANDONED));
        if locked || is_old {
            // One that cannot be removed disturbs nobody.
            let _ = disk::remove_file(&path);
        }
    }
    Ok(())
}
