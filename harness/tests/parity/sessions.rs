//! How sessions begin and end.

use acra_harness::parity::Side;
use acra_harness::raw::frontend::{self as f, VERSION_3_2};
use acra_harness::raw::{Connection, Login};
use acra_harness::scene::eventually;
use acra_harness::{Error, Result};

type Ran = Result<Vec<Connection>>;

pub(crate) fn trusted(side: &Side) -> Ran {
    let mut connection = side.open()?;
    connection.start(Login::new("postgres", &side.database))?;
    assert!(connection.key_data()?.0 > 0);
    Ok(vec![connection])
}

pub(crate) fn parameters_of_startup(side: &Side) -> Ran {
    let mut connection = side.open()?;
    connection.start(Login {
        parameters: &[
            ("application_name", "parity"),
            ("client_encoding", "LATIN1"),
            ("options", "-c statement_timeout=12345 -c search_path=a,b"),
            ("DateStyle", "German"),
        ],
        ..Login::new("postgres", &side.database)
    })?;
    connection.query(
        "SHOW statement_timeout; SHOW search_path; SHOW application_name; SELECT date '2001-02-03'",
    )?;
    Ok(vec![connection])
}

/// An error instead of a session.
fn refused(side: &Side, login: Login<'_>) -> Result<Connection> {
    let mut connection = side.open()?;
    match connection.start(login) {
        Ok(()) => return Err(Error::new("the login worked")),
        Err(error) if error.to_string().starts_with("login failed") => {}
        Err(error) => return Err(error),
    }
    connection.end()?;
    Ok(connection)
}

pub(crate) fn wrong_database(side: &Side) -> Ran {
    Ok(vec![
        refused(side, Login::new("postgres", "no such database"))?,
        refused(side, Login::new("no such user", &side.database))?,
    ])
}

const USERS: [&str; 3] = ["scram_user", "md5_user", "password_user"];

pub(crate) fn passwords(side: &Side) -> Ran {
    let login = |user| {
        let mut connection = side.open()?;
        connection.start(Login::new(user, &side.database).password("secret"))?;
        connection.query("SELECT current_user")?;
        Ok(connection)
    };
    USERS.into_iter().map(login).collect()
}

pub(crate) fn wrong_passwords(side: &Side) -> Ran {
    let login = |user| refused(side, Login::new(user, &side.database).password("wrong"));
    USERS.into_iter().map(login).collect()
}

pub(crate) fn tls_request(side: &Side) -> Ran {
    let mut connection = side.open()?;
    connection.send(&f::tls_request())?;
    assert_eq!(connection.byte()?, b'N');
    connection.start(Login::new("postgres", &side.database))?;
    connection.query("SELECT 1")?;
    Ok(vec![connection])
}

pub(crate) fn version_3_2(side: &Side) -> Ran {
    let mut connection = side.open()?;
    connection.start(Login {
        version: VERSION_3_2,
        ..Login::new("postgres", &side.database)
    })?;
    connection.query("SELECT 1")?;
    Ok(vec![connection])
}

/// A later 3.x is negotiated down.
pub(crate) fn later_version(side: &Side) -> Ran {
    let mut connection = side.open()?;
    connection.start(Login {
        version: 3 << 16 | 9,
        ..Login::new("postgres", &side.database)
    })?;
    connection.query("SELECT 1")?;
    Ok(vec![connection])
}

pub(crate) fn unknown_versions(side: &Side) -> Ran {
    let mut connections = vec![];
    for version in [2 << 16, 4 << 16, 0] {
        let mut connection = side.open()?;
        let parameters = [("user", "postgres"), ("database", &*side.database)];
        connection.send(&f::startup(version, &parameters))?;
        connection.raw_end()?;
        connections.push(connection);
    }
    Ok(connections)
}

pub(crate) fn unknown_options(side: &Side) -> Ran {
    let mut connection = side.open()?;
    connection.start(Login {
        version: VERSION_3_2,
        parameters: &[("_pq_.first", "1"), ("_pq_.second", "2")],
        ..Login::new("postgres", &side.database)
    })?;
    connection.query("SELECT 1")?;
    Ok(vec![connection])
}

pub(crate) fn terminate(side: &Side) -> Ran {
    let mut connection = side.login()?;
    connection.send_all(&[f::query("SELECT 1"), f::terminate()])?;
    connection.end()?;
    Ok(vec![connection])
}

/// Waits until a query of another connection answers `t`.
fn wait(connection: &mut Connection, sql: &str) -> Result<()> {
    eventually(sql, || {
        let answer = connection.query(sql)?;
        let mut messages = answer.iter();
        Ok(messages.any(|message| message.to_string() == "DataRow t"))
    })
}

/// A connection whose answers are not compared.
fn watcher(side: &Side) -> Result<Connection> {
    side.login()
}

pub(crate) fn lost_without_terminate(side: &Side) -> Ran {
    let mut watcher = watcher(side)?;
    let mut connection = side.login()?;
    connection.query("CREATE TABLE t (id int)")?;
    connection.query("BEGIN; INSERT INTO t VALUES (1)")?;
    let (process, _) = connection.key_data()?;
    drop(connection);
    // The server notices that the client is gone.
    let gone = format!("SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = {process}");
    wait(&mut watcher, &gone)?;
    let mut after = side.login()?;
    after.query("SELECT count(*) FROM t")?;
    Ok(vec![after])
}

pub(crate) fn server_ends_session(side: &Side) -> Ran {
    let mut watcher = watcher(side)?;
    let mut connection = side.login()?;
    let (process, _) = connection.key_data()?;
    watcher.query(&format!("SELECT pg_terminate_backend({process})"))?;
    connection.end()?;
    Ok(vec![connection])
}

pub(crate) fn garbage(side: &Side) -> Ran {
    let mut connections = vec![];
    for bytes in [&b"\x7f\0\0\0\x04"[..], b"Q\0\0\0\x08abcd"] {
        let mut connection = side.login()?;
        connection.send(bytes)?;
        // An unknown type ends a session; a body of the wrong form is an error in it.
        while !matches!(connection.reply()?, acra_harness::raw::Reply::End) {
            let last = connection.transcript().last();
            if last.is_some_and(|reply| reply.to_string().starts_with("ReadyForQuery")) {
                break;
            }
        }
        connections.push(connection);
    }
    Ok(connections)
}

pub(crate) fn cancel(side: &Side) -> Ran {
    let mut connections = vec![];
    for version in [f::VERSION_3_0, VERSION_3_2] {
        let mut watcher = watcher(side)?;
        let mut connection = side.open()?;
        connection.start(Login {
            version,
            ..Login::new("postgres", &side.database)
        })?;
        let (process, key) = connection.key_data()?;
        connection.send(&f::query("SELECT pg_sleep(600)"))?;
        let asleep = format!(
            "SELECT count(*) = 1 FROM pg_stat_activity WHERE pid = {process} AND wait_event = 'PgSleep'"
        );
        wait(&mut watcher, &asleep)?;
        // A wrong key does nothing, without a word.
        let wrong: Vec<u8> = key.iter().map(|byte| !byte).collect();
        for key in [wrong, key] {
            let mut canceller = side.open()?;
            canceller.send(&f::cancel_request(process, &key))?;
            canceller.end()?;
            connections.push(canceller);
        }
        let answer = connection.ready()?;
        assert!(
            answer
                .iter()
                .any(|message| message.field(b'C').as_deref() == Some("57014"))
        );
        connection.query("SELECT 'still here'")?;
        connections.push(connection);
    }
    Ok(connections)
}
