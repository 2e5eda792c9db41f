//! A container that does not fit its column: the server's error says how long the column must be.

use acra_harness::raw::{Message, frontend as f};
use acra_harness::scene::{Scene, value};
use acra_harness::{Error, Result};

/// The hint of the error among the answers.
fn hint(answers: &[Message]) -> Result<String> {
    let error = answers
        .iter()
        .find(|message| message.tag == b'E')
        .ok_or_else(|| Error::new("no error"))?;
    assert_eq!(error.field(b'C').as_deref(), Some("22001"));
    Ok(error.field(b'H').unwrap_or_default())
}

#[test]
fn the_size_that_is_needed_is_told_and_is_enough() -> Result<()> {
    let yaml = "schemas:\n  - table: narrow\n    columns: [id, ssn]\n    encrypted:\n      - column: ssn\n";
    let scene = Scene::with(|config| config.encryptor_yaml(yaml))?;
    scene.run_directly("CREATE TABLE narrow (id int, ssn varchar(20), note varchar(5))")?;
    let mut session = scene.proxied()?;
    let insert = "INSERT INTO narrow (id, ssn) VALUES (1, 'short'), (2, '078-05-1120')";
    let told = hint(&session.query(insert)?)?;
    assert!(
        told.contains("Column \"ssn\" of table \"narrow\""),
        "{told}"
    );
    let prepared = "INSERT INTO narrow (id, ssn) VALUES (3, $1)";
    for format in [0, 1] {
        session.send_all(&[
            f::parse("", prepared, &[]),
            f::bind(
                "",
                "",
                f::Bind {
                    formats: &[format],
                    values: &[Some(b"078-05-1120")],
                    ..f::Bind::default()
                },
            ),
            f::execute("", 0),
            f::sync(),
        ])?;
        if format == 0 {
            assert_eq!(hint(&session.ready()?)?, told);
        } else {
            session.ready()?;
        }
    }
    for extended in [false, true] {
        let copy = "COPY narrow (id, ssn) FROM STDIN";
        match extended {
            false => session.send(&f::query(copy))?,
            true => session.send_all(&[
                f::parse("", copy, &[]),
                f::bind_text("", "", &[]),
                f::execute("", 0),
                f::sync(),
            ])?,
        }
        session.until(b'G')?;
        session.send_all(&[
            f::copy_data(b"1\tshort\n2\t078-05-1120\n"),
            f::copy_done(),
            f::sync(),
        ])?;
        // The Sync is for the extended protocol; in the simple one it is answered by itself.
        assert_eq!(hint(&session.ready()?)?, told, "extended: {extended}");
        if !extended {
            session.ready()?;
        }
    }
    let size = told
        .split("varchar(")
        .nth(1)
        .and_then(|rest| rest.split(')').next())
        .unwrap_or_default();
    scene.run_directly(&format!(
        "ALTER TABLE narrow ALTER ssn TYPE varchar({size})"
    ))?;
    session.run(insert)?;
    let longest = value(&mut scene.direct()?, "SELECT max(length(ssn)) FROM narrow")?;
    assert_eq!(longest, size);
    // An error that is not about a protected value stays the server's own.
    let own = session.query("INSERT INTO narrow (id, note) VALUES (4, 'too long')")?;
    assert_eq!(hint(&own)?, "");
    Ok(())
}
