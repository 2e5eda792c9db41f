//! Plain value → sealed value.

use super::{Mask, search};
use crate::crypto::container::{self, Envelope};
use crate::crypto::search_hash;
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
    /// Whether AcraStructs that are written become AcraBlocks, if that is the kind (containers.md 13). Those of searchable
    /// columns stay what they are.
    pub reencrypt: bool,
    /// Which part of a value stays in clear.
    pub mask: Option<Mask>,
    /// The number of characters that prefixes can be searched by, if values get hashes to be searched by.
    pub search: Option<u32>,
}

/// Why a value could not be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealError {
    /// The client has no current storage key of the kind that is needed.
    NoKey,
    /// The client has no current key for searchable encryption.
    NoSearchKey,
    /// The value is a container whose value is needed, and the client's keys do not open it.
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
        let mut sealed = new(value, form.envelope, front.to_vec(), keys, rng)?;
        sealed.bytes.extend_from_slice(back);
        return Ok(Some(sealed));
    }
    if let Some(prefixes) = form.search {
        return searchable(value, form.envelope, prefixes, keys, rng);
    }
    match (container::parse(value), form.envelope) {
        (Ok((Envelope::AcraStruct, inner)), Envelope::AcraBlock) if form.reencrypt => {
            // Room for all of it, so that it is not left behind in memory that was too small.
            let mut plain = Zeroizing::new(Vec::with_capacity(inner.len()));
            acrastruct::open(&keys.private, inner, &mut plain).map_err(|_| SealError::Closed)?;
            new(&plain, form.envelope, Vec::new(), keys, rng).map(Some)
        }
        (Ok(_), _) => Ok(None),
        (Err(_), envelope) => new(value, envelope, Vec::new(), keys, rng).map(Some),
    }
}

/// With hashes in front. A container stays what it is, and so does one that has its hashes already.
fn searchable(
    value: &[u8],
    envelope: Envelope,
    prefixes: u32,
    keys: &ClientKeys,
    rng: &mut dyn CryptoRng,
) -> Result<Option<Sealed>, SealError> {
    let key = keys.search.as_ref().ok_or(SealError::NoSearchKey)?;
    let mut fill = |bytes: &mut [u8]| rng.fill_bytes(bytes);
    let mut hashes = |plain: &[u8]| {
        let mut hashes = key.hash(plain)?.to_vec();
        search_hash::prefixes(plain, prefixes, key, &mut fill, &mut hashes)?;
        Some(hashes)
    };
    if let Some((hash, inner)) = search_hash::split(value)
        && container::is_container(inner)
    {
        let plain = search::content(inner, keys)?.ok_or(SealError::Closed)?;
        return match key.verify(hash, &plain) {
            true => Ok(None),
            false => Err(SealError::Closed),
        };
    }
    if let Some(plain) = search::content(value, keys)? {
        let mut container = hashes(&plain).ok_or(SealError::Failed)?;
        container.extend_from_slice(value);
        return Ok(Some(Sealed {
            bytes: container,
            envelope,
        }));
    }
    let hashes = hashes(value).ok_or(SealError::Failed)?;
    new(value, envelope, hashes, keys, rng).map(Some)
}

/// A new container behind what is there.
fn new(
    value: &[u8],
    envelope: Envelope,
    mut container: Vec<u8>,
    keys: &ClientKeys,
    rng: &mut dyn CryptoRng,
) -> Result<Sealed, SealError> {
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
    use super::{Envelope, Form, Mask, SealError, seal, search, search_hash};
    use crate::columns::Side;
    use crate::crypto::search_hash::{LENGTH, SearchKey};
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
            search: Some(SearchKey::new(Secret::from(vec![8; 32]))),
        }
    }

    fn form(envelope: Envelope, reencrypt: bool) -> Form {
        Form {
            envelope,
            reencrypt,
            mask: None,
            search: None,
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

    #[test]
    fn searchable_values_have_hashes_in_front_of_what_they_are() {
        let (keys, mut rng) = (keys(), StdRng::seed_from_u64(4));
        let key = keys.search.as_ref().unwrap();
        let hash = key.hash(b"value").unwrap();
        for envelope in [Envelope::AcraBlock, Envelope::AcraStruct] {
            let plain = form(envelope, true);
            for prefixes in [0, 3] {
                let searchable = Form {
                    search: Some(prefixes),
                    ..plain
                };
                let sealed = seal(b"value", searchable, &keys, &mut rng)
                    .unwrap()
                    .unwrap();
                let (found, inner) = search_hash::split(sealed.as_bytes()).unwrap();
                assert_eq!(
                    (found, container::parse(inner).unwrap().0),
                    (&hash, envelope)
                );
                let hashes = sealed.as_bytes().len() - inner.len();
                assert_eq!(hashes, LENGTH * (prefixes as usize + 1));
                let again = seal(sealed.as_bytes(), searchable, &keys, &mut rng).unwrap();
                assert!(again.is_none());
                // A container of any form stays, and is opened for its hash.
                let container = seal(b"value", plain, &keys, &mut rng).unwrap().unwrap();
                for stays in [
                    container.as_bytes(),
                    &container.as_bytes()[container::HEADER..],
                ] {
                    let kept = seal(stays, searchable, &keys, &mut rng).unwrap().unwrap();
                    assert_eq!(kept.as_bytes()[..LENGTH], hash);
                    assert_eq!(&kept.as_bytes()[hashes..], stays);
                    assert_eq!(search::hash(stays, &keys), Ok(hash));
                }
                assert!(seal(b"", searchable, &keys, &mut rng).unwrap().is_none());

                let others = ClientKeys {
                    search: Some(SearchKey::new(Secret::from(vec![8; 32]))),
                    ..Default::default()
                };
                for closed in [container.as_bytes(), sealed.as_bytes()] {
                    let refused = seal(closed, searchable, &others, &mut rng).unwrap_err();
                    assert_eq!(refused, SealError::Closed);
                }
                let none = seal(b"value", searchable, ClientKeys::none(), &mut rng);
                assert_eq!(none.unwrap_err(), SealError::NoSearchKey);
            }
        }
    }
}
