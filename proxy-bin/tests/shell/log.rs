//! Lines of a start, a connection and a stop, in all formats.

use crate::support::{CLIENT, PROTECTS, Place, Result, address_in};
use rustix::process::Signal;
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

/// The lines of a start in their order, as texts; the number of the process is put in.
fn start_lines(pid: u32) -> [String; 12] {
    [
        &format!("Starting service acra-server [pid={pid}]"),
        "Validating service configuration...",
        "Initialising keystore...",
        "Cached keystore on start successfully",
        "Keystore init OK",
        "Configuring transport...",
        "Initialize in-memory db storage for tokens",
        "Initialized in-memory db storage for tokens",
        &format!("Start listening to connections. Current PID: {pid}"),
        "Enabling VERBOSE log level",
        "Start listening connections",
        "Received incoming SIGTERM or SIGINT signal",
    ]
    .map(str::to_owned)
}

#[test]
fn json() -> Result {
    let server = Place::new()?.start(&["-v", "--logging_format=json"])?;
    let pid = server.pid();
    let (code, log) = server.stop(Signal::TERM)?;
    assert_eq!(code, Some(0));
    let lines: Vec<Value> = log
        .lines()
        .map(serde_json::from_str)
        .collect::<std::result::Result<_, _>>()?;
    let messages: Vec<&str> = lines
        .iter()
        .filter_map(|line| line["msg"].as_str())
        .collect();
    let bye = format!("Server graceful shutdown completed, bye PID: {pid}");
    let expected = start_lines(pid);
    let expected: Vec<&str> = expected.iter().map(String::as_str).chain([&*bye]).collect();
    assert_eq!(messages, expected);
    for line in &lines {
        assert_eq!(line["level"], "info");
        assert_eq!(line["product"], "acra-server");
        assert_eq!(line["version"], env!("CARGO_PKG_VERSION"));
        let seconds: f64 = line["unixTime"].as_str().unwrap_or_default().parse()?;
        assert!(seconds > 1.7e9);
        assert!(
            line["timestamp"]
                .as_str()
                .is_some_and(|time| time.contains('T'))
        );
        assert_eq!(line["code"], Value::Null);
    }
    assert_eq!(lines[4]["path"], "keys");
    assert_eq!(lines[10]["from_descriptor"], false);
    assert!(
        lines[10]["connection_string"]
            .as_str()
            .is_some_and(|text| text.contains("127.0.0.1:"))
    );
    Ok(())
}

#[test]
fn cef() -> Result {
    let server = Place::new()?.start(&["-v", "--logging_format=cef"])?;
    let pid = server.pid();
    let (code, log) = server.stop(Signal::INT)?;
    assert_eq!(code, Some(0));
    let version = env!("CARGO_PKG_VERSION");
    let lines = log.lines().zip(start_lines(pid));
    for (line, message) in lines {
        let message = message.replace('=', "\\=");
        let start = format!("CEF:0|cossacklabs|acra-server|{version}|100|{message}|1|");
        assert!(line.starts_with(&start), "{line}");
        assert!(line.contains("unixTime=") && line.ends_with(' '), "{line}");
    }
    assert_eq!(log.lines().count(), 13);
    Ok(())
}

#[test]
fn plaintext_without_v_is_silent_after_the_start() -> Result {
    let place = Place::new()?;
    let server = place.start(&["--logging_format=other"])?;
    let (code, log) = server.stop(Signal::TERM)?;
    assert_eq!(code, Some(0));
    let first = log.lines().next().unwrap_or_default();
    assert!(first.starts_with("time=\"") && first.contains(" level=info msg=\"Starting service"));
    assert!(first.ends_with(&format!("version={}", env!("CARGO_PKG_VERSION"))));
    let last = log.lines().last().unwrap_or_default();
    assert!(
        last.ends_with("level=info msg=\"Disabling future logs... Set -v -d to see logs\""),
        "{log}"
    );
    Ok(())
}

#[test]
fn a_failed_start_has_its_code_in_every_format() -> Result {
    let place = Place::new()?;
    for (format, text) in [
        (
            "plaintext",
            "level=error msg=\"db_host is empty: you must specify db_host\" code=507",
        ),
        (
            "json",
            "{\"code\":507,\"level\":\"error\",\"msg\":\"db_host is empty",
        ),
        (
            "CEF",
            "|507|db_host is empty: you must specify db_host|6|unixTime\\=",
        ),
    ] {
        let format = format!("--logging_format={format}");
        let done = place.run_with_keys(&["--db_host=", &format])?;
        assert_eq!(done.code, Some(1));
        let text = text.replace("\\=", "=");
        assert!(done.stderr.contains(&text), "{}", done.stderr);
    }
    Ok(())
}

