//! Applications work with protected columns of all kinds as with any others, through their drivers and object mappers.

mod mysql;
mod mysql_rust;
mod pgjdbc;
mod rust;

use acra_harness::programs::{self, cached, is_there};
use acra_harness::raw::Connection;
use acra_harness::scene::{self, Scene};
use acra_harness::servers::{AcraConfig, AcraServer, Postgres};
use acra_harness::{Error, Result, at_rest};
use std::path::{Path, PathBuf};
use std::process::Command;

/// In every secret.
const MARK: &str = "Applied-Secret-7c";

const CONFIG: &str = "schemas:
  - table: members
    columns: [id, email, nick, card, age, visits, born, seen, active, photo, code, key, paid, plain]
    encrypted:
      - {column: email, searchable: true, data_type: str}
      - {column: nick, token_type: str, consistent_tokenization: true}
      - {column: card, data_type: str, masking: xxxx, plaintext_length: 4, plaintext_side: right}
      - {column: age, data_type: int32}
      - {column: visits, data_type: int64}
      - {column: born, data_type_db_identifier: 1082}
      - {column: seen, data_type_db_identifier: 1184}
      - {column: active, data_type_db_identifier: 16}
      - {column: photo, data_type: bytes}
      - {column: key, data_type_db_identifier: 2950}
      - {column: paid, data_type_db_identifier: 1700}
      - {column: code, token_type: int32, consistent_tokenization: true}
";

/// What the columns must be to hold what is made of their values; the application knows nothing of it.
const WIDENED: [&str; 9] = [
    "email", "card", "age", "visits", "born", "seen", "active", "key", "paid",
];

/// The table as the database has it where no application makes it.
const TABLE: &str = "CREATE TABLE members (id serial PRIMARY KEY, email bytea, nick varchar(80), card bytea, age bytea, visits bytea, \
    born bytea, seen bytea, active bytea, photo bytea, code integer, key bytea, paid bytea, plain varchar(40))";

fn configured(config: AcraConfig) -> AcraConfig {
    AcraConfig {
        search_keys: true,
        ..config.encryptor_yaml(CONFIG)
    }
}

fn scene(version: u32) -> Result<Scene<'static>> {
    Scene::on(Postgres::shared(version)?, configured)
}

fn program(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    folder.join("tests/applications").join(name)
}

/// Runs an application, which must end well.
fn run(scene: &Scene<'_>, command: &mut Command) -> Result<()> {
    let outcome = programs::run(command).map(drop);
    outcome.map_err(|error| Error::new(format!("{error}\n{}", scene.acra.log())))
}

/// That no secret is in the database, and that a client with other keys sees masks and tokens and finds nothing.
fn is_sealed(scene: &Scene<'_>) -> Result<()> {
    let rows = scene.stored("SELECT count(*) FROM members")?;
    assert!(rows.parse::<u32>()? > 20, "{rows}");
    let begins = |column: &&str| match *column {
        "email" => "substr(email, 34, 3) = '%%%'".to_owned(),
        other => format!("substr({other}, 1, 3) = '%%%'"),
    };
    let sealed: Vec<String> = WIDENED.iter().chain(&["photo"]).map(begins).collect();
    let sealed = format!(
        "SELECT count(*) FROM members WHERE {}",
        sealed.join(" AND ")
    );
    assert_eq!(scene.stored(&sealed)?, rows);
    let found = at_rest::find(scene.postgres, &scene.database, &[MARK.as_bytes()])?;
    assert!(found.is_empty(), "{found:?}");

    let other = AcraServer::start(&configured(AcraConfig::new(scene.postgres.address())))?;
    let mut other = Connection::login(other.address(), "postgres", &scene.database)?;
    let mut own = scene.proxied()?;
    let row = |session: &mut Connection, columns: &str| -> Result<Vec<String>> {
        let sql = format!("SELECT {columns} FROM members WHERE id = 2");
        Ok(scene::rows(session, &sql)?.concat())
    };
    let card = row(&mut own, "card")?.concat();
    assert_eq!(
        row(&mut other, "card")?,
        [format!("xxxx{}", &card[card.len() - 4..])]
    );
    let tokens = row(&mut scene.direct()?, "nick, code")?;
    assert_eq!(row(&mut other, "nick, code")?, tokens);
    assert_ne!(row(&mut own, "nick, code")?, tokens);
    let email = row(&mut own, "email")?.concat().replace('\'', "''");
    let sql = format!("SELECT count(*) FROM members WHERE email = '{email}'");
    assert_eq!(scene::value(&mut own, &sql)?, "1");
    assert_eq!(scene::value(&mut other, &sql)?, "0");
    scene.works()
}

/// Runs a program in Python: it makes the table, and does the rest when the columns are wide enough.
fn python(version: u32, name: &str, arguments: &[&str]) -> Result<()> {
    let packages = cached("applications");
    if !is_there("applications", &[&packages])? {
        return Ok(());
    }
    let scene = scene(version)?;
    let address = scene.acra.address();
    let step = |step: &str| {
        let mut command = Command::new("python3");
        command
            .arg(program(name))
            .args([step, MARK])
            .args(arguments)
            .env("PYTHONPATH", &packages)
            .env("DB_KIND", "postgresql")
            .env("DB_HOST", address.ip().to_string())
            .env("DB_PORT", address.port().to_string())
            .env("DB_USER", "postgres")
            .env("DB_NAME", &scene.database);
        run(&scene, &mut command)
    };
    step("create")?;
    for column in WIDENED {
        let widen = format!("ALTER TABLE members ALTER {column} TYPE bytea USING NULL");
        scene.run_directly(&widen)?;
    }
    step("run")?;
    is_sealed(&scene)
}

#[test]
fn psycopg_with_values_bound() -> Result<()> {
    python(17, "drivers.py", &["server"])
}

#[test]
fn psycopg_with_values_in_statements() -> Result<()> {
    python(15, "drivers.py", &["client"])
}

#[test]
fn asyncpg() -> Result<()> {
    python(18, "asyncpg_driver.py", &[])
}

#[test]
fn sqlalchemy_with_psycopg() -> Result<()> {
    python(17, "mapped.py", &["postgresql+psycopg"])
}

#[test]
fn sqlalchemy_with_asyncpg() -> Result<()> {
    python(18, "mapped.py", &["postgresql+asyncpg"])
}
