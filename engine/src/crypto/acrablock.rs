//! AcraBlock: a data key under the client's key, and the value under the data key (containers.md 6).
//!
//! ```text
//! 0     4    tag 22 22 22 22
//! 4     8    rest length N, LE64: everything after the tag
//! 12    1    key encryption backend (0)
//! 13    2    key id
//! 15    1    data encryption backend (0)
//! 16    2    encrypted key length E, LE16 (76)
//! 18    E    data key, sealed with the client's key
//! 18+E  ..   value, sealed with the data key, up to 4 + N
//! ```

use super::block_key::BlockKey;
use super::error::CryptoError;
use super::secure_cell::{self, gcm::Cipher, gcm::IV_LENGTH};
use rand::CryptoRng;
use zeroize::Zeroizing;

/// What every AcraBlock begins with.
pub(super) const TAG: [u8; 4] = *b"\"\"\"\"";

/// Bytes before the sealed data key.
pub(super) const HEADER: usize = 18;

/// Bytes of a data key that is written. Others are read.
pub(super) const DATA_KEY_LENGTH: usize = 32;

/// Bytes of a sealed data key.
const WRAPPED_KEY: usize = secure_cell::OVERHEAD + DATA_KEY_LENGTH;

/// Bytes that sealing adds.
pub const OVERHEAD: usize = HEADER + WRAPPED_KEY + secure_cell::OVERHEAD;

/// Shortest Secure Cell: one byte of message.
const MIN_CELL: usize = secure_cell::OVERHEAD + 1;

/// An AcraBlock, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// Which key it says it is for.
    pub key_id: [u8; 2],
    /// The sealed data key.
    pub wrapped_key: &'a [u8],
    /// The sealed value.
    pub data: &'a [u8],
}

impl Block<'_> {
    /// Length of the whole block.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        HEADER + self.wrapped_key.len() + self.data.len()
    }
}

/// The AcraBlock that starts at the first byte of `bytes`; others may follow it. `None`: there is none (6.1).
///
/// Beyond the checks of Acra the sealed data key must lie within the block and something must be behind it.
pub fn parse(bytes: &[u8]) -> Option<Block<'_>> {
    let (tag, body) = bytes.split_first_chunk()?;
    if *tag != TAG {
        return None;
    }
    let rest_length: &[u8; 8] = body.first_chunk()?;
    let rest_length = usize::try_from(u64::from_le_bytes(*rest_length)).ok()?;
    let (_, body) = body.get(..rest_length)?.split_first_chunk::<8>()?;
    let (&[key_backend, id_0, id_1, data_backend], body) = body.split_first_chunk()?;
    if (key_backend, data_backend) != (0, 0) {
        return None;
    }
    let (key_length, body) = body.split_first_chunk()?;
    let (wrapped_key, data) = body.split_at_checked(u16::from_le_bytes(*key_length).into())?;
    (!data.is_empty()).then_some(Block {
        key_id: [id_0, id_1],
        wrapped_key,
        data,
    })
}

/// Opens the AcraBlock at the start of `block` with the first key that fits and appends the value to `out`.
///
/// # Errors
///
/// [`CryptoError::AcraBlock`]; `out` is then as before.
pub fn open(keys: &[BlockKey], block: &[u8], out: &mut Vec<u8>) -> Result<(), CryptoError> {
    open_with_context(keys, b"", block, out)
}

