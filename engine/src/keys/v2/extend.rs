//! Adding the keys of a bundle to a ring (keystore.md 8.3, 3).

use super::error::RingError;
use super::ring::{Format, Key, KeyData, KeyRing, Sealed};
use crate::crypto::{PublicKey, Secret};
use crate::keys::MasterKeys;
use rand::CryptoRng;
use std::collections::BTreeMap;
use subtle::ConstantTimeEq as _;

/// What tells a key.
#[derive(Clone, Copy)]
enum Material<'a> {
    Public(&'a [u8]),
    Symmetric(&'a Secret),
}

impl KeyRing<Sealed> {
    /// Adds the keys that the ring does not have, as newer generations, and makes the bundle's current key the current
    /// one. Gives whether anything changed.
    ///
    /// Keys are compared by their material. A pair that lacks the private half gets it. A destroyed key is not brought along,
    /// and does not become the current one. A ring without keys becomes the other one, with its numbers.
    ///
    /// # Errors
    ///
    /// A key of the ring does not open, or a new one is none; the ring is then half changed and of no use.
    pub fn extend(
        &mut self,
        imported: &KeyRing<Secret>,
        master: &MasterKeys,
        rng: &mut dyn CryptoRng,
    ) -> Result<bool, RingError> {
        if self.is_empty() {
            *self = imported.seal(master, rng)?;
            return Ok(!self.is_empty());
        }
        let format = Format::of(&self.path);
        let mut changed = false;
        // Numbers in the bundle and here.
        let mut seqnums = BTreeMap::new();
        for key in imported.keys.iter().filter(|key| !key.is_destroyed()) {
            let same = self.find(key, format, master)?;
            let seqnum = match same {
                Some(seqnum) => seqnum,
                None => self.next_seqnum()?,
            };
            let sealed = key.seal(&self.path, seqnum, master, rng)?;
            changed |= match same {
                Some(_) => self.complete(sealed, format),
                None => {
                    self.keys.push(sealed);
                    true
                }
            };
            seqnums.insert(key.seqnum, seqnum);
        }
        let current = imported.current.and_then(|seqnum| seqnums.get(&seqnum));
        if current.is_some() && self.current.as_ref() != current {
            self.current = current.copied();
            changed = true;
        }
        Ok(changed)
    }

    /// The number of the key that has this material.
    fn find(
        &self,
        wanted: &Key<Secret>,
        format: Format,
        master: &MasterKeys,
    ) -> Result<Option<i64>, RingError> {
        let wanted = wanted.data(format)?;
        let wanted = match &wanted.symmetric {
            _ if format == Format::PAIR => Material::Public(wanted.public()?),
            Some(key) => Material::Symmetric(key),
            None => return Err(RingError::NoKeyData),
        };
        let is_same = |key: &Key<Sealed>| -> Result<bool, RingError> {
            match wanted {
                Material::Symmetric(wanted) => {
                    let own = self.symmetric(key, master)?;
                    Ok(wanted.as_bytes().ct_eq(own.as_bytes()).into())
                }
                Material::Public(wanted) => {
                    let own = key.data(format)?.public()?;
                    Ok(is_same_public(wanted, own))
                }
            }
        };
        for key in &self.keys {
            match is_same(key) {
                Ok(true) => return Ok(Some(key.seqnum)),
                Ok(false) => {}
                // Odd keys that nobody can use are no reason to do without the new ones (keystore.md 7.5).
                Err(
                    RingError::Destroyed
                    | RingError::FormatNotAvailable
                    | RingError::KeyFormat
                    | RingError::NoKeyData,
                ) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Gives a pair its private half, if it has none.
    fn complete(&mut self, mut from: Key<Sealed>, format: Format) -> bool {
        let is_pair = |data: &&mut KeyData<Sealed>| data.format == format;
        let own = self.keys.iter_mut().find(|key| key.seqnum == from.seqnum);
        let own = own.and_then(|key| key.data.iter_mut().find(is_pair));
        let from = from.data.iter_mut().find(is_pair);
        match (own, from.and_then(|data| data.private.take())) {
            (Some(own), Some(private)) if own.private.is_none() => {
                own.private = Some(private);
                true
            }
            _ => false,
        }
    }
}

/// Whether two containers hold the same point, in whatever form.
fn is_same_public(first: &[u8], second: &[u8]) -> bool {
    let point = PublicKey::from_container;
    first == second || point(first).is_ok_and(|first| Ok(first) == point(second))
}
