//! Hashes of searchable columns.

use super::File;
use super::detection::Keys;
use acra_engine::crypto::detect::Scan;
use acra_engine::crypto::search_hash::{SearchKey, read};
use acra_engine::crypto::{Secret, container};

#[test]
fn search_hashes() {
    let file = File::read("search_hash.json");
    let keys = &file.0["keys"];
    let mut run = 0;
    for vector in file.vectors("search_hash") {
        let key = SearchKey::new(Secret::from(vector.bytes("key")));
        let hash = key.hash(&vector.bytes("data")).unwrap();
        assert_eq!(hash.to_vec(), vector.expected("output"));
        assert!(key.verify(&hash, &vector.bytes("data")));
        assert!(!key.verify(&hash, b"another value"));
        run += 1;
    }
    let key = SearchKey::new(Secret::from(super::hex(&keys["search_hmac"])));
    let mut opener = Keys::of(keys, "storage");
    for vector in file.vectors("search_value.read") {
        let (cell, mut out) = (vector.bytes("cell"), b"kept".to_vec());
        let opened = read(&cell, Some(&key), &mut opener, &mut out) == Scan::Opened;
        assert_eq!(
            opened,
            vector.0["expect"]["decrypted"] == true,
            "{}",
            vector.name()
        );
        let result = if opened { &out[4..] } else { &cell };
        assert_eq!(result, vector.expected("output"), "{}", vector.name());
        assert!(opened || out == b"kept");
        if vector.0["in"].get("written_input").is_some() {
            assert!(container::is_container(&vector.bytes("written_input")));
            assert_eq!(cell[33..], vector.bytes("written_input"));
        }
        let without = read(&cell, None, &mut opener, &mut Vec::new());
        assert!(without == Scan::Untouched || cell[0] != 0x7f);
        run += 1;
    }
    assert_eq!((run, file.len()), (15, 15));
}
