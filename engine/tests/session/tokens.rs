//! Tokens in the place of values: what is asked for, when, and what becomes of the answers.

use crate::driver::{Driver, From};
use crate::messages::*;
use crate::script::{CLIENT, columns, context, keys, start};
use acra_engine::session::Event;
use acra_engine::session::ScanColumns;
use acra_engine::session::pg::PgSession;
use acra_engine::tokens::Operation;
use proptest::prelude::*;

const TEXT: u32 = 25;

/// Column `ssn` of table `customers` has tokens of this type.
fn started(token_type: &str) -> Driver<PgSession> {
    let context = context(columns(token_type), ScanColumns::Typed);
    let mut driver = Driver::new(PgSession::new(context)).with_keys(CLIENT, keys());
    start(&mut driver);
    driver
}

fn consistent() -> Driver<PgSession> {
    started("token_type: str\n        consistent_tokenization: true")
}

/// The text of the last Query for the server.
fn sent(driver: &mut Driver<PgSession>, text: &str) -> String {
    driver.to_server.clear();
    driver.feed(From::Client, &query(text));
    let (tag, body) = split(&driver.to_server).pop().unwrap();
    assert_eq!(tag, b'Q', "{text}");
    String::from_utf8(body).unwrap()
}

/// Writes values and gives their tokens.
fn written(driver: &mut Driver<PgSession>, values: &[&str]) -> Vec<String> {
    let rows: Vec<_> = values.iter().map(|value| format!("('{value}')")).collect();
    let text = format!("INSERT INTO customers (ssn) VALUES {}", rows.join(", "));
    let sent = sent(driver, &text);
    let tokens = sent.split('\'').skip(1).step_by(2).map(str::to_owned);
    let tokens = tokens.collect();
    driver.feed(
        From::Server,
        &[complete("INSERT 0 1"), ready(b'I')].concat(),
    );
    driver.to_client.clear();
    tokens
}

/// The values of the rows for the client, and the tags of what it got.
fn received(driver: &mut Driver<PgSession>) -> (Vec<String>, String) {
    let tags = tags(&driver.to_client);
    let rows = split(&driver.to_client)
        .into_iter()
        .filter(|(tag, _)| *tag == b'D');
    let value = |(_, body): (u8, Vec<u8>)| String::from_utf8(body[6..].to_vec()).unwrap();
    let rows = rows.map(value).collect();
    driver.to_client.clear();
    (rows, tags)
}

fn result(tokens: &[&str]) -> Vec<u8> {
    let rows = tokens
        .iter()
        .map(|token| data_row(&[Some(token.as_bytes())]));
    let mut messages = vec![row_description(&[TEXT], 0)];
    messages.extend(rows);
    messages.extend([complete("SELECT 1"), ready(b'I')]);
    messages.concat()
}

#[test]
fn all_literals_of_a_text_are_asked_for_at_once() {
    let mut driver = consistent();
    let tokens = written(&mut driver, &["first", "second", "first"]);
    assert_eq!(driver.asks.len(), 1);
    assert_eq!(driver.asks[0].len(), 3);
    assert_eq!(tokens[0], tokens[2]);
    for (token, value) in tokens.iter().zip(["first", "second", "first"]) {
        assert!(token.len() == value.len() && token != value, "{token}");
    }
    assert!(
        !driver
            .events
            .iter()
            .any(|event| matches!(event, Event::Sealed { .. }))
    );
    // NULL and the empty string need no token.
    let text = "INSERT INTO customers (ssn) VALUES (NULL), ('')";
    assert_eq!(sent(&mut driver, text).trim_end_matches('\0'), text);
    assert_eq!(driver.asks.len(), 1);
}

#[test]
fn numbers_stay_numbers_and_strings_stay_strings() {
    let mut driver = started("token_type: int32");
    for (value, pattern) in [
        ("7", "(-)"),
        ("-7", "(-)"),
        ("'7'", "'"),
        ("' 7 '", "'"),
        ("E'7'", "'"),
    ] {
        let text = sent(&mut driver, &format!("UPDATE customers SET ssn = {value}"));
        let token = text.strip_prefix("UPDATE customers SET ssn = ").unwrap();
        let token = token.trim_end_matches('\0');
        let inner = match pattern {
            "'" => token
                .strip_prefix('\'')
                .and_then(|rest| rest.strip_suffix('\'')),
            _ if token.starts_with('(') => token
                .strip_prefix('(')
                .and_then(|rest| rest.strip_suffix(')')),
            _ => Some(token),
        };
        let number: i32 = inner.unwrap().parse().unwrap();
        assert_eq!(
            number < 0 && pattern != "'",
            token.starts_with('('),
            "{text}"
        );
        driver.feed(From::Server, &[complete("UPDATE 1"), ready(b'I')].concat());
    }
}

