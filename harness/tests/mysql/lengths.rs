//! A container that does not fit its column: it is not sent where the server would cut it, and the error says how long the column must be.

use crate::loads::load;
use crate::protected::{TEXT, lengthy};
use crate::statements::{execution, prepare};
use acra_engine::wire::mysql::Capabilities;
use acra_harness::mysql::{Connection, Scene};
use acra_harness::servers::Flavour;
use acra_harness::{Error, Result};

/// A table of each test's own: what is known of one that several schemas have depends on all of them.
fn yaml(table: &str) -> String {
    format!("schemas:\n  - table: {table}\n    encrypted:\n      - column: ssn\n")
}

const VALUE: &[u8] = b"078-05-1120";

/// The error of a text, as it is read.
fn error(session: &mut Connection, sql: &str) -> Result<String> {
    Ok(session.error(sql)?.replace('\\', ""))
}

/// The size that an error tells of, which begins with these words.
fn size_in(told: &str, begins: &str, table: &str) -> Result<String> {
    let hint = told.strip_prefix(begins).unwrap_or_default();
    let starts =
        format!(". Column \"ssn\" of table \"{table}\" is encrypted, and its longest value takes ");
    let size = hint
        .strip_prefix(&*starts)
        .and_then(|rest| rest.split(' ').next())
        .ok_or_else(|| Error::new(format!("no hint: {told}")))?;
    assert!(
        hint.contains(&format!("varbinary({size}) or longer")),
        "{hint}"
    );
    Ok(size.to_owned())
}

/// `words`: those of an error are the server's own, or acra-server's.
fn check(scene: &Scene, table: &str, words: Option<&str>) -> Result<()> {
    scene.run_directly(&format!(
        "CREATE TABLE {table} (id INT, ssn VARBINARY(20), note VARCHAR(5))"
    ))?;
    let (mut session, mut direct) = (scene.proxied()?, scene.direct()?);
    let insert = &format!("INSERT INTO {table} (id, ssn) VALUES (1, 'short'), (2, '078-05-1120')");
    let own = error(
        &mut direct,
        &format!("INSERT INTO {table} (ssn) VALUES (REPEAT('x', 21))"),
    )?;
    assert!(own.starts_with("#22001"), "{own}");
    let told = error(&mut session, insert)?;
    let size = size_in(&told, words.unwrap_or(&own), table)?;
    // The same of a bound value.
    let statement = prepare(
        &mut session,
        &format!("INSERT INTO {table} (id, ssn) VALUES (3, ?)"),
    )?;
    let value = lengthy(VALUE);
    let command = execution(&session, statement, 0, &[(TEXT, Some(&value))], true);
    session.command(&command)?;
    let bound = last_error(&mut session)?;
    assert!(bound.ends_with(&told), "{bound}");
    // It is made longer past acra-server.
    scene.run_directly(&format!("ALTER TABLE {table} MODIFY ssn VARBINARY({size})"))?;
    session.command(&command)?;
    session.answers()?;
    session.run(insert)?;
    let longest = scene.stored(&format!("SELECT MAX(LENGTH(ssn)), COUNT(*) FROM {table}"))?;
    assert_eq!(longest, [[&*size, "3"]]);
    scene.keeps_none_of(&[VALUE])?;
    // An error that is not about a protected value stays the server's own.
    let other = &format!("INSERT INTO {table} (id, ssn, note) VALUES (4, 'x', 'too long')");
    assert_eq!(error(&mut session, other)?, error(&mut direct, other)?);
    Ok(())
}

/// The error among the answers, as it is read.
fn last_error(session: &mut Connection) -> Result<String> {
    let answer = session.answers()?.to_vec();
    let mut texts = answer
        .iter()
        .map(|packet| packet.payload.escape_ascii().to_string().replace('\\', ""));
    Ok(texts
        .find(|text| text.contains("#22001"))
        .unwrap_or_default())
}

const OWN_WORDS: &str = "#22001Data too long for column 'ssn'";

