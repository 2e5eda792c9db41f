//! Rings and bundles: what is written is read, the rules for changing them, and that no bytes do harm.

use super::ring::Key;
use super::*;
use crate::crypto::{KeyPairType, PrivateKey, Secret};
use crate::keys::{ClientId, KeyKind, MasterKeys};
use proptest::prelude::*;

const DAY: i64 = 86_400;

fn master() -> MasterKeys {
    MasterKeys::generate(&mut rand::rng())
}

fn client() -> ClientId {
    ClientId::new("client-alpha").unwrap()
}

fn symmetric_path() -> RingPath {
    RingPath::of(&KeyKind::StorageSymmetric(client()))
}

fn pair_path() -> RingPath {
    RingPath::of(&KeyKind::StoragePair(client()))
}

fn symmetric(byte: u8) -> NewKey {
    NewKey::Symmetric(Secret::from(vec![byte; 32]))
}

fn pair(with_private: bool, key: &PrivateKey) -> NewKey {
    NewKey::Pair {
        public: key.public().unwrap().to_container().to_vec(),
        private: with_private.then(|| key.to_container().unwrap()),
    }
}

/// A ring of symmetric keys that consist of these bytes.
fn ring(master: &MasterKeys, bytes: &[u8]) -> KeyRing<Sealed> {
    let mut ring = KeyRing::new(symmetric_path());
    for byte in bytes {
        let now = UtcTime::new(DAY * i64::from(*byte));
        ring.rotate(symmetric(*byte), now, master, &mut rand::rng())
            .unwrap();
    }
    ring
}

/// A bundle's ring of symmetric keys that consist of these bytes; the last one is current.
fn imported(bytes: &[u8]) -> KeyRing<Secret> {
    let mut ring = KeyRing::new(symmetric_path());
    for byte in bytes {
        ring.push(symmetric(*byte), UtcTime::new(0)).unwrap();
    }
    ring.make_newest_current();
    ring
}

/// The first byte of each key, oldest first; `None` for a destroyed one.
fn bytes(ring: &KeyRing<Sealed>, master: &MasterKeys) -> Vec<Option<u8>> {
    let byte = |key: &Key<Sealed>| Some(ring.symmetric(key, master).ok()?.as_bytes()[0]);
    ring.keys().iter().map(byte).collect()
}

fn reread(ring: &KeyRing<Sealed>, master: &MasterKeys) -> KeyRing<Sealed> {
    let now = UtcTime::new(3 * DAY);
    let file = ring.write(now, master).unwrap();
    let (read, written) = KeyRing::read(ring.path(), &file, master).unwrap();
    assert_eq!(written, now);
    read
}

#[test]
fn rotating_and_destroying() {
    let master = master();
    let mut ring = ring(&master, &[1, 2, 3]);
    assert_eq!(ring.current().unwrap().seqnum(), 3);
    let valid = |key: &Key<Sealed>| key.valid_until().seconds() - key.valid_since().seconds();
    assert!(ring.keys().iter().all(|key| valid(key) == 365 * DAY));
    let numbers = |ring: &KeyRing<Sealed>| -> Vec<i64> {
        ring.rotated().iter().map(|key| key.seqnum()).collect()
    };
    assert_eq!(numbers(&ring), [1, 2]);
    ring.destroy(2).unwrap();
    assert_eq!(numbers(&ring), [2]);
    assert_eq!(ring.destroy(3), Err(RingError::Index));
    assert_eq!(ring.destroy(0), Err(RingError::Index));
    ring.destroy(1).unwrap();
    assert_eq!(ring.destroy(1), Err(RingError::Transition));
    assert_eq!(bytes(&ring, &master), [None, Some(2), None]);
    assert_eq!(
        ring.symmetric(ring.current().unwrap(), &master)
            .unwrap_err(),
        RingError::Destroyed
    );
    ring.rotate(symmetric(4), UtcTime::new(0), &master, &mut rand::rng())
        .unwrap();
    assert_eq!(ring.current().unwrap().seqnum(), 4);
    let read = reread(&ring, &master);
    assert_eq!(read, ring);
    assert_eq!(bytes(&read, &master), [None, Some(2), None, Some(4)]);
    assert_eq!(
        KeyRing::<Sealed>::new(symmetric_path()).destroy(1),
        Err(RingError::NoCurrent)
    );
}

