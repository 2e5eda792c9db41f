//! Every statement that is not supported.

use crate::{SECRET, goes_on, is_refusal};
use acra_harness::raw::Connection;
use acra_harness::raw::frontend as f;
use acra_harness::scene::{Scene, eventually, rows};
use acra_harness::servers::Postgres;
use acra_harness::{Context, Error, Result, at_rest};

/// The table is named.
const FORMS: &[&str] = &[
    "INSERT INTO vault (id, secret) TABLE plain",
    "INSERT INTO vault (id, secret) VALUES (1)",
    "SELECT * FROM vault NATURAL JOIN plain",
    "(SELECT secret FROM vault) INTERSECT VALUES ('SECRET'::bytea)",
    "WITH RECURSIVE a AS (SELECT * FROM b), b AS (SELECT * FROM a UNION ALL SELECT secret FROM vault) SELECT * FROM b",
    "SELECT * INTO copied FROM vault",
    "COPY vault (id, secret) FROM '/tmp/SECRET'",
    "COPY vault (id, secret) FROM PROGRAM 'echo SECRET'",
    "COPY vault TO '/tmp/SECRET'",
    "COPY (SELECT secret FROM vault) TO PROGRAM 'cat'",
    "COPY vault (id, secret) FROM STDIN (FORMAT csv, UNKNOWN 'SECRET')",
    "CREATE MATERIALIZED VIEW v AS SELECT * FROM vault",
    "CREATE TABLE copied AS SELECT * FROM vault",
    "CREATE TABLE vault (secret bytea DEFAULT lower('SECRET'))",
    "CREATE TABLE child (LIKE vault)",
    "CREATE TABLE child () INHERITS (vault); SELECT 'SECRET'",
    "CREATE TABLE vault PARTITION OF plain FOR VALUES IN ('SECRET')",
    "CREATE INDEX ON vault (secret)",
    "CREATE RULE r AS ON INSERT TO plain DO ALSO INSERT INTO vault (secret) VALUES ('SECRET')",
    "CREATE TRIGGER t AFTER INSERT ON vault EXECUTE FUNCTION f()",
    "ALTER TABLE vault ALTER secret TYPE text USING 'SECRET'",
    "ALTER TABLE IF EXISTS public.vault RENAME TO other",
    "ALTER TABLE plain RENAME TO vault",
    // Whole rows.
    "SELECT vault FROM vault",
    "SELECT row_to_json(v) FROM vault AS v",
    "SELECT (vault).secret FROM vault",
    "SELECT v FROM vault v WHERE v IS NOT NULL",
    "SELECT DISTINCT * FROM vault",
    // What cannot be read.
    "INSERT INTO vault (id, secret) VALUES (1, 'SECRET' 'x')",
    "SELEC secret FROM vault WHERE note = 'SECRET'",
];

/// Texts that are run elsewhere, and texts without an end: that a protected table is concerned is all that is known.
const TEXTS: &[&str] = &[
    "DO $$ BEGIN INSERT INTO vault (id, secret) VALUES (1, 'SECRET'); END $$",
    "DO LANGUAGE plpgsql 'BEGIN EXECUTE ''INSERT INTO Vault (id, secret) VALUES (1, ''''SECRET'''')''; END'",
    "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ UPDATE vault SET secret = 'SECRET' $$",
    "CREATE OR REPLACE PROCEDURE p() LANGUAGE sql AS 'DELETE FROM vault WHERE note = ''SECRET'''",
    "SELECT query_to_xml('SELECT ''SECRET'' FROM vault', true, true, '')",
    "INSERT INTO vault (id, secret) VALUES (1, 'SECRET)",
    "INSERT INTO vault (id, secret) VALUES (1, $$SECRET)",
    "INSERT INTO vault (id, secret) VALUES (1, 'SECRET') /* without an end",
];

