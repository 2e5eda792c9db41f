//! What can be wrong with a key store, and what to do about it.

use crate::{UnreadKey, Version};
use acra_engine::keys::MasterKeyError;
use acra_engine::keys::v2::{BundleError, RingError};
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
    /// The root of a key store v2 lets others in.
    RootMode {
        /// The key directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The root of a key store v2 is no directory.
    NoDirectory(PathBuf),
    /// The key directory holds a key store of another version than is asked for.
    OtherVersion {
        /// The key directory.
        path: PathBuf,
        /// What it holds.
        found: Version,
    },
    /// A key ring cannot be used or changed as asked.
    Ring {
        /// Its file.
        path: PathBuf,
        /// Why not.
        error: RingError,
    },
    /// The secret of a bundle is wrong in form.
    BundleSecret(MasterKeyError),
    /// A bundle does not open, or has keys that cannot be brought in.
    Bundle(BundleError),
    /// A bundle of another version than the key store.
    BundleVersion {
        /// The version of the key store.
        store: Version,
    },
    /// A bundle of a key store v1 does not open, or has what is no key: why not.
    BundleFile(String),
    /// There are no keys to take out.
    NothingToExport,
    /// The destination of a migration is a key store v2 already.
    DestinationExists(PathBuf),
    /// These keys cannot be copied, so none was.
    Incomplete(Vec<UnreadKey>),
    /// The file `version` is not one of Acra's, or cannot be read.
    VersionFile(PathBuf),
    /// There is no such key.
    Missing(PathBuf),
    /// There is no older generation of this index.
    NoSuchIndex(u32),
    /// A key opens, and what it holds is no key of its kind.
    Damaged(String),
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
        match self {
            Self::Missing(_) => true,
            Self::Ring { error, .. } => {
                matches!(error, RingError::NoCurrent | RingError::Destroyed)
            }
            _ => false,
        }
    }

    pub(crate) fn bundle(error: impl Into<BundleError>) -> Self {
        Self::Bundle(error.into())
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
            Self::RootMode { path, mode } => write!(
                f,
                "invalid key directory access permissions: {} has mode {mode:04o}, expected 0700; run: chmod 700 {}",
                path.display(),
                path.display()
            ),
            Self::NoDirectory(path) => {
                write!(
                    f,
                    "root key directory is not a directory: {}",
                    path.display()
                )
            }
            Self::OtherVersion { path, found } => write!(
                f,
                "key directory already holds a keystore of another version: {} is a keystore {found}",
                path.display()
            ),
            Self::Ring { path, error } => {
                write!(f, "{error}: {}", path.display())?;
                match error {
                    RingError::NoCurrent => f.write_str("; make one with acra-keys generate"),
                    RingError::Signature | RingError::Crypto(_) => f.write_str(
                        " is damaged, was moved, or was written with another master key than that in ACRA_MASTER_KEY",
                    ),
                    _ => Ok(()),
                }
            }
            Self::BundleSecret(error) => write!(f, "the secret of the bundle: {error}"),
            Self::Bundle(error) => error.fmt(f),
            Self::BundleVersion { store } => write!(
                f,
                "the bundle is not one of a keystore {store}; import it into a directory of its own and migrate that"
            ),
            Self::BundleFile(why) => f.write_str(why),
            Self::NothingToExport => f.write_str("no keys to export"),
            Self::DestinationExists(path) => write!(
                f,
                "destination exists: {}; --force adds the keys to those that it has",
                path.display()
            ),
            Self::Incomplete(keys) => {
                write!(
                    f,
                    "Incomplete key import: {} cannot be read",
                    match keys.len() {
                        1 => "one key".to_owned(),
                        number => format!("{number} keys"),
                    }
                )?;
                keys.iter().try_for_each(|key| write!(f, "; {}", key.error))
            }
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
                "key does not exist: {}; make it with acra-keys generate",
                path.display()
            ),
            Self::Damaged(key) => write!(f, "{key} holds what is no key"),
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
            Self::MasterKey(error) | Self::BundleSecret(error) => Some(error),
            Self::Ring { error, .. } => Some(error),
            Self::Bundle(error) => Some(error),
            Self::Io { error, .. } => Some(error),
            _ => None,
        }
    }
}
