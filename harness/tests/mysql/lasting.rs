//! What outlasts a statement: the user, the settings, definitions of tables, the configuration, procedures.

use crate::protected::{TEXT, lengthy};
use crate::statements::{execution, prepare};
use acra_engine::wire::mysql::Capabilities;
use acra_harness::mysql::{Connection, Scene};
use acra_harness::scene::eventually;
use acra_harness::servers::{AcraConfig, Flavour};
use acra_harness::{Error, Result};
use rustix::process::Signal;

/// In every secret.
const SECRET: &str = "078-05-1120-";

fn protected(table: &str) -> String {
    format!(
        "schemas:\n  - table: {table}\n    encrypted:\n      - {{column: ssn, data_type: str}}\n      \
         - {{column: mail, searchable: true, data_type: str}}\n"
    )
}

/// Runs a scenario beside a server with this table, and looks for secrets in what the database keeps.
fn scenario(flavour: Flavour, table: &str, test: fn(&Scene) -> Result<()>) -> Result<()> {
    let verbose = |config: AcraConfig| config.encryptor_yaml(&protected(table)).flag("-v");
    let Some(scene) = Scene::with(flavour, verbose)? else {
        return Ok(());
    };
    let outcome = scene
        .run_directly(&format!(
            "CREATE TABLE {table} (id INT PRIMARY KEY, ssn LONGBLOB, mail VARBINARY(500), note TEXT)"
        ))
        .and_then(|()| test(&scene))
        .and_then(|()| scene.keeps_none_of(&[SECRET.as_bytes()]));
    scene.explained(outcome)
}

macro_rules! scenarios {
    ($($name:ident on $table:ident;)+) => {
        $(mod $name {
            use super::{Flavour, Result, scenario};

            #[test]
            fn on_mariadb() -> Result<()> {
                scenario(Flavour::MariaDb, stringify!($table), super::$name)
            }

            #[test]
            fn on_mysql() -> Result<()> {
                scenario(Flavour::MySql, stringify!($table), super::$name)
            }
        })+
    };
}

// Without a list of columns their order counts, and other schemas have tables of a name that is used twice.
scenarios! {
    another_user on vault;
    a_session_that_begins_anew on vault;
    views on viewed;
    inserts_without_columns on ordered;
    schemas_with_columns_in_other_orders on apart;
    names_in_capitals on capital;
    a_new_configuration on vault;
    procedures on vault;
}

/// Rows of the vault that are not sealed.
fn in_clear(scene: &Scene) -> Result<Vec<Vec<String>>> {
    scene.stored("SELECT id, ssn FROM vault WHERE SUBSTR(ssn, 1, 3) <> '%%%'")
}

/// What a double quote and a backslash mean in a session with these settings is not what they mean in a new one.
const ODD: &str = "SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'";

/// Authentication again, of a user without a password.
pub(crate) fn change_user(session: &mut Connection, schema: &str) -> Result<()> {
    let parts = [
        &b"\x11test\0\0"[..],
        schema.as_bytes(),
        b"\0\x2d\0mysql_native_password\0",
    ];
    session.command(&parts.concat())?;
    loop {
        let packet = session.packet()?;
        match packet.payload.first() {
            Some(0) => return Ok(()),
            Some(0xfe) => {
                let sequence = packet.sequence.wrapping_add(1);
                session.send(sequence, b"")?;
            }
            _ => return Err(Error::new(format!("COM_CHANGE_USER: {packet}"))),
        }
    }
}

/// Statements of before are gone, settings are those of a new session, and values are sealed as ever.
fn begins_anew(scene: &Scene, begin: impl FnOnce(&mut Connection) -> Result<()>) -> Result<()> {
    let mut session = scene.proxied()?;
    session.run(ODD)?;
    session.run("INSERT INTO vault (id, ssn) VALUES (1, '078-05-1120-\\')")?;
    let insert = prepare(&mut session, "INSERT INTO vault (id, ssn) VALUES (2, ?)")?;
    begin(&mut session)?;
    let value = lengthy(b"078-05-1120-2");
    let command = execution(&session, insert, 0, &[(TEXT, Some(&value))], true);
    let unknown = session.executed(&command);
    assert!(unknown.is_err(), "{unknown:?}");
    session.run(
        "INSERT INTO vault (id, ssn) VALUES (3, \"078-05-1120-3\"), (4, '078-05-1120-\\'4')",
    )?;
    let insert = prepare(&mut session, "INSERT INTO vault (id, ssn) VALUES (5, ?)")?;
    let value = lengthy(b"078-05-1120-5");
    let command = execution(&session, insert, 0, &[(TEXT, Some(&value))], true);
    session.executed(&command)?;
    let read = session.strings("SELECT id, ssn FROM vault ORDER BY id")?;
    let expected = [
        ["1", "078-05-1120-\\"],
        ["3", "078-05-1120-3"],
        ["4", "078-05-1120-'4"],
        ["5", "078-05-1120-5"],
    ];
    assert_eq!(read, expected);
    assert!(in_clear(scene)?.is_empty());
    Ok(())
}

