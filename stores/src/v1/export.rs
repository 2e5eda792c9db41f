//! Exporting keys to a bundle (keystore.md 8.2, tools.md 7.2).

use super::Store;
use super::load::OpenToOthers;
use crate::KeyStoreError;
use crate::bundle::{Bundle, Selection};
use crate::directory::list;
use acra_engine::crypto::PublicKey;
use acra_engine::crypto::Secret;
use acra_engine::keys::KeyKind;
use acra_engine::keys::v1::bundle::{self, Record};
use acra_engine::keys::v1::{self, Entry};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// A key of a kind that Acra no longer uses and that is not encrypted.
pub(super) const CLEAR_LEGACY: &str = "auth_key";

/// A key file: its path within the key directory, and where it is.
struct KeyFile {
    name: String,
    path: PathBuf,
    is_legacy: bool,
}

impl Store {
    /// Exports keys: the bundle, and how many key files are in it.
    ///
    /// All keys are exported with their private parts, whether those are asked for or not, as backups rely on it.
    pub(crate) fn export(
        &self,
        selection: &Selection,
        private_keys: bool,
    ) -> Result<(Bundle, usize), KeyStoreError> {
        let files = match selection {
            Selection::All => self.all_files()?,
            Selection::Keys(kinds) => self.files_of(kinds, private_keys),
        };
        let mut records = Vec::with_capacity(files.len());
        for file in files {
            match self.content(&file) {
                Ok(content) => records.push(Record {
                    name: file.name,
                    content,
                }),
                // A name without underscore may be that of anything: what does not open, or is open to others, is no key.
                Err(KeyStoreError::Unopened(path) | KeyStoreError::KeyMode { path, .. })
                    if file.is_legacy && !file.name.contains('_') =>
                {
                    self.legacy(&path);
                }
                Err(error) => return Err(error),
            }
        }
        if records.is_empty() {
            return Err(KeyStoreError::NothingToExport);
        }
        let (data, secret) = bundle::seal(&records, &mut rand::rng()).map_err(|error| {
            KeyStoreError::io("export", &self.directory)(io::Error::other(error))
        })?;
        Ok((Bundle { data, secret }, records.len()))
    }

    /// The current files of these keys; of pairs the private part only if asked for.
    fn files_of(&self, kinds: &[KeyKind], private_keys: bool) -> Vec<KeyFile> {
        let mut seen = BTreeSet::new();
        let mut files = Vec::new();
        for kind in kinds.iter().filter(|kind| seen.insert(*kind)) {
            let name = v1::file(kind);
            let public = v1::public(&name);
            if private_keys || !kind.is_pair() {
                files.push(KeyFile {
                    path: self.directory.join(&name),
                    name,
                    is_legacy: false,
                });
            }
            if kind.is_pair() {
                files.push(KeyFile {
                    path: self.public_directory.join(&public),
                    name: public,
                    is_legacy: false,
                });
            }
        }
        files
    }

    /// All key files: those of a separate public directory first.
    fn all_files(&self) -> Result<Vec<KeyFile>, KeyStoreError> {
        let mut files = Vec::new();
        if self.public_directory != self.directory {
            self.collect(&self.public_directory, "", &mut files)?;
            files.retain(|file| v1::is_public(&file.name));
        }
        let publics: BTreeSet<String> = files.iter().map(|file| file.name.clone()).collect();
        let mut others = Vec::new();
        self.collect(&self.directory, "", &mut others)?;
        others.retain(|file| !publics.contains(&file.name));
        files.extend(others);
        Ok(files)
    }

    /// Adds the key files of a directory, in the order of names. `within` is its path within the key directory.
    fn collect(
        &self,
        directory: &Path,
        within: &str,
        files: &mut Vec<KeyFile>,
    ) -> Result<(), KeyStoreError> {
        let mut entries = list(directory)?;
        entries.sort_unstable();
        for (name, path) in entries {
            let name = format!("{within}{name}");
            if path.is_dir() {
                if name == v1::POISON_DIRECTORY {
                    self.collect(&path, &format!("{name}/"), files)?;
                } else if let Some(file) = v1::without_old(&name)
                    && let Some(is_legacy) = is_key(file)
                {
                    let older = self.time_stamped(&path)?;
                    files.extend(older.into_iter().map(|(time, path)| KeyFile {
                        name: format!("{name}/{time}"),
                        path,
                        is_legacy,
                    }));
                }
            } else if name == CLEAR_LEGACY {
                self.legacy(&path);
            } else if let Some(is_legacy) = is_key(&name) {
                files.push(KeyFile {
                    name,
                    path,
                    is_legacy,
                });
            } else {
                self.note_other(&Entry::of(&name), &path);
            }
        }
        Ok(())
    }

    /// The key in a file.
    fn content(&self, file: &KeyFile) -> Result<Secret, KeyStoreError> {
        if v1::is_public(&file.name) {
            let content = self
                .read(&file.path, None)?
                .ok_or_else(|| KeyStoreError::Missing(file.path.clone()))?;
            return match PublicKey::from_container(&content) {
                Ok(_) => Ok(Secret::from(content)),
                Err(_) => Err(KeyStoreError::Unopened(file.path.clone())),
            };
        }
        let content = self
            .read(&file.path, Some(others(&file.name)))?
            .ok_or_else(|| KeyStoreError::Missing(file.path.clone()))?;
        self.open_key(&file.name, &content)
            .ok_or_else(|| KeyStoreError::Unopened(file.path.clone()))
    }
}

/// Whether a name is that of a key file, and if so, of a kind that is no longer used.
fn is_key(name: &str) -> Option<bool> {
    match Entry::of(name) {
        Entry::Key { .. } => Some(false),
        Entry::Legacy => Some(true),
        _ => None,
    }
}

/// What is said of a key that others can read: private parts of pairs are refused.
pub(super) fn others(name: &str) -> OpenToOthers {
    match Entry::of(v1::without_generation(name)) {
        Entry::Key { kind, .. } if !kind.is_pair() => OpenToOthers::Notice,
        _ => OpenToOthers::Refuse,
    }
}