/// [`open`] for a block that was made with a context: the client id in token storage, the zone id in old data.
///
/// # Errors
///
/// Those of [`open`].
pub fn open_with_context(
    keys: &[BlockKey],
    context: &[u8],
    block: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CryptoError> {
    // Too short for a Secure Cell: no key needs to be tried.
    let block = parse(block)
        .filter(|block| block.wrapped_key.len() >= MIN_CELL && block.data.len() >= MIN_CELL)
        .ok_or(CryptoError::AcraBlock)?;
    let (token, wrapped) =
        secure_cell::split(block.wrapped_key).map_err(|_| CryptoError::AcraBlock)?;
    for key in keys {
        if key.id(context) != block.key_id {
            continue;
        }
        // As the block is usually made, the schedule is at hand and the data key fits on the stack.
        if let (true, 256, Ok(bytes)) = (
            context.is_empty(),
            token.key_bits,
            <&[u8; DATA_KEY_LENGTH]>::try_from(wrapped),
        ) {
            let mut data_key = Zeroizing::new(*bytes);
            if token.open_in_place(key.wrapping(), b"", &mut *data_key) {
                return open_data(&*data_key, context, block.data, out);
            }
            continue;
        }
        let mut data_key = Zeroizing::new(Vec::with_capacity(wrapped.len()));
        if secure_cell::open(key.as_bytes(), context, block.wrapped_key, &mut data_key).is_ok() {
            return open_data(&data_key, context, block.data, out);
        }
    }
    Err(CryptoError::AcraBlock)
}

fn open_data(
    data_key: &[u8],
    context: &[u8],
    data: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CryptoError> {
    secure_cell::open(data_key, context, data, out).map_err(|_| CryptoError::AcraBlock)
}

/// Seals `plain` and appends the AcraBlock to `out`.
///
/// # Errors
///
/// [`CryptoError::EmptyMessage`]; [`CryptoError::TooLong`] for 4 GiB or more. `out` is then as before.
pub fn seal(
    key: &BlockKey,
    rng: &mut dyn CryptoRng,
    plain: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CryptoError> {
    seal_with_context(key, b"", rng, plain, out)
}

/// [`seal`] with a context, which opening then needs too.
///
/// # Errors
///
/// Those of [`seal`].
pub fn seal_with_context(
    key: &BlockKey,
    context: &[u8],
    rng: &mut dyn CryptoRng,
    plain: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CryptoError> {
    let length = secure_cell::length_field(plain)?;
    let mut data_key = Zeroizing::new([0; DATA_KEY_LENGTH]);
    let (mut key_iv, mut data_iv) = ([0; IV_LENGTH], [0; IV_LENGTH]);
    rng.fill_bytes(&mut *data_key);
    rng.fill_bytes(&mut key_iv);
    rng.fill_bytes(&mut data_iv);

    let start = out.len();
    let rest_length = (OVERHEAD - TAG.len() + plain.len()) as u64;
    out.reserve(OVERHEAD + plain.len());
    out.extend_from_slice(&TAG);
    out.extend_from_slice(&rest_length.to_le_bytes());
    let [id_0, id_1] = key.id(context);
    out.extend_from_slice(&[0, id_0, id_1, 0]);
    out.extend_from_slice(&(WRAPPED_KEY as u16).to_le_bytes());
    let sealed = seal_data_key(key, context, key_iv, &data_key, out).and_then(|()| {
        let cipher = Cipher::new_256(&*secure_cell::message_key(&*data_key, context, length)?);
        secure_cell::seal_with(&cipher, data_iv, context, plain, out)
    });
    if sealed.is_err() {
        out.truncate(start);
    }
    sealed
}

fn seal_data_key(
    key: &BlockKey,
    context: &[u8],
    iv: [u8; IV_LENGTH],
    data_key: &[u8; DATA_KEY_LENGTH],
    out: &mut Vec<u8>,
) -> Result<(), CryptoError> {
    if context.is_empty() {
        return secure_cell::seal_with(key.wrapping(), iv, context, data_key, out);
    }
    let length = secure_cell::length_field(data_key)?;
    let derived = secure_cell::message_key(key.as_bytes(), context, length)?;
    secure_cell::seal_with(&Cipher::new_256(&derived), iv, context, data_key, out)
}

#[cfg(test)]
mod tests {
    use super::super::{BlockKey, Secret};
    use super::{OVERHEAD, open, open_with_context, parse, seal, seal_with_context};
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    fn key(byte: u8) -> BlockKey {
        BlockKey::new(Secret::from(vec![byte; 32])).unwrap()
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens(
            seed: u64,
            plain in prop::collection::vec(any::<u8>(), 1..300),
            context in prop::collection::vec(any::<u8>(), 0..20),
        ) {
            let mut block = Vec::new();
            let mut rng = StdRng::seed_from_u64(seed);
            seal_with_context(&key(1), &context, &mut rng, &plain, &mut block).unwrap();
            prop_assert_eq!(block.len(), OVERHEAD + plain.len());
            let mut out = b"kept".to_vec();
            open_with_context(&[key(2), key(1)], &context, &block, &mut out).unwrap();
            prop_assert_eq!(&out[4..], &plain);
        }

        #[test]
        fn a_flipped_bit_never_opens(
            seed: u64,
            plain in prop::collection::vec(any::<u8>(), 1..60),
            place: prop::sample::Index,
            bit in 0..8_u8,
        ) {
            let mut block = Vec::new();
            seal(&key(1), &mut StdRng::seed_from_u64(seed), &plain, &mut block).unwrap();
            let place = place.index(block.len());
            block[place] ^= 1_u8 << bit;
            let mut out = b"kept".to_vec();
            prop_assert!(open(&[key(1)], &block, &mut out).is_err());
            prop_assert_eq!(out, b"kept");
        }

        #[test]
        fn any_bytes_are_an_ordinary_error(mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(tag) = bytes.get_mut(..4) {
                tag.fill(b'"');
            }
            if let Some(length) = bytes.get_mut(6..12) {
                length.fill(0);
            }
            let mut out = Vec::new();
            prop_assert!(open(&[key(1)], &bytes, &mut out).is_err());
            prop_assert!(parse(&bytes).is_none_or(|block| block.len() <= bytes.len()));
        }
    }

    #[test]
    fn an_empty_value_is_refused() {
        let mut out = b"kept".to_vec();
        assert!(seal(&key(1), &mut StdRng::seed_from_u64(1), b"", &mut out).is_err());
        assert_eq!(out, b"kept");
    }
}
