//! The Soter KDF (containers.md 1.1).

use super::error::CryptoError;
use hmac::digest::FixedOutput;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// What stands before the label: the block counter, of which there is only one.
const COUNTER: [u8; 4] = [0, 0, 0, 1];

/// Longest output: one HMAC.
const MAX_OUTPUT: usize = 32;

/// Fills `out` with `HMAC-SHA256(key, 00000001 || label || 00 || contexts)`, cut to its length.
///
/// Contexts are concatenated without delimiter or length.
///
/// # Errors
///
/// [`CryptoError::EmptyKey`]; [`CryptoError::OutputLength`] unless `out` has 1 to 32 bytes.
pub fn derive(
    key: &[u8],
    label: &str,
    contexts: &[&[u8]],
    out: &mut [u8],
) -> Result<(), CryptoError> {
    if key.is_empty() {
        return Err(CryptoError::EmptyKey);
    }
    // An HMAC takes keys of any length; the type only cannot say so.
    let mut mac =
        <Hmac<Sha256> as KeyInit>::new_from_slice(key).map_err(|_| CryptoError::EmptyKey)?;
    mac.update(&COUNTER);
    mac.update(label.as_bytes());
    mac.update(&[0]);
    for context in contexts {
        mac.update(context);
    }
    let mut block = Zeroizing::new([0; MAX_OUTPUT]);
    mac.finalize_into((&mut *block).into());
    let wanted = block.get(..out.len()).filter(|bytes| !bytes.is_empty());
    out.copy_from_slice(wanted.ok_or(CryptoError::OutputLength)?);
    Ok(())
}

/// [`derive()`] with the implicit key: the label's first 32 bytes, with each context's first 32 XORed into it.
///
/// Themis has this form; Acra does not use it.
///
/// # Errors
///
/// [`CryptoError::OutputLength`] unless `out` has 1 to 32 bytes.
pub fn derive_without_key(
    label: &str,
    contexts: &[&[u8]],
    out: &mut [u8],
) -> Result<(), CryptoError> {
    let mut key = Zeroizing::new([0; 32]);
    for part in std::iter::once(&label.as_bytes()).chain(contexts) {
        for (to, from) in key.iter_mut().zip(*part) {
            *to ^= from;
        }
    }
    derive(&*key, label, contexts, out)
}
