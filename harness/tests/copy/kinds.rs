//! `pg_dump` of a table whose columns are protected in every way, restored into the same table and into another database.

use crate::dump::dump;
use crate::{MARK, psql};
use acra_harness::raw::Connection;
use acra_harness::scene::{Scene, rows};
use acra_harness::servers::{AcraConfig, Postgres};
use acra_harness::{Result, at_rest};

const CONFIG: &str = "schemas:
  - table: vault
    encrypted:
      - column: secret
  - table: people
    encrypted:
      - {column: note}
      - {column: email, searchable: true, data_type: str}
      - {column: nick, token_type: str, consistent_tokenization: true}
      - {column: code, token_type: int64, consistent_tokenization: true}
      - {column: badge, token_type: int32}
      - {column: card, data_type: str, masking: xxxx, plaintext_length: 4, plaintext_side: right}
      - {column: age, data_type: int32}
      - {column: seen, data_type_db_identifier: 1184}
";

const TABLE: &str = "CREATE TABLE people (id int PRIMARY KEY, note bytea, email bytea, nick varchar(60) UNIQUE, code bigint NOT NULL, \
    badge int, card bytea, age bytea, seen bytea); CREATE UNIQUE INDEX ON people (substr(email, 1, 33)); \
    CREATE INDEX ON people (code) WHERE nick IS NOT NULL";

/// How many rows have a value in every column; three more have not.
const ROWS: usize = 40;

fn fill(scene: &Scene<'_>) -> Result<()> {
    let mut session = scene.proxied()?;
    for id in 1..=ROWS {
        session.run(&format!(
            "INSERT INTO people VALUES ({id}, '{MARK} note {id}', E'{MARK}\\t{id}\\\\ж\\n', '{MARK} nick {id}', {id}000000, {id}, \
             '{MARK} 4111 {id:04}', {id}, '2024-02-29 12:00:{:02}+02')",
            id % 60
        ))?;
    }
    session.run(
        "INSERT INTO people (id, code) VALUES (100, -1); INSERT INTO people (id, code, nick, note, email) VALUES (101, 0, '', '', ''), \
         (102, 9000000000000000000, '\\N', '\\x5c4e', '\\N')",
    )
}

/// What an application sees.
fn seen(session: &mut Connection) -> Result<Vec<Vec<String>>> {
    rows(session, "SELECT * FROM people ORDER BY id")
}

/// That everything is protected in a database.
fn is_sealed(scene: &Scene<'_>, database: &str) -> Result<()> {
    let mut direct = Connection::login(scene.postgres.address(), "postgres", database)?;
    let sealed = "SELECT count(*) FROM people WHERE substr(note, 1, 3) = '%%%' AND substr(email, 34, 3) = '%%%' AND \
        substr(card, 1, 3) = '%%%' AND substr(age, 1, 3) = '%%%' AND substr(seen, 1, 3) = '%%%' AND \
        code <> id * 1000000 AND nick NOT LIKE '% %'";
    // No token has a blank.
    assert_eq!(rows(&mut direct, sealed)?.concat(), [ROWS.to_string()]);
    let same = "SELECT count(*) < 4 FROM people WHERE badge = id";
    // One in four thousand million is equal by chance; not several.
    assert_eq!(rows(&mut direct, same)?.concat(), ["t"]);
    let found = at_rest::in_tables(scene.postgres, database, &[MARK.as_bytes()])?;
    assert!(found.is_empty(), "{found:?}");
    Ok(())
}

fn round(version: u32) -> Result<()> {
    let scene = Scene::on(Postgres::shared(version)?, |config| AcraConfig {
        search_keys: true,
        ..config.encryptor_yaml(CONFIG)
    })?;
    psql(scene.acra.address(), &scene.database, TABLE)?;
    fill(&scene)?;
    let before = seen(&mut scene.proxied()?)?;
    assert_eq!(before.len(), ROWS + 3);
    is_sealed(&scene, &scene.database)?;
    let tokens = "SELECT string_agg(concat(nick, code), ',' ORDER BY id) FROM people";
    let tokens = (tokens, scene.stored(tokens)?);
    for way in [&["-t", "people"][..], &["-t", "people", "--inserts"]] {
        let data = dump(
            scene.acra.address(),
            &scene.database,
            &[way, &["--data-only"]].concat(),
        )?;
        assert!(
            data.contains(&format!("{MARK} 4111 0007")) && data.contains("2024-02-29 10:00:07+00")
        );
        scene.run_directly("DELETE FROM people")?;
        psql(scene.acra.address(), &scene.database, &data)?;
        assert_eq!(seen(&mut scene.proxied()?)?, before, "{way:?}");
        is_sealed(&scene, &scene.database)?;
        // Equal values have the tokens that they had.
        assert_eq!(scene.stored(tokens.0)?, tokens.1);

        let whole = dump(scene.acra.address(), &scene.database, way)?;
        let moved = scene.postgres.fresh_database()?;
        psql(scene.acra.address(), &moved, &whole)?;
        let mut session = Connection::login(scene.acra.address(), "postgres", &moved)?;
        assert_eq!(seen(&mut session)?, before, "{way:?}");
        let found = format!(
            "SELECT id FROM people WHERE nick = '{MARK} nick 9' AND email = E'{MARK}\\t9\\\\ж\\n' AND code = 9000000"
        );
        assert_eq!(rows(&mut session, &found)?.concat(), ["9"]);
        is_sealed(&scene, &moved)?;
    }
    // What a dump past acra-server has can be restored past it.
    let stored = dump(
        scene.postgres.address(),
        &scene.database,
        &["-t", "people", "--data-only"],
    )?;
    assert!(!stored.contains(MARK) && !stored.contains(&const_hex::encode(MARK)));
    scene.run_directly("DELETE FROM people")?;
    psql(scene.postgres.address(), &scene.database, &stored)?;
    assert_eq!(seen(&mut scene.proxied()?)?, before);
    scene.works()
}

#[test]
fn there_and_back_on_15() -> Result<()> {
    round(15)
}

#[test]
fn there_and_back_on_17() -> Result<()> {
    round(17)
}

#[test]
fn there_and_back_on_18() -> Result<()> {
    round(18)
}
