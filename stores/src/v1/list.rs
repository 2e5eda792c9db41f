//! What keys there are (keystore.md 4.4, cli.md 13.3).

use super::Store;
use crate::directory::list;
use crate::{KeyStoreError, ListedKey};
use acra_engine::keys::v1::{self, Entry, TimeStamp};
use acra_engine::keys::{ClientId, KeyKind};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

impl Store {
    /// All clients that have a current storage key, in the order of their ids. A directory that does not exist has none.
    pub(crate) fn client_ids(&self) -> Result<Vec<ClientId>, KeyStoreError> {
        let mut ids = BTreeSet::new();
        for (name, path) in list(&self.directory)? {
            match Entry::of(&name) {
                Entry::Key {
                    kind: KeyKind::StorageSymmetric(id) | KeyKind::StoragePair(id),
                    public: false,
                } if path.is_file() => {
                    ids.insert(id);
                }
                Entry::Unfinished => self.unfinished(&path),
                _ => {}
            }
        }
        Ok(ids.into_iter().collect())
    }

    /// All current keys, then, if asked for, their older generations.
    pub(crate) fn list(&self, rotated: bool) -> Result<Vec<ListedKey>, KeyStoreError> {
        // One that does not exist is more likely to be a wrong path than a store without keys.
        fs::read_dir(&self.directory).map_err(KeyStoreError::io("list", &self.directory))?;
        let mut rows = Rows::default();
        self.walk(&self.directory, "", rotated, &mut rows)?;
        if self.public_directory != self.directory {
            self.walk(&self.public_directory, "", rotated, &mut rows)?;
        }
        rows.current.extend(rows.rotated);
        Ok(rows.current)
    }

    /// Adds what is in a directory, in the order of names. `within` is its path within the key directory.
    fn walk(
        &self,
        directory: &Path,
        within: &str,
        rotated: bool,
        rows: &mut Rows,
    ) -> Result<(), KeyStoreError> {
        let mut files = list(directory)?;
        files.sort_unstable();
        for (name, path) in files {
            if path.is_dir() {
                if within.is_empty() && name == v1::POISON_DIRECTORY {
                    self.walk(&path, &format!("{name}/"), rotated, rows)?;
                } else if let Some(file) = v1::without_old(&name).filter(|_| rotated)
                    && let Entry::Key { kind, public } = Entry::of(&format!("{within}{file}"))
                {
                    let times = self.time_stamped(&path)?;
                    let older = (2..)
                        .zip(times)
                        .map(|(index, (time, _))| row(index, &kind, public, file, Some(time)));
                    rows.rotated.extend(older);
                }
                continue;
            }
            match Entry::of(&format!("{within}{name}")) {
                Entry::Key { kind, public } => {
                    rows.current.push(row(1, &kind, public, &name, None));
                }
                other => self.note_other(&other, &path),
            }
        }
        Ok(())
    }

    /// The older generations that have an index, oldest first: regular files of an `.old` directory that are named by
    /// time stamps.
    pub(super) fn time_stamped(
        &self,
        old: &Path,
    ) -> Result<Vec<(TimeStamp, PathBuf)>, KeyStoreError> {
        let mut times = Vec::new();
        for (name, path) in list(old)? {
            let is_file = match fs::symlink_metadata(&path) {
                Ok(metadata) => metadata.is_file(),
                // Removed since it was listed.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(KeyStoreError::io("read", &path)(error)),
            };
            match TimeStamp::parse(&name) {
                Some(time) if is_file => times.push((time, path)),
                _ if v1::is_unfinished(&name) => self.unfinished(&path),
                _ => self.unknown(&path),
            }
        }
        times.sort_unstable();
        Ok(times)
    }

    /// Gives the notice of what is no key that is used.
    pub(super) fn note_other(&self, entry: &Entry, path: &Path) {
        match entry {
            Entry::Legacy => self.legacy(path),
            Entry::Unknown => self.unknown(path),
            Entry::Unfinished => self.unfinished(path),
            Entry::Key { .. } | Entry::Foreign => {}
        }
    }

    pub(super) fn legacy(&self, path: &Path) {
        self.notices.add("Ignoring legacy key", path, false);
    }

    fn unfinished(&self, path: &Path) {
        self.notices
            .add("Ignoring unfinished key file", path, false);
    }

    fn unknown(&self, path: &Path) {
        self.notices.add("Ignoring unknown file", path, false);
    }
}

#[derive(Default)]
struct Rows {
    current: Vec<ListedKey>,
    rotated: Vec<ListedKey>,
}

pub(super) fn row(
    index: u32,
    kind: &KeyKind,
    public: bool,
    file: &str,
    created: Option<TimeStamp>,
) -> ListedKey {
    ListedKey {
        index,
        kind: kind.clone(),
        purpose: purpose(kind, public),
        id: file.to_owned(),
        created,
    }
}

/// Acra's word for what a key is for.
fn purpose(kind: &KeyKind, public: bool) -> &'static str {
    match (kind, public) {
        (KeyKind::StoragePair(_), false) => "private_storage",
        (KeyKind::StoragePair(_), true) => "public_storage",
        (KeyKind::StorageSymmetric(_), _) => "storage_sym_key",
        (KeyKind::Search(_), _) => "search_hmac",
        (KeyKind::PoisonPair, _) => "poison_key",
        (KeyKind::PoisonSymmetric, _) => "poison_sym_key",
        (KeyKind::AuditLog, _) => "audit_log",
    }
}
