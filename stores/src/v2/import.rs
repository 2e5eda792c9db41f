//! Bringing in keys from a bundle or from another key store (keystore.md 8.3, 8.4).

use super::Store;
use super::list::{current_row, row};
use crate::KeyStoreError;
use crate::bundle::{Bundle, Imported};
use crate::lock::SharedLock;
use acra_engine::crypto::Secret;
use acra_engine::keys::MasterKeys;
use acra_engine::keys::v2::{KeyRing, Sealed, open_bundle};

/// Opens and checks a bundle.
pub(crate) fn rings_of(bundle: &Bundle) -> Result<Vec<KeyRing<Secret>>, KeyStoreError> {
    let keys =
        MasterKeys::from_json(bundle.secret.as_bytes()).map_err(KeyStoreError::BundleSecret)?;
    open_bundle(&bundle.data, &keys).map_err(KeyStoreError::bundle)
}

impl Store {
    /// Brings in the rings of a bundle, all or none.
    pub(crate) fn import(&self, bundle: &Bundle) -> Result<Imported, KeyStoreError> {
        self.import_rings(&rings_of(bundle)?)
    }

    /// Adds the keys of these rings that are not here yet; the current keys of the rings become the current ones. Nothing is
    /// written before all of them are known to fit, and rings that do not change are not written.
    pub(crate) fn import_rings(
        &self,
        rings: &[KeyRing<Secret>],
    ) -> Result<Imported, KeyStoreError> {
        let writer = self.write()?;
        let (imported, changed) = self.merge(rings)?;
        writer.commit(&changed)?;
        Ok(imported)
    }

    /// Finds out whether [`import_rings`](Self::import_rings) would work, without writing.
    pub(crate) fn try_import(&self, rings: &[KeyRing<Secret>]) -> Result<(), KeyStoreError> {
        let _lock = SharedLock::take(&self.directory)?;
        self.merge(rings).map(drop)
    }

    /// The rings as they will be, of those that change. The caller holds the lock.
    fn merge(
        &self,
        rings: &[KeyRing<Secret>],
    ) -> Result<(Imported, Vec<KeyRing<Sealed>>), KeyStoreError> {
        let rng = &mut rand::rng();
        let (mut imported, mut changed) = (Imported::default(), Vec::new());
        for ring in rings {
            let mut own = self.read_ring(ring.path())?;
            let is_changed = own
                .extend(ring, &self.master, rng)
                .map_err(self.fault(ring.path()))?;
            imported.count += 1;
            if let Some(kind) = ring.path().kind() {
                let key = current_row(kind, &own).unwrap_or_else(|| row(1, kind, own.path(), None));
                imported.keys.push(key);
            }
            if is_changed {
                changed.push(own);
            }
        }
        Ok((imported, changed))
    }
}
