//! AES-GCM with a 12-byte IV and a full tag, in place.

use aes_gcm::aead::consts::U12;
use aes_gcm::aes::Aes192;
use aes_gcm::{AeadInOut, Aes128Gcm, Aes256Gcm, AesGcm, KeyInit};

/// Bytes of an IV.
pub(in crate::crypto) const IV_LENGTH: usize = 12;
/// Bytes of a tag.
pub(in crate::crypto) const TAG_LENGTH: usize = 16;

/// A key schedule, wiped when dropped.
// The sizes differ, but a box would cost more than the bytes: nearly all are AES-256.
#[allow(clippy::large_enum_variant)]
pub(in crate::crypto) enum Cipher {
    Aes128(Aes128Gcm),
    Aes192(AesGcm<Aes192, U12>),
    Aes256(Aes256Gcm),
}

impl Cipher {
    /// AES-256.
    pub(in crate::crypto) fn new_256(key: &[u8; 32]) -> Self {
        Self::Aes256(Aes256Gcm::new(key.into()))
    }

    /// AES with the first `bits` of `key`: 128, 192 or 256.
    pub(in crate::crypto) fn new(key: &[u8; 32], bits: u32) -> Option<Self> {
        Some(match bits {
            128 => Self::Aes128(Aes128Gcm::new(key.first_chunk::<16>()?.into())),
            192 => Self::Aes192(AesGcm::new(key.first_chunk::<24>()?.into())),
            256 => Self::new_256(key),
            _ => return None,
        })
    }

    /// Encrypts in place and gives the tag. `None`: longer than the mode allows.
    pub(in crate::crypto) fn seal(
        &self,
        iv: &[u8; IV_LENGTH],
        context: &[u8],
        message: &mut [u8],
    ) -> Option<[u8; TAG_LENGTH]> {
        let message = message.into();
        let tag = match self {
            Self::Aes128(aes) => aes.encrypt_inout_detached(iv.into(), context, message),
            Self::Aes192(aes) => aes.encrypt_inout_detached(iv.into(), context, message),
            Self::Aes256(aes) => aes.encrypt_inout_detached(iv.into(), context, message),
        };
        tag.ok().map(Into::into)
    }

    /// Checks the tag (in constant time) and decrypts in place. `None`: another tag; the bytes are then as before.
    pub(in crate::crypto) fn open(
        &self,
        iv: &[u8; IV_LENGTH],
        context: &[u8],
        message: &mut [u8],
        tag: &[u8; TAG_LENGTH],
    ) -> Option<()> {
        let (message, tag) = (message.into(), tag.into());
        let opened = match self {
            Self::Aes128(aes) => aes.decrypt_inout_detached(iv.into(), context, message, tag),
            Self::Aes192(aes) => aes.decrypt_inout_detached(iv.into(), context, message, tag),
            Self::Aes256(aes) => aes.decrypt_inout_detached(iv.into(), context, message, tag),
        };
        opened.ok()
    }
}
