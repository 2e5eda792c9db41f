//! Statements put together at random from everything that a value can hide in: whatever the server makes of them, no
//! protected column holds the value as it was written.

use crate::statements::{execution, prepare};
use acra_engine::wire::mysql::lenenc;
use acra_harness::mysql::statements::{COLUMNS, PROTECTED, TABLES, statement};
use acra_harness::mysql::{Connection, Scene};
use acra_harness::servers::Flavour;
use acra_harness::statements::{MARK, Random, seed};
use acra_harness::{Error, Result};

/// Statements of a run, and how many of them one connection sends.
const STATEMENTS: usize = 2000;
const OF_A_CONNECTION: usize = 10;

/// Type of a string.
const VAR_STRING: u8 = 253;

/// Sends a statement by either protocol, whatever becomes of it; each of its parameters is the value.
fn send(connection: &mut Connection, text: &str, prepared: bool) -> Result<()> {
    if !prepared {
        connection.query(text)?;
        return connection.answers().map(drop);
    }
    let number = prepare(connection, text)?;
    let mut value = Vec::new();
    lenenc::write_integer(&mut value, MARK.len() as u64);
    value.extend_from_slice(MARK.as_bytes());
    let parameters = vec![(VAR_STRING, Some(&*value)); text.matches('?').count()];
    let execution = execution(connection, number, 0, &parameters, true);
    connection.command(&execution)?;
    connection.answers().map(drop)
}

fn no_random_statement_stores_a_value_as_it_is(flavour: Flavour) -> Result<()> {
    let Some(scene) = Scene::start(flavour, COLUMNS)? else {
        return Ok(());
    };
    let mut direct = scene.direct()?;
    for table in TABLES {
        direct.run(table)?;
    }
    let holds = PROTECTED.map(|column| format!("INSTR({column}, '{MARK}') > 0"));
    let leaks = format!("SELECT COUNT(*) FROM vault WHERE {}", holds.join(" OR "));
    let sealed = "SELECT COUNT(secret) + COUNT(other) + COUNT(card) FROM vault \
        WHERE INSTR(CONCAT_WS('', secret, other, card), '%%%') > 0";
    let tokens = "SELECT COUNT(token) FROM vault";
    let count = |direct: &mut Connection, sql: &str| -> Result<usize> {
        Ok(direct.strings(sql)?.concat().concat().parse()?)
    };
    let seed = seed()?;
    let mut random = Random::new(seed);
    let (mut containers, mut replaced) = (0, 0);
    for _ in 0..STATEMENTS / OF_A_CONNECTION {
        let mut connection = scene.proxied()?;
        for number in 0..OF_A_CONNECTION {
            let text = statement(&mut random, number % 6);
            send(&mut connection, &text, number % 2 == 1)?;
            send(&mut connection, "ROLLBACK", false)?;
            if count(&mut direct, &leaks)? != 0 {
                return Err(Error::new(format!(
                    "seed {seed}: stored as it is by: {text}"
                )));
            }
        }
        drop(connection);
        containers += count(&mut direct, sealed)?;
        replaced += count(&mut direct, tokens)?;
        direct.run("DELETE FROM vault; DROP PROCEDURE IF EXISTS f")?;
    }
    if containers < 200 || replaced < 50 {
        return Err(Error::new(format!(
            "only {containers} containers and {replaced} tokens: the statements are no good"
        )));
    }
    // What is found where it is there.
    direct.run(&format!(
        "INSERT INTO vault (id, secret) VALUES (1, '{MARK}')"
    ))?;
    match count(&mut direct, &leaks)? {
        1 => scene.explained(Ok(())),
        _ => Err(Error::new("a value in clear is not found")),
    }
}

on_both! {
    no_random_statement_stores_a_value_as_it_is;
}
