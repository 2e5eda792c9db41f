//! After an error of acra-server the two ends agree on everything: what is answered, what is skipped, which transaction is
//! open, which portals and statements there are (postgresql.md 9.3, 10).

use crate::{error, goes_on, is_refusal, state};
use acra_harness::Result;
use acra_harness::raw::{Connection, Message, frontend as f};
use acra_harness::scene::{Scene, rows, value};

/// Refused at Parse, whatever is around it.
const REFUSED: &str = "SELECT id FROM vault WHERE secret = 'x'";

fn insert(id: i32) -> String {
    format!("INSERT INTO vault (id, secret) VALUES ({id}, 'sealed')")
}

/// Parse, Bind and Execute without Sync.
fn run(sql: &str) -> [Vec<u8>; 3] {
    [
        f::parse("", sql, &[]),
        f::bind_text("", "", &[]),
        f::execute("", 0),
    ]
}

fn ids(scene: &Scene<'_>) -> Result<Vec<String>> {
    Ok(rows(&mut scene.direct()?, "SELECT id FROM vault ORDER BY id")?.concat())
}

fn tags(answers: &[Message]) -> String {
    answers
        .iter()
        .map(|message| char::from(message.tag))
        .collect()
}

#[test]
fn at_flush_the_refusal_comes_without_sync() -> Result<()> {
    let scene = Scene::start()?;
    let mut connection = scene.proxied()?;
    connection.send_all(&[f::parse("", REFUSED, &[]), f::flush()])?;
    let answer = connection.until(b'E')?;
    assert_eq!(error(&answer)?.field(b'C').as_deref(), Some("0A000"));
    // Until Sync everything is skipped, also what would be refused again.
    connection.send_all(&run(&insert(1)))?;
    connection.send_all(&[f::parse("", REFUSED, &[]), f::flush(), f::sync()])?;
    assert_eq!(tags(&connection.ready()?), "Z");
    assert!(ids(&scene)?.is_empty());
    goes_on(&mut connection)
}

#[test]
fn the_implicit_transaction_of_a_pipeline_is_rolled_back() -> Result<()> {
    let scene = Scene::start()?;
    let mut connection = scene.proxied()?;
    connection.send_all(&run(&insert(1)))?;
    connection.send_all(&run(REFUSED))?;
    connection.send_all(&run(&insert(2)))?;
    connection.send(&f::sync())?;
    assert_eq!(tags(&connection.ready()?), "12CEZ");
    assert!(
        ids(&scene)?.is_empty(),
        "the first insert was part of the pipeline's transaction"
    );
    connection.send_all(&run(&insert(3)))?;
    connection.send(&f::sync())?;
    connection.ready()?;
    assert_eq!(ids(&scene)?, ["3"]);
    goes_on(&mut connection)
}

#[test]
fn errors_of_both_kinds_follow_each_other() -> Result<()> {
    let scene = Scene::start()?;
    let mut connection = scene.proxied()?;
    let texts = [
        REFUSED,
        "SELECT 1/0",
        "SELECT 1",
        REFUSED,
        "SELECT no_such_column",
        &insert(1),
    ];
    for sql in texts {
        connection.send_all(&run(sql))?;
        connection.send(&f::sync())?;
    }
    for sql in texts {
        let answer = connection.ready()?;
        let code = error(&answer).ok().and_then(|error| error.field(b'C'));
        let expected = match sql {
            REFUSED => Some("0A000"),
            "SELECT 1/0" => Some("22012"),
            "SELECT no_such_column" => Some("42703"),
            _ => None,
        };
        assert_eq!(code.as_deref(), expected, "{sql}: {answer:?}");
    }
    goes_on(&mut connection)
}

/// libpq sends Parse, Bind, Describe, Execute and Sync, and a second Sync after the data.
#[test]
fn a_copy_before_and_after_a_refusal() -> Result<()> {
    let scene = Scene::start()?;
    let mut connection = scene.proxied()?;
    for _ in 0..2 {
        connection.send_all(&run("COPY plain FROM STDIN"))?;
        connection.send(&f::sync())?;
        connection.until(b'G')?;
        connection.send_all(&[f::copy_data(b"1\tone\n"), f::copy_done(), f::sync()])?;
        assert_eq!(tags(&connection.ready()?), "CZ");
        is_refusal(&connection.query(REFUSED)?, "0A000", "secret")?;
        // A copy that the client breaks off, in a pipeline with a refusal behind it.
        connection.send_all(&run("COPY plain FROM STDIN"))?;
        connection.send(&f::sync())?;
        connection.until(b'G')?;
        connection.send_all(&[
            f::copy_data(b"2\ttwo\n"),
            f::copy_fail("enough"),
            f::sync(),
            f::query(REFUSED),
        ])?;
        assert_eq!(tags(&connection.ready()?), "EZ");
        is_refusal(&connection.ready()?, "0A000", "secret")?;
    }
    is_refusal(
        &connection.query("COPY vault (id, secret) FROM '/tmp/rows'")?,
        "0A000",
        "vault",
    )?;
    assert_eq!(scene.stored("SELECT count(*) FROM plain")?, "2");
    goes_on(&mut connection)
}

