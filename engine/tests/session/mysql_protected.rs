//! MySQL with protected columns: values in texts, bound, and sent in parts, cut anywhere.

use crate::driver::{Driver, From};
use crate::mysql_messages::{
    OFFERED, OK, USED, answer, answer_of, column, ended, greeting, let_in, packet, response,
    result, text_row,
};
use crate::script::{self, CLIENT, SECRET, keys, sealed};
use acra_engine::columns::{Columns, Database};
use acra_engine::session::mysql::MySqlSession;
use acra_engine::session::{Context, ScanColumns};
use acra_engine::wire::mysql::{Capabilities, lenenc};
use proptest::prelude::*;
use std::sync::Arc;

const COLUMNS: &str = "
schemas:
  - table: vault
    columns: [id, secret, login]
    encrypted:
      - {column: secret}
      - {column: login, token_type: str, consistent_tokenization: true}
";

const INSERT: &[u8] = b"\x16INSERT INTO vault (id, secret, login) VALUES (?, ?, ?)";

/// The number of the statement that is prepared.
const STATEMENT: [u8; 4] = [7, 0, 0, 0];

fn context() -> Arc<Context> {
    let columns = Columns::parse(COLUMNS.as_bytes(), Database::MySql);
    script::context(columns.unwrap().columns, ScanColumns::Typed)
}

fn protecting(used: Capabilities) -> Driver<MySqlSession> {
    let session = MySqlSession::new(context(), Arc::default());
    let mut driver = Driver::new(session).with_keys(CLIENT, keys());
    let_in(&mut driver, used);
    driver
}

/// What the server answers to the session's question for its settings.
fn settings() -> Vec<u8> {
    let text = column(253, 45);
    let row = text_row(&[
        Some(b""),
        Some(b"utf8mb4"),
        Some(b"utf8mb4"),
        None,
        Some(b"0"),
    ]);
    let end = ended(false);
    answer(&[&[5], &text, &text, &text, &text, &text, &end, &row, &end])
}

fn prepared() -> Vec<u8> {
    let text = column(253, 45);
    let head = [&[0][..], &STATEMENT, &[0, 0, 3, 0, 0, 0, 0]].concat();
    answer(&[&head, &text, &text, &text, &ended(false)])
}

fn part(statement: [u8; 4], parameter: u8, value: &[u8]) -> Vec<u8> {
    packet(
        0,
        &[&[0x18][..], &statement, &[parameter, 0], value].concat(),
    )
}

/// An execution of the statement; the secret is left out where it has been sent in parts.
fn execution(used: Capabilities, secret: Option<&[u8]>) -> Vec<u8> {
    let mut payload = [&[0x17][..], &STATEMENT, &[0, 1, 0, 0, 0]].concat();
    let named = used.has(Capabilities::QUERY_ATTRIBUTES);
    if named {
        payload.push(3);
    }
    payload.extend_from_slice(&[0, 1]);
    for kind in [3, 252, 253] {
        payload.extend_from_slice(&[kind, 0]);
        if named {
            payload.push(0);
        }
    }
    payload.extend_from_slice(&[1, 0, 0, 0]);
    if let Some(secret) = secret {
        lenenc::write_string(&mut payload, secret);
    }
    lenenc::write_string(&mut payload, SECRET);
    packet(0, &payload)
}

/// What reaches either side in a conversation whose pieces are cut into pieces of these lengths, over and over.
fn conversation(used: Capabilities, cuts: &[usize]) -> (Vec<u8>, Vec<u8>) {
    let text = [
        b"\x03INSERT INTO vault VALUES (1, '",
        SECRET,
        b"', 'a login')",
    ]
    .concat();
    let query = match used.has(Capabilities::QUERY_ATTRIBUTES) {
        true => [&b"\x03\0\x01"[..], &text[1..]].concat(),
        false => text,
    };
    let select = match used.has(Capabilities::QUERY_ATTRIBUTES) {
        true => &b"\x03\0\x01SELECT secret, 1 FROM vault"[..],
        false => b"\x03SELECT secret, 1 FROM vault",
    };
    let row = text_row(&[Some(&sealed(SECRET)), Some(b"1")]);
    let (left, right) = SECRET.split_at(4);
    let steps = [
        (From::Client, packet(0, &query)),
        (From::Server, settings()),
        (From::Server, answer(&[OK])),
        (From::Client, packet(0, INSERT)),
        (From::Server, prepared()),
        (From::Client, execution(used, Some(SECRET))),
        (From::Server, answer(&[OK])),
        (From::Client, part(STATEMENT, 1, left)),
        (From::Client, part(STATEMENT, 1, right)),
        (From::Client, execution(used, None)),
        (From::Server, answer(&[OK])),
        (From::Client, packet(0, select)),
        (From::Server, answer_of(&result(&[row], false))),
    ];
    let mut driver = protecting(used);
    let mut cuts = cuts.iter().cycle();
    for (from, bytes) in &steps {
        let mut pieces = Vec::new();
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (piece, later) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
            pieces.push(piece);
            rest = later;
        }
        driver.feed_pieces(*from, pieces);
    }
    (driver.to_client, driver.to_server)
}

