//! The load: threads that send the same bytes and read to ReadyForQuery.

use crate::Effort;
use crate::scenario::Scenario;
use crate::target::{DATABASE, Target};
use crate::tls;
use crate::usage::Usage;
use acra_harness::raw::frontend::{VERSION_3_0, startup, terminate};
use acra_harness::{Context, Error, Result};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Barrier;
use std::time::{Duration, Instant};

/// What one target did in one turn.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    pub(crate) usage: Usage,
    pub(crate) elapsed: Duration,
    /// One per query.
    pub(crate) latencies: Vec<Duration>,
}

impl Turn {
    /// CPU time of the process in between, in µs per query.
    pub(crate) fn cpu(&self) -> f64 {
        self.usage.cpu.as_secs_f64() * 1e6 / self.latencies.len().max(1) as f64
    }
}

/// Sends queries to a target for the length of a turn.
pub(crate) fn turn(target: &Target, scenario: &Scenario, effort: Effort) -> Result<Turn> {
    let barrier = Barrier::new(effort.connections + 1);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..effort.connections)
            .map(|_| {
                scope.spawn(|| {
                    let prepared = Client::prepared(target, scenario);
                    barrier.wait();
                    let begin = Instant::now();
                    let outcome = prepared.and_then(|mut client| {
                        let mut latencies = Vec::new();
                        while begin.elapsed() < effort.turn {
                            let sent = Instant::now();
                            client.round(&scenario.request)?;
                            latencies.push(sent.elapsed());
                        }
                        client.end();
                        Ok(latencies)
                    });
                    barrier.wait();
                    outcome
                })
            })
            .collect();
        barrier.wait();
        let (before, begin) = (Usage::of(target.process), Instant::now());
        barrier.wait();
        let (usage, elapsed) = (Usage::of(target.process).since(before), begin.elapsed());
        let mut latencies = Vec::new();
        for thread in threads {
            let outcome = thread.join().map_err(|_| Error::new("a client panicked"))?;
            latencies.extend(outcome.context(|| target.name.to_owned())?);
        }
        Ok(Turn {
            usage,
            elapsed,
            latencies,
        })
    })
}

/// A connection in clear or inside TLS.
pub(crate) trait Stream: Read + Write + Send {}

impl<T: Read + Write + Send> Stream for T {}

/// A connection that sends requests one by one.
pub(crate) struct Client {
    stream: Box<dyn Stream>,
    buffer: Vec<u8>,
}

impl Client {
    fn prepared(target: &Target, scenario: &Scenario) -> Result<Self> {
        let mut client = Self::connect(target)?;
        client.round(&scenario.prepare)?;
        client.round(&scenario.request)?;
        Ok(client)
    }

    /// Connects and logs in.
    pub(crate) fn connect(target: &Target) -> Result<Self> {
        let stream = TcpStream::connect(target.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let mut client = Self {
            stream: match &target.tls {
                None => Box::new(stream),
                Some(config) => Box::new(tls::connect(config, stream)?),
            },
            buffer: vec![0; 1 << 18],
        };
        let parameters = [("user", "postgres"), ("database", DATABASE)];
        client.round(&startup(VERSION_3_0, &parameters))?;
        Ok(client)
    }

    /// Sends bytes and reads to ReadyForQuery; an error of the server is an error.
    pub(crate) fn round(&mut self, request: &[u8]) -> Result<()> {
        self.stream.write_all(request)?;
        let (mut filled, mut at) = (0, 0);
        loop {
            while let Some(&[tag, a, b, c, d]) = self.buffer[at..filled].first_chunk() {
                let end = at + 1 + u32::from_be_bytes([a, b, c, d]) as usize;
                match tag {
                    b'Z' if end <= filled => return Ok(()),
                    b'E' if end <= filled => {
                        let text = String::from_utf8_lossy(&self.buffer[at + 5..end]).into_owned();
                        return Err(Error::new(text.replace('\0', " ")));
                    }
                    _ if end <= filled => at = end,
                    _ => break,
                }
            }
            // What is left is the beginning of one message.
            self.buffer.copy_within(at..filled, 0);
            (filled, at) = (filled - at, 0);
            match self.stream.read(&mut self.buffer[filled..])? {
                0 => return Err(Error::new("the connection was closed")),
                count => filled += count,
            }
        }
    }

    /// Says goodbye.
    pub(crate) fn end(&mut self) {
        // The server may be quicker.
        let _ = self.stream.write_all(&terminate());
    }
}
