//! AcraStruct: a data key under an agreement with the client's key pair, and the value under the data key
//! (containers.md 5). Whoever has the public key can make one.
//!
//! ```text
//! 0    8   tag, eight 22
//! 8    45  throwaway public key
//! 53   84  data key, as Secure Message from the throwaway key to the client's
//! 137  8   data length D, LE64
//! 145  D   value, sealed with the data key
//! ```
//!
//! For an X25519 key pair, which Acra does not have, the throwaway key is one too ([`x25519`](super::x25519)) and the
//! data key is sealed in a message of our own of the same length: whoever does not know it finds an AcraStruct that none
//! of the keys opens.

use super::error::CryptoError;
use super::key_container::CONTAINER;
use super::key_pair::{DATA_KEY_LENGTH, PrivateKey, PublicKey, WRAPPED_KEY};
use super::secure_cell;
use rand::CryptoRng;
use zeroize::Zeroizing;

/// What every AcraStruct begins with.
pub(super) const TAG: [u8; 8] = *b"\"\"\"\"\"\"\"\"";

/// Offset of the data length.
const LENGTH_AT: usize = TAG.len() + CONTAINER + WRAPPED_KEY;

/// Bytes before the sealed value.
pub(super) const HEADER: usize = LENGTH_AT + 8;

/// Bytes that sealing adds.
pub const OVERHEAD: usize = HEADER + secure_cell::OVERHEAD;

/// An AcraStruct, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Struct<'a> {
    /// The container of the throwaway public key.
    pub public: &'a [u8],
    /// The message with the data key.
    pub wrapped_key: &'a [u8],
    /// The sealed value.
    pub data: &'a [u8],
}

/// Length of the AcraStruct that starts at the first byte of `bytes`. `None`: there is none, or not the whole of it.
pub(super) fn length(bytes: &[u8]) -> Option<usize> {
    if bytes.len() < HEADER || !bytes.starts_with(&TAG) {
        return None;
    }
    let data: &[u8; 8] = bytes.get(LENGTH_AT..)?.first_chunk()?;
    let data = usize::try_from(u64::from_le_bytes(*data)).ok()?;
    HEADER
        .checked_add(data)
        .filter(|length| *length <= bytes.len())
}

/// Whether `bytes` as a whole have the structure of an AcraStruct (5.1).
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    length(bytes) == Some(bytes.len())
}

/// Takes apart what as a whole is an AcraStruct. Neither key nor message are looked at.
///
/// # Errors
///
/// [`CryptoError::StructLength`], [`CryptoError::StructTag`], [`CryptoError::StructData`], in this order of checking.
pub fn parse(bytes: &[u8]) -> Result<Struct<'_>, CryptoError> {
    let header = bytes.split_at_checked(HEADER);
    let (header, data) = header.ok_or(CryptoError::StructLength)?;
    let keys = header.strip_prefix(&TAG).ok_or(CryptoError::StructTag)?;
    if !is_whole(bytes) {
        return Err(CryptoError::StructData);
    }
    let (public, rest) = keys
        .split_at_checked(CONTAINER)
        .ok_or(CryptoError::StructLength)?;
    let wrapped_key = rest.get(..WRAPPED_KEY).ok_or(CryptoError::StructLength)?;
    Ok(Struct {
        public,
        wrapped_key,
        data,
    })
}

/// Opens an AcraStruct with the first key that fits, newest first, and appends the value to `out`.
///
/// # Errors
///
/// Those of [`parse`]; [`CryptoError::NoStructKeys`] without keys; else why the last key did not open it. `out` is then
/// as before.
pub fn open(keys: &[PrivateKey], bytes: &[u8], out: &mut Vec<u8>) -> Result<(), CryptoError> {
    open_with_context(keys, b"", bytes, out)
}

