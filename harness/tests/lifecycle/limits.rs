use crate::{ends_with, is_error};
use acra_harness::Result;
use acra_harness::raw::{Connection, frontend as f};
use acra_harness::scene::{Scene, eventually};

#[test]
fn one_client_too_many_is_told_so() -> Result<()> {
    let scene = Scene::with(|config| config.flag("--max_connections=2"))?;
    let (_one, two) = (scene.proxied()?, scene.proxied()?);
    let mut third = Connection::open(scene.acra.address())?;
    third.send(&f::startup(
        f::VERSION_3_0,
        &[("user", "postgres"), ("database", &scene.database)],
    ))?;
    ends_with(&mut third, "53300")?;
    drop(two);
    eventually("there is room again", || Ok(scene.proxied().is_ok()))
}

#[test]
fn a_client_that_does_not_start_is_not_waited_for() -> Result<()> {
    let scene = Scene::with(|config| config.flag("--startup_timeout=1"))?;
    for bytes in [
        &b""[..],
        b"\0\0\0",
        &f::startup(
            f::VERSION_3_0,
            &[("user", "password_user"), ("database", &scene.database)],
        ),
    ] {
        let mut connection = Connection::open(scene.acra.address())?;
        connection.send(bytes)?;
        if bytes.len() > 3 {
            connection.until(b'R')?;
        }
        ends_with(&mut connection, "57014")?;
    }
    let mut patient = scene.proxied()?;
    std::thread::sleep(std::time::Duration::from_millis(1500));
    patient.run("SELECT 1")
}

#[test]
fn a_silent_session_ends_unless_it_is_in_a_transaction() -> Result<()> {
    let scene = Scene::with(|config| config.flag("--idle_timeout=1"))?;
    let (mut idle, mut open) = (scene.proxied()?, scene.proxied()?);
    open.run("BEGIN")?;
    idle.run("SELECT 1")?;
    ends_with(&mut idle, "57P05")?;
    std::thread::sleep(std::time::Duration::from_millis(500));
    open.run("COMMIT")?;
    ends_with(&mut open, "57P05")
}

#[test]
fn a_client_that_does_not_read_is_let_go() -> Result<()> {
    let scene = Scene::with(|config| config.flag("--write_timeout=1"))?;
    let mut deaf = scene.proxied()?;
    deaf.send(&f::query(
        "SELECT repeat('x', 1000000) FROM generate_series(1, 100)",
    ))?;
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%generate_series(1, 100)' AND pid <> pg_backend_pid()";
    eventually("it runs", || Ok(scene.stored(sessions)? == "1"))?;
    eventually("the database is freed of it", || {
        Ok(scene.stored(sessions)? == "0")
    })?;
    scene.works()
}

#[test]
fn a_slow_reader_is_not_let_go_as_long_as_it_reads() -> Result<()> {
    let scene = Scene::with(|config| config.flag("--write_timeout=1"))?;
    let mut slow = scene.proxied()?;
    slow.send(&f::query(
        "SELECT repeat('x', 1000000) FROM generate_series(1, 20)",
    ))?;
    for _ in 0..20 {
        slow.until(b'D')?;
        std::thread::sleep(std::time::Duration::from_millis(150));
    }
    is_error(&[], "").expect_err("there is none");
    slow.ready().map(|_| ())
}
