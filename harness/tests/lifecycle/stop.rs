use crate::ends_with;
use acra_harness::Result;
use acra_harness::raw::frontend as f;
use acra_harness::scene::{Scene, eventually};
use rustix::process::Signal;
use std::time::{Duration, Instant};

#[test]
fn idle_sessions_end_and_busy_ones_finish() -> Result<()> {
    let patient = "--incoming_connection_close_timeout=300";
    let mut scene = Scene::with(|config| config.flag(patient))?;
    let (mut idle, mut busy, mut open) = (scene.proxied()?, scene.proxied()?, scene.proxied()?);
    let mut holds = scene.direct()?;
    holds.run("SELECT pg_advisory_lock(1)")?;
    open.run("BEGIN")?;
    open.run("INSERT INTO vault (id, secret) VALUES (1, 'in a transaction')")?;
    busy.send(&f::query("SELECT pg_advisory_lock(1), 'done'"))?;
    eventually("the query runs", || {
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'";
        Ok(scene.stored(waiting)? == "1")
    })?;
    scene.acra.signal(Signal::TERM)?;
    ends_with(&mut idle, "57P01")?;
    holds.run("SELECT pg_advisory_unlock(1)")?;
    let answer = busy.until(b'C')?;
    assert!(answer.iter().any(|message| message.tag == b'D'));
    ends_with(&mut busy, "57P01")?;
    open.run("INSERT INTO vault (id, secret) VALUES (2, 'still')")?;
    open.send(&f::query("COMMIT"))?;
    open.until(b'C')?;
    ends_with(&mut open, "57P01")?;
    assert!(scene.acra.daemon().wait()?.success());
    assert_eq!(scene.stored("SELECT count(*) FROM vault")?, "2");
    Ok(())
}

#[test]
fn new_clients_are_not_taken_while_it_ends() -> Result<()> {
    let scene = Scene::start()?;
    let mut open = scene.proxied()?;
    open.run("BEGIN")?;
    scene.acra.signal(Signal::TERM)?;
    eventually("nobody listens", || Ok(scene.proxied().is_err()))
}

#[test]
fn a_second_signal_ends_what_is_left() -> Result<()> {
    let mut scene = Scene::start()?;
    let mut open = scene.proxied()?;
    open.run("BEGIN")?;
    scene.acra.signal(Signal::TERM)?;
    eventually("nobody listens", || Ok(scene.proxied().is_err()))?;
    scene.acra.signal(Signal::INT)?;
    ends_with(&mut open, "57P01")?;
    assert!(scene.acra.daemon().wait()?.success());
    Ok(())
}

#[test]
fn the_time_for_busy_sessions_is_limited() -> Result<()> {
    let mut scene = Scene::with(|config| config.flag("--incoming_connection_close_timeout=1"))?;
    let mut open = scene.proxied()?;
    open.run("BEGIN")?;
    let begin = Instant::now();
    scene.acra.signal(Signal::TERM)?;
    ends_with(&mut open, "57P01")?;
    assert!(scene.acra.daemon().wait()?.success());
    assert!(begin.elapsed() >= Duration::from_millis(900));
    Ok(())
}
