//! Variables for protected columns: `SET @table__column = '…'`, and then `EXECUTE … USING`.

use crate::lasting::change_user;
use acra_harness::mysql::{Connection, Scene};
use acra_harness::scene::eventually;
use acra_harness::servers::{AcraConfig, Flavour};
use acra_harness::{Error, Result};
use rustix::process::Signal;

/// In every secret.
const SECRET: &str = "078-05-11-";

const COLUMNS: &str = "id INT PRIMARY KEY, ssn LONGBLOB, mail VARBINARY(500), login VARCHAR(100), \
    number VARBINARY(500), word VARBINARY(500), note TEXT";

const TABLES: &str = "schemas:
  - table: vault
    encrypted:
      - {column: ssn}
      - {column: mail, searchable: true, data_type: str}
      - {column: login, token_type: str, consistent_tokenization: true}
      - {column: number, data_type: int32}
      - {column: word, searchable: true, searchable_prefix: 3}
";

fn tables(config: AcraConfig) -> AcraConfig {
    config.encryptor_yaml(TABLES)
}

fn parted(config: AcraConfig) -> AcraConfig {
    let settings = "database_settings: {mysql: {prepared_statements_set_arg_delimiter: '$of$'}}\n";
    config.encryptor_yaml(&format!("{settings}{TABLES}"))
}

fn observing(config: AcraConfig) -> AcraConfig {
    tables(config).flag("--unsupported_statements=observe")
}

fn choosing(config: AcraConfig) -> AcraConfig {
    let config = AcraConfig {
        more_client_ids: vec!["client-one".into(), "client-two".into()],
        ..config
    };
    let ignored = "defaults: {ignore_client_ids: [client-two]}\n";
    config
        .encryptor_yaml(&format!("{ignored}{TABLES}"))
        .flag("--client_id_sql_varname=@app.client_id")
}

/// Runs a scenario beside a server with a protected table, and looks for secrets in what the database keeps.
fn scenario(
    flavour: Flavour,
    change: fn(AcraConfig) -> AcraConfig,
    test: fn(&Scene) -> Result<()>,
) -> Result<()> {
    let Some(scene) = Scene::with(flavour, |config| change(config).flag("-v"))? else {
        return Ok(());
    };
    let outcome = scene
        .run_directly(&format!("CREATE TABLE vault ({COLUMNS})"))
        .and_then(|()| test(&scene))
        .and_then(|()| scene.keeps_none_of(&[SECRET.as_bytes()]));
    scene.explained(outcome)
}

configured! {
    values_are_sealed_by_set: tables;
    other_delimiters: parted;
    variables_are_compared: tables;
    what_is_not_known_is_refused: tables;
    a_session_that_begins_anew: tables;
    a_new_configuration: tables;
    they_belong_to_a_client: choosing;
    what_is_observed_is_not_sealed: observing;
}

const INSERT: &str =
    "PREPARE s FROM 'INSERT INTO vault (id, ssn, mail, login, number) VALUES (?, ?, ?, ?, ?)'";
const EXECUTE: &str =
    "EXECUTE s USING @id, @vault__ssn, @vault__mail, @vault__login, @vault__number";

/// That a text is refused for this, and its secret in no message.
fn refused(session: &mut Connection, text: &str, reason: &str) -> Result<()> {
    let error = session.error(text)?;
    if error.contains(SECRET) || !error.contains(reason) {
        return Err(Error::new(format!("{text}: {error}")));
    }
    Ok(())
}

/// What the database has in a variable of the session.
fn held(session: &mut Connection, variable: &str) -> Result<String> {
    let shown = format!("SELECT HEX(CONCAT('', @{variable}))");
    Ok(session.strings(&shown)?.concat().concat())
}

