//! Builders of the packets of MySQL that the scripts use.

use crate::driver::{Driver, From};
use acra_engine::session::mysql::MySqlSession;
use acra_engine::session::{Activity, Session as _};
use acra_engine::wire::mysql::packet::Header;
use acra_engine::wire::mysql::value::Type;
use acra_engine::wire::mysql::{Capabilities, Column, lenenc, write_message};

/// What the server of the scripts can do: all but what is cleared.
pub(crate) const OFFERED: Capabilities = Capabilities(0x7f_dfff_fffe);
/// What the client of the scripts uses.
pub(crate) const USED: Capabilities = Capabilities::PROTOCOL_41
    .with(Capabilities::SECURE_CONNECTION)
    .with(Capabilities::PLUGIN_AUTH)
    .with(Capabilities::MULTI_STATEMENTS)
    .with(Capabilities::LOCAL_FILES);

/// A packet.
pub(crate) fn packet(sequence: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    write_message(&mut out, &mut sequence.clone(), payload);
    out
}

/// Numbers and payloads of packets.
pub(crate) fn packets(bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(header) = Header::read(bytes, at) {
        let end = at + 4 + header.length;
        found.push((header.sequence, bytes[at + 4..end].to_vec()));
        at = end;
    }
    assert_eq!(at, bytes.len(), "a packet is cut off");
    found
}

pub(crate) fn greeting(capabilities: Capabilities, plugin: &str) -> Vec<u8> {
    let caps = capabilities.base().to_le_bytes();
    [
        &[10][..],
        b"10.11.0\0",
        &[7, 0, 0, 0],
        b"12345678\0",
        &caps[..2],
        &[45, 2, 0],
        &caps[2..],
        &[21, 0, 0, 0, 0, 0, 0],
        &capabilities.extended().to_le_bytes(),
        b"901234567890\0",
        plugin.as_bytes(),
        &[0],
    ]
    .concat()
}

pub(crate) fn response(capabilities: Capabilities, auth: &[u8], plugin: &str) -> Vec<u8> {
    let fixed = [
        &capabilities.base().to_le_bytes()[..],
        &[0, 0, 0, 1, 45],
        &[0; 19],
        &capabilities.extended().to_le_bytes(),
    ]
    .concat();
    let length = [auth.len() as u8];
    let rest = [b"bob\0", &length[..], auth, plugin.as_bytes(), &[0]].concat();
    [fixed, rest].concat()
}

pub(crate) const OK: &[u8] = &[0, 0, 0, 2, 0, 0, 0];
pub(crate) const MORE: &[u8] = &[0, 0, 0, 10, 0, 0, 0];

pub(crate) fn ended(more: bool) -> [u8; 5] {
    [0xfe, 0, 0, if more { 10 } else { 2 }, 0]
}

pub(crate) fn column(kind: u8, charset: u16) -> Vec<u8> {
    let column = Column {
        schema: b"s",
        table: b"t",
        org_table: b"t",
        name: b"c",
        org_name: b"c",
        extended: b"",
        charset,
        length: 100,
        kind: Type(kind),
        flags: 0,
        decimals: 0,
        default: b"",
    };
    let mut out = Vec::new();
    column.write(&mut out, Capabilities::default());
    out
}

pub(crate) fn text_row(cells: &[Option<&[u8]>]) -> Vec<u8> {
    let mut out = Vec::new();
    for cell in cells {
        match cell {
            None => out.push(0xfb),
            Some(cell) => lenenc::write_string(&mut out, cell),
        }
    }
    out
}

/// These payloads as packets with numbers from 1 on.
pub(crate) fn answer(payloads: &[&[u8]]) -> Vec<u8> {
    let (mut out, mut sequence) = (Vec::new(), 1);
    for payload in payloads {
        write_message(&mut out, &mut sequence, payload);
    }
    out
}

/// A result with a column of bytes and one of text, and these rows.
pub(crate) fn result(rows: &[Vec<u8>], more: bool) -> Vec<Vec<u8>> {
    let mut payloads = vec![
        vec![2],
        column(252, 63),
        column(253, 45),
        ended(false).to_vec(),
    ];
    payloads.extend(rows.to_vec());
    payloads.push(ended(more).to_vec());
    payloads
}

pub(crate) fn answer_of(payloads: &[Vec<u8>]) -> Vec<u8> {
    answer(&payloads.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// Lets the client in, as one that uses these capabilities.
pub(crate) fn let_in(driver: &mut Driver<MySqlSession>, used: Capabilities) {
    let plugin = "mysql_native_password";
    driver.feed(From::Client, &[]);
    driver.feed(From::Server, &packet(0, &greeting(OFFERED, plugin)));
    driver.feed(From::Client, &packet(1, &response(used, &[7; 20], plugin)));
    driver.feed(From::Server, &packet(2, OK));
    assert_eq!(driver.session().activity(), Activity::Idle);
    driver.to_client.clear();
    driver.to_server.clear();
}
