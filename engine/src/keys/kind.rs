//! What keys are for.

use super::ClientId;

/// A key of a key store by what it is for, whatever the version of the store.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyKind {
    /// A client's storage key pair, for AcraStructs.
    StoragePair(ClientId),
    /// A client's symmetric storage key, for AcraBlocks and tokens.
    StorageSymmetric(ClientId),
    /// A client's key for searchable encryption.
    Search(ClientId),
    /// The key pair of poison records.
    PoisonPair,
    /// The symmetric key of poison records.
    PoisonSymmetric,
    /// The key of the audit log.
    AuditLog,
}

impl KeyKind {
    /// Whether it has a public part.
    pub fn is_pair(&self) -> bool {
        matches!(self, Self::StoragePair(_) | Self::PoisonPair)
    }

    /// Whose it is; poison records and the audit log are nobody's.
    pub fn client(&self) -> Option<&ClientId> {
        match self {
            Self::StoragePair(id) | Self::StorageSymmetric(id) | Self::Search(id) => Some(id),
            Self::PoisonPair | Self::PoisonSymmetric | Self::AuditLog => None,
        }
    }
}
