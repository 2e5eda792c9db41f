//! Making keys (keystore.md 4, 4.1).

use super::rotate::put;
use super::{KEY_MODE, PUBLIC_MODE, Store};
use crate::KeyStoreError;
use crate::directory::parent;
use crate::lock::{Lock, LockFile};
use crate::safe_file::{Unfinished, create_directory, remove_leftovers};
use acra_engine::crypto::{CryptoError, KeyPairType, PrivateKey};
use acra_engine::keys::{KeyKind, v1};
use rand::Rng as _;
use std::io;
use std::path::Path;
use zeroize::Zeroizing;

impl Store {
    /// Makes a new key.
    ///
    /// If the public part of a pair cannot be written, it is still that of the former private key, which opens what is
    /// sealed with it; making a pair again puts that right.
    pub(crate) fn generate(&self, kind: &KeyKind, pair: KeyPairType) -> Result<(), KeyStoreError> {
        let name = v1::file(kind);
        match kind.is_pair() {
            true => self.generate_pair(&name, pair),
            false => self.generate_secret(&name),
        }
    }

    fn generate_secret(&self, name: &str) -> Result<(), KeyStoreError> {
        let mut key = Zeroizing::new([0; v1::KEY_LENGTH]);
        rand::rng().fill_bytes(&mut *key);
        let path = self.directory.join(name);
        let content = self.seal(name, &*key)?;
        let _lock = self.lock(&[parent(&path)])?;
        let fail = KeyStoreError::io("write", &path);
        Unfinished::write(parent(&path), &content, KEY_MODE)
            .and_then(|new| put(new, &path))
            .map_err(fail)
    }

    fn generate_pair(&self, name: &str, pair: KeyPairType) -> Result<(), KeyStoreError> {
        let path = self.directory.join(name);
        let public_path = self.public_directory.join(v1::public(name));
        let failed = |error: CryptoError| KeyStoreError::io("make", &path)(io::Error::other(error));
        let key = PrivateKey::generate(pair, &mut rand::rng()).map_err(failed)?;
        let public = key.public().map_err(failed)?.to_container();
        let private = self.seal(name, key.to_container().map_err(failed)?.as_bytes())?;
        let (private_directory, public_directory) = (parent(&path), parent(&public_path));
        let _lock = self.lock(&[private_directory, public_directory])?;
        let fail = |path| KeyStoreError::io("write", path);
        // Both are complete before either has its name, and the private one gets its name first.
        let new = Unfinished::write(private_directory, &private, KEY_MODE).map_err(fail(&path))?;
        let new_public = Unfinished::write(public_directory, &public, PUBLIC_MODE)
            .map_err(fail(&public_path))?;
        put(new, &path).map_err(fail(&path))?;
        put(new_public, &public_path).map_err(fail(&public_path))
    }

    pub(super) fn seal(&self, name: &str, key: &[u8]) -> Result<Vec<u8>, KeyStoreError> {
        v1::seal(&self.master, name, key, &mut rand::rng()).map_err(|error| {
            KeyStoreError::io("seal", &self.directory.join(name))(io::Error::other(error))
        })
    }

    /// Makes the directories that are written to, takes the lock of the key directory, and removes what was left behind.
    pub(super) fn lock(&self, directories: &[&Path]) -> Result<Lock, KeyStoreError> {
        for directory in directories.iter().chain([&&*self.directory]) {
            create_directory(directory)
                .map_err(KeyStoreError::io("create key directory", directory))?;
        }
        let lock = Lock::take(&self.directory, LockFile::Removed)?;
        if !lock.is_held {
            self.notices
                .add("Key directory cannot be locked", &self.directory, false);
        }
        for directory in directories {
            remove_leftovers(
                directory,
                lock.is_held && directory.starts_with(&self.directory),
            )?;
        }
        Ok(lock)
    }
}
