//! Reading keys: the current one and its older generations (keystore.md 7.5, 7.9).

use super::Store;
use crate::KeyStoreError;
use acra_engine::crypto::{BlockKey, PrivateKey, PublicKey, Secret};
use acra_engine::keys::v2::{Format, Key, KeyRing, RingError, RingPath, Sealed};
use acra_engine::keys::{ClientKeys, KeyKind};

impl Store {
    /// Reads a current symmetric key, or the private part of a current pair.
    pub(crate) fn read_secret(&self, kind: &KeyKind) -> Result<Secret, KeyStoreError> {
        let path = RingPath::of(kind);
        let ring = self.ring(&path)?;
        let secret = ring.current().and_then(|key| self.secret(&ring, key));
        secret.map_err(self.fault(&path))
    }

    /// Reads the public part of a current pair.
    pub(crate) fn read_public(&self, kind: &KeyKind) -> Result<Vec<u8>, KeyStoreError> {
        let path = RingPath::of(kind);
        if !path.is_pair() {
            return Err(KeyStoreError::Missing(self.file(&path)));
        }
        let ring = self.ring(&path)?;
        public(&ring)
            .map(|key| key.to_container().to_vec())
            .map_err(self.fault(&path))
    }

    /// Reads all generations of a symmetric key and of a pair.
    pub(crate) fn load(
        &self,
        symmetric: &KeyKind,
        pair: &KeyKind,
    ) -> Result<ClientKeys, KeyStoreError> {
        let (symmetric, pair) = (RingPath::of(symmetric), RingPath::of(pair));
        let (current, rotated) = self.generations(&self.ring(&symmetric)?, |key| {
            BlockKey::new(key).map_err(RingError::from)
        })?;
        let rotated = rotated.into_iter().map(BlockKey::into_rotated);
        let mut keys = ClientKeys {
            symmetric: current.into_iter().chain(rotated).collect(),
            ..ClientKeys::default()
        };
        match self.load_pairs(&pair, &mut keys) {
            Ok(()) => {}
            Err(error) if keys.symmetric.is_empty() => return Err(error),
            // AcraBlocks do not suffer from it.
            Err(error) => {
                let file = self.file(&pair);
                self.notices.add(&error.to_string(), &file, true);
            }
        }
        match keys.is_empty() {
            true => Err(KeyStoreError::Missing(self.file(&symmetric))),
            false => Ok(keys),
        }
    }

    fn load_pairs(&self, path: &RingPath, keys: &mut ClientKeys) -> Result<(), KeyStoreError> {
        let ring = self.ring(path)?;
        let open = |key: Secret| Ok(PrivateKey::from_container(key.as_bytes())?);
        let (current, rotated) = self.generations(&ring, open)?;
        keys.private = current.into_iter().chain(rotated).collect();
        keys.public = match public(&ring) {
            Ok(key) => Some(key),
            Err(RingError::NoCurrent | RingError::NoSuchSeqnum | RingError::Destroyed) => None,
            Err(error) => return Err(self.fault(path)(error)),
        };
        Ok(())
    }

    /// The current key, and the others from the newest to the oldest. Those that were destroyed are left out, and pairs
    /// without private part; a rotated key that does not open is, with a notice.
    fn generations<K>(
        &self,
        ring: &KeyRing<Sealed>,
        open: impl Fn(Secret) -> Result<K, RingError>,
    ) -> Result<(Option<K>, Vec<K>), KeyStoreError> {
        let (mut current, mut rotated) = (None, Vec::new());
        for key in ring.keys().iter().rev() {
            match self.secret(ring, key).and_then(&open) {
                Ok(opened) if ring.is_current(key) => current = Some(opened),
                Ok(opened) => rotated.push(opened),
                Err(RingError::Destroyed) => {}
                Err(RingError::NoKeyData) if ring.path().is_pair() => {}
                Err(error) if ring.is_current(key) => return Err(self.fault(ring.path())(error)),
                Err(_) => {
                    let file = self.file(ring.path());
                    self.notices.add("Cannot open rotated key", &file, true);
                }
            }
        }
        Ok((current, rotated))
    }

    fn secret(&self, ring: &KeyRing<Sealed>, key: &Key<Sealed>) -> Result<Secret, RingError> {
        match ring.path().is_pair() {
            true => ring.private(key, &self.master),
            false => ring.symmetric(key, &self.master),
        }
    }
}

/// The public part of a ring's current pair.
fn public(ring: &KeyRing<Sealed>) -> Result<PublicKey, RingError> {
    let container = ring.current()?.data(Format::PAIR)?.public()?;
    Ok(PublicKey::from_container(container)?)
}
