//! Key derivation and the modes of the Secure Cell.

use super::{File, Fixed};
use acra_engine::crypto::kdf;
use acra_engine::crypto::secure_cell::{self, imprint, passphrase};
use serde_json::Value;

#[test]
fn key_derivation() {
    let file = File::read("soter_kdf.json");
    let mut run = 0;
    for vector in file.vectors("soter_kdf") {
        let input = &vector.0["in"];
        let contexts: Vec<Vec<u8>> = input["contexts"]
            .as_array()
            .unwrap()
            .iter()
            .map(super::hex)
            .collect();
        let contexts: Vec<&[u8]> = contexts.iter().map(Vec::as_slice).collect();
        let mut out = vec![0; input["output_length"].as_u64().unwrap() as usize];
        let label = vector.text("label");
        let result = match &input["key"] {
            Value::Null => kdf::derive_without_key(label, &contexts, &mut out),
            key => kdf::derive(&super::hex(key), label, &contexts, &mut out),
        };
        vector.check("output", result.map(|()| out));
        run += 1;
    }
    assert_eq!((run, file.len()), (13, 13));
}

#[test]
fn seal_mode() {
    let file = File::read("secure_cell_seal.json");
    let mut run = 0;
    for vector in file.vectors("secure_cell_seal.decrypt") {
        let mut out = Vec::new();
        let (key, context) = (vector.bytes("key"), vector.bytes("context"));
        let result = secure_cell::open(&key, &context, &vector.bytes("cell"), &mut out);
        assert!(result.is_ok() || out.is_empty());
        vector.check("decrypts_to", result.map(|()| out));
        run += 1;
    }
    for vector in file.vectors("secure_cell_seal.encrypt") {
        let mut out = Vec::new();
        let iv = vector.0["in"].get("iv").map(super::hex).unwrap_or_default();
        let (key, context) = (vector.bytes("key"), vector.bytes("context"));
        let result = secure_cell::seal(
            &mut Fixed(iv),
            &key,
            &context,
            &vector.bytes("message"),
            &mut out,
        );
        vector.check("output", result.map(|()| out));
        run += 1;
    }
    assert_eq!((run, file.len()), (74, 74));
}

#[test]
fn other_modes() {
    let file = File::read("secure_cell_other_modes.json");
    let mut run = 0;
    for vector in file.vectors("secure_cell_token_protect.decrypt") {
        let mut out = Vec::new();
        let (key, context) = (vector.bytes("key"), vector.bytes("context"));
        let (token, ciphertext) = (vector.bytes("token"), vector.bytes("ciphertext"));
        let result = secure_cell::unprotect(&key, &context, &token, &ciphertext, &mut out);
        vector.check("decrypts_to", result.map(|()| out));
        run += 1;
    }
    for vector in file.vectors("secure_cell_context_imprint") {
        let mut message = vector.bytes("message");
        let result = imprint::apply(&vector.bytes("key"), &vector.bytes("context"), &mut message);
        vector.check("output", result.map(|()| message));
        run += 1;
    }
    for vector in file.vectors("secure_cell_seal_passphrase.decrypt") {
        let mut out = Vec::new();
        let (phrase, context) = (vector.bytes("passphrase"), vector.bytes("context"));
        let result = passphrase::open(&phrase, &context, &vector.bytes("cell"), &mut out);
        vector.check("decrypts_to", result.map(|()| out));
        run += 1;
    }
    assert_eq!((run, file.len()), (17, 17));
}
