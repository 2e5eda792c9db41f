//! A database that cannot be reached, or is lost.

use acra_harness::port::free_port;
use acra_harness::raw::{Connection, Login, Message, Reply, frontend as f};
use acra_harness::scene::{Scene, eventually, value};
use acra_harness::servers::{AcraConfig, AcraServer, Postgres};
use acra_harness::{Error, Result, clients};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// The last message before the end, which has to be a fatal error with this code.
fn last_words(connection: &mut Connection, code: &str) -> Result<Message> {
    connection.end()?;
    let last = connection.transcript().iter().rev().nth(1);
    match last {
        Some(Reply::Message(message))
            if message.field(b'S').as_deref() == Some("FATAL")
                && message.field(b'C').as_deref() == Some(code) =>
        {
            Ok(message.clone())
        }
        other => Err(Error::new(format!(
            "expected a fatal {code}, got {other:?}"
        ))),
    }
}

/// Says hello, and gives what it is told.
fn hello(address: SocketAddr, code: &str) -> Result<Message> {
    let mut connection = Connection::open(address)?;
    connection.send(&f::startup(
        f::VERSION_3_0,
        &[("user", "postgres"), ("database", "postgres")],
    ))?;
    last_words(&mut connection, code)
}

/// Stands for a database that ends each of this many connections after it has sent these bytes.
fn dies_after(bytes: &'static [u8], times: usize) -> Result<(SocketAddr, thread::JoinHandle<()>)> {
    let address = free_port()?;
    let listener = TcpListener::bind(address)?;
    let serving = thread::spawn(move || {
        for mut client in listener.incoming().flatten().take(times) {
            let mut hello = [0; 8];
            if client.read_exact(&mut hello).is_ok() {
                let _ = client.write_all(bytes);
                // Time to be read apart from the end.
                thread::sleep(Duration::from_millis(20));
            }
        }
    });
    Ok((address, serving))
}

#[test]
fn an_unreachable_database_is_told_to_the_client() -> Result<()> {
    let nowhere = free_port()?;
    let server = AcraServer::start(&AcraConfig::new(nowhere))?;
    for _ in 0..3 {
        let error = hello(server.address(), "08001")?.to_string();
        assert!(error.contains("cannot reach the database"), "{error}");
        assert!(error.contains("--db_host"), "{error}");
    }
    let output = clients::psql(server.address(), "postgres", &[], "SELECT 1")?;
    assert!(!output.success);
    assert!(
        output
            .stderr
            .contains("acra-server cannot reach the database"),
        "{output:?}"
    );
    // A CancelRequest gets no answer, as from a database.
    let mut cancel = Connection::open(server.address())?;
    cancel.send(&f::cancel_request(1, &[0; 4]))?;
    assert_eq!(cancel.reply()?, Reply::End);
    let log = server.log();
    assert!(
        log.contains("Can't connect to db") && !log.contains("Panic"),
        "{log}"
    );
    Ok(())
}

#[test]
fn a_database_that_comes_back_is_used_again() -> Result<()> {
    let postgres = Postgres::shared(15)?;
    let place = free_port()?;
    let server = AcraServer::start(&AcraConfig::new(place))?;
    hello(server.address(), "08001")?;
    // Relays to the real one from now on.
    let relay = TcpListener::bind(place)?;
    let target = postgres.address();
    thread::spawn(move || {
        for client in relay.incoming().flatten() {
            let Ok(database) = TcpStream::connect(target) else {
                return;
            };
            for (mut from, mut to) in [(&client, &database), (&database, &client)]
                .map(|(from, to)| (from.try_clone(), to.try_clone()))
                .into_iter()
                .filter_map(|(from, to)| Some((from.ok()?, to.ok()?)))
            {
                thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(std::net::Shutdown::Both);
                });
            }
        }
    });
    let mut connection = Connection::login(server.address(), "postgres", "postgres")?;
    assert_eq!(value(&mut connection, "SELECT 'here again'")?, "here again");
    Ok(())
}

