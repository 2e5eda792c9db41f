//! Poison records: containers under keys that no client has.

use super::detection::Keys;
use super::{File, Fixed};
use acra_engine::crypto::container::Envelope;
use acra_engine::crypto::detect::{Opener, Scan, scan};
use acra_engine::crypto::{BlockKey, Secret, container};

/// Poison check first, which leaves the container as it is; then opening with the client's keys.
struct Watch {
    poison: Keys,
    client: Keys,
    found: Vec<Vec<u8>>,
}

impl Opener for Watch {
    fn open(&mut self, envelope: Envelope, inner: &[u8], out: &mut Vec<u8>) -> bool {
        let mut plain = Vec::new();
        if self.poison.open(envelope, inner, &mut plain) {
            self.found.push(plain);
        }
        self.client.open(envelope, inner, out)
    }
}

#[test]
fn poison_records() {
    let file = File::read("poison_records.json");
    let keys = &file.0["keys"];
    let mut run = 0;
    for vector in file.vectors("poison_record.detect") {
        let mut watch = Watch {
            poison: Keys::of(keys, "poison"),
            client: Keys::of(keys, "storage"),
            found: Vec::new(),
        };
        let (cell, mut out) = (vector.bytes("cell"), Vec::new());
        let opened = scan(&cell, &mut watch, &mut out) == Scan::Opened;
        let expect = &vector.0["expect"];
        let poison = expect["poison"] == true;
        assert_eq!(!watch.found.is_empty(), poison, "{}", vector.name());
        if let Some(output) = expect.get("output") {
            let result = if opened { &out } else { &cell };
            assert_eq!(*result, super::hex(output), "{}", vector.name());
        }
        if let Some(plain) = expect.get("decrypts_to") {
            assert_eq!(watch.found, [super::hex(plain)], "{}", vector.name());
        }
        run += 1;
    }
    for vector in file.vectors("poison_record.create") {
        assert_eq!(vector.text("type"), "acrablock");
        let length = vector.0["in"]["data_length"].as_u64().unwrap() as usize;
        let key = BlockKey::new(Secret::from(vec![1; 32])).unwrap();
        let mut out = Vec::new();
        let result =
            container::seal_block(&key, &mut Fixed(vec![2; 56]), &vec![3; length], &mut out);
        vector.check("output", result.map(|()| out));
        run += 1;
    }
    assert_eq!((run, file.len()), (21, 21));
}
