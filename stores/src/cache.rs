//! Keys in memory (keystore.md 4.3).
//!
//! Keys at rest are sealed under a random key of this cache and opened for sessions. All sessions of a client share what was opened;
//! it is wiped when the last of them ends. So one that runs never waits for a cipher here, and keys that nobody uses
//! are not in memory in clear.

mod recent;

use crate::memory::keep_out_of_swap;
use crate::{KeyStore, KeyStoreError, Notice};
use acra_engine::crypto::Secret;
use acra_engine::keys::{ClientId, ClientKeys, SealedKeys};
use rand::Rng as _;
use recent::Recent;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Of how many clients keys are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheSize {
    /// Of none: whoever needs keys reads them from the key store.
    None,
    /// Of those that were used last.
    Clients(NonZeroUsize),
    /// Of all.
    Unlimited,
}

/// The keys of clients that have been asked for, over a key store.
///
/// Only clients that have keys are kept.
#[derive(Debug)]
pub struct KeyCache {
    store: KeyStore,
    size: CacheSize,
    /// What keys at rest are sealed with.
    key: Secret,
    clients: Mutex<Recent<Entry>>,
}

#[derive(Debug)]
struct Entry {
    sealed: SealedKeys,
    /// What the sessions of this client share, while there are any.
    open: Weak<ClientKeys>,
}

impl KeyCache {
    /// An empty cache over a key store.
    pub fn new(store: KeyStore, size: CacheSize) -> Self {
        let mut key = vec![0; 32];
        rand::rng().fill_bytes(&mut key);
        let key = Secret::from(key);
        // If it cannot be, the key store has said so of the master key, which is worth more.
        let _ = keep_out_of_swap(key.as_bytes());
        Self {
            store,
            size,
            key,
            clients: Mutex::new(Recent::new(size)),
        }
    }

    /// Reads the keys of all clients and replaces what is in memory: also the way to notice that keys have changed.
    ///
    /// # Errors
    ///
    /// The directory cannot be listed or a current key does not open; what is in memory then stays.
    pub fn load_all(&self) -> Result<(), KeyStoreError> {
        let mut clients = Recent::new(self.size);
        for id in self.store.client_ids()? {
            match self.store.load_client(&id) {
                Ok(loaded) => {
                    if let Some(entry) = self.entry(&id, &loaded, Weak::new()) {
                        clients.insert(id, entry);
                    }
                }
                // Removed since it was listed.
                Err(error) if error.is_missing() => {}
                Err(error) => return Err(error),
            }
        }
        *self.clients() = clients;
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

    /// A client's keys if they are in memory; opens them if no session has them open.
    pub fn cached(&self, id: &ClientId) -> Option<Arc<ClientKeys>> {
        let mut clients = self.clients();
        let entry = clients.get(id)?;
        if let Some(keys) = entry.open.upgrade() {
            return Some(keys);
        }
        let keys = Arc::new(entry.sealed.open(id, &self.key).ok()?);
        entry.open = Arc::downgrade(&keys);
        Some(keys)
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
        let keys = Arc::new(self.store.load_client(id)?);
        if let Some(entry) = self.entry(id, &keys, Arc::downgrade(&keys)) {
            self.clients().insert(id.clone(), entry);
        }
        Ok(keys)
    }

    /// The keys of poison records: [`KeyStore::load_poison`].
    ///
    /// # Errors
    ///
    /// Those of [`KeyStore::load_client`].
    pub fn load_poison(&self) -> Result<ClientKeys, KeyStoreError> {
        self.store.load_poison()
    }

    /// What the key store has to say: [`KeyStore::take_notices`].
    pub fn take_notices(&self) -> Vec<Notice> {
        self.store.take_notices()
    }

    /// What is kept of a client; nothing if nothing is to be kept.
    fn entry(&self, id: &ClientId, keys: &ClientKeys, open: Weak<ClientKeys>) -> Option<Entry> {
        if self.size == CacheSize::None {
            return None;
        }
        let sealed = SealedKeys::seal(keys, id, &self.key, &mut rand::rng()).ok()?;
        Some(Entry { sealed, open })
    }

    fn clients(&self) -> MutexGuard<'_, Recent<Entry>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
