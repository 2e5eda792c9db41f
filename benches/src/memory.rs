//! What an idle session costs: many sessions before a peer that only lets them in.

use acra_harness::raw::frontend::{VERSION_3_0, startup};
use acra_harness::servers::{AcraConfig, AcraServer};
use acra_harness::{Context as _, Error, Result};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// Measured after this many, so that what the process has once does not count.
const BEFORE: usize = 500;

/// Prints the resident memory of `acra-server` per session, without and with traffic before the idleness.
pub(crate) fn run(sessions: usize) -> Result<()> {
    let mut server = AcraServer::start(
        &AcraConfig::new(peer()?)
            .encryptor_yaml("schemas:\n  - table: t\n    encrypted:\n      - column: c\n")
            .flag("--max_connections=1000000"),
    )?;
    let (address, process) = (server.address(), server.daemon().id());
    let mut open = Vec::new();
    connect(address, BEFORE, &mut open)?;
    let first = resident(process)?;
    connect(address, sessions, &mut open)?;
    let silent = resident(process)?;
    println!(
        "idle since startup:   {:>6} bytes per session",
        (silent - first) / sessions
    );
    for client in &mut open {
        query(client)?;
    }
    let used = resident(process)?;
    let all = sessions + BEFORE;
    println!(
        "idle after a query:   {:>6} bytes more per session",
        used.saturating_sub(silent) / all
    );
    Ok(())
}

/// Stands for a database: lets everybody in, and answers everything with ReadyForQuery.
fn peer() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let serve = |mut client: TcpStream| {
        let mut buffer = [0; 1024];
        let mut answer: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
        while client.read(&mut buffer).is_ok_and(|count| count > 0) {
            if client.write_all(answer).is_err() {
                return;
            }
            answer = b"C\0\0\0\x0dSELECT 0\0Z\0\0\0\x05I";
        }
    };
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // A small stack is enough, and there are many.
            let thread = std::thread::Builder::new().stack_size(1 << 16);
            if thread.spawn(move || serve(client)).is_err() {
                return;
            }
        }
    });
    Ok(address)
}

fn connect(address: SocketAddr, count: usize, open: &mut Vec<TcpStream>) -> Result<()> {
    for _ in 0..count {
        let mut client = TcpStream::connect(address)
            .context(|| "connecting (is `ulimit -n` high enough?)".into())?;
        client.set_read_timeout(Some(Duration::from_secs(10)))?;
        client.write_all(&startup(VERSION_3_0, &[("user", "u")]))?;
        client.read_exact(&mut [0; 15])?;
        open.push(client);
    }
    Ok(())
}

fn query(client: &mut TcpStream) -> Result<()> {
    client.write_all(b"Q\0\0\0\x0dSELECT 1\0")?;
    Ok(client.read_exact(&mut [0; 20])?)
}

/// Resident memory in bytes.
fn resident(process: u32) -> Result<usize> {
    std::thread::sleep(Duration::from_millis(500));
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    status
        .lines()
        .find_map(|line| {
            line.strip_prefix("VmRSS:")?
                .trim()
                .strip_suffix(" kB")?
                .parse::<usize>()
                .ok()
        })
        .map(|kibibytes| kibibytes << 10)
        .ok_or_else(|| Error::new("/proc has no VmRSS of acra-server"))
}
