//! AcraStructs of X25519 key pairs against other implementations: in one direction pyca/cryptography (`x25519.py`), in
//! the other aws-lc-rs.

use super::{File, hex};
use acra_engine::crypto::{KeyPairType, PrivateKey, PublicKey, acrastruct, secure_cell};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, UnparsedPublicKey, X25519};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::Value;

fn private_keys(file: &Value) -> Vec<PrivateKey> {
    let key = |key| PrivateKey::from_container(&hex(key)).unwrap();
    let keys = file["private"].as_array().unwrap();
    keys.iter().map(key).collect()
}

#[test]
fn what_others_made_is_read() {
    let File(file) = File::read("x25519.json");
    let keys = private_keys(&file);
    for ((key, private), public) in keys
        .iter()
        .zip(file["private"].as_array().unwrap())
        .zip(file["public"].as_array().unwrap())
    {
        assert_eq!(key.to_container().unwrap().as_bytes(), hex(private));
        let public = PublicKey::from_container(&hex(public)).unwrap();
        assert_eq!(public.kind(), KeyPairType::X25519);
        assert_eq!(key.public().unwrap(), public);
    }
    let refused = file["refused_private"].as_array().unwrap();
    for vector in refused {
        assert!(
            PrivateKey::from_container(&hex(&vector["private"])).is_err(),
            "{vector}"
        );
    }
    let structs = file["acra_structs"].as_array().unwrap();
    for vector in structs {
        let (context, sealed) = (hex(&vector["context"]), hex(&vector["sealed"]));
        let mut out = Vec::new();
        acrastruct::open_with_context(&keys, &context, &sealed, &mut out).unwrap();
        assert_eq!(out, hex(&vector["plain"]));
        let owner = vector["owner"].as_u64().unwrap() as usize;
        let other = &keys[1 - owner..][..1];
        assert!(acrastruct::open_with_context(other, &context, &sealed, &mut out).is_err());
    }
    assert_eq!((keys.len(), refused.len(), structs.len()), (2, 5, 4));
}

/// The data key in an AcraStruct, by docs/containers.md and primitives that the engine does not use for it.
fn data_key(scalar: &[u8], public: &[u8], sealed: &[u8]) -> Vec<u8> {
    let (throwaway, message) = (&sealed[21..53], &sealed[53..137]);
    assert_eq!(&message[..8], b"X25\x01\x54\0\0\0");
    let own = agreement::PrivateKey::from_private_key(&X25519, scalar).unwrap();
    let peer = UnparsedPublicKey::new(&X25519, throwaway);
    let key: [u8; 32] = agreement::agree(&own, peer, (), |shared| {
        let mut key = [0; 32];
        Salt::new(HKDF_SHA256, &message[8..24])
            .extract(shared)
            .expand(
                &[b"acra-rs AcraStruct X25519 v1", throwaway, public],
                HKDF_SHA256,
            )
            .and_then(|key_material| key_material.fill(&mut key))
            .map_err(|_| ())?;
        Ok(key)
    })
    .unwrap();
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).unwrap());
    let iv = Nonce::try_assume_unique_for_key(&message[24..36]).unwrap();
    let mut key = [&message[52..], &message[36..52]].concat();
    cipher
        .open_in_place(iv, Aad::from(&message[..8]), &mut key)
        .unwrap()
        .to_vec()
}

#[test]
fn what_is_made_others_read() {
    for seed in 0..16 {
        let mut rng = StdRng::seed_from_u64(seed);
        let key = PrivateKey::generate(KeyPairType::X25519, &mut rng).unwrap();
        let (private, public) = (key.to_container().unwrap(), key.public().unwrap());
        let mut sealed = Vec::new();
        acrastruct::seal(&public, &mut rng, b"plain", &mut sealed).unwrap();
        let data_key = data_key(
            &private.as_bytes()[13..],
            &public.to_container()[13..],
            &sealed,
        );
        let mut out = Vec::new();
        secure_cell::open(&data_key, b"", &sealed[145..], &mut out).unwrap();
        assert_eq!(out, b"plain");
    }
}