/// [`open`] for one that was made with a context: the zone id in old data.
///
/// # Errors
///
/// Those of [`open`].
pub fn open_with_context(
    keys: &[PrivateKey],
    context: &[u8],
    bytes: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CryptoError> {
    let parts = parse(bytes)?;
    // Too short for a Secure Cell: no key needs to be tried.
    if parts.data.len() <= secure_cell::OVERHEAD {
        return Err(CryptoError::Cell);
    }
    // Every attempt notices if it is no point of the curve.
    let throwaway = PublicKey::unchecked(parts.public)?;
    let mut outcome = Err(CryptoError::NoStructKeys);
    let mut data_key = Zeroizing::new(Vec::with_capacity(WRAPPED_KEY));
    for key in keys {
        data_key.clear();
        outcome = key
            .open_key(&throwaway, parts.wrapped_key, &mut data_key)
            .and_then(|()| secure_cell::open(&data_key, context, parts.data, out));
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

/// Seals `plain` for the owner of a key pair and appends the AcraStruct to `out`.
///
/// # Errors
///
/// [`CryptoError::EmptyMessage`], [`CryptoError::TooLong`] for 4 GiB or more, [`CryptoError::Agreement`],
/// [`CryptoError::Random`]; `out` is then as before.
pub fn seal(
    recipient: &PublicKey,
    rng: &mut dyn CryptoRng,
    plain: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CryptoError> {
    seal_with_context(recipient, b"", rng, plain, out)
}

/// [`seal`] with a context, which opening then needs too.
///
/// # Errors
///
/// Those of [`seal`].
pub fn seal_with_context(
    recipient: &PublicKey,
    context: &[u8],
    rng: &mut dyn CryptoRng,
    plain: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CryptoError> {
    secure_cell::length_field(plain)?;
    let throwaway = PrivateKey::generate(recipient.kind(), rng)?;
    let public = throwaway.public()?;
    let mut data_key = Zeroizing::new([0; DATA_KEY_LENGTH]);
    rng.fill_bytes(&mut *data_key);

    let start = out.len();
    let data_length = (secure_cell::OVERHEAD + plain.len()) as u64;
    out.reserve(OVERHEAD + plain.len());
    out.extend_from_slice(&TAG);
    out.extend_from_slice(&public.to_container());
    let sealed = throwaway
        .seal_key(recipient, rng, &data_key, out)
        .and_then(|()| {
            out.extend_from_slice(&data_length.to_le_bytes());
            secure_cell::seal(rng, &*data_key, context, plain, out)
        });
    if sealed.is_err() {
        out.truncate(start);
    }
    sealed
}

#[cfg(test)]
mod tests {
    use super::super::{CryptoError, KeyPairType, PrivateKey};
    use super::{OVERHEAD, open, open_with_context, parse, seal, seal_with_context};
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    const KINDS: [KeyPairType; 2] = [KeyPairType::P256, KeyPairType::X25519];

    fn key(kind: KeyPairType, seed: u64) -> PrivateKey {
        PrivateKey::generate(kind, &mut StdRng::seed_from_u64(seed)).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn what_was_sealed_opens(
            seed: u64,
            kind in prop::sample::select(&KINDS[..]),
            plain in prop::collection::vec(any::<u8>(), 1..300),
            context in prop::collection::vec(any::<u8>(), 0..20),
        ) {
            let mut sealed = Vec::new();
            let mut rng = StdRng::seed_from_u64(seed);
            let key = |seed| key(kind, seed);
            let recipient = key(1).public().unwrap();
            seal_with_context(&recipient, &context, &mut rng, &plain, &mut sealed).unwrap();
            prop_assert_eq!(sealed.len(), OVERHEAD + plain.len());
            let mut out = b"kept".to_vec();
            open_with_context(&[key(2), key(1)], &context, &sealed, &mut out).unwrap();
            prop_assert_eq!(&out[4..], &plain);
            prop_assert!(open_with_context(&[key(1)], b"another", &sealed, &mut out).is_err());
        }

        #[test]
        fn what_was_changed_never_opens(
            seed: u64,
            kind in prop::sample::select(&KINDS[..]),
            plain in prop::collection::vec(any::<u8>(), 1..60),
            place: prop::sample::Index,
            bit in 0..8_u8,
        ) {
            let mut sealed = Vec::new();
            let mut rng = StdRng::seed_from_u64(seed);
            let keys = [key(kind, 1)];
            seal(&keys[0].public().unwrap(), &mut rng, &plain, &mut sealed).unwrap();
            let place = place.index(sealed.len());
            let mut out = b"kept".to_vec();
            prop_assert!(open(&keys, &sealed[..place], &mut out).is_err());
            sealed[place] ^= 1_u8 << bit;
            prop_assert!(open(&keys, &sealed, &mut out).is_err());
            prop_assert_eq!(out, b"kept");
        }

        #[test]
        fn any_bytes_are_an_ordinary_error(mut bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            if let Some(tag) = bytes.get_mut(..8) {
                tag.fill(b'"');
            }
            let length = bytes.len().saturating_sub(145) as u64;
            if let Some(field) = bytes.get_mut(137..145) {
                field.copy_from_slice(&length.to_le_bytes());
                prop_assert!(parse(&bytes).is_ok());
            }
            let mut out = Vec::new();
            prop_assert!(open(&KINDS.map(|kind| key(kind, 1)), &bytes, &mut out).is_err());
            prop_assert!(out.is_empty());
        }
    }

    #[test]
    fn an_empty_value_is_refused() {
        let mut out = b"kept".to_vec();
        let recipient = key(KeyPairType::P256, 1).public().unwrap();
        assert!(seal(&recipient, &mut StdRng::seed_from_u64(1), b"", &mut out).is_err());
        assert_eq!(out, b"kept");
    }
    #[test]
    fn a_ring_of_both_kinds_opens_what_either_sealed_and_neither_opens_the_others() {
        let [old, new] = KINDS.map(|kind| key(kind, 1));
        let ring = [new, old];
        for (own, other) in [(0, 1), (1, 0)] {
            let mut sealed = Vec::new();
            let recipient = ring[own].public().unwrap();
            seal(
                &recipient,
                &mut StdRng::seed_from_u64(1),
                b"plain",
                &mut sealed,
            )
            .unwrap();
            // The same form, so it is found in the same way.
            assert_eq!(super::length(&sealed), Some(OVERHEAD + 5));
            let mut out = Vec::new();
            let foreign = open(&ring[other..][..1], &sealed, &mut out);
            assert_eq!(foreign, Err(CryptoError::Message));
            open(&ring, &sealed, &mut out).unwrap();
            assert_eq!(out, b"plain");
        }
    }
}
