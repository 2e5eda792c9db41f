//! Themis elliptic-curve keys and the agreement between two of them: NIST P-256, nothing else (containers.md 3, 4).

mod container;

use super::error::CryptoError;
use super::secret::Secret;
use aws_lc_rs::agreement::{self, ECDH_P256, ParsedPublicKey, UnparsedPublicKey, agree};
use aws_lc_rs::encoding::{AsBigEndian, EcPrivateKeyBin};
pub use container::{CONTAINER, MAX_CONTAINER};
use rand::CryptoRng;
use std::fmt;
use zeroize::Zeroizing;

/// Bytes of a scalar and of a coordinate.
const FIELD: usize = 32;
/// Bytes of the sign of Y and X.
const COMPRESSED: usize = 1 + FIELD;
/// Bytes of `04 || X || Y`.
const POINT: usize = 1 + 2 * FIELD;
/// Random scalars that are tried before the source of randomness is taken for broken: nearly all are in range.
const ATTEMPTS: usize = 64;

/// A point on the curve, not at infinity.
#[derive(Clone)]
pub struct PublicKey {
    /// The sign of Y and X: what tells the point.
    compressed: [u8; COMPRESSED],
    /// `04 || X || Y` if it is known, which saves the square root that Y costs.
    whole: Option<[u8; POINT]>,
}

impl PublicKey {
    /// Reads a container.
    ///
    /// # Errors
    ///
    /// [`CryptoError::KeyContainer`].
    pub fn from_container(container: &[u8]) -> Result<Self, CryptoError> {
        let key = Self::unchecked(container)?;
        match ParsedPublicKey::try_from(UnparsedPublicKey::new(&ECDH_P256, key.bytes())) {
            Ok(_) => Ok(key),
            Err(_) => Err(CryptoError::KeyContainer),
        }
    }

    /// Reads a container whose point need not be on the curve: for a key that is used once, by [`PrivateKey::agree`],
    /// which finds out.
    pub(super) fn unchecked(container: &[u8]) -> Result<Self, CryptoError> {
        let point = container::public(container).ok_or(CryptoError::KeyContainer)?;
        if let Ok(compressed) = point.try_into() {
            return Ok(Self {
                compressed,
                whole: None,
            });
        }
        let whole = point.try_into().map_err(|_| CryptoError::KeyContainer)?;
        Ok(Self::whole(whole))
    }

    fn whole(whole: [u8; POINT]) -> Self {
        let mut compressed = [0; COMPRESSED];
        compressed
            .iter_mut()
            .zip(&whole)
            .for_each(|(to, from)| *to = *from);
        let [sign, ..] = &mut compressed;
        let [.., y] = &whole;
        *sign = 2 | (y & 1);
        Self {
            compressed,
            whole: Some(whole),
        }
    }

    /// The container of the compressed point.
    pub fn to_container(&self) -> [u8; CONTAINER] {
        container::write_public(&self.compressed)
    }

    fn bytes(&self) -> &[u8] {
        match &self.whole {
            Some(whole) => whole,
            None => &self.compressed,
        }
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.compressed == other.compressed
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(..)")
    }
}

/// A scalar in the range of the curve's order. Wiped when dropped.
pub struct PrivateKey(agreement::PrivateKey);

impl PrivateKey {
    /// Makes a new one.
    ///
    /// # Errors
    ///
    /// [`CryptoError::Random`]: what `rng` gives is not random.
    pub fn generate(rng: &mut dyn CryptoRng) -> Result<Self, CryptoError> {
        let mut scalar = Zeroizing::new([0; FIELD]);
        for _ in 0..ATTEMPTS {
            rng.fill_bytes(&mut *scalar);
            if let Ok(key) = agreement::PrivateKey::from_private_key(&ECDH_P256, &*scalar) {
                return Ok(Self(key));
            }
        }
        Err(CryptoError::Random)
    }

    /// Reads a container.
    ///
    /// # Errors
    ///
    /// [`CryptoError::KeyContainer`].
    pub fn from_container(container: &[u8]) -> Result<Self, CryptoError> {
        let scalar = container::private(container).ok_or(CryptoError::KeyContainer)?;
        agreement::PrivateKey::from_private_key(&ECDH_P256, scalar)
            .map(Self)
            .map_err(|_| CryptoError::KeyContainer)
    }

    /// The container of this key.
    ///
    /// # Errors
    ///
    /// [`CryptoError::KeyContainer`]: the key cannot be exported, which does not happen.
    pub fn to_container(&self) -> Result<Secret, CryptoError> {
        let scalar: EcPrivateKeyBin<'_> = self
            .0
            .as_be_bytes()
            .map_err(|_| CryptoError::KeyContainer)?;
        let scalar = scalar
            .as_ref()
            .try_into()
            .map_err(|_| CryptoError::KeyContainer)?;
        Ok(container::write_private(scalar))
    }

    /// The public key that belongs to it.
    ///
    /// # Errors
    ///
    /// [`CryptoError::KeyContainer`]: it cannot be computed, which does not happen.
    pub fn public(&self) -> Result<PublicKey, CryptoError> {
        let public = self
            .0
            .compute_public_key()
            .map_err(|_| CryptoError::KeyContainer)?;
        let point = public
            .as_ref()
            .try_into()
            .map_err(|_| CryptoError::KeyContainer)?;
        Ok(PublicKey::whole(point))
    }

    /// ECDH: the X coordinate of the product, big-endian, with leading zeros. Nothing is derived from it yet.
    ///
    /// # Errors
    ///
    /// [`CryptoError::Agreement`].
    pub fn agree(&self, peer: &PublicKey) -> Result<Zeroizing<[u8; FIELD]>, CryptoError> {
        let peer = UnparsedPublicKey::new(&ECDH_P256, peer.bytes());
        agree(&self.0, peer, CryptoError::Agreement, |secret| {
            let mut shared = Zeroizing::new([0; FIELD]);
            if secret.len() != FIELD {
                return Err(CryptoError::Agreement);
            }
            shared.copy_from_slice(secret);
            Ok(shared)
        })
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(..)")
    }
}

#[cfg(test)]
mod tests;
