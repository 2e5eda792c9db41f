//! An application in Django works with protected tables as with any others.

use acra_harness::mysql;
use acra_harness::programs::{self, cached, is_there, python_of_mysql};
use acra_harness::scene::Scene;
use acra_harness::servers::{AcraConfig, Flavour, Postgres};
use acra_harness::{Error, Result, at_rest};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

/// In every secret.
const MARK: &str = "Shop-Secret-5e";

const CONFIG: &str = "schemas:
  - table: shop_customer
    encrypted:
      - {column: ssn}
      - {column: photo}
      - {column: phone, searchable: true, data_type: str}
      - {column: age, data_type: int32}
      - {column: nick, token_type: str, consistent_tokenization: true}
      - {column: number, token_type: int32, consistent_tokenization: true}
  - table: shop_order
    encrypted:
      - {column: card}
  - table: vault
    encrypted:
      - {column: secret}
";

/// Rows whose columns are all as they should be kept, and rows of which one is not.
const SEALED: &str = "SELECT count(*) FROM shop_customer WHERE substr(ssn, 1, 3) = '%%%' AND substr(photo, 1, 3) = '%%%' \
    AND substr(phone, 34, 3) = '%%%' AND substr(age, 1, 3) = '%%%'";
const OPEN: &str = "SELECT count(*) FROM shop_customer WHERE substr(ssn, 1, 3) <> '%%%' OR substr(photo, 1, 3) <> '%%%' \
    OR substr(phone, 34, 3) <> '%%%' OR substr(age, 1, 3) <> '%%%'";

/// The shop, run by this Python on a database.
fn shop(
    python: &Path,
    kind: &str,
    binding: &str,
    address: SocketAddr,
    user: &str,
    database: &str,
) -> Result<()> {
    let mut command = Command::new(python);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/django/shop.py"));
    command
        .args([MARK, binding])
        .env("PYTHONPATH", cached("django"))
        .env("DB_KIND", kind)
        .env("DB_HOST", address.ip().to_string())
        .env("DB_PORT", address.port().to_string())
        .env("DB_USER", user)
        .env("DB_NAME", database);
    programs::run(&mut command).map(drop)
}

/// Runs the shop on PostgreSQL; nothing if Django is not installed and need not be.
fn on_postgres(version: u32, binding: &str) -> Result<()> {
    if !is_there("django", &[&cached("django")])? {
        return Ok(());
    }
    let postgres = Postgres::shared(version)?;
    let scene = Scene::on(postgres, |config| AcraConfig {
        search_keys: true,
        ..config.encryptor_yaml(CONFIG)
    })?;
    let python = Path::new("python3");
    shop(
        python,
        "postgresql",
        binding,
        scene.acra.address(),
        "postgres",
        &scene.database,
    )
    .map_err(|error| Error::new(format!("{error}\n{}", scene.acra.log())))?;
    assert!(scene.stored(SEALED)?.parse::<u32>()? > 30);
    assert_eq!(scene.stored(OPEN)?, "0");
    let found = at_rest::find(postgres, &scene.database, &[MARK.as_bytes()])?;
    assert!(found.is_empty(), "{found:?}");
    scene.works()
}

/// The same on MariaDB and MySQL, by mysqlclient.
fn on_mysql(flavour: Flavour) -> Result<()> {
    let python = python_of_mysql();
    if !is_there("mysql django", &[&python, &cached("django")])? {
        return Ok(());
    }
    let Some(scene) = mysql::Scene::start(flavour, CONFIG)? else {
        return Ok(());
    };
    let work = || -> Result<()> {
        shop(
            &python,
            "mysql",
            "client",
            scene.acra.address(),
            "test",
            &scene.schema,
        )?;
        let sealed = scene.stored(SEALED)?.concat().concat();
        assert!(sealed.parse::<u32>()? > 30, "{sealed}");
        assert_eq!(scene.stored(OPEN)?.concat(), ["0"]);
        scene.keeps_none_of(&[MARK.as_bytes()])
    };
    let outcome = work();
    scene.explained(outcome)
}

#[test]
fn a_shop_whose_client_writes_values_into_statements() -> Result<()> {
    on_postgres(15, "client")
}

#[test]
fn a_shop_whose_client_binds_values() -> Result<()> {
    on_postgres(17, "server")
}

#[test]
fn a_shop_on_mariadb() -> Result<()> {
    on_mysql(Flavour::MariaDb)
}

#[test]
fn a_shop_on_mysql() -> Result<()> {
    on_mysql(Flavour::MySql)
}