#[test]
fn states_that_forbid_destroying() {
    let master = master();
    for (state, allowed) in [
        (0, false),
        (1, true),
        (2, false),
        (3, false),
        (4, true),
        (5, true),
        (6, false),
        (7, false),
    ] {
        let mut ring = ring(&master, &[1]);
        ring.keys[0].state = State(state);
        let mut ring = reread(&ring, &master);
        assert_eq!(ring.destroy(1).is_ok(), allowed, "{state}");
    }
}

#[test]
fn odd_rings_that_verify() {
    let master = master();
    let mut lost = ring(&master, &[1, 2]);
    lost.current = Some(9);
    let mut lost = reread(&lost, &master);
    assert_eq!(lost.current().unwrap_err(), RingError::NoSuchSeqnum);
    assert_eq!(lost.rotated().len(), 2);
    lost.rotate(symmetric(3), UtcTime::new(0), &master, &mut rand::rng())
        .unwrap();
    assert_eq!(lost.current().unwrap().seqnum(), 3);

    let mut twice = ring(&master, &[1, 2]);
    twice.keys[0].seqnum = 2;
    let file = twice.write(UtcTime::new(0), &master).unwrap();
    let error = KeyRing::read(twice.path(), &file, &master).unwrap_err();
    assert_eq!(error, RingError::DuplicateSeqnum);

    // The ring's own format counts, others are kept.
    let mut other = ring(&master, &[1]);
    let unknown = KeyData {
        format: Format(2),
        public: Some(vec![5]),
        private: None,
        symmetric: None,
    };
    other.keys[0].data.insert(0, unknown);
    let other = reread(&other, &master);
    assert_eq!(bytes(&other, &master), [Some(1)]);
    assert_eq!(other.keys[0].data.len(), 2);
    let error = other.private(&other.keys[0], &master).unwrap_err();
    assert_eq!(error, RingError::FormatNotAvailable);
    // A key that nobody can use does not stop an import.
    let mut useless = other.clone();
    useless.keys[0].data.truncate(1);
    useless
        .extend(&imported(&[1]), &master, &mut rand::rng())
        .unwrap();
    assert_eq!(bytes(&useless, &master), [None, Some(1)]);
}

#[test]
fn a_ring_belongs_to_its_path_and_its_keys_to_their_numbers() {
    let master = master();
    let mut ring = ring(&master, &[1, 2]);
    let file = ring.write(UtcTime::new(0), &master).unwrap();
    let elsewhere = RingPath::of(&KeyKind::AuditLog);
    let error = KeyRing::read(&elsewhere, &file, &master).unwrap_err();
    assert_eq!(error, RingError::Signature);
    // Signed for another path than its purpose.
    let mut moved = ring.clone();
    moved.path = elsewhere;
    let data = codec::write(&moved);
    let context = format!("AKSv2 keystore: key ring signature: {}", ring.path);
    let signed = signed::write(
        data,
        signed::Content::KeyRing,
        UtcTime::new(0),
        &context,
        master.signature(),
    );
    let error = KeyRing::read(ring.path(), &signed.unwrap(), &master).unwrap_err();
    assert_eq!(error, RingError::Signature);
    let [first, second] = &mut ring.keys[..] else {
        unreachable!()
    };
    std::mem::swap(&mut first.data, &mut second.data);
    assert_eq!(bytes(&ring, &master), [None, None]);
}

#[test]
fn bundles_come_back() {
    let (own, master) = (master(), master());
    let key = PrivateKey::generate(KeyPairType::P256, &mut rand::rng()).unwrap();
    let mut pairs = KeyRing::new(pair_path());
    pairs.push(pair(true, &key), UtcTime::new(7)).unwrap();
    pairs.make_newest_current();
    let pairs = pairs.seal(&own, &mut rand::rng()).unwrap();
    let mut destroyed = ring(&own, &[1, 2]);
    destroyed.destroy(1).unwrap();
    let rings = [
        pairs.open_all(&own).unwrap(),
        destroyed.open_all(&own).unwrap(),
    ];
    let data = write_bundle(&rings, UtcTime::new(0), &master, &mut rand::rng()).unwrap();
    let read = open_bundle(&data, &master).unwrap();
    assert_eq!(read.len(), 2);
    for ring in read {
        let sealed = ring.seal(&own, &mut rand::rng()).unwrap();
        match ring.path().is_pair() {
            true => {
                let private = sealed.private(&sealed.keys[0], &own).unwrap();
                assert_eq!(private.as_bytes(), key.to_container().unwrap().as_bytes());
            }
            false => assert_eq!(bytes(&sealed, &own), [Some(1), None]),
        }
    }
    let public = write_bundle(
        &[pairs.public_only().unwrap()],
        UtcTime::new(0),
        &master,
        &mut rand::rng(),
    );
    let [public] = &open_bundle(&public.unwrap(), &master).unwrap()[..] else {
        panic!("one ring")
    };
    assert!(public.keys[0].data[0].private.is_none());
    assert!(open_bundle(&data, &own).is_err());
}

