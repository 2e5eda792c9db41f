//! Tokens and the records of token stores.

use super::{File, Vector, hex};
use acra_engine::crypto::{BlockKey, Secret, acrablock};
use acra_engine::keys::{ClientId, ClientKeys};
use acra_engine::tokens::{
    Batch, EntryKey, Metadata, Operation, Owner, Reply, StoreCall, TokenFault, TokenRequest,
    TokenType, TokenValue, context_digest, data_id, encode, open_hash, open_token,
};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::Value;
use std::sync::Arc;

fn token_type(vector: Vector<'_>) -> TokenType {
    match vector.0["in"]["type"].as_u64().unwrap() {
        1 => TokenType::Int32,
        2 => TokenType::Int64,
        3 => TokenType::Str,
        4 => TokenType::Bytes,
        5 => TokenType::Email,
        other => panic!("type {other}"),
    }
}

/// A value or a token as an application sees it: of type `bytes` it is given in hexadecimal.
fn text(vector: Vector<'_>, name: &str) -> Vec<u8> {
    match token_type(vector) {
        TokenType::Bytes => vector.bytes(name),
        _ => vector.text(name).as_bytes().to_vec(),
    }
}

fn keys(list: &Value) -> Vec<BlockKey> {
    let keys = list.as_array().unwrap().iter();
    keys.map(|key| BlockKey::new(Secret::from(hex(key))).unwrap())
        .collect()
}

#[test]
fn names_and_messages() {
    let file = File::read("tokens.json");
    let mut run = 0;
    for vector in file.vectors("token.context_digest") {
        let zone = vector.0["in"]["additional_context"].as_str();
        let owner = zone.map_or_else(|| Owner::Client(vector.text("client_id")), Owner::Zone);
        assert_eq!(context_digest(owner).to_vec(), vector.expected("output"));
        run += 1;
    }
    for vector in file.vectors("token.data_id") {
        let owner = String::from_utf8(vector.bytes("owner")).unwrap();
        let owner = match owner.strip_prefix("zone") {
            Some(zone) => Owner::Zone(zone),
            None => Owner::Client(owner.strip_prefix("client").unwrap()),
        };
        let id = data_id(&vector.bytes("bytes"), owner, token_type(vector));
        assert_eq!(id.to_vec(), vector.expected("output"), "{}", vector.name());
        run += 1;
    }
    for vector in file.vectors("token.value") {
        let (value, mut out) = (vector.bytes("value"), Vec::new());
        let message = TokenValue {
            value: &value,
            type_id: vector.0["in"]["type"].as_u64().unwrap(),
        };
        message.write(&mut out);
        assert_eq!(out, vector.expected("output"), "{}", vector.name());
        assert_eq!(TokenValue::read(&out), Ok(message));
        run += 1;
    }
    for vector in file.vectors("token.metadata") {
        let (data, number) = (vector.bytes("data"), |name: &str| {
            vector.0["in"][name].as_i64().unwrap()
        });
        let message = Metadata {
            data: &data,
            created: number("created"),
            accessed: number("accessed"),
            disabled: vector.0["in"]["disabled"] == true,
        };
        let out = message.to_bytes();
        assert_eq!(out, vector.expected("output"), "{}", vector.name());
        assert_eq!(Metadata::read(&out), Ok(message));
        run += 1;
    }
    // The others are below, and the file of Bolt in the package of the stores.
    assert_eq!((run, file.len()), (14, 47));
}

#[test]
fn records_of_acra() {
    let file = File::read("tokens.json");
    let keys = keys(&file.0["keys"]["storage_symmetric_newest_first"]);
    let mut run = 0;
    for vector in file.vectors("token.entry") {
        let (client, token_type) = (vector.text("client_id"), token_type(vector));
        let owner = Owner::Client(client);
        let is_hash = vector.name().ends_with("-hash-entry");
        let (token, value) = (text(vector, "token"), text(vector, "value"));
        let encoded = |text| encode(token_type, text).unwrap();
        assert_eq!(encoded(&token), vector.bytes("token_encoded"));
        assert_eq!(encoded(&value), vector.bytes("value_encoded"));
        let key = match is_hash {
            true => EntryKey::of_value(&encoded(&value), owner, token_type),
            false => EntryKey::of_token(&encoded(&token), owner, token_type),
        };
        assert_eq!(key.entry.to_vec(), vector.expected("entry_key"));

        let record = vector.expected("entry_value");
        let metadata = Metadata::read(&record).unwrap();
        assert_eq!(metadata.to_bytes(), record);
        let expected = &vector.0["expect"];
        assert_eq!(metadata.data, vector.expected("acrablock"));
        assert_eq!(
            (metadata.created, metadata.accessed, metadata.disabled),
            (
                expected["created"].as_i64().unwrap(),
                expected["accessed"].as_i64().unwrap(),
                expected["disabled"] == true
            )
        );
        let mut payload = Vec::new();
        acrablock::open_with_context(&keys, client.as_bytes(), metadata.data, &mut payload)
            .unwrap();
        assert_eq!(payload, vector.expected("payload"));

        let client = ClientId::new(client).unwrap();
        let (opened, expected) = match is_hash {
            true => (open_hash(metadata.data, token_type, &keys, &client), token),
            false => (open_token(metadata.data, token_type, &keys, &client), value),
        };
        assert_eq!(opened, Some(expected), "{}", vector.name());
        run += 1;
    }
    for vector in file.vectors("acrablock.decrypt") {
        let keys = self::keys(&vector.0["in"]["symmetric_keys"]);
        let mut out = Vec::new();
        let (context, data) = (vector.bytes("context"), vector.bytes("data"));
        let opened = acrablock::open_with_context(&keys, &context, &data, &mut out);
        vector.check("output", opened.map(|()| out));
        run += 1;
    }
    assert_eq!(run, 31);
}

#[test]
fn a_token_in_use_is_not_given_out_again() {
    let file = File::read("tokens.json");
    let mut run = 0;
    for vector in file.vectors("token.random") {
        let in_use = vector.0["in"]["existing_tokens"].as_array().unwrap();
        assert_eq!(in_use.len(), 1);
        let client = ClientId::new("client-alpha").unwrap();
        let list = &file.0["keys"]["storage_symmetric_newest_first"];
        let keys = ClientKeys {
            symmetric: keys(list),
            ..ClientKeys::default()
        };
        let request = TokenRequest {
            client_id: client.clone(),
            token_type: token_type(vector),
            operation: Operation::Random,
            value: text(vector, "value"),
        };
        let keyring = vec![(client, Ok(Arc::new(keys)))];
        let mut batch = Batch::new(&[request], keyring, 0);
        let mut rng = StdRng::seed_from_u64(1);
        loop {
            let calls = batch.calls(&mut rng);
            let saves = |call: &StoreCall| matches!(call, StoreCall::Save(..));
            assert!(calls.iter().all(saves));
            if calls.is_empty() {
                break;
            }
            batch.replies(vec![Reply::Saved(false); calls.len()]);
        }
        let outcome = batch.outcomes().remove(0);
        assert_eq!(outcome, Err(TokenFault::Exhausted));
        let why = vector.0["expect"]["why"].as_str().unwrap();
        assert_eq!(TokenFault::Exhausted.to_string(), why);
        run += 1;
    }
    assert_eq!(run, 1);
}
