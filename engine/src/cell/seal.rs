//! Plain value → sealed value.

use super::Mask;
use crate::crypto::container::{self, Envelope};
use crate::crypto::{CryptoError, acrastruct};
use crate::keys::ClientKeys;
use rand::CryptoRng;
use zeroize::Zeroizing;

/// A value that may be written where a protected value goes. Only [`seal`] makes one.
#[derive(Debug)]
pub struct Sealed {
    bytes: Vec<u8>,
    envelope: Envelope,
}

impl Sealed {
    /// The container's bytes, with what a mask leaves in clear.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
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
    /// Which part of a value stays in clear.
    pub mask: Option<Mask>,
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
    if let Some(mask) = form.mask {
        if mask.fits(value) {
            return Ok(None);
        }
        let (front, value, back) = mask.split(value);
        let mut sealed = new(value, form.envelope, keys, rng)?;
        sealed.bytes.splice(..0, front.iter().copied());
        sealed.bytes.extend_from_slice(back);
        return Ok(Some(sealed));
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
        bytes: container,
        envelope,
    })
}

#[cfg(test)]
mod tests {
    use super::{Envelope, Form, Mask, SealError, seal};
    use crate::columns::Side;
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
            mask: None,
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

    #[test]
    fn masked_values_have_one_end_in_clear_and_are_masked_once() {
        let (keys, mut rng) = (keys(), StdRng::seed_from_u64(4));
        for envelope in [Envelope::AcraBlock, Envelope::AcraStruct] {
            for side in [Side::Left, Side::Right] {
                let mask = |length| Form {
                    mask: Some(Mask {
                        length,
                        side,
                        whole_characters: false,
                    }),
                    ..form(envelope, true)
                };
                for length in [0, 2, 6, 7, 100] {
                    let sealed = seal(b"a value", mask(length), &keys, &mut rng);
                    let sealed = sealed.unwrap().unwrap();
                    let bytes = sealed.as_bytes();
                    let clear = if length >= 7 { 0 } else { length };
                    let (container, shown, plain) = match side {
                        Side::Left => (&bytes[clear..], &bytes[..clear], &b"a value"[..clear]),
                        Side::Right => {
                            let (container, shown) = bytes.split_at(bytes.len() - clear);
                            (container, shown, &b"a value"[7 - clear..])
                        }
                    };
                    assert_eq!(shown, plain);
                    assert_eq!(container::parse(container).unwrap().0, envelope);
                    let again =
                        |length| seal(bytes, mask(length), &keys, &mut StdRng::seed_from_u64(5));
                    assert!(again(length).unwrap().is_none(), "{length} {side:?}");
                    // More in clear than the mask leaves is not taken for a masked value.
                    assert_eq!(again(1).unwrap().is_some(), clear > 1, "{length} {side:?}");
                }
            }
        }
    }
}
