use crate::is_error;
use acra_harness::clients::pgbench;
use acra_harness::raw::frontend as f;
use acra_harness::scene::{CONFIG, Scene, eventually, hex, value};
use acra_harness::{Error, Result};
use rustix::process::Signal;
use std::time::Duration;

/// Sends SIGHUP and waits for the line of the log.
fn reload(scene: &Scene<'_>, line: &str) -> Result<()> {
    let before = scene.acra.log().matches(line).count();
    scene.acra.signal(Signal::HUP)?;
    eventually(line, || Ok(scene.acra.log().matches(line).count() > before))
}

const DONE: &str = "msg=Reloaded";
const FAILED: &str = "Reload failed";

fn verbose() -> Result<Scene<'static>> {
    Scene::with(|config| config.flag("-v"))
}

#[test]
fn a_new_configuration_counts_for_sessions_that_are_open() -> Result<()> {
    let scene = verbose()?;
    let mut session = scene.proxied()?;
    session.run("INSERT INTO vault (id, open) VALUES (1, 'in clear')")?;
    session.pipeline(&[
        f::parse("s", "INSERT INTO vault (id, open) VALUES ($1, $2)", &[]),
        f::sync(),
    ])?;
    scene
        .acra
        .write_encryptor_yaml(&format!("{CONFIG}      - column: open\n"))?;
    reload(&scene, DONE)?;
    session.run("INSERT INTO vault (id, open) VALUES (2, 'a secret now')")?;
    let stored = "SELECT encode(substr(open, 1, 3), 'escape') FROM vault WHERE id = ";
    assert_eq!(scene.stored(&format!("{stored}1"))?, "in ");
    assert_eq!(scene.stored(&format!("{stored}2"))?, "%%%");
    // What was prepared before would not seal the column.
    session.send_all(&[
        f::bind_text("", "s", &[Some("3"), Some("x")]),
        f::execute("", 0),
        f::sync(),
    ])?;
    is_error(&session.ready()?, "26000")?;
    assert_eq!(
        value(&mut session, "SELECT open FROM vault WHERE id = 2")?,
        hex(b"a secret now")
    );
    Ok(())
}

#[test]
fn a_broken_configuration_keeps_the_former_one_and_says_why() -> Result<()> {
    let scene = verbose()?;
    let mut session = scene.proxied()?;
    scene
        .acra
        .write_encryptor_yaml("schemas:\n  - table: [\n")?;
    reload(&scene, FAILED)?;
    assert!(scene.acra.log().contains("yaml"), "{}", scene.acra.log());
    session.run("INSERT INTO vault (id, secret) VALUES (1, 'sealed')")?;
    assert_eq!(
        scene.stored("SELECT encode(substr(secret, 1, 3), 'escape') FROM vault")?,
        "%%%"
    );
    scene.works()
}

#[test]
fn a_rotated_key_is_used_after_a_reload() -> Result<()> {
    rotates(&verbose()?)
}

#[test]
fn a_rotated_key_of_a_key_store_v2_is_used_after_a_reload() -> Result<()> {
    rotates(&Scene::with(|config| config.flag("-v").key_store("v2"))?)
}

fn rotates(scene: &Scene<'_>) -> Result<()> {
    let mut session = scene.proxied()?;
    session.run("INSERT INTO vault (id, secret) VALUES (1, 'first key')")?;
    // The key's number, of two bytes, stands in the container: after its tag, its length and the kind of key. Keys of the same
    // number are drawn once in 65 536 times, so there are a few.
    let numbers = "SELECT count(DISTINCT substr(secret, 26, 2)) FROM vault";
    for _ in 0..4 {
        scene.acra.keys().add_client("test-client")?;
        reload(scene, DONE)?;
        session.run("INSERT INTO vault (id, secret) VALUES (2, 'second key')")?;
        if scene.stored(numbers)? == "2" {
            break;
        }
        session.run("DELETE FROM vault WHERE id = 2")?;
    }
    assert_eq!(scene.stored(numbers)?, "2");
    for (id, plain) in [(1, "first key"), (2, "second key")] {
        let read = value(
            &mut session,
            &format!("SELECT secret FROM vault WHERE id = {id}"),
        )?;
        assert_eq!(read, hex(plain.as_bytes()));
    }
    Ok(())
}

#[test]
fn statements_stay_prepared_when_the_configuration_is_the_same() -> Result<()> {
    let scene = verbose()?;
    let mut session = scene.proxied()?;
    session.pipeline(&[
        f::parse("s", "INSERT INTO vault (id, secret) VALUES ($1, $2)", &[]),
        f::sync(),
    ])?;
    for id in 1..6 {
        let id = id.to_string();
        reload(&scene, DONE)?;
        session.pipeline(&[
            f::bind_text("", "s", &[Some(&id), Some("x")]),
            f::execute("", 0),
            f::sync(),
        ])?;
    }
    assert_eq!(
        scene.stored("SELECT count(*) FROM vault WHERE substr(secret, 1, 3) = '%%%'")?,
        "5"
    );
    Ok(())
}

#[test]
fn reloads_under_load_fail_no_transaction() -> Result<()> {
    let scene = verbose()?;
    let load = |arguments: &[&str]| pgbench(scene.acra.address(), &scene.database, arguments);
    load(&["-i", "-q"])?;
    std::thread::scope(|scope| {
        let running = scope.spawn(|| load(&["-M", "prepared", "-c", "8", "-T", "4"]));
        for _ in 0..10 {
            std::thread::sleep(Duration::from_millis(300));
            reload(&scene, DONE)?;
        }
        let output = running
            .join()
            .map_err(|_| Error::new("the load panicked"))??;
        match output.success && output.stdout.contains("number of failed transactions: 0 ") {
            true => Ok(()),
            false => Err(Error::new(format!("{output:?}"))),
        }
    })
}
