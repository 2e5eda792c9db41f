//! TLS on both sides, with a real PostgreSQL and its own clients.

mod clients;
mod database;
mod identity;

use acra_harness::clients::{Output, run};
use acra_harness::scene::Scene;
use acra_harness::{Error, Result};

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
