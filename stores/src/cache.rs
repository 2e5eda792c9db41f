//! Keys in memory.

use crate::{KeyStore, KeyStoreError, Notice};
use acra_engine::keys::{ClientId, ClientKeys};
use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

type Keys = HashMap<ClientId, Arc<ClientKeys>>;

/// The keys of all clients that have been asked for, over a key store.
///
/// Looking up takes no lock. Only clients that have keys are kept, so there are never more than the key store has.
#[derive(Debug)]
pub struct KeyCache {
    store: KeyStore,
    keys: ArcSwap<Keys>,
    /// Held while the map is replaced, so that no change is lost.
    writing: Mutex<()>,
}

impl KeyCache {
    /// An empty cache over a key store.
    pub fn new(store: KeyStore) -> Self {
        Self {
            store,
            keys: ArcSwap::default(),
            writing: Mutex::default(),
        }
    }

    /// Reads the keys of all clients and replaces what is in memory: also the way to notice that keys have changed.
    ///
    /// # Errors
    ///
    /// The directory cannot be listed or a current key does not open; what is in memory then stays.
    pub fn load_all(&self) -> Result<(), KeyStoreError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut keys = Keys::new();
        for id in self.store.client_ids()? {
            match self.store.load_client(&id) {
                Ok(loaded) => {
                    keys.insert(id, Arc::new(loaded));
                }
                // Removed since it was listed.
                Err(error) if error.is_missing() => {}
                Err(error) => return Err(error),
            }
        }
        self.keys.store(Arc::new(keys));
        Ok(())
    }

    /// All clients that have a key in the key store: [`KeyStore::client_ids`].
    ///
    /// # Errors
    ///
    /// The directory cannot be listed.
    pub fn stored_clients(&self) -> Result<Vec<ClientId>, KeyStoreError> {
        self.store.client_ids()
    }

    /// A client's keys if they are in memory.
    pub fn cached(&self, id: &ClientId) -> Option<Arc<ClientKeys>> {
        self.keys.load().get(id).cloned()
    }

    /// A client's keys, read from the key store if they are not in memory. Blocks.
    ///
    /// # Errors
    ///
    /// Those of [`KeyStore::load_client`]; they are not remembered.
    pub fn load(&self, id: &ClientId) -> Result<Arc<ClientKeys>, KeyStoreError> {
        if let Some(keys) = self.cached(id) {
            return Ok(keys);
        }
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(keys) = self.cached(id) {
            return Ok(keys);
        }
        let loaded = Arc::new(self.store.load_client(id)?);
        let mut keys = Keys::clone(&self.keys.load());
        keys.insert(id.clone(), Arc::clone(&loaded));
        self.keys.store(Arc::new(keys));
        Ok(loaded)
    }

    /// What the key store has to say: [`KeyStore::take_notices`].
    pub fn take_notices(&self) -> Vec<Notice> {
        self.store.take_notices()
    }
}
