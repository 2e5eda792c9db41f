//! The kinds of keys before it is known whose they are.

use acra_cli::{Flag, Parsed};
use acra_engine::crypto::KeyPairType;
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

/// The flag about the type of key pairs, which Acra does not have.
pub(crate) fn pair_flag() -> Flag {
    Flag::text(
        "keypair_type",
        "p256",
        "type of the key pairs that are made: p256, or x25519, which neither Acra nor AcraWriter can use",
    )
}

/// The type of the key pairs that are made.
///
/// # Errors
///
/// A sentence about one that there is not.
pub(crate) fn pair_type(parsed: &Parsed) -> Result<KeyPairType, String> {
    let name = parsed.text("keypair_type");
    KeyPairType::from_name(name)
        .ok_or_else(|| format!("Unknown --keypair_type: {name} (supported: p256, x25519)"))
}
