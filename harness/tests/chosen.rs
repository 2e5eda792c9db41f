//! Whose keys a session uses: chosen by a variable of SQL, or left alone.

use acra_harness::raw::frontend as f;
use acra_harness::raw::{Connection, Message};
use acra_harness::scene::{CONFIG, Scene, hex, rows_of, value};
use acra_harness::servers::AcraConfig;
use acra_harness::{Error, Result};

const ONE: &str = "SET app.client_id = 'client-one'";
const TWO: &str = "SET app.client_id TO 'client-two'";

fn scene() -> Result<Scene<'static>> {
    Scene::with(|config| AcraConfig {
        more_client_ids: vec!["client-one".into(), "client-two".into()],
        ..config
            .flag("--client_id_sql_varname=app.client_id")
            .flag("-v")
    })
}

fn insert(id: i32) -> String {
    format!("INSERT INTO vault (id, secret) VALUES ({id}, 'of {id}')")
}

/// Whether the session reads the secret of a row.
fn reads(session: &mut Connection, id: i32) -> Result<bool> {
    let read = value(
        session,
        &format!("SELECT secret FROM vault WHERE id = {id}"),
    )?;
    match read == hex(format!("of {id}").as_bytes()) {
        true => Ok(true),
        false if read.starts_with("\\x252525") => Ok(false),
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

fn written() -> Result<Scene<'static>> {
    let scene = scene()?;
    let mut session = scene.proxied()?;
    session.run(&insert(0))?;
    session.run(ONE)?;
    session.run(&insert(1))?;
    session.run(TWO)?;
    session.run(&insert(2))?;
    Ok(scene)
}

fn error(answers: &[Message]) -> (String, String) {
    let error = answers.iter().find(|message| message.tag == b'E');
    let field = |name| {
        error
            .and_then(|error| error.field(name))
            .unwrap_or_default()
    };
    (field(b'C'), field(b'M'))
}

#[test]
fn it_lasts_as_long_as_the_variable_does() -> Result<()> {
    let scene = written()?;
    let mut session = scene.proxied()?;
    for (statements, expected) in [
        (&[ONE][..], "one"),
        (&["RESET app.client_id"], "own"),
        (
            &["SELECT set_config('app.client_id', 'client-two', false)"],
            "two",
        ),
        (&["SET SESSION app.client_id TO DEFAULT"], "own"),
        (&["BEGIN", ONE, "ROLLBACK"], "own"),
        (&["BEGIN", ONE, "COMMIT"], "one"),
        (&["BEGIN", TWO, "SELECT 1/0", "COMMIT"], "one"),
        (&["BEGIN", "SET LOCAL app.client_id = 'client-two'"], "two"),
        (&["COMMIT"], "one"),
        (
            &[
                "BEGIN",
                "SAVEPOINT a",
                TWO,
                "SAVEPOINT b",
                "RESET app.client_id",
            ],
            "own",
        ),
        (&["ROLLBACK TO b"], "two"),
        (&["ROLLBACK TO SAVEPOINT a"], "one"),
        (&["COMMIT AND CHAIN", TWO, "ROLLBACK AND CHAIN"], "one"),
        (
            &["COMMIT", "BEGIN; SET app.client_id = 'client-two'; COMMIT"],
            "two",
        ),
        (&["SET app.client_id = 'client-one'; SELECT 1/0"], "two"),
        (&["SET app.other = 'client-one'"], "two"),
        (&["DISCARD ALL"], "own"),
    ] {
        for sql in statements {
            session.query(sql)?;
        }
        assert_eq!(who(&mut session)?, expected, "{statements:?}");
        let shown = value(
            &mut session,
            "SELECT current_setting('app.client_id', true)",
        )?;
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
    scene.works()
}

#[test]
fn what_is_sent_behind_it_uses_it() -> Result<()> {
    let scene = written()?;
    let mut session = scene.proxied()?;
    let select = |id: i32| format!("SELECT secret FROM vault WHERE id = {id}");
    // Without waiting for answers, by both protocols; the last one waits for no Sync in between.
    session.send_all(&[
        f::query(&select(0)),
        f::query(ONE),
        f::query(&select(1)),
        f::parse("", TWO, &[]),
        f::bind_text("", "", &[]),
        f::execute("", 0),
        f::parse("", &insert(22), &[]),
        f::bind_text("", "", &[]),
        f::execute("", 0),
        f::parse("", &select(2), &[]),
        f::bind_text("", "", &[]),
        f::execute("", 0),
        f::sync(),
    ])?;
    for expected in [
        Some(hex(b"of 0")),
        None,
        Some(hex(b"of 1")),
        Some(hex(b"of 2")),
    ] {
        let read = rows_of(&session.ready()?)?;
        assert_eq!(read.concat().first(), expected.as_ref());
    }
    assert!(reads(&mut session, 22)?);
    session.run(ONE)?;
    assert!(!reads(&mut session, 22)?);
    // In one cycle with a statement that fails, the variable goes back, and so do we.
    session.send_all(&[
        f::parse("", TWO, &[]),
        f::bind_text("", "", &[]),
        f::execute("", 0),
        f::parse("", "SELECT 1/0", &[]),
        f::bind_text("", "", &[]),
        f::execute("", 0),
        f::sync(),
    ])?;
    assert_eq!(error(&session.ready()?).0, "22012");
    assert_eq!(who(&mut session)?, "one");
    Ok(())
}

#[test]
fn what_would_not_be_known_is_refused() -> Result<()> {
    let scene = written()?;
    let mut session = scene.proxied()?;
    for (sql, code) in [
        ("SET app.client_id = '../../etc'", "22023"),
        ("SET app.client_id = 'one'", "22023"),
        (
            "SELECT set_config('app.client_id', 'client-' || 'one', false)",
            "0A000",
        ),
        (
            "SET app.client_id = 'client-one'; SELECT secret FROM vault",
            "0A000",
        ),
    ] {
        let answers = session.query(sql)?;
        assert_eq!(error(&answers).0, code, "{sql}");
        let shown = value(
            &mut session,
            "SELECT current_setting('app.client_id', true)",
        )?;
        assert_eq!(shown, "NULL", "{sql} reached the database");
    }
    assert_eq!(who(&mut session)?, "own");
    // A client without keys.
    session.run("SET app.client_id = 'client-without'")?;
    assert_eq!(error(&session.query(&insert(9))?).0, "58000");
    Ok(())
}

#[test]
fn without_the_flag_it_is_a_variable_like_any_other() -> Result<()> {
    let scene = Scene::start()?;
    let mut session = scene.proxied()?;
    session.run(&insert(0))?;
    session.run(ONE)?;
    session.run("SELECT set_config('app.client_id', 'a' || 'b', false)")?;
    assert!(reads(&mut session, 0)?);
    Ok(())
}

#[test]
fn ignored_clients_have_the_database_to_themselves() -> Result<()> {
    let yaml = format!("defaults:\n  ignore_client_ids: [client-two, nobody-else]\n{CONFIG}");
    let scene = Scene::with(|config| AcraConfig {
        more_client_ids: vec!["client-two".into()],
        ..config
            .encryptor_yaml(&yaml)
            .flag("--client_id_sql_varname=app.client_id")
    })?;
    let mut session = scene.proxied()?;
    session.run(&insert(0))?;
    assert!(reads(&mut session, 0)?);
    session.run(TWO)?;
    assert!(!reads(&mut session, 0)?, "containers stay closed");
    // What would be refused, or encrypted, passes.
    session.run("INSERT INTO vault (id, secret) VALUES (5, 'in clear')")?;
    assert_eq!(
        scene.stored("SELECT secret FROM vault WHERE id = 5")?,
        hex(b"in clear")
    );
    let found = value(
        &mut session,
        "SELECT id FROM vault WHERE secret = 'in clear'",
    )?;
    assert_eq!(found, "5");
    session.pipeline(&[
        f::parse("", "UPDATE vault SET secret = $1 WHERE id = 5", &[]),
        f::bind_text("", "", &[Some("still clear")]),
        f::execute("", 0),
        f::sync(),
    ])?;
    assert_eq!(
        scene.stored("SELECT secret FROM vault WHERE id = 5")?,
        hex(b"still clear")
    );
    session.pipeline(&[
        f::parse(
            "ignored",
            "INSERT INTO vault (id, secret) VALUES (7, $1)",
            &[],
        ),
        f::sync(),
    ])?;
    session.run("PREPARE named (bytea) AS INSERT INTO vault (id, secret) VALUES (8, $1)")?;
    session.run("RESET app.client_id")?;
    // What has been prepared for the one is not right for the other.
    session.send_all(&[
        f::bind_text("", "ignored", &[Some("not sealed")]),
        f::execute("", 0),
        f::sync(),
    ])?;
    assert_eq!(error(&session.ready()?).0, "26000");
    assert_eq!(
        error(&session.query("EXECUTE named ('not sealed')")?).0,
        "26000"
    );
    let written = scene.stored("SELECT count(*) FROM vault WHERE id IN (7, 8)")?;
    assert_eq!(written, "0");
    assert!(reads(&mut session, 0)?);
    session.run(&insert(6))?;
    assert!(
        scene
            .stored("SELECT secret FROM vault WHERE id = 6")?
            .starts_with("\\x252525")
    );
    Ok(())
}

#[test]
fn an_ignored_connection() -> Result<()> {
    let yaml = format!("defaults:\n  ignore_client_ids: [test-client]\n{CONFIG}");
    let scene = Scene::with(|config| config.encryptor_yaml(&yaml))?;
    let mut session = scene.proxied()?;
    session.run(&insert(0))?;
    assert_eq!(scene.stored("SELECT secret FROM vault")?, hex(b"of 0"));
    let copied = session.query("COPY vault (id, secret) TO STDOUT")?;
    assert!(rows_of(&copied).is_ok());
    Ok(())
}
