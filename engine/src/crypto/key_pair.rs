//! The key pairs of AcraStructs, of either kind: the only place that tells kinds apart.

use super::error::CryptoError;
use super::key_container::CONTAINER;
use super::secret::Secret;
use super::{ec, secure_message, x25519};
use rand::CryptoRng;
use std::fmt;

/// Bytes of a data key that is written.
pub(super) const DATA_KEY_LENGTH: usize = 32;

/// Bytes of a sealed data key, whatever the kind.
pub(super) const WRAPPED_KEY: usize = secure_message::OVERHEAD + DATA_KEY_LENGTH;

// Detection finds the length field of an AcraStruct behind it.
const _: () = assert!(x25519::MESSAGE == WRAPPED_KEY);

/// The kind of a key pair, chosen when it is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyPairType {
    /// Themis's, which Acra reads and writes too.
    #[default]
    P256,
    /// Of our own: Acra and AcraWriter can neither seal for such a key nor open with it.
    X25519,
}

impl KeyPairType {
    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "p256" => Some(Self::P256),
            "x25519" => Some(Self::X25519),
            _ => None,
        }
    }
}

impl fmt::Display for KeyPairType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::P256 => "p256",
            Self::X25519 => "x25519",
        })
    }
}

/// The public half of a key pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// A point of P-256.
    P256(ec::PublicKey),
    /// A u coordinate of Curve25519.
    X25519(x25519::PublicKey),
}

impl PublicKey {
    /// Reads a container of either kind.
    ///
    /// # Errors
    ///
    /// [`CryptoError::KeyContainer`].
    pub fn from_container(container: &[u8]) -> Result<Self, CryptoError> {
        ec::PublicKey::from_container(container)
            .map(Self::P256)
            .or_else(|_| x25519::PublicKey::from_container(container).map(Self::X25519))
    }

    /// Reads a container whose key is used once, by [`PrivateKey::open_key`], which finds out whether it is any good.
    pub(super) fn unchecked(container: &[u8]) -> Result<Self, CryptoError> {
        ec::PublicKey::unchecked(container)
            .map(Self::P256)
            .or_else(|_| x25519::PublicKey::from_container(container).map(Self::X25519))
    }

    /// The container of this key.
    pub fn to_container(&self) -> [u8; CONTAINER] {
        match self {
            Self::P256(key) => key.to_container(),
            Self::X25519(key) => key.to_container(),
        }
    }

    /// Its kind.
    pub fn kind(&self) -> KeyPairType {
        match self {
            Self::P256(_) => KeyPairType::P256,
            Self::X25519(_) => KeyPairType::X25519,
        }
    }
}

/// The private half of a key pair. Wiped when dropped.
#[derive(Debug)]
pub enum PrivateKey {
    /// A scalar of P-256.
    P256(ec::PrivateKey),
    /// A scalar of Curve25519.
    X25519(x25519::PrivateKey),
}

impl PrivateKey {
    /// Makes a new one.
    ///
    /// # Errors
    ///
    /// [`CryptoError::Random`]: what `rng` gives is not random.
    pub fn generate(kind: KeyPairType, rng: &mut dyn CryptoRng) -> Result<Self, CryptoError> {
        match kind {
            KeyPairType::P256 => ec::PrivateKey::generate(rng).map(Self::P256),
            KeyPairType::X25519 => x25519::PrivateKey::generate(rng).map(Self::X25519),
        }
    }

    /// Reads a container of either kind.
    ///
    /// # Errors
    ///
    /// [`CryptoError::KeyContainer`].
    pub fn from_container(container: &[u8]) -> Result<Self, CryptoError> {
        ec::PrivateKey::from_container(container)
            .map(Self::P256)
            .or_else(|_| x25519::PrivateKey::from_container(container).map(Self::X25519))
    }

    /// The container of this key.
    ///
    /// # Errors
    ///
    /// [`CryptoError::KeyContainer`]: the key cannot be exported, which does not happen.
    pub fn to_container(&self) -> Result<Secret, CryptoError> {
        match self {
            Self::P256(key) => key.to_container(),
            Self::X25519(key) => Ok(key.to_container()),
        }
    }

    /// The public key that belongs to it.
    ///
    /// # Errors
    ///
    /// [`CryptoError::KeyContainer`]: it cannot be computed, which does not happen.
    pub fn public(&self) -> Result<PublicKey, CryptoError> {
        match self {
            Self::P256(key) => key.public().map(PublicKey::P256),
            Self::X25519(key) => Ok(PublicKey::X25519(key.public().clone())),
        }
    }

    /// Seals a data key for `recipient` and appends the message to `out`.
    ///
    /// # Errors
    ///
    /// [`CryptoError::Agreement`], also if the keys are of two kinds; `out` is then as before.
    pub(super) fn seal_key(
        &self,
        recipient: &PublicKey,
        rng: &mut dyn CryptoRng,
        data_key: &[u8; DATA_KEY_LENGTH],
        out: &mut Vec<u8>,
    ) -> Result<(), CryptoError> {
        match (self, recipient) {
            (Self::P256(own), PublicKey::P256(peer)) => {
                secure_message::seal(own, peer, rng, data_key, out)
            }
            (Self::X25519(own), PublicKey::X25519(peer)) => {
                x25519::seal(own, peer, rng, data_key, out)
            }
            _ => Err(CryptoError::Agreement),
        }
    }

    /// Opens a data key from `sender` and appends it to `out`.
    ///
    /// # Errors
    ///
    /// [`CryptoError::Message`], also if the keys are of two kinds; `out` is then as before.
    pub(super) fn open_key(
        &self,
        sender: &PublicKey,
        message: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), CryptoError> {
        match (self, sender) {
            (Self::P256(own), PublicKey::P256(peer)) => {
                secure_message::open(own, peer, message, out)
            }
            (Self::X25519(own), PublicKey::X25519(peer)) => x25519::open(own, peer, message, out),
            _ => Err(CryptoError::Message),
        }
    }
}
