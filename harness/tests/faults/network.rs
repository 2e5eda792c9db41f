//! The network between acra-server and the database, and between it and clients.

use crate::{
    MARK, Stage, copy_row, ends_with, ends_with_or_within_a_message, in_a_copy, in_a_copy_out,
    in_a_result, in_a_transaction, is_refused,
};
use acra_harness::raw::{Connection, frontend as f};
use acra_harness::scene::{eventually, rows_of, value};
use acra_harness::servers::{Network, Postgres, Way};
use acra_harness::{Error, Result};

/// Behind a network on the shared PostgreSQL.
fn behind(network: &Network) -> Result<Stage<'static>> {
    Stage::set(Postgres::shared(15)?, network.address(), |config| config)
}

/// A session goes on beside one that failed.
fn goes_on(other: &mut Connection, id: usize) -> Result<()> {
    other.run(&format!(
        "INSERT INTO vault (id, secret) VALUES ({id}, '{MARK}')"
    ))?;
    other.run("COMMIT")?;
    other.run("BEGIN")
}

/// Nobody in the database works for sessions that are gone.
fn nobody_is_left(stage: &Stage<'_>, sessions: usize) -> Result<()> {
    eventually("the database has ended the sessions", || {
        let sql = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
            stage.scene.database
        );
        Ok(stage.scene.stored(&sql)? == sessions.to_string())
    })
}

#[test]
fn a_connection_that_is_cut_in_a_transaction() -> Result<()> {
    let network = Network::to(Postgres::shared(15)?.address())?;
    let stage = behind(&network)?;
    let mut other = stage.scene.proxied()?;
    other.run("BEGIN")?;
    for id in 0..3 {
        let mut inside = stage.scene.proxied()?;
        in_a_transaction(&mut inside, id)?;
        match id {
            // While nothing is under way; before and within the answer to a statement.
            0 => network.cut_last(),
            1 => network.cut_after(Way::ToClient, 0),
            _ => network.cut_after(Way::ToClient, 7),
        }
        if id > 0 {
            inside.send(&f::query(&format!(
                "UPDATE vault SET secret = '{MARK} anew' WHERE id = {id} RETURNING secret"
            )))?;
        }
        ends_with(&mut inside, &["08006"])?;
        goes_on(&mut other, 10 + id)?;
    }
    nobody_is_left(&stage, 1)?;
    drop(other);
    stage.is_as_before()?;
    stage.keeps_secrets(3)
}

#[test]
fn a_statement_that_is_cut_on_its_way() -> Result<()> {
    let network = Network::to(Postgres::shared(17)?.address())?;
    let stage = Stage::set(Postgres::shared(17)?, network.address(), |config| config)?;
    let insert = f::query(&format!(
        "INSERT INTO vault (id, secret) VALUES (1, '{MARK}')"
    ));
    for after in [0, 1, 4, 5, 50, 250] {
        let mut session = stage.scene.proxied()?;
        // A first statement is not preceded by questions about the tables any more.
        session.run("SELECT 1")?;
        network.cut_after(Way::ToServer, after);
        session.send(&insert)?;
        ends_with(&mut session, &["08006"])?;
    }
    stage.is_as_before()?;
    stage.keeps_secrets(0)
}

#[test]
fn a_connection_that_is_cut_in_a_copy() -> Result<()> {
    let network = Network::to(Postgres::shared(15)?.address())?;
    let stage = behind(&network)?;
    let mut other = stage.scene.proxied()?;
    other.run("BEGIN")?;
    for (number, after) in [0, 3, 100, 100_000].into_iter().enumerate() {
        let mut copying = stage.scene.proxied()?;
        in_a_copy(&mut copying, 1)?;
        network.cut_after(Way::ToServer, after);
        for id in 2..2000 {
            // Once it is cut, nobody reads.
            if copy_row(&mut copying, id).is_err() {
                break;
            }
        }
        ends_with(&mut copying, &["08006"])?;
        goes_on(&mut other, 10 + number)?;
    }
    for after in [0, 3, 500, 100_000] {
        let mut copying = stage.scene.proxied()?;
        in_a_copy_out(&mut copying)?;
        network.cut_after(Way::ToClient, after);
        ends_with_or_within_a_message(&mut copying, &["08006"])?;
    }
    nobody_is_left(&stage, 1)?;
    drop(other);
    stage.is_as_before()?;
    stage.keeps_secrets(4)
}

