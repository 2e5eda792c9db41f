//! Themis Secure Cell (containers.md 2).
//!
//! Seal mode with a key is here, and Token Protect, which is the same in two pieces. [`imprint`] and [`passphrase`] are
//! not used by Acra; client-side tools and old data may need them.
//!
//! ```text
//! 0   4   algorithm word, LE32 (0x40010100)
//! 4   4   IV length, LE32 (12)
//! 8   4   tag length, LE32 (16)
//! 12  4   message length L, LE32
//! 16  12  IV
//! 28  16  tag
//! 44  L   ciphertext
//! ```

pub(super) mod gcm;
pub mod imprint;
pub mod passphrase;
mod token;

#[cfg(test)]
mod tests;

use super::error::CryptoError;
use super::kdf;
use gcm::{Cipher, IV_LENGTH};
use rand::CryptoRng;
pub(super) use token::Token;
use zeroize::Zeroizing;

/// Bytes that sealing adds.
pub const OVERHEAD: usize = 44;

/// The label under which message keys are derived.
const KEY_LABEL: &str = "Themis secure cell message key";

/// A derived AES-256 key.
type DerivedKey = Zeroizing<[u8; 32]>;

/// The message key: the user's context is the KDF's second context, if there is one.
pub(super) fn message_key(
    key: &[u8],
    context: &[u8],
    length: [u8; 4],
) -> Result<DerivedKey, CryptoError> {
    let mut derived = Zeroizing::new([0; 32]);
    kdf::derive(key, KEY_LABEL, &[&length, context], &mut *derived)?;
    Ok(derived)
}

/// The length field for a message.
pub(super) fn length_field(message: &[u8]) -> Result<[u8; 4], CryptoError> {
    if message.is_empty() {
        return Err(CryptoError::EmptyMessage);
    }
    let length = u32::try_from(message.len()).map_err(|_| CryptoError::TooLong)?;
    Ok(length.to_le_bytes())
}

/// Seals `message` under `key` and appends the cell to `out`.
///
/// The context is part of the derived key and also additional data; an empty one is no context.
///
/// # Errors
///
/// [`CryptoError::EmptyKey`], [`CryptoError::EmptyMessage`], [`CryptoError::TooLong`]; `out` is then as before.
pub fn seal(
    rng: &mut dyn CryptoRng,
    key: &[u8],
    context: &[u8],
    message: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CryptoError> {
    let mut iv = [0; IV_LENGTH];
    let cipher = Cipher::new_256(&*message_key(key, context, length_field(message)?)?);
    rng.fill_bytes(&mut iv);
    seal_with(&cipher, iv, context, message, out)
}

/// Seals under a cipher that has been derived for this context and message length.
pub(super) fn seal_with(
    cipher: &Cipher,
    iv: [u8; IV_LENGTH],
    context: &[u8],
    message: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CryptoError> {
    let length = length_field(message)?;
    let start = out.len();
    out.reserve(OVERHEAD + message.len());
    Token::write(length, iv, out);
    let body = out.len();
    out.extend_from_slice(message);
    let tag = out
        .get_mut(body..)
        .and_then(|message| cipher.seal(&iv, context, message));
    match tag.zip(out.get_mut(..body).and_then(<[u8]>::last_chunk_mut)) {
        Some((tag, place)) => {
            *place = tag;
            Ok(())
        }
        None => {
            out.truncate(start);
            Err(CryptoError::TooLong)
        }
    }
}

/// Opens a cell and appends the message to `out`.
///
/// Accepted though never written: AES-128 and AES-192, bytes between tag and ciphertext, longer IV and tag fields of
/// which the first 12 and 16 bytes count (containers.md 2.1).
///
/// # Errors
///
/// [`CryptoError::EmptyKey`], [`CryptoError::Cell`]; `out` is then as before.
pub fn open(key: &[u8], context: &[u8], cell: &[u8], out: &mut Vec<u8>) -> Result<(), CryptoError> {
    open_split(key, context, split(cell)?, out)
}

/// A whole cell, taken apart.
pub(super) fn split(cell: &[u8]) -> Result<(Token<'_>, &[u8]), CryptoError> {
    token::split(cell, token::Form::Key).ok_or(CryptoError::Cell)
}

fn open_split(
    key: &[u8],
    context: &[u8],
    (token, ciphertext): (Token<'_>, &[u8]),
    out: &mut Vec<u8>,
) -> Result<(), CryptoError> {
    let derived = message_key(key, context, token.length)?;
    if token.key_bits == 256 {
        // What is always written: the schedule stays where it is made.
        return open_with(&Cipher::new_256(&derived), context, &token, ciphertext, out);
    }
    let cipher = Cipher::new(&derived, token.key_bits).ok_or(CryptoError::Cell)?;
    open_with(&cipher, context, &token, ciphertext, out)
}

/// Opens with a cipher that has been derived for this context and message length.
pub(super) fn open_with(
    cipher: &Cipher,
    context: &[u8],
    token: &Token<'_>,
    ciphertext: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CryptoError> {
    let start = out.len();
    out.extend_from_slice(ciphertext);
    let opened = out
        .get_mut(start..)
        .is_some_and(|message| token.open_in_place(cipher, context, message));
    if opened {
        return Ok(());
    }
    out.truncate(start);
    Err(CryptoError::Cell)
}

/// Token Protect: encrypts `message` in place and gives the 44-byte authentication token that belongs to it.
///
/// # Errors
///
/// Those of [`seal`]; the message is then as before.
pub fn protect(
    rng: &mut dyn CryptoRng,
    key: &[u8],
    context: &[u8],
    message: &mut [u8],
) -> Result<Vec<u8>, CryptoError> {
    let length = length_field(message)?;
    let cipher = Cipher::new_256(&*message_key(key, context, length)?);
    let mut iv = [0; IV_LENGTH];
    rng.fill_bytes(&mut iv);
    let mut token = Vec::with_capacity(OVERHEAD);
    Token::write(length, iv, &mut token);
    let tag = cipher.seal(&iv, context, message);
    match tag.zip(token.last_chunk_mut()) {
        Some((tag, place)) => *place = tag,
        None => return Err(CryptoError::TooLong),
    }
    Ok(token)
}

/// Token Protect: opens `ciphertext` with its token and appends the message to `out`.
///
/// # Errors
///
/// [`CryptoError::EmptyKey`], [`CryptoError::Cell`]; `out` is then as before.
pub fn unprotect(
    key: &[u8],
    context: &[u8],
    token: &[u8],
    ciphertext: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CryptoError> {
    let token = token::read(token, token::Form::Key).ok_or(CryptoError::Cell)?;
    if u64::from(u32::from_le_bytes(token.length)) != ciphertext.len() as u64
        || ciphertext.is_empty()
    {
        return Err(CryptoError::Cell);
    }
    open_split(key, context, (token, ciphertext), out)
}
