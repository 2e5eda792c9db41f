//! Columns with types: a client writes and reads values of the type of the setting, and the database has only containers.

mod casts;
mod drivers;
mod failures;
mod like_the_database;

use acra_engine::types::Type;
use acra_harness::raw::{Connection, Message};
use acra_harness::scene::{Scene, rows_of};
use acra_harness::servers::{AcraConfig, AcraServer};
use acra_harness::{Error, Result};

/// What RowDescription tells of a column: OID of its type, length, modifier.
type Shown = (u32, i16, i32);

/// The types of a result.
fn shown(answers: &[Message]) -> Result<Vec<Shown>> {
    let description = answers.iter().find(|message| message.tag == b'T');
    let body = &description
        .ok_or_else(|| Error::new("no RowDescription"))?
        .body;
    let mut rest = &body[2..];
    let mut shown = Vec::new();
    while let Some(end) = rest.iter().position(|byte| *byte == 0) {
        let field = &rest[end + 1..end + 19];
        let number = |at: usize| {
            u32::from_be_bytes([field[at], field[at + 1], field[at + 2], field[at + 3]])
        };
        let size = i16::from_be_bytes([field[10], field[11]]);
        shown.push((number(6), size, number(12).cast_signed()));
        rest = &rest[end + 19..];
    }
    Ok(shown)
}

/// What RowDescription has to tell of a column of a type.
fn of_type(kind: Type) -> Shown {
    (kind.oid(), kind.size(), -1)
}

/// The cells of all rows.
fn cells(answers: &[Message]) -> Result<Vec<Option<Vec<u8>>>> {
    rows_of(answers)?;
    let rows = answers.iter().filter_map(Message::values);
    Ok(rows
        .flatten()
        .map(|cell| cell.map(<[u8]>::to_vec))
        .collect())
}

/// A client of the same database whose keys are others.
fn stranger(scene: &Scene<'_>, yaml: &str) -> Result<(AcraServer, Connection)> {
    let config = AcraConfig::new(scene.postgres.address()).encryptor_yaml(yaml);
    let acra = AcraServer::start(&config)?;
    let connection = Connection::login(acra.address(), "postgres", &scene.database)?;
    Ok((acra, connection))
}
