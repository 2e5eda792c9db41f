//! A COPY that fails in the middle leaves nothing behind, and the session goes on.

use crate::{MARK, scene};
use acra_harness::raw::frontend as f;
use acra_harness::raw::{Connection, Message};
use acra_harness::scene::{Scene, value};
use acra_harness::{Error, Result, at_rest};

/// Rows that cannot be copied, the SQLSTATE, and where it says that they fail.
fn bad() -> [(&'static str, String, &'static str, &'static str); 5] {
    let good = format!("1\t{MARK}\n2\t{MARK}\n");
    [
        (
            "COPY vault (id, secret) FROM STDIN",
            format!("{good}3\t\\\\x0{MARK}\n"),
            "22P02",
            "COPY vault, line 3, column secret",
        ),
        (
            "COPY vault (id, secret) FROM STDIN",
            format!("{good}3\ta\t{MARK}\n"),
            "22P04",
            "COPY vault, line 3",
        ),
        // These are the server's.
        (
            "COPY vault (id, secret) FROM STDIN",
            format!("{good}three\t{MARK}\n"),
            "22P02",
            "COPY vault, line 3, column id: \"three\"",
        ),
        (
            "COPY vault (id, secret) FROM STDIN",
            format!("{good}3\n"),
            "22P04",
            "COPY vault, line 3: \"3\"",
        ),
        (
            "COPY vault (id, secret) FROM STDIN (FORMAT csv)",
            format!("1,{MARK}\n2,\"{MARK}\n"),
            "22P04",
            "COPY vault, line 4, column secret",
        ),
    ]
}

fn fails(answers: &[Message], code: &str, place: &str) -> Result<()> {
    let error = answers
        .iter()
        .find(|message| message.tag == b'E')
        .ok_or_else(|| Error::new(format!("{answers:?}")))?;
    let field = |name| error.field(name).unwrap_or_default();
    assert_eq!((&*field(b'C'), &*field(b'W')), (code, place), "{error}");
    assert!(!error.to_string().contains(MARK), "{error}");
    Ok(())
}

fn tags(answers: &[Message]) -> String {
    answers
        .iter()
        .map(|message| char::from(message.tag))
        .collect()
}

fn nothing_is_left(scene: &Scene<'_>, connection: &mut Connection) -> Result<()> {
    assert_eq!(value(connection, "SELECT count(*) FROM vault")?, "0");
    let log = scene.postgres.log().unwrap_or_default();
    assert!(!log.contains(MARK), "{log}");
    Ok(())
}

#[test]
fn the_client_is_told_the_line_and_the_next_statement_works() -> Result<()> {
    for version in [15, 17, 18] {
        let scene = scene(version)?;
        let mut connection = scene.proxied()?;
        for (sql, rows, code, place) in bad() {
            connection.send(&f::query(sql))?;
            connection.until(b'G')?;
            let middle = rows.len() / 2;
            connection.send_all(&[
                f::copy_data(&rows.as_bytes()[..middle]),
                f::copy_data(&rows.as_bytes()[middle..]),
                f::copy_data(b"9\tmore\n"),
                f::copy_done(),
            ])?;
            let answers = connection.ready()?;
            assert_eq!(tags(&answers), "EZ", "{sql}");
            fails(&answers, code, place)?;
            nothing_is_left(&scene, &mut connection)?;
        }
        scene.works()?;
    }
    Ok(())
}

/// As libpq does it: Sync before the data, which the copy swallows, and Sync after them.
#[test]
fn the_extended_protocol_and_transactions_stay_in_step() -> Result<()> {
    let scene = scene(15)?;
    let mut connection = scene.proxied()?;
    for in_transaction in [false, true] {
        for (sql, rows, code, place) in bad() {
            if in_transaction {
                connection.run("BEGIN")?;
            }
            connection.send_all(&[
                f::parse("", sql, &[]),
                f::bind_text("", "", &[]),
                f::execute("", 0),
                f::sync(),
            ])?;
            connection.until(b'G')?;
            connection.send_all(&[
                f::copy_data(rows.as_bytes()),
                f::copy_data(b"9\tmore\n"),
                f::copy_done(),
                f::parse("", "SELECT 1", &[]),
                f::sync(),
            ])?;
            let answers = connection.ready()?;
            assert_eq!(tags(&answers), "EZ", "{sql}");
            fails(&answers, code, place)?;
            if in_transaction {
                assert_eq!(answers[1].body, b"E");
                connection.run("ROLLBACK")?;
            }
            nothing_is_left(&scene, &mut connection)?;
        }
    }
    scene.works()
}

#[test]
fn data_that_are_sent_before_they_are_asked_for() -> Result<()> {
    let scene = scene(15)?;
    let mut connection = scene.proxied()?;
    let data = f::copy_data(format!("1\t{MARK}\n").as_bytes());
    connection.send_all(&[
        f::query("SELECT pg_sleep(0.2); COPY vault (id, secret) FROM STDIN"),
        data.clone(),
        f::copy_done(),
        f::query("COPY vault (id, missing) FROM STDIN"),
        data,
        f::copy_done(),
        f::query("SELECT secret FROM vault"),
    ])?;
    assert_eq!(tags(&connection.ready()?), "TDCGCZ");
    assert_eq!(tags(&connection.ready()?), "EZ");
    assert_eq!(tags(&connection.ready()?), "TDCZ");
    let found = at_rest::in_tables(scene.postgres, &scene.database, &[MARK.as_bytes()])?;
    assert!(found.is_empty(), "{found:?}");
    scene.works()
}
