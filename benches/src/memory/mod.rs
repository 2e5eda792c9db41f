//! What memory is used for: idle sessions, streams, many statements.

mod idle;
mod statements;
mod streams;

use acra_harness::servers::AcraConfig;
use acra_harness::{Error, Result};
use std::net::SocketAddr;
use std::time::Duration;

/// Prints all of it. The sizes are those of the goals: docs/performance.md has what came out.
pub(crate) fn run(sessions: usize, statements: usize) -> Result<()> {
    idle::run(sessions)?;
    streams::run()?;
    statements::run(statements)
}

/// Before a database, with one protected table.
fn config(database: SocketAddr) -> AcraConfig {
    AcraConfig::new(database)
        .encryptor_yaml(
            "schemas:\n  - table: t\n    columns: [id, c]\n    encrypted:\n      - column: c\n",
        )
        .flag("--max_connections=1000000")
        .flag("--schema_probe=off")
}

/// Resident memory in bytes, when nothing is under way any more.
fn resident(process: u32) -> Result<usize> {
    std::thread::sleep(Duration::from_millis(500));
    status(process, "VmRSS:")
}

/// The most that was resident so far, in bytes.
fn peak(process: u32) -> Result<usize> {
    status(process, "VmHWM:")
}

fn status(process: u32, name: &str) -> Result<usize> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let kibibytes = status.lines().find_map(|line| {
        line.strip_prefix(name)?
            .trim()
            .strip_suffix(" kB")?
            .parse::<usize>()
            .ok()
    });
    kibibytes
        .map(|kibibytes| kibibytes << 10)
        .ok_or_else(|| Error::new(format!("/proc has no {name} of acra-server")))
}
