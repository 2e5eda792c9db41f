//! AcraBlock and the serialized container.

use super::File;
use acra_engine::crypto::container::Envelope;
use acra_engine::crypto::{
    BlockKey, CryptoError, PrivateKey, PublicKey, Secret, acrablock, acrastruct, container,
};
use serde_json::Value;

/// Keys from a list of hexadecimal texts.
pub(super) fn keys(list: &Value) -> Vec<BlockKey> {
    let key = |key| BlockKey::new(Secret::from(super::hex(key))).unwrap();
    list.as_array().unwrap().iter().map(key).collect()
}

/// Private keys from a list of hexadecimal texts.
pub(super) fn private_keys(list: &Value) -> Vec<PrivateKey> {
    let key = |key| PrivateKey::from_container(&super::hex(key)).unwrap();
    list.as_array().unwrap().iter().map(key).collect()
}

#[test]
fn acrastructs() {
    let file = File::read("acrastruct.json");
    let mut run = 0;
    for vector in file.vectors("acrastruct.decrypt") {
        let keys = private_keys(&vector.0["in"]["private_keys"]);
        let (context, data) = (vector.bytes("context"), vector.bytes("data"));
        let mut out = b"kept".to_vec();
        let result = acrastruct::open_with_context(&keys, &context, &data, &mut out);
        if context.is_empty() {
            assert_eq!(acrastruct::open(&keys, &data, &mut Vec::new()), result);
        }
        assert!(result.is_ok() || out == b"kept");
        if vector.0["expect"]["why"] == "empty key list" {
            assert_eq!(result, Err(CryptoError::NoStructKeys));
        }
        vector.check("decrypts_to", result.map(|()| out.split_off(4)));
        run += 1;
    }
    for vector in file.vectors("acrastruct.parse") {
        let data = vector.bytes("data");
        let parts = acrastruct::parse(&data).unwrap();
        assert_eq!(parts.public, vector.expected("throwaway_public_key"));
        assert!(PublicKey::from_container(parts.public).is_ok());
        assert_eq!(parts.wrapped_key, vector.expected("secure_message"));
        assert_eq!(
            Some(parts.data.len() as u64),
            vector.0["expect"]["data_length"].as_u64()
        );
        assert_eq!(parts.data, vector.expected("secure_cell"));
        run += 1;
    }
    for vector in file.vectors("container.deserialize") {
        let data = vector.bytes("data");
        let (envelope, inner) = container::parse(&data).unwrap();
        assert_eq!(vec![envelope.id()], vector.expected("envelope_id"));
        assert_eq!(inner, vector.expected("inner"));
        run += 1;
    }
    assert_eq!((run, file.len()), (50, 50));
}

#[test]
fn acrablocks() {
    let file = File::read("acrablock.json");
    let mut run = 0;
    for vector in file.vectors("acrablock.decrypt") {
        let keys = keys(&vector.0["in"]["symmetric_keys"]);
        let (context, data) = (vector.bytes("context"), vector.bytes("data"));
        let mut out = b"kept".to_vec();
        let result = acrablock::open_with_context(&keys, &context, &data, &mut out);
        if context.is_empty() {
            assert_eq!(acrablock::open(&keys, &data, &mut Vec::new()), result);
        }
        assert!(result.is_ok() || out == b"kept");
        vector.check("decrypts_to", result.map(|()| out.split_off(4)));
        run += 1;
    }
    for vector in file.vectors("acrablock.key_id") {
        let key = BlockKey::new(Secret::from(vector.bytes("key"))).unwrap();
        assert_eq!(
            key.id(&vector.bytes("context")).to_vec(),
            vector.expected("output")
        );
        run += 1;
    }
    for vector in file.vectors("acrablock.parse") {
        let data = vector.bytes("data");
        let block = acrablock::parse(&data).unwrap();
        assert_eq!(block.key_id.to_vec(), vector.expected("key_id"));
        assert_eq!(block.wrapped_key, vector.expected("encrypted_key"));
        assert_eq!(block.data, vector.expected("encrypted_data"));
        assert_eq!(
            Some(block.len() as u64 - 4),
            vector.0["expect"]["rest_length"].as_u64()
        );
        run += 1;
    }
    assert_eq!((run, file.len()), (64, 64));
}

#[test]
fn serialized_containers() {
    let file = File::read("serialized_container.json");
    let keys = keys(&file.0["keys"]["storage_symmetric_newest_first"]);
    let private = private_keys(&file.0["keys"]["storage_private_newest_first"]);
    let (mut run, mut structs) = (0, 0);
    for vector in file.vectors("container.decrypt") {
        run += 1;
        let data = vector.bytes("data");
        let parsed = container::parse(&data);
        if let (Ok((envelope, inner)), false) = (parsed, vector.must_fail()) {
            assert_eq!(
                vec![envelope.id()],
                vector.expected("envelope_id"),
                "{}",
                vector.name()
            );
            assert_eq!(inner, vector.expected("inner"), "{}", vector.name());
            structs += u32::from(envelope == Envelope::AcraStruct);
        }
        let mut out = Vec::new();
        let result = parsed.and_then(|(envelope, inner)| match envelope {
            Envelope::AcraBlock => acrablock::open(&keys, inner, &mut out),
            Envelope::AcraStruct => acrastruct::open(&private, inner, &mut out),
        });
        vector.check("decrypts_to", result.map(|()| out));
    }
    for vector in file.vectors("container.serialize") {
        let envelope = Envelope::from_id(vector.bytes("envelope_id")[0]).unwrap();
        let mut out = Vec::new();
        let result = container::serialize(envelope, &vector.bytes("inner"), &mut out);
        vector.check("output", result.map(|()| out));
        run += 1;
    }
    assert_eq!((run, structs, file.len()), (53, 3, 53));
}
