//! What the database says of the configured tables: children, views and columns, asked in-band without the client noticing.

use acra_harness::raw::{Connection, Message, frontend as f};
use acra_harness::scene::{CONFIG, Scene, hex, rows, rows_of, value};
use acra_harness::servers::Postgres;
use acra_harness::{Context, Error, Result};

const KIN: &str = "CREATE TABLE vault_child (more int) INHERITS (vault); CREATE SCHEMA parts; \
     CREATE TABLE parts.vault_grandchild () INHERITS (vault_child); \
     CREATE VIEW vault_view AS SELECT id, secret FROM vault; CREATE VIEW view_of_view AS SELECT * FROM vault_view; \
     CREATE VIEW harmless AS SELECT id, note FROM vault";

/// Whether a value lies there as a container.
fn is_sealed(scene: &Scene<'_>, table: &str, id: i32) -> Result<bool> {
    let start =
        format!("SELECT encode(substr(secret, 1, 3), 'escape') FROM ONLY {table} WHERE id = {id}");
    Ok(scene.stored(&start)? == "%%%")
}

fn insert(table: &str, id: i32) -> String {
    format!("INSERT INTO {table} (id, secret) VALUES ({id}, 'kept secret')")
}

fn is_refused(answers: &[Message], part: &str) -> Result<()> {
    let error = answers.iter().find(|message| message.tag == b'E');
    let text = error.map(ToString::to_string).unwrap_or_default();
    match text.contains("0A000") && text.contains(part) {
        true => Ok(()),
        false => Err(Error::new(format!("not refused for {part}: {text}"))),
    }
}

#[test]
fn children_are_protected_and_views_are_read_only() -> Result<()> {
    for version in [15, 17, 18] {
        children_and_views(&Scene::on(Postgres::shared(version)?, |config| config)?)?;
    }
    Ok(())
}

fn children_and_views(scene: &Scene<'_>) -> Result<()> {
    scene.run_directly(KIN)?;
    let mut session = scene.proxied()?;
    for (id, table) in (1..).zip(["vault", "vault_child", "parts.vault_grandchild"]) {
        session.run(&insert(table, id))?;
        assert!(is_sealed(scene, table, id)?, "{table}");
    }
    for view in ["vault_view", "view_of_view"] {
        is_refused(
            &session.query(&insert(view, 9))?,
            "view of a protected table",
        )?;
        let update = format!("UPDATE {view} SET secret = 'x'");
        is_refused(&session.query(&update)?, "view of a protected table")?;
        is_refused(
            &session.query(&format!("SELECT id FROM {view} WHERE secret = 'x'"))?,
            "is used in an expression",
        )?;
        let read = rows(&mut session, &format!("SELECT secret FROM {view}"))?;
        assert_eq!(read.concat(), vec![hex(b"kept secret"); 3]);
    }
    session.run("DELETE FROM vault_view WHERE id = 1")?;
    assert_eq!(value(&mut session, "SELECT count(*) FROM harmless")?, "2");
    assert_eq!(
        scene.stored("SELECT count(*) FROM vault WHERE id = 9")?,
        "0"
    );
    Ok(())
}

#[test]
fn a_protected_column_is_followed_into_views_under_other_names() -> Result<()> {
    for version in [15, 18] {
        let scene = Scene::on(Postgres::shared(version)?, |config| config)?;
        scene.run_directly(
            "CREATE VIEW renamed AS SELECT v.secret AS s, v.note AS secret, v.id FROM vault v JOIN plain ON plain.id = v.id; \
             CREATE VIEW twice (a, \"B\") AS WITH r AS (SELECT * FROM renamed) SELECT r.secret, r.s FROM r UNION ALL SELECT 'a\\b', other FROM vault; \
             INSERT INTO plain VALUES (1)",
        )?;
        let mut session = scene.proxied()?;
        session.run(&insert("vault", 1))?;
        for refused in [
            "SELECT id FROM renamed WHERE s = 'kept secret'",
            "SELECT a FROM twice WHERE \"B\" = 'kept secret'",
            "INSERT INTO plain (id, note) SELECT id, s FROM renamed",
            "SELECT DISTINCT \"B\" FROM twice",
        ] {
            let answers = session.query(refused)?;
            let code = answers.iter().find_map(|message| message.field(b'C'));
            assert_eq!(code.as_deref(), Some("0A000"), "{refused} on {version}");
        }
        // What has the name of a protected column and is another one, is not protected.
        for passed in [
            "SELECT id FROM renamed WHERE secret = 'n'",
            "SELECT count(*) FROM twice WHERE a <> 'n'",
        ] {
            session.run(passed).context(|| passed.into())?;
        }
        session.run("UPDATE vault SET other = s FROM renamed WHERE renamed.id = vault.id")?;
        for read in [
            "SELECT s FROM renamed",
            "SELECT \"B\" FROM twice LIMIT 1",
            "SELECT other FROM vault",
        ] {
            assert_eq!(value(&mut session, read)?, hex(b"kept secret"), "{read}");
        }
    }
    Ok(())
}

