//! Applications in Django work with protected tables as with any others.

mod mysql;

use acra_harness::programs::{self, cached, is_there};
use acra_harness::raw::Connection;
use acra_harness::scene::{self, Scene};
use acra_harness::servers::{AcraConfig, AcraServer, Postgres};
use acra_harness::{Error, Result, at_rest};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

/// In every secret.
const MARK: &str = "Shop-Secret-5e";

/// A table that all scenes have.
const VAULT: &str = "schemas:\n  - table: vault\n    encrypted:\n      - column: secret\n";

const SHOP: &str = "
  - table: shop_customer
    encrypted:
      - column: ssn
      - column: photo
  - table: shop_order
    encrypted:
      - column: card
";

const KINDS: &str = "
  - table: shop_account
    encrypted:
      - {column: note, data_type: str}
      - {column: photo}
      - {column: email, searchable: true, data_type: str}
      - {column: phone, searchable: true, data_type: str}
      - {column: login, token_type: str, consistent_tokenization: true}
      - {column: number, token_type: int64, consistent_tokenization: true}
      - {column: badge, token_type: int32}
      - {column: card, data_type: str, masking: xxxx, plaintext_length: 4, plaintext_side: right}
      - {column: age, data_type: int32, response_on_fail: default_value, default_data_value: '-1'}
      - {column: visits, data_type: int64}
      - {column: active, data_type_db_identifier: 16}
      - {column: born, data_type_db_identifier: 1082}
      - {column: seen, data_type_db_identifier: 1184}
      - {column: balance, data_type_db_identifier: 1700}
      - {column: score, data_type_db_identifier: 701}
      - {column: key, data_type_db_identifier: 2950}
      - {column: data, data_type_db_identifier: 3802}
";

/// Columns of accounts whose values are containers; what makes them wide enough is the operator's, not the application's.
const CONTAINERS: [&str; 12] = [
    "note", "email", "phone", "card", "age", "visits", "active", "born", "seen", "balance",
    "score", "key",
];

/// A program of Django on the database of this kind, user and name that is behind an address.
fn program(
    python: &Path,
    name: &str,
    kind: &str,
    address: SocketAddr,
    user: &str,
    database: &str,
) -> Command {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/django");
    let mut command = Command::new(python);
    command
        .args([&*folder.join(name), Path::new(MARK)])
        .env("PYTHONPATH", cached("django"))
        .env("DB_KIND", kind)
        .env("DB_HOST", address.ip().to_string())
        .env("DB_PORT", address.port().to_string())
        .env("DB_USER", user)
        .env("DB_NAME", database);
    command
}

/// Whether Django is there; it must be where `ACRA_TEST_REQUIRE_ALL` is set.
fn has_django() -> Result<bool> {
    is_there("django", &[&cached("django")])
}

/// Runs a program on PostgreSQL, which must end well.
fn python(scene: &Scene<'_>, name: &str, arguments: &[&str]) -> Result<()> {
    let (python, address) = (Path::new("python3"), scene.acra.address());
    let mut command = program(
        python,
        name,
        "postgresql",
        address,
        "postgres",
        &scene.database,
    );
    let outcome = programs::run(command.args(arguments)).map(drop);
    outcome.map_err(|error| Error::new(format!("{error}\n{}", scene.acra.log())))
}

/// That no secret is in what the database keeps.
fn is_sealed(scene: &Scene<'_>) -> Result<()> {
    let found = at_rest::find(scene.postgres, &scene.database, &[MARK.as_bytes()])?;
    assert!(found.is_empty(), "{found:?}");
    scene.works()
}

fn shop(version: u32, binding: &str) -> Result<()> {
    if !has_django()? {
        return Ok(());
    }
    let scene = Scene::on(Postgres::shared(version)?, |config| {
        config.encryptor_yaml(&format!("{VAULT}{SHOP}"))
    })?;
    python(&scene, "shop.py", &[binding])?;
    let sealed = "SELECT count(*) FROM shop_customer WHERE substr(ssn, 1, 3) = '%%%' AND substr(photo, 1, 3) = '%%%'";
    assert!(scene.stored(sealed)?.parse::<u32>()? > 30);
    let open = "SELECT count(*) FROM shop_customer WHERE substr(ssn, 1, 3) <> '%%%' OR substr(photo, 1, 3) <> '%%%'";
    assert_eq!(scene.stored(open)?, "0");
    is_sealed(&scene)
}

fn kinds(version: u32, binding: &str) -> Result<()> {
    if !has_django()? {
        return Ok(());
    }
    let configured = |config: AcraConfig| AcraConfig {
        search_keys: true,
        ..config.encryptor_yaml(&format!("{VAULT}{KINDS}"))
    };
    let scene = Scene::on(Postgres::shared(version)?, configured)?;
    python(&scene, "kinds.py", &[binding, "create"])?;
    for column in CONTAINERS.iter().chain(&["data"]) {
        scene.run_directly(&format!(
            "ALTER TABLE shop_account ALTER {column} TYPE bytea USING NULL"
        ))?;
    }
    python(&scene, "kinds.py", &[binding, "run"])?;
    let rows = scene.stored("SELECT count(*) FROM shop_account")?;
    assert_eq!(rows, "34");
    for column in CONTAINERS {
        let begin = match column {
            "email" | "phone" => 34,
            _ => 1,
        };
        let open = format!(
            "SELECT count(*) FROM shop_account WHERE {column} <> '' AND substr({column}, {begin}, 3) <> '%%%'"
        );
        assert_eq!(scene.stored(&open)?, "0", "{column}");
    }
    // Other keys show masks, defaults and tokens, and find nothing.
    let other = AcraServer::start(&configured(AcraConfig::new(scene.postgres.address())))?;
    let mut other = Connection::login(other.address(), "postgres", &scene.database)?;
    let sql = "SELECT card, age, login, number FROM shop_account WHERE name = 'Account 31'";
    let shown = scene::rows(&mut other, sql)?.concat();
    assert_eq!(shown[..2], ["xxxx0031", "-1"]);
    let tokens =
        scene.stored(&sql.replace("card, age, login, number", "concat(login, ' ', number)"))?;
    assert_eq!(shown[2..].join(" "), tokens);
    let found = format!("SELECT count(*) FROM shop_account WHERE email = '{MARK}-31@example.org'");
    assert_eq!(scene::value(&mut other, &found)?, "0");
    assert_eq!(scene::value(&mut scene.proxied()?, &found)?, "1");
    is_sealed(&scene)
}

#[test]
fn a_shop_whose_client_writes_values_into_statements() -> Result<()> {
    shop(15, "client")
}

#[test]
fn a_shop_whose_client_binds_values() -> Result<()> {
    shop(17, "server")
}

#[test]
fn columns_of_all_kinds_written_into_statements() -> Result<()> {
    kinds(17, "client")
}

#[test]
fn columns_of_all_kinds_bound() -> Result<()> {
    kinds(18, "server")
}
