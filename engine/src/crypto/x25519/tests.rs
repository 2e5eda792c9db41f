use super::{MESSAGE, PrivateKey, PublicKey, open, seal};
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;

fn key(seed: u64) -> PrivateKey {
    PrivateKey::generate(&mut StdRng::seed_from_u64(seed)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_data_key_opens_and_what_was_changed_does_not(
        seed: u64,
        data_key: [u8; 32],
        place in 0..MESSAGE,
        bit in 0..8_u8,
    ) {
        let (own, peer, other) = (key(1), key(2), key(3));
        let mut message = Vec::new();
        let mut rng = StdRng::seed_from_u64(seed);
        seal(&own, peer.public(), &mut rng, &data_key, &mut message).unwrap();
        prop_assert_eq!(message.len(), MESSAGE);
        let mut out = b"kept".to_vec();
        open(&peer, own.public(), &message, &mut out).unwrap();
        prop_assert_eq!(&out[4..], &data_key);
        out.truncate(4);
        // The secret is the same in both directions, the key that is derived is not.
        prop_assert!(open(&own, peer.public(), &message, &mut out).is_err());
        prop_assert!(open(&other, own.public(), &message, &mut out).is_err());
        prop_assert!(open(&peer, own.public(), &message[..place], &mut out).is_err());
        message[place] ^= 1_u8 << bit;
        prop_assert!(open(&peer, own.public(), &message, &mut out).is_err());
        prop_assert_eq!(out, b"kept");
    }

    #[test]
    fn containers_are_read_and_a_flipped_bit_is_noticed(seed: u64, place in 0..45_usize, bit in 0..8_u8) {
        let key = key(seed);
        let private = key.to_container();
        let mut private = private.as_bytes().to_vec();
        let mut public = key.public().to_container();
        let read = PrivateKey::from_container(&private).unwrap();
        prop_assert_eq!(read.public(), key.public());
        prop_assert_eq!(&PublicKey::from_container(&public).unwrap(), key.public());
        prop_assert!(PrivateKey::from_container(&public).is_err());
        prop_assert!(PublicKey::from_container(&private).is_err());
        private[place] ^= 1_u8 << bit;
        public[place] ^= 1_u8 << bit;
        prop_assert!(PrivateKey::from_container(&private).is_err());
        prop_assert!(PublicKey::from_container(&public).is_err());
        prop_assert!(PrivateKey::from_container(&private[..place]).is_err());
        prop_assert!(PublicKey::from_container(&public[..place]).is_err());
    }
}

#[test]
fn points_of_low_order_do_not_agree() {
    // 0, 1, p - 1 and p, little-endian.
    let p = |low: u8| {
        let mut point = [0xff; 32];
        (point[0], point[31]) = (low, 0x7f);
        point
    };
    let mut one = [0; 32];
    one[0] = 1;
    for point in [[0; 32], one, p(0xec), p(0xed)] {
        let peer = PublicKey(point);
        let mut out = Vec::new();
        let mut rng = StdRng::seed_from_u64(1);
        assert!(seal(&key(1), &peer, &mut rng, &[7; 32], &mut out).is_err());
        assert!(out.is_empty());
    }
}

#[test]
fn debug_shows_no_key() {
    assert_eq!(format!("{:?}", key(1)), "PrivateKey(..)");
}
