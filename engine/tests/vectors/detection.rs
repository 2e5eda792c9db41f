//! Finding containers in cells.

use super::File;
use acra_engine::crypto::container::Envelope;
use acra_engine::crypto::detect::{Opener, Scan, scan};
use acra_engine::crypto::{BlockKey, acrablock, container};

/// Opens AcraBlocks with keys, and AcraStructs by a list of known ones.
struct Known {
    keys: Vec<BlockKey>,
    structs: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Opener for Known {
    fn open(&mut self, envelope: Envelope, inner: &[u8], out: &mut Vec<u8>) -> bool {
        match envelope {
            Envelope::AcraBlock => acrablock::open(&self.keys, inner, out).is_ok(),
            Envelope::AcraStruct => {
                let known = self.structs.iter().find(|(sealed, _)| sealed == inner);
                known.inspect(|(_, plain)| out.extend(plain)).is_some()
            }
        }
    }
}

#[test]
fn cells() {
    let file = File::read("detection.json");
    // A cell that is nothing but an AcraStruct says what is in it; other cells repeat the same ones.
    let structs = file
        .vectors("cell.scan")
        .filter(|vector| vector.0["expect"]["decrypted"] == true)
        .filter_map(|vector| {
            let cell = vector.bytes("cell");
            let (envelope, inner) = container::parse(&cell).ok()?;
            let whole = [inner.len(), container::HEADER + inner.len()].contains(&cell.len());
            (whole && envelope == Envelope::AcraStruct)
                .then(|| (inner.to_vec(), vector.expected("output")))
        });
    let mut opener = Known {
        keys: super::containers::keys(&file.0["keys"]["storage_symmetric_newest_first"]),
        structs: structs.collect(),
    };
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
}
