//! Themis Secure Message with elliptic-curve keys, encrypted (containers.md 4).
//!
//! ```text
//! 0  4   type 0x26042720, LE32
//! 4  4   total length, LE32
//! 8  ..  Secure Cell, sealed without context with the secret on which the keys agree
//! ```
//!
//! The types of signed messages and of RSA keys are refused, as Acra uses none.

use super::ec::{PrivateKey, PublicKey};
use super::error::CryptoError;
use super::secure_cell;
use rand::CryptoRng;

/// Type of a message that is encrypted with elliptic-curve keys.
const TYPE: u32 = 0x2604_2720;

/// Bytes before the Secure Cell.
const HEADER: usize = 8;

/// Bytes that sealing adds.
pub const OVERHEAD: usize = HEADER + secure_cell::OVERHEAD;

/// Seals `plain` from `own` to `peer` and appends the message to `out`.
///
/// # Errors
///
/// [`CryptoError::EmptyMessage`], [`CryptoError::TooLong`], [`CryptoError::Agreement`]; `out` is then as before.
pub fn seal(
    own: &PrivateKey,
    peer: &PublicKey,
    rng: &mut dyn CryptoRng,
    plain: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CryptoError> {
    let length = plain.len().saturating_add(OVERHEAD);
    let length = u32::try_from(length).map_err(|_| CryptoError::TooLong)?;
    let secret = own.agree(peer)?;
    let start = out.len();
    out.reserve(OVERHEAD + plain.len());
    out.extend_from_slice(&TYPE.to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
    let sealed = secure_cell::seal(rng, &*secret, b"", plain, out);
    if sealed.is_err() {
        out.truncate(start);
    }
    sealed
}

/// Opens a message from `peer` to `own` and appends its content to `out`.
///
/// # Errors
///
/// [`CryptoError::Message`]; `out` is then as before.
pub fn open(
    own: &PrivateKey,
    peer: &PublicKey,
    message: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CryptoError> {
    let cell = cell(message).ok_or(CryptoError::Message)?;
    let secret = own.agree(peer).map_err(|_| CryptoError::Message)?;
    secure_cell::open(&*secret, b"", cell, out).map_err(|_| CryptoError::Message)
}

/// The Secure Cell of a message with an undamaged header.
fn cell(message: &[u8]) -> Option<&[u8]> {
    let (kind, rest) = message.split_first_chunk()?;
    let (length, cell) = rest.split_first_chunk()?;
    let is_right = u32::from_le_bytes(*kind) == TYPE
        && u64::from(u32::from_le_bytes(*length)) == message.len() as u64
        && !cell.is_empty();
    is_right.then_some(cell)
}

#[cfg(test)]
mod tests {
    use super::super::ec::PrivateKey;
    use super::{OVERHEAD, open, seal};
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn what_was_sealed_opens_and_what_was_changed_does_not(
            seed: u64,
            plain in prop::collection::vec(any::<u8>(), 1..100),
            place: prop::sample::Index,
            bit in 0..8_u8,
        ) {
            let mut rng = StdRng::seed_from_u64(seed);
            let own = PrivateKey::generate(&mut rng).unwrap();
            let peer = PrivateKey::generate(&mut rng).unwrap();
            let mut message = Vec::new();
            seal(&own, &peer.public().unwrap(), &mut rng, &plain, &mut message).unwrap();
            prop_assert_eq!(message.len(), OVERHEAD + plain.len());
            let from = own.public().unwrap();
            let mut out = b"kept".to_vec();
            open(&peer, &from, &message, &mut out).unwrap();
            prop_assert_eq!(&out[4..], &plain);
            let place = place.index(message.len());
            out.truncate(4);
            prop_assert!(open(&peer, &from, &message[..place], &mut out).is_err());
            message[place] ^= 1_u8 << bit;
            prop_assert!(open(&peer, &from, &message, &mut out).is_err());
            prop_assert_eq!(out, b"kept");
        }
    }
}
