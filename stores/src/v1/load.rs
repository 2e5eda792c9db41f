//! Reading keys: the current one and its older generations (keystore.md 4.1, 4.2).

use super::{KEY_MODE, Store};
use crate::KeyStoreError;
use crate::directory::list;
use acra_engine::crypto::{BlockKey, Secret};
use acra_engine::crypto::{PrivateKey, PublicKey};
use acra_engine::keys::{ClientKeys, KeyKind, v1};
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// What is said of a key that others can read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum OpenToOthers {
    /// Symmetric keys are used all the same, as in Acra.
    Notice,
    /// Private keys are not.
    Refuse,
}

/// A key and those that it replaced, newest first.
struct Generations<K> {
    current: Option<K>,
    rotated: Vec<K>,
}

impl Store {
    /// Reads a current symmetric key, or the private part of a current pair.
    pub(crate) fn read_secret(&self, kind: &KeyKind) -> Result<Secret, KeyStoreError> {
        let name = v1::file(kind);
        let others = match kind.is_pair() {
            true => OpenToOthers::Refuse,
            false => OpenToOthers::Notice,
        };
        self.current(&name, others, Some)?
            .ok_or_else(|| KeyStoreError::Missing(self.directory.join(name)))
    }

    /// Reads the public part of a current pair.
    pub(crate) fn read_public(&self, kind: &KeyKind) -> Result<Vec<u8>, KeyStoreError> {
        let name = v1::file(kind);
        match self.load_public(&name)? {
            Some(key) => Ok(key.to_container().to_vec()),
            None => Err(KeyStoreError::Missing(
                self.public_directory.join(v1::public(&name)),
            )),
        }
    }

    /// Reads all generations of a symmetric key and of a pair.
    pub(crate) fn load(
        &self,
        symmetric: &KeyKind,
        pair: &KeyKind,
    ) -> Result<ClientKeys, KeyStoreError> {
        let (symmetric, private) = (v1::file(symmetric), v1::file(pair));
        let open = |key| BlockKey::new(key).ok();
        let blocks = self.generations(&symmetric, OpenToOthers::Notice, open)?;
        let rotated = blocks.rotated.into_iter().map(BlockKey::into_rotated);
        let mut keys = ClientKeys {
            symmetric: blocks.current.into_iter().chain(rotated).collect(),
            ..ClientKeys::default()
        };
        match self.load_pairs(&private, &mut keys) {
            Ok(()) => {}
            Err(error) if keys.symmetric.is_empty() => return Err(error),
            // AcraBlocks do not suffer from it.
            Err(error) => {
                let path = self.directory.join(private);
                self.notices.add(&error.to_string(), &path, true);
            }
        }
        if keys.is_empty() {
            return Err(KeyStoreError::Missing(self.directory.join(symmetric)));
        }
        Ok(keys)
    }

    fn load_pairs(&self, name: &str, keys: &mut ClientKeys) -> Result<(), KeyStoreError> {
        let open = |key: Secret| PrivateKey::from_container(key.as_bytes()).ok();
        let private = self.generations(name, OpenToOthers::Refuse, open)?;
        // The public file is not protected against change, so it is asked only where there is nothing else.
        keys.public = match &private.current {
            Some(key) => key.public().ok(),
            None => self.load_public(name)?,
        };
        keys.private = private.current.into_iter().chain(private.rotated).collect();
        Ok(())
    }

    pub(super) fn load_public(&self, private: &str) -> Result<Option<PublicKey>, KeyStoreError> {
        let path = self.public_directory.join(v1::public(private));
        let Some(file) = self.read(&path, None)? else {
            return Ok(None);
        };
        match PublicKey::from_container(&file) {
            Ok(key) => Ok(Some(key)),
            Err(_) => Err(KeyStoreError::Unopened(path)),
        }
    }

    fn generations<K>(
        &self,
        name: &str,
        others: OpenToOthers,
        open: impl Fn(Secret) -> Option<K>,
    ) -> Result<Generations<K>, KeyStoreError> {
        let current = self.current(name, others, &open)?;
        let mut rotated = Vec::new();
        for (name, path) in self.older_generations(name)? {
            let file = match self.read(&path, Some(others)) {
                Ok(Some(file)) => file,
                // Removed since it was listed.
                Ok(None) => continue,
                Err(_) => Vec::new(),
            };
            match self.open_key(&name, &file).and_then(&open) {
                Some(key) => rotated.push(key),
                None => self.notices.add("Cannot open rotated key", &path, true),
            }
        }
        Ok(Generations { current, rotated })
    }

    fn current<K>(
        &self,
        name: &str,
        others: OpenToOthers,
        open: impl FnOnce(Secret) -> Option<K>,
    ) -> Result<Option<K>, KeyStoreError> {
        let path = self.directory.join(name);
        let Some(file) = self.read(&path, Some(others))? else {
            return Ok(None);
        };
        match self.open_key(name, &file).and_then(open) {
            Some(key) => Ok(Some(key)),
            None => Err(KeyStoreError::Unopened(path)),
        }
    }

    /// Reads a key file; `None`: it does not exist. Without `others` anybody may read it.
    pub(super) fn read(
        &self,
        path: &Path,
        others: Option<OpenToOthers>,
    ) -> Result<Option<Vec<u8>>, KeyStoreError> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(KeyStoreError::io("read", path)(error)),
        };
        let metadata = file
            .metadata()
            .map_err(|error| KeyStoreError::io("read", path)(error))?;
        let mode = metadata.permissions().mode() & 0o7777;
        let is_open = mode & 0o077 != 0;
        let fault = || KeyStoreError::KeyMode {
            path: path.to_owned(),
            mode,
        };
        match others {
            // Acra compares modes as numbers.
            Some(OpenToOthers::Refuse) if is_open || mode > KEY_MODE => return Err(fault()),
            Some(OpenToOthers::Notice) if is_open => {
                self.notices.add(&fault().to_string(), path, false);
            }
            _ => {}
        }
        let mut content = Vec::new();
        // One byte more than is allowed: such a file does not open.
        file.take(v1::MAX_FILE as u64 + 1)
            .read_to_end(&mut content)
            .map_err(|error| KeyStoreError::io("read", path)(error))?;
        Ok(Some(content))
    }

    pub(super) fn open_key(&self, name: &str, file: &[u8]) -> Option<Secret> {
        if file.len() > v1::MAX_FILE {
            return None;
        }
        v1::open(&self.master, name, file).ok()
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