#[test]
fn a_database_that_dies_is_told_where_the_protocol_allows_it() -> Result<()> {
    // Before the first byte; between messages; and where nothing can be said: within one.
    let ready = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
    let within_row = b"R\0\0\0\x08\0\0\0\0D\0\0\x10\0\0\x01";
    let malformed = b"R\0\0\0\x08\0\0\0\0T\0\0\0\x03";
    for (bytes, code) in [
        (&b""[..], Some("08006")),
        (ready, Some("08006")),
        (within_row, Some("08006")),
        (b"d\0\0\x10\0half", None),
        (malformed, Some("08P01")),
    ] {
        let (database, serving) = dies_after(bytes, 3)?;
        let server = AcraServer::start(&AcraConfig::new(database))?;
        for _ in 0..3 {
            let mut connection = Connection::open(server.address())?;
            connection.send(&f::startup(f::VERSION_3_0, &[("user", "postgres")]))?;
            match code {
                Some(code) => drop(last_words(&mut connection, code)?),
                None => assert!(
                    connection.end().is_err(),
                    "a message with half of its bytes"
                ),
            }
        }
        drop(serving.join());
        hello(server.address(), "08001")?;
        assert!(!server.log().contains("Panic"), "{}", server.log());
    }
    Ok(())
}

/// Reads some rows of a result without an end.
fn in_the_middle_of_a_result(connection: &mut Connection) -> Result<()> {
    connection.send(&f::query(
        "SELECT repeat('x', 1000), generate_series(1, 100000000)",
    ))?;
    connection.until(b'T')?;
    for _ in 0..100 {
        connection.message()?;
    }
    Ok(())
}

#[test]
fn a_backend_that_is_ended_in_the_middle_of_a_result() -> Result<()> {
    let scene = Scene::start()?;
    for _ in 0..2 {
        let mut connection = scene.proxied()?;
        let (process, _) = connection.key_data()?;
        in_the_middle_of_a_result(&mut connection)?;
        scene.run_directly(&format!("SELECT pg_terminate_backend({process})"))?;
        let mut last = None;
        // Rows that were on their way, then the database's own words, or those of acra-server.
        while let Ok(Reply::Message(message)) = connection.reply() {
            last = Some(message);
        }
        let last = last.ok_or_else(|| Error::new("nothing came"))?;
        let code = last.field(b'C').unwrap_or_default();
        assert!(["57P01", "08006"].contains(&&*code), "{last}");
        assert_eq!(last.field(b'S').as_deref(), Some("FATAL"), "{last}");
        scene.works()?;
    }
    // While nothing is asked.
    let mut idle = scene.proxied()?;
    let (process, _) = idle.key_data()?;
    scene.run_directly(&format!("SELECT pg_terminate_backend({process})"))?;
    last_words(&mut idle, "57P01")?;
    scene.works()
}

#[test]
fn a_database_that_is_stopped_at_once() -> Result<()> {
    let postgres = Postgres::start(15, &[])?;
    let scene = Scene::on(&postgres, |config| config)?;
    scene.works()?;
    let Scene { acra, database, .. } = scene;
    let login = || Connection::login(acra.address(), "postgres", &database);
    let (mut idle, mut busy, mut inside) = (login()?, login()?, login()?);
    in_the_middle_of_a_result(&mut busy)?;
    inside.run("BEGIN; INSERT INTO vault (id, secret) VALUES (1, 'uncommitted')")?;
    drop(postgres);
    for connection in [&mut idle, &mut busy, &mut inside] {
        while let Ok(Reply::Message(_)) = connection.reply() {}
        let last = connection
            .transcript()
            .iter()
            .rev()
            .find_map(|reply| match reply {
                Reply::Message(message) => message.field(b'S').map(|_| message.clone()),
                _ => None,
            });
        let last = last.ok_or_else(|| Error::new("it ends without a word"))?;
        let code = last.field(b'C').unwrap_or_default();
        assert!(["57P01", "57P02", "08006"].contains(&&*code), "{last}");
    }
    hello(acra.address(), "08001")?;
    assert!(!acra.log().contains("Panic"), "{}", acra.log());
    Ok(())
}

#[test]
fn what_the_database_refuses_is_passed_on() -> Result<()> {
    let scene = Scene::start()?;
    let mut connection = Connection::open(scene.acra.address())?;
    let refused = connection.start(Login::new("scram_user", &scene.database).password("wrong"));
    assert!(refused.is_err_and(|error| error.to_string().contains("28P01")));
    assert!(Connection::login(scene.acra.address(), "postgres", "no_such_database").is_err());
    eventually("its sessions are closed", || {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'scram_user' AND datname = current_database()";
        Ok(scene.stored(sql)? == "0")
    })?;
    scene.works()
}
