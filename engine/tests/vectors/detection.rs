//! Finding containers in cells.

use super::File;
use acra_engine::crypto::PrivateKey;
use acra_engine::crypto::container::Envelope;
use acra_engine::crypto::detect::{Opener, Scan, scan};
use acra_engine::crypto::{BlockKey, acrablock, acrastruct};
use serde_json::Value;

/// Opens containers with keys.
pub(super) struct Keys {
    symmetric: Vec<BlockKey>,
    private: Vec<PrivateKey>,
    structs: u32,
}

impl Keys {
    /// The keys of a file of vectors whose names begin with `whose`.
    pub(super) fn of(keys: &Value, whose: &str) -> Self {
        let list = |kind| &keys[format!("{whose}_{kind}_newest_first")];
        Self {
            symmetric: super::containers::keys(list("symmetric")),
            private: super::containers::private_keys(list("private")),
            structs: 0,
        }
    }
}

impl Opener for Keys {
    fn open(&mut self, envelope: Envelope, inner: &[u8], out: &mut Vec<u8>) -> bool {
        match envelope {
            Envelope::AcraBlock => acrablock::open(&self.symmetric, inner, out).is_ok(),
            Envelope::AcraStruct => {
                let opened = acrastruct::open(&self.private, inner, out).is_ok();
                self.structs += u32::from(opened);
                opened
            }
        }
    }
}

#[test]
fn cells() {
    let file = File::read("detection.json");
    let mut opener = Keys::of(&file.0["keys"], "storage");
    let mut run = 0;
    for vector in file.vectors("cell.scan") {
        let cell = vector.bytes("cell");
        let mut out = b"kept".to_vec();
        let state = scan(&cell, &mut opener, &mut out);
        let decrypted = vector.0["expect"]["decrypted"] == true;
        assert_eq!(state == Scan::Opened, decrypted, "{}", vector.name());
        let result = if decrypted { &out[4..] } else { &cell };
        assert_eq!(result, vector.expected("output"), "{}", vector.name());
        assert!(decrypted || out == b"kept", "{}", vector.name());
        run += 1;
    }
    assert_eq!((run, file.len()), (89, 89));
    assert_eq!(opener.structs, 14, "AcraStructs that were opened");
}