#[test]
fn children_that_are_made_through_the_proxy_are_protected_at_once() -> Result<()> {
    let yaml = "schemas:\n  - table: vault\n    encrypted:\n      - column: secret\n  - table: events\n    encrypted:\n      - column: secret\n";
    for version in [15, 18] {
        let scene = Scene::on(Postgres::shared(version)?, |config| {
            config.encryptor_yaml(yaml)
        })?;
        let (mut first, mut second) = (scene.proxied()?, scene.proxied()?);
        first.run("CREATE TABLE events (id int, secret bytea) PARTITION BY RANGE (id)")?;
        second.run("SELECT 1")?;
        first.run("BEGIN")?;
        first.run("CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (100)")?;
        first.run("CREATE TABLE more_vault (more text) INHERITS (vault)")?;
        // The transaction is open: the database tells nobody else of them.
        first.run(&insert("events_1", 1))?;
        first.run(&insert("more_vault", 1))?;
        second.run("CREATE TABLE unrelated ()")?;
        second.run("SELECT 1")?;
        first.run(&insert("events_1", 2))?;
        first.run("COMMIT")?;
        second.run(&insert("events_1", 3))?;
        first.run("INSERT INTO events VALUES (4, 'kept secret')")?;
        second.run("INSERT INTO more_vault VALUES (2, 'n', 'kept secret', NULL, NULL, 'm')")?;
        for id in 1..=4 {
            assert!(is_sealed(&scene, "events_1", id)?, "{id} on {version}");
        }
        for id in 1..=2 {
            assert!(is_sealed(&scene, "more_vault", id)?, "{id} on {version}");
        }
        // Both statements of a pipeline, and of one text.
        first.pipeline(&[
            f::parse("", "CREATE TABLE events_2 PARTITION OF events DEFAULT", &[]),
            f::bind_text("", "", &[]),
            f::execute("", 0),
            f::parse("", &insert("events_2", 200), &[]),
            f::bind_text("", "", &[]),
            f::execute("", 0),
            f::sync(),
        ])?;
        assert!(is_sealed(&scene, "events_2", 200)?);
        let both = format!(
            "CREATE TABLE child () INHERITS (vault); {}",
            insert("child", 1)
        );
        is_refused(&first.query(&both)?, "beside other statements")?;
        is_refused(
            &first.query("CREATE TABLE child (LIKE vault)")?,
            "entry of its own",
        )?;
        is_refused(
            &first.query("ALTER TABLE unrelated INHERIT vault")?,
            "entry of its own",
        )?;
        scene.works()?;
    }
    Ok(())
}

#[test]
fn without_the_question_children_are_as_configured() -> Result<()> {
    let scene = Scene::with(|config| config.flag("--schema_probe=off"))?;
    scene.run_directly(KIN)?;
    let mut session = scene.proxied()?;
    session.run(&insert("vault_child", 1))?;
    assert!(!is_sealed(&scene, "vault_child", 1)?);
    is_refused(
        &session.query("CREATE TABLE child () INHERITS (vault)")?,
        "cannot be asked",
    )?;
    Ok(())
}

#[test]
fn definitions_that_change_are_noticed_by_all_sessions() -> Result<()> {
    let scene = Scene::start()?;
    let (mut first, mut second) = (scene.proxied()?, scene.proxied()?);
    first.run("SELECT 1")?;
    second.run("SELECT 1")?;
    scene.run_directly(KIN)?;
    // Any definition that passes is a reason to ask again, once its transaction has ended.
    first.run("BEGIN")?;
    first.run("CREATE TABLE unrelated ()")?;
    first.run("COMMIT")?;
    second.run(&insert("vault_child", 1))?;
    first.run(&insert("vault_child", 2))?;
    for id in [1, 2] {
        assert!(is_sealed(&scene, "vault_child", id)?, "{id}");
    }
    Ok(())
}

#[test]
fn the_clients_unnamed_statement_survives_the_question() -> Result<()> {
    let scene = Scene::start()?;
    let (mut first, mut second) = (scene.proxied()?, scene.proxied()?);
    first.pipeline(&[f::parse("", "SELECT 'still here'", &[]), f::sync()])?;
    second.run("CREATE TABLE unrelated ()")?;
    first.send_all(&[
        f::parse("named", "SELECT 2", &[]),
        f::bind_text("", "", &[]),
        f::execute("", 0),
        f::sync(),
    ])?;
    let answers = first.ready()?;
    let tags: String = answers
        .iter()
        .map(|message| char::from(message.tag))
        .collect();
    assert_eq!(tags, "12DCZ");
    assert_eq!(rows_of(&answers)?.concat(), ["still here"]);
    Ok(())
}

#[test]
fn nothing_of_the_question_reaches_the_client() -> Result<()> {
    let scene = Scene::start()?;
    let mut session = scene.proxied()?;
    // Two statements before either is answered, and one in a transaction of its own.
    session.send_all(&[f::query("SELECT 1"), f::query("SELECT 2")])?;
    for expected in ["1", "2"] {
        let answers = session.ready()?;
        let tags: String = answers
            .iter()
            .map(|message| char::from(message.tag))
            .collect();
        assert_eq!(tags, "TDCZ");
        assert_eq!(rows_of(&answers)?.concat(), [expected]);
    }
    let prepared = value(&mut session, "SELECT count(*) FROM pg_prepared_statements")?;
    assert_eq!(prepared, "0", "nothing of ours is left behind");
    Ok(())
}

