//! Tables are defined through `acra-server`: defaults of protected columns are stored sealed, tokens have keys, and columns
//! change their types.

use acra_harness::raw::Connection;
use acra_harness::scene::{Scene, rows, value};
use acra_harness::servers::{AcraConfig, Postgres};
use acra_harness::{Error, Result};

const CONFIG: &str = "
schemas:
  - table: members
    columns: [id, name, secret, email, login, points]
    encrypted:
      - {column: secret}
      - {column: email, searchable: true, data_type: str}
      - {column: login, token_type: str, consistent_tokenization: true}
      - {column: points, data_type: int32}
";

fn fails(session: &mut Connection, sql: &str, code: &str) -> Result<()> {
    let answers = session.query(sql)?;
    let error = answers.iter().find(|message| message.tag == b'E');
    let error = error.map(ToString::to_string).unwrap_or_default();
    match error.contains(code) {
        true => Ok(()),
        false => Err(Error::new(format!("{sql}: no {code} but {error}"))),
    }
}

#[test]
fn defaults_and_keys_of_protected_columns() -> Result<()> {
    for version in [15, 18] {
        let scene = Scene::on(Postgres::shared(version)?, |config| AcraConfig {
            search_keys: true,
            ..config.encryptor_yaml(CONFIG)
        })?;
        let mut session = scene.proxied()?;
        session.run(
            "CREATE TABLE members (id int PRIMARY KEY, name text DEFAULT 'nobody', secret bytea NOT NULL DEFAULT 'default secret', \
             email bytea DEFAULT 'default@secret.example', login text UNIQUE DEFAULT NULL)",
        )?;
        session.run("INSERT INTO members (id) VALUES (1)")?;
        // The rows that are there get it too.
        session.run("ALTER TABLE members ADD COLUMN points bytea DEFAULT 1234567 NOT NULL")?;
        session.run(
            "ALTER TABLE members ALTER points DROP DEFAULT, ALTER secret SET DEFAULT ''::bytea",
        )?;
        session
            .run("INSERT INTO members (id, login, points) VALUES (2, 'an-n', 7), (3, 'bo-b', 8)")?;
        // Equal values have equal tokens.
        fails(
            &mut session,
            "INSERT INTO members (id, login, points) VALUES (4, 'an-n', 7)",
            "23505",
        )?;
        session
            .run("CREATE UNIQUE INDEX by_email ON members (substr(email, 1, 33)) WHERE id > 3")?;
        session.run("ALTER TABLE members ALTER secret TYPE text USING secret::text")?;
        session.run("ALTER TABLE members ALTER secret TYPE bytea USING secret::bytea")?;
        let sql = "SELECT name, convert_from(secret, 'UTF8'), email, login, points FROM members ORDER BY id";
        fails(&mut session, sql, "0A000")?;
        let read = rows(
            &mut session,
            "SELECT name, secret, email, login, points FROM members ORDER BY id",
        )?;
        let secret = acra_harness::scene::hex(b"default secret");
        let email = "default@secret.example";
        assert_eq!(
            read,
            [
                ["nobody", &secret, email, "NULL", "1234567"],
                ["nobody", "\\x", email, "an-n", "7"],
                ["nobody", "\\x", email, "bo-b", "8"],
            ]
        );
        let found = "SELECT count(*) FROM members WHERE email = 'default@secret.example'";
        assert_eq!(value(&mut session, found)?, "3");
        let stored = scene.stored("SELECT string_agg(m::text, ' ') FROM members m")?;
        let defaults =
            scene.stored("SELECT string_agg(pg_get_expr(adbin, adrelid), ' ') FROM pg_attrdef")?;
        // As text and in hexadecimal, none of them so short that it stands in ciphertext by chance.
        let points = const_hex::encode("1234567");
        for secret in ["default", "an-n", "bo-b", &points, "64656661756c74"] {
            assert!(!stored.contains(secret), "{stored}");
            assert!(!defaults.contains(secret), "{defaults}");
        }
    }
    Ok(())
}

#[test]
fn what_would_be_computed_or_compared_in_clear_is_refused() -> Result<()> {
    let scene = Scene::with(|config| config.encryptor_yaml(CONFIG))?;
    let mut session = scene.proxied()?;
    for sql in [
        "CREATE TABLE members (id int, secret bytea DEFAULT lower('a secret'))",
        "CREATE TABLE members (id int, secret bytea DEFAULT 'a' || ' secret')",
        "CREATE TABLE members (id int, secret bytea UNIQUE)",
        "CREATE TABLE members (id int, email bytea, UNIQUE (email))",
        "CREATE TABLE members (id int, email bytea, CHECK (email <> 'a secret'))",
    ] {
        fails(&mut session, sql, "0A000")?;
    }
    Ok(())
}