#[test]
fn cursors_that_outlive_their_transaction() -> Result<()> {
    let scene = Scene::start()?;
    let mut connection = scene.proxied()?;
    connection
        .run("BEGIN; DECLARE kept CURSOR WITH HOLD FOR SELECT generate_series(1, 6); COMMIT")?;
    connection.send_all(&[f::execute("kept", 2), f::sync()])?;
    assert_eq!(tags(&connection.ready()?), "DDsZ");
    is_refusal(&connection.query(REFUSED)?, "0A000", "secret")?;
    assert_eq!(value(&mut connection, "FETCH kept")?, "3");
    connection.send_all(&[f::execute("kept", 0), f::close_portal("kept"), f::sync()])?;
    assert_eq!(tags(&connection.ready()?), "DDDC3Z");
    goes_on(&mut connection)
}

#[test]
fn portals_end_with_the_transaction_that_a_refusal_breaks() -> Result<()> {
    let scene = Scene::start()?;
    scene.run_directly("INSERT INTO plain SELECT n, 'row' FROM generate_series(1, 10) n")?;
    let mut connection = scene.proxied()?;
    connection.run("BEGIN")?;
    connection.send_all(&[
        f::parse("s", "SELECT id FROM plain", &[]),
        f::bind_text("p", "s", &[]),
        f::execute("p", 3),
        f::sync(),
    ])?;
    assert_eq!(tags(&connection.ready()?), "12DDDsZ");
    let answer = connection.query(REFUSED)?;
    is_refusal(&answer, "0A000", "secret")?;
    assert_eq!(state(&answer), Some('E'));
    connection.send_all(&[f::execute("p", 3), f::sync()])?;
    assert_eq!(
        error(&connection.ready()?)?.field(b'C').as_deref(),
        Some("25P02")
    );
    connection.run("ROLLBACK")?;
    connection.send_all(&[f::execute("p", 3), f::sync()])?;
    assert_eq!(
        error(&connection.ready()?)?.field(b'C').as_deref(),
        Some("34000")
    );
    goes_on(&mut connection)
}

#[test]
fn a_statement_is_closed_under_its_open_portal() -> Result<()> {
    let scene = Scene::start()?;
    let mut connection = scene.proxied()?;
    connection.run(&insert(1))?;
    connection.run("BEGIN")?;
    connection.send_all(&[
        f::parse("s", "SELECT secret FROM vault", &[]),
        f::bind_text("p", "s", &[]),
        f::describe_portal("p"),
        f::close_statement("s"),
        f::parse("s", "SELECT id FROM plain", &[]),
        f::execute("p", 0),
        f::sync(),
    ])?;
    let answer = connection.ready()?;
    assert_eq!(tags(&answer), "12T31DCZ");
    let row = answer
        .iter()
        .find_map(Message::values)
        .and_then(|row| row.first().copied().flatten());
    assert_eq!(
        row,
        Some(&b"\\x7365616c6564"[..]),
        "the portal's own plan opens its rows"
    );
    connection.run("COMMIT")?;
    goes_on(&mut connection)
}

#[test]
fn savepoints_survive_a_refused_bind() -> Result<()> {
    let scene = Scene::start()?;
    let mut connection = scene.proxied()?;
    connection.run("BEGIN")?;
    connection.run(&insert(1))?;
    connection.run("SAVEPOINT a")?;
    connection.send_all(&[
        f::parse("", "INSERT INTO vault (id, secret) VALUES (2, $1)", &[]),
        f::bind_text("", "", &[Some("\\xnot hex")]),
        f::execute("", 0),
        f::sync(),
    ])?;
    let answer = connection.ready()?;
    is_refusal(&answer, "22P02", "secret")?;
    assert_eq!(state(&answer), Some('E'));
    connection.run("ROLLBACK TO a")?;
    connection.run(&insert(3))?;
    connection.run("COMMIT")?;
    assert_eq!(ids(&scene)?, ["1", "3"]);
    goes_on(&mut connection)
}

/// A connection that is used by many texts at once, each answered in its place.
#[test]
fn texts_of_many_statements() -> Result<()> {
    let scene = Scene::start()?;
    let mut connection: Connection = scene.proxied()?;
    let text = format!("{}; SELECT 1; {REFUSED}; {}", insert(1), insert(2));
    is_refusal(&connection.query(&text)?, "0A000", "secret")?;
    assert!(ids(&scene)?.is_empty());
    let text = format!("{}; SELECT 1/0; {}", insert(1), insert(2));
    assert_eq!(
        error(&connection.query(&text)?)?.field(b'C').as_deref(),
        Some("22012")
    );
    assert!(ids(&scene)?.is_empty());
    let text = format!(
        "{}; BEGIN; {}; COMMIT; SELECT secret FROM vault",
        insert(1),
        insert(2)
    );
    let answer = connection.query(&text)?;
    assert_eq!(tags(&answer), "CCCCTDDCZ");
    goes_on(&mut connection)
}
