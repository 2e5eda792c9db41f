//! Replication connections pass: a base backup, the write-ahead log, and changes decoded on the server.

use acra_harness::clients::run;
use acra_harness::scene::Scene;
use acra_harness::servers::Postgres;
use acra_harness::{Error, Result};
use std::fs;

fn well(output: &acra_harness::clients::Output) -> Result<()> {
    match output.success {
        true => Ok(()),
        false => Err(Error::new(output.stderr.clone())),
    }
}

#[test]
fn backups_and_logs_are_streamed_and_hold_ciphertext() -> Result<()> {
    let postgres = Postgres::start(18, &["wal_level=logical", "synchronous_commit=on"])?;
    let scene = Scene::on(&postgres, |config| config)?;
    scene
        .proxied()?
        .run("INSERT INTO vault (id, secret) VALUES (1, 'told to no replica')")?;
    let folder = tempfile::tempdir()?;
    let backup = folder.path().join("backup");
    let address = scene.acra.address();
    let target = format!("--pgdata={}", backup.display());
    well(&run(
        "pg_basebackup",
        address,
        &scene.database,
        &[&target, "--wal-method=stream", "--checkpoint=fast"],
        "",
    )?)?;
    assert!(backup.join("PG_VERSION").is_file());
    let slot = ["--slot=s", "--dbname", &scene.database];
    let decode = |more: &[&str]| {
        run(
            "pg_recvlogical",
            address,
            &scene.database,
            &[&slot[..], more].concat(),
            "",
        )
    };
    well(&decode(&["--create-slot", "--plugin=test_decoding"])?)?;
    scene
        .proxied()?
        .run("INSERT INTO vault (id, secret) VALUES (2, 'told to no replica')")?;
    let end = scene.stored("SELECT pg_current_wal_lsn()")?;
    let file = folder.path().join("changes");
    let to = format!("--file={}", file.display());
    well(&decode(&["--start", &to, &format!("--endpos={end}")])?)?;
    let changes = fs::read_to_string(&file)?;
    assert!(
        changes.contains("\\x252525") && !changes.contains("told to"),
        "{changes}"
    );
    scene.works()
}
