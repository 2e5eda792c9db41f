//! A key store, whatever its version.

use crate::v1;
use crate::{KeyStoreError, ListedKey, Notice, Version, version_of};
use acra_engine::crypto::{KeyPairType, Secret};
use acra_engine::keys::{ClientId, ClientKeys, KeyKind, MasterKey};
use std::path::Path;

/// A key store in a directory.
///
/// Readers take no lock and create nothing, so they work on read-only mounts.
#[derive(Debug)]
pub struct KeyStore {
    store: AnyVersion,
}

#[derive(Debug)]
enum AnyVersion {
    V1(v1::Store),
}

/// Calls the same function of whichever version it is.
macro_rules! of_version {
    ($self:ident, $store:ident => $call:expr) => {
        match &$self.store {
            AnyVersion::V1($store) => $call,
        }
    };
}

impl KeyStore {
    /// Opens the key store in `directory`, whose version is found out. One that does not exist or is empty has no keys,
    /// and is v1 once it gets one.
    ///
    /// Public keys of v1 are in `public_directory`, whose mode does not matter, or without it in the same directory.
    /// `master_key` is the base64 text of the master key.
    ///
    /// # Errors
    ///
    /// The master key is missing or wrong in form; the directory has another mode than 0700, or holds a key store v2.
    pub fn open(
        directory: &Path,
        public_directory: Option<&Path>,
        master_key: Option<&str>,
    ) -> Result<Self, KeyStoreError> {
        let master = MasterKey::from_base64(master_key.unwrap_or_default())?;
        let public_directory = public_directory.unwrap_or(directory);
        v1::check_mode(directory)?;
        match version_of(directory)? {
            Version::Empty | Version::V1 => Ok(Self {
                store: AnyVersion::V1(v1::Store::new(directory, public_directory, master)),
            }),
            Version::V2 => Err(KeyStoreError::OtherVersion(directory.to_owned())),
        }
    }

    /// The key directory.
    pub fn directory(&self) -> &Path {
        of_version!(self, store => store.directory())
    }

    /// All clients that have a current storage key, in the order of their ids. A directory that does not exist has none.
    ///
    /// # Errors
    ///
    /// The directory cannot be listed.
    pub fn client_ids(&self) -> Result<Vec<ClientId>, KeyStoreError> {
        of_version!(self, store => store.client_ids())
    }

    /// Notices since the last call; the same one is given once.
    pub fn take_notices(&self) -> Vec<Notice> {
        of_version!(self, store => store.take_notices())
    }

    /// Reads the storage keys of a client, newest first.
    ///
    /// Older generations are given even if there is no current key any more; one that does not open is left out, with
    /// a notice. So are the keys of a pair that cannot be used, if there are symmetric keys.
    ///
    /// # Errors
    ///
    /// There is no key at all ([`KeyStoreError::is_missing`]); the current one cannot be read or does not open.
    pub fn load_client(&self, id: &ClientId) -> Result<ClientKeys, KeyStoreError> {
        let (symmetric, pair) = (
            KeyKind::StorageSymmetric(id.clone()),
            KeyKind::StoragePair(id.clone()),
        );
        of_version!(self, store => store.load(&symmetric, &pair))
    }

    /// Reads the keys of poison records, newest first.
    ///
    /// # Errors
    ///
    /// Those of [`load_client`](Self::load_client).
    pub fn load_poison(&self) -> Result<ClientKeys, KeyStoreError> {
        of_version!(self, store => store.load(&KeyKind::PoisonSymmetric, &KeyKind::PoisonPair))
    }

    /// Reads a current key: of a symmetric one its bytes, of a pair the container of its private part.
    ///
    /// # Errors
    ///
    /// There is no such key ([`KeyStoreError::is_missing`]); it cannot be read or does not open.
    pub fn read_secret(&self, kind: &KeyKind) -> Result<Secret, KeyStoreError> {
        of_version!(self, store => store.read_secret(kind))
    }

    /// Reads the container of the public part of a current pair, as it is stored.
    ///
    /// # Errors
    ///
    /// There is none ([`KeyStoreError::is_missing`]), as of every symmetric key; it cannot be read or is damaged.
    pub fn read_public(&self, kind: &KeyKind) -> Result<Vec<u8>, KeyStoreError> {
        of_version!(self, store => store.read_public(kind))
    }

    /// Makes a new key (a pair is of P-256), which becomes the current one; a key that exists becomes the newest of its older generations. The key
    /// directory is made if it does not exist.
    ///
    /// # Errors
    ///
    /// Something cannot be written (the current key is then what it was), or another writer holds the lock for a minute.
    pub fn generate(&self, kind: &KeyKind) -> Result<(), KeyStoreError> {
        self.generate_of_type(kind, KeyPairType::default())
    }

    /// [`generate`](Self::generate) for a key pair of this type; of symmetric keys there is one type. Acra reads P-256
    /// only.
    ///
    /// # Errors
    ///
    /// Those of [`generate`](Self::generate).
    pub fn generate_of_type(&self, kind: &KeyKind, pair: KeyPairType) -> Result<(), KeyStoreError> {
        of_version!(self, store => store.generate(kind, pair))
    }

    /// Removes a key by its [index](ListedKey::index). A current key that is not there is no error of a key store v1.
    ///
    /// # Errors
    ///
    /// There is no key of this index; something cannot be removed.
    pub fn destroy(&self, kind: &KeyKind, index: u32) -> Result<(), KeyStoreError> {
        of_version!(self, store => store.destroy(kind, index))
    }

    /// All current keys, then, if asked for, their older generations. What is in the directory beside them is left out,
    /// with a notice where Acra gives one.
    ///
    /// # Errors
    ///
    /// The directory does not exist or cannot be listed.
    pub fn list(&self, rotated: bool) -> Result<Vec<ListedKey>, KeyStoreError> {
        of_version!(self, store => store.list(rotated))
    }
}
