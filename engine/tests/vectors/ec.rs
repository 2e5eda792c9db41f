//! Elliptic-curve keys and Secure Messages.

use super::{File, Vector};
use acra_engine::crypto::ec::{PrivateKey, PublicKey};
use acra_engine::crypto::{CryptoError, secure_message};

/// Checks a public key against the coordinates that it should have: those must be a point, and the same one.
fn check_point(vector: Vector<'_>, key: &PublicKey) {
    let (x, y) = (vector.expected("x"), vector.expected("y"));
    let container = key.to_container();
    assert_eq!((&container[..4], container.len()), (&b"UEC2"[..], 45));
    assert_eq!(container[13..], x, "{}", vector.name());
    assert_eq!(container[12], 2 | (y[31] & 1), "{}", vector.name());
    assert_eq!(*key, PublicKey::from_container(&container).unwrap());
}

fn scalar(key: &PrivateKey) -> Vec<u8> {
    let container = key.to_container().unwrap();
    let bytes = container.as_bytes();
    assert_eq!((&bytes[..4], bytes[12], bytes.len()), (&b"REC2"[..], 0, 45));
    bytes[13..].to_vec()
}

#[test]
fn keys() {
    let file = File::read("ec_keys.json");
    let mut run = 0;
    for vector in file.vectors("ec_key_pair.parse") {
        let private = PrivateKey::from_container(&vector.bytes("private")).unwrap();
        let public = PublicKey::from_container(&vector.bytes("public")).unwrap();
        assert_eq!(scalar(&private), vector.expected("scalar"));
        check_point(vector, &public);
        assert_eq!(private.public().unwrap(), public, "{}", vector.name());
        run += 1;
    }
    for vector in file.vectors("ec_public_key.parse") {
        let key = PublicKey::from_container(&vector.bytes("public"));
        match &key {
            Ok(key) if !vector.must_fail() => check_point(vector, key),
            key => assert_eq!(key.is_err(), vector.must_fail(), "{}", vector.name()),
        }
        run += 1;
    }
    for vector in file.vectors("ec_private_key.parse") {
        let key = PrivateKey::from_container(&vector.bytes("private"));
        vector.check("scalar", key.map(|key| scalar(&key)));
        run += 1;
    }
    for vector in file.vectors("ecdh") {
        let private = PrivateKey::from_container(&vector.bytes("private")).unwrap();
        let peer = PublicKey::from_container(&vector.bytes("peer_public")).unwrap();
        vector.check("output", private.agree(&peer).map(|secret| secret.to_vec()));
        run += 1;
    }
    assert_eq!((run, file.len()), (41, 41));
}

#[test]
fn secure_messages() {
    let file = File::read("secure_message.json");
    let mut run = 0;
    for vector in file.vectors("secure_message.decrypt") {
        let mut out = b"kept".to_vec();
        let mut open = || -> Result<(), CryptoError> {
            let private = PrivateKey::from_container(&vector.bytes("private"))?;
            let peer = PublicKey::from_container(&vector.bytes("peer_public"))?;
            secure_message::open(&private, &peer, &vector.bytes("message"), &mut out)
        };
        let result = open();
        assert!(result.is_ok() || out == b"kept");
        vector.check("decrypts_to", result.map(|()| out.split_off(4)));
        run += 1;
    }
    assert_eq!((run, file.len()), (38, 38));
}