/// The column is named.
const COLUMNS: &[&str] = &[
    "INSERT INTO vault (id, secret) VALUES (1, lower('SECRET'))",
    "INSERT INTO vault (id, secret) VALUES (1, 'SECRET' || '')",
    "INSERT INTO vault (id, secret) VALUES (1, 'SECRET'::char)",
    "INSERT INTO vault (id, secret) VALUES (1, CAST('SECRET' AS name))",
    "INSERT INTO vault (id, secret) VALUES (1, bytea 'SECRET')",
    "INSERT INTO vault (id, secret) VALUES (1, decode('SECRET', 'escape'))",
    "INSERT INTO vault (id, secret) VALUES (1, B'1')",
    "INSERT INTO vault (id, secret) VALUES (1, X'1F')",
    "INSERT INTO vault (id, secret) VALUES (1, N'SECRET')",
    "INSERT INTO vault (id, secret) VALUES (1, 0x1F)",
    "INSERT INTO vault (id, secret) VALUES (1, true)",
    "INSERT INTO vault (id, secret) VALUES (1, ROW('SECRET'))",
    "INSERT INTO vault (id, secret) VALUES (1, ARRAY['SECRET'])",
    "INSERT INTO vault (id, secret) VALUES (1, 'x'), (2, upper('SECRET'))",
    "UPDATE vault SET secret = 'SECRET' || secret",
    "COPY vault (id, secret) FROM STDIN WHERE secret <> 'SECRET'",
    "COPY (SELECT id FROM vault WHERE secret = 'SECRET') TO STDOUT",
    "UPDATE vault SET secret = coalesce(note, 'SECRET')",
    "UPDATE vault SET secret = open",
    "UPDATE vault SET note = secret",
    "UPDATE vault SET vault.secret = 'SECRET'",
    "UPDATE vault SET secret[1] = 'SECRET'",
    "INSERT INTO vault (id, secret.part) VALUES (1, 'SECRET')",
    "INSERT INTO vault (id, secret) VALUES (1, 'x') ON CONFLICT (id) WHERE secret = 'SECRET' DO NOTHING",
    "INSERT INTO vault (id, secret) SELECT * FROM unnest(ARRAY[1], '{SECRET}'::int[])",
    "INSERT INTO vault (id, secret) SELECT 1, u FROM unnest(ARRAY['SECRET']::bytea[]) u WHERE u <> ''",
    "UPDATE vault SET note = 'n' WHERE secret = 'SECRET'",
    "DELETE FROM vault WHERE secret IN ('SECRET', 'x')",
    "DELETE FROM vault WHERE id = 1 RETURNING length(secret)",
    "SELECT id FROM vault WHERE secret = 'SECRET'",
    "SELECT id FROM vault v WHERE 'SECRET' <> v.secret",
    "SELECT id FROM vault WHERE secret LIKE 'SECRET%'",
    "SELECT id FROM vault WHERE secret BETWEEN 'a' AND 'SECRET'",
    "SELECT id FROM vault WHERE note = 'SECRET' OR length(secret) > 1",
    "SELECT encode(secret, 'escape') FROM vault",
    "SELECT secret::text FROM vault",
    "SELECT secret || 'SECRET' FROM vault",
    "SELECT max(secret) FROM vault",
    "SELECT count(DISTINCT secret) FROM vault",
    "SELECT secret FROM vault ORDER BY secret",
    "SELECT id, secret FROM vault ORDER BY 2",
    "SELECT secret FROM vault GROUP BY secret",
    "SELECT secret FROM vault GROUP BY 1",
    "SELECT DISTINCT secret FROM vault",
    "SELECT DISTINCT ON (secret) id FROM vault",
    "SELECT id, row_number() OVER (ORDER BY secret) FROM vault",
];

/// That a statement is refused by either protocol, and the database knows nothing of it.
fn refused(scene: &Scene<'_>, connection: &mut Connection, sql: &str, names: &str) -> Result<()> {
    const SHOWN: &str = "SELECT query FROM pg_stat_activity \
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let answers = connection.query(sql)?;
    let extended = [
        f::parse("", sql, &[]),
        f::describe_statement(""),
        f::bind_text("", "", &[]),
        f::execute("", 0),
        f::sync(),
    ];
    for (way, answers) in [
        ("simple", answers),
        ("extended", {
            goes_on(connection)?;
            connection.send_all(&extended)?;
            connection.ready()?
        }),
    ] {
        is_refusal(&answers, "0A000", names).context(|| way.into())?;
        if answers.len() != 2 {
            return Err(Error::new(format!(
                "{way}: more than an error: {answers:?}"
            )));
        }
    }
    let shown = rows(&mut scene.direct()?, SHOWN)?;
    if format!("{shown:?}").contains(SECRET) {
        return Err(Error::new(format!("the database shows {shown:?}")));
    }
    goes_on(connection)
}

