//! Context Imprint: as long as the message, the same every time, and not authenticated (containers.md 2.3).

use super::super::error::CryptoError;
use super::super::kdf;
use super::{length_field, message_key};
use aes::Aes256;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};

/// The label under which IVs are derived, with the message key as key.
const IV_LABEL: &str = "Themis secure cell message iv";

/// Encrypts or decrypts in place: both are the same operation. A wrong key or context gives garbage, not an error.
///
/// # Errors
///
/// [`CryptoError::EmptyKey`], [`CryptoError::EmptyMessage`], [`CryptoError::EmptyContext`], [`CryptoError::TooLong`];
/// the message is then as before.
pub fn apply(key: &[u8], context: &[u8], message: &mut [u8]) -> Result<(), CryptoError> {
    let length = length_field(message)?;
    if context.is_empty() {
        return Err(CryptoError::EmptyContext);
    }
    let key = message_key(key, b"", length)?;
    let mut iv = [0; 16];
    kdf::derive(&*key, IV_LABEL, &[context], &mut iv)?;
    let mut cipher = Ctr128BE::<Aes256>::new((&*key).into(), &iv.into());
    cipher
        .try_apply_keystream(message)
        .map_err(|_| CryptoError::TooLong)
}