#[test]
fn parameters_keep_their_types_and_numbers_their_width() {
    let mut driver = started("token_type: int32");
    let text = "INSERT INTO customers (id, ssn) VALUES ($1, $2)";
    for (declared, passed, value, width) in [
        (&[23, 23][..], [23, 23], &7_i32.to_be_bytes()[..], 4),
        (&[23, 20], [23, 20], &7_i64.to_be_bytes(), 8),
        (&[21, 21], [21, 23], &7_i16.to_be_bytes(), 4),
    ] {
        driver.to_server.clear();
        driver.feed(From::Client, &parse("", text, declared));
        let (_, body) = &split(&driver.to_server)[0];
        let types: Vec<u8> = passed
            .iter()
            .flat_map(|oid: &u32| oid.to_be_bytes())
            .collect();
        assert!(body.ends_with(&types), "{declared:?}");
        driver.to_server.clear();
        driver.feed(
            From::Client,
            &bind("", "", 1, &[Some(b"\0\0\0\x01"), Some(value)]),
        );
        let (_, body) = &split(&driver.to_server)[0];
        // Behind names, formats, their number and that of values, and the first value.
        let at = 2 + 4 + 2 + 8;
        let length = u32::from_be_bytes(body[at..at + 4].try_into().unwrap());
        assert_eq!(length, width);
        assert_ne!(body[at + 4..at + 4 + value.len()], *value);
    }
    let refused = bind("", "", 1, &[Some(b"\0\0\0\x01"), Some(b"abc")]);
    driver.feed(From::Client, &refused);
    let reason = driver.events.iter().rev().find_map(|event| match event {
        Event::Refused { code, .. } => Some(*code),
        _ => None,
    });
    assert_eq!(reason, Some("token-value"));
}

#[test]
fn the_rows_of_a_read_are_asked_for_at_once_and_forgotten() {
    let mut driver = consistent();
    let values: Vec<String> = (0..100).map(|number| format!("value {number}")).collect();
    let names: Vec<&str> = values.iter().map(String::as_str).collect();
    let tokens = written(&mut driver, &names);
    let mut rows: Vec<&str> = tokens.iter().map(String::as_str).collect();
    rows.push("no token");
    for _ in 0..2 {
        driver.asks.clear();
        sent(&mut driver, "SELECT ssn FROM customers");
        driver.feed(From::Server, &result(&rows));
        let (read, tags) = received(&mut driver);
        assert_eq!(read[..100], values);
        assert_eq!(read[100], "no token");
        assert!(tags.starts_with("TDD") && tags.ends_with("CZ"), "{tags}");
        let asks: Vec<usize> = driver.asks.iter().map(Vec::len).collect();
        assert_eq!(asks, [101]);
        let opens = |operation| operation == Operation::Open;
        assert!(
            driver.asks[0]
                .iter()
                .all(|request| opens(request.operation))
        );
    }
}

#[test]
fn a_store_that_is_away_fails_statements_in_their_turn() {
    let mut driver = consistent();
    let tokens = written(&mut driver, &["a value"]);
    driver.tokens.is_away = true;
    sent(&mut driver, "SELECT ssn FROM customers");
    driver.feed(From::Server, &result(&[&tokens[0], &tokens[0]]));
    let (rows, tags) = received(&mut driver);
    assert_eq!((rows.len(), &*tags), (0, "TEZ"));

    let text = sent(
        &mut driver,
        "INSERT INTO customers (ssn) VALUES ('another')",
    );
    assert!(!text.contains("another"), "{text}");
    driver.feed(From::Server, &[syntax_error(), ready(b'I')].concat());
    let answer = String::from_utf8_lossy(&driver.to_client).into_owned();
    assert!(
        answer.contains("58000") && answer.contains("token store"),
        "{answer}"
    );

    driver.tokens.is_away = false;
    driver.to_client.clear();
    sent(&mut driver, "SELECT ssn FROM customers");
    driver.feed(From::Server, &result(&[&tokens[0]]));
    assert_eq!(received(&mut driver).0, ["a value"]);
}

