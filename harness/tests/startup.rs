//! Ways to connect that a database allows.

use acra_harness::raw::{Connection, Login, frontend as f};
use acra_harness::scene::Scene;
use acra_harness::servers::Postgres;
use acra_harness::{Error, Result, paths};
use rustix::process::{Pid, Signal, kill_process};
use std::process::{Command, Stdio};

/// Protocol 3.2 has keys of 32 bytes.
#[test]
fn a_query_is_cancelled_by_a_long_key() -> Result<()> {
    let postgres = Postgres::shared(18)?;
    let scene = Scene::on(postgres, |config| config)?;
    let mut connection = Connection::open(scene.acra.address())?;
    connection.start(Login {
        version: f::VERSION_3_2,
        ..Login::new("postgres", &scene.database)
    })?;
    let (process, key) = connection.key_data()?;
    assert_eq!(key.len(), 32);
    connection.send(&f::query("SELECT pg_sleep(600)"))?;
    scene.sleeps()?;
    let mut cancel = Connection::open(scene.acra.address())?;
    cancel.send(&f::cancel_request(process, &key))?;
    cancel.end()?;
    let answer = connection.ready()?;
    let code = answer.iter().find_map(|message| message.field(b'C'));
    assert_eq!(code.as_deref(), Some("57014"));
    connection.run("SELECT 1")
}

#[test]
fn psql_is_interrupted() -> Result<()> {
    let postgres = Postgres::shared(18)?;
    let scene = Scene::on(postgres, |config| config)?;
    let address = scene.acra.address();
    let connection = format!(
        "host={} port={} user=postgres dbname={} max_protocol_version=3.2",
        address.ip(),
        address.port(),
        scene.database
    );
    let psql = Command::new(paths::postgres_program("psql")?)
        .args([
            "-X",
            "-c",
            "SELECT 'interrupt me', pg_sleep(600)",
            &connection,
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    scene.sleeps()?;
    kill_process(Pid::from_child(&psql), Signal::INT)?;
    let output = psql.wait_with_output()?;
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    match stderr.contains("canceling statement due to user request") {
        true => scene.works(),
        false => Err(Error::new(stderr)),
    }
}

/// The name stands for ::1 and 127.0.0.1 on most machines, and PostgreSQL listens at the latter only.
#[test]
fn every_address_of_the_database_is_tried() -> Result<()> {
    let scene = Scene::with(|config| config.flag("--db_host=localhost"))?;
    scene.works()
}
