//! What keys there are (keystore.md 7.7, cli.md 13.3).

use super::Store;
use crate::directory::list;
use crate::lock::SharedLock;
use crate::{KeyStoreError, ListedKey};
use acra_engine::keys::v1::{self, TimeStamp};
use acra_engine::keys::v2::{Entry, Key, KeyRing, RingPath, Sealed};
use acra_engine::keys::{ClientId, KeyKind};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Directories that have directories with rings.
const FAMILIES: [&str; 2] = ["client", "zone"];

impl Store {
    /// All clients that have a ring of storage keys, in the order of their ids.
    pub(crate) fn client_ids(&self) -> Result<Vec<ClientId>, KeyStoreError> {
        let ids = self
            .paths()?
            .into_iter()
            .filter_map(|path| match path.kind() {
                Some(KeyKind::StorageSymmetric(id) | KeyKind::StoragePair(id)) => Some(id.clone()),
                _ => None,
            });
        Ok(ids.collect::<BTreeSet<_>>().into_iter().collect())
    }

    /// All current keys, then, if asked for, the rotated ones.
    pub(crate) fn list(&self, rotated: bool) -> Result<Vec<ListedKey>, KeyStoreError> {
        let _lock = SharedLock::take(&self.directory)?;
        let (mut current, mut older) = (Vec::new(), Vec::new());
        for path in self.paths()? {
            let Some(kind) = path.kind() else {
                let file = self.file(&path);
                self.notices.add("Ignoring legacy key", &file, false);
                continue;
            };
            let ring = self.read_ring(&path)?;
            current.extend(current_row(kind, &ring));
            if rotated {
                let keys = (2..).zip(ring.rotated());
                older.extend(keys.map(|(index, key)| row(index, kind, &path, Some(key))));
            }
        }
        current.extend(older);
        Ok(current)
    }

    /// All rings that there are, in the order of their files.
    pub(super) fn paths(&self) -> Result<Vec<RingPath>, KeyStoreError> {
        // One that does not exist is more likely to be a wrong path than a store without keys.
        let root = &self.directory;
        fs::read_dir(root).map_err(KeyStoreError::io("list", root))?;
        let mut paths = Vec::new();
        self.walk(root, "", &mut paths)?;
        Ok(paths)
    }

    /// Adds the rings in a directory, whose path below the root is `within`.
    fn walk(
        &self,
        directory: &Path,
        within: &str,
        paths: &mut Vec<RingPath>,
    ) -> Result<(), KeyStoreError> {
        let mut files = list(directory)?;
        files.sort_unstable();
        for (name, path) in files {
            if path.is_dir() {
                let is_family = FAMILIES.contains(&&*name);
                let is_member = FAMILIES
                    .iter()
                    .any(|family| within.strip_suffix('/') == Some(family));
                if is_member || (within.is_empty() && is_family) {
                    self.walk(&path, &format!("{within}{name}/"), paths)?;
                }
                continue;
            }
            let is_own = within.is_empty() && matches!(&*name, v1::LOCK | v1::VERSION);
            match Entry::of(&format!("{within}{name}")) {
                Entry::Ring(ring) => paths.push(ring),
                Entry::Unfinished => self.unfinished(&path),
                Entry::Other if v1::is_temporary(&name) => self.unfinished(&path),
                Entry::Other if is_own => {}
                Entry::Other => self.notices.add("Ignoring unknown file", &path, false),
            }
        }
        Ok(())
    }

    fn unfinished(&self, path: &Path) {
        self.notices
            .add("Ignoring unfinished key file", path, false);
    }
}

/// The row of a ring's current key, which may be destroyed.
pub(super) fn current_row(kind: &KeyKind, ring: &KeyRing<Sealed>) -> Option<ListedKey> {
    let key = ring.current().ok()?;
    Some(row(1, kind, ring.path(), Some(key)))
}

/// A row.
pub(super) fn row(
    index: u32,
    kind: &KeyKind,
    path: &RingPath,
    key: Option<&Key<Sealed>>,
) -> ListedKey {
    ListedKey {
        index,
        kind: kind.clone(),
        purpose: purpose(kind),
        id: path.as_str().to_owned(),
        created: key.map(|key| TimeStamp::new(key.valid_since().seconds(), 0)),
    }
}

/// Acra's word for what a key is for.
fn purpose(kind: &KeyKind) -> &'static str {
    match kind {
        KeyKind::StoragePair(_) => "client storage key",
        KeyKind::StorageSymmetric(_) => "client storage symmetric key",
        KeyKind::Search(_) => "encrypted search HMAC key",
        KeyKind::PoisonPair => "poison record key",
        KeyKind::PoisonSymmetric => "poison record symmetric key",
        KeyKind::AuditLog => "audit log signature key",
    }
}
