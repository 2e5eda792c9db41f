//! The metrics page.

use crate::port::free_port;
use crate::support::{Place, Result};
use rustix::process::Signal;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

const FLAG: &str = "--incoming_connection_prometheus_metrics_string";

fn ask(port: u16, request: &str) -> Result<String> {
    let mut socket = TcpStream::connect(("127.0.0.1", port))?;
    write!(socket, "{request} HTTP/1.1\r\nHost: x\r\n\r\n")?;
    let mut text = String::new();
    socket.read_to_string(&mut text)?;
    Ok(text)
}

#[test]
fn the_page_counts_connections() -> Result {
    let port = free_port()?.port();
    let flag = format!("{FLAG}=tcp://127.0.0.1:{port}");
    let mut server = Place::new()?.start(&[&flag, "-v"])?;
    let listening = server.wait_for("Start listening connections")?;
    let page = ask(port, "GET /metrics")?;
    assert!(
        page.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4;"),
        "{page}"
    );
    assert!(page.contains("\nacraserver_version_major 0\n"), "{page}");
    assert!(page.contains("\nacraserver_sessions_open 0\n"), "{page}");
    assert!(!page.contains("\nacraserver_connections_total{"), "{page}");

    let client = TcpStream::connect(crate::support::address_in(&listening)?)?;
    server.wait_for("Got new connection")?;
    let page = ask(port, "GET /metrics")?;
    let total = "\nacraserver_connections_total{connection_type=\"db\"} 1\n";
    assert!(
        page.contains(total) && page.contains("\nacraserver_sessions_open 1\n"),
        "{page}"
    );
    drop(client);
    server.wait_for("Finished processing")?;

    assert!(ask(port, "GET /")?.starts_with("HTTP/1.1 404 "));
    assert!(ask(port, "DELETE /metrics")?.starts_with("HTTP/1.1 405 "));
    let (code, log) = server.stop(Signal::TERM)?;
    assert_eq!(code, Some(0));
    let stopped = log
        .find("Stop prometheus HTTP exporter")
        .ok_or("not stopped")?;
    let received = log
        .find("Received incoming SIGTERM")
        .ok_or("not received")?;
    assert!(stopped < received, "{log}");
    Ok(())
}

#[test]
fn a_bad_address_ends_the_start() -> Result {
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let taken = format!("tcp://{}", taken.local_addr()?);
    let place = Place::new()?;
    for value in [
        "9100",
        "tcp://",
        "tcp://127.0.0.1:99999",
        "unix:///x",
        &taken,
    ] {
        let done = place.run_with_keys(&[&format!("{FLAG}={value}")])?;
        assert_eq!(done.code, Some(1), "{value}: {}", done.stderr);
        assert!(
            done.stderr
                .contains(&format!("{FLAG}: cannot listen at {value}"))
                && done.stderr.contains("code=1000"),
            "{}",
            done.stderr
        );
    }
    Ok(())
}
