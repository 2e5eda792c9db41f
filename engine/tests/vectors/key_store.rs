//! Master keys, and key files of a key store v1.

use super::{File, Vector, hex};
use acra_engine::crypto::secure_cell;
use acra_engine::keys::v1::{self, TimeStamp};
use acra_engine::keys::{ClientId, MasterKey, MasterKeys};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

fn master_key(bytes: &[u8]) -> MasterKey {
    MasterKey::from_base64(&STANDARD.encode(bytes)).unwrap()
}

#[test]
fn master_keys() {
    let file = File::read("master_key.json");
    let mut run = 0;
    for vector in file.vectors("master_key_v1.parse") {
        let result = MasterKey::from_base64(vector.text("ACRA_MASTER_KEY"));
        vector.check("output", result.map(|key| key.as_bytes().to_vec()));
        run += 1;
    }
    for vector in file.vectors("master_key_v2.parse") {
        match MasterKeys::from_base64(vector.text("ACRA_MASTER_KEY")) {
            Ok(keys) => {
                assert!(!vector.must_fail(), "{}: must fail", vector.name());
                assert_eq!(keys.encryption().as_bytes(), vector.expected("encryption"));
                assert_eq!(keys.signature().as_bytes(), vector.expected("signature"));
                let content = vector.text("file_content").as_bytes();
                assert_eq!(keys.to_json().as_bytes(), content);
            }
            Err(_) => assert!(vector.must_fail(), "{}", vector.name()),
        }
        run += 1;
    }
    assert_eq!((run, file.len()), (12, 12));
}

/// Opens a key file by its name and checks context and content.
fn check_sealed(vector: Vector<'_>, master: &MasterKey, name: &str, content: &[u8]) {
    assert!(!v1::is_public(name), "{name}");
    assert_eq!(vector.0["expect"]["context"], v1::context(name));
    let key = v1::open(master, name, content);
    vector.check("decrypts_to", key.map(|key| key.as_bytes().to_vec()));
}

#[test]
fn key_files() {
    let file = File::read("keystore_v1.json");
    let master = master_key(&hex(&file.0["master_key"]));
    let mut run = 0;
    for vector in file.vectors("keystore_v1.sealed_file") {
        check_sealed(vector, &master, vector.text("path"), &vector.bytes("file"));
        run += 1;
    }
    for vector in file.vectors("keystore_v1.public_file") {
        assert!(v1::is_public(vector.text("path")));
        assert_eq!(vector.bytes("file"), vector.expected("output"));
        run += 1;
    }
    for vector in file.vectors("keystore_v1.generations") {
        let mut old: Vec<&str> = vector.0["in"]["files"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|file| file.as_str())
            .collect();
        old.retain(|file| *file != vector.text("path"));
        let directory = v1::old_directory(vector.text("path"));
        let time = |file: &str| {
            TimeStamp::parse(
                file.strip_prefix(&directory)
                    .unwrap()
                    .strip_prefix('/')
                    .unwrap(),
            )
            .unwrap()
        };
        old.sort_by_key(|file| std::cmp::Reverse(time(file)));
        old.insert(0, vector.text("path"));
        assert_eq!(vector.0["expect"]["newest_first"], serde_json::json!(old));
        run += 1;
    }
    for vector in file.vectors("secure_cell_seal.decrypt") {
        let mut out = Vec::new();
        let (key, context) = (vector.bytes("key"), vector.bytes("context"));
        let result = secure_cell::open(&key, &context, &vector.bytes("cell"), &mut out);
        vector.check("decrypts_to", result.map(|()| out));
        run += 1;
    }
    for vector in file.vectors("keystore_v1.redis_sealed") {
        let name = vector.text("redis_key").strip_prefix(".acrakeys/").unwrap();
        let content = STANDARD.decode(vector.text("redis_value")).unwrap();
        check_sealed(
            vector,
            &master_key(&vector.bytes("master_key")),
            name,
            &content,
        );
        run += 1;
    }
    for vector in file.vectors("keystore_v1.redis_public") {
        assert!(v1::is_public(vector.text("redis_key")));
        assert_eq!(
            STANDARD.decode(vector.text("redis_value")).unwrap(),
            vector.expected("output")
        );
        run += 1;
    }
    assert_eq!((run, file.len()), (47, 47));
}

#[test]
fn client_ids() {
    let file = File::read("client_id.json");
    let mut run = 0;
    for vector in file.vectors("client_id.validate") {
        let id = String::from_utf8(vector.bytes("id"));
        let valid = id.is_ok_and(|id| ClientId::new(&id).is_ok());
        assert_eq!(valid, !vector.must_fail(), "{}", vector.name());
        run += 1;
    }
    // The rest is about certificates.
    assert_eq!((run, file.len()), (12, 41));
}
