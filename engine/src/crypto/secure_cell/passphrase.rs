//! Seal mode with a passphrase (containers.md 2.4).
//!
//! ```text
//! 0   4   algorithm word, LE32 (0x41010100)
//! 4   4   IV length, LE32 (12)
//! 8   4   tag length, LE32 (16)
//! 12  4   message length L, LE32
//! 16  4   KDF context length, LE32 (22)
//! 20  12  IV
//! 32  16  tag
//! 48  4   PBKDF2 iterations, LE32
//! 52  2   salt length, LE16 (16)
//! 54  16  salt
//! 70  L   ciphertext
//! ```

use super::super::error::CryptoError;
use super::gcm::{Cipher, IV_LENGTH, TAG_LENGTH};
use super::{length_field, message_key, open_with, token};
use pbkdf2::pbkdf2_hmac;
use rand::CryptoRng;
use sha2::Sha256;
use zeroize::Zeroizing;

/// Iterations that are written, as Themis does.
const ITERATIONS: u32 = 314_110;

/// Most iterations that are made: more would let hostile data keep a processor busy.
const MAX_ITERATIONS: u32 = 1_000_000;

/// Bytes of salt that are written.
const SALT_LENGTH: usize = 16;

/// Seals `message` under a passphrase and appends the cell to `out`. Takes a fraction of a second.
///
/// # Errors
///
/// [`CryptoError::EmptyKey`], [`CryptoError::EmptyMessage`], [`CryptoError::TooLong`]; `out` is then as before.
pub fn seal(
    rng: &mut dyn CryptoRng,
    passphrase: &[u8],
    context: &[u8],
    message: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CryptoError> {
    let length = length_field(message)?;
    let (mut iv, mut salt) = ([0; IV_LENGTH], [0; SALT_LENGTH]);
    rng.fill_bytes(&mut iv);
    rng.fill_bytes(&mut salt);
    let cipher = cipher(passphrase, &salt, ITERATIONS, context, length)?;
    let mut body = message.to_vec();
    let tag = cipher
        .seal(&iv, context, &mut body)
        .ok_or(CryptoError::TooLong)?;
    out.extend_from_slice(&token::WORD_PASSPHRASE.to_le_bytes());
    out.extend_from_slice(&[IV_LENGTH as u8, 0, 0, 0, TAG_LENGTH as u8, 0, 0, 0]);
    out.extend_from_slice(&length);
    out.extend_from_slice(&[6 + SALT_LENGTH as u8, 0, 0, 0]);
    out.extend_from_slice(&iv);
    out.extend_from_slice(&tag);
    out.extend_from_slice(&ITERATIONS.to_le_bytes());
    out.extend_from_slice(&[SALT_LENGTH as u8, 0]);
    out.extend_from_slice(&salt);
    out.extend_from_slice(&body);
    Ok(())
}

/// Opens a cell with a passphrase and appends the message to `out`.
///
/// # Errors
///
/// [`CryptoError::EmptyKey`]; [`CryptoError::Cell`], also for 0 iterations and for more than 1 000 000. `out` is then
/// as before.
pub fn open(
    passphrase: &[u8],
    context: &[u8],
    cell: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CryptoError> {
    let (token, ciphertext) =
        token::split(cell, token::Form::Passphrase).ok_or(CryptoError::Cell)?;
    let (iterations, salt) = kdf_context(cell, token.rest).ok_or(CryptoError::Cell)?;
    let cipher = cipher(passphrase, salt, iterations, context, token.length)?;
    open_with(&cipher, context, &token, ciphertext, out)
}

/// Iterations and salt.
fn kdf_context<'a>(cell: &[u8], rest: &'a [u8]) -> Option<(u32, &'a [u8])> {
    let length: &[u8; 4] = cell.get(16..)?.first_chunk()?;
    let context = rest.get(..usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    let (iterations, context) = context.split_first_chunk()?;
    let (salt_length, context) = context.split_first_chunk()?;
    let salt = context.get(..u16::from_le_bytes(*salt_length).into())?;
    let iterations = u32::from_le_bytes(*iterations);
    (1..=MAX_ITERATIONS)
        .contains(&iterations)
        .then_some((iterations, salt))
}

fn cipher(
    passphrase: &[u8],
    salt: &[u8],
    iterations: u32,
    context: &[u8],
    length: [u8; 4],
) -> Result<Cipher, CryptoError> {
    if passphrase.is_empty() {
        return Err(CryptoError::EmptyKey);
    }
    let mut key = Zeroizing::new([0; 32]);
    pbkdf2_hmac::<Sha256>(passphrase, salt, iterations, &mut *key);
    Ok(Cipher::new_256(&*message_key(&*key, context, length)?))
}