fn values_are_sealed_by_set(scene: &Scene) -> Result<()> {
    let mut session = scene.proxied()?;
    session.run(INSERT)?;
    session.run(
        "SET @id = 1, @vault__ssn = '078-05-11-\\'1', @Vault__MAIL := \"078-05-11-a@b\", @`vault__login` = '078-05-11-login', @'vault__number' = -42",
    )?;
    let ssn = held(&mut session, "vault__ssn")?;
    assert!(ssn.starts_with("252525"), "{ssn}");
    assert!(held(&mut session, "vault__mail")?.starts_with("7F"));
    session.run(EXECUTE)?;
    // NULL and empty values stay what they are; beside other statements; the schema in front.
    session.run(&format!(
        "SET @id = 2, @{}.vault__mail = ''; SET @vault__ssn = NULL, @vault__number = 7",
        scene.schema
    ))?;
    session.run(&format!(
        "EXECUTE s USING @id, @vault__ssn, @{}.vault__mail, @vault__login, @vault__number",
        scene.schema
    ))?;
    // Several rows, and an update.
    session.run("SET @id = 3, @two = 2, @vault__ssn = X'3037382D30352D31312D33'")?;
    session.run("PREPARE u FROM 'UPDATE vault SET ssn = ?, note = ? WHERE id = ?'")?;
    session.run(EXECUTE)?;
    session.run("SET @note = 'seen'")?;
    session.run("EXECUTE u USING @vault__ssn, @note, @two")?;
    let read = session.strings("SELECT ssn, mail, login, number, note FROM vault ORDER BY id")?;
    let expected = [
        [
            "078-05-11-'1",
            "078-05-11-a@b",
            "078-05-11-login",
            "-42",
            "NULL",
        ],
        ["078-05-11-3", "", "078-05-11-login", "7", "seen"],
        [
            "078-05-11-3",
            "078-05-11-a@b",
            "078-05-11-login",
            "7",
            "NULL",
        ],
    ];
    assert_eq!(read, expected);
    let stored = "SELECT COUNT(*) FROM vault WHERE SUBSTR(ssn, 1, 3) = '%%%' AND SUBSTR(number, 1, 3) = '%%%' AND login NOT LIKE '%login%'";
    assert_eq!(scene.stored(stored)?, [["3"]]);
    let found = session.strings("SELECT id FROM vault WHERE mail = '078-05-11-a@b' ORDER BY id")?;
    assert_eq!(found, [["1"], ["3"]]);
    // A value of another type, and one that is too long for its column.
    refused(&mut session, "SET @vault__number = 'many'", "number")?;
    let long = format!("SET @vault__mail = '{SECRET}{}'", "x".repeat(400));
    refused(&mut session, &long, "too long")
}

fn other_delimiters(scene: &Scene) -> Result<()> {
    let mut session = scene.proxied()?;
    session.run("PREPARE s FROM 'INSERT INTO vault (id, ssn) VALUES (?, ?)'")?;
    session.run("SET @id = 1, @vault$OF$ssn = '078-05-11-1', @vault__ssn = 'none of ours'")?;
    refused(
        &mut session,
        "EXECUTE s USING @id, @vault__ssn",
        "vault__ssn",
    )?;
    session.run("EXECUTE s USING @id, @vault$of$ssn")?;
    assert_eq!(session.strings("SELECT ssn FROM vault")?, [["078-05-11-1"]]);
    Ok(())
}

fn variables_are_compared(scene: &Scene) -> Result<()> {
    let mut session = scene.proxied()?;
    for (id, mail) in [
        (1, "'078-05-11-a'"),
        (2, "'078-05-11-b'"),
        (3, "''"),
        (4, "NULL"),
    ] {
        session.run(&format!(
            "INSERT INTO vault (id, mail, login, word) VALUES ({id}, {mail}, '078-05-11-l{id}', '078-05-11-w')"
        ))?;
    }
    for (condition, variables, expected) in [
        ("mail = ?", "@vault__mail", "1"),
        ("? = mail", "@vault__mail", "1"),
        ("mail <> ?", "@vault__mail", "2 3"),
        ("mail <=> ?", "@vault__mail", "1"),
        ("mail IN (?, ?)", "@vault__mail, @vault__mail", "1"),
        ("NOT mail IN (?, ''078-05-11-b'')", "@vault__mail", "3"),
        ("mail = ? AND id = ?", "@vault__mail, @one", "1"),
        ("(id, mail) = (?, ?)", "@one, @vault__mail", "1"),
        ("login = ?", "@vault__login", "2"),
        ("login IN (?, ''078-05-11-l3'')", "@vault__login", "2 3"),
    ] {
        session
            .run("SET @one = 1, @vault__mail = '078-05-11-a', @vault__login = '078-05-11-l2'")?;
        session.run(&format!(
            "PREPARE f FROM 'SELECT id FROM vault WHERE {condition} ORDER BY id'"
        ))?;
        let execute = format!("EXECUTE f USING {variables}");
        let found = session.strings(&execute)?.concat().join(" ");
        assert_eq!(found, expected, "{condition}");
    }
    session.run("PREPARE f FROM 'SELECT id FROM vault WHERE mail <=> ?'")?;
    for (value, expected) in [("''", "3"), ("NULL", "4"), ("'078-05-11-b'", "2")] {
        session.run(&format!("SET @vault__mail = {value}"))?;
        let found = session.strings("EXECUTE f USING @vault__mail")?;
        assert_eq!(found, [[expected]], "{value}");
    }
    // What is compared is changed as well.
    session.run("PREPARE u FROM 'UPDATE vault SET mail = ? WHERE mail = ?'")?;
    session.run("EXECUTE u USING @vault__mail, @vault__mail")?;
    session.run("PREPARE d FROM 'DELETE FROM vault WHERE mail = ?'")?;
    session.run("EXECUTE d USING @vault__mail")?;
    assert_eq!(scene.stored("SELECT COUNT(*) FROM vault")?, [["3"]]);
    // Of a pattern the variable has nothing.
    session.run("SET @vault__word = '078%'")?;
    session.run("PREPARE l FROM 'SELECT id FROM vault WHERE word LIKE ?'")?;
    refused(&mut session, "EXECUTE l USING @vault__word", "LIKE")
}

