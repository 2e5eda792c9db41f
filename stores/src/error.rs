//! What can be wrong with a key store, and what to do about it.

use acra_engine::keys::MasterKeyError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a key store could not be used.
///
/// The texts start with those of Acra where there is one, then name the file and what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeyStoreError {
    /// The master key is missing or wrong in form.
    MasterKey(MasterKeyError),
    /// The key directory lets others in.
    DirectoryMode {
        /// The key directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A key file lets others read it.
    KeyMode {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The key directory holds a key store v2.
    OtherVersion(PathBuf),
    /// The file `version` is not one of Acra's, or cannot be read.
    VersionFile(PathBuf),
    /// There is no such key.
    Missing(PathBuf),
    /// There is no older generation of this index.
    NoSuchIndex(u32),
    /// A key file does not open: it is damaged, or the master key is another one.
    Unopened(PathBuf),
    /// Another process has held the lock for too long.
    Locked(PathBuf),
    /// The system refuses.
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
}

impl KeyStoreError {
    /// Whether there simply is no key, as opposed to one that cannot be had.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing(_))
    }

    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io {
            action,
            path,
            error,
        }
    }
}

impl From<MasterKeyError> for KeyStoreError {
    fn from(error: MasterKeyError) -> Self {
        Self::MasterKey(error)
    }
}

impl fmt::Display for KeyStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MasterKey(error) => write!(
                f,
                "{error}: ACRA_MASTER_KEY must hold the base64 of the master key file"
            ),
            Self::DirectoryMode { path, mode } => write!(
                f,
                "keystore folder has an incorrect permissions: {} has mode {mode:04o}, expected 0700; run: chmod 700 {}",
                path.display(),
                path.display()
            ),
            Self::OtherVersion(path) => write!(
                f,
                "key directory already holds a keystore of another version: {} is a keystore v2, which is not available \
                 in this version; use a directory with a keystore v1",
                path.display()
            ),
            Self::VersionFile(path) => write!(
                f,
                "invalid keystore version file content: {}; remove it only if the directory holds a keystore v1",
                path.display()
            ),
            Self::NoSuchIndex(index) => write!(
                f,
                "invalid index value provided: there is no key {index} of this kind"
            ),
            Self::Missing(path) => write!(
                f,
                "key does not exist: {}; make it with acra-keymaker --generate_symmetric_storage_key",
                path.display()
            ),
            Self::KeyMode { path, mode } => write!(
                f,
                "private key file {} has incorrect permissions {mode:04o}, expected 0600",
                path.display()
            ),
            Self::Unopened(path) => write!(
                f,
                "failed to unprotect data: {} is damaged or was written with another master key than that in \
                 ACRA_MASTER_KEY",
                path.display()
            ),
            Self::Locked(path) => write!(
                f,
                "timed out while waiting for lock: another program is writing to {}",
                path.display()
            ),
            Self::Io {
                action,
                path,
                error,
            } => write!(f, "cannot {action} {}: {error}", path.display()),
        }
    }
}

impl std::error::Error for KeyStoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::MasterKey(error) => Some(error),
            Self::Io { error, .. } => Some(error),
            _ => None,
        }
    }
}