#[test]
fn a_connection_that_is_cut_in_a_large_result() -> Result<()> {
    let network = Network::to(Postgres::shared(15)?.address())?;
    let stage = behind(&network)?;
    for after in [0, 3, 500, 100_000, 10_000_000] {
        let mut reading = stage.scene.proxied()?;
        in_a_result(&mut reading)?;
        network.cut_after(Way::ToClient, after);
        ends_with(&mut reading, &["08006"])?;
    }
    nobody_is_left(&stage, 0)?;
    stage.is_as_before()
}

#[test]
fn a_network_that_holds_everything_for_a_while() -> Result<()> {
    let network = Network::to(Postgres::shared(15)?.address())?;
    let stage = behind(&network)?;
    let (mut inside, mut reading) = (stage.scene.proxied()?, stage.scene.proxied()?);
    in_a_transaction(&mut inside, 1)?;
    in_a_result(&mut reading)?;
    network.hold(true);
    inside.send(&f::query("SELECT secret FROM vault"))?;
    std::thread::sleep(std::time::Duration::from_millis(500));
    network.hold(false);
    assert_eq!(rows_of(&inside.ready()?)?.len(), 1);
    inside.run("COMMIT")?;
    for _ in 0..5000 {
        reading.message()?;
    }
    drop((inside, reading));
    nobody_is_left(&stage, 0)?;
    stage.is_as_before()?;
    stage.keeps_secrets(1)
}

#[test]
fn a_database_that_refuses_connections() -> Result<()> {
    let network = Network::to(Postgres::shared(15)?.address())?;
    let stage = behind(&network)?;
    let mut inside = stage.scene.proxied()?;
    in_a_transaction(&mut inside, 1)?;
    network.refuse(true)?;
    for _ in 0..3 {
        is_refused(&stage)?;
    }
    assert_eq!(value(&mut inside, "SELECT count(*) FROM vault")?, "1");
    inside.run("COMMIT")?;
    network.refuse(false)?;
    drop(inside);
    stage.is_as_before()?;
    stage.keeps_secrets(1)
}

#[test]
fn too_many_connections_for_the_database() -> Result<()> {
    let postgres = Postgres::start(15, &["max_connections=8", "max_wal_senders=0"])?;
    let stage = Stage::set(&postgres, postgres.address(), |config| config)?;
    let mut open = Vec::new();
    let refused = loop {
        let mut next = Connection::open(stage.scene.acra.address())?;
        match next.start(acra_harness::raw::Login::new(
            "postgres",
            &stage.scene.database,
        )) {
            Ok(()) if open.len() > 8 => return Err(Error::new("more than the database takes")),
            Ok(()) => open.push(next),
            Err(error) => break error.to_string(),
        }
    };
    assert!(refused.contains("53300"), "{refused}");
    for session in &mut open {
        session.run("SELECT 1")?;
    }
    drop(open);
    stage.is_as_before()
}

#[test]
fn a_client_that_is_cut_off() -> Result<()> {
    let network = Network::to(Postgres::shared(15)?.address())?;
    let stage = behind(&network)?;
    let street = Network::to(stage.scene.acra.address())?;
    let login = || Connection::login(street.address(), "postgres", &stage.scene.database);
    let mut other = stage.scene.proxied()?;
    other.run("BEGIN")?;
    let (mut inside, mut copying, mut out, mut reading) = (login()?, login()?, login()?, login()?);
    in_a_transaction(&mut inside, 1)?;
    in_a_copy(&mut copying, 2)?;
    in_a_copy_out(&mut out)?;
    in_a_result(&mut reading)?;
    street.cut();
    nobody_is_left(&stage, 1)?;
    goes_on(&mut other, 10)?;
    drop(other);
    stage.is_as_before()?;
    stage.keeps_secrets(1)
}
