//! A key store, whatever its version.

use crate::{Bundle, Imported, KeyStoreError, ListedKey, Notice, Selection, UnreadKey, Version};
use crate::{v1, v2, version_of};
use acra_engine::crypto::search_hash::SearchKey;
use acra_engine::crypto::{KeyPairType, Secret};
use acra_engine::keys::v2::KeyRing;
use acra_engine::keys::{ClientId, ClientKeys, KeyKind, MasterKey, MasterKeys};
use std::path::Path;

/// A key store in a directory.
///
/// Readers create nothing, so they work on read-only mounts.
#[derive(Debug)]
pub struct KeyStore {
    store: AnyVersion,
}

#[derive(Debug)]
enum AnyVersion {
    V1(v1::Store),
    V2(v2::Store),
}

/// Calls the same function of whichever version it is.
macro_rules! of_version {
    ($self:ident, $store:ident => $call:expr) => {
        match &$self.store {
            AnyVersion::V1($store) => $call,
            AnyVersion::V2($store) => $call,
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
    /// The master key is missing or wrong in form; the directory has another mode than 0700.
    pub fn open(
        directory: &Path,
        public_directory: Option<&Path>,
        master_key: Option<&str>,
    ) -> Result<Self, KeyStoreError> {
        let master_key = master_key.unwrap_or_default();
        let version = version_of(directory);
        let store = match version {
            Ok(Version::V2) => {
                v2::check_root(directory)?;
                let master = MasterKeys::from_base64(master_key)?;
                AnyVersion::V2(v2::Store::new(directory, master))
            }
            _ => {
                v1::check_mode(directory)?;
                version?;
                let master = MasterKey::from_base64(master_key)?;
                let public_directory = public_directory.unwrap_or(directory);
                AnyVersion::V1(v1::Store::new(directory, public_directory, master))
            }
        };
        Ok(Self { store })
    }

    /// Opens the key store in `directory`, which must be of this version or not exist yet. One of version 2 is made.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open); the directory holds a key store of the other version.
    pub fn create(
        version: Version,
        directory: &Path,
        public_directory: Option<&Path>,
        master_key: Option<&str>,
    ) -> Result<Self, KeyStoreError> {
        match version {
            Version::V2 => {
                // Before anything is made.
                MasterKeys::from_base64(master_key.unwrap_or_default())?;
                v2::create(directory)?;
            }
            Version::V1 | Version::Empty => match version_of(directory)? {
                Version::V1 | Version::Empty => {}
                found => {
                    let path = directory.to_owned();
                    return Err(KeyStoreError::OtherVersion { path, found });
                }
            },
        }
        Self::open(directory, public_directory, master_key)
    }

    /// Opens the key store in `directory` for [`import`](Self::import). One that does not exist or is empty gets the version
    /// of the bundle.
    ///
    /// # Errors
    ///
    /// Those of [`create`](Self::create); a bundle of version 2 for a new key store does not open, so that none is made.
    pub fn for_import(
        bundle: &Bundle,
        directory: &Path,
        public_directory: Option<&Path>,
        master_key: Option<&str>,
    ) -> Result<Self, KeyStoreError> {
        match version_of(directory)? {
            Version::Empty => {
                if bundle.version() == Version::V2 {
                    v2::rings_of(bundle)?;
                }
                Self::create(bundle.version(), directory, public_directory, master_key)
            }
            _ => Self::open(directory, public_directory, master_key),
        }
    }

    /// Its version.
    pub fn version(&self) -> Version {
        match &self.store {
            AnyVersion::V1(_) => Version::V1,
            AnyVersion::V2(_) => Version::V2,
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

    /// Reads the keys of a client: storage keys, newest first, and the current one for searchable encryption.
    ///
    /// Older generations are given even if there is no current key any more; one that does not open is left out, with
    /// a notice. So are the keys of a pair that cannot be used, if there are symmetric keys, and a key for searchable
    /// encryption that cannot.
    ///
    /// # Errors
    ///
    /// There is no key at all ([`KeyStoreError::is_missing`]); the current one cannot be read or does not open.
    pub fn load_client(&self, id: &ClientId) -> Result<ClientKeys, KeyStoreError> {
        let (symmetric, pair) = (
            KeyKind::StorageSymmetric(id.clone()),
            KeyKind::StoragePair(id.clone()),
        );
        let mut keys = of_version!(self, store => store.load(&symmetric, &pair))?;
        match self.read_secret(&KeyKind::Search(id.clone())) {
            Ok(key) => keys.search = Some(SearchKey::new(key)),
            Err(error) if error.is_missing() => {}
            Err(error) => of_version!(self, store => store.notice(&error)),
        }
        Ok(keys)
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

    /// Exports keys to a bundle with a secret of its own; also the number of key files (v1) or key rings (v2) in it.
    ///
    /// Of a key store v1, [`Selection::All`] has private and symmetric keys whether they are asked for or not; of a key
    /// store v2 there are only public keys, unless `private`.
    ///
    /// # Errors
    ///
    /// There is nothing to export; a key that is asked for does not exist; a key does not open, since an incomplete
    /// backup is none.
    pub fn export(
        &self,
        selection: &Selection,
        private: bool,
    ) -> Result<(Bundle, usize), KeyStoreError> {
        of_version!(self, store => store.export(selection, private))
    }

    /// Imports the keys of a bundle, all or none. Keys that are there already are skipped; a current key that is replaced is
    /// kept as a rotated one.
    ///
    /// # Errors
    ///
    /// The bundle is of another version, does not open or has what is no key; a key of the key store does not open;
    /// something cannot be written. If nothing has got its name by then, the key store is as it was; else importing
    /// again completes the rest.
    pub fn import(&self, bundle: &Bundle) -> Result<Imported, KeyStoreError> {
        if bundle.version() != self.version() {
            let store = self.version();
            return Err(KeyStoreError::BundleVersion { store });
        }
        of_version!(self, store => store.import(bundle))
    }

    /// All keys of a key store v1 as rings of a key store v2, and those that do not open.
    pub(crate) fn rings_of_v1(
        &self,
    ) -> Result<(Vec<KeyRing<Secret>>, Vec<UnreadKey>), KeyStoreError> {
        match &self.store {
            AnyVersion::V1(store) => store.rings(),
            AnyVersion::V2(store) => Err(KeyStoreError::OtherVersion {
                path: store.directory().to_owned(),
                found: Version::V2,
            }),
        }
    }
}
