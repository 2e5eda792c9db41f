//! `--explain`.

use crate::support::{PROTECTS, Place, Result};

fn explain(text: &str) -> Result<(Option<i32>, String)> {
    explain_by(PROTECTS, &[], text)
}

/// Exit code and standard output with this configuration and these flags; what is on standard error is checked to be no error.
fn explain_by(encryptor: &str, flags: &[&str], text: &str) -> Result<(Option<i32>, String)> {
    let place = Place::new()?;
    let encryptor = format!(
        "--encryptor_config_file={}",
        place.file("e.yaml", encryptor)?
    );
    let explain = format!("--explain={text}");
    let done = place.run(&[flags, &[&*encryptor, &*explain]].concat())?;
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

#[test]
fn comparisons_of_searchable_columns() -> Result {
    let place = Place::new()?;
    let encryptor = place.file(
        "e.yaml",
        "schemas:\n  - table: vault\n    columns: [id, mail, word]\n    encrypted:\n      \
         - {column: mail, searchable: true}\n      - {column: word, searchable: true, searchable_prefix: 4}\n",
    )?;
    let explain = |text: &str| {
        place.run(&[
            &format!("--encryptor_config_file={encryptor}"),
            &format!("--explain={text}"),
        ])
    };
    let done = explain("SELECT id FROM vault WHERE mail = 'x' AND word LIKE 'ab%' AND mail <> $1")?;
    assert_eq!(
        done.stdout,
        "Rewritten:\n  \
         value at character 35: compared with column \"mail\" of table \"vault\", by its hash\n  \
         value at character 53: pattern for column \"word\" of table \"vault\", whose hash is compared; case counts\n  \
         parameter $1: compared with column \"mail\" of table \"vault\", by its hash\n\
         Sent to the database:\n  \
         SELECT id FROM vault WHERE substr(mail, 1, 33) = '\\x7f…' AND substr(word, 67, 33) = '\\x7f…' AND substr(mail, 1, 33) <> $1\n"
    );
    let by_column = place.file(
        "column.yaml",
        "schemas:\n  - table: vault\n    columns: [id, mail, mail_hash]\n    encrypted:\n      \
         - {column: mail, searchable: true, search_column: mail_hash}\n",
    )?;
    let done = place.run(&[
        &format!("--encryptor_config_file={by_column}"),
        "--explain=SELECT id FROM vault v WHERE v.mail = 'x'",
    ])?;
    let sent = "SELECT id FROM vault v WHERE v.\"mail_hash\" = '\\x7f…'";
    assert!(done.stdout.contains(sent), "{}", done.stdout);
    let done = explain("UPDATE vault SET mail = 'x' WHERE id = 1")?;
    for part in ["behind its hash", "mail = '\\x7f…252525…'"] {
        assert!(done.stdout.contains(part), "{}", done.stdout);
    }
    for (text, reason) in [
        (
            "SELECT 1 FROM vault WHERE mail LIKE 'x%'",
            "a pattern that it cannot be searched by",
        ),
        (
            "SELECT 1 FROM vault ORDER BY mail",
            "is compared by ORDER BY",
        ),
        (
            "SELECT 1 FROM vault WHERE mail > 'x'",
            "is used in an expression or condition",
        ),
    ] {
        let done = explain(text)?;
        assert_eq!(done.code, Some(1));
        assert!(done.stdout.contains(reason), "{}", done.stdout);
        assert!(done.stdout.contains("for equality"), "{}", done.stdout);
    }
    Ok(())
}

const FOR_MYSQL: &str = "schemas:\n  - table: vault\n    columns: [id, secret, mail, age, raw]\n    encrypted:\n      \
    - {column: secret}\n      - {column: mail, searchable: true}\n      \
    - {column: age, data_type: int32, response_on_fail: error}\n      - {column: raw, data_type: bytes}\n";

fn explain_for_mysql(text: &str) -> Result<(Option<i32>, String)> {
    explain_by(FOR_MYSQL, &["--mysql_enable"], text)
}

#[test]
fn what_is_sent_to_mysql_is_in_its_words() -> Result {
    let (code, told) = explain_for_mysql(
        "INSERT INTO `vault` (id, secret, mail) VALUES (1, 'x', 'y'), (2, ?, ?)",
    )?;
    assert_eq!(code, Some(0));
    assert_eq!(
        told,
        "Rewritten:\n  \
         value at character 51: column `secret` of table `vault`, encrypted as AcraBlock for the connection's client\n  \
         value at character 56: column `mail` of table `vault`, encrypted as AcraBlock behind its hash, for the connection's client\n  \
         parameter 1: column `secret` of table `vault`, encrypted as AcraBlock for the connection's client\n  \
         parameter 2: column `mail` of table `vault`, encrypted as AcraBlock behind its hash, for the connection's client\n\
         Sent to the database:\n  \
         INSERT INTO `vault` (id, secret, mail) VALUES (1,  X'252525…',  X'7f…252525…'), (2, ?, ?)\n"
    );
    let (_, told) = explain_for_mysql(
        "SELECT secret AS `a``b`, age, raw FROM vault WHERE mail = 'x' AND id = 1",
    )?;
    for part in [
        "result column 1, `a``b`: column `secret` of table `vault`, opened\n",
        "`age` of table `vault`, opened as int, or an error\n",
        "`raw` of table `vault`, opened as blob\n",
        "compared with column `mail` of table `vault`, by its hash\n",
        " =  X'7f…' AND id = 1\n",
    ] {
        assert!(told.contains(part), "{told}");
    }
    Ok(())
}

#[test]
fn refusals_have_the_numbers_that_clients_of_mysql_get() -> Result {
    for (text, number, anchor) in [
        (
            "SELECT id FROM vault WHERE secret = 'a value'",
            "error 1235, SQLSTATE 42000",
            "column-use",
        ),
        (
            "INSERT INTO vault (id, secret) VALUES (1, X'123')",
            "error 1366, SQLSTATE HY000",
            "bad-literal",
        ),
    ] {
        let (code, told) = explain_for_mysql(text)?;
        assert_eq!(code, Some(1), "{text}: {told}");
        let last = format!("  {number}, docs/errors.md#{anchor}\n");
        assert!(told.ends_with(&last), "{text}: {told}");
        assert!(!told.contains("0A000"), "{text}: {told}");
    }
    Ok(())
}
