//! Masked values on their way to the client.

use super::{File, containers};
use acra_engine::cell::{Kind, Opener, Scratch, Tally, open};
use acra_engine::keys::ClientKeys;
use acra_engine::wire::pg::Format;

#[test]
fn cells() {
    let file = File::read("masking.json");
    let keys = &file.0["keys"];
    let keys = ClientKeys {
        symmetric: containers::keys(&keys["storage_symmetric_newest_first"]),
        private: containers::private_keys(&keys["storage_private_newest_first"]),
        public: None,
        search: None,
    };
    let mut run = 0;
    for vector in file.vectors("masked_value.read") {
        let mut opener = Opener {
            keys: &keys,
            poison: None,
            is_poisoned: false,
            pattern: Some(vector.text("pattern").as_bytes()),
            searches: false,
            tally: &mut Tally::default(),
        };
        let mut scratch = Scratch::default();
        let cell = vector.bytes("cell");
        let opened = open(
            &cell,
            Kind::Bytes,
            Format::Binary,
            &mut opener,
            &mut scratch,
        );
        assert!(opened, "{}", vector.name());
        assert_eq!(
            scratch.plain,
            vector.expected("output"),
            "{}",
            vector.name()
        );
        assert_eq!(vector.0["expect"]["decrypted"], true, "{}", vector.name());
        run += 1;
    }
    assert_eq!((run, file.len()), (12, 12));
}