fn what_is_not_known_is_refused(scene: &Scene) -> Result<()> {
    let mut session = scene.proxied()?;
    session.run("PREPARE s FROM 'INSERT INTO vault (id, ssn) VALUES (?, ?)'")?;
    session.run(
        "SET @id = 1, @vault__ssn = '078-05-11-1', @vault__mail = '078-05-11-m', @other = 'x'",
    )?;
    for (text, reason) in [
        ("EXECUTE s USING @id, @other", "@other"),
        ("EXECUTE s USING @id, @vault__mail", "@vault__mail"),
        ("EXECUTE s USING @id, @vault__login", "@vault__login"),
        ("EXECUTE s USING @id, @`vault__ssn `", "vault__ssn"),
        ("SET @vault__ssn = CONCAT('078-05-11-', 1)", "@vault__ssn"),
        ("SET @vault__ssn = @other", "@vault__ssn"),
        ("SET @other = @vault__ssn := '078-05-11-1'", "@vault__ssn"),
        ("SELECT @vault__ssn := '078-05-11-1'", "@vault__ssn"),
        ("SELECT '078-05-11-1' INTO @vault__ssn", "@vault__ssn"),
        ("SET @`vault__ssn ` = '078-05-11-1'", "not ASCII"),
        ("SET @vàult__ssn = '078-05-11-1'", "not ASCII"),
        (
            "PREPARE t FROM 'SET @vault__ssn = ''078-05-11-1'''",
            "prepared",
        ),
        ("INSERT INTO vault (id, ssn) VALUES (5, @vault__ssn)", "ssn"),
        ("CALL anything(@vault__ssn)", "@vault__ssn"),
        (
            "SET @vault__ssn = '078-05-11-2'; EXECUTE s USING @id, @vault__ssn",
            "",
        ),
    ] {
        refused(&mut session, text, reason)?;
    }
    for prepared in ["SET @vault__ssn = '078-05-11-1'", "SET @vault__ssn = ?"] {
        session.command(format!("\x16{prepared}").as_bytes())?;
        let answers = session.answers()?;
        assert!(answers[0].payload.starts_with(b"\xff"), "{answers:?}");
    }
    // A procedure writes in the variables that are given for its parameters.
    scene.run_directly("CREATE PROCEDURE writes(OUT given TEXT) SET given = 'in clear'")?;
    session.run("PREPARE p FROM 'CALL writes(?)'")?;
    refused(
        &mut session,
        "EXECUTE p USING @vault__ssn",
        "no protected table",
    )?;
    session.run("EXECUTE p USING @other")?;
    scene.run_directly("DROP PROCEDURE writes")?;
    // Nothing of this has changed the variable.
    session.run("EXECUTE s USING @id, @vault__ssn")?;
    assert_eq!(session.strings("SELECT ssn FROM vault")?, [["078-05-11-1"]]);
    // A SET that has failed, and what is sent behind it without waiting.
    session.query("SET @vault__ssn = '078-05-11-2', sql_mode = 'broken'")?;
    session.query("EXECUTE s USING @id, @vault__ssn")?;
    let answers = session.answers()?;
    let errors = answers
        .iter()
        .filter(|packet| packet.payload.first() == Some(&0xff));
    assert_eq!(errors.count(), 2, "{answers:?}");
    // One that has not.
    session.query("SET @vault__ssn = '078-05-11-3', @id = 3")?;
    session.query("EXECUTE s USING @id, @vault__ssn")?;
    session.answers()?;
    let read = session.strings("SELECT ssn FROM vault ORDER BY id")?;
    assert_eq!(read, [["078-05-11-1"], ["078-05-11-3"]]);
    Ok(())
}

