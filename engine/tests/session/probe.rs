//! The question about the configured tables, with answers that a database might give.

use crate::driver::{Driver, From};
use crate::messages::{complete, data_row, message, query, ready, startup};
use crate::script::{CLIENT, columns, context, keys};
use acra_engine::columns::Columns;
use acra_engine::session::pg::PgSession;
use acra_engine::session::{Context, Event, ScanColumns};
use proptest::prelude::*;
use std::sync::Arc;

const CHILD: &str = "INSERT INTO customers_1 (id, ssn) VALUES (1, '078-05-1120')";

fn probing(columns: Columns) -> Arc<Context> {
    let context = context(columns, ScanColumns::Typed);
    Arc::new(Context {
        schema_probe: true,
        ..Arc::into_inner(context).unwrap()
    })
}

fn driver(columns: Columns) -> Driver<PgSession> {
    Driver::new(PgSession::new(probing(columns))).with_keys(CLIENT, keys())
}

fn let_in() -> Vec<u8> {
    [message(b'R', &[0; 4]), ready(b'I')].concat()
}

fn relation(kin: &str, name: &str, columns: &str) -> Vec<u8> {
    let hex = |text: &str| const_hex::encode(text).into_bytes();
    let columns: Vec<String> = columns
        .split(' ')
        .zip(1..)
        .map(|(column, number)| format!("{}+{number}", const_hex::encode(column)))
        .collect();
    data_row(&[
        Some(&hex("public")),
        Some(&hex("customers")),
        Some(kin.as_bytes()),
        Some(&hex("public")),
        Some(&hex(name)),
        Some(columns.join(",").as_bytes()),
        None,
        Some(b"16384"),
        None,
    ])
}

fn answer(rows: &[Vec<u8>]) -> Vec<u8> {
    let end = [
        complete("SELECT 2"),
        message(b'3', b""),
        message(b'3', b""),
        ready(b'I'),
    ];
    let begin = [message(b'3', b""), message(b'1', b""), message(b'2', b"")];
    [begin.concat(), rows.concat(), end.concat()].concat()
}

/// Two statements in one piece, of which the first waits for the answer; all cut into pieces of these lengths.
fn conversation(cuts: &[usize], answer: &[u8]) -> Driver<PgSession> {
    let mut driver = driver(columns(""));
    let mut cuts = cuts.iter().cycle();
    for (from, bytes) in [
        (From::Client, startup()),
        (From::Server, let_in()),
        (From::Client, [query(CHILD), query("SELECT 1")].concat()),
        (From::Server, answer.to_vec()),
        (
            From::Server,
            [
                complete("INSERT 0 1"),
                ready(b'I'),
                complete("SELECT 1"),
                ready(b'I'),
            ]
            .concat(),
        ),
    ] {
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
            driver.feed(from, now);
            rest = later;
        }
    }
    driver
}

/// Whether the value in [`CHILD`] went to the server in clear.
fn is_clear(driver: &Driver<PgSession>) -> bool {
    memchr::memmem::find(&driver.to_server, b"078-05-1120").is_some()
}

fn children() -> Vec<u8> {
    answer(&[
        relation("i", "customers", "id name ssn"),
        relation("c", "customers_1", "id name ssn"),
    ])
}

#[test]
fn a_statement_waits_for_the_answer_and_is_planned_with_it() {
    let driver = conversation(&[usize::MAX], &children());
    assert!(!is_clear(&driver));
    let seen = [
        let_in(),
        complete("INSERT 0 1"),
        ready(b'I'),
        complete("SELECT 1"),
        ready(b'I'),
    ];
    assert_eq!(driver.to_client, seen.concat());
    assert!(
        !driver
            .events
            .iter()
            .any(|event| matches!(event, Event::SchemaUnknown { .. }))
    );
}

#[test]
fn an_error_leaves_the_configuration_in_charge() {
    let refused = message(b'E', b"SERROR\0VERROR\0C42501\0Mno\0\0");
    let driver = conversation(&[usize::MAX], &[refused, ready(b'I')].concat());
    assert!(is_clear(&driver), "the child is not in the configuration");
    let told = Event::SchemaUnknown {
        database: "app".to_owned(),
        reason: "42501".to_owned(),
    };
    assert!(driver.events.contains(&told), "{:?}", driver.events);
    let refused = memchr::memmem::find(&driver.to_client, b"42501");
    assert!(refused.is_none(), "the client did not ask");
}

#[test]
fn an_answer_of_another_form_is_none() {
    for row in [
        data_row(&[None]),
        relation("?", "customers", "id"),
        relation("i", "x", ""),
    ] {
        conversation(&[usize::MAX], &answer(&[row]));
    }
}

/// Whether [`CHILD`] went to the server in any form.
fn is_sent(driver: &Driver<PgSession>) -> bool {
    memchr::memmem::find(&driver.to_server, b"INSERT INTO customers_1").is_some()
}

#[test]
fn a_session_older_than_its_columns_asks_too() {
    let mut driver = driver(Columns::empty());
    driver.feed(From::Client, &startup());
    driver.feed(From::Server, &let_in());
    driver.session().reconfigure(probing(columns("")));
    driver.feed(From::Client, &query(CHILD));
    assert!(!is_sent(&driver));
    driver.feed(From::Server, &children());
    assert!(is_sent(&driver) && !is_clear(&driver));
}

#[test]
fn columns_that_change_while_the_database_is_asked_are_asked_about_anew() {
    let mut driver = driver(columns(""));
    driver.feed(From::Client, &startup());
    driver.feed(From::Server, &let_in());
    driver.feed(From::Client, &query(CHILD));
    driver.session().reconfigure(probing(columns("")));
    driver.feed(From::Server, &children());
    assert!(!is_sent(&driver), "the answer was for the former columns");
    driver.feed(From::Server, &children());
    assert!(is_sent(&driver) && !is_clear(&driver));
    assert_eq!(driver.to_client, let_in());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn cut_anywhere_it_is_the_same(cuts in proptest::collection::vec(1_usize..40, 1..20)) {
        let whole = conversation(&[usize::MAX], &children());
        let cut = conversation(&cuts, &children());
        prop_assert_eq!(&whole.to_client, &cut.to_client);
        prop_assert_eq!(&whole.to_server, &cut.to_server);
    }

    #[test]
    fn any_answer_is_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        conversation(&[usize::MAX], &bytes);
    }
}