fn count(text: &[u8], part: &[u8]) -> usize {
    memchr::memmem::find_iter(text, part).count()
}

#[test]
fn values_are_sealed_in_texts_bound_and_in_parts() {
    for used in [USED, USED.with(Capabilities::QUERY_ATTRIBUTES)] {
        let (to_client, to_server) = conversation(used, &[usize::MAX]);
        assert_eq!(count(&to_server, SECRET), 0);
        assert_eq!(count(&to_server, b"a login"), 0);
        // A literal is written in hex, parameters as they are.
        assert_eq!(count(&to_server, b"X'252525"), 1);
        assert_eq!(count(&to_server, b"%%%"), 2);
        assert_eq!(count(&to_client, SECRET), 1);
        assert_eq!(count(&to_client, &[0xff, 0xdb, 4]), 0);
    }
}

/// Should the server know the statement after all, the part may be of a protected value.
#[test]
fn a_part_for_a_statement_that_is_not_known_does_not_pass() {
    let mut driver = protecting(USED);
    driver.feed(From::Client, &part([9, 0, 0, 0], 1, SECRET));
    driver.feed(From::Client, &packet(0, b"\x0e"));
    assert_eq!(driver.to_server, packet(0, b"\x0e"));
    driver.feed(From::Server, &answer(&[OK]));
    assert_eq!(driver.to_client, answer(&[OK]));
}

/// A part that comes before the number of its statement waits for it, and is then a part of a protected value.
#[test]
fn a_part_sent_before_its_statement_is_known_waits() {
    let mut driver = protecting(USED);
    let pipelined = [
        packet(0, INSERT),
        part(STATEMENT, 1, SECRET),
        execution(USED, None),
    ]
    .concat();
    driver.feed(From::Client, &pipelined);
    assert_eq!(count(&driver.to_server, SECRET), 0);
    for bytes in [settings(), prepared(), answer(&[OK])] {
        driver.feed(From::Server, &bytes);
        assert_eq!(count(&driver.to_server, SECRET), 0);
    }
    assert_eq!(count(&driver.to_server, b"%%%"), 1);
}

/// What one user hears of the tables is kept by its name, of which there is room for 1024.
#[test]
fn users_that_are_not_let_in_take_no_room() {
    let context = Arc::new(Context {
        schema_probe: true,
        ..Arc::into_inner(context()).unwrap()
    });
    let plugin = "mysql_native_password";
    for number in 0..1100 {
        let session = MySqlSession::new(Arc::clone(&context), Arc::default());
        let mut driver = Driver::new(session);
        driver.feed(From::Client, &[]);
        driver.feed(From::Server, &packet(0, &greeting(OFFERED, plugin)));
        let mut response = response(USED, &[7; 20], plugin);
        let user = memchr::memmem::find(&response, b"bob").unwrap();
        response.splice(user..user + 3, number.to_string().into_bytes());
        driver.feed(From::Client, &packet(1, &response));
        driver.feed(From::Server, &packet(2, b"\xff\x15\x04#28000no"));
    }
    let mut driver = Driver::new(MySqlSession::new(context, Arc::default()));
    let_in(&mut driver, USED);
    driver.feed(
        From::Client,
        &packet(0, b"\x03INSERT INTO vault (id) VALUES (1)"),
    );
    let question = memchr::memmem::find(&driver.to_server, b"information_schema.COLUMNS");
    assert!(question.is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_cutting_of_a_protected_session_gives_the_same(
        cuts in proptest::collection::vec(1usize..200, 1..20),
        attributes in any::<bool>(),
    ) {
        let used = match attributes {
            true => USED.with(Capabilities::QUERY_ATTRIBUTES),
            false => USED,
        };
        prop_assert!(conversation(used, &[usize::MAX]) == conversation(used, &cuts));
    }
}
