//! The kinds of keys, in the orders and with the words of Acra (cli.md 14).

use acra_engine::crypto::KeyPairType;
use acra_engine::keys::{ClientId, ClientIdError, KeyKind};
use acra_stores::{KeyStore, KeyStoreError};
use std::fmt;

/// A kind of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    StoragePair,
    Search,
    Log,
    StorageSymmetric,
    PoisonSymmetric,
    PoisonPair,
}

/// Why a key was not made.
#[derive(Debug)]
pub(super) enum MakeError {
    ClientId(ClientIdError),
    Store(KeyStoreError),
}

impl fmt::Display for MakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClientId(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl Kind {
    /// What is made if nothing is chosen.
    pub(super) const ALL: [Self; 6] = [
        Self::StoragePair,
        Self::Search,
        Self::Log,
        Self::StorageSymmetric,
        Self::PoisonSymmetric,
        Self::PoisonPair,
    ];

    /// What the flags choose, in the order in which it is made.
    pub(super) fn asked_for(is_set: impl Fn(&str) -> bool) -> Vec<Self> {
        [
            ("generate_poisonrecord_keys", Self::PoisonSymmetric),
            ("generate_poisonrecord_keys", Self::PoisonPair),
            ("generate_acrawriter_keys", Self::StoragePair),
            ("generate_hmac_key", Self::Search),
            ("generate_symmetric_storage_key", Self::StorageSymmetric),
            ("generate_log_key", Self::Log),
        ]
        .into_iter()
        .filter_map(|(flag, kind)| is_set(flag).then_some(kind))
        .collect()
    }

    /// Whether it belongs to a client, and so needs a client id.
    pub(super) fn is_of_client(self) -> bool {
        matches!(
            self,
            Self::StoragePair | Self::Search | Self::StorageSymmetric
        )
    }

    /// Whether it has a public part.
    pub(super) fn is_pair(self) -> bool {
        matches!(self, Self::StoragePair | Self::PoisonPair)
    }

    /// What is printed when it has been made.
    pub(super) fn done(self) -> &'static str {
        match self {
            Self::StoragePair => "Generated storage encryption keypair",
            Self::Search => "Generated HMAC key for searchable encryption",
            Self::Log => "Generated HMAC key for secure logging",
            Self::StorageSymmetric => "Generated storage symmetric key for clientID",
            Self::PoisonSymmetric => "Generated symmetric key for poison records",
            Self::PoisonPair => "Generated keypair for poison records",
        }
    }

    /// Makes one; a pair is of type `pair`.
    pub(super) fn make(
        self,
        store: &KeyStore,
        client_id: Option<&ClientId>,
        pair: KeyPairType,
    ) -> Result<(), MakeError> {
        let id = || client_id.cloned().ok_or(MakeError::ClientId(ClientIdError));
        let kind = match self {
            Self::StoragePair => KeyKind::StoragePair(id()?),
            Self::Search => KeyKind::Search(id()?),
            Self::Log => KeyKind::AuditLog,
            Self::StorageSymmetric => KeyKind::StorageSymmetric(id()?),
            Self::PoisonSymmetric => KeyKind::PoisonSymmetric,
            Self::PoisonPair => KeyKind::PoisonPair,
        };
        store
            .generate_of_type(&kind, pair)
            .map_err(MakeError::Store)
    }
}
