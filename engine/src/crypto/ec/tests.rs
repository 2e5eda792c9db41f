use super::{PrivateKey, PublicKey};
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;

fn key(seed: u64) -> PrivateKey {
    PrivateKey::generate(&mut StdRng::seed_from_u64(seed)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn both_sides_agree_also_after_writing_and_reading(a: u64, b: u64) {
        let (first, second) = (key(a), key(b));
        let container = first.to_container().unwrap();
        let read = PrivateKey::from_container(container.as_bytes()).unwrap();
        let public = second.public().unwrap();
        let public_read = PublicKey::from_container(&public.to_container()).unwrap();
        prop_assert_eq!(&public, &public_read);
        prop_assert_eq!(
            read.agree(&public_read).unwrap(),
            second.agree(&first.public().unwrap()).unwrap()
        );
    }

    #[test]
    fn a_flipped_bit_is_noticed(seed: u64, place in 0..45_usize, bit in 0..8_u8) {
        let key = key(seed);
        let mut private = key.to_container().unwrap().as_bytes().to_vec();
        let mut public = key.public().unwrap().to_container();
        private[place] ^= 1_u8 << bit;
        public[place] ^= 1_u8 << bit;
        prop_assert!(PrivateKey::from_container(&private).is_err());
        prop_assert!(PublicKey::from_container(&public).is_err());
        prop_assert!(PrivateKey::from_container(&private[..place]).is_err());
        prop_assert!(PublicKey::from_container(&public[..place]).is_err());
    }
}

#[test]
fn a_broken_source_of_randomness_is_an_error() {
    struct Zeros;
    impl rand::rand_core::TryRng for Zeros {
        type Error = rand::rand_core::Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Ok(0)
        }
        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            Ok(0)
        }
        fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Self::Error> {
            to.fill(0);
            Ok(())
        }
    }
    impl rand::rand_core::TryCryptoRng for Zeros {}
    assert!(PrivateKey::generate(&mut Zeros).is_err());
}

#[test]
fn debug_shows_no_key() {
    assert_eq!(format!("{:?}", key(1)), "PrivateKey(..)");
}
