//! From a key store v1 to a key store v2 (keystore.md 8.4).

use crate::{KeyStore, KeyStoreError, Version, v2, version_of};
use acra_engine::keys::{KeyKind, MasterKeys};
use std::path::{Path, PathBuf};

/// A key that stops a migration.
#[derive(Debug)]
pub struct UnreadKey {
    /// What it is for.
    pub kind: KeyKind,
    /// Why it cannot be read.
    pub error: KeyStoreError,
}

/// Where keys of version 1 are to go.
#[derive(Debug)]
pub struct Destination {
    directory: PathBuf,
    master: MasterKeys,
}

impl Destination {
    /// Looks at the directory of the key store v2, which is made by [`migrate`] if it does not exist. `master_key` is the base64
    /// text of its master key. With `force` it may have keys already.
    ///
    /// # Errors
    ///
    /// The master key is missing or wrong in form; the directory holds a key store v1, or one of version 2 without `force`.
    pub fn open(
        directory: &Path,
        master_key: Option<&str>,
        force: bool,
    ) -> Result<Self, KeyStoreError> {
        let master = MasterKeys::from_base64(master_key.unwrap_or_default())?;
        v2::check_root(directory)?;
        if v2::can_be_made(directory)? || force {
            let directory = directory.to_owned();
            return Ok(Self { directory, master });
        }
        Err(KeyStoreError::DestinationExists(directory.to_owned()))
    }
}

/// Copies all keys, with their older generations. Gives how many key rings they are in.
///
/// All keys are opened before anything is written, and keys that are there already are passed over, so that repeating it
/// changes nothing. The source is never changed. With `dry_run` nothing is written.
///
/// # Errors
///
/// The source is no key store v1; keys do not open ([`KeyStoreError::Incomplete`]); the destination cannot be read or written.
pub fn migrate(
    source: &KeyStore,
    destination: Destination,
    dry_run: bool,
) -> Result<usize, KeyStoreError> {
    let (rings, unread) = source.rings_of_v1()?;
    if !unread.is_empty() {
        return Err(KeyStoreError::Incomplete(unread));
    }
    let Destination { directory, master } = destination;
    let store = v2::Store::new(&directory, master);
    if dry_run {
        if version_of(&directory)? == Version::V2 {
            store.try_import(&rings)?;
        }
        return Ok(rings.len());
    }
    v2::create(&directory)?;
    store.import_rings(&rings).map(|imported| imported.count)
}
