//! Key store v1 on a file system (keystore.md 4).
//!
//! Readers take no lock and create nothing: they read a key's current file before they list its older generations, so
//! that a rotation in between can only show a key twice.

#[cfg(test)]
mod bundle_tests;
mod destroy;
mod export;
mod generate;
mod import;
mod list;
mod load;
mod rings;
mod rotate;
#[cfg(test)]
mod tests;

use crate::memory::keep_master_keys;
use crate::notice::Notices;
use crate::{KeyStoreError, Notice};
use acra_engine::keys::MasterKey;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Permission bits of the private key directory.
const DIRECTORY_MODE: u32 = 0o700;
/// Permission bits of private and symmetric key files.
const KEY_MODE: u32 = 0o600;
/// Permission bits of public key files.
const PUBLIC_MODE: u32 = 0o644;

/// A key store v1 in a directory.
#[derive(Debug)]
pub(crate) struct Store {
    directory: PathBuf,
    /// Where public keys are: the key directory, unless another one was given.
    public_directory: PathBuf,
    master: MasterKey,
    notices: Notices,
}

impl Store {
    /// The store in a directory, which need not exist yet.
    pub(crate) fn new(directory: &Path, public_directory: &Path, master: MasterKey) -> Self {
        let notices = Notices::default();
        keep_master_keys(&[master.as_bytes()], directory, &notices);
        Self {
            directory: directory.to_owned(),
            public_directory: public_directory.to_owned(),
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
}

/// Refuses a key directory that lets others in; it need not exist.
pub(crate) fn check_mode(directory: &Path) -> Result<(), KeyStoreError> {
    match fs::metadata(directory) {
        Ok(metadata) => match metadata.permissions().mode() & 0o7777 {
            DIRECTORY_MODE => Ok(()),
            mode => {
                let path = directory.to_owned();
                Err(KeyStoreError::DirectoryMode { path, mode })
            }
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(KeyStoreError::io("open key directory", directory)(error)),
    }
}
