//! TLS on both sides, with a real PostgreSQL and its own clients.

mod clients;
mod database;
mod identity;
mod pki;
mod revocation;

use acra_harness::clients::{Output, run};
use acra_harness::scene::Scene;
use acra_harness::servers::Postgres;
use acra_harness::{Error, Result};
use pki::Pki;

/// Runs a query through psql of PostgreSQL 18 with these connection parameters.
fn psql(scene: &Scene<'_>, parameters: &str, sql: &str) -> Result<Output> {
    let address = scene.acra.address();
    let connection = format!(
        "host=localhost hostaddr={} port={} user=postgres dbname={} {parameters}",
        address.ip(),
        address.port(),
        scene.database
    );
    run(
        "psql",
        address,
        &scene.database,
        &["-X", "-A", "-t", "-c", sql, &connection],
        "",
    )
}

/// What a query gives, or what psql complained about.
fn answer(output: &Output) -> Result<&str> {
    match output.success {
        true => Ok(output.stdout.trim_end()),
        false => Err(Error::new(output.stderr.clone())),
    }
}

/// A PostgreSQL of the test's own, with TLS.
fn postgres_with_tls(pki: &Pki, settings: &[&str]) -> Result<Postgres> {
    let (cert, key) = pki.for_postgres()?;
    let mut all = vec![
        "ssl=on".to_owned(),
        format!("ssl_cert_file={}", cert.display()),
        format!("ssl_key_file={}", key.display()),
        format!("ssl_ca_file={}", pki.ca().display()),
    ];
    all.extend(settings.iter().map(|setting| (*setting).to_owned()));
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    Postgres::start(18, &all)
}
