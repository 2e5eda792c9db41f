//! A data key, sealed from one X25519 key pair to another. As long as the Secure Message in whose place it stands in an
//! AcraStruct, with a type that Themis refuses.
//!
//! ```text
//! 0   4   type: 58 32 35 01 ("X25", version 1)
//! 4   4   total length, LE32 (84)
//! 8   16  salt of the derivation, random
//! 24  12  IV, random
//! 36  16  tag
//! 52  32  data key, encrypted
//! ```
//!
//! `K = HKDF-SHA256(salt, shared secret, info = "acra-rs AcraStruct X25519 v1" || sender's public key || recipient's
//! public key, 32)`, the public keys as 32 bytes each; AES-256-GCM with K, the IV, and the first 8 bytes of the message
//! as additional data.

use super::super::error::CryptoError;
use super::super::secure_cell::gcm::{Cipher, IV_LENGTH, TAG_LENGTH};
use super::{PrivateKey, PublicKey};
use hkdf::Hkdf;
use rand::CryptoRng;
use sha2::Sha256;
use zeroize::Zeroizing;

/// Bytes of a message.
pub const LENGTH: usize = HEADER.len() + SALT_LENGTH + IV_LENGTH + TAG_LENGTH + DATA_KEY;

/// Type and total length.
const HEADER: [u8; 8] = *b"X25\x01\x54\0\0\0";
const SALT_LENGTH: usize = 16;
const DATA_KEY: usize = 32;
const DOMAIN: &[u8] = b"acra-rs AcraStruct X25519 v1";

/// Seals a data key from `own` to `peer` and appends the message to `out`.
///
/// # Errors
///
/// [`CryptoError::Agreement`]; `out` is then as before.
pub fn seal(
    own: &PrivateKey,
    peer: &PublicKey,
    rng: &mut dyn CryptoRng,
    data_key: &[u8; DATA_KEY],
    out: &mut Vec<u8>,
) -> Result<(), CryptoError> {
    let (mut salt, mut iv) = ([0; SALT_LENGTH], [0; IV_LENGTH]);
    rng.fill_bytes(&mut salt);
    rng.fill_bytes(&mut iv);
    let cipher = derive(own, peer, &salt, [own.public(), peer])?;
    let mut sealed = Zeroizing::new(*data_key);
    let tag = cipher.seal(&iv, &HEADER, &mut *sealed);
    let tag = tag.ok_or(CryptoError::TooLong)?;
    for part in [&HEADER[..], &salt, &iv, &tag, &*sealed] {
        out.extend_from_slice(part);
    }
    Ok(())
}

/// Opens a message from `peer` to `own` and appends the data key to `out`.
///
/// # Errors
///
/// [`CryptoError::Message`]; `out` is then as before.
pub fn open(
    own: &PrivateKey,
    peer: &PublicKey,
    message: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CryptoError> {
    let (salt, iv, tag, sealed) = split(message).ok_or(CryptoError::Message)?;
    let cipher = derive(own, peer, salt, [peer, own.public()]).map_err(|_| CryptoError::Message)?;
    let mut data_key = Zeroizing::new(*sealed);
    cipher
        .open(iv, &HEADER, &mut *data_key, tag)
        .ok_or(CryptoError::Message)?;
    out.extend_from_slice(&*data_key);
    Ok(())
}

type Parts<'a> = (
    &'a [u8; SALT_LENGTH],
    &'a [u8; IV_LENGTH],
    &'a [u8; TAG_LENGTH],
    &'a [u8; DATA_KEY],
);

fn split(message: &[u8]) -> Option<Parts<'_>> {
    let rest = message.strip_prefix(&HEADER)?;
    let (salt, rest) = rest.split_first_chunk()?;
    let (iv, rest) = rest.split_first_chunk()?;
    let (tag, rest) = rest.split_first_chunk()?;
    Some((salt, iv, tag, rest.try_into().ok()?))
}

/// Both sides derive with the sender's key first.
fn derive(
    own: &PrivateKey,
    peer: &PublicKey,
    salt: &[u8],
    [sender, recipient]: [&PublicKey; 2],
) -> Result<Cipher, CryptoError> {
    let shared = own.agree(peer)?;
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(Some(salt), shared.as_bytes())
        .expand_multi_info(&[DOMAIN, &sender.0, &recipient.0], &mut *key)
        .map_err(|_| CryptoError::OutputLength)?;
    Ok(Cipher::new_256(&key))
}
