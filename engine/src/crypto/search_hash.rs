//! The hash by which equal values of a searchable column are found (containers.md 9).
//!
//! ```text
//! 0   1   hash function: 7F, HMAC-SHA256
//! 1   32  HMAC-SHA256 of the value with the client's key for searchable encryption
//! 33  ..  the container of the value
//! ```

use super::detect::{self, Opener, Scan, scan};
use super::secret::Secret;
use hmac::digest::InvalidLength;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

/// HMAC-SHA256.
const FUNCTION: u8 = 0x7f;

/// Bytes of a hash.
pub const LENGTH: usize = 33;

/// A client's key for searchable encryption.
pub struct SearchKey(Secret);

impl SearchKey {
    /// Takes a key of any length; that of Acra has 32 bytes.
    pub fn new(key: Secret) -> Self {
        Self(key)
    }

    /// The hash of a value. The same value always has the same one.
    pub fn hash(&self, value: &[u8]) -> Option<[u8; LENGTH]> {
        let mac = self.mac(value).ok()?.finalize().into_bytes();
        let mut hash = [FUNCTION; LENGTH];
        let [_, place @ ..] = &mut hash;
        place.iter_mut().zip(mac).for_each(|(to, from)| *to = from);
        Some(hash)
    }

    /// Whether this is the hash of a value, in constant time.
    pub fn verify(&self, hash: &[u8; LENGTH], value: &[u8]) -> bool {
        let [function, sum @ ..] = hash;
        let mac = self.mac(value);
        *function == FUNCTION && mac.is_ok_and(|mac| mac.verify_slice(sum).is_ok())
    }

    // An HMAC takes keys of any length; the type only cannot say so.
    fn mac(&self, value: &[u8]) -> Result<Hmac<Sha256>, InvalidLength> {
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(self.0.as_bytes())?;
        Ok(mac.chain_update(value))
    }
}

impl fmt::Debug for SearchKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SearchKey(..)")
    }
}

/// A hash and what follows it, if that has something like a container in it. `None`: a cell without hash.
pub fn split(cell: &[u8]) -> Option<(&[u8; LENGTH], &[u8])> {
    let (hash, rest) = cell.split_first_chunk()?;
    (hash.first() == Some(&FUNCTION) && detect::recognises(rest)).then_some((hash, rest))
}

/// [`scan`] for a cell that may begin with a hash: what was opened counts only if it is what the hash is of.
///
/// `key` is the client's current one; older hashes no longer verify. Without key no cell with a hash opens.
pub fn read(
    cell: &[u8],
    key: Option<&SearchKey>,
    opener: &mut dyn Opener,
    out: &mut Vec<u8>,
) -> Scan {
    let Some((hash, rest)) = split(cell) else {
        return scan(cell, opener, out);
    };
    let start = out.len();
    let state = scan(rest, opener, out);
    let value = out.get(start..).unwrap_or_default();
    if state == Scan::Opened && key.is_some_and(|key| key.verify(hash, value)) {
        return Scan::Opened;
    }
    out.truncate(start);
    Scan::Untouched
}
