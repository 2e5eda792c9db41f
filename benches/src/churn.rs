//! Clients that come and go.

use crate::scripted;
use acra_harness::Result;
use acra_harness::servers::{AcraConfig, AcraServer};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Threads that connect.
const CLIENTS: usize = 4;

/// Connects, logs in and disconnects for this long; prints how often, and how often that failed.
pub(crate) fn run(length: Duration) -> Result<()> {
    let server = AcraServer::start(&AcraConfig::new(scripted::database()?))?;
    let address = server.address();
    let (done, failed) = (AtomicU64::new(0), AtomicU64::new(0));
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                while begin.elapsed() < length {
                    let counter = match scripted::login(address, None) {
                        Ok(_) => &done,
                        Err(_) => &failed,
                    };
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let (done, failed) = (done.into_inner(), failed.into_inner());
    let rate = done as f64 / begin.elapsed().as_secs_f64();
    println!("{done} connections, {rate:.0} per second, {failed} failed");
    Ok(())
}