/// The server cuts what is too long in a session like this, and only warns.
fn check_lax(scene: &Scene) -> Result<()> {
    scene.run_directly(
        "CREATE TABLE lax (id INT PRIMARY KEY, ssn VARBINARY(20), note VARCHAR(5)) ENGINE=InnoDB",
    )?;
    scene.run_directly("INSERT INTO lax (id, note) VALUES (9, 'old')")?;
    let mut session = scene.proxied_with(Capabilities::LOCAL_FILES)?;
    let statement = prepare(&mut session, "INSERT INTO lax (id, ssn) VALUES (3, ?)")?;
    let value = lengthy(VALUE);
    let command = execution(&session, statement, 0, &[(TEXT, Some(&value))], true);
    session.run("SET sql_mode = ''")?;
    // As the server does with a value that is not protected.
    session.run("INSERT INTO lax (id, note) VALUES (8, 'too long')")?;
    let update = "UPDATE lax SET ssn = '078-05-1120' WHERE id = 9";
    for text in [
        "INSERT INTO lax (id, ssn) VALUES (1, 'x'), (2, '078-05-1120')",
        "INSERT IGNORE INTO lax (id, ssn) VALUES (1, '078-05-1120')",
        "REPLACE INTO lax (id, ssn) VALUES (1, '078-05-1120')",
        "INSERT INTO lax (id, note) VALUES (9, 'y') ON DUPLICATE KEY UPDATE ssn = '078-05-1120'",
        "PREPARE p FROM 'INSERT INTO lax (id, ssn) VALUES (1, \\'078-05-1120\\')'",
        update,
    ] {
        size_in(&error(&mut session, text)?, OWN_WORDS, "lax")
            .map_err(|error| Error::new(format!("{text}: {error}")))?;
    }
    session.command(&command)?;
    let bound = last_error(&mut session)?;
    assert!(bound.contains(OWN_WORDS), "{bound}");
    let sql = "LOAD DATA LOCAL INFILE 'f' INTO TABLE lax (id, ssn)";
    let answer = load(&mut session, sql, &[b"1\t\\N\n2\t078-05-", b"1120\n3\tx\n"])?;
    let told = answer.escape_ascii().to_string().replace('\\', "");
    let words = format!("{OWN_WORDS} (LOAD DATA into lax, row 2)");
    assert!(told.contains(&words), "{told}");
    let cut = scene.stored("SELECT id FROM lax WHERE LENGTH(ssn) > 0")?;
    assert!(cut.is_empty(), "{cut:?}");
    let note = scene.stored("SELECT note FROM lax WHERE id = 8")?;
    assert_eq!(note, [["too l"]]);
    // In a transaction the database is not asked again, behind it it is.
    session.run("BEGIN")?;
    session.run("SELECT COUNT(*) FROM lax WHERE id = 1")?;
    assert!(error(&mut session, update)?.contains(OWN_WORDS));
    session.run("ROLLBACK")?;
    scene.run_directly("ALTER TABLE lax MODIFY ssn VARBINARY(500)")?;
    for text in ["DELETE FROM lax WHERE id < 9", update] {
        session.run(text)?;
    }
    session.command(&command)?;
    session.answers()?;
    let answer = load(&mut session, sql, &[b"1\t078-05-1120\n"])?;
    assert_eq!(answer.first(), Some(&0), "{}", answer.escape_ascii());
    let read = session.strings("SELECT id, ssn FROM lax ORDER BY id")?;
    assert_eq!(
        read,
        ["1", "3", "9"].map(|id| vec![id.to_owned(), "078-05-1120".to_owned()])
    );
    scene.keeps_none_of(&[VALUE])
}

fn nothing_is_cut_where_the_server_would_cut(flavour: Flavour) -> Result<()> {
    let Some(scene) = Scene::start(flavour, &yaml("lax"))? else {
        return Ok(());
    };
    let outcome = check_lax(&scene);
    scene.explained(outcome)
}

fn the_size_that_is_needed_is_told_and_is_enough(flavour: Flavour) -> Result<()> {
    for (probe, table, words) in [("on", "narrow", Some(OWN_WORDS)), ("off", "unasked", None)] {
        let Some(scene) = Scene::with(flavour, |config| {
            config
                .encryptor_yaml(&yaml(table))
                .flag(&format!("--schema_probe={probe}"))
        })?
        else {
            return Ok(());
        };
        let outcome = check(&scene, table, words);
        scene.explained(outcome)?;
    }
    Ok(())
}

on_both! {
    nothing_is_cut_where_the_server_would_cut;
    the_size_that_is_needed_is_told_and_is_enough;
}
