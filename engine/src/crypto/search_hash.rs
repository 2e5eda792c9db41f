//! The hash by which equal values of a searchable column are found (containers.md 9).
//!
//! ```text
//! 0   1   hash function: 7F, HMAC-SHA256
//! 1   32  HMAC-SHA256 of the value with the client's key for searchable encryption
//! 33  ..  the container of the value
//! ```
//!
//! Where prefixes can be searched by too, hashes of prefixes of 1, 2, … characters come between (policy.md 4.1):
//!
//! ```text
//! 0   33  hash of the value
//! 33  33  hash of its first character; random after the function number if it is empty
//! ..
//! ```

use super::container;
use super::detect::{self, Opener, Scan, scan};
use super::secret::Secret;
use hmac::digest::InvalidLength;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

/// HMAC-SHA256.
pub(super) const FUNCTION: u8 = 0x7f;

/// Bytes of a hash.
pub const LENGTH: usize = 33;

/// A client's key for searchable encryption.
pub struct SearchKey(Secret);

impl SearchKey {
    /// Takes a key of any length; that of Acra has 32 bytes.
    pub fn new(key: Secret) -> Self {
        Self(key)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
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

/// Hashes of the prefixes of 1, 2, … up to `count` characters of a value, one after another. What is no UTF-8 has a character
/// per byte. `fill` makes the bytes of those that the value is too short for, which match nothing.
pub fn prefixes(
    value: &[u8],
    count: u32,
    key: &SearchKey,
    mut fill: impl FnMut(&mut [u8]),
    out: &mut Vec<u8>,
) -> Option<()> {
    let mut ends = character_ends(value);
    for _ in 0..count {
        match ends.next().and_then(|end| value.get(..end)) {
            Some(prefix) => out.extend_from_slice(&key.hash(prefix)?),
            None => {
                let mut none = [FUNCTION; LENGTH];
                let [_, rest @ ..] = &mut none;
                fill(rest);
                out.extend_from_slice(&none);
            }
        }
    }
    Some(())
}

/// Where the characters of a value end.
pub fn character_ends(value: &[u8]) -> impl Iterator<Item = usize> + '_ {
    let text = std::str::from_utf8(value).ok();
    (1..=value.len()).filter(move |at| text.is_none_or(|text| text.is_char_boundary(*at)))
}

/// A hash and what follows it, if that has something like a container in it. `None`: a cell without hash.
///
/// Hashes of prefixes are passed over where nothing but one container is behind them.
pub fn split(cell: &[u8]) -> Option<(&[u8; LENGTH], &[u8])> {
    let (hash, first) = cell.split_first_chunk()?;
    if hash.first() != Some(&FUNCTION) {
        return None;
    }
    let mut rest = first;
    while rest.first() == Some(&FUNCTION) {
        rest = rest.get(LENGTH..)?;
        if container::is_container(rest) {
            return Some((hash, rest));
        }
    }
    detect::recognises(first).then_some((hash, first))
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

#[cfg(test)]
mod tests {
    use super::super::container::{self, Envelope};
    use super::super::{BlockKey, acrablock};
    use super::{LENGTH, Opener, Scan, SearchKey, Secret, prefixes, read};
    use proptest::prelude::*;
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    struct Keys([BlockKey; 1]);

    impl Opener for Keys {
        fn open(&mut self, _: Envelope, inner: &[u8], out: &mut Vec<u8>) -> bool {
            acrablock::open(&self.0, inner, out).is_ok()
        }
    }

    fn keys() -> (SearchKey, Keys) {
        let secret = |byte| Secret::from(vec![byte; 32]);
        let block = BlockKey::new(secret(2)).unwrap();
        (SearchKey::new(secret(1)), Keys([block]))
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_and_what_was_changed_is_not(
            seed: u64,
            plain in prop::collection::vec(any::<u8>(), 1..60),
            place: prop::sample::Index,
            bit in 0..8_u8,
        ) {
            let (key, mut opener) = keys();
            let mut cell = key.hash(&plain).unwrap().to_vec();
            let mut rng = StdRng::seed_from_u64(seed);
            container::seal_block(&opener.0[0], &mut rng, &plain, &mut cell).unwrap();
            let mut out = b"kept".to_vec();
            prop_assert_eq!(read(&cell, Some(&key), &mut opener, &mut out), Scan::Opened);
            prop_assert_eq!(&out[4..], &plain);
            out.truncate(4);
            let place = 1 + place.index(LENGTH - 1);
            cell[place] ^= 1_u8 << bit;
            prop_assert_eq!(read(&cell, Some(&key), &mut opener, &mut out), Scan::Untouched);
            prop_assert_eq!(out, b"kept");
        }

        #[test]
        fn prefixes_are_passed_over_and_match_values_that_begin_so(
            seed: u64,
            plain in "[a-zä€]{1,8}",
            count in 1..6_u32,
        ) {
            let (key, mut opener) = keys();
            let mut rng = StdRng::seed_from_u64(seed);
            let mut cell = key.hash(plain.as_bytes()).unwrap().to_vec();
            prefixes(plain.as_bytes(), count, &key, |rest| rng.fill_bytes(rest), &mut cell).unwrap();
            prop_assert_eq!(cell.len(), LENGTH * (count as usize + 1));
            for at in 1..=count as usize {
                let slot = cell[at * LENGTH..][..LENGTH].try_into().unwrap();
                let prefix: String = plain.chars().take(at).collect();
                prop_assert_eq!(key.verify(slot, prefix.as_bytes()), prefix.chars().count() == at);
            }
            container::seal_block(&opener.0[0], &mut rng, plain.as_bytes(), &mut cell).unwrap();
            let mut out = Vec::new();
            prop_assert_eq!(read(&cell, Some(&key), &mut opener, &mut out), Scan::Opened);
            prop_assert_eq!(out, plain.as_bytes());
        }

        #[test]
        fn any_bytes_stay_as_they_are(mut cell in prop::collection::vec(any::<u8>(), 0..200)) {
            let (key, mut opener) = keys();
            if let Some(function) = cell.first_mut() {
                *function = 0x7f;
            }
            if let Some(tag) = cell.get_mut(40..43) {
                tag.fill(b'%');
            }
            let mut out = Vec::new();
            prop_assert_eq!(read(&cell, Some(&key), &mut opener, &mut out), Scan::Untouched);
            prop_assert!(out.is_empty());
        }
    }
}
