//! Whose keys a session uses: chosen by a user variable, or left alone.

use crate::lasting::change_user;
use crate::protected::{TEXT, lengthy};
use crate::statements::{execution, prepare};
use acra_harness::mysql::{Connection, Scene};
use acra_harness::servers::{AcraConfig, Flavour};
use acra_harness::{Error, Result};

const ONE: &str = "SET @app.client_id = 'client-one'";
const TWO: &str = "SET @app.client_id := 'client-two'";
const CONFIG: &str = "schemas:\n  - table: vault\n    encrypted:\n      - column: secret\n";

/// Runs a scenario beside a server with a protected table.
fn scenario(
    flavour: Flavour,
    change: fn(AcraConfig) -> AcraConfig,
    test: fn(&Scene) -> Result<()>,
) -> Result<()> {
    let Some(scene) = Scene::with(flavour, |config| AcraConfig {
        more_client_ids: vec!["client-one".into(), "client-two".into()],
        ..change(config.encryptor_yaml(CONFIG).flag("-v"))
    })?
    else {
        return Ok(());
    };
    let outcome = scene
        .run_directly("CREATE TABLE vault (id INT PRIMARY KEY, secret LONGBLOB)")
        .and_then(|()| test(&scene));
    scene.explained(outcome)
}

fn chosen(config: AcraConfig) -> AcraConfig {
    config.flag("--client_id_sql_varname=@app.client_id")
}

fn ignoring(config: AcraConfig) -> AcraConfig {
    let yaml = format!("defaults:\n  ignore_client_ids: [client-two, nobody-else]\n{CONFIG}");
    chosen(config.encryptor_yaml(&yaml))
}

fn unasked(config: AcraConfig) -> AcraConfig {
    config
}

configured! {
    it_lasts_as_long_as_the_variable_does: chosen;
    a_session_that_begins_anew: chosen;
    what_is_sent_behind_it_uses_it: chosen;
    what_would_not_be_known_is_refused: chosen;
    what_reads_it_passes: chosen;
    ignored_clients_have_the_database_to_themselves: ignoring;
    definitions_by_ignored_clients_count: ignoring;
    without_the_flag_it_is_a_variable_like_any_other: unasked;
}

fn insert(id: i32) -> String {
    format!("INSERT INTO vault (id, secret) VALUES ({id}, 'of {id}')")
}

fn select(id: i32) -> String {
    format!("SELECT secret FROM vault WHERE id = {id}")
}

/// Whether the session reads the secret of a row.
fn reads(session: &mut Connection, id: i32) -> Result<bool> {
    let read = session.strings(&select(id))?.concat().concat();
    match read == format!("of {id}") {
        true => Ok(true),
        false if read.starts_with("%%%") => Ok(false),
        false => Err(Error::new(read)),
    }
}

/// Which of the rows that three clients have written the session reads.
fn who(session: &mut Connection) -> Result<&'static str> {
    Ok(
        match (reads(session, 0)?, reads(session, 1)?, reads(session, 2)?) {
            (true, false, false) => "own",
            (false, true, false) => "one",
            (false, false, true) => "two",
            other => return Err(Error::new(format!("{other:?}"))),
        },
    )
}

/// A session, after three clients have written a row each.
fn written(scene: &Scene) -> Result<Connection> {
    let mut session = scene.proxied()?;
    for text in [&insert(0), ONE, &insert(1), TWO, &insert(2)] {
        session.run(text)?;
    }
    let sealed = "SELECT COUNT(*) FROM vault WHERE SUBSTR(secret, 1, 3) = '%%%'";
    assert_eq!(scene.stored(sealed)?, [["3"]]);
    scene.proxied()
}

/// What the database has in the variable.
fn shown(session: &mut Connection) -> Result<String> {
    Ok(session.strings("SELECT @app.client_id")?.concat().concat())
}

