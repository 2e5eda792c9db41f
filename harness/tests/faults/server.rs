//! The database's processes: ended, killed, stopped.

use crate::{
    Stage, copy_row, ends_with, ends_with_or_within_a_message, in_a_copy, in_a_copy_out,
    in_a_result, in_a_transaction, is_refused,
};
use acra_harness::Result;
use acra_harness::raw::{Connection, frontend as f};
use acra_harness::scene::rows_of;
use acra_harness::servers::Postgres;

/// Sessions in every state.
struct Sessions {
    idle: Connection,
    inside: Connection,
    copying: Connection,
    copying_out: Connection,
    reading: Connection,
}

impl Sessions {
    fn begin(stage: &Stage<'_>) -> Result<Self> {
        let login = || stage.scene.proxied();
        let mut sessions = Self {
            idle: login()?,
            inside: login()?,
            copying: login()?,
            copying_out: login()?,
            reading: login()?,
        };
        in_a_transaction(&mut sessions.inside, 1)?;
        in_a_copy(&mut sessions.copying, 2)?;
        in_a_copy_out(&mut sessions.copying_out)?;
        in_a_result(&mut sessions.reading)?;
        Ok(sessions)
    }

    fn end_with(mut self, codes: &[&str]) -> Result<()> {
        for waiting in [&mut self.idle, &mut self.inside, &mut self.copying] {
            ends_with(waiting, codes)?;
        }
        ends_with(&mut self.reading, codes)?;
        ends_with_or_within_a_message(&mut self.copying_out, codes)
    }
}

#[test]
fn a_database_that_is_restarted() -> Result<()> {
    let postgres = Postgres::start(15, &[])?;
    let stage = Stage::set(&postgres, postgres.address(), |config| config)?;
    let sessions = Sessions::begin(&stage)?;
    postgres.stop()?;
    // The database's own words, where it could still say them.
    sessions.end_with(&["57P01", "08006"])?;
    is_refused(&stage)?;
    postgres.start_again()?;
    stage.is_as_before()?;
    stage.keeps_secrets(0)
}

#[test]
fn a_database_that_is_killed() -> Result<()> {
    let postgres = Postgres::start(17, &["synchronous_commit=on"])?;
    let stage = Stage::set(&postgres, postgres.address(), |config| config)?;
    let mut committed = stage.scene.proxied()?;
    in_a_transaction(&mut committed, 3)?;
    committed.run("COMMIT")?;
    let sessions = Sessions::begin(&stage)?;
    postgres.kill()?;
    sessions.end_with(&["08006"])?;
    ends_with(&mut committed, &["08006"])?;
    is_refused(&stage)?;
    postgres.start_again()?;
    stage.is_as_before()?;
    stage.keeps_secrets(1)
}

#[test]
fn a_database_that_is_paused() -> Result<()> {
    let postgres = Postgres::start(15, &[])?;
    let stage = Stage::set(&postgres, postgres.address(), |config| {
        config.flag("--startup_timeout=10")
    })?;
    let mut sessions = Sessions::begin(&stage)?;
    let paused = postgres.pause()?;
    // Whoever is in a session waits; who comes anew is told, since nobody would know what he waits for.
    sessions.idle.send(&f::query("SELECT 'late'"))?;
    sessions.inside.send(&f::query("COMMIT"))?;
    let mut anew = Connection::open(stage.scene.acra.address())?;
    let parameters = [("user", "postgres"), ("database", &*stage.scene.database)];
    anew.send(&f::startup(f::VERSION_3_0, &parameters))?;
    ends_with(&mut anew, &["57014"])?;
    drop(paused);
    let answer = rows_of(&sessions.idle.ready()?)?;
    assert_eq!(answer, [["late"]]);
    sessions.inside.ready()?;
    copy_row(&mut sessions.copying, 4)?;
    sessions.copying.send(&f::copy_done())?;
    rows_of(&sessions.copying.ready()?)?;
    for endless in [&mut sessions.reading, &mut sessions.copying_out] {
        for _ in 0..5000 {
            endless.message()?;
        }
    }
    drop(sessions);
    stage.is_as_before()?;
    stage.keeps_secrets(3)
}
