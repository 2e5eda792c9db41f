//! Plain value → sealed value.

use crate::crypto::container::{self, Envelope};
use crate::crypto::{CryptoError, acrastruct};
use crate::keys::ClientKeys;
use rand::CryptoRng;
use zeroize::Zeroizing;

/// A value that may be written where a protected value goes. Only [`seal`] makes one.
#[derive(Debug)]
pub struct Sealed {
    container: Vec<u8>,
    envelope: Envelope,
}

impl Sealed {
    /// The container's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.container
    }

    /// Which kind of container it is.
    pub fn envelope(&self) -> Envelope {
        self.envelope
    }
}

/// What a column's values become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// The kind of container.
    pub envelope: Envelope,
    /// Whether AcraStructs that are written become AcraBlocks, if that is the kind (containers.md 13).
    pub reencrypt: bool,
}

/// Why a value could not be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealError {
    /// The client has no current storage key of the kind that is needed.
    NoKey,
    /// The value is an AcraStruct that should become an AcraBlock, and the client's keys do not open it.
    Closed,
    /// The cipher refused, for instance a value of 4 GiB or more.
    Failed,
}

/// Seals a value into a serialized container under the client's current key.
///
/// `None`: the value stays as it is, because it is empty or already is a container (containers.md 12).
pub fn seal(
    value: &[u8],
    form: Form,
    keys: &ClientKeys,
    rng: &mut dyn CryptoRng,
) -> Result<Option<Sealed>, SealError> {
    if value.is_empty() {
        return Ok(None);
    }
    match (container::parse(value), form.envelope) {
        (Ok((Envelope::AcraStruct, inner)), Envelope::AcraBlock) if form.reencrypt => {
            // Room for all of it, so that it is not left behind in memory that was too small.
            let mut plain = Zeroizing::new(Vec::with_capacity(inner.len()));
            acrastruct::open(&keys.private, inner, &mut plain).map_err(|_| SealError::Closed)?;
            new(&plain, form.envelope, keys, rng).map(Some)
        }
        (Ok(_), _) => Ok(None),
        (Err(_), envelope) => new(value, envelope, keys, rng).map(Some),
    }
}

fn new(
    value: &[u8],
    envelope: Envelope,
    keys: &ClientKeys,
    rng: &mut dyn CryptoRng,
) -> Result<Sealed, SealError> {
    let mut container = Vec::new();
    let sealed: Result<(), CryptoError> = match envelope {
        Envelope::AcraBlock => {
            let key = keys.current().ok_or(SealError::NoKey)?;
            container::seal_block(key, rng, value, &mut container)
        }
        Envelope::AcraStruct => {
            let key = keys.public.as_ref().ok_or(SealError::NoKey)?;
            container::seal_struct(key, rng, value, &mut container)
        }
    };
    sealed.map_err(|_| SealError::Failed)?;
    Ok(Sealed {
        container,
        envelope,
    })
}

#[cfg(test)]
mod tests {
    use super::{Envelope, Form, SealError, seal};
    use crate::crypto::{
        BlockKey, KeyPairType, PrivateKey, Secret, acrablock, acrastruct, container,
    };
    use crate::keys::ClientKeys;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    fn keys() -> ClientKeys {
        let private =
            PrivateKey::generate(KeyPairType::P256, &mut StdRng::seed_from_u64(1)).unwrap();
        ClientKeys {
            symmetric: vec![BlockKey::new(Secret::from(vec![9; 32])).unwrap()],
            public: Some(private.public().unwrap()),
            private: vec![private],
        }
    }

    fn form(envelope: Envelope, reencrypt: bool) -> Form {
        Form {
            envelope,
            reencrypt,
        }
    }

    #[test]
    fn each_kind_of_container() {
        let (keys, mut rng) = (keys(), StdRng::seed_from_u64(2));
        let mut plain = Vec::new();
        let block = form(Envelope::AcraBlock, true);
        let sealed = seal(b"a value", block, &keys, &mut rng).unwrap().unwrap();
        let (envelope, inner) = container::parse(sealed.as_bytes()).unwrap();
        assert_eq!(
            (envelope, envelope),
            (Envelope::AcraBlock, sealed.envelope())
        );
        acrablock::open(&keys.symmetric, inner, &mut plain).unwrap();
        let structs = form(Envelope::AcraStruct, true);
        let sealed = seal(b" and more", structs, &keys, &mut rng)
            .unwrap()
            .unwrap();
        let (envelope, inner) = container::parse(sealed.as_bytes()).unwrap();
        assert_eq!(
            (envelope, envelope),
            (Envelope::AcraStruct, sealed.envelope())
        );
        acrastruct::open(&keys.private, inner, &mut plain).unwrap();
        assert_eq!(plain, b"a value and more");
        let none = ClientKeys::default();
        for form in [block, structs] {
            let refused = seal(b"a value", form, &none, &mut rng).unwrap_err();
            assert_eq!(refused, SealError::NoKey);
            assert!(seal(b"", form, &none, &mut rng).unwrap().is_none());
        }
    }

    #[test]
    fn containers_stay_but_for_acrastructs_that_become_acrablocks() {
        let (keys, mut rng) = (keys(), StdRng::seed_from_u64(3));
        let structs = form(Envelope::AcraStruct, true);
        let written = seal(b"a value", structs, &keys, &mut rng).unwrap().unwrap();
        let raw = &written.as_bytes()[container::HEADER..];
        for value in [raw, written.as_bytes()] {
            for stays in [structs, form(Envelope::AcraBlock, false)] {
                assert!(seal(value, stays, &keys, &mut rng).unwrap().is_none());
            }
            let block = form(Envelope::AcraBlock, true);
            let sealed = seal(value, block, &keys, &mut rng).unwrap().unwrap();
            let mut plain = Vec::new();
            let inner = &sealed.as_bytes()[container::HEADER..];
            acrablock::open(&keys.symmetric, inner, &mut plain).unwrap();
            assert_eq!(plain, b"a value");
            assert!(
                seal(sealed.as_bytes(), structs, &keys, &mut rng)
                    .unwrap()
                    .is_none()
            );
            let refused = seal(value, block, &ClientKeys::default(), &mut rng).unwrap_err();
            assert_eq!(refused, SealError::Closed);
        }
    }
}