#[test]
fn comparisons_are_those_of_tokens_and_make_none() {
    let mut driver = consistent();
    let tokens = written(&mut driver, &["first", "second"]);
    let [first, second] = &*tokens else { panic!() };
    for (text, expected) in [
        (
            "SELECT id FROM customers WHERE ssn = 'first'",
            format!("ssn = '{first}'\0"),
        ),
        (
            "SELECT id FROM customers WHERE 'first' <> ssn",
            format!("'{first}' <> ssn\0"),
        ),
        (
            "SELECT id FROM customers WHERE ssn IN ('first', 'second')",
            format!("ssn IN ('{first}', '{second}')\0"),
        ),
        (
            "DELETE FROM customers WHERE ssn = ''",
            "ssn = ''\0".to_owned(),
        ),
    ] {
        let text = sent(&mut driver, text);
        assert!(text.ends_with(&expected), "{text}");
        driver.feed(From::Server, &[complete("SELECT 0"), ready(b'I')].concat());
    }
    let before = driver.asks.len();
    let text = sent(
        &mut driver,
        "SELECT id FROM customers WHERE ssn = 'unheard of'",
    );
    assert!(
        text.contains("ssn = '~") && !text.contains("unheard"),
        "{text}"
    );
    let operations: Vec<_> = driver.asks[before..].concat();
    assert!(
        operations
            .iter()
            .all(|request| request.operation == Operation::Compare)
    );

    // Random tokens have nothing in common.
    let mut driver = started("token_type: str");
    driver.feed(
        From::Client,
        &query("SELECT id FROM customers WHERE ssn = 'first'"),
    );
    let refused = |event: &Event| {
        matches!(
            event,
            Event::Refused {
                code: "column-use",
                ..
            }
        )
    };
    assert!(driver.events.iter().any(refused), "{:?}", driver.events);
}

/// A session that writes and reads tokens, in pieces of these lengths.
fn conversation(cuts: &[usize]) -> (Vec<u8>, Vec<u8>) {
    let mut driver = consistent();
    let tokens = written(&mut driver, &["one", "two", "three"]);
    driver.to_server.clear();
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    let copied: Vec<u8> = tokens
        .iter()
        .flat_map(|token| message(b'd', format!("{token}\n").as_bytes()))
        .collect();
    let format = |tag| message(tag, &[0, 0, 1, 0, 0]);
    let turns = [
        (
            From::Client,
            query("INSERT INTO customers (ssn) VALUES ('one'), ('four')"),
        ),
        (From::Server, [complete("INSERT 0 2"), ready(b'I')].concat()),
        (
            From::Client,
            [
                parse("s", "UPDATE customers SET ssn = $1", &[]),
                bind("", "s", 0, &[Some(b"two")]),
                execute(""),
                sync(),
            ]
            .concat(),
        ),
        (
            From::Server,
            [
                message(b'1', &[]),
                message(b'2', &[]),
                complete("UPDATE 1"),
                ready(b'I'),
            ]
            .concat(),
        ),
        (From::Client, query("SELECT ssn FROM customers")),
        (From::Server, result(&tokens)),
        (From::Client, query("COPY customers (ssn) TO STDOUT")),
        (
            From::Server,
            [
                format(b'H'),
                copied,
                message(b'c', &[]),
                complete("COPY 3"),
                ready(b'I'),
            ]
            .concat(),
        ),
        (From::Client, query("COPY customers (ssn) FROM STDIN")),
        (From::Server, format(b'G')),
        (
            From::Client,
            [
                message(b'd', b"one\ntw"),
                message(b'd', b"o\n\\N\nthree"),
                message(b'c', &[]),
            ]
            .concat(),
        ),
        (From::Server, [complete("COPY 4"), ready(b'I')].concat()),
    ];
    let mut cuts = cuts.iter().copied().cycle();
    for (from, bytes) in turns {
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (piece, left) = rest.split_at(cuts.next().unwrap().min(rest.len()));
            driver.feed(from, piece);
            rest = left;
        }
    }
    (driver.to_client, driver.to_server)
}

#[test]
fn a_copy_is_tokenized_and_resolved() {
    let (to_client, to_server) = conversation(&[usize::MAX]);
    let data = |bytes: &[u8]| {
        let data = split(bytes).into_iter().filter(|(tag, _)| *tag == b'd');
        String::from_utf8(data.flat_map(|(_, body)| body).collect()).unwrap()
    };
    assert_eq!(data(&to_client), "one\ntwo\nthree\n");
    let written = data(&to_server);
    let lines: Vec<&str> = written.lines().collect();
    assert_eq!(lines.len(), 4, "{written}");
    assert_eq!(lines[2], "\\N");
    for (line, value) in lines.iter().zip(["one", "two", "\\N", "three"]) {
        assert_eq!(line.len(), value.len(), "{written}");
    }
    let clear = String::from_utf8_lossy(&to_server).into_owned();
    for value in ["one", "two", "three", "four"] {
        assert!(!clear.contains(value), "{value} in {clear}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn cuts_do_not_matter(cuts in prop::collection::vec(1..40_usize, 1..20)) {
        let whole = conversation(&[usize::MAX]);
        let (to_client, to_server) = conversation(&cuts);
        prop_assert!(to_client == whole.0);
        // A slice of a COPY is its own message either way.
        prop_assert_eq!(to_server.escape_ascii().to_string(), whole.1.escape_ascii().to_string());
    }
}
