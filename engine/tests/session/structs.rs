//! AcraStructs on the way in and out.

use crate::driver::{Driver, From};
use crate::messages::*;
use crate::script::{BYTEA, CLIENT, SECRET, columns, context, hex, start};
use acra_engine::crypto::container::{self, Envelope};
use acra_engine::crypto::{BlockKey, Secret, acrablock, acrastruct};
use acra_engine::crypto::{KeyPairType, PrivateKey};
use acra_engine::keys::ClientKeys;
use acra_engine::session::Event;
use acra_engine::session::ScanColumns;
use acra_engine::session::pg::PgSession;
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::sync::Arc;

fn key(seed: u64) -> PrivateKey {
    PrivateKey::generate(KeyPairType::P256, &mut StdRng::seed_from_u64(seed)).unwrap()
}

fn keys() -> Arc<ClientKeys> {
    Arc::new(ClientKeys {
        symmetric: vec![BlockKey::new(Secret::from(vec![9; 32])).unwrap()],
        private: vec![key(1), key(2)],
        public: Some(key(1).public().unwrap()),
        search: None,
    })
}

/// As AcraWriter makes one: without wrapper.
fn sealed(seed: u64) -> Vec<u8> {
    let mut out = Vec::new();
    let recipient = key(seed).public().unwrap();
    acrastruct::seal(&recipient, &mut StdRng::seed_from_u64(3), SECRET, &mut out).unwrap();
    out
}

/// Column `ssn` of table `customers` has these options.
fn started(options: &str) -> Driver<PgSession> {
    started_with(options, keys())
}

fn started_with(options: &str, keys: Arc<ClientKeys>) -> Driver<PgSession> {
    let context = context(columns(options), ScanColumns::Typed);
    let mut driver = Driver::new(PgSession::new(context)).with_keys(CLIENT, keys);
    start(&mut driver);
    driver
}

/// The value that reaches the server for one that the client binds.
fn written(driver: &mut Driver<PgSession>, value: &[u8]) -> Vec<u8> {
    let statement = parse("", "INSERT INTO customers (ssn) VALUES ($1)", &[]);
    driver.feed(From::Client, &statement);
    driver.to_server.clear();
    driver.feed(From::Client, &bind("", "", 1, &[Some(value)]));
    let (_, body) = &split(&driver.to_server)[0];
    let length = u32::from_be_bytes(body[8..12].try_into().unwrap()) as usize;
    body[12..12 + length].to_vec()
}

#[test]
fn they_are_opened_with_every_private_key_of_the_client() {
    let mut driver = started("");
    driver.feed(From::Client, &query("SELECT a, b, c FROM t"));
    let (current, rotated, foreign) = (sealed(1), sealed(2), sealed(4));
    driver.feed(From::Server, &row_description(&[BYTEA; 3], 1));
    driver.to_client.clear();
    driver.feed(
        From::Server,
        &data_row(&[Some(&current), Some(&rotated), Some(&foreign)]),
    );
    let expected = data_row(&[Some(SECRET), Some(SECRET), Some(&foreign)]);
    assert_eq!(driver.to_client, expected);
}

#[test]
fn a_column_may_ask_for_them() {
    let mut driver = started("crypto_envelope: acrastruct");
    let value = written(&mut driver, SECRET);
    let (envelope, inner) = container::parse(&value).unwrap();
    assert_eq!(envelope, Envelope::AcraStruct);
    let mut plain = Vec::new();
    acrastruct::open(&keys().private[..1], inner, &mut plain).unwrap();
    assert_eq!(plain, SECRET);
    assert_eq!(
        driver.events,
        [Event::Sealed {
            values: 1,
            structs: 1
        }]
    );
    assert_eq!(written(&mut driver, &sealed(1)), sealed(1));
}

#[test]
fn written_ones_become_acrablocks_unless_told_otherwise() {
    let mut driver = started("reencrypting_to_acrablocks: true");
    let value = written(&mut driver, &sealed(2));
    let (envelope, inner) = container::parse(&value).unwrap();
    assert_eq!(envelope, Envelope::AcraBlock);
    let mut plain = Vec::new();
    acrablock::open(&keys().symmetric, inner, &mut plain).unwrap();
    assert_eq!(plain, SECRET);

    let mut driver = started("reencrypting_to_acrablocks: false");
    assert_eq!(written(&mut driver, &sealed(4)), sealed(4));
}

#[test]
fn one_that_cannot_be_opened_is_not_written_to_a_column_of_acrablocks() {
    let mut driver = started("reencrypting_to_acrablocks: true");
    let statement = format!(
        "INSERT INTO customers (ssn) VALUES ('{}')",
        String::from_utf8(hex(&sealed(4))).unwrap()
    );
    driver.feed(From::Client, &query(&statement));
    driver.feed(From::Server, &[syntax_error(), ready(b'I')].concat());
    let answer = String::from_utf8_lossy(&driver.to_client).into_owned();
    assert!(answer.contains("cannot decrypt an AcraStruct"), "{answer}");
}

#[test]
fn a_pair_of_our_own_kind_seals_and_the_former_one_still_opens() {
    let current =
        || PrivateKey::generate(KeyPairType::X25519, &mut StdRng::seed_from_u64(1)).unwrap();
    let keys = Arc::new(ClientKeys {
        public: Some(current().public().unwrap()),
        private: vec![current(), key(1)],
        ..ClientKeys::default()
    });
    let options = "crypto_envelope: acrastruct";
    let written = written(&mut started_with(options, Arc::clone(&keys)), SECRET);
    let (envelope, inner) = container::parse(&written).unwrap();
    assert_eq!(envelope, Envelope::AcraStruct);
    assert!(acrastruct::open(&[key(1)], inner, &mut Vec::new()).is_err());

    let mut driver = started_with(options, keys);
    driver.feed(From::Client, &query("SELECT a, b FROM t"));
    driver.feed(From::Server, &row_description(&[BYTEA; 2], 1));
    driver.to_client.clear();
    let row = data_row(&[Some(&written), Some(&sealed(1))]);
    driver.feed(From::Server, &row);
    assert_eq!(driver.to_client, data_row(&[Some(SECRET), Some(SECRET)]));
}
