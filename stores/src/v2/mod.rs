//! Key store v2 on a file system (keystore.md 7).
//!
//! Each key has a ring, a signed file with all of its generations, which is replaced as a whole. A writer holds an exclusive
//! lock from the first ring that it reads to the last directory that it syncs; readers share the lock where they can open
//! it, and create nothing.

mod create;
mod export;
mod generate;
mod import;
mod list;
mod load;
mod rings;
#[cfg(test)]
mod tests;

pub(crate) use create::{can_be_made, check_root, create};
pub(crate) use import::rings_of;

use crate::memory::keep_master_keys;
use crate::notice::Notices;
use crate::{KeyStoreError, Notice};
use acra_engine::crypto::Secret;
use acra_engine::keys::MasterKeys;
use acra_engine::keys::v2::{RingError, RingPath};
use std::path::{Path, PathBuf};

/// Permission bits of key rings.
const RING_MODE: u32 = 0o600;
/// Permission bits of the file `version`.
const VERSION_MODE: u32 = 0o644;
/// Permission bits of the root directory.
const ROOT_MODE: u32 = 0o700;

/// A key store v2 in a directory.
#[derive(Debug)]
pub(crate) struct Store {
    directory: PathBuf,
    master: MasterKeys,
    notices: Notices,
}

impl Store {
    /// The store in a directory that has one.
    pub(crate) fn new(directory: &Path, master: MasterKeys) -> Self {
        let notices = Notices::default();
        let keys = [master.encryption(), master.signature()].map(Secret::as_bytes);
        keep_master_keys(&keys, directory, &notices);
        Self {
            directory: directory.to_owned(),
            master,
            notices,
        }
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Tells of a key that cannot be used, and without which others can.
    pub(crate) fn notice(&self, error: &KeyStoreError) {
        self.notices.add(&error.to_string(), &self.directory, true);
    }

    pub(crate) fn take_notices(&self) -> Vec<Notice> {
        self.notices.take()
    }

    fn file(&self, path: &RingPath) -> PathBuf {
        self.directory.join(path.file())
    }

    /// Names the ring that an error is about.
    fn fault(&self, path: &RingPath) -> impl FnOnce(RingError) -> KeyStoreError {
        let path = self.file(path);
        move |error| KeyStoreError::Ring { path, error }
    }
}
