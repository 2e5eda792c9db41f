//! A database whose disk is full.

use crate::{MARK, Stage, copy_row};
use acra_harness::raw::{Message, frontend as f};
use acra_harness::scene::TABLE;
use acra_harness::servers::Postgres;
use acra_harness::{Error, Result};
use std::io::{self, Write as _};

/// The error among answers, which has to say that the disk is full.
fn is_full(answers: &[Message]) -> Result<()> {
    let error = answers.iter().find(|message| message.tag == b'E');
    match error.and_then(|error| error.field(b'C')) {
        Some(code) if code == "53100" => Ok(()),
        _ => Err(Error::new(format!("no error 53100 in {answers:?}"))),
    }
}

#[test]
fn a_disk_that_is_full() -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        writeln!(io::stderr(), "SKIPPED: only root can make a small disk")?;
        return Ok(());
    }
    let postgres = Postgres::with_small_disk(15, 8)?;
    let stage = Stage::set(&postgres, postgres.address(), |config| config)?;
    stage.scene.run_directly(&format!(
        "DROP TABLE vault, plain; SET default_tablespace = small; {TABLE}; CREATE TABLE first (room text); \
         INSERT INTO first SELECT repeat(md5(n::text), 20) FROM generate_series(1, 1500) n; \
         CREATE TABLE second AS SELECT * FROM first"
    ))?;
    let mut session = stage.scene.proxied()?;
    let long = "x".repeat(100_000);
    // In a transaction, whose state stays the database's.
    session.run("BEGIN")?;
    let mut answers = Vec::new();
    for id in 0..200 {
        answers = session.query(&format!(
            "INSERT INTO vault (id, secret) VALUES ({id}, '{MARK} {long}')"
        ))?;
        if answers.iter().any(|message| message.tag == b'E') {
            break;
        }
    }
    is_full(&answers)?;
    let failed = session.query("SELECT 1")?;
    assert!(
        failed
            .iter()
            .any(|message| message.field(b'C').as_deref() == Some("25P02"))
    );
    session.run("ROLLBACK")?;
    // What gives room back needs some itself.
    stage.scene.run_directly("DROP TABLE first")?;
    session.run("VACUUM vault")?;
    // In a COPY.
    session.send(&f::query("COPY vault (id, secret) FROM STDIN"))?;
    session.until(b'G')?;
    for id in 0..200 {
        session.send(&f::copy_data(format!("{id}\t{MARK} {long}\n").as_bytes()))?;
    }
    copy_row(&mut session, 200)?;
    session.send(&f::copy_done())?;
    is_full(&session.ready()?)?;
    // The session is none the worse for it.
    stage.scene.run_directly("DROP TABLE second")?;
    session.run("VACUUM vault")?;
    session.run(&format!(
        "INSERT INTO vault (id, secret) VALUES (1, '{MARK}')"
    ))?;
    drop(session);
    stage.is_as_before()?;
    stage.keeps_secrets(1)
}