fn another_user(scene: &Scene) -> Result<()> {
    begins_anew(scene, |session| change_user(session, &scene.schema))
}

fn a_session_that_begins_anew(scene: &Scene) -> Result<()> {
    begins_anew(scene, |session| {
        session.command(b"\x1f")?;
        session.answers()?;
        Ok(())
    })
}

/// Views are read like their tables, and nothing is written through them.
fn views(scene: &Scene) -> Result<()> {
    let mut session = scene.proxied()?;
    session.run("CREATE VIEW people AS SELECT id, mail AS address, ssn FROM viewed")?;
    session.run("CREATE VIEW some AS SELECT address, id FROM people WHERE id > 1")?;
    session.run("INSERT INTO viewed VALUES (1, '078-05-1120-1', '078-05-1120-a@b', 'n'), (2, '078-05-1120-2', '078-05-1120-c@d', NULL)")?;
    // Another session, which has to learn of the views.
    let mut session = scene.proxied()?;
    let all = session.strings("SELECT * FROM people ORDER BY id")?;
    let expected = [
        ["1", "078-05-1120-a@b", "078-05-1120-1"],
        ["2", "078-05-1120-c@d", "078-05-1120-2"],
    ];
    assert_eq!(all, expected);
    let found = session.strings("SELECT id FROM people WHERE address = '078-05-1120-a@b'")?;
    assert_eq!(found, [["1"]]);
    let found = session.strings("SELECT s.id FROM some s WHERE s.address = '078-05-1120-c@d'")?;
    assert_eq!(found, [["2"]]);
    for refused in [
        "INSERT INTO people (id, ssn) VALUES (9, '078-05-1120-9')",
        "UPDATE people SET ssn = '078-05-1120-9'",
        "UPDATE some SET address = '078-05-1120-9'",
        "SELECT id FROM people ORDER BY ssn",
    ] {
        let error = session.error(refused)?;
        assert!(error.starts_with("#42000"), "{refused}: {error}");
        assert!(!error.contains(SECRET), "{error}");
    }
    assert_eq!(
        scene.stored("SELECT COUNT(*) FROM viewed WHERE id = 9")?,
        [["0"]]
    );
    Ok(())
}

/// The database tells the order of the columns, again when it has changed.
fn inserts_without_columns(scene: &Scene) -> Result<()> {
    let mut session = scene.proxied()?;
    session.run("INSERT INTO ordered VALUES (1, '078-05-1120-1', NULL, 'first')")?;
    let insert = prepare(
        &mut session,
        "REPLACE INTO ordered VALUES (2, ?, NULL, 'second')",
    )?;
    let value = lengthy(b"078-05-1120-2");
    let command = execution(&session, insert, 0, &[(TEXT, Some(&value))], true);
    session.executed(&command)?;
    session.run("ALTER TABLE ordered ADD COLUMN kind INT DEFAULT 7 AFTER id, DROP COLUMN note")?;
    session.run("INSERT INTO ordered VALUES (3, 7, '078-05-1120-3', NULL)")?;
    let mut other = scene.proxied()?;
    other.run("INSERT INTO ordered VALUES (4, 7, '078-05-1120-4', '078-05-1120-d@e')")?;
    let read = other.strings("SELECT * FROM ordered ORDER BY id")?;
    let expected = [
        ["1", "7", "078-05-1120-1", "NULL"],
        ["2", "7", "078-05-1120-2", "NULL"],
        ["3", "7", "078-05-1120-3", "NULL"],
        ["4", "7", "078-05-1120-4", "078-05-1120-d@e"],
    ];
    assert_eq!(read, expected);
    let in_clear = "SELECT id FROM ordered WHERE SUBSTR(ssn, 1, 3) <> '%%%'";
    assert!(scene.stored(in_clear)?.is_empty());
    Ok(())
}

