//! Removing keys (keystore.md 4.5).

use super::Store;
use super::load::OpenToOthers;
use crate::directory::parent;
use crate::{KeyStoreError, disk};
use acra_engine::crypto::PrivateKey;
use acra_engine::keys::{KeyKind, v1};
use std::io;
use std::path::{Path, PathBuf};

impl Store {
    /// Removes a key: 1 is the current one, from 2 on they are the older generations, oldest first.
    ///
    /// Of a pair the public part goes first, so that a crash never leaves one whose private part is gone.
    pub(crate) fn destroy(&self, kind: &KeyKind, index: u32) -> Result<(), KeyStoreError> {
        if !self.directory.exists() {
            return match index {
                1 => Ok(()),
                _ => Err(KeyStoreError::NoSuchIndex(index)),
            };
        }
        let name = v1::file(kind);
        let path = self.directory.join(&name);
        let public = self.public_directory.join(v1::public(&name));
        let _lock = self.lock(&[])?;
        if index == 1 {
            if kind.is_pair() {
                remove(&public)?;
            }
            return remove(&path);
        }
        let old = self.directory.join(v1::old_directory(&name));
        let older = self.time_stamped(&old)?;
        let position = (index as usize).checked_sub(2);
        let Some((position, (_, path))) =
            position.and_then(|position| Some((position, older.get(position)?)))
        else {
            return Err(KeyStoreError::NoSuchIndex(index));
        };
        if kind.is_pair() {
            let old_public = self
                .public_directory
                .join(v1::old_directory(&v1::public(&name)));
            let publics = self.time_stamped(&old_public)?;
            let publics: Vec<PathBuf> = publics.into_iter().map(|(_, path)| path).collect();
            match self.public_of(&name, path, &publics)? {
                PublicPart::Found(public) => remove(&public)?,
                // What cannot be opened is told by its place.
                PublicPart::Unknown if publics.len() == older.len() => {
                    publics
                        .get(position)
                        .map_or(Ok(()), |public| remove(public))?;
                }
                PublicPart::Unknown => {
                    let message = "No public key found for the destroyed key";
                    self.notices.add(message, path, false);
                }
            }
            remove_if_empty(&old_public)?;
        }
        remove(path)?;
        remove_if_empty(&old)
    }

    /// Which of these files has the public part of a private key.
    fn public_of(
        &self,
        name: &str,
        private: &Path,
        publics: &[PathBuf],
    ) -> Result<PublicPart, KeyStoreError> {
        let file = self.read(private, Some(OpenToOthers::Refuse));
        let key = file
            .ok()
            .flatten()
            .and_then(|file| self.open_key(name, &file))
            .and_then(|key| PrivateKey::from_container(key.as_bytes()).ok())
            .and_then(|key| key.public().ok());
        let Some(key) = key else {
            return Ok(PublicPart::Unknown);
        };
        let container = key.to_container();
        for path in publics {
            if self.read(path, None)?.as_deref() == Some(&container[..]) {
                return Ok(PublicPart::Found(path.clone()));
            }
        }
        Ok(PublicPart::Unknown)
    }
}

enum PublicPart {
    Found(PathBuf),
    /// The private key does not open, or none of the files has its public part.
    Unknown,
}

/// Removes a file that may not be there.
fn remove(path: &Path) -> Result<(), KeyStoreError> {
    match disk::remove_file(path) {
        Ok(()) => disk::sync_directory(parent(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
    .map_err(KeyStoreError::io("remove", path))
}

fn remove_if_empty(directory: &Path) -> Result<(), KeyStoreError> {
    match disk::remove_directory(directory) {
        Ok(()) => disk::sync_directory(parent(directory)),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotFound
            ) =>
        {
            Ok(())
        }
        Err(error) => Err(error),
    }
    .map_err(KeyStoreError::io("remove", directory))
}
