//! Bundles of exported keys of a key store v1.

use super::{File, Vector};
use acra_engine::crypto::{Secret, secure_cell};
use acra_engine::keys::v1::bundle::{self, BundleError, Record};

fn records(list: &serde_json::Value) -> Vec<(String, Vec<u8>)> {
    let record = |record: &serde_json::Value| {
        let name = record["name"].as_str().unwrap().to_owned();
        (name, super::hex(&record["content"]))
    };
    list.as_array().unwrap().iter().map(record).collect()
}

fn plain(records: &[Record]) -> Vec<(String, Vec<u8>)> {
    let plain = |record: &Record| (record.name.clone(), record.content.as_bytes().to_vec());
    records.iter().map(plain).collect()
}

/// Seals records, and gives the stream that is in the bundle.
fn stream_of(records: &[(String, Vec<u8>)]) -> Vec<u8> {
    let record = |(name, content): &(String, Vec<u8>)| Record {
        name: name.clone(),
        content: Secret::from(content.clone()),
    };
    let records: Vec<Record> = records.iter().map(record).collect();
    let (data, secret) = bundle::seal(&records, &mut rand::rng()).unwrap();
    assert_eq!(secret.as_bytes().len(), 32);
    let read = bundle::open(secret.as_bytes(), &data).unwrap();
    assert_eq!(plain(&read), plain(&records));
    let mut stream = Vec::new();
    secure_cell::open(secret.as_bytes(), b"", &data, &mut stream).unwrap();
    stream
}

#[test]
fn bundles_of_acra_open_and_ours_are_the_same() {
    let file = File::read("key_bundles.json");
    let mut run = 0;
    for vector in file.vectors("bundle_v1.open") {
        let (secret, data) = (vector.bytes("secret"), vector.bytes("data"));
        let opened = bundle::open(&secret, &data);
        run += 1;
        if vector.must_fail() {
            // Names are judged by whoever imports.
            let is_name = vector.name() == "v1-path-traversal";
            assert_eq!(opened.is_err(), !is_name, "{}", vector.name());
            continue;
        }
        let opened = opened.unwrap();
        let expected = records(&vector.0["expect"]["records"]);
        assert_eq!(plain(&opened), expected, "{}", vector.name());
        let expected_stream = super::hex(&vector.0["expect"]["gob"]);
        assert_eq!(stream_of(&expected), expected_stream, "{}", vector.name());
        let other = bundle::open(&secret[1..], &data).unwrap_err();
        assert_eq!(other, BundleError::Unopened);
    }
    for vector in file.vectors("gob.encode") {
        let Vector(value) = vector;
        let stream = stream_of(&records(&value["in"]["records"]));
        assert_eq!(stream, vector.expected("output"), "{}", vector.name());
        run += 1;
    }
    assert_eq!(run, 12);
}