#[test]
fn what_does_not_fit_is_in_the_log() -> Result<()> {
    let yaml = "schemas:\n  - table: vault\n    columns: [secret, id]\n    encrypted:\n      - column: secret\n      \
         - column: id\n      - column: gone\n  - table: plain\n    encrypted:\n      - {column: id, token_type: int32}\n  \
         - table: later\n    encrypted:\n      - column: x\n";
    let scene = Scene::with(|config| config.encryptor_yaml(yaml))?;
    scene.run_directly("CREATE VIEW renamed AS SELECT md5(secret) AS s FROM vault")?;
    scene.proxied()?.run("SELECT 1")?;
    let log = scene.acra.log();
    for part in [
        "has other columns in the database",
        "of a type in the database that cannot hold",
        "has no column",
        "does not exist in the database yet",
        "does not show it under its name",
    ] {
        assert!(log.contains(part), "{part} is not in\n{log}");
    }
    // A token of a number is one.
    assert!(!log.contains("table \\\"plain\\\", column"), "{log}");
    Ok(())
}

#[test]
fn a_database_without_an_answer_is_served_by_the_configuration() -> Result<()> {
    let scene = Scene::with(|config| config.encryptor_yaml(CONFIG))?;
    scene.run_directly(
        "REVOKE EXECUTE ON FUNCTION pg_catalog.encode(bytea, text) FROM PUBLIC; \
         DROP ROLE IF EXISTS schema_reader; CREATE ROLE schema_reader LOGIN; GRANT ALL ON vault TO schema_reader",
    )?;
    let mut session = Connection::login(scene.acra.address(), "schema_reader", &scene.database)?;
    session.run(&insert("vault", 1))?;
    assert!(is_sealed(&scene, "vault", 1)?);
    let log = scene.acra.log();
    assert!(
        log.contains("does not tell") && log.contains("42501"),
        "{log}"
    );
    drop(session);
    scene.run_directly("DROP OWNED BY schema_reader; DROP ROLE schema_reader")
}

/// The trap of issue 9: one name in two schemas, and a path that changes in the session.
#[test]
fn a_name_in_two_schemas_counts_as_the_protected_table_whatever_the_path_is() -> Result<()> {
    for (version, entry) in [
        (15, "vault"),
        (18, "vault"),
        (15, "one.vault"),
        (18, "one.vault"),
    ] {
        two_schemas(version, entry)
            .map_err(|error| Error::new(format!("{version} {entry}: {error}")))?;
    }
    Ok(())
}

fn two_schemas(version: u32, entry: &str) -> Result<()> {
    let yaml = format!(
        "schemas: [{{table: {entry}, columns: [id, secret], encrypted: [{{column: secret}}]}}]"
    );
    let scene = Scene::on(Postgres::shared(version)?, |config| {
        config.encryptor_yaml(&yaml)
    })?;
    let table = |schema| {
        format!("CREATE SCHEMA {schema}; CREATE TABLE {schema}.vault (id int, secret bytea);")
    };
    scene.run_directly(&format!(
        "DROP TABLE vault; {} {}",
        table("one"),
        table("two")
    ))?;
    let mut session = scene.proxied()?;
    session.run("SET search_path = one")?;
    session.run("PREPARE p AS INSERT INTO vault (id, secret) VALUES (1, 'kept secret')")?;
    for (schema, path) in [
        ("one", "SET search_path = one"),
        ("two", "SET search_path TO two, one"),
        ("one", "SELECT set_config('search_path', 'one', false)"),
        (
            "two",
            "DO $$ BEGIN EXECUTE 'SET search_path = tw' || 'o'; END $$",
        ),
    ] {
        session.run(&format!("TRUNCATE one.vault, two.vault; {path}"))?;
        session.run("EXECUTE p")?;
        session.run(&insert("vault", 2))?;
        session.run("UPDATE vault SET secret = 'kept secret' WHERE id = 2")?;
        for id in [1, 2] {
            assert!(is_sealed(&scene, &format!("{schema}.vault"), id)?, "{path}");
        }
        // What is sealed in the other table is opened as well.
        let read = rows(&mut session, "SELECT secret FROM vault")?;
        assert_eq!(read.concat(), vec![hex(b"kept secret"); 2], "{path}");
        is_refused(
            &session.query("SELECT id FROM vault WHERE secret = 'kept secret'")?,
            "is used in an expression",
        )?;
    }
    // By its full name a table is protected if the entry is of any schema, and the twin of another one is not.
    session.run(&insert("two.vault", 3))?;
    assert_eq!(is_sealed(&scene, "two.vault", 3)?, entry == "vault");
    let twin = session.query("SELECT id FROM two.vault WHERE secret = 'kept secret'")?;
    match entry {
        "vault" => is_refused(&twin, "is used in an expression"),
        _ => {
            assert_eq!(rows_of(&twin)?.concat(), ["3"]);
            Ok(())
        }
    }
}
