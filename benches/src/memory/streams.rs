//! What passes through takes no memory: a large result, one large cell, a client that reads nothing.

use super::{config, peak, resident};
use crate::scripted::{self, Served};
use acra_harness::raw::frontend::query;
use acra_harness::servers::AcraServer;
use acra_harness::{Error, Result};
use std::io::{Read as _, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::Duration;

const MIB: usize = 1 << 20;

/// Results: what they are called, the number of rows, bytes of the one value of each, and the type's OID.
const RESULTS: [(&str, usize, usize, u32); 4] = [
    ("1 GiB in rows of 1 KiB, text", MIB, 1 << 10, 25),
    ("1 GiB in rows of 1 KiB, bytea", MIB, 1 << 10, 17),
    ("a cell of 500 MiB, text", 1, 500 * MIB, 25),
    ("a cell of 500 MiB, bytea", 1, 500 * MIB, 17),
];

/// Prints by how much `acra-server` grows at each, and how much it takes for a client that reads nothing.
pub(super) fn run() -> Result<()> {
    println!("\nresults that pass");
    for (name, rows, bytes, oid) in RESULTS {
        let mut server = AcraServer::start(&config(scripted::serving(Served {
            rows,
            bytes,
            oid,
            sent: &NOBODY,
        })?))?;
        let process = server.daemon().id();
        let mut client = scripted::login(server.address(), None)?;
        let before = resident(process)?;
        client.write_all(&query("SELECT 1"))?;
        let mut left = Served::size(rows, bytes);
        let mut buffer = vec![0; MIB];
        while left > 0 {
            match client.read(&mut buffer)? {
                0 => return Err(Error::new(format!("{left} bytes did not come"))),
                count => left = left.saturating_sub(count),
            }
        }
        let growth = peak(process)?.saturating_sub(before);
        println!("  {name:<32} {:>8.1} MiB more at most", mib(growth));
    }
    deaf()
}

static NOBODY: AtomicU64 = AtomicU64::new(0);
static SENT: AtomicU64 = AtomicU64::new(0);

/// A client that asks for 1 GiB and reads nothing of it.
fn deaf() -> Result<()> {
    let (rows, bytes) = (MIB, 1 << 10);
    let mut server = AcraServer::start(&config(scripted::serving(Served {
        rows,
        bytes,
        oid: 25,
        sent: &SENT,
    })?))?;
    let process = server.daemon().id();
    let mut client = scripted::login(server.address(), None)?;
    let before = resident(process)?;
    client.write_all(&query("SELECT 1"))?;
    sleep(Duration::from_secs(2));
    let early = SENT.load(Ordering::Relaxed);
    sleep(Duration::from_secs(3));
    let late = SENT.load(Ordering::Relaxed);
    if early != late {
        return Err(Error::new("the database goes on sending to a deaf client"));
    }
    println!(
        "  {:<32} {:>8.1} MiB more at most; the database was let send {:.1} MiB, most of it in the kernel's buffers",
        "1 GiB that nobody reads",
        mib(peak(process)?.saturating_sub(before)),
        late as f64 / MIB as f64
    );
    Ok(())
}

fn mib(bytes: usize) -> f64 {
    bytes as f64 / MIB as f64
}
