//! Bundles of exported keys (keystore.md 8.1, 8.2): a list of key files with their contents in the clear, in a Secure
//! Cell.

use super::gob;
use crate::crypto::{CryptoError, Secret, secure_cell};
use rand::CryptoRng;
use std::fmt;
use zeroize::Zeroizing;

/// Bytes of the key of a new bundle.
const SECRET_LENGTH: usize = 32;

/// A key file of a bundle.
#[derive(Debug)]
pub struct Record {
    /// Its path within the key directory.
    pub name: String,
    /// The key: the container of a private or public key, or the bytes of a symmetric one.
    pub content: Secret,
}

/// Why a bundle cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BundleError {
    /// It does not open: it is damaged, or the secret is that of another one.
    Unopened,
    /// It holds something else than a list of key files.
    Format,
}

impl fmt::Display for BundleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unopened => {
                "failed to unprotect data: the bundle is damaged, or the secret file is not the one it was exported with"
            }
            Self::Format => "the bundle does not hold a list of keys of a key store v1",
        })
    }
}

impl std::error::Error for BundleError {}

/// Seals key files with a new secret: the bundle and its secret.
///
/// # Errors
///
/// The keys take 4 GiB or more.
pub fn seal(records: &[Record], rng: &mut dyn CryptoRng) -> Result<(Vec<u8>, Secret), CryptoError> {
    let mut secret = vec![0; SECRET_LENGTH];
    rng.fill_bytes(&mut secret);
    let secret = Secret::from(secret);
    let mut bundle = Vec::new();
    secure_cell::seal(
        rng,
        secret.as_bytes(),
        b"",
        &gob::write(records),
        &mut bundle,
    )?;
    Ok((bundle, secret))
}

/// Opens a bundle. All bytes of `secret` are the key, whatever their number.
///
/// # Errors
///
/// It does not open, or does not hold a list of key files.
pub fn open(secret: &[u8], bundle: &[u8]) -> Result<Vec<Record>, BundleError> {
    // Room for all of it, so that no key is left behind in memory that was too small.
    let mut stream = Zeroizing::new(Vec::with_capacity(bundle.len()));
    secure_cell::open(secret, b"", bundle, &mut stream).map_err(|_| BundleError::Unopened)?;
    gob::read(&stream)
}
