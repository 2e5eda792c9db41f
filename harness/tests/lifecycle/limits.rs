use crate::{ends_with, is_error};
use acra_harness::Result;
use acra_harness::raw::{Connection, frontend as f};
use acra_harness::scene::{Scene, eventually, in_short_time};

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
        let mut connection = in_short_time(|| {
            let mut connection = Connection::open(scene.acra.address())?;
            connection.send(bytes)?;
            if bytes.len() > 3 {
                connection.until(b'R')?;
            }
            Ok(connection)
        })?;
        ends_with(&mut connection, "57014")?;
    }
    let mut patient = in_short_time(|| scene.proxied())?;
    std::thread::sleep(std::time::Duration::from_millis(1500));
    patient.run("SELECT 1")
}

#[test]
fn a_silent_session_ends_unless_it_is_in_a_transaction() -> Result<()> {
    let scene = Scene::with(|config| config.flag("--idle_timeout=1"))?;
    let runs = |sql: &str| {
        in_short_time(|| {
            let mut session = scene.proxied()?;
            session.run(sql)?;
            Ok(session)
        })
    };
    let (mut open, mut idle) = (runs("BEGIN")?, runs("SELECT 1")?);
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
    deaf.until(b'D')?;
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
        AND query LIKE '%generate_series(1, 100)'";
    eventually("the database is freed of it", || {
        Ok(scene.stored(sessions)? == "0")
    })?;
    scene.works()
}

#[test]
fn a_slow_reader_is_not_let_go_as_long_as_it_reads() -> Result<()> {
    // Far longer than it takes to read a row, and shorter than all of them take.
    let scene = Scene::with(|config| config.flag("--write_timeout=5"))?;
    let mut slow = scene.proxied()?;
    slow.send(&f::query(
        "SELECT repeat('x', 1000000) FROM generate_series(1, 20)",
    ))?;
    for _ in 0..20 {
        slow.until(b'D')?;
        std::thread::sleep(std::time::Duration::from_millis(350));
    }
    is_error(&[], "").expect_err("there is none");
    slow.ready().map(|_| ())
}
