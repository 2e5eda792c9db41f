//! What the vectors cannot say: both directions together, and damage anywhere.

use super::{imprint, open, passphrase, protect, seal, unprotect};
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;

fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

proptest! {
    #[test]
    fn what_was_sealed_opens(
        seed: u64,
        key in prop::collection::vec(any::<u8>(), 1..80),
        context in prop::collection::vec(any::<u8>(), 0..40),
        message in prop::collection::vec(any::<u8>(), 1..300),
    ) {
        let mut cell = b"before".to_vec();
        seal(&mut rng(seed), &key, &context, &message, &mut cell).unwrap();
        prop_assert_eq!(cell.len(), 6 + super::OVERHEAD + message.len());
        let mut plain = b"kept".to_vec();
        open(&key, &context, &cell[6..], &mut plain).unwrap();
        prop_assert_eq!(&plain[4..], &message);
    }

    #[test]
    fn a_flipped_bit_never_opens(
        seed: u64,
        message in prop::collection::vec(any::<u8>(), 1..100),
        place: prop::sample::Index,
        bit in 0..8_u8,
    ) {
        let mut cell = Vec::new();
        seal(&mut rng(seed), b"key", b"context", &message, &mut cell).unwrap();
        let place = place.index(cell.len());
        cell[place] ^= 1_u8 << bit;
        let mut plain = b"kept".to_vec();
        prop_assert!(open(b"key", b"context", &cell, &mut plain).is_err());
        prop_assert_eq!(plain, b"kept");
    }

    #[test]
    fn any_bytes_are_an_ordinary_error(cell in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut plain = Vec::new();
        prop_assert!(open(b"key", b"", &cell, &mut plain).is_err());
        prop_assert!(unprotect(b"key", b"", &cell, &cell, &mut plain).is_err());
        prop_assert!(plain.is_empty());
    }

    #[test]
    fn a_protected_message_opens_with_its_token(
        seed: u64,
        message in prop::collection::vec(any::<u8>(), 1..100),
    ) {
        let mut body = message.clone();
        let token = protect(&mut rng(seed), b"key", b"context", &mut body).unwrap();
        let mut plain = Vec::new();
        unprotect(b"key", b"context", &token, &body, &mut plain).unwrap();
        prop_assert_eq!(plain, message);
    }

    #[test]
    fn imprinting_twice_gives_the_message(message in prop::collection::vec(any::<u8>(), 1..100)) {
        let mut twice = message.clone();
        imprint::apply(b"key", b"context", &mut twice).unwrap();
        imprint::apply(b"key", b"context", &mut twice).unwrap();
        prop_assert_eq!(twice, message);
    }
}

#[test]
fn passphrases() {
    let mut cell = Vec::new();
    passphrase::seal(&mut rng(1), b"correct horse", b"c", b"message", &mut cell).unwrap();
    assert_eq!(cell.len(), 70 + 7);
    let mut plain = Vec::new();
    passphrase::open(b"correct horse", b"c", &cell, &mut plain).unwrap();
    assert_eq!(plain, b"message");
    // A reader's limit on iterations keeps hostile data from keeping it busy.
    cell[48..52].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(passphrase::open(b"correct horse", b"c", &cell, &mut plain).is_err());
}
