//! The keys that this session has been given.

use crate::keys::ClientKeys;
use std::sync::Arc;

/// Why there are no keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFault {
    /// The key store has no storage key for this client.
    Missing,
    /// The key store could not be read, or a key in it could not be opened.
    Unavailable,
}

/// A client id and what the shell had for it.
type Entry = (Box<str>, Result<Arc<ClientKeys>, KeyFault>);

/// Keys by client id. Few clients meet in one session: a list is the fastest map.
#[derive(Debug, Default)]
pub(super) struct Keyring {
    entries: Vec<Entry>,
}

impl Keyring {
    /// The keys of a client; `None` until they have been asked for.
    pub(super) fn get(&self, client_id: &str) -> Option<Result<&ClientKeys, KeyFault>> {
        let (_, keys) = self.entries.iter().find(|(id, _)| **id == *client_id)?;
        Some(keys.as_deref().map_err(|fault| *fault))
    }

    /// Takes an answer.
    pub(super) fn insert(&mut self, client_id: Box<str>, keys: Result<Arc<ClientKeys>, KeyFault>) {
        self.entries.retain(|(id, _)| *id != client_id);
        self.entries.push((client_id, keys));
    }

    /// Forgets what could not be had, so that the next statement asks again.
    pub(super) fn forget_faults(&mut self) {
        self.entries.retain(|(_, keys)| keys.is_ok());
    }
}
