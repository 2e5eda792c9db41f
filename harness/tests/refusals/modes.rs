//! What `--unsupported_statements` lets pass.

use crate::{SECRET, goes_on, is_refusal};
use acra_harness::scene::{Scene, eventually, hex, rows, value};
use acra_harness::{Result, at_rest};

const PASSED: &str = "action=observed";

/// A statement that is not supported and stores its value as it is.
fn unsupported() -> String {
    format!(
        "EXPLAIN (ANALYZE, FORMAT 'json') INSERT INTO vault (id, secret) VALUES (1, '{SECRET}')"
    )
}

fn in_mode(mode: &str) -> Result<Scene<'static>> {
    Scene::with(|config| config.flag(&format!("--unsupported_statements={mode}")))
}

/// That what is not supported passes, and what is supported is sealed.
fn lets_pass(scene: &Scene<'_>) -> Result<()> {
    let mut connection = scene.proxied()?;
    connection.run(&unsupported())?;
    assert_eq!(
        value(
            &mut connection,
            "TABLE vault LIMIT 0; SELECT count(*) FROM vault"
        )?,
        "1"
    );
    let secrets: [&[u8]; 2] = [SECRET.as_bytes(), b"Sealed nevertheless"];
    connection.run("INSERT INTO vault (id, secret) VALUES (2, 'Sealed nevertheless')")?;
    let found = at_rest::in_tables(scene.postgres, &scene.database, &secrets)?;
    assert!(
        !found.is_empty() && found.iter().all(|found| found.secret == 0),
        "{found:?}"
    );
    // Containers open in what is not understood too.
    let sql = "SELECT v.secret FROM ONLY (vault) v WHERE id = 2";
    assert_eq!(rows(&mut connection, sql)?, [[hex(b"Sealed nevertheless")]]);
    let answers = connection.query("TABLE nothing; TABLE vault")?;
    assert!(
        answers
            .iter()
            .any(|answer| answer.field(b'C').as_deref() == Some("42P01"))
    );
    goes_on(&mut connection)
}

#[test]
fn observe_passes_and_reports() -> Result<()> {
    let scene = in_mode("observe")?;
    lets_pass(&scene)?;
    eventually("the log tells of it", || {
        Ok(scene.acra.log().contains(PASSED))
    })?;
    let log = scene.acra.log();
    assert!(
        log.contains("vault") && log.contains("statement-form"),
        "{log}"
    );
    assert!(!log.contains(SECRET), "{log}");
    scene.works()
}

#[test]
fn forward_passes_in_silence() -> Result<()> {
    let scene = in_mode("forward")?;
    lets_pass(&scene)?;
    let log = scene.acra.log();
    assert!(!log.contains(PASSED) && !log.contains("refused"), "{log}");
    scene.works()
}

#[test]
fn refuse_reports_too() -> Result<()> {
    let scene = in_mode("refuse")?;
    is_refusal(
        &scene.proxied()?.query(&unsupported())?,
        "0A000",
        "\"vault\"",
    )?;
    eventually("the log tells of it", || {
        Ok(scene.acra.log().contains("action=refused"))
    })?;
    let log = scene.acra.log();
    assert!(
        log.contains("vault") && log.contains("statement-form"),
        "{log}"
    );
    assert!(!log.contains(SECRET), "{log}");
    scene.works()
}