/// It counts for sessions that are open; what was prepared before would not seal a column that is protected now.
fn a_new_configuration(scene: &Scene) -> Result<()> {
    let mut session = scene.proxied()?;
    session.run("INSERT INTO vault (id, ssn, note) VALUES (1, '078-05-1120-1', 'in clear')")?;
    let insert = prepare(
        &mut session,
        "INSERT INTO vault (id, ssn, note) VALUES (2, ?, ?)",
    )?;
    let reads = prepare(&mut session, "SELECT ssn FROM vault WHERE id = ?")?;
    scene.run_directly("ALTER TABLE vault MODIFY note LONGBLOB")?;
    let columns = format!(
        "{}      - {{column: note, data_type: str}}\n",
        protected("vault")
    );
    scene.acra.write_encryptor_yaml(&columns)?;
    scene.acra.signal(Signal::HUP)?;
    eventually("the configuration is read", || {
        Ok(scene.acra.log().contains("msg=Reloaded"))
    })?;
    session
        .run("INSERT INTO vault (id, ssn, note) VALUES (3, '078-05-1120-3', '078-05-1120-note')")?;
    let (ssn, note) = (lengthy(b"078-05-1120-2"), lengthy(b"078-05-1120-note"));
    let values = [(TEXT, Some(&ssn[..])), (TEXT, Some(&note[..]))];
    let command = execution(&session, insert, 0, &values, true);
    let outcome = session.executed(&command);
    assert!(outcome.is_err(), "{outcome:?}");
    let command = execution(&session, reads, 0, &[(3, Some(&[1, 0, 0, 0]))], true);
    assert!(session.executed(&command).is_err());
    // Prepared again, as clients do that are told so.
    let insert = prepare(
        &mut session,
        "INSERT INTO vault (id, ssn, note) VALUES (2, ?, ?)",
    )?;
    let command = execution(&session, insert, 0, &values, true);
    session.executed(&command)?;
    let read = session.strings("SELECT id, ssn, note FROM vault ORDER BY id")?;
    let expected = [
        ["1", "078-05-1120-1", "in clear"],
        ["2", "078-05-1120-2", "078-05-1120-note"],
        ["3", "078-05-1120-3", "078-05-1120-note"],
    ];
    assert_eq!(read, expected);
    assert!(in_clear(scene)?.is_empty());
    Ok(())
}

/// A procedure that the database has: its results are opened, each as its columns are, in text and binary rows.
fn procedures(scene: &Scene) -> Result<()> {
    let mut session = scene.proxied()?;
    session
        .run("INSERT INTO vault (id, ssn, mail, note) VALUES (1, '078-05-1120-1', '078-05-1120-a@b', 'n')")?;
    scene.run_directly(
        "CREATE PROCEDURE tells(IN wanted INT) BEGIN SELECT id, ssn FROM vault WHERE id = wanted; SELECT 'between'; \
         SELECT mail AS m, note FROM vault ORDER BY id; END",
    )?;
    let holds = |session: &mut Connection, command: &[u8]| -> Result<()> {
        session.command(command)?;
        let answers = session.answers()?;
        for value in ["\x0d078-05-1120-1", "\x0f078-05-1120-a@b", "between"] {
            let found = answers
                .iter()
                .any(|packet| memchr::memmem::find(&packet.payload, value.as_bytes()).is_some());
            assert!(found, "{value}: {answers:?}");
        }
        Ok(())
    };
    for capabilities in [Capabilities::default(), Capabilities::DEPRECATE_EOF] {
        let mut session = scene.proxied_with(capabilities)?;
        holds(&mut session, b"\x03CALL tells(1)")?;
        let call = prepare(&mut session, "CALL tells(?)")?;
        let command = execution(&session, call, 0, &[(3, Some(&[1, 0, 0, 0]))], true);
        holds(&mut session, &command)?;
        // What is behind the results is read as such.
        assert_eq!(
            session.strings("SELECT ssn FROM vault")?,
            [["078-05-1120-1"]]
        );
    }
    Ok(())
}

