//! Detection with a made-up opener: what is found, and how much is tried.

use super::super::{BlockKey, Secret, acrablock, container};
use super::{Envelope, MAX_FAILURES, Opener, Scan, may_hold_container, scan};
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;

struct Keys {
    keys: Vec<BlockKey>,
    tried: u32,
}

impl Keys {
    fn new(byte: u8) -> Self {
        let key = BlockKey::new(Secret::from(vec![byte; 32])).unwrap();
        Self {
            keys: vec![key],
            tried: 0,
        }
    }

    fn seal(&self, plain: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut rng = StdRng::seed_from_u64(plain.len() as u64);
        container::seal_block(&self.keys[0], &mut rng, plain, &mut out).unwrap();
        out
    }
}

impl Opener for Keys {
    fn open(&mut self, envelope: Envelope, inner: &[u8], out: &mut Vec<u8>) -> bool {
        self.tried += 1;
        envelope == Envelope::AcraBlock && acrablock::open(&self.keys, inner, out).is_ok()
    }
}

fn opened(cell: &[u8]) -> (Scan, Vec<u8>) {
    let mut out = b"kept".to_vec();
    let state = scan(cell, &mut Keys::new(1), &mut out);
    assert!(out.starts_with(b"kept"));
    (state, out.split_off(4))
}

proptest! {
    #[test]
    fn any_bytes_stay_as_they_are(cell in prop::collection::vec(
        prop_oneof![Just(b'%'), Just(b'"'), Just(0), Just(0xf0), Just(0xf1), any::<u8>()], 0..400,
    )) {
        prop_assert_eq!(opened(&cell), (Scan::Untouched, Vec::new()));
    }

    #[test]
    fn what_holds_no_tag_is_not_searched(cell in "[^%\"]{0,60}") {
        prop_assert!(!may_hold_container(cell.as_bytes()));
    }

    #[test]
    fn containers_are_opened_where_they_stand(
        before in "[a-z%\"]{0,20}",
        plain in prop::collection::vec(any::<u8>(), 1..40),
        between in "[a-z]{0,20}",
        after in "[a-z%]{0,20}",
        raw: bool,
    ) {
        let mut sealed = Keys::new(1).seal(&plain);
        // Quotes right before a raw block may make a block of another length, which then is skipped whole.
        let before = if raw { before.replace('"', "") + "." } else { before };
        let (between, after) = if raw { (between, after.replace('%', "")) } else { (between, after) };
        if raw {
            sealed.drain(..container::HEADER);
        }
        let cell = [before.as_bytes(), &sealed, between.as_bytes(), &sealed, after.as_bytes()].concat();
        let expected = [before.as_bytes(), &plain, between.as_bytes(), &plain, after.as_bytes()].concat();
        prop_assert!(may_hold_container(&cell));
        prop_assert_eq!(opened(&cell), (Scan::Opened, expected));
    }
}

#[test]
fn failures_are_bounded() {
    let foreign = Keys::new(2).seal(b"x");
    let own = Keys::new(1).seal(b"own");
    for raw in [0, container::HEADER] {
        let (foreign, own) = (&foreign[raw..], &own[raw..]);
        for (count, state) in [(63, Scan::Opened), (64, Scan::Untouched)] {
            let mut cell = foreign.repeat(count);
            cell.extend_from_slice(own);
            cell.extend(foreign.repeat(100));
            let (mut keys, mut out) = (Keys::new(1), Vec::new());
            assert_eq!(scan(&cell, &mut keys, &mut out), state);
            assert_eq!(keys.tried, MAX_FAILURES + u32::from(state == Scan::Opened));
            if state == Scan::Opened {
                let expected = [&foreign.repeat(63), &b"own"[..], &foreign.repeat(100)].concat();
                assert_eq!(out, expected);
            }
        }
    }
}

#[test]
fn a_container_recognised_but_not_opened_hides_raw_ones() {
    let raw = Keys::new(1).seal(b"own").split_off(container::HEADER);
    let foreign = Keys::new(2).seal(b"x");
    assert_eq!(opened(&[&raw[..], &foreign].concat()).0, Scan::Untouched);
    assert_eq!(opened(&raw), (Scan::Opened, b"own".to_vec()));
}
