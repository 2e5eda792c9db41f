//! What an idle session costs: many sessions before a peer that only lets them in.

use crate::client::Stream;
use crate::{scripted, tls};
use acra_harness::pki::Pki;
use acra_harness::servers::{AcraConfig, AcraServer};
use acra_harness::{Error, Result};
use rustls::ClientConfig;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Measured after this many, so that what the process has once does not count.
const BEFORE: usize = 500;

/// Prints the resident memory of `acra-server` per session: in clear, and inside TLS on the client's side.
pub(crate) fn run(sessions: usize) -> Result<()> {
    let pki = Pki::new()?;
    for (name, tls) in [
        ("in clear", None),
        ("TLS with the client", Some(tls::config()?)),
    ] {
        let mut config = AcraConfig::new(scripted::database()?)
            .encryptor_yaml("schemas:\n  - table: t\n    encrypted:\n      - column: c\n")
            .flag("--max_connections=1000000");
        if tls.is_some() {
            config.flags.extend(pki.listener_flags());
            config = config
                .flag("--tls_client_id_from_cert=false")
                .flag("--tls_client_auth=0")
                .flag("--tls_database_mode=disable");
        }
        let mut server = AcraServer::start(&config)?;
        let (address, process) = (server.address(), server.daemon().id());
        let mut open = Vec::new();
        connect(address, &tls, BEFORE, &mut open)?;
        let first = resident(process)?;
        connect(address, &tls, sessions, &mut open)?;
        for client in &mut open {
            query(&mut **client)?;
        }
        let bytes = resident(process)?.saturating_sub(first) / sessions;
        println!("{name:<20} {bytes:>6} bytes per idle session");
    }
    Ok(())
}

fn connect(
    address: SocketAddr,
    tls: &Option<Arc<ClientConfig>>,
    count: usize,
    open: &mut Vec<Box<dyn Stream>>,
) -> Result<()> {
    for _ in 0..count {
        open.push(scripted::login(address, tls.as_ref())?);
    }
    Ok(())
}

fn query(client: &mut dyn Stream) -> Result<()> {
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
