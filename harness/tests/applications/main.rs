//! Applications work with protected columns of all kinds as with any others, through their drivers and object mappers.

mod mysql;

use acra_harness::programs::{self, cached, is_there};
use acra_harness::scene::Scene;
use acra_harness::servers::{AcraConfig, Postgres};
use acra_harness::{Error, Result, at_rest};
use std::path::{Path, PathBuf};
use std::process::Command;

/// In every secret.
const MARK: &str = "Applied-Secret-7c";

const CONFIG: &str = "schemas:
  - table: members
    columns: [id, email, nick, card, age, visits, born, seen, active, photo, code, plain]
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
      - {column: code, token_type: int32, consistent_tokenization: true}
";

/// What the columns must be to hold what is made of their values; the application knows nothing of it.
const WIDENED: [&str; 7] = ["email", "card", "age", "visits", "born", "seen", "active"];

fn program(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/applications")
        .join(name)
}

/// Runs a program in Python; nothing if its packages are not installed and need not be.
fn run(version: u32, name: &str, arguments: &[&str]) -> Result<()> {
    let packages = cached("applications");
    if !is_there("applications", &[&packages])? {
        return Ok(());
    }
    let postgres = Postgres::shared(version)?;
    let scene = Scene::on(postgres, |config| AcraConfig {
        search_keys: true,
        ..config.encryptor_yaml(CONFIG)
    })?;
    let address = scene.acra.address();
    let python = |step: &str| -> Result<String> {
        let mut command = Command::new("python3");
        command
            .arg(program(name))
            .args([step, MARK])
            .args(arguments);
        command
            .env("PYTHONPATH", &packages)
            .env("DB_KIND", "postgresql")
            .env("DB_HOST", address.ip().to_string())
            .env("DB_PORT", address.port().to_string())
            .env("DB_USER", "postgres")
            .env("DB_NAME", &scene.database);
        programs::run(&mut command)
            .map_err(|error| Error::new(format!("{error}\n{}", scene.acra.log())))
    };
    python("create")?;
    for column in WIDENED {
        let widen = format!("ALTER TABLE members ALTER {column} TYPE bytea USING NULL");
        scene.run_directly(&widen)?;
    }
    python("run")?;
    let rows = scene.stored("SELECT count(*) FROM members")?;
    assert!(rows.parse::<u32>()? > 20, "{rows}");
    let sealed = "SELECT count(*) FROM members WHERE substr(email, 34, 3) = '%%%' AND substr(card, 1, 3) = '%%%' \
        AND substr(age, 1, 3) = '%%%' AND substr(visits, 1, 3) = '%%%' AND substr(born, 1, 3) = '%%%' \
        AND substr(seen, 1, 3) = '%%%' AND substr(active, 1, 3) = '%%%' AND substr(photo, 1, 3) = '%%%'";
    assert_eq!(scene.stored(sealed)?, rows);
    let found = at_rest::find(postgres, &scene.database, &[MARK.as_bytes()])?;
    assert!(found.is_empty(), "{found:?}");
    scene.works()
}

#[test]
fn psycopg_with_values_bound() -> Result<()> {
    run(17, "drivers.py", &["server"])
}

#[test]
fn psycopg_with_values_in_statements() -> Result<()> {
    run(15, "drivers.py", &["client"])
}

#[test]
fn asyncpg() -> Result<()> {
    run(18, "asyncpg_driver.py", &[])
}

#[test]
fn sqlalchemy_with_psycopg() -> Result<()> {
    run(17, "mapped.py", &["postgresql+psycopg"])
}

#[test]
fn sqlalchemy_with_asyncpg() -> Result<()> {
    run(18, "mapped.py", &["postgresql+asyncpg"])
}
