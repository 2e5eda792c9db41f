//! Making, rotating and destroying keys (keystore.md 7.5, 7.6).

use super::Store;
use crate::KeyStoreError;
use crate::clock::utc_time;
use acra_engine::crypto::{KeyPairType, PrivateKey, Secret};
use acra_engine::keys::KeyKind;
use acra_engine::keys::v1::KEY_LENGTH;
use acra_engine::keys::v2::{NewKey, RingError, RingPath};
use rand::CryptoRng;

impl Store {
    /// Makes a new key, which becomes the current one of its ring; a pair is of type `pair`.
    pub(crate) fn generate(&self, kind: &KeyKind, pair: KeyPairType) -> Result<(), KeyStoreError> {
        let path = RingPath::of(kind);
        let rng = &mut rand::rng();
        let key = new_key(kind, pair, rng).map_err(self.fault(&path))?;
        let writer = self.write()?;
        let mut ring = self.read_ring(&path)?;
        ring.rotate(key, utc_time(), &self.master, rng)
            .map_err(self.fault(&path))?;
        writer.commit(&[ring])
    }

    /// Removes the material of a key: 1 is the current one, from 2 on they are the rotated ones, oldest first.
    pub(crate) fn destroy(&self, kind: &KeyKind, index: u32) -> Result<(), KeyStoreError> {
        let path = RingPath::of(kind);
        let writer = self.write()?;
        let mut ring = self.read_ring(&path)?;
        match ring.destroy(index as usize) {
            Ok(()) => writer.commit(&[ring]),
            Err(RingError::Index) => Err(KeyStoreError::NoSuchIndex(index)),
            Err(error) => Err(self.fault(&path)(error)),
        }
    }
}

fn new_key(
    kind: &KeyKind,
    pair: KeyPairType,
    rng: &mut dyn CryptoRng,
) -> Result<NewKey, RingError> {
    if kind.is_pair() {
        let key = PrivateKey::generate(pair, rng)?;
        return Ok(NewKey::Pair {
            public: key.public()?.to_container().to_vec(),
            private: Some(key.to_container()?),
        });
    }
    let mut key = vec![0; KEY_LENGTH];
    rng.fill_bytes(&mut key);
    Ok(NewKey::Symmetric(Secret::from(key)))
}
