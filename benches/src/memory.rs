//! What is held in memory: by an idle session, of many before a peer that only lets them in; and by the plans of more
//! texts than can be kept.

use crate::client::Stream;
use crate::{scripted, tls};
use acra_engine::columns::{Columns, Database};
use acra_engine::plan::{Lexical, Planner, Scratch, Unsupported};
use acra_harness::pki::Pki;
use acra_harness::servers::{AcraConfig, AcraServer};
use acra_harness::{Error, Result};
use rustls::ClientConfig;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Texts of as many shapes.
const SHAPES: usize = 1_000_000;

/// Measured after this many, so that what the process has once does not count.
const BEFORE: usize = 500;

/// Prints how much this process grows by plans, for a cache of the usual size.
pub(crate) fn plans() -> Result<()> {
    const BOUND: usize = 32 << 20;
    let document = b"schemas:\n  - table: customers\n    encrypted:\n      - column: ssn\n";
    let columns = Columns::parse(document, Database::PostgreSql)
        .map_err(|error| Error::new(format!("{error:?}")))?;
    let own = std::process::id();
    let before = resident(own)?;
    let planner = Planner::new(Arc::new(columns.columns), Unsupported::Refuse, BOUND as u64);
    let (lexical, mut scratch) = (Lexical::default(), Scratch::default());
    for shape in 0..SHAPES {
        // Some have long names, some are refused, some seal a value.
        let long = "n".repeat(shape % 60);
        let text = match shape % 3 {
            0 => format!("SELECT id, ssn AS {long}n{shape} FROM customers WHERE id = 1"),
            1 => format!("SELECT id AS {long}n{shape} FROM customers WHERE ssn = 'x'"),
            _ => format!("INSERT INTO customers AS {long}n{shape} (id, ssn) VALUES (1, 'x')"),
        };
        planner.plan(text.as_bytes(), &lexical, &mut scratch);
    }
    let grown = resident(own)?.saturating_sub(before);
    println!(
        "plans of {SHAPES} shapes: {:.1} MiB of memory, {:.1} MiB by weight, bound {} MiB",
        grown as f64 / (1 << 20) as f64,
        planner.cached_bytes() as f64 / (1 << 20) as f64,
        BOUND >> 20
    );
    Ok(())
}

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
        .ok_or_else(|| Error::new("/proc has no VmRSS of the process"))
}