#[test]
fn every_form_is_refused_before_the_database_sees_it() -> Result<()> {
    let settings = [
        "log_statement=all",
        "log_min_messages=info",
        "log_duration=on",
    ];
    let postgres = Postgres::start(15, &settings)?;
    let scene = Scene::on(&postgres, |config| config)?;
    let mut connection = scene.proxied()?;
    let tables = FORMS.iter().map(|sql| (sql, "\"vault\""));
    let columns = COLUMNS.iter().map(|sql| (sql, "\"secret\""));
    let mut wrong = Vec::new();
    let texts = TEXTS.iter().map(|sql| (sql, "a protected table"));
    for (sql, names) in tables.chain(texts).chain(columns) {
        let sql = sql.replace("SECRET", SECRET);
        if let Err(error) = refused(&scene, &mut connection, &sql, names) {
            wrong.push(format!("\n{sql}: {error}"));
            connection = scene.proxied()?;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
    assert!(postgres.log().is_some_and(|log| log.contains("goes on")));
    assert!(postgres.log().is_some_and(|log| !log.contains(SECRET)));
    assert!(!scene.acra.log().contains(SECRET));
    let found = at_rest::find(&postgres, &scene.database, &[SECRET.as_bytes()])?;
    assert!(found.is_empty(), "{found:?}");
    // What the search does find.
    scene.run_directly(&format!("INSERT INTO plain (note) VALUES ('{SECRET}')"))?;
    let found = at_rest::find(&postgres, &scene.database, &[SECRET.as_bytes()])?;
    assert!(!found.is_empty());
    eventually("the log of PostgreSQL has it", || {
        Ok(postgres.log().is_some_and(|log| log.contains(SECRET)))
    })?;
    scene.works()
}

#[test]
fn queries_that_read_each_other_are_refused_by_the_database_as_well() -> Result<()> {
    let scene = Scene::start()?;
    for mut connection in [scene.proxied()?, scene.direct()?] {
        let answers = connection.query(
            "WITH RECURSIVE a AS (SELECT * FROM b), b AS (SELECT * FROM a UNION ALL SELECT note FROM plain) SELECT * FROM b",
        )?;
        let said = crate::error(&answers)?.to_string();
        assert!(
            said.contains("0A000") && said.contains("mutual recursion"),
            "{said}"
        );
    }
    scene.works()
}

#[test]
fn wrong_values_are_refused_with_a_code_of_their_own() -> Result<()> {
    let scene = Scene::start()?;
    let mut connection = scene.proxied()?;
    for (sql, code) in [
        (
            "INSERT INTO vault (id, secret) VALUES (1, '\\xnothex')",
            "22P02",
        ),
        (
            "INSERT INTO vault (id, secret) VALUES (1, '\\x123')",
            "22P02",
        ),
        (
            "INSERT INTO vault (id, secret) VALUES (1, E'\\u12')",
            "22025",
        ),
        (
            "INSERT INTO vault (id, secret) VALUES (1, U&'\\00')",
            "22025",
        ),
    ] {
        is_refusal(&connection.query(sql)?, code, "\"secret\"").context(|| sql.into())?;
        goes_on(&mut connection)?;
    }
    let long = format!(
        "SELECT secret FROM vault WHERE id IN (1{})",
        ", 1 + 1".repeat(100_000)
    );
    is_refusal(&connection.query(&long)?, "54001", "\"vault\"")?;
    goes_on(&mut connection)?;
    connection.run("SET client_encoding = 'LATIN1'")?;
    connection.send(&f::message(
        b'Q',
        b"INSERT INTO vault (id, secret) VALUES (1, 'caf\xe9')\0",
    ))?;
    is_refusal(&connection.ready()?, "0A000", "\"secret\"")?;
    goes_on(&mut connection)?;
    connection.run("SET client_encoding = 'UTF8'")?;
    scene.works()
}