fn it_lasts_as_long_as_the_variable_does(scene: &Scene) -> Result<()> {
    let mut session = written(scene)?;
    let flushes = scene.server.flavour() == Flavour::MariaDb;
    for (statements, expected) in [
        (&[ONE][..], "one"),
        (&["SET @app.client_id = NULL"], "own"),
        (
            &["set autocommit = 1, @`App.Client_ID` = _utf8mb4'client-two', @other = 1"],
            "two",
        ),
        (
            &["FLUSH USER_VARIABLES"],
            if flushes { "own" } else { "two" },
        ),
        (&["START TRANSACTION", ONE, "ROLLBACK"], "one"),
        (
            &["DO 1; SET @'app.\\client_id' = 'client-two'; SELECT 1"],
            "two",
        ),
        (&["SET @app.client_id = 'client-one'; SELECT broken"], "one"),
        (&["SELECT broken; SET @app.client_id = 'client-two'"], "one"),
        (
            &["SET @app.client_id = 'client-two', sql_mode = 'broken'"],
            "one",
        ),
        (&["SET @app.client_id TO 'client-two'"], "one"),
        (&["SET @app_client_id = 'client-two'"], "one"),
        (&["SET @app.client_id = ''"], "own"),
        (&["SET sql_mode = 'ANSI_QUOTES'", TWO], "two"),
        (&["SET @\"app.client_id\" = 'client-one'"], "one"),
    ] {
        for sql in statements {
            session.query(sql)?;
            session.answers()?;
        }
        assert_eq!(who(&mut session)?, expected, "{statements:?}");
        let shown = shown(&mut session)?;
        let ours = shown.strip_prefix("client-").unwrap_or("own");
        assert_eq!(
            ours, expected,
            "the database has {shown:?} after {statements:?}"
        );
    }
    let log = scene.acra.log();
    assert!(
        log.contains("chosen by SQL") && log.contains("client-two"),
        "{log}"
    );
    Ok(())
}

fn a_session_that_begins_anew(scene: &Scene) -> Result<()> {
    let mut session = written(scene)?;
    session.run(ONE)?;
    session.command(b"\x1f")?;
    session.answers()?;
    assert_eq!(shown(&mut session)?, "NULL");
    assert_eq!(who(&mut session)?, "own");
    session.run(TWO)?;
    change_user(&mut session, &scene.schema)?;
    assert_eq!(shown(&mut session)?, "NULL");
    assert_eq!(who(&mut session)?, "own");
    Ok(())
}

fn what_is_sent_behind_it_uses_it(scene: &Scene) -> Result<()> {
    let mut session = written(scene)?;
    // Without waiting for answers.
    for text in [&select(0), ONE, &select(1), TWO, &insert(22), &select(2)] {
        session.query(text)?;
    }
    let answers = session.answers()?;
    for value in ["\x04of 0", "\x04of 1", "\x04of 2"] {
        let rows = answers.iter();
        let found = rows.filter(|packet| packet.payload == value.as_bytes());
        assert_eq!(found.count(), 1, "{value}: {answers:?}");
    }
    assert!(reads(&mut session, 22)?);
    // Prepared, it chooses when it is executed.
    let one = prepare(&mut session, ONE)?;
    let read = prepare(&mut session, "SELECT secret FROM vault WHERE id = 1")?;
    assert_eq!(who(&mut session)?, "two");
    for command in [one, read] {
        let command = execution(&session, command, 0, &[], true);
        session.command(&command)?;
    }
    let answers = session.answers()?;
    let is_read = |packet: &acra_harness::mysql::Packet| packet.payload.ends_with(b"\x04of 1");
    assert!(answers.iter().any(is_read), "{answers:?}");
    assert_eq!(who(&mut session)?, "one");
    Ok(())
}

fn what_would_not_be_known_is_refused(scene: &Scene) -> Result<()> {
    let mut session = written(scene)?;
    for sql in [
        "SET @app.client_id = '../../etc'",
        "SET @app.client_id = 'one'",
        "SET @app.client_id = CONCAT('client-', 'one')",
        "SET @app.client_id = @other",
        "SET @app.client_id = 'client-one'; SELECT secret FROM vault",
        "SELECT @app.client_id := 'client-one'",
        "SELECT 'client-one' INTO @app.client_id",
        "SET @`app.client_id ` = 'client-one'",
        "SET @àpp.client_id = 'client-one'",
        "PREPARE s FROM 'SET @app.client_id = ?'",
        "CALL anything(@app.client_id)",
        "DO 1 /*!50000 ; SET @app.client_id = 'client-one' */ /*!999999 x */",
    ] {
        let error = session.error(sql)?;
        assert!(error.contains("@app.client_id"), "{sql}: {error}");
        assert_eq!(shown(&mut session)?, "NULL", "{sql} reached the database");
    }
    session.command(b"\x16SET @app.client_id = ?")?;
    let answers = session.answers()?;
    assert!(answers[0].payload.starts_with(b"\xff"), "{answers:?}");
    assert_eq!(who(&mut session)?, "own");
    // A client without keys.
    session.run("SET @app.client_id = 'client-without'")?;
    let error = session.error(&insert(9))?;
    assert!(error.contains("client-without"), "{error}");
    assert!(!reads(&mut session, 0)?);
    assert!(scene.stored(&select(9))?.is_empty());
    Ok(())
}

