//! Statements that are prepared and executed in SQL.

use crate::protected::{FULL_MARIADB, FULL_MYSQL, Scene, each, some};
use acra_harness::Result;
use acra_harness::mysql::Connection;
use acra_harness::servers::Flavour;

const COLUMNS: &str = "id INT PRIMARY KEY, ssn LONGBLOB, mail VARBINARY(500), login VARCHAR(100), \
    number VARBINARY(500), card BLOB, note TEXT";

const CONFIG: &str = "      - {column: ssn}
      - {column: mail, searchable: true, data_type: str}
      - {column: login, token_type: str, consistent_tokenization: true}
      - {column: number, data_type: int32}
      - {column: card, masking: \"xxxx\", plaintext_length: 4, plaintext_side: right}
";

/// The values of a row, and their columns.
const VALUES: &str = "'078-05-\\'1', '078-05-a@b', '078-05-login', 42, '078-05-card'";
const NAMES: &str = "ssn, mail, login, number, card";

scenario!(prepared_in_sql, COLUMNS, CONFIG);
fn prepared_in_sql(scene: &mut Scene) -> Result<()> {
    let mut session = scene.side.login()?;
    let insert = scene.sql(&format!(
        "INSERT INTO {{t}} (id, {NAMES}, note) VALUES (?, {VALUES}, ?)"
    ));
    session.run("SET @one = 1, @two = 2, @note = 'it''s'")?;
    session.run(&prepare("writes", &insert))?;
    session.run("EXECUTE writes USING @one, @note")?;
    session.run("EXECUTE `WRITES` USING @two, @note")?;
    let stored = scene.stored("SELECT ssn, mail, number, login, note FROM {t}")?;
    assert_eq!(stored.len(), 2);
    for row in &stored {
        let cell = |at: usize| row[at].as_deref().unwrap_or_default();
        assert!(cell(0).starts_with(b"%%%") && cell(2).starts_with(b"%%%"));
        assert_eq!(cell(1).first(), Some(&0x7f));
        assert_eq!(cell(4), b"it's");
    }
    let expected = [
        some("078-05-'1"),
        some("078-05-a@b"),
        some("078-05-login"),
        some("42"),
        some("078-05-card"),
    ];
    let select = format!(
        "SELECT {NAMES} FROM {{t}} WHERE id = ? AND mail = \"078-05-a@b\" AND login = '078-05-login'"
    );
    session.run(&prepare("shows", &scene.sql(&select)))?;
    let read = session.table("EXECUTE shows USING @two")?;
    assert_eq!(read.rows, [expected]);
    // Of places that no table is told of.
    let union = "SELECT 0 AS id, mail, number FROM {t} WHERE id = 1 UNION ALL SELECT id, mail, number FROM {t} WHERE id = 2";
    session.run(&prepare("united", &scene.sql(union)))?;
    let read = session.table("EXECUTE united")?;
    let row = |id| vec![some(id), some("078-05-a@b"), some("42")];
    assert_eq!(read.rows, [row("0"), row("2")]);
    assert_eq!(read.columns[2].0, 3, "an integer");
    // Definitions.
    session.run(&prepare(
        "defines",
        &scene.sql("ALTER TABLE {t} ADD COLUMN more INT AFTER id"),
    ))?;
    session.run("EXECUTE defines")?;
    session.run(&scene.sql(&format!("INSERT INTO {{t}} VALUES (3, 7, {VALUES}, NULL)")))?;
    scene.stored("SELECT id FROM {t}")?;
    Ok(())
}

const UNKNOWN: &str = "Unknown prepared statement handler";

/// A text that prepares another one.
fn prepare(name: &str, text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('\'', "''");
    format!("PREPARE {name} FROM '{text}'")
}

/// That a text is refused for this, and its secret in no message.
fn refused(session: &mut Connection, text: &str, reason: &str) -> Result<()> {
    let error = session.error(text)?;
    assert!(error.contains(reason), "{text}: {error}");
    assert!(!error.contains("078-05"), "{error}");
    Ok(())
}

scenario!(values_of_variables_are_refused, COLUMNS, CONFIG);
fn values_of_variables_are_refused(scene: &mut Scene) -> Result<()> {
    let mut session = scene.side.login()?;
    session.run("SET @id = 1, @secret = '078-05-1'")?;
    let insert = scene.sql("INSERT INTO {t} (id, ssn) VALUES (?, ?)");
    session.run(&prepare("s", &insert))?;
    refused(&mut session, "EXECUTE s USING @id, @secret", "ssn")?;
    session.run(&prepare(
        "found",
        &scene.sql("SELECT id FROM {t} WHERE mail = ?"),
    ))?;
    refused(&mut session, "EXECUTE found USING @secret", "mail")?;
    refused(
        &mut session,
        "SELECT 1; EXECUTE s USING @id, @secret",
        "s, which",
    )?;
    refused(
        &mut session,
        "EXECUTE s USING @id, @secret; SELECT 1",
        "s, which",
    )?;
    refused(
        &mut session,
        "SELECT 1; PREPARE s FROM 'SELECT 1, 2, ?, ?'",
        "s, which",
    )?;
    refused(&mut session, "PREPARE t FROM @secret", "may concern")?;
    refused(
        &mut session,
        &scene.sql("PREPARE t FROM 'SELECT ssn FROM {t}'; DO 1"),
        "concerns",
    )?;
    refused(&mut session, &prepare("é", &insert), "not ASCII")?;
    refused(
        &mut session,
        &prepare("s", "PREPARE t FROM \"{t}\"").replace("{t}", &scene.table),
        "prepared",
    )?;
    refused(
        &mut session,
        &prepare("s", &scene.sql("SELECT id FROM {t} ORDER BY ssn")),
        "ssn",
    )?;
    let set = "SET STATEMENT max_statement_time = 9 FOR EXECUTE s USING 1, '078-05-1'";
    refused(&mut session, set, "s, which")?;
    let block = "BEGIN NOT ATOMIC EXECUTE IMMEDIATE 'INSERT INTO {t} (id, ssn) VALUES (1, ''078-05-1'')'; END";
    refused(&mut session, &scene.sql(block), "concerns")?;
    assert!(scene.stored("SELECT id FROM {t}")?.is_empty());
    Ok(())
}

scenario!(names_follow_the_server, COLUMNS, CONFIG);
fn names_follow_the_server(scene: &mut Scene) -> Result<()> {
    let mut session = scene.side.login()?;
    session.run("SET @id = 1, @secret = '078-05-1'")?;
    let insert = scene.sql("INSERT INTO {t} (id, ssn) VALUES (?, ?)");
    // Another statement under the name.
    session.run(&prepare("s", &insert))?;
    session.run("PREPARE s FROM 'SELECT ?, ?'")?;
    let read = session.table("EXECUTE s USING @id, @secret")?;
    assert_eq!(read.rows, [[some("1"), some("078-05-1")]]);
    // One that the server does not take, and what is sent behind it without waiting.
    for broken in [
        "PREPARE s FROM 'broken'",
        "SELECT broken; PREPARE s FROM 'SELECT ?, ?'",
    ] {
        session.run("DEALLOCATE PREPARE s")?;
        session.run(&prepare("s", &insert))?;
        // Beside others it is refused, so that it is under its name.
        session.query(broken)?;
        session.query("EXECUTE s USING @id, @secret")?;
        let answers = session.answers()?;
        let errors = answers
            .iter()
            .filter(|packet| packet.payload.first() == Some(&0xff));
        assert_eq!(errors.count(), 2, "{answers:?}");
        assert!(scene.stored("SELECT id FROM {t}")?.is_empty());
        session.run("PREPARE s FROM 'SELECT 1'")?;
    }
    // Gone.
    for gone in ["DEALLOCATE PREPARE s", "DROP PREPARE s"] {
        session.run(gone)?;
        refused(&mut session, "EXECUTE s", UNKNOWN)?;
        session.run(&prepare("s", &scene.sql("SELECT ssn FROM {t}")))?;
        assert!(session.table("EXECUTE s")?.rows.is_empty());
    }
    session.command(b"\x1f")?;
    session.answers()?;
    refused(&mut session, "EXECUTE s", UNKNOWN)?;
    // Where the server cannot prepare what prepares.
    let prepares = format!("\x16{}", prepare("s", &insert));
    session.command(prepares.as_bytes())?;
    let answers = session.answers()?;
    assert_eq!(answers[0].payload.first(), Some(&0xff), "{answers:?}");
    refused(&mut session, "EXECUTE s", UNKNOWN)
}

scenario!(strings_are_read_by_the_settings, COLUMNS, CONFIG);
fn strings_are_read_by_the_settings(scene: &mut Scene) -> Result<()> {
    let mut session = scene.side.login()?;
    session.run("SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'")?;
    let insert =
        "PREPARE s FROM 'INSERT INTO \"{t}\" (id, ssn, note) VALUES (1, ''078-05-\\'', ''\\'')'";
    session.run(&scene.sql(insert))?;
    session.run("SET sql_mode = ''")?;
    session.run("EXECUTE s")?;
    let insert = "PREPARE s FROM \"INSERT INTO {t} (id, ssn, note) VALUES (2, '078-05-é\\\\n\\\"', \\\"\\\\n\\\")\"";
    session.run(&scene.sql(insert))?;
    session.run("EXECUTE s")?;
    let read = session.table(&scene.sql("SELECT ssn, note FROM {t} ORDER BY id"))?;
    let expected = [
        [some("078-05-\\"), some("\\")],
        [some("078-05-é\n\""), some("\n")],
    ];
    assert_eq!(read.rows, expected);
    scene.stored("SELECT id FROM {t}")?;
    Ok(())
}

/// MariaDB alone takes values for parameters, and runs a string at once.
#[test]
fn arguments_are_sealed() -> Result<()> {
    let test = |scene: &mut Scene| {
        let mut session = scene.side.login()?;
        let insert =
            scene.sql("INSERT INTO {t} (id, ssn, mail, login, number) VALUES (?, ?, ?, ?, ?)");
        session.run(&prepare("s", &insert))?;
        session.run("EXECUTE s USING 1, '078-05-1', X'3037382D30352D61', '078-05-l', -7")?;
        session.run("EXECUTE s USING 1 + 1, NULL, '', \"078-05-\\\"m\", NULL")?;
        let immediate = "EXECUTE IMMEDIATE 'INSERT INTO {t} (id, ssn, mail, login, number) VALUES (?, ''078-05-3'', ?, ''078-05-n'', 9), \
            (?, ?, ''078-05-d'', ?, ?)' USING 3, '078-05-c', 4, '078-05-4', '078-05-o', 8";
        session.run(&scene.sql(immediate))?;
        let all = "SELECT ssn, mail, login, number FROM {t} WHERE id > ? ORDER BY id";
        let read = session.table(&scene.sql(&format!("EXECUTE IMMEDIATE '{all}' USING 0")))?;
        let expected = [
            [
                some("078-05-1"),
                some("078-05-a"),
                some("078-05-l"),
                some("-7"),
            ],
            [None, some(""), some("078-05-\"m"), None],
            [
                some("078-05-3"),
                some("078-05-c"),
                some("078-05-n"),
                some("9"),
            ],
            [
                some("078-05-4"),
                some("078-05-d"),
                some("078-05-o"),
                some("8"),
            ],
        ];
        assert_eq!(read.rows, expected);
        session.run(&prepare(
            "f",
            &scene.sql("SELECT id FROM {t} WHERE mail = ? OR login = ? ORDER BY id"),
        ))?;
        let found = session.table("EXECUTE f USING '078-05-d', '078-05-n'")?;
        assert_eq!(found.rows, [[some("3")], [some("4")]]);
        for (text, reason) in [
            (
                "EXECUTE s USING 5, CONCAT('078-05', '5'), 'm', 'l', 1",
                "ssn",
            ),
            ("EXECUTE s USING 5, DEFAULT, 'm', 'l', 1", "ssn"),
            ("EXECUTE s USING 5, 'x', 'm', 'l', 'many'", "number"),
        ] {
            refused(&mut session, text, reason)?;
        }
        assert_eq!(scene.stored("SELECT id FROM {t}")?.len(), 4);
        Ok(())
    };
    each(
        Flavour::MariaDb,
        FULL_MARIADB,
        "arguments",
        COLUMNS,
        CONFIG,
        test,
    )
}