const SETS: [&str; 2] = [
    "PREPARE s FROM 'INSERT INTO vault (id, ssn) VALUES (?, ?)'",
    "SET @id = 1, @vault__ssn = '078-05-11-1'",
];

/// That the variable is not known any more, and is once it is set again.
fn is_forgotten(session: &mut Connection) -> Result<()> {
    session.run(SETS[0])?;
    refused(session, "EXECUTE s USING @id, @vault__ssn", "@vault__ssn")?;
    session.run(SETS[1])?;
    session.run("EXECUTE s USING @id, @vault__ssn")?;
    session.run("DELETE FROM vault WHERE id = 1")
}

fn a_session_that_begins_anew(scene: &Scene) -> Result<()> {
    let mut session = scene.proxied()?;
    session.run(SETS[1])?;
    session.command(b"\x1f")?;
    session.answers()?;
    is_forgotten(&mut session)?;
    session.run(SETS[1])?;
    change_user(&mut session, &scene.schema)?;
    is_forgotten(&mut session)
}

fn a_new_configuration(scene: &Scene) -> Result<()> {
    let mut session = scene.proxied()?;
    session.run(SETS[1])?;
    scene
        .acra
        .write_encryptor_yaml(&format!("{TABLES}  - {{table: more}}\n"))?;
    scene.acra.signal(Signal::HUP)?;
    eventually("the configuration is reloaded", || {
        Ok(scene.acra.log().contains("msg=Reloaded"))
    })?;
    is_forgotten(&mut session)
}

fn they_belong_to_a_client(scene: &Scene) -> Result<()> {
    let mut session = scene.proxied()?;
    for text in SETS {
        session.run(text)?;
    }
    session.run("SET @app.client_id = 'client-one'")?;
    refused(
        &mut session,
        "EXECUTE s USING @id, @vault__ssn",
        "@vault__ssn",
    )?;
    session.run(SETS[1])?;
    session.run("EXECUTE s USING @id, @vault__ssn")?;
    assert_eq!(session.strings("SELECT ssn FROM vault")?, [["078-05-11-1"]]);
    // For this one nothing is done, and so nothing of its variables is known after it.
    session.run("SET @app.client_id = 'client-two'")?;
    session.run("SET @vault__ssn = 'in clear', @id = 2")?;
    session.run("SET @app.client_id = 'client-one'")?;
    session.run(SETS[0])?;
    refused(
        &mut session,
        "EXECUTE s USING @id, @vault__ssn",
        "@vault__ssn",
    )?;
    refused(
        &mut session,
        "SET @app.client_id = 'client-two', @vault__ssn = '078-05-11-1'",
        "protected table",
    )
}

fn what_is_observed_is_not_sealed(scene: &Scene) -> Result<()> {
    let mut session = scene.proxied()?;
    for passes in [
        "SET @vault__ssn = CONCAT('in', ' clear')",
        "SELECT @vault__ssn := 'in clear'",
        "SELECT 'in clear' INTO @vault__ssn",
        "SET @vault__ssn = 'in clear'; SELECT ssn FROM vault WHERE UPPER(ssn) = 'x'",
        "SET @vault__ssn = 'in clear', @vault__mail = UPPER('in clear')",
    ] {
        session.run(SETS[1])?;
        session.run(passes)?;
        is_forgotten(&mut session)?;
    }
    let prepares = "PREPARE p FROM 'SELECT @vault__ssn := 1'";
    refused(&mut session, prepares, "prepared")
}
