//! X25519 key pairs (RFC 7748): a kind of our own beside Themis's P-256, which Acra cannot read.
//!
//! Their containers have the frame and the length of Themis's (`key_container`), with tags that no Themis knows, so that
//! it refuses them as it does any foreign tag:
//!
//! ```text
//! 0   4   tag: "UX25" public, "RX25" private
//! 4   4   total size, BE32 (45)
//! 8   4   CRC-32C of the whole with these four bytes zero, LE32
//! 12  1   version: 01
//! 13  32  public: the u coordinate; private: the scalar before clamping; both as in RFC 7748
//! ```

mod message;

#[cfg(test)]
mod tests;

use super::error::CryptoError;
use super::key_container::{self, CONTAINER};
use super::secret::Secret;
pub use message::{LENGTH as MESSAGE, open, seal};
use rand::CryptoRng;
use std::fmt;
use x25519_dalek::{SharedSecret, StaticSecret};
use zeroize::Zeroizing;

/// Bytes of a scalar and of a u coordinate.
const KEY: usize = 32;
const PUBLIC: [u8; 4] = *b"UX25";
const PRIVATE: [u8; 4] = *b"RX25";
const VERSION: u8 = 1;

/// The u coordinate of a point.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey([u8; KEY]);

impl PublicKey {
    /// Reads a container. Whether the point is of low order shows when keys agree.
    ///
    /// # Errors
    ///
    /// [`CryptoError::KeyContainer`].
    pub fn from_container(container: &[u8]) -> Result<Self, CryptoError> {
        read(container, PUBLIC).copied().map(Self)
    }

    /// The container of this key.
    pub fn to_container(&self) -> [u8; CONTAINER] {
        key_container::write_public(PUBLIC, VERSION, &self.0)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(..)")
    }
}

/// A scalar, and the public key that belongs to it. Wiped when dropped.
pub struct PrivateKey {
    scalar: StaticSecret,
    /// Part of every derivation, and as dear as an agreement to compute.
    public: PublicKey,
}

impl PrivateKey {
    /// Makes a new one.
    ///
    /// # Errors
    ///
    /// [`CryptoError::Random`]: what `rng` gives is not random.
    pub fn generate(rng: &mut dyn CryptoRng) -> Result<Self, CryptoError> {
        let mut scalar = Zeroizing::new([0; KEY]);
        rng.fill_bytes(&mut *scalar);
        // Every string of bytes is a scalar; this one only a broken source gives.
        if scalar.iter().all(|byte| *byte == 0) {
            return Err(CryptoError::Random);
        }
        Ok(Self::new(&scalar))
    }

    /// Reads a container.
    ///
    /// # Errors
    ///
    /// [`CryptoError::KeyContainer`].
    pub fn from_container(container: &[u8]) -> Result<Self, CryptoError> {
        read(container, PRIVATE).map(Self::new)
    }

    fn new(scalar: &[u8; KEY]) -> Self {
        let scalar = StaticSecret::from(*scalar);
        let public = x25519_dalek::PublicKey::from(&scalar);
        Self {
            scalar,
            public: PublicKey(public.to_bytes()),
        }
    }

    /// The container of this key.
    pub fn to_container(&self) -> Secret {
        key_container::write_private(PRIVATE, VERSION, self.scalar.as_bytes())
    }

    /// The public key that belongs to it.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The shared secret, from which a key is yet to be derived.
    ///
    /// # Errors
    ///
    /// [`CryptoError::Agreement`]: it is zero, as the other key is a point of low order (RFC 7748 6.1).
    fn agree(&self, peer: &PublicKey) -> Result<SharedSecret, CryptoError> {
        let peer = x25519_dalek::PublicKey::from(peer.0);
        let shared = self.scalar.diffie_hellman(&peer);
        if shared.was_contributory() {
            Ok(shared)
        } else {
            Err(CryptoError::Agreement)
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(..)")
    }
}

fn read(container: &[u8], tag: [u8; 4]) -> Result<&[u8; KEY], CryptoError> {
    match key_container::read(container, tag, CONTAINER) {
        Some([VERSION, key @ ..]) => key.try_into().map_err(|_| CryptoError::KeyContainer),
        _ => Err(CryptoError::KeyContainer),
    }
}