#[test]
fn bundles_that_are_refused() {
    let master = master();
    let check = |ring: KeyRing<Secret>, error: RingError| {
        let data = write_bundle(&[ring], UtcTime::new(0), &master, &mut rand::rng()).unwrap();
        let refused = open_bundle(&data, &master).unwrap_err();
        assert_eq!(refused.error, error);
        assert!(refused.to_string().contains("client/client-alpha/storage"));
    };
    check(imported(&[0]), RingError::ZeroKey);
    let mut ring = imported(&[1]);
    ring.keys[0].valid_until = UtcTime::new(-1);
    check(ring, RingError::Cryptoperiod);
    let mut ring = imported(&[1, 2]);
    let moved = ring.keys[1].data.remove(0);
    check_format(&ring, &master);
    ring.keys[0].data.push(moved);
    ring.keys.truncate(1);
    check(ring, RingError::FormatTwice);
    let mut ring = imported(&[1]);
    ring.keys[0].data[0].symmetric = None;
    check(ring, RingError::NoKeyData);

    let keys = [(); 2].map(|()| PrivateKey::generate(KeyPairType::P256, &mut rand::rng()).unwrap());
    let mut ring = KeyRing::new(pair_path());
    ring.push(pair(true, &keys[0]), UtcTime::new(0)).unwrap();
    ring.keys[0].data[0].private = Some(keys[1].to_container().unwrap());
    check(ring, RingError::BadKey);

    let twice = [imported(&[1]), imported(&[2])];
    let data = write_bundle(&twice, UtcTime::new(0), &master, &mut rand::rng()).unwrap();
    let error = open_bundle(&data, &master).unwrap_err().error;
    assert_eq!(error, RingError::DuplicateRing);
}

/// A key without data that is not destroyed.
fn check_format(ring: &KeyRing<Secret>, master: &MasterKeys) {
    let data = write_bundle(
        std::slice::from_ref(ring),
        UtcTime::new(0),
        master,
        &mut rand::rng(),
    );
    let refused = open_bundle(&data.unwrap(), master).unwrap_err();
    assert_eq!(refused.error, RingError::FormatNotAvailable);
}

#[test]
fn extending_a_ring() {
    let master = master();
    let rng = &mut rand::rng();
    let mut ring = ring(&master, &[1, 2]);
    let mut extend = |with: &KeyRing<Secret>| ring.extend(with, &master, rng).unwrap();
    assert!(extend(&imported(&[2, 3, 4])));
    assert!(!extend(&imported(&[2, 3, 4])));
    assert!(extend(&imported(&[3])));
    let mut destroyed = imported(&[7, 8]);
    destroyed.destroy(1).unwrap();
    assert!(extend(&destroyed));
    assert!(!extend(&destroyed));
    assert_eq!(
        bytes(&ring, &master),
        [Some(1), Some(2), Some(3), Some(4), Some(7)]
    );
    // 3 was current when it was imported alone; a destroyed key does not become current.
    assert_eq!(ring.current().unwrap().seqnum(), 3);

    // An empty ring becomes the other one.
    let mut empty = KeyRing::new(symmetric_path());
    let mut numbered = imported(&[1, 2]);
    numbered.keys.remove(0);
    assert!(empty.extend(&numbered, &master, rng).unwrap());
    assert_eq!(empty.current().unwrap().seqnum(), 2);
    assert_eq!(bytes(&empty, &master), [Some(2)]);
}

