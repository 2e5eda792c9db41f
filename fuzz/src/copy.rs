//! Rows of a COPY with a protected column, any bytes, in every format.
//!
//! The output is the same however the bytes are cut; rows that were sealed have nothing left to seal; and rows that
//! were opened and are sealed again hold the same values.

use crate::driver::{Driver, From};
use crate::fixture::{CLIENT, columns, context, keys, pieces};
use crate::messages::{message, query, ready, split, startup, tags};
use crate::session::marker::sealed;
use acra_engine::session::ScanColumns;
use acra_engine::session::pg::PgSession;
use arbitrary::{Arbitrary, Unstructured};
use std::sync::Arc;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    dialect: Dialect,
    version_17: bool,
    messages: Vec<u8>,
    cuts: Vec<u8>,
    rows: &'a [u8],
}

#[derive(Arbitrary, Debug)]
enum Dialect {
    Text {
        delimiter: u8,
        null: u8,
        header: bool,
    },
    Csv {
        delimiter: u8,
        null: u8,
        header: bool,
        quote: u8,
        escape: u8,
        force: u8,
    },
    Binary,
}

fn pick<'a>(from: &[&'a str], number: u8) -> &'a str {
    from[usize::from(number) % from.len()]
}

impl Dialect {
    /// The options of the statement; only what the server takes.
    fn options(&self) -> String {
        let delimiters = ["|", ";", ":", ","];
        let nulls = ["\\N", "nil", "", "0"];
        match self {
            Self::Text {
                delimiter,
                null,
                header,
            } => format!(
                "(FORMAT text, DELIMITER '{}', NULL '{}', HEADER {header})",
                pick(&delimiters, *delimiter),
                pick(&nulls, *null),
            ),
            Self::Csv {
                delimiter,
                null,
                header,
                quote,
                escape,
                force,
            } => format!(
                "(FORMAT csv, DELIMITER '{}', NULL '{}', HEADER {header}, QUOTE '{}', ESCAPE '{}'{})",
                pick(&delimiters, *delimiter),
                pick(&nulls, *null),
                pick(&["\"", "~", "''"], *quote),
                pick(&["\"", "\\", "~", "''"], *escape),
                pick(
                    &["", ", FORCE_NULL (ssn)", ", FORCE_NOT_NULL (ssn)"],
                    *force
                ),
            ),
            Self::Binary => "(FORMAT binary)".to_owned(),
        }
    }
}

/// The target.
pub fn run(data: &[u8]) {
    let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    let Some(written) = seal(&input, input.rows, &[]) else {
        return;
    };
    assert!(
        Some(&written) == seal(&input, input.rows, &input.cuts).as_ref(),
        "the cutting is seen"
    );
    let Written { rows, done } = written;
    let opened = open(&input, &rows, &[]);
    assert!(
        opened == open(&input, &rows, &input.cuts),
        "the cutting is seen"
    );
    if !done {
        return;
    }
    let again = seal(&input, &rows, &[]).expect("the same statement");
    assert!(
        again.done && again.rows == rows,
        "sealed twice: {}",
        again.rows.escape_ascii()
    );
    if input.version_17 {
        // What the server has read is never written in front of an end marker.
        return;
    }
    let again = seal(&input, &opened, &[]).expect("the same statement");
    assert_eq!(
        sealed(&again.rows),
        sealed(&rows),
        "sealed, opened and sealed"
    );
}

/// What left for the server.
#[derive(PartialEq)]
struct Written {
    rows: Vec<u8>,
    /// The COPY was ended by the client.
    done: bool,
}

fn started(input: &Input<'_>) -> Driver<PgSession> {
    let session = PgSession::new(context(columns(), ScanColumns::Typed));
    let mut driver = Driver::new(session).with_keys(CLIENT, Arc::clone(keys()));
    driver.feed(From::Client, &startup());
    let version = if input.version_17 { "17.2" } else { "18.0" };
    let version = message(b'S', format!("server_version\0{version}\0").as_bytes());
    driver.feed(
        From::Server,
        &[message(b'R', &[0; 4]), version, ready(b'I')].concat(),
    );
    driver
}

/// CopyInResponse or CopyOutResponse of three columns.
fn begins(tag: u8, input: &Input<'_>) -> Vec<u8> {
    let binary = u8::from(matches!(input.dialect, Dialect::Binary));
    message(tag, &[binary, 0, 3, 0, binary, 0, binary, 0, binary])
}

fn data(bytes: &[u8], messages: &[u8]) -> Vec<u8> {
    let pieces = pieces(bytes, messages);
    pieces.flat_map(|piece| message(b'd', piece)).collect()
}

fn rows(bytes: &[u8]) -> Vec<u8> {
    let messages = split(bytes).into_iter();
    let rows = messages.filter(|(tag, _)| *tag == b'd');
    rows.flat_map(|(_, body)| body).collect()
}

/// The rows into the table; `None` if the statement is refused.
fn seal(input: &Input<'_>, bytes: &[u8], cuts: &[u8]) -> Option<Written> {
    let mut driver = started(input);
    driver.to_server.clear();
    let options = input.dialect.options();
    let text = query(&format!(
        "COPY customers (id, name, ssn) FROM STDIN {options}"
    ));
    driver.feed(From::Client, &text);
    if driver.to_server != text {
        return None;
    }
    driver.feed(From::Server, &begins(b'G', input));
    driver.to_server.clear();
    let stream = [data(bytes, &input.messages), message(b'c', b"")].concat();
    for piece in pieces(&stream, cuts) {
        driver.feed(From::Client, piece);
    }
    assert!(!driver.closed);
    let tags = tags(&driver.to_server);
    assert!(
        tags.trim_start_matches('d') == "c" || tags.trim_start_matches('d') == "f",
        "{tags}"
    );
    Some(Written {
        rows: rows(&driver.to_server),
        done: tags.ends_with('c'),
    })
}

/// The rows out of the table.
fn open(input: &Input<'_>, bytes: &[u8], cuts: &[u8]) -> Vec<u8> {
    let mut driver = started(input);
    let options = input.dialect.options();
    driver.feed(
        From::Client,
        &query(&format!("COPY other TO STDOUT {}", out(&options))),
    );
    driver.feed(From::Server, &begins(b'H', input));
    driver.to_client.clear();
    let messages = data(bytes, &input.messages);
    for piece in pieces(&[&*messages, &message(b'c', b"")].concat(), cuts) {
        driver.feed(From::Server, piece);
    }
    assert!(tags(&driver.to_client).ends_with('c'));
    rows(&driver.to_client)
}

/// Options of a COPY out.
fn out(options: &str) -> String {
    let end = options.find(", FORCE").unwrap_or(options.len() - 1);
    format!("{})", &options[..end])
}
