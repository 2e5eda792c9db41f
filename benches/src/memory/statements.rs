//! Statements that are all different: each has a plan of its own, and the plans that are kept are bounded.

use super::{config, peak, resident};
use crate::scripted;
use acra_harness::raw::frontend::query;
use acra_harness::servers::AcraServer;
use acra_harness::{Error, Result};
use std::io::{Read as _, Write as _};

/// Statements that are sent at once.
const BATCH: usize = 500;

/// Prints by how much `acra-server` grows at so many statements, of a fifth and of all of them.
pub(super) fn run(count: usize) -> Result<()> {
    println!("\nstatements on a protected table, all different");
    let mut server = AcraServer::start(&config(scripted::database()?))?;
    let process = server.daemon().id();
    let mut client = scripted::login(server.address(), None)?;
    let before = resident(process)?;
    let report = |number: usize| -> Result<()> {
        let (now, most) = (resident(process)?, peak(process)?);
        let more = |bytes: usize| bytes.saturating_sub(before) as f64 / (1 << 20) as f64;
        println!(
            "  {number:>8} statements {:>8.1} MiB more, {:.1} at most",
            more(now),
            more(most)
        );
        Ok(())
    };
    for batch in 0..count.div_ceil(BATCH) {
        let mut request = Vec::new();
        for number in batch * BATCH..(batch + 1) * BATCH {
            // A name is no literal: it stays in the shape.
            request.extend(query(&format!(
                "INSERT INTO t AS x{number} (id, c) VALUES ({number}, 'value')"
            )));
        }
        client.write_all(&request)?;
        let mut left = BATCH;
        while left > 0 {
            let mut head = [0; 5];
            client.read_exact(&mut head)?;
            let [tag, length @ ..] = head;
            let mut body = vec![0; (u32::from_be_bytes(length) as usize).saturating_sub(4)];
            client.read_exact(&mut body)?;
            match tag {
                b'Z' => left -= 1,
                b'E' => {
                    return Err(Error::new(
                        String::from_utf8_lossy(&body).replace('\0', " "),
                    ));
                }
                _ => {}
            }
        }
        let done = (batch + 1) * BATCH;
        if done == count / 5 || done >= count {
            report(done)?;
        }
    }
    Ok(())
}
