//! The keys of one client.

use crate::crypto::search_hash::SearchKey;
use crate::crypto::{BlockKey, PrivateKey, PublicKey};

/// The keys of one client that are in memory.
#[derive(Debug, Default)]
pub struct ClientKeys {
    /// Storage keys, newest first. The first one is the current key unless it is marked as rotated, which it is if the
    /// current key was destroyed.
    pub symmetric: Vec<BlockKey>,
    /// Private storage keys, which open AcraStructs, newest first.
    pub private: Vec<PrivateKey>,
    /// The current public storage key, for which AcraStructs are sealed.
    pub public: Option<PublicKey>,
    /// The current key for searchable encryption. Hashes of older ones neither match nor verify.
    pub search: Option<SearchKey>,
}

impl ClientKeys {
    /// No keys.
    pub fn none<'a>() -> &'a Self {
        static NONE: ClientKeys = ClientKeys {
            symmetric: Vec::new(),
            private: Vec::new(),
            public: None,
            search: None,
        };
        &NONE
    }

    /// The key that new values are sealed with.
    pub fn current(&self) -> Option<&BlockKey> {
        self.symmetric.first().filter(|key| !key.is_rotated())
    }

    /// Whether there is no key at all.
    pub fn is_empty(&self) -> bool {
        let Self {
            symmetric,
            private,
            public,
            search,
        } = self;
        symmetric.is_empty() && private.is_empty() && public.is_none() && search.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::ClientKeys;
    use crate::crypto::{BlockKey, Secret};

    #[test]
    fn a_rotated_key_does_not_become_current() {
        let key = |byte| BlockKey::new(Secret::from(vec![byte; 32])).unwrap();
        let mut keys = ClientKeys {
            symmetric: vec![key(1), key(2).into_rotated()],
            ..ClientKeys::default()
        };
        assert_eq!(keys.current().unwrap().id(b""), key(1).id(b""));
        keys.symmetric.remove(0);
        assert!(keys.current().is_none());
        assert!(!format!("{keys:?}").contains('2'));
    }
}
