//! acra-poisonrecordmaker (cli.md 15, tools.md 4).

use crate::support::{MASTER, Place};
use acra_engine::crypto::container::{self, Envelope};
use acra_engine::crypto::{acrablock, acrastruct};
use acra_stores::KeyStore;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The container that was printed.
fn record(line: &str) -> Vec<u8> {
    STANDARD.decode(line.strip_suffix('\n').unwrap()).unwrap()
}

fn store(place: &Place) -> KeyStore {
    KeyStore::open(&place.path(".acrakeys"), None, Some(MASTER)).unwrap()
}

#[test]
fn a_struct_is_for_the_poison_pair() {
    let place = Place::new();
    for length in [1, 1000] {
        let made = place.poison(&[&format!("--data_length={length}")]);
        assert_eq!(made.log, "");
        let record = record(made.good());
        let (envelope, inner) = container::parse(&record).unwrap();
        assert_eq!(envelope, Envelope::AcraStruct);
        let mut payload = Vec::new();
        let keys = store(&place).load_poison().unwrap();
        // The key is made once.
        assert_eq!(keys.private.len(), 1);
        acrastruct::open(&keys.private, inner, &mut payload).unwrap();
        assert_eq!(payload.len(), length);
    }
    assert_eq!(
        place.files(".acrakeys"),
        [".poison_key/poison_key", ".poison_key/poison_key.pub"]
    );
}

#[test]
fn a_block_is_for_the_symmetric_poison_key() {
    let place = Place::with_keys();
    let before = place.files(".acrakeys");
    for _ in 0..5 {
        let made = place.poison(&["--type=acrablock"]);
        let record = record(made.good());
        let (envelope, inner) = container::parse(&record).unwrap();
        assert_eq!(envelope, Envelope::AcraBlock);
        let mut payload = Vec::new();
        let keys = store(&place).load_poison().unwrap();
        acrablock::open(&keys.symmetric, inner, &mut payload).unwrap();
        assert!((1..=99).contains(&payload.len()));
    }
    assert_eq!(place.files(".acrakeys"), before);
}

#[test]
fn wrong_flags_make_no_key() {
    let place = Place::new();
    for flags in [
        &["--data_length=0"][..],
        &["--data_length=-2"],
        &["--data_length=9223372036854775807"],
        &["--data_length=4294967295"],
    ] {
        place.poison(flags).failed(&[
            "level=error msg=\"Can't create poison record\" error=\"invalid data length\"",
        ]);
    }
    place.poison(&["--type=acra"]).failed(&[
        "level=error msg=\"Incorrect type of record. Should be used \\\"acrastruct\\\" or \\\"acrablock\\\"\"",
    ]);
    assert_eq!(place.poison(&["--nope"]).code, 2);
    assert!(place.files("").is_empty());
}

#[test]
fn keys_that_cannot_be_had_stay() {
    let place = Place::with_keys();
    place.write(".acrakeys/.poison_key/poison_key_sym", "damaged");
    place
        .poison(&["--type=acrablock"])
        .failed(&["Can't create poison record", "poison_key_sym is damaged"]);
    std::fs::remove_file(place.path(".acrakeys/.poison_key/poison_key.pub")).unwrap();
    place
        .poison(&[])
        .failed(&["Can't create poison record", "poison_key.pub"]);
    place.set_mode(".acrakeys/.poison_key/poison_key", 0o644);
    place
        .poison(&[])
        .failed(&["Can't create poison record", "incorrect permissions 0644"]);
    let left = place.files(".acrakeys/.poison_key");
    assert_eq!(left, ["poison_key", "poison_key_sym"]);
    let tool = env!("CARGO_BIN_EXE_acra-poisonrecordmaker");
    place.run(tool, None, &[]).failed(&[
        "level=error msg=\"Can't init keystore\"",
        "master key is empty",
    ]);
}
