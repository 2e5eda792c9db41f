//! Key rings and bundles of a key store v2.

use super::{File, Vector, hex};
use acra_engine::crypto::Secret;
use acra_engine::keys::MasterKeys;
use acra_engine::keys::v1::VERSION_2;
use acra_engine::keys::v2::{Format, KeyRing, RingError, RingPath, Sealed, UtcTime, open_bundle};
use serde_json::Value;

/// Master keys of these bytes, which are read as JSON like any others.
fn master(encryption: &Value, signature: &Value) -> MasterKeys {
    let base64 = |bytes: &Value| {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(hex(bytes))
    };
    let (encryption, signature) = (base64(encryption), base64(signature));
    let json = format!(r#"{{"encryption":"{encryption}","signature":"{signature}"}}"#);
    MasterKeys::from_json(json.as_bytes()).unwrap()
}

/// Opens a ring and all of its keys.
fn open(
    vector: Vector<'_>,
    master: &MasterKeys,
) -> Result<(KeyRing<Sealed>, KeyRing<Secret>, UtcTime), RingError> {
    let path = RingPath::parse(vector.text("path")).unwrap();
    let (ring, written) = KeyRing::read(&path, &vector.bytes("file"), master)?;
    let opened = ring.open_all(master)?;
    Ok((ring, opened, written))
}

fn time(value: &Value) -> UtcTime {
    UtcTime::parse(value.as_str().unwrap().as_bytes()).unwrap()
}

/// Compares a ring with what is expected, and its keys with those that this key store opens one by one.
fn check_ring(ring: &KeyRing<Sealed>, master: &MasterKeys, expected: &Value) {
    assert_eq!(expected["purpose"], ring.path().as_str());
    assert_eq!(expected["current"], ring.current_seqnum().unwrap_or(-1));
    let keys = expected["keys"].as_array().unwrap();
    assert_eq!(keys.len(), ring.keys().len());
    for (key, expected) in ring.keys().iter().zip(keys) {
        assert_eq!(expected["seqnum"], key.seqnum());
        assert_eq!(expected["state"] == 6, key.is_destroyed());
        if expected.get("valid_since").is_some() {
            assert_eq!(time(&expected["valid_since"]), key.valid_since());
            assert_eq!(time(&expected["valid_until"]), key.valid_until());
        }
        let data = expected["data"].as_array().unwrap();
        assert_eq!(data.len(), usize::from(!key.is_destroyed()));
        for data in data {
            match data["format"].as_i64().unwrap() {
                1 => {
                    let own = key.data(Format::PAIR).unwrap();
                    assert_eq!(own.public().unwrap(), hex(&data["public"]));
                    let private = ring.private(key, master).ok();
                    let private = private.as_ref().map(Secret::as_bytes);
                    assert_eq!(private, data.get("private").map(hex).as_deref());
                }
                3 => {
                    let own = ring.symmetric(key, master).unwrap();
                    assert_eq!(own.as_bytes(), hex(&data["symmetric"]));
                }
                format => panic!("format {format}"),
            }
        }
    }
}

#[test]
fn rings() {
    let file = File::read("keystore_v2.json");
    let mut run = 0;
    for vector in file.vectors("keystore_v2.ring") {
        let own = |name| vector.0["in"].get(name).unwrap_or(&file.0[name]);
        let master = master(own("encryption_key"), own("signature_key"));
        match open(vector, &master) {
            Ok((ring, _, written)) => {
                assert!(!vector.must_fail(), "{}: must fail", vector.name());
                let expected = &vector.0["expect"];
                check_ring(&ring, &master, expected);
                assert_eq!(time(&expected["last_modified"]), written);
                // What Acra wrote in UTC is written again to the byte.
                if expected["last_modified"].as_str().unwrap().ends_with('Z') {
                    let again = ring.write(written, &master).unwrap();
                    assert_eq!(again, vector.bytes("file"), "{}", vector.name());
                }
            }
            Err(error) => assert!(vector.must_fail(), "{}: {error}", vector.name()),
        }
        run += 1;
    }
    for vector in file.vectors("keystore_v2.version") {
        let is_version_2 = vector.bytes("file") == VERSION_2;
        assert_eq!(is_version_2, !vector.must_fail(), "{}", vector.name());
        run += 1;
    }
    assert_eq!((run, file.len()), (34, 34));
}

#[test]
fn bundles() {
    let file = File::read("key_bundles.json");
    let mut run = 0;
    for vector in file.vectors("bundle_v2.open") {
        let master = MasterKeys::from_json(vector.text("secret").as_bytes()).unwrap();
        match open_bundle(&vector.bytes("data"), &master) {
            Ok(rings) => {
                assert!(!vector.must_fail(), "{}: must fail", vector.name());
                let expected = vector.0["expect"]["rings"].as_array().unwrap();
                assert_eq!(rings.len(), expected.len());
                for (ring, expected) in rings.iter().zip(expected) {
                    let sealed = ring.seal(&master, &mut rand::rng()).unwrap();
                    check_ring(&sealed, &master, expected);
                }
            }
            Err(error) => assert!(vector.must_fail(), "{}: {error}", vector.name()),
        }
        run += 1;
    }
    // The rest is of key stores v1.
    assert_eq!((run, file.len()), (9, 21));
}
