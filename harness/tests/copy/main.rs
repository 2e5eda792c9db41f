//! COPY with a protected table: what goes in is encrypted, what comes out is plain, in every format, by every client.

mod clients;
mod dump;
mod errors;
mod files;
mod kinds;
mod volume;

use acra_harness::clients::{Output, run};
use acra_harness::scene::Scene;
use acra_harness::servers::Postgres;
use acra_harness::{Error, Result, at_rest};
use std::net::SocketAddr;

/// In every secret that is text.
const MARK: &str = "Copied-Secret-91";

/// A table like the protected one, with values that are hard to write.
const TWIN: &str = r#"CREATE TABLE twin (id int, note text, secret bytea); INSERT INTO twin
    SELECT id, note, convert_to(secret, 'UTF8') FROM (VALUES
    (1, 'plain', 'Copied-Secret-91'), (2, E'tab\there', E'\r\n\t'), (3, E'line\nfeed\r', E'Copied-Secret-91 \n,\t"''|'),
    (4, '\N', NULL), (5, '\.', '\N'), (6, '', ''), (7, NULL, '\.'), (8, '"quoted", and ''so''', 'grüezi 🔑'),
    (10, ' \ ', '%%%'), (11, 'null', '""""'), (12, 'ü|;', 'Copied-Secret-91'), (13, '\x41', '\x78')) v (id, note, secret);
    INSERT INTO twin VALUES (9, '\x25252540', decode(repeat('256b', 50000), 'hex')), (14, '2x5', '\x00ff')"#;

/// Runs `psql` on a script, which must succeed as a whole.
fn psql(address: SocketAddr, database: &str, script: &str) -> Result<String> {
    let arguments = ["-XqAt", "-v", "ON_ERROR_STOP=1"];
    succeeded(run("psql", address, database, &arguments, script)?)
}

fn succeeded(output: Output) -> Result<String> {
    match output.success {
        true => Ok(output.stdout),
        false => Err(Error::new(format!("{output:?}"))),
    }
}

/// That the protected table has what the other has, but every secret in a container.
fn is_encrypted(scene: &Scene<'_>) -> Result<()> {
    let rows = scene.stored("SELECT count(*) FROM vault")?;
    assert_eq!(rows, scene.stored("SELECT count(*) FROM twin")?);
    let odd = "SELECT string_agg(id::text, ',') FROM vault FULL JOIN twin USING (id) WHERE vault.note IS DISTINCT FROM twin.note \
        OR (vault.secret IS NULL) <> (twin.secret IS NULL) OR (vault.secret = '') <> (twin.secret = '') \
        OR vault.secret <> '' AND (substr(vault.secret, 1, 3) <> '%%%' OR length(vault.secret) < length(twin.secret) + 100)";
    assert_eq!(scene.stored(odd)?, "NULL");
    scene.run_directly("DROP TABLE twin")?;
    let found = at_rest::in_tables(scene.postgres, &scene.database, &[MARK.as_bytes()])?;
    assert!(found.is_empty(), "{found:?}");
    scene.works()
}

fn scene(version: u32) -> Result<Scene<'static>> {
    Scene::on(Postgres::shared(version)?, |config| config)
}