#[test]
fn a_pair_gets_its_private_half() {
    let master = master();
    let rng = &mut rand::rng();
    let key = PrivateKey::generate(KeyPairType::P256, rng).unwrap();
    let ring = |with_private| {
        let mut ring = KeyRing::new(pair_path());
        ring.push(pair(with_private, &key), UtcTime::new(0))
            .unwrap();
        ring.make_newest_current();
        ring
    };
    let mut own = ring(false).seal(&master, rng).unwrap();
    let error = own.private(&own.keys[0], &master).unwrap_err();
    assert_eq!(error, RingError::NoKeyData);
    assert!(own.extend(&ring(true), &master, rng).unwrap());
    assert!(!own.extend(&ring(true), &master, rng).unwrap());
    assert!(!own.extend(&ring(false), &master, rng).unwrap());
    assert_eq!(own.keys.len(), 1);
    assert!(own.private(&own.keys[0], &master).is_ok());
}

/// Any ring that can be written, with keys that are no keys.
fn any_ring() -> impl Strategy<Value = KeyRing<Sealed>> {
    let part = || prop::option::of(prop::collection::vec(any::<u8>(), 0..200));
    let data =
        (any::<i64>(), part(), part(), part()).prop_map(|(format, public, private, key)| KeyData {
            format: Format(format),
            public,
            private: private.map(Sealed),
            symmetric: key.map(Sealed),
        });
    let times = (any::<i64>(), any::<i64>());
    let key = (any::<i64>(), times, prop::collection::vec(data, 0..3));
    let keys = prop::collection::btree_map(any::<i64>(), key, 0..4);
    (keys, prop::option::of(0_i64..9)).prop_map(|(keys, current)| KeyRing {
        path: symmetric_path(),
        keys: keys
            .into_iter()
            .map(|(seqnum, (state, (since, until), data))| Key {
                seqnum,
                state: State(state),
                valid_since: UtcTime::new(since),
                valid_until: UtcTime::new(until),
                data,
            })
            .collect(),
        current,
    })
}

proptest! {
    #[test]
    fn any_ring_comes_back(ring in any_ring()) {
        let master = master();
        let mut read = reread(&ring, &master);
        // A set has no order.
        let mut ring = ring;
        for key in ring.keys.iter_mut().chain(&mut read.keys) {
            key.data.sort_by_key(|data| format!("{:?}{data:?}{:?}", data.private.as_ref().map(|key| &key.0), data.symmetric.as_ref().map(|key| &key.0)));
        }
        prop_assert_eq!(read, ring);
    }

    #[test]
    fn any_change_of_a_file_is_noticed(ring in any_ring(), at: prop::sample::Index, change in 1_u8..) {
        let master = master();
        let mut file = ring.write(UtcTime::new(0), &master).unwrap();
        let at = at.index(file.len());
        file[at] ^= change;
        prop_assert!(KeyRing::read(ring.path(), &file, &master).is_err());
    }

    #[test]
    fn any_bytes_are_judged(bytes: Vec<u8>, tag in prop::sample::select(vec![0x30_u8, 0x31, 4, 2, 6, 0x17])) {
        let master = master();
        prop_assert!(KeyRing::read(&symmetric_path(), &bytes, &master).is_err());
        prop_assert!(open_bundle(&bytes, &master).is_err());
        let element = der::write(tag, &[&bytes]);
        if let Ok(reader) = der::only(der::SEQUENCE, &element) {
            let _ = codec::read::<Sealed>(reader, |_| Ok(symmetric_path()));
        }
    }

    /// Signed garbage, so that what lies behind the signature is reached.
    #[test]
    fn signed_bytes_are_judged(ring in any_ring(), cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4)) {
        let mut data = codec::write(&ring);
        for (at, byte) in cuts {
            let at = at.index(data.len());
            data[at] = byte;
        }
        let master = master();
        let context = format!("AKSv2 keystore: key ring signature: {}", ring.path);
        let file = signed::write(data, signed::Content::KeyRing, UtcTime::new(0), &context, master.signature()).unwrap();
        if let Ok((mut ring, _)) = KeyRing::read(ring.path(), &file, &master) {
            let _ = (ring.rotated().len(), ring.destroy(1), ring.destroy(2));
            let _ = ring.extend(&imported(&[1]), &master, &mut rand::rng());
        }
    }
}
