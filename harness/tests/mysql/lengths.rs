//! A container that does not fit its column: the server's error says how long the column must be.

use crate::protected::{TEXT, lengthy};
use crate::statements::{execution, prepare};
use acra_harness::mysql::{Connection, Scene};
use acra_harness::servers::Flavour;
use acra_harness::{Error, Result};

const YAML: &str = "schemas:\n  - table: narrow\n    encrypted:\n      - column: ssn\n";
const VALUE: &[u8] = b"078-05-1120";

/// The error of a text, as it is read.
fn error(session: &mut Connection, sql: &str) -> Result<String> {
    Ok(session.error(sql)?.replace('\\', ""))
}

fn check(scene: &Scene) -> Result<()> {
    scene.run_directly("CREATE TABLE narrow (id INT, ssn VARBINARY(20), note VARCHAR(5))")?;
    let (mut session, mut direct) = (scene.proxied()?, scene.direct()?);
    let insert = "INSERT INTO narrow (id, ssn) VALUES (1, 'short'), (2, '078-05-1120')";
    let own = error(
        &mut direct,
        "INSERT INTO narrow (ssn) VALUES (REPEAT('x', 21))",
    )?;
    assert!(own.starts_with("#22001"), "{own}");
    let told = error(&mut session, insert)?;
    let hint = told.strip_prefix(&*own).unwrap_or_default();
    let starts = ". Column \"ssn\" of table \"narrow\" is encrypted, and its longest value takes ";
    let size = hint
        .strip_prefix(starts)
        .and_then(|rest| rest.split(' ').next())
        .ok_or_else(|| Error::new(format!("no hint: {told}")))?;
    assert!(
        hint.contains(&format!("varbinary({size}) or longer")),
        "{hint}"
    );
    // The same of a bound value.
    let statement = prepare(&mut session, "INSERT INTO narrow (id, ssn) VALUES (3, ?)")?;
    let value = lengthy(VALUE);
    let command = execution(&session, statement, 0, &[(TEXT, Some(&value))], true);
    session.command(&command)?;
    let answer = session.answers()?.to_vec();
    let bound = answer
        .iter()
        .map(|packet| packet.payload.escape_ascii().to_string().replace('\\', ""))
        .find(|text| text.contains("#22001"))
        .unwrap_or_default();
    assert!(bound.ends_with(&told), "{bound}");
    scene.run_directly(&format!("ALTER TABLE narrow MODIFY ssn VARBINARY({size})"))?;
    session.run(insert)?;
    session.command(&command)?;
    session.answers()?;
    let longest = scene.stored("SELECT MAX(LENGTH(ssn)), COUNT(*) FROM narrow")?;
    assert_eq!(longest, [[size, "3"]]);
    scene.keeps_none_of(&[VALUE])?;
    // An error that is not about a protected value stays the server's own.
    let other = "INSERT INTO narrow (id, ssn, note) VALUES (4, 'x', 'too long')";
    assert_eq!(error(&mut session, other)?, error(&mut direct, other)?);
    Ok(())
}

fn the_size_that_is_needed_is_told_and_is_enough(flavour: Flavour) -> Result<()> {
    let Some(scene) = Scene::start(flavour, YAML)? else {
        return Ok(());
    };
    let outcome = check(&scene);
    scene.explained(outcome)
}

#[test]
fn on_mariadb() -> Result<()> {
    the_size_that_is_needed_is_told_and_is_enough(Flavour::MariaDb)
}

#[test]
fn on_mysql() -> Result<()> {
    the_size_that_is_needed_is_told_and_is_enough(Flavour::MySql)
}
