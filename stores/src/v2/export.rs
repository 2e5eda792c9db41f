//! Taking keys out into a bundle (keystore.md 8.3, tools.md 7.3).

use super::Store;
use crate::KeyStoreError;
use crate::bundle::{Bundle, Selection};
use crate::clock::utc_time;
use crate::lock::SharedLock;
use acra_engine::keys::v2::{RingPath, write_bundle};
use acra_engine::keys::{KeyKind, MasterKeys};
use std::collections::HashSet;

impl Store {
    /// Packs whole rings, and tells how many, with their private and symmetric keys if asked for. Without them symmetric rings are left out.
    ///
    /// What a ring is follows from its path, not from its content, which may have been destroyed.
    pub(crate) fn export(
        &self,
        selection: &Selection,
        private: bool,
    ) -> Result<(Bundle, usize), KeyStoreError> {
        let _lock = SharedLock::take(&self.directory)?;
        let paths = match selection {
            Selection::All => self.paths()?,
            Selection::Keys(kinds) => paths_of(kinds),
        };
        let mut rings = Vec::with_capacity(paths.len());
        for path in paths {
            let file = self.file(&path);
            if !private && !path.is_pair() {
                let message = format!("Key not exported: {path} (key has no public data)");
                self.notices.add(&message, &file, false);
                continue;
            }
            let ring = self.read_ring(&path)?;
            if ring.is_empty() {
                match selection {
                    Selection::All => continue,
                    Selection::Keys(_) => return Err(KeyStoreError::Missing(file)),
                }
            }
            let opened = match private {
                true => ring.open_all(&self.master),
                false => ring.public_only(),
            };
            rings.push(opened.map_err(self.fault(&path))?);
        }
        if rings.is_empty() {
            return Err(KeyStoreError::NothingToExport);
        }
        let rng = &mut rand::rng();
        let keys = MasterKeys::generate(rng);
        let data = write_bundle(&rings, utc_time(), &keys, rng).map_err(KeyStoreError::bundle)?;
        let secret = keys.to_json();
        Ok((Bundle { data, secret }, rings.len()))
    }
}

/// The rings of keys, each once.
fn paths_of(kinds: &[KeyKind]) -> Vec<RingPath> {
    let mut seen = HashSet::new();
    let new = kinds.iter().filter(|kind| seen.insert(*kind));
    new.map(RingPath::of).collect()
}
