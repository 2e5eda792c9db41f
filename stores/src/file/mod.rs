//! Key store v1 on a file system (keystore.md 4).
//!
//! Readers take no lock and create nothing: they read a key's current file before they list its older generations, so
//! that a rotation in between can only show a key twice.

mod generate;
mod load;
mod lock;
mod rotate;
pub(crate) use rotate::present;
#[cfg(test)]
mod tests;
mod version;

pub use version::{Version, version_of};

use crate::KeyStoreError;
use acra_engine::keys::v1::Entry;
use acra_engine::keys::{ClientId, MasterKey};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Permission bits of the private key directory.
const DIRECTORY_MODE: u32 = 0o700;
/// Permission bits of private and symmetric key files.
const KEY_MODE: u32 = 0o600;
/// Permission bits of public key files.
const PUBLIC_MODE: u32 = 0o644;

/// Most notices that wait to be taken.
const MAX_NOTICES: usize = 256;

/// Something that the administrator should know and that stops nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// One sentence.
    pub message: String,
    /// The file it is about.
    pub path: PathBuf,
    /// Whether a key cannot be used, as opposed to one that should be looked after.
    pub is_error: bool,
}

/// A key store v1 in a directory.
#[derive(Debug)]
pub struct FileKeyStore {
    directory: PathBuf,
    /// Where public keys are: the key directory, unless another one was given.
    public_directory: PathBuf,
    master: MasterKey,
    notices: Mutex<Vec<Notice>>,
}

impl FileKeyStore {
    /// Opens the key store in `directory`, which need not exist yet. `master_key` is the base64 text of the master key.
    ///
    /// # Errors
    ///
    /// The master key is missing or wrong in form; the directory has another mode than 0700, or holds a key store v2.
    pub fn open(directory: &Path, master_key: Option<&str>) -> Result<Self, KeyStoreError> {
        let master = MasterKey::from_base64(master_key.unwrap_or_default())?;
        match fs::metadata(directory) {
            Ok(metadata) => {
                let mode = metadata.permissions().mode() & 0o7777;
                if mode != DIRECTORY_MODE {
                    let path = directory.to_owned();
                    return Err(KeyStoreError::DirectoryMode { path, mode });
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(KeyStoreError::io("open key directory", directory)(error)),
        }
        if version_of(directory)? == Version::V2 {
            return Err(KeyStoreError::OtherVersion(directory.to_owned()));
        }
        Ok(Self {
            directory: directory.to_owned(),
            public_directory: directory.to_owned(),
            master,
            notices: Mutex::default(),
        })
    }

    /// Keeps public keys in a directory of their own, whose mode does not matter.
    #[must_use]
    pub fn with_public_directory(self, public_directory: &Path) -> Self {
        Self {
            public_directory: public_directory.to_owned(),
            ..self
        }
    }

    /// The key directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// All clients that have a current storage key, in the order of their ids. A directory that does not exist has none.
    ///
    /// # Errors
    ///
    /// The directory cannot be listed.
    pub fn client_ids(&self) -> Result<Vec<ClientId>, KeyStoreError> {
        let mut ids = BTreeSet::new();
        for (name, path) in list(&self.directory)? {
            match Entry::of(&name) {
                Entry::StorageSymmetric(id) | Entry::StoragePrivate(id) if path.is_file() => {
                    ids.insert(id);
                }
                Entry::Unfinished => self.notice("Ignoring unfinished key file", &path, false),
                _ => {}
            }
        }
        Ok(ids.into_iter().collect())
    }

    /// Notices since the last call; the same one is given once.
    pub fn take_notices(&self) -> Vec<Notice> {
        let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut notices)
    }

    fn notice(&self, message: &str, path: &Path, is_error: bool) {
        let notice = Notice {
            message: message.to_owned(),
            path: path.to_owned(),
            is_error,
        };
        let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        if notices.len() < MAX_NOTICES && !notices.contains(&notice) {
            notices.push(notice);
        }
    }
}

/// Names and paths in a directory; one that does not exist is empty, names that are not text are left out.
fn list(directory: &Path) -> Result<Vec<(String, PathBuf)>, KeyStoreError> {
    let fail = KeyStoreError::io("list", directory);
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries.collect::<Result<Vec<_>, _>>(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => Err(error),
    };
    let named = |entry: fs::DirEntry| Some((entry.file_name().into_string().ok()?, entry.path()));
    Ok(entries
        .map_err(fail)?
        .into_iter()
        .filter_map(named)
        .collect())
}