#[test]
fn a_connection_whose_database_is_down() -> Result {
    let mut server = Place::new()?.start(&["-v", "--logging_format=json"])?;
    let line = server.wait_for("Start listening connections")?;
    let mut client = TcpStream::connect(address_in(&line)?)?;
    client.write_all(b"\0\0\0\x10\0\x03\0\0user\0u\0\0")?;
    let mut answer = Vec::new();
    client.read_to_end(&mut answer)?;
    assert!(String::from_utf8_lossy(&answer).contains("C08001"));
    let mut lines = Vec::new();
    for text in [
        "Got new connection to AcraServer: 127.0.0.1:",
        "Handle client's connection",
        "Can't connect to db",
        "Closing client's connection",
        "Finished processing client's connection",
    ] {
        lines.push(serde_json::from_str::<Value>(&server.wait_for(text)?)?);
    }
    assert_eq!(
        (&lines[2]["code"], &lines[2]["level"]),
        (&540.into(), &"error".into())
    );
    for at in [0, 1, 3, 4] {
        assert_eq!(lines[at]["session_id"], 1);
        assert_eq!(lines[at]["client_id"], CLIENT);
    }
    assert_eq!(lines[3]["end"], "database not reached");
    server.stop(Signal::TERM)?;
    Ok(())
}

#[test]
fn the_file_gets_what_the_console_gets() -> Result {
    let place = Place::new()?;
    let path = place.path("log");
    let file = format!("--log_to_file={}", path.display());
    let (_, log) = place.start(&[&file])?.stop(Signal::TERM)?;
    assert_eq!(std::fs::read_to_string(path)?, log);
    Ok(())
}

#[test]
fn sigusr1_ends_nothing() -> Result {
    let mut server = Place::new()?.start(&["-v", "--logging_format=plaintext"])?;
    let line = server.wait_for("Start listening connections")?;
    server.signal(Signal::USR1)?;
    TcpStream::connect(address_in(&line)?)?;
    server.wait_for("Got new connection")?;
    assert_eq!(server.stop(Signal::TERM)?.0, Some(0));
    Ok(())
}

/// A database that lets a client in, and then says nothing.
fn silent_database() -> Result<TcpListener> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let own = listener.try_clone()?;
    std::thread::spawn(move || {
        while let Ok((mut client, _)) = own.accept() {
            let mut startup = [0; 512];
            if client.read(&mut startup).is_ok() {
                let welcome = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
                let _ = client.write_all(welcome);
            }
            let mut rest = Vec::new();
            let _ = client.read_to_end(&mut rest);
        }
    });
    Ok(listener)
}

#[test]
fn a_refusal_tells_table_and_column() -> Result {
    let place = Place::new()?;
    let config = place.file("encryptor.yaml", PROTECTS)?;
    let config = format!("--encryptor_config_file={config}");
    let database = silent_database()?;
    let port = format!("--db_port={}", database.local_addr()?.port());
    let mut server = place.start(&[
        "-v",
        "--logging_format=json",
        "--schema_probe=off",
        &config,
        &port,
    ])?;
    let line = server.wait_for("Start listening connections")?;
    for (sql, reason, column) in [
        (
            "SELECT id FROM vault WHERE secret = 'plain value'",
            "column-use",
            Value::from("secret"),
        ),
        (
            "SELECT vault FROM vault, LATERAL (SELECT 'plain value') AS x",
            "column-use",
            Value::Null,
        ),
        (
            "INSERT INTO vault SELECT 'plain value' FROM vault FETCH NEXT",
            "not-understood",
            Value::Null,
        ),
    ] {
        let mut client = TcpStream::connect(address_in(&line)?)?;
        client.write_all(b"\0\0\0\x10\0\x03\0\0user\0u\0\0")?;
        let mut welcome = [0; 15];
        client.read_exact(&mut welcome)?;
        client.write_all(b"Q")?;
        client.write_all(&u32::try_from(sql.len() + 5)?.to_be_bytes())?;
        client.write_all(sql.as_bytes())?;
        client.write_all(b"\0")?;
        let told = server.wait_for("\"action\":\"refused\"")?;
        assert!(!told.contains("plain value"), "{told}");
        let told: Value = serde_json::from_str(&told)?;
        assert_eq!(told["reason"], reason, "{told}");
        assert_eq!(told["table"], "vault", "{told}");
        assert_eq!(told["column"], column, "{told}");
    }
    server.stop(Signal::TERM)?;
    Ok(())
}
