//! A MySQL session without sockets, and the packets that its script is made of.

use crate::conversation::{Conversation, context};
use acra_engine::columns::Database;
use acra_engine::session::mysql::MySqlSession;
use acra_engine::wire::mysql::column::BINARY_CHARSET;
use acra_engine::wire::mysql::value::Type;
use acra_engine::wire::mysql::{Capabilities, Column, lenenc, write_message};
use std::sync::Arc;

/// What client and server agree on: all that most clients use, definitions with an end of their own.
const USED: Capabilities = Capabilities::PROTOCOL_41
    .with(Capabilities::SECURE_CONNECTION)
    .with(Capabilities::PLUGIN_AUTH)
    .with(Capabilities::TRANSACTIONS);

const PLUGIN: &[u8] = b"mysql_native_password\0";
const OK: &[u8] = &[0, 0, 0, 2, 0, 0, 0];
const END: &[u8] = &[0xfe, 0, 0, 2, 0];
const UTF8MB4: u16 = 45;

impl Conversation<MySqlSession> {
    /// With this encryptor configuration, and a text of it that makes the session ask for its settings.
    pub fn mysql(columns: &str, first: &str) -> Self {
        let context = context(columns, Database::MySql);
        let mut conversation = Self::of(MySqlSession::new(context, Arc::default()));
        conversation.feed_client(&mut Vec::new());
        conversation.feed_server(&mut packet(0, &greeting()));
        conversation.feed_client(&mut packet(1, &response()));
        conversation.feed_server(&mut packet(2, OK));
        let asked = conversation.feed_client(&mut text(first));
        assert!(asked > first.len(), "the settings are asked for");
        // With the schema in hex, and no proof of a version.
        let modes = cells(&[b"STRICT_TRANS_TABLES", b"utf8mb4", b"utf8mb4", b"61", b"0"]);
        let columns = [("", "", Type::STRING); 5];
        conversation.feed_server(&mut result(&columns, &modes));
        conversation
    }
}

/// A packet.
fn packet(sequence: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 4);
    write_message(&mut out, &mut sequence.clone(), payload);
    out
}

fn greeting() -> Vec<u8> {
    let capabilities = USED.base().to_le_bytes();
    let [first, second, third, fourth] = capabilities;
    [
        b"\x0a10.11.0\0\x07\0\0\x0012345678\0",
        &[first, second, 45, 2, 0, third, fourth][..],
        &[21, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        b"901234567890\0",
        PLUGIN,
    ]
    .concat()
}

fn response() -> Vec<u8> {
    [
        &USED.base().to_le_bytes()[..],
        &[0, 0, 0, 1, 45],
        &[0; 23],
        b"bob\0\x14",
        &[7; 20],
        PLUGIN,
    ]
    .concat()
}

/// The packet of a text.
pub fn text(text: &str) -> Vec<u8> {
    packet(0, &[b"\x03", text.as_bytes()].concat())
}

/// The packet that prepares a text.
pub fn prepare(text: &str) -> Vec<u8> {
    packet(0, &[b"\x16", text.as_bytes()].concat())
}

/// The packet that runs statement 1 with so many strings.
pub fn execute(values: usize) -> Vec<u8> {
    let mut payload = b"\x17\x01\0\0\0\0\x01\0\0\0\0\x01".to_vec();
    payload.extend(b"\xfd\0".repeat(values));
    payload.extend(b"\x0b078-05-1120".repeat(values));
    packet(0, &payload)
}

/// A result with one row; of each column its table, its name and its type.
pub fn result(columns: &[(&str, &str, Type)], row: &[u8]) -> Vec<u8> {
    let mut payloads = vec![vec![columns.len() as u8]];
    payloads.extend(columns.iter().map(definition));
    payloads.extend([END.to_vec(), row.to_vec(), END.to_vec()]);
    answer(&payloads)
}

/// The answer to a statement without rows.
pub fn done() -> Vec<u8> {
    packet(1, OK)
}

/// The answer to the packet that prepares a statement with so many parameters and these columns.
pub fn prepared(parameters: usize, columns: &[(&str, &str, Type)]) -> Vec<u8> {
    let counts = [columns.len() as u8, 0, parameters as u8, 0, 0, 0, 0];
    let mut payloads = vec![[&[0, 1, 0, 0, 0][..], &counts].concat()];
    let parameter = definition(&("", "?", Type::STRING));
    for definitions in [
        vec![parameter; parameters],
        columns.iter().map(definition).collect(),
    ] {
        if !definitions.is_empty() {
            payloads.extend(definitions);
            payloads.push(END.to_vec());
        }
    }
    answer(&payloads)
}

/// Cells of the text protocol, and without a head those of a prepared statement if they are strings.
pub fn cells(cells: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for cell in cells {
        lenenc::write_string(&mut out, cell);
    }
    out
}

/// A row of a prepared statement with at most six strings, none of them NULL.
pub fn binary_row(strings: &[&[u8]]) -> Vec<u8> {
    [&[0, 0][..], &cells(strings)].concat()
}

fn definition(&(table, name, kind): &(&str, &str, Type)) -> Vec<u8> {
    let column = Column {
        schema: b"test",
        table: table.as_bytes(),
        org_table: table.as_bytes(),
        name: name.as_bytes(),
        org_name: name.as_bytes(),
        extended: b"",
        charset: match kind {
            Type::BLOB => BINARY_CHARSET,
            _ => UTF8MB4,
        },
        length: 500,
        kind,
        flags: 0,
        decimals: 0,
        default: b"",
    };
    let mut out = Vec::new();
    column.write(&mut out, USED);
    out
}

/// These payloads as packets with numbers from 1 on.
fn answer(payloads: &[Vec<u8>]) -> Vec<u8> {
    let (mut out, mut sequence) = (Vec::new(), 1);
    for payload in payloads {
        write_message(&mut out, &mut sequence, payload);
    }
    out
}
