//! Importing keys from a bundle (keystore.md 8.2).
//!
//! Everything is checked before anything is written. What the key store has already is skipped; a current key that is
//! replaced is kept as a rotated one.

use super::export::{CLEAR_LEGACY, others};
use super::list::row;
use super::rotate::put;
use super::{KEY_MODE, PUBLIC_MODE, Store};
use crate::bundle::{Bundle, Imported};
use crate::directory::parent;
use crate::safe_file::{Unfinished, create_directory};
use crate::{KeyStoreError, ListedKey, disk};
use acra_engine::crypto::Secret;
use acra_engine::crypto::{PrivateKey, PublicKey};
use acra_engine::keys::ClientId;
use acra_engine::keys::v1::bundle::{self, Record};
use acra_engine::keys::v1::{self, Entry, TimeStamp};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A record of a bundle that is a key file.
struct Incoming {
    /// The path of the current file within the key directory.
    file: String,
    /// When it was replaced; `None`: it is the current one.
    replaced: Option<TimeStamp>,
    entry: Entry,
    content: Secret,
}

/// Where a record's key is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Current,
    Older(TimeStamp),
}

/// What the key store has for one current file: the contents of all generations.
#[derive(Default)]
struct Existing {
    current: Option<Secret>,
    older: Vec<(TimeStamp, Secret)>,
}

impl Store {
    /// Imports a bundle.
    pub(crate) fn import(&self, bundle: &Bundle) -> Result<Imported, KeyStoreError> {
        let records = bundle::open(bundle.secret.as_bytes(), &bundle.data)
            .map_err(|error| KeyStoreError::BundleFile(error.to_string()))?;
        let count = records.len();
        let incoming = self.check(records)?;
        let paths: Vec<PathBuf> = incoming.iter().map(|key| self.path_of(&key.file)).collect();
        let directories: BTreeSet<&Path> = paths.iter().map(|path| parent(path)).collect();
        let _lock = self.lock(&directories.into_iter().collect::<Vec<_>>())?;
        let mut existing = BTreeMap::new();
        for key in &incoming {
            if !existing.contains_key(&key.file) {
                existing.insert(key.file.clone(), self.existing(&key.file)?);
            }
        }
        let mut new = Vec::new();
        for key in &incoming {
            let existing = existing.entry(key.file.clone()).or_default();
            new.extend(place(key, existing).map(|place| (key, place)));
        }
        self.write(&new)?;
        let keys = self.rows(&incoming)?;
        Ok(Imported { count, keys })
    }

    /// Step 1: names and contents.
    fn check(&self, records: Vec<Record>) -> Result<Vec<Incoming>, KeyStoreError> {
        let mut names = BTreeSet::new();
        let mut incoming = Vec::new();
        for record in records {
            let Record { name, content } = record;
            let refuse = |what: &str| KeyStoreError::BundleFile(format!("{what}: {name:?}"));
            if !names.insert(name.clone()) {
                return Err(refuse("the bundle has a key file twice"));
            }
            let (file, replaced) =
                split(&name).ok_or_else(|| refuse("the bundle has a file that is no key file"))?;
            if file == CLEAR_LEGACY {
                self.legacy(&self.directory.join(file));
                continue;
            }
            let entry = Entry::of(file);
            let is_good_name = match &entry {
                Entry::Key { .. } => true,
                Entry::Legacy => {
                    let private = file.strip_suffix(".pub").unwrap_or(file);
                    ClientId::new(v1::context(private)).is_ok()
                }
                _ => false,
            };
            if !is_good_name {
                return Err(refuse("the bundle has a file that is no key file"));
            }
            let bytes = content.as_bytes();
            if bytes.iter().all(|byte| *byte == 0) {
                return Err(refuse("the bundle has a key of zeros, which is none"));
            }
            let is_good = match &entry {
                _ if v1::is_public(file) => PublicKey::from_container(bytes).is_ok(),
                Entry::Key { kind, .. } if kind.is_pair() => {
                    PrivateKey::from_container(bytes).is_ok()
                }
                _ => true,
            };
            if !is_good {
                return Err(refuse("the bundle has a damaged key"));
            }
            incoming.push(Incoming {
                file: file.to_owned(),
                replaced,
                entry,
                content,
            });
        }
        Ok(incoming)
    }

    /// Where a current file is.
    fn path_of(&self, file: &str) -> PathBuf {
        match v1::is_public(file) {
            true => self.public_directory.join(file),
            false => self.directory.join(file),
        }
    }

