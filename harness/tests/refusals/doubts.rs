//! Statements sent before it is known what an earlier one came to: no guess may be wrong at the secret's cost.

use crate::{SECRET, is_refusal};
use acra_harness::raw::frontend as f;
use acra_harness::scene::Scene;
use acra_harness::{Result, at_rest};

const INSERT: &str = "INSERT INTO vault (id, secret) VALUES (1, $1)";
const OTHER: &str = "SELECT $1::bytea";

fn nothing_in_the_clear(scene: &Scene<'_>) -> Result<()> {
    let found = at_rest::in_tables(scene.postgres, &scene.database, &[SECRET.as_bytes()])?;
    assert!(found.is_empty(), "{found:?}");
    scene.works()
}

fn run(statement: &str) -> Vec<u8> {
    [
        f::bind_text("", statement, &[Some(SECRET)]),
        f::execute("", 0),
        f::sync(),
    ]
    .concat()
}

/// What is prepared under a name that is taken, after an error, or in a failed transaction, is not prepared; whoever
/// sends the next round at once still means the former.
#[test]
fn a_name_whose_new_statement_fails_keeps_its_former_one() -> Result<()> {
    let bad = f::parse("", "SELECT no_such_column", &[]);
    for second in [
        f::parse("s", OTHER, &[]),
        [
            bad.clone(),
            f::close_statement("s"),
            f::parse("s", OTHER, &[]),
        ]
        .concat(),
        [bad.clone(), f::close_statement("s")].concat(),
    ] {
        let scene = Scene::start()?;
        let mut connection = scene.proxied()?;
        connection.pipeline(&[f::parse("s", INSERT, &[]), f::sync()])?;
        connection.send(&[second, f::sync(), run("s")].concat())?;
        connection.ready()?;
        connection.ready()?;
        nothing_in_the_clear(&scene)?;
        connection.send(&run("s"))?;
        connection.ready()?;
        nothing_in_the_clear(&scene)?;
    }
    Ok(())
}

#[test]
fn the_unnamed_statement_of_a_failed_round_is_the_former_one() -> Result<()> {
    let scene = Scene::start()?;
    let mut connection = scene.proxied()?;
    connection.pipeline(&[f::parse("", INSERT, &[]), f::sync()])?;
    let fails = f::bind_text("", "no such statement", &[]);
    connection.send(&[fails, f::parse("", OTHER, &[]), f::sync(), run("")].concat())?;
    connection.ready()?;
    connection.ready()?;
    nothing_in_the_clear(&scene)
}

#[test]
fn an_execute_of_such_a_name_is_sealed_for_the_statement_that_it_has() -> Result<()> {
    let scene = Scene::start()?;
    let mut connection = scene.proxied()?;
    connection.pipeline(&[f::parse("s", INSERT, &[]), f::sync()])?;
    let execute = f::query(&format!("EXECUTE s ('{SECRET}')"));
    connection.send(&[f::parse("s", OTHER, &[]), f::sync(), execute].concat())?;
    connection.ready()?;
    connection.ready()?;
    assert_eq!(scene.stored("SELECT count(secret) FROM vault")?, "1");
    nothing_in_the_clear(&scene)
}

/// What a PREPARE on its way will make of a name is not known yet.
#[test]
fn an_execute_behind_the_prepare_of_its_name() -> Result<()> {
    let scene = Scene::start()?;
    let mut connection = scene.proxied()?;
    let prepare = "PREPARE s AS INSERT INTO vault (id, secret) VALUES (1, $1)";
    let execute = format!("EXECUTE s ('{SECRET}')");
    // Former statements of that name have no protected parameters.
    connection.run("PREPARE s AS SELECT $1::text")?;
    connection.send_all(&[
        f::query("DEALLOCATE s"),
        f::query(prepare),
        f::query(&execute),
    ])?;
    for _ in 0..3 {
        connection.ready()?;
    }
    assert_eq!(scene.stored("SELECT count(secret) FROM vault")?, "1");
    nothing_in_the_clear(&scene)?;
    // In one text, and in one round of the extended protocol.
    connection.run("DEALLOCATE s; PREPARE s AS SELECT $1::text")?;
    let one = format!("DEALLOCATE s; {prepare}; {execute}");
    is_refusal(&connection.query(&one)?, "0A000", "PREPARE")?;
    connection.run("DEALLOCATE s")?;
    connection.send_all(&[
        f::parse("", prepare, &[]),
        f::bind_text("", "", &[]),
        f::execute("", 0),
        f::parse("", &execute, &[]),
        f::bind_text("", "", &[]),
        f::execute("", 0),
        f::sync(),
    ])?;
    is_refusal(&connection.ready()?, "0A000", "PREPARE")?;
    nothing_in_the_clear(&scene)
}

/// A name that is in no doubt is not waited for: all of it is sent at once, and nothing is read meanwhile.
#[test]
fn names_given_and_taken_in_one_flight() -> Result<()> {
    let scene = Scene::start()?;
    let mut connection = scene.proxied()?;
    let mut messages = Vec::new();
    for id in 0..200 {
        let sql = format!("INSERT INTO vault (id, secret) VALUES ({id}, $1)");
        let name = ["", "s", "t"][id % 3];
        messages.extend([
            f::close_statement(name),
            f::parse(name, &sql, &[]),
            run(name),
        ]);
        messages.push(run(name));
    }
    connection.send_all(&messages)?;
    for _ in 0..400 {
        connection.ready()?;
    }
    // The second use of each is the same row again.
    assert_eq!(
        scene.stored("SELECT count(*) FROM vault WHERE substr(secret, 1, 3) = '%%%'")?,
        "200"
    );
    nothing_in_the_clear(&scene)
}

/// A name that is taken away and given again in one flight stands for the new statement.
#[test]
fn a_name_given_again_right_after_all_are_taken_away() -> Result<()> {
    for taken in [
        "DISCARD ALL",
        "DEALLOCATE ALL",
        "DEALLOCATE s",
        "DEALLOCATE PREPARE s",
    ] {
        let scene = Scene::start()?;
        let mut connection = scene.proxied()?;
        connection.pipeline(&[f::parse("s", OTHER, &[]), f::sync()])?;
        let again = [f::parse("s", INSERT, &[]), f::sync()].concat();
        connection.send(&[f::query(taken), again].concat())?;
        connection.ready()?;
        connection.ready()?;
        connection.send(&run("s"))?;
        let answers = connection.ready()?;
        let done = answers
            .iter()
            .any(|answer| answer.to_string() == "CommandComplete INSERT 0 1");
        assert!(done, "{taken}: {answers:?}");
        nothing_in_the_clear(&scene)?;
    }
    Ok(())
}
