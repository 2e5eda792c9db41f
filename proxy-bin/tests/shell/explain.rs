//! `--explain`.

use crate::support::{PROTECTS, Place, Result};

/// Exit code and standard output; what is on standard error is checked to be no error.
fn explain(text: &str) -> Result<(Option<i32>, String)> {
    let place = Place::new()?;
    let encryptor = place.file("e.yaml", PROTECTS)?;
    let done = place.run(&[
        &format!("--encryptor_config_file={encryptor}"),
        &format!("--explain={text}"),
    ])?;
    assert!(!done.stderr.contains("level=error"), "{}", done.stderr);
    Ok((done.code, done.stdout))
}

#[test]
fn what_is_encrypted_and_what_is_sent() -> Result {
    let (code, told) = explain(
        "INSERT INTO vault /* new */ (id, secret) VALUES (1, 'x'), (2, $1) RETURNING id, secret AS s",
    )?;
    assert_eq!(code, Some(0));
    assert_eq!(
        told,
        "Rewritten:\n  \
         value at character 53: column \"secret\" of table \"vault\", encrypted as AcraBlock for the connection's client\n  \
         parameter $1: column \"secret\" of table \"vault\", encrypted as AcraBlock for the connection's client\n  \
         result column 2, \"s\": column \"secret\" of table \"vault\", opened\n\
         Sent to the database:\n  \
         INSERT INTO vault /* new */ (id, secret) VALUES (1, '\\x252525…'), (2, $1) RETURNING id, secret AS s\n"
    );
    Ok(())
}

#[test]
fn what_passes() -> Result {
    for (text, parts) in [
        ("SELECT 1", &["names no protected table"] as &[&str]),
        ("DELETE FROM vault WHERE id = 1", &["Passes as it is.\n"]),
        (
            "WITH v AS (SELECT * FROM vault) SELECT v.secret, x.* FROM v, x",
            &["result column 1, \"secret\""],
        ),
        (
            "COPY vault FROM STDIN",
            &["column 2 of the rows: column \"secret\""],
        ),
        (
            "PREPARE p AS UPDATE vault SET secret = $1 WHERE id = $2",
            &["parameter $1: column \"secret\""],
        ),
    ] {
        let (code, told) = explain(text)?;
        assert_eq!(code, Some(0), "{text}: {told}");
        for part in parts {
            assert!(told.contains(part), "{text}: {told}");
        }
        assert!(!told.contains("Sent to"), "{text}: {told}");
    }
    Ok(())
}

#[test]
fn types_and_masks() -> Result {
    let place = Place::new()?;
    let encryptor = place.file(
        "e.yaml",
        "schemas:\n  - table: vault\n    columns: [id, age, card]\n    encrypted:\n      \
         - {column: age, data_type: int32, response_on_fail: error}\n      \
         - {column: card, masking: xx, plaintext_length: 4, plaintext_side: right}\n",
    )?;
    let done = place.run(&[
        &format!("--encryptor_config_file={encryptor}"),
        "--explain=UPDATE vault SET age = $1, card = $2 RETURNING *",
    ])?;
    for part in [
        "parameter $1: column \"age\" of table \"vault\" as integer, encrypted as AcraBlock",
        "for the connection's client, but for its last 4 bytes",
        "result column 2, \"age\": column \"age\" of table \"vault\", opened as integer, or an error",
        "column \"card\" of table \"vault\", opened, or masked by \"xx\"",
    ] {
        assert!(done.stdout.contains(part), "{}", done.stdout);
    }
    Ok(())
}

#[test]
fn what_is_refused_and_why() -> Result {
    let (code, told) = explain("SELECT id FROM vault WHERE secret = 'a value'")?;
    assert_eq!(code, Some(1));
    for part in [
        "Refused: protected column \"secret\" of table \"vault\"",
        "SQLSTATE 0A000, docs/errors.md#column-use",
    ] {
        assert!(told.contains(part), "{told}");
    }
    assert!(!told.contains("a value"), "{told}");
    Ok(())
}

#[test]
fn a_wrong_configuration_is_told() -> Result {
    let place = Place::new()?;
    let done = place.run(&["--encryptor_config_file=none.yaml", "--explain=SELECT 1"])?;
    assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""));
    assert!(done.stderr.contains("none.yaml"), "{}", done.stderr);
    Ok(())
}