    /// Step 2: what is there. A file that does not open ends the import.
    fn existing(&self, file: &str) -> Result<Existing, KeyStoreError> {
        let path = self.path_of(file);
        let mut existing = Existing {
            current: self.existing_file(file, &path)?,
            older: Vec::new(),
        };
        for (time, path) in self.time_stamped(&old_of(&path))? {
            if let Some(content) = self.existing_file(file, &path)? {
                existing.older.push((time, content));
            }
        }
        Ok(existing)
    }

    fn existing_file(&self, file: &str, path: &Path) -> Result<Option<Secret>, KeyStoreError> {
        if v1::is_public(file) {
            return Ok(self.read(path, None)?.map(Secret::from));
        }
        match self.read(path, Some(others(file)))? {
            None => Ok(None),
            Some(content) => match self.open_key(file, &content) {
                Some(key) => Ok(Some(key)),
                None => Err(KeyStoreError::Unopened(path.to_owned())),
            },
        }
    }

    /// The keys of the records as they are listed now, wherever they are.
    fn rows(&self, incoming: &[Incoming]) -> Result<Vec<ListedKey>, KeyStoreError> {
        let mut rows = Vec::new();
        let mut files: BTreeMap<&str, Existing> = BTreeMap::new();
        for key in incoming {
            let Entry::Key { kind, public } = &key.entry else {
                continue;
            };
            if !files.contains_key(&*key.file) {
                files.insert(&key.file, self.existing(&key.file)?);
            }
            let Some(file) = files.get(&*key.file) else {
                continue;
            };
            let is_same = |other: &Secret| other.as_bytes() == key.content.as_bytes();
            let older = || {
                (2..)
                    .zip(&file.older)
                    .find(|(_, (_, other))| is_same(other))
            };
            let (index, time) = match file.current.as_ref().is_some_and(is_same) {
                true => (1, None),
                false => match older() {
                    Some((index, (time, _))) => (index, Some(*time)),
                    None => continue,
                },
            };
            let name = key.file.rsplit('/').next().unwrap_or(&key.file);
            rows.push(row(index, kind, *public, name, time));
        }
        Ok(rows)
    }

    /// Step 3: all files under temporary names, then the renames: older generations before current files, private
    /// before public ones.
    fn write(&self, new: &[(&Incoming, Place)]) -> Result<(), KeyStoreError> {
        let mut files = Vec::new();
        for (key, place) in new {
            let path = self.path_of(&key.file);
            let is_public = v1::is_public(&key.file);
            let directory = parent(&path);
            let written = match is_public {
                true => Unfinished::write(directory, key.content.as_bytes(), PUBLIC_MODE),
                false => {
                    let sealed = self.seal(&key.file, key.content.as_bytes())?;
                    Unfinished::write(directory, &sealed, KEY_MODE)
                }
            };
            let file = written.map_err(KeyStoreError::io("write", &path))?;
            let order = (*place == Place::Current, is_public);
            files.push((order, *place, path, file));
        }
        // Stable: the order of the bundle within.
        files.sort_by_key(|(order, ..)| *order);
        for (_, place, path, file) in files {
            match place {
                Place::Current => put(file, &path),
                Place::Older(time) => {
                    let old = old_of(&path);
                    create_directory(&old)
                        .and_then(|()| file.rename(&old.join(time.to_string())))
                        .and_then(|()| disk::sync_directory(&old))
                }
            }
            .map_err(KeyStoreError::io("write", &path))?;
        }
        Ok(())
    }
}

/// A record's name as the path of the current file, and the time in it.
fn split(name: &str) -> Option<(&str, Option<TimeStamp>)> {
    let file = v1::without_generation(name);
    if file == name {
        return Some((name, None));
    }
    let (_, time) = name.rsplit_once('/')?;
    Some((file, Some(TimeStamp::parse(time)?)))
}

/// The directory of the older generations of a current file.
fn old_of(current: &Path) -> PathBuf {
    let mut old = current.as_os_str().to_owned();
    old.push(".old");
    PathBuf::from(old)
}

/// Where a record's key is written; `None`: the key store has it.
fn place(key: &Incoming, existing: &mut Existing) -> Option<Place> {
    let is_same = |other: &Secret| other.as_bytes() == key.content.as_bytes();
    if existing.current.as_ref().is_some_and(is_same) {
        return None;
    }
    let Some(mut time) = key.replaced else {
        return Some(Place::Current);
    };
    if existing.older.iter().any(|(_, other)| is_same(other)) {
        return None;
    }
    while existing.older.iter().any(|(taken, _)| *taken == time) {
        time = time.next();
    }
    // Of two records with one content the second is the same too.
    let copy = Secret::from(key.content.as_bytes().to_vec());
    existing.older.push((time, copy));
    Some(Place::Older(time))
}
