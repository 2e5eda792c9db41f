//! What an idle session costs: many sessions before a peer that only lets them in.

use super::{config, resident};
use crate::client::Stream;
use crate::{scripted, tls};
use acra_harness::Result;
use acra_harness::pki::Pki;
use acra_harness::servers::AcraServer;
use rustls::ClientConfig;
use std::net::SocketAddr;
use std::sync::Arc;

/// Measured after this many, so that what the process has once does not count.
const BEFORE: usize = 500;

/// Prints the resident memory of `acra-server` per session: in clear, inside TLS on the client's side, and on both.
pub(super) fn run(sessions: usize) -> Result<()> {
    let pki = Pki::new()?;
    println!("{sessions} idle sessions");
    for (name, with_client, with_database) in [
        ("in clear", false, false),
        ("TLS with the client", true, false),
        ("TLS with both", true, true),
    ] {
        let database = match with_database {
            false => scripted::database()?,
            true => scripted::with_tls(&pki)?,
        };
        let mut config = config(database);
        let mode = if with_database { "require" } else { "disable" };
        config = config.flag(&format!("--tls_database_mode={mode}"));
        if with_client {
            config.flags.extend(pki.listener_flags());
            config = config
                .flag("--tls_client_id_from_cert=false")
                .flag("--tls_client_auth=0");
        }
        let tls = match with_client {
            false => None,
            true => Some(tls::config()?),
        };
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
        println!("  {name:<20} {bytes:>6} bytes per session");
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
