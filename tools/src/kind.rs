//! The kinds of keys before it is known whose they are.

use acra_engine::keys::{ClientId, KeyKind};

/// A kind of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    StoragePair,
    Search,
    Log,
    StorageSymmetric,
    PoisonSymmetric,
    PoisonPair,
}

impl Kind {
    /// Whether it belongs to a client, and so needs a client id.
    pub(crate) fn is_of_client(self) -> bool {
        matches!(
            self,
            Self::StoragePair | Self::Search | Self::StorageSymmetric
        )
    }

    /// The key of this kind; `None`: it belongs to a client, and there is none.
    pub(crate) fn of(self, client: Option<&ClientId>) -> Option<KeyKind> {
        Some(match self {
            Self::StoragePair => KeyKind::StoragePair(client?.clone()),
            Self::Search => KeyKind::Search(client?.clone()),
            Self::Log => KeyKind::AuditLog,
            Self::StorageSymmetric => KeyKind::StorageSymmetric(client?.clone()),
            Self::PoisonSymmetric => KeyKind::PoisonSymmetric,
            Self::PoisonPair => KeyKind::PoisonPair,
        })
    }
}
