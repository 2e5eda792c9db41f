//! Files of key stores: no bytes stop a reader, and what is read and written again is the same.
//!
//! What is signed or sealed on disk is signed and sealed here, so that the readers behind the signature get the bytes.

use crate::seed::inputs;
use acra_engine::crypto::{Secret, secure_cell};
use acra_engine::keys::certificate::{self, Certificate, Extractor, der};
use acra_engine::keys::v1::{self, TimeStamp};
use acra_engine::keys::v2::{self, KeyRing, RingPath, Sealed, UtcTime};
use acra_engine::keys::{ClientId, MasterKey, MasterKeys};
use arbitrary::{Arbitrary, Unstructured};
use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::Value;
use sha2::Sha256;
use std::io;
use std::sync::LazyLock;

#[derive(Arbitrary, Debug)]
enum Input<'a> {
    Ring(Path, &'a [u8]),
    SignedRing(Path, &'a [u8]),
    Bundle(&'a [u8]),
    SealedBundle(&'a [u8]),
    BundleV1(&'a [u8]),
    KeyV1(&'a str, &'a [u8]),
    Master(&'a [u8]),
    Certificate(&'a [u8]),
    Pem(&'a [u8]),
    Name(&'a str),
}

#[derive(Arbitrary, Debug)]
enum Path {
    Symmetric,
    Pair,
    Poison,
}

impl Path {
    fn path(&self) -> RingPath {
        let text = match self {
            Self::Symmetric => "client/client-alpha/storage-sym",
            Self::Pair => "client/client-alpha/storage",
            Self::Poison => "poison-record",
        };
        RingPath::parse(text).expect("a path of a ring")
    }
}

/// Variants of [`Input`].
const VARIANTS: u64 = 10;

/// What bundles of a key store v2 are signed and sealed for.
const BUNDLE: &[u8] = b"AKSv2 keystore: exported key rings";

static MASTER: LazyLock<MasterKeys> = LazyLock::new(|| {
    let json = format!(
        r#"{{"encryption":"{}=","signature":"{}="}}"#,
        "A".repeat(43),
        "B".repeat(42) + "A"
    );
    MasterKeys::from_json(json.as_bytes()).expect("master keys")
});

/// The target.
pub fn run(data: &[u8]) {
    match Input::arbitrary_take_rest(Unstructured::new(data)) {
        Ok(Input::Ring(path, bytes)) => ring(&path.path(), bytes),
        Ok(Input::SignedRing(path, bytes)) => {
            let path = path.path();
            let context = format!("AKSv2 keystore: key ring signature: {path}");
            ring(&path, &signed(1, context.as_bytes(), bytes));
        }
        Ok(Input::Bundle(bytes)) => bundle(bytes),
        Ok(Input::SealedBundle(bytes)) => {
            let cell = sealed(MASTER.encryption().as_bytes(), BUNDLE, bytes);
            bundle(&signed(4, BUNDLE, &der::element(0x04, &cell)));
        }
        Ok(Input::BundleV1(bytes)) => bundle_v1(bytes),
        Ok(Input::KeyV1(name, bytes)) => {
            let mut rng = StdRng::seed_from_u64(2);
            let master = MasterKey::generate(&mut rng);
            let _ = v1::open(&master, name, bytes);
            let mut rng = StdRng::seed_from_u64(3);
            if let Ok(file) = v1::seal(&master, name, bytes, &mut rng) {
                let opened = v1::open(&master, name, &file).expect("what was sealed");
                assert_eq!(opened.as_bytes(), bytes);
            }
        }
        Ok(Input::Master(bytes)) => {
            if let Ok(keys) = MasterKeys::from_json(bytes) {
                assert!(MasterKeys::from_json(keys.to_json().as_bytes()).is_ok());
            }
            let text = String::from_utf8_lossy(bytes);
            let _ = MasterKeys::from_base64(&text);
            if let Ok(key) = MasterKey::from_base64(&text) {
                assert!(key.as_bytes().len() >= 32);
            }
        }
        Ok(Input::Certificate(bytes)) => of_certificate(bytes),
        Ok(Input::Pem(bytes)) => {
            if let Ok(der) = certificate::certificate_of(bytes) {
                of_certificate(&der);
            }
        }
        Ok(Input::Name(text)) => names(text),
        Err(_) => {}
    }
}

/// A signed container around an element, as on disk.
fn signed(content: u8, context: &[u8], data: &[u8]) -> Vec<u8> {
    let payload = [
        &[0x02, 1, content, 0x02, 1, 2][..],
        &der::element(0x17, b"250101000000Z"),
        data,
    ];
    let payload = der::element(0x30, &payload.concat());
    let key = MASTER.signature().as_bytes();
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("any length of key");
    let mac = mac.chain_update(context).chain_update(": ");
    let mac = mac.chain_update(&payload).finalize().into_bytes();
    // SHA-256 by its object identifier.
    let algorithm = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
    let signature = [der::element(0x06, &algorithm), der::element(0x04, &mac)].concat();
    let signatures = der::element(0x31, &der::element(0x30, &signature));
    der::element(0x30, &[payload, signatures].concat())
}

fn sealed(key: &[u8], context: &[u8], plain: &[u8]) -> Vec<u8> {
    let mut cell = Vec::new();
    let mut rng = StdRng::seed_from_u64(3);
    // Nothing is sealed of no bytes.
    let _ = secure_cell::seal(&mut rng, key, context, plain, &mut cell);
    cell
}

fn ring(path: &RingPath, file: &[u8]) {
    let Ok((ring, written)) = KeyRing::<Sealed>::read(path, file, &MASTER) else {
        return;
    };
    let again = ring.write(written, &MASTER).expect("what was read");
    let (same, then) = KeyRing::read(path, &again, &MASTER).expect("what was written");
    assert_eq!((format!("{ring:?}"), written), (format!("{same:?}"), then));
    let _ = ring.current();
    let _ = ring.rotated();
    let _ = ring.open_all(&MASTER);
    let _ = ring.public_only();
}

fn bundle(bytes: &[u8]) {
    let Ok(rings) = v2::open_bundle(bytes, &MASTER) else {
        return;
    };
    let mut rng = StdRng::seed_from_u64(4);
    let again = v2::write_bundle(&rings, UtcTime::new(0), &MASTER, &mut rng).expect("was read");
    let same = v2::open_bundle(&again, &MASTER).expect("what was written");
    assert_eq!(format!("{rings:?}"), format!("{same:?}"));
}

fn bundle_v1(bytes: &[u8]) {
    let key = [7; 32];
    let Ok(records) = v1::bundle::open(&key, &sealed(&key, b"", bytes)) else {
        return;
    };
    let mut rng = StdRng::seed_from_u64(5);
    let (bundle, secret) = v1::bundle::seal(&records, &mut rng).expect("what was read");
    let same = v1::bundle::open(secret.as_bytes(), &bundle).expect("what was written");
    let parts = |records: &[v1::bundle::Record]| {
        let content = |record: &v1::bundle::Record| record.content.as_bytes().to_vec();
        let part = |record: &v1::bundle::Record| (record.name.clone(), content(record));
        records.iter().map(part).collect::<Vec<_>>()
    };
    assert_eq!(parts(&records), parts(&same));
}

fn of_certificate(der: &[u8]) {
    for extractor in [Extractor::DistinguishedName, Extractor::SerialNumber] {
        let id = certificate::client_id(der, extractor);
        let any = certificate::extract(der, extractor);
        if let Ok(id) = id {
            assert_eq!(any.as_deref(), Ok(&*id));
            assert!(ClientId::new(&id).is_ok());
        }
    }
    if let Ok(parsed) = Certificate::parse(der) {
        let _ = certificate::subject_text(parsed.subject);
        assert!(!(parsed.is_valid_at(i64::MIN) || parsed.is_valid_at(i64::MAX)));
    }
    let _ = certificate::subject_text(der);
}

fn names(text: &str) {
    if let Some(path) = RingPath::parse(text) {
        assert_eq!(path.as_str(), text);
        assert_eq!(v2::Entry::of(&path.file()), v2::Entry::Ring(path));
    }
    let _ = v2::Entry::of(text);
    let _ = v1::Entry::of(text);
    if let Some(time) = TimeStamp::parse(text) {
        assert_eq!(TimeStamp::parse(&time.to_string()), Some(time));
        assert!(time.next() > time);
    }
    if let Some(time) = UtcTime::parse(text.as_bytes()) {
        assert_eq!(UtcTime::new(time.seconds()), time);
    }
    let _ = v1::without_generation(text);
    let _ = v1::without_old(text);
    drop(Secret::from(text.as_bytes().to_vec()));
}

/// The data of a signed container.
fn content(container: &[u8]) -> Option<&[u8]> {
    let mut payload = der::Reader::new(container)
        .inside(0x30)
        .ok()?
        .inside(0x30)
        .ok()?;
    for _ in 0..3 {
        payload.any().ok()?;
    }
    let (_, _, element) = payload.any().ok()?;
    Some(element)
}

/// An input of the variant of this number.
fn input(variant: u64, rest: &[u8]) -> Vec<u8> {
    let first = ((variant << 32).div_ceil(VARIANTS) as u32).to_le_bytes();
    [&first, rest].concat()
}

/// Seeds from the vectors of the engine: rings, bundles, master keys, certificates, names.
pub(crate) fn seeds(vectors: impl Fn(&str) -> io::Result<Vec<Value>>) -> io::Result<Vec<Vec<u8>>> {
    let mut seeds = Vec::new();
    for ring in inputs(&vectors("keystore_v2")?, "file") {
        if let Some(content) = content(&ring) {
            for path in [0, 0x5555_5556, 0xaaaa_aaab_u32] {
                seeds.push(input(1, &[&path.to_le_bytes(), content].concat()));
            }
        }
    }
    for vector in vectors("key_bundles")? {
        let [secret, data] = ["secret", "data"].map(|name| {
            let hex = vector["in"][name].as_str().unwrap_or_default();
            const_hex::decode(hex).unwrap_or_default()
        });
        let mut plain = Vec::new();
        if secure_cell::open(&secret, b"", &data, &mut plain).is_ok() {
            seeds.push(input(4, &plain));
        } else if let Ok(keys) = MasterKeys::from_json(&secret)
            && let Some(cell) = content(&data)
            && let Ok(cell) = der::Reader::new(cell).expect(0x04)
            && secure_cell::open(keys.encryption().as_bytes(), BUNDLE, cell, &mut plain).is_ok()
        {
            seeds.push(input(3, &plain));
        }
    }
    for vector in vectors("master_key")? {
        let text = vector["in"]["ACRA_MASTER_KEY"].as_str().unwrap_or_default();
        seeds.push(input(6, text.as_bytes()));
    }
    seeds.push(input(6, MASTER.to_json().as_bytes()));
    for certificate in inputs(&vectors("client_id")?, "certificate_der") {
        seeds.push(input(7, &certificate));
    }
    let pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    seeds.push(input(8, pem.as_bytes()));
    for name in [
        "client/client-alpha/storage-sym.keyring",
        "client/client-alpha/storage",
        "2024-01-02T03:04:05.678901",
        "250101000000Z",
        ".poison_key/poison_key_sym.old/2024-01-02T03:04:05.678901",
        "client_storage.pub",
    ] {
        seeds.push(input(9, name.as_bytes()));
    }
    Ok(seeds)
}
