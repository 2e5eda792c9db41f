//! What a client gets for a value that it cannot open, and for one that is not of its column's type.

use crate::{cells, stranger};
use acra_harness::raw::frontend::{self as f, Bind};
use acra_harness::raw::{Connection, Message};
use acra_harness::scene::{Scene, hex, rows, value};
use acra_harness::{Error, Result};

const CONFIG: &str = "schemas:\n  - table: answers\n    encrypted:\n      \
    - {column: strict, data_type: int32, response_on_fail: error}\n      \
    - {column: number, data_type: int64, response_on_fail: default_value, default_data_value: -1}\n      \
    - {column: name, data_type: str, default_data_value: nobody}\n      \
    - {column: bytes, data_type: bytes, default_data_value: QUI=}\n      \
    - {column: closed, data_type: str}\n      \
    - {column: lenient, data_type: str, response_on_fail: error, treat_plaintext_as_failure: false}\n";

const TABLE: &str = "CREATE TABLE answers (id int, strict bytea, number bytea, name bytea, bytes bytea, closed bytea, lenient bytea)";

fn scene() -> Result<Scene<'static>> {
    let scene = Scene::with(|acra| acra.encryptor_yaml(CONFIG))?;
    scene.run_directly(TABLE)?;
    scene
        .proxied()?
        .run("INSERT INTO answers VALUES (1, 10, 20, 'name', 'bytes', 'closed', 'lenient')")?;
    Ok(scene)
}

/// Fields of the error among answers.
fn error(answers: &[Message]) -> Result<(String, String)> {
    let error = answers.iter().find(|message| message.tag == b'E');
    let error = error.ok_or_else(|| Error::new(format!("no error in {answers:?}")))?;
    Ok((
        error.field(b'C').unwrap_or_default(),
        error.field(b'M').unwrap_or_default(),
    ))
}

fn tags(answers: &[Message]) -> String {
    answers
        .iter()
        .map(|message| char::from(message.tag))
        .collect()
}

fn encoding_error(column: &str) -> (String, String) {
    (
        "42000".to_owned(),
        format!("encoding error in column \"{column}\""),
    )
}

#[test]
fn each_answer() -> Result<()> {
    let scene = scene()?;
    let stored = scene.stored("SELECT closed FROM answers")?;
    let (_acra, mut other) = stranger(&scene, CONFIG)?;
    let select = "SELECT number, name, bytes, closed FROM answers";
    let answers = rows(&mut other, select)?.concat();
    assert_eq!(answers, ["-1", "nobody", &hex(b"AB"), &stored]);
    let results = [1];
    let bind = Bind {
        results: &results,
        ..Bind::default()
    };
    other.send_all(&[
        f::parse("", select, &[]),
        f::bind("", "", bind),
        f::execute("", 0),
        f::sync(),
    ])?;
    let read = cells(&other.ready()?)?;
    let closed = const_hex::decode(&stored[2..])?;
    let expected = [
        (-1_i64).to_be_bytes().to_vec(),
        b"nobody".to_vec(),
        b"AB".to_vec(),
        closed,
    ];
    assert_eq!(read, expected.map(Some));
    let own = rows(&mut scene.proxied()?, select)?.concat();
    assert_eq!(own, ["20", "name", &hex(b"bytes"), "closed"]);
    Ok(())
}

