//! Key store v1 on a file system (keystore.md 4).
//!
//! Readers take no lock and create nothing: they read a key's current file before they list its older generations, so
//! that a rotation in between can only show a key twice.

mod lock;
mod rotate;
pub(crate) use rotate::present;
#[cfg(test)]
mod tests;
mod version;

pub use version::{Version, version_of};

use crate::KeyStoreError;
use acra_engine::crypto::{BlockKey, Secret};
use acra_engine::keys::v1::{self, Entry};
use acra_engine::keys::{ClientId, ClientKeys, MasterKey};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Permission bits of the private key directory.
const DIRECTORY_MODE: u32 = 0o700;
/// Permission bits of private and symmetric key files.
const KEY_MODE: u32 = 0o600;

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
            master,
            notices: Mutex::default(),
        })
    }

    /// The key directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Reads the keys of a client, newest first.
    ///
    /// Older generations are given even if there is no current key any more; one that does not open is left out, with
    /// a notice.
    ///
    /// # Errors
    ///
    /// There is no key at all ([`KeyStoreError::is_missing`]); the current one cannot be read or does not open.
    pub fn load_client(&self, id: &ClientId) -> Result<ClientKeys, KeyStoreError> {
        let name = v1::storage_symmetric(id);
        let path = self.directory.join(&name);
        let mut symmetric = Vec::new();
        if let Some(file) = self.read(&path)? {
            let key = self.open_key(&name, &file);
            symmetric.push(key.ok_or_else(|| KeyStoreError::Unopened(path.clone()))?);
        }
        for (name, path) in self.older_generations(&name)? {
            let file = match self.read(&path) {
                Ok(Some(file)) => file,
                // Removed since it was listed.
                Ok(None) => continue,
                Err(_) => Vec::new(),
            };
            match self.open_key(&name, &file) {
                Some(key) => symmetric.push(key.into_rotated()),
                None => self.notice("Cannot open rotated key", &path, true),
            }
        }
        if symmetric.is_empty() {
            return Err(KeyStoreError::Missing(path));
        }
        Ok(ClientKeys {
            symmetric,
            ..ClientKeys::default()
        })
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
                Entry::StorageSymmetric(id) if path.is_file() => {
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

    /// Reads a key file; `None`: it does not exist.
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, KeyStoreError> {
        let fail = KeyStoreError::io("read", path);
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(fail(error)),
        };
        let mut content = Vec::new();
        let read = file.metadata().and_then(|metadata| {
            let mode = metadata.permissions().mode() & 0o7777;
            if mode & 0o077 != 0 {
                let message = format!(
                    "private key file {} has incorrect permissions {mode:04o}, expected 0600",
                    path.display()
                );
                self.notice(&message, path, false);
            }
            // One byte more than is allowed: such a file does not open.
            file.take(v1::MAX_FILE as u64 + 1).read_to_end(&mut content)
        });
        read.map_err(fail)?;
        Ok(Some(content))
    }

    fn open_key(&self, name: &str, file: &[u8]) -> Option<BlockKey> {
        if file.len() > v1::MAX_FILE {
            return None;
        }
        let key: Secret = v1::open(&self.master, name, file).ok()?;
        BlockKey::new(key).ok()
    }

    /// Names (within the key directory) and paths of a key's older generations, newest first.
    fn older_generations(&self, name: &str) -> Result<Vec<(String, PathBuf)>, KeyStoreError> {
        let old = v1::old_directory(name);
        let mut files = list(&self.directory.join(&old))?;
        files.retain(|(name, path)| {
            let is_file = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
            is_file && !v1::is_unfinished(name)
        });
        files.sort_unstable_by(|(first, _), (second, _)| second.cmp(first));
        let with_directory = |(name, path)| (format!("{old}/{name}"), path);
        Ok(files.into_iter().map(with_directory).collect())
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
