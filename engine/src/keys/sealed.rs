//! A client's keys at rest in the memory of a process: sealed, until a session needs them.
//!
//! Nothing is exchanged in this form: it lives as long as the key that it is sealed with. A Secure Cell with the client id as
//! context holds, one after another:
//!
//! ```text
//! 0  1  what it is: 1 storage key, 2 rotated storage key, 3 private key (container), 4 public key (container), 5 key for searchable encryption
//! 1  4  length, LE32
//! 5  .. the key
//! ```

use super::{ClientId, ClientKeys};
use crate::crypto::search_hash::SearchKey;
use crate::crypto::{BlockKey, CryptoError, PrivateKey, PublicKey, Secret, secure_cell};
use rand::CryptoRng;
use zeroize::Zeroizing;

const CURRENT: u8 = 1;
const ROTATED: u8 = 2;
const PRIVATE: u8 = 3;
const PUBLIC: u8 = 4;
const SEARCH: u8 = 5;

/// The keys of one client, sealed.
#[derive(Debug)]
pub struct SealedKeys(Vec<u8>);

impl SealedKeys {
    /// Seals keys under `key`, for this client.
    ///
    /// # Errors
    ///
    /// `key` is empty, or there are no keys.
    pub fn seal(
        keys: &ClientKeys,
        id: &ClientId,
        key: &Secret,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, CryptoError> {
        let mut parts: Vec<(u8, Secret)> = Vec::new();
        for key in &keys.symmetric {
            let kind = if key.is_rotated() { ROTATED } else { CURRENT };
            parts.push((kind, Secret::from(key.as_bytes().to_vec())));
        }
        for key in &keys.private {
            parts.push((PRIVATE, key.to_container()?));
        }
        if let Some(key) = &keys.public {
            parts.push((PUBLIC, Secret::from(key.to_container().to_vec())));
        }
        if let Some(key) = &keys.search {
            parts.push((SEARCH, Secret::from(key.as_bytes().to_vec())));
        }
        // Room for all of it, so that no key is left behind in memory that was too small.
        let length = parts.iter().map(|(_, key)| 5 + key.as_bytes().len()).sum();
        let mut plain = Zeroizing::new(Vec::with_capacity(length));
        for (kind, key) in &parts {
            let key = key.as_bytes();
            plain.push(*kind);
            plain.extend_from_slice(&(key.len() as u32).to_le_bytes());
            plain.extend_from_slice(key);
        }
        let mut cell = Vec::new();
        secure_cell::seal(
            rng,
            key.as_bytes(),
            id.as_str().as_bytes(),
            &plain,
            &mut cell,
        )?;
        Ok(Self(cell))
    }

    /// Opens them.
    ///
    /// # Errors
    ///
    /// They were sealed with another key or for another client.
    pub fn open(&self, id: &ClientId, key: &Secret) -> Result<ClientKeys, CryptoError> {
        let mut plain = Zeroizing::new(Vec::with_capacity(self.0.len()));
        let context = id.as_str().as_bytes();
        secure_cell::open(key.as_bytes(), context, &self.0, &mut plain)?;
        let mut keys = ClientKeys::default();
        let mut rest = &plain[..];
        while let Some((&kind, after)) = rest.split_first() {
            let (length, after) = after.split_first_chunk().ok_or(CryptoError::Cell)?;
            let length = u32::from_le_bytes(*length) as usize;
            let (key, after) = after.split_at_checked(length).ok_or(CryptoError::Cell)?;
            let block = || BlockKey::new(Secret::from(key.to_vec()));
            match kind {
                CURRENT => keys.symmetric.push(block()?),
                ROTATED => keys.symmetric.push(block()?.into_rotated()),
                PRIVATE => keys.private.push(PrivateKey::from_container(key)?),
                SEARCH => keys.search = Some(SearchKey::new(Secret::from(key.to_vec()))),
                PUBLIC => keys.public = Some(PublicKey::from_container(key)?),
                _ => return Err(CryptoError::Cell),
            }
            rest = after;
        }
        Ok(keys)
    }
}

#[cfg(test)]
mod tests {
    use super::{ClientId, ClientKeys, SealedKeys};
    use crate::crypto::search_hash::SearchKey;
    use crate::crypto::{BlockKey, KeyPairType, PrivateKey, Secret};
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    #[test]
    fn all_keys_come_back_for_the_same_client_and_key_alone() {
        let mut rng = StdRng::seed_from_u64(1);
        let block = |byte| BlockKey::new(Secret::from(vec![byte; 32])).unwrap();
        let private = [KeyPairType::X25519, KeyPairType::P256]
            .map(|kind| PrivateKey::generate(kind, &mut rng).unwrap());
        let keys = ClientKeys {
            symmetric: vec![block(1), block(2).into_rotated()],
            public: Some(private[0].public().unwrap()),
            private: private.into(),
            search: Some(SearchKey::new(Secret::from(vec![3; 32]))),
        };
        let (id, key) = (ClientId::new("client").unwrap(), Secret::from(vec![7; 32]));
        let sealed = SealedKeys::seal(&keys, &id, &key, &mut rng).unwrap();
        let hold = |needle: &[u8]| sealed.0.windows(needle.len()).any(|part| part == needle);
        assert!(!hold(&[1; 8]) && !hold(b"X25"));

        let opened = sealed.open(&id, &key).unwrap();
        let containers = |keys: &ClientKeys| -> Vec<Vec<u8>> {
            let private = keys.private.iter();
            let containers = private.map(|key| key.to_container().unwrap().as_bytes().to_vec());
            containers.collect()
        };
        assert_eq!(containers(&opened), containers(&keys));
        assert_eq!(opened.public, keys.public);
        assert_eq!(opened.search.unwrap().as_bytes(), [3; 32]);
        let [first, second] = &opened.symmetric[..] else {
            panic!("two keys")
        };
        assert_eq!(
            (first.as_bytes(), first.is_rotated()),
            (&[1; 32][..], false)
        );
        assert_eq!(
            (second.as_bytes(), second.is_rotated()),
            (&[2; 32][..], true)
        );

        let other = ClientId::new("another").unwrap();
        assert!(sealed.open(&other, &key).is_err());
        assert!(sealed.open(&id, &Secret::from(vec![8; 32])).is_err());
    }
}
