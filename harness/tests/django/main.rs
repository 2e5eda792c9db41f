//! An application in Django works with protected tables as with any others.

use acra_harness::scene::Scene;
use acra_harness::servers::Postgres;
use acra_harness::{Context, Error, Result, at_rest, paths};
use std::env;
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

/// In every secret.
const MARK: &str = "Shop-Secret-5e";

const CONFIG: &str = "schemas:\n  - table: shop_customer\n    encrypted:\n      - column: ssn\n      - column: photo\n  \
     - table: shop_order\n    encrypted:\n      - column: card\n  - table: vault\n    encrypted:\n      - column: secret\n";

/// Runs the shop; nothing if Django is not installed and need not be.
fn run(version: u32, binding: &str) -> Result<()> {
    let packages = paths::workspace().join(".cache/django");
    if !packages.is_dir() {
        let missing = "Django is not installed; run: scripts/setup.sh django";
        if env::var_os("ACRA_TEST_REQUIRE_ALL").is_some() {
            return Err(Error::new(missing));
        }
        // Not by a macro, whose output is hidden when a test passes.
        writeln!(io::stderr(), "SKIPPED: {missing}")?;
        return Ok(());
    }
    let postgres = Postgres::shared(version)?;
    let scene = Scene::on(postgres, |config| config.encryptor_yaml(CONFIG))?;
    let address = scene.acra.address();
    let output = Command::new("python3")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/django/shop.py"))
        .args([MARK, binding])
        .env("PYTHONPATH", &packages)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PGHOST", address.ip().to_string())
        .env("PGPORT", address.port().to_string())
        .env("PGUSER", "postgres")
        .env("PGDATABASE", &scene.database)
        .output()
        .context(|| "python3".to_owned())?;
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stderr),
        scene.acra.log()
    );
    let sealed = "SELECT count(*) FROM shop_customer WHERE substr(ssn, 1, 3) = '%%%' AND substr(photo, 1, 3) = '%%%'";
    assert!(scene.stored(sealed)?.parse::<u32>()? > 30);
    let open = "SELECT count(*) FROM shop_customer WHERE substr(ssn, 1, 3) <> '%%%' OR substr(photo, 1, 3) <> '%%%'";
    assert_eq!(scene.stored(open)?, "0");
    let found = at_rest::find(postgres, &scene.database, &[MARK.as_bytes()])?;
    assert!(found.is_empty(), "{found:?}");
    scene.works()
}

#[test]
fn a_shop_whose_client_writes_values_into_statements() -> Result<()> {
    run(15, "client")
}

#[test]
fn a_shop_whose_client_binds_values() -> Result<()> {
    run(17, "server")
}