#[test]
fn an_error_takes_the_place_of_the_row() -> Result<()> {
    let scene = scene()?;
    // A row from before encryption, which can be read, in front of one that cannot, and another one behind.
    scene.run_directly(
        "INSERT INTO answers (id, strict) VALUES (0, '7'); INSERT INTO answers (id, strict) SELECT 2, '8'",
    )?;
    let (_acra, mut other) = stranger(&scene, CONFIG)?;
    let select = "SELECT strict FROM answers ORDER BY id";
    let answers = other.query(select)?;
    assert_eq!(tags(&answers), "TDEZ");
    assert_eq!(error(&answers)?, encoding_error("strict"));
    assert_eq!(answers[3].body, b"I");
    // Of several statements the later ones do not run for the client.
    let answers = other.query(&format!("SELECT 1; {select}; SELECT 2"))?;
    assert_eq!(tags(&answers), "TDCTDEZ");
    for described in [false, true] {
        let mut messages = vec![f::parse("", select, &[]), f::bind_text("", "", &[])];
        if described {
            messages.push(f::describe_portal(""));
        }
        messages.extend([f::execute("", 0), f::sync(), f::query("SELECT 'works'")]);
        other.send_all(&messages)?;
        let answers = other.ready()?;
        let expected = if described { "12TDEZ" } else { "12DEZ" };
        assert_eq!(tags(&answers), expected);
        assert_eq!(error(&answers)?, encoding_error("strict"));
        assert_eq!(tags(&other.ready()?), "TDCZ");
    }
    let copy = other.query("COPY (SELECT id, strict FROM answers ORDER BY id) TO STDOUT")?;
    assert_eq!(error(&copy)?, encoding_error("strict"));
    assert!(!tags(&copy).contains('C'), "{copy:?}");
    assert_eq!(value(&mut other, "SELECT 'still works'")?, "still works");
    assert_eq!(
        rows(&mut scene.proxied()?, select)?.concat(),
        ["7", "10", "8"]
    );
    let log = scene.acra.log();
    assert!(!log.contains("encoding error"), "{log}");
    Ok(())
}

fn transaction(other: &mut Connection, messages: &[Vec<u8>]) -> Result<()> {
    other.run("BEGIN")?;
    other.run("INSERT INTO plain (id) VALUES (1)")?;
    other.send_all(messages)?;
    let answers = other.ready()?;
    assert_eq!(error(&answers)?, encoding_error("strict"));
    assert_eq!(answers.last().map(|ready| &*ready.body), Some(&b"E"[..]));
    let answers = other.query("SELECT 1")?;
    assert_eq!(error(&answers)?.0, "25P02");
    let answers = other.query("COMMIT")?;
    assert_eq!(tags(&answers), "CZ");
    assert_eq!(answers[0].body, b"ROLLBACK\0");
    assert_eq!(value(other, "SELECT count(*) FROM plain")?, "0");
    Ok(())
}

#[test]
fn a_transaction_with_an_error_fails() -> Result<()> {
    let scene = scene()?;
    let (_acra, mut other) = stranger(&scene, CONFIG)?;
    let select = "SELECT strict FROM answers";
    transaction(&mut other, &[f::query(select)])?;
    transaction(
        &mut other,
        &[
            f::parse("", select, &[]),
            f::bind_text("", "", &[]),
            f::execute("", 0),
            f::sync(),
        ],
    )
}

#[test]
fn old_rows_where_anything_may_be_a_value() -> Result<()> {
    let scene = scene()?;
    scene.run_directly(
        "INSERT INTO answers (id, name, closed, lenient) VALUES (9, 'old', 'old', 'old')",
    )?;
    let mut own = scene.proxied()?;
    let old = rows(
        &mut own,
        "SELECT name, closed, lenient FROM answers WHERE id = 9",
    )?;
    assert_eq!(old.concat(), ["nobody", "old", "old"]);
    let (_acra, mut other) = stranger(&scene, CONFIG)?;
    let answers = other.query("SELECT lenient FROM answers WHERE id = 1")?;
    assert_eq!(error(&answers)?, encoding_error("lenient"));
    Ok(())
}

#[test]
fn values_of_another_type_are_refused() -> Result<()> {
    let scene = scene()?;
    let mut own = scene.proxied()?;
    let answers = own.query("INSERT INTO answers (strict) VALUES ('hidden-value')")?;
    let (code, message) = error(&answers)?;
    assert_eq!(code, "22P02");
    assert_eq!(
        message,
        "a value for column \"strict\" of table \"answers\" is not valid for type integer"
    );
    let large = [0, 0, 0, 1, 0, 0, 0, 0];
    let values = [Some(&large[..])];
    let bind = Bind {
        formats: &[1],
        values: &values,
        results: &[],
    };
    own.send_all(&[
        f::parse("", "UPDATE answers SET strict = $1", &[20]),
        f::bind("", "", bind),
        f::execute("", 0),
        f::sync(),
    ])?;
    assert_eq!(error(&own.ready()?)?.0, "22P02");
    assert!(!scene.acra.log().contains("hidden-value"));
    scene
        .stored("SELECT count(*) FROM answers")
        .map(|count| assert_eq!(count, "1"))
}