fn what_reads_it_passes(scene: &Scene) -> Result<()> {
    let mut session = written(scene)?;
    session.run("CREATE TABLE audit (who VARBINARY(20), what INT)")?;
    session.run(ONE)?;
    session.run("INSERT INTO audit VALUES (@app.client_id, 1)")?;
    session.run("SET @other = @app.client_id")?;
    let read = session.strings("SELECT what, @other FROM audit WHERE who = @app.client_id")?;
    assert_eq!(read, [["1", "client-one"]]);
    assert_eq!(who(&mut session)?, "one");
    Ok(())
}

/// The order of the columns is another one afterwards.
fn definitions_by_ignored_clients_count(scene: &Scene) -> Result<()> {
    let mut session = scene.proxied()?;
    session.run(&insert(0))?;
    session.run(TWO)?;
    session.run("ALTER TABLE vault ADD COLUMN more INT FIRST")?;
    session.run("SET @app.client_id = NULL")?;
    session.run("INSERT INTO vault VALUES (1, 9, 'of 9')")?;
    assert!(reads(&mut session, 9)?);
    Ok(())
}

fn ignored_clients_have_the_database_to_themselves(scene: &Scene) -> Result<()> {
    let mut session = scene.proxied()?;
    session.run(&insert(0))?;
    assert!(reads(&mut session, 0)?);
    let text = "INSERT INTO vault (id, secret) VALUES (8, ?)";
    let protected = prepare(&mut session, text)?;
    session.run(TWO)?;
    assert!(!reads(&mut session, 0)?, "containers stay closed");
    // What would be refused, or encrypted, passes.
    session.run("INSERT INTO vault (id, secret) VALUES (5, 'in clear')")?;
    let found = session.strings("SELECT id, secret FROM vault WHERE secret = 'in clear'")?;
    assert_eq!(found, [["5", "in clear"]]);
    let ignored = prepare(&mut session, "INSERT INTO vault (id, secret) VALUES (7, ?)")?;
    let value = lengthy(b"not sealed");
    let execute = |session: &mut Connection, statement| {
        let command = execution(session, statement, 0, &[(TEXT, Some(&value))], true);
        session.executed(&command)
    };
    // What has been prepared for the one is not right for the other.
    assert!(execute(&mut session, protected).is_err());
    // Settings are followed all the while.
    session.run("SET sql_mode = 'NO_BACKSLASH_ESCAPES'")?;
    session.run("SET @app.client_id = NULL")?;
    assert!(execute(&mut session, ignored).is_err());
    assert!(scene.stored(&select(7))?.is_empty());
    assert!(reads(&mut session, 0)?);
    session.run("INSERT INTO vault (id, secret) VALUES (6, 'sealed\\')")?;
    let again = prepare(&mut session, text)?;
    execute(&mut session, again)?;
    let read = session.strings("SELECT id, secret FROM vault WHERE id IN (6, 8) ORDER BY id")?;
    assert_eq!(read, [["6", "sealed\\"], ["8", "not sealed"]]);
    let in_clear = "SELECT id FROM vault WHERE SUBSTR(secret, 1, 3) <> '%%%'";
    assert_eq!(scene.stored(in_clear)?, [["5"]]);
    Ok(())
}

fn without_the_flag_it_is_a_variable_like_any_other(scene: &Scene) -> Result<()> {
    let mut session = scene.proxied()?;
    session.run(&insert(0))?;
    session.run(ONE)?;
    session.run("SELECT CONCAT('a', 'b') INTO @app.client_id")?;
    assert!(reads(&mut session, 0)?);
    Ok(())
}