/// Several schemas have the table, each with its columns in another order: an INSERT without a list means that of the session.
fn schemas_with_columns_in_other_orders(scene: &Scene) -> Result<()> {
    let (own, other) = (&scene.schema, scene.server.fresh_schema()?);
    scene.run_directly(&format!(
        "CREATE TABLE {other}.apart (ssn LONGBLOB, note TEXT, mail VARBINARY(500), id INT PRIMARY KEY)"
    ))?;
    let here = |id: u32| {
        format!("INSERT INTO apart VALUES ({id}, '078-05-1120-s{id}', '078-05-1120-m{id}', 'note')")
    };
    let there = |id: u32| {
        format!("INSERT INTO apart VALUES ('078-05-1120-s{id}', 'note', '078-05-1120-m{id}', {id})")
    };
    let mut session = scene.proxied()?;
    session.run(&here(1))?;
    session.run(&format!("USE {other}"))?;
    session.run(&there(2))?;
    session.command(&[b"\x02", own.as_bytes()].concat())?;
    // It is sent before the answer has come.
    session.run(&here(3))?;
    change_user(&mut session, &other)?;
    session.run(&there(4))?;
    session.run(&here(5).replace("apart", &format!("{own}.apart")))?;
    session.run("SET @s = 'none'; SET @n = 1")?;
    session.run(&there(6))?;
    // The schema of a statement that was prepared stays what it was.
    let insert = prepare(
        &mut session,
        "INSERT INTO apart VALUES (?, 'note', '078-05-1120-m7', 7)",
    )?;
    session.run(&format!("USE {own}"))?;
    let value = lengthy(b"078-05-1120-s7");
    let command = execution(&session, insert, 0, &[(TEXT, Some(&value))], true);
    session.executed(&command)?;
    for refused in [
        format!("USE {other}; {}", there(8)),
        format!("DO 1; {}", here(8)),
    ] {
        let error = session.error(&refused)?;
        assert!(error.starts_with("#42000"), "{refused}: {error}");
    }
    // A session that has no schema.
    let mut none = Connection::open(scene.acra.address())?;
    none.login(acra_harness::mysql::Login {
        user: "test",
        auth: b"",
        schema: "",
        capabilities: Capabilities::PLUGIN_AUTH,
    })?;
    none.run(&there(9).replace("apart", &format!("{other}.apart")))?;
    let error = none.error(&here(8))?;
    assert!(error.starts_with("#42000"), "{error}");
    for (schema, ids) in [(own, "135"), (&other, "24679")] {
        let read = session.strings(&format!(
            "SELECT id, ssn, mail, note FROM {schema}.apart ORDER BY id"
        ))?;
        let expected: Vec<Vec<String>> = ids
            .chars()
            .map(|id| {
                vec![
                    id.into(),
                    format!("078-05-1120-s{id}"),
                    format!("078-05-1120-m{id}"),
                    "note".into(),
                ]
            })
            .collect();
        assert_eq!(read, expected);
        let clear = scene.stored(&format!(
            "SELECT id FROM {schema}.apart WHERE SUBSTR(ssn, 1, 3) <> '%%%' OR SUBSTR(mail, 1, 1) <> X'7F'"
        ))?;
        assert!(clear.is_empty(), "{clear:?}");
    }
    Ok(())
}

/// Names of tables and columns that the database keeps in capitals are those of the configuration.
fn names_in_capitals(scene: &Scene) -> Result<()> {
    scene.run_directly("DROP TABLE capital")?;
    scene.run_directly(
        "CREATE TABLE Capital (ID INT PRIMARY KEY, SSN LONGBLOB, Mail VARBINARY(500), Note TEXT)",
    )?;
    scene.run_directly("CREATE VIEW Letters AS SELECT ID, Mail AS Address FROM Capital")?;
    let mut session = scene.proxied()?;
    session.run("INSERT INTO Capital VALUES (1, '078-05-1120-1', '078-05-1120-a@b', 'n')")?;
    let read = session.strings("SELECT * FROM Capital WHERE mail = '078-05-1120-a@b'")?;
    assert_eq!(read, [["1", "078-05-1120-1", "078-05-1120-a@b", "n"]]);
    let found = session.strings("SELECT id FROM Letters WHERE address = '078-05-1120-a@b'")?;
    assert_eq!(found, [["1"]]);
    assert!(
        scene
            .stored("SELECT ID FROM Capital WHERE SUBSTR(SSN, 1, 3) <> '%%%'")?
            .is_empty()
    );
    Ok(())
}
