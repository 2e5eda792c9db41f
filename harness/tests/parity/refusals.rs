//! Where `acra-server` answers in the database's place: it ends sessions whose messages it cannot read.

use crate::targets::{Kind, start};
use acra_harness::Result;
use acra_harness::raw::{Connection, Reply, frontend as f};
use acra_harness::servers::Postgres;

/// Reads to the end, before which a fatal error with this code has to come.
fn ends_with(connection: &mut Connection, code: &str) -> Result<()> {
    connection.end()?;
    let last = connection.transcript().iter().rev().nth(1);
    let Some(Reply::Message(message)) = last else {
        panic!("no last words: {last:?}");
    };
    assert_eq!(message.field(b'V').as_deref(), Some("FATAL"), "{message}");
    assert_eq!(message.field(b'C').as_deref(), Some(code), "{message}");
    Ok(())
}

#[test]
fn malformed_messages_end_the_session() -> Result<()> {
    let server = Postgres::shared(15)?;
    let Some(target) = start(Kind::AcraServer, server)? else {
        return Ok(());
    };
    for bytes in [
        &b"\x7f\0\0\0\x04"[..],
        b"Q\0\0\0\x03",
        b"Q\0\0\0\x08abcd",
        b"P\0\0\0\x06\0\0",
    ] {
        let mut connection = Connection::login(target.address(), "postgres", "postgres")?;
        connection.send(bytes)?;
        ends_with(&mut connection, "08P01")?;
    }
    Ok(())
}

#[test]
fn tls_and_gss_are_declined() -> Result<()> {
    let server = Postgres::shared(15)?;
    let Some(target) = start(Kind::AcraServer, server)? else {
        return Ok(());
    };
    let mut connection = Connection::open(target.address())?;
    for request in [f::gss_request(), f::tls_request()] {
        connection.send(&request)?;
        assert_eq!(connection.byte()?, b'N');
    }
    Ok(())
}
