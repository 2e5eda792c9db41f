//! A refusal inside transactions and pipelines.

use crate::{SECRET, error, goes_on, is_refusal, state};
use acra_harness::raw::frontend::{self as f, Bind};
use acra_harness::raw::{Connection, Message};
use acra_harness::scene::Scene;
use acra_harness::{Error, Result};

const REFUSED: &str = "SELECT encode(secret, 'hex') FROM vault WHERE note = 'Refused-Secret-77'";

fn insert(id: i32) -> String {
    format!("INSERT INTO vault (id, secret) VALUES ({id}, '{SECRET}')")
}

/// Parse, Bind and Execute of a statement without parameters.
fn run(sql: &str) -> [Vec<u8>; 3] {
    [
        f::parse("", sql, &[]),
        f::bind_text("", "", &[]),
        f::execute("", 0),
    ]
}

fn ids(scene: &Scene<'_>) -> Result<String> {
    scene.stored("SELECT coalesce(string_agg(id::text, ' ' ORDER BY id), '') FROM vault")
}

/// The types of these answers.
fn tags(answers: &[Message]) -> String {
    answers
        .iter()
        .map(|message| char::from(message.tag))
        .collect()
}

fn has_code(answers: &[Message], code: &str) -> Result<()> {
    let error = error(answers)?;
    match error.field(b'C').as_deref() == Some(code) {
        true => Ok(()),
        false => Err(Error::new(format!("expected {code}: {error}"))),
    }
}

#[test]
fn the_transaction_has_really_failed() -> Result<()> {
    let scene = Scene::start()?;
    let mut connection = scene.proxied()?;
    connection.run("BEGIN")?;
    connection.run(&insert(1))?;
    let answers = connection.query(REFUSED)?;
    is_refusal(&answers, "0A000", "\"secret\"")?;
    assert_eq!(state(&answers), Some('E'));
    for sql in ["SELECT 1", &insert(2), "SELECT * FROM vault"] {
        let answers = connection.query(sql)?;
        has_code(&answers, "25P02")?;
        assert_eq!(state(&answers), Some('E'), "{sql}");
    }
    let answers = connection.query("ROLLBACK")?;
    assert_eq!(state(&answers), Some('I'));
    goes_on(&mut connection)?;
    // What is committed after a refusal is rolled back.
    connection.run("BEGIN")?;
    connection.run(&insert(3))?;
    connection.query(REFUSED)?;
    let answers = connection.query("COMMIT")?;
    assert_eq!(answers[0].to_string(), "CommandComplete ROLLBACK");
    assert_eq!(ids(&scene)?, "");
    connection.run(&insert(4))?;
    assert_eq!(ids(&scene)?, "4");
    scene.works()
}

#[test]
fn a_savepoint_saves_what_was_before_the_refusal() -> Result<()> {
    let scene = Scene::start()?;
    let mut connection = scene.proxied()?;
    connection.run("BEGIN")?;
    connection.run(&insert(1))?;
    connection.run("SAVEPOINT s")?;
    connection.run(&insert(2))?;
    is_refusal(
        &connection.query("COPY vault TO '/nowhere'")?,
        "0A000",
        "\"vault\"",
    )?;
    has_code(&connection.query("SELECT 1")?, "25P02")?;
    connection.run("ROLLBACK TO s")?;
    connection.run(&insert(3))?;
    connection.run("COMMIT")?;
    assert_eq!(ids(&scene)?, "1 3");
    Ok(())
}

#[test]
fn nothing_of_a_text_with_a_refused_statement_is_done() -> Result<()> {
    let scene = Scene::start()?;
    let mut connection = scene.proxied()?;
    let answers = connection.query(&format!("{}; {REFUSED}; {}", insert(1), insert(2)))?;
    is_refusal(&answers, "0A000", "\"secret\"")?;
    assert_eq!(tags(&answers), "EZ");
    assert_eq!(ids(&scene)?, "");
    Ok(())
}

