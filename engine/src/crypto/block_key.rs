//! A client's storage key, made ready for AcraBlocks.

use super::acrablock::DATA_KEY_LENGTH;
use super::error::CryptoError;
use super::secret::Secret;
use super::secure_cell::{gcm::Cipher, message_key};
use sha2::{Digest, Sha256};
use std::fmt;

/// A key encryption key (KEK) of AcraBlocks.
///
/// The layer that wraps data keys is the same for every block without context: its key id, derived key and cipher
/// schedule are computed once. About 1 KiB each; wiped when dropped.
pub struct BlockKey {
    secret: Secret,
    id: [u8; 2],
    wrapping: Cipher,
    rotated: bool,
}

impl BlockKey {
    /// Takes a current key of any length but 0.
    ///
    /// # Errors
    ///
    /// [`CryptoError::EmptyKey`].
    pub fn new(secret: Secret) -> Result<Self, CryptoError> {
        let length = (DATA_KEY_LENGTH as u32).to_le_bytes();
        let wrapping = Cipher::new_256(&*message_key(secret.as_bytes(), b"", length)?);
        Ok(Self {
            id: key_id(secret.as_bytes(), b""),
            wrapping,
            secret,
            rotated: false,
        })
    }

    /// Marks a key that has been replaced: it opens, but nothing is sealed with it any more.
    #[must_use]
    pub fn into_rotated(self) -> Self {
        Self {
            rotated: true,
            ..self
        }
    }

    /// Whether the key has been replaced.
    pub fn is_rotated(&self) -> bool {
        self.rotated
    }

    /// `SHA-256(KEK || context)[..2]`: a hint which key a block is for. Different keys can share it.
    pub fn id(&self, context: &[u8]) -> [u8; 2] {
        if context.is_empty() {
            self.id
        } else {
            key_id(self.secret.as_bytes(), context)
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.secret.as_bytes()
    }

    /// The cipher of 32-byte data keys without context.
    pub(super) fn wrapping(&self) -> &Cipher {
        &self.wrapping
    }
}

impl fmt::Debug for BlockKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockKey")
            .field("rotated", &self.rotated)
            .finish_non_exhaustive()
    }
}

fn key_id(key: &[u8], context: &[u8]) -> [u8; 2] {
    let [first, second, ..]: [u8; 32] = Sha256::new()
        .chain_update(key)
        .chain_update(context)
        .finalize()
        .into();
    [first, second]
}

#[cfg(test)]
mod tests {
    use super::{BlockKey, Secret};

    #[test]
    fn debug_shows_no_key() {
        let key = BlockKey::new(Secret::from(vec![7; 32])).unwrap();
        assert_eq!(format!("{key:?}"), "BlockKey { rotated: false, .. }");
    }

    #[test]
    fn an_empty_key_is_refused() {
        assert!(BlockKey::new(Secret::from(Vec::new())).is_err());
    }
}