#[test]
fn in_a_pipeline_the_refusal_comes_at_its_turn() -> Result<()> {
    let scene = Scene::start()?;
    let mut connection = scene.proxied()?;
    let mut messages = Vec::new();
    messages.extend(run(&insert(1)));
    messages.extend(run("SELECT generate_series(1, 3)"));
    messages.extend(run(REFUSED));
    messages.extend(run(&insert(2)));
    messages.extend([f::describe_statement(""), f::flush(), f::sync()]);
    connection.send_all(&messages)?;
    let answers = connection.ready()?;
    assert_eq!(tags(&answers), "12C12DDDCEZ");
    is_refusal(&answers, "0A000", "\"secret\"")?;
    assert_eq!(ids(&scene)?, "", "all up to Sync is one transaction");
    goes_on(&mut connection)?;
    // Each between Syncs of its own, all sent at once.
    let mut messages = Vec::new();
    for sql in [
        &insert(3),
        REFUSED,
        &insert(4),
        "COPY vault TO '/nowhere'",
        &insert(5),
    ] {
        messages.extend(run(sql));
        messages.push(f::sync());
    }
    connection.send_all(&messages)?;
    for (turn, expected) in ["12CZ", "EZ", "12CZ", "EZ", "12CZ"].into_iter().enumerate() {
        let answers = connection.ready()?;
        assert_eq!(tags(&answers), expected, "turn {turn}: {answers:?}");
    }
    assert_eq!(ids(&scene)?, "3 4 5");
    // In a transaction that spans Syncs.
    let mut messages = vec![f::query("BEGIN")];
    messages.extend(run(&insert(6)));
    messages.push(f::sync());
    messages.extend(run(REFUSED));
    messages.push(f::sync());
    messages.extend(run("SELECT 1"));
    messages.extend([f::sync(), f::query("ROLLBACK")]);
    connection.send_all(&messages)?;
    for expected in ["CZ", "12CZ", "EZ", "EZ", "CZ"] {
        let answers = connection.ready()?;
        assert_eq!(tags(&answers), expected, "{answers:?}");
    }
    assert_eq!(ids(&scene)?, "3 4 5");
    scene.works()
}

#[test]
fn what_follows_a_refusal_up_to_sync_never_reaches_the_database() -> Result<()> {
    let scene = Scene::start()?;
    let mut connection = scene.proxied()?;
    connection.send_all(&[run(REFUSED).concat(), f::flush()])?;
    assert_eq!(connection.message()?.tag, b'E');
    // The error has been read; the client goes on nevertheless.
    connection.send_all(&[run(&insert(1)).concat(), f::query(&insert(2)), f::sync()])?;
    assert_eq!(tags(&connection.ready()?), "Z");
    assert_eq!(ids(&scene)?, "");
    goes_on(&mut connection)
}

fn bind(
    connection: &mut Connection,
    statement: &str,
    value: &[u8],
    format: u16,
) -> Result<Vec<Message>> {
    let bind = Bind {
        formats: &[format],
        values: &[Some(value)],
        results: &[],
    };
    connection.send_all(&[f::bind("", statement, bind), f::execute("", 0), f::sync()])?;
    connection.ready()
}

#[test]
fn a_refused_value_leaves_its_statement_usable() -> Result<()> {
    let scene = Scene::start()?;
    let mut connection = scene.proxied()?;
    let sql = "INSERT INTO vault (id, secret) VALUES (1, $1)";
    connection.pipeline(&[f::parse("s", sql, &[]), f::sync()])?;
    is_refusal(
        &bind(&mut connection, "s", b"\\xnothex", 0)?,
        "22P02",
        "\"secret\"",
    )?;
    is_refusal(
        &bind(&mut connection, "never prepared", b"x", 0)?,
        "26000",
        "\"never prepared\"",
    )?;
    is_refusal(
        &connection.query("EXECUTE s (lower('x'))")?,
        "0A000",
        "EXECUTE",
    )?;
    is_refusal(&connection.query("EXECUTE t ('x')")?, "26000", "\"t\"")?;
    let answers = bind(&mut connection, "s", b"\\xnothex", 1)?;
    assert_eq!(tags(&answers), "2CZ");
    assert_eq!(ids(&scene)?, "1");
    // A parameter for two purposes.
    for sql in [
        "UPDATE vault SET secret = $1 WHERE note = $1",
        "UPDATE vault SET secret = $1, other = $1",
    ] {
        connection.send_all(&[f::parse("u", sql, &[]), f::sync()])?;
        is_refusal(&connection.ready()?, "0A000", "$1")?;
        goes_on(&mut connection)?;
    }
    scene.works()
}

#[test]
fn a_string_that_may_change_its_meaning_is_refused() -> Result<()> {
    let scene = Scene::start()?;
    let mut connection = scene.proxied()?;
    let sql = format!("INSERT INTO vault (id, secret) VALUES (1, 'C:\\{SECRET}')");
    connection.send_all(&[
        f::query("SET standard_conforming_strings = off"),
        f::query(&sql),
    ])?;
    connection.ready()?;
    let answers = connection.ready()?;
    assert_eq!(
        error(&answers)?.field(b'C').as_deref(),
        Some("0A000"),
        "{answers:?}"
    );
    // Once it is settled, the string is read as it says.
    connection.run("SET escape_string_warning = off")?;
    connection.run("INSERT INTO vault (id, secret) VALUES (2, 'it\\'s')")?;
    let read =
        acra_harness::scene::value(&mut connection, "SELECT secret FROM vault WHERE id = 2")?;
    assert_eq!(read, acra_harness::scene::hex(b"it's"));
    assert_eq!(ids(&scene)?, "2");
    Ok(())
}
