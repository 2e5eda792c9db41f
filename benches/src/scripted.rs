//! A peer in the place of a database, where only what is before it counts; and clients of it.

use crate::client::Stream;
use crate::tls;
use acra_harness::pki::Pki;
use acra_harness::raw::frontend::{VERSION_3_0, startup};
use acra_harness::{Context as _, Result};
use rustls::ClientConfig;
use std::io::{self, BufRead as _, BufReader, Read as _, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const LOGGED_IN: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
const DONE: &[u8] = b"C\0\0\0\x0dSELECT 0\0Z\0\0\0\x05I";

/// A result of one column.
#[derive(Clone, Copy)]
pub(crate) struct Served {
    pub(crate) rows: usize,
    /// Length of each value.
    pub(crate) bytes: usize,
    /// Type of the column.
    pub(crate) oid: u32,
    /// Counts what has been handed to the kernel.
    pub(crate) sent: &'static AtomicU64,
}

impl Served {
    /// Bytes of the whole answer.
    pub(crate) fn size(rows: usize, bytes: usize) -> usize {
        Self::description(0).len() + rows * (11 + bytes) + DONE.len()
    }

    fn description(oid: u32) -> Vec<u8> {
        let mut column = b"T\0\0\0\x1a\0\x01a\0\0\0\0\0\0\0".to_vec();
        column.extend(oid.to_be_bytes());
        column.extend(b"\xff\xff\xff\xff\xff\xff\0\0");
        column
    }

    fn send(&self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(&Self::description(self.oid))?;
        let length = |more: usize| u32::try_from(self.bytes + more).unwrap_or(u32::MAX);
        let mut head = b"D".to_vec();
        head.extend(length(10).to_be_bytes());
        head.extend(b"\0\x01");
        head.extend(length(0).to_be_bytes());
        let mut block = head.clone();
        let filler = vec![b'x'; self.bytes.min(1 << 16)];
        for _ in 0..self.rows {
            let mut left = self.bytes;
            while left > 0 {
                let part = left.min(filler.len());
                block.extend(&filler[..part]);
                left -= part;
                if block.len() >= 1 << 16 {
                    self.write(to, &mut block)?;
                }
            }
            block.extend(&head);
        }
        block.truncate(block.len() - head.len());
        self.write(to, &mut block)?;
        to.write_all(DONE)
    }

    fn write(&self, to: &mut impl Write, block: &mut Vec<u8>) -> io::Result<()> {
        to.write_all(block)?;
        self.sent.fetch_add(block.len() as u64, Ordering::Relaxed);
        block.clear();
        Ok(())
    }
}

/// Stands for a database: lets everybody in, and answers every query with an empty result.
pub(crate) fn database() -> Result<SocketAddr> {
    listen(1 << 16, |client| {
        serve(client, |to| to.write_all(DONE));
    })
}

/// The same, with a result.
pub(crate) fn serving(result: Served) -> Result<SocketAddr> {
    listen(1 << 20, move |client| {
        serve(client, |to| result.send(to));
    })
}

/// The same as [`database`], inside TLS.
pub(crate) fn with_tls(pki: &Pki) -> Result<SocketAddr> {
    let config = tls::server_config(pki)?;
    listen(1 << 18, move |mut client| {
        let begun = client
            .read_exact(&mut [0; 8])
            .and_then(|()| client.write_all(b"S"));
        if begun.is_ok()
            && let Ok(client) = tls::accept(&config, client)
        {
            serve(client, |to| to.write_all(DONE));
        }
    })
}

/// Serves every client on a thread with this stack: small, as there are many.
fn listen(stack: usize, serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let serve = Arc::new(serve);
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // One that has gone already is noticed by whoever serves it.
            let _ = client.set_nodelay(true);
            let serve = Arc::clone(&serve);
            let thread = std::thread::Builder::new().stack_size(stack);
            if thread.spawn(move || serve(client)).is_err() {
                return;
            }
        }
    });
    Ok(address)
}

/// Lets a client in, and answers each of its messages until it leaves.
fn serve<S: Stream>(client: S, mut answer: impl FnMut(&mut S) -> io::Result<()>) {
    let mut client = BufReader::with_capacity(1 << 12, client);
    // The startup message has no tag.
    let mut head = 4;
    loop {
        let mut length = [0; 5];
        if client.read_exact(&mut length[5 - head..]).is_err() {
            return;
        }
        let [_, length @ ..] = length;
        let mut left = (u32::from_be_bytes(length) as usize).saturating_sub(4);
        while left > 0 {
            let there = match client.fill_buf() {
                Ok(bytes) if !bytes.is_empty() => bytes.len().min(left),
                _ => return,
            };
            client.consume(there);
            left -= there;
        }
        let answered = match head {
            4 => client.get_mut().write_all(LOGGED_IN),
            _ => answer(client.get_mut()),
        };
        if answered.and_then(|()| client.get_mut().flush()).is_err() {
            return;
        }
        head = 5;
    }
}

/// Connects and is let in.
pub(crate) fn login(
    address: SocketAddr,
    tls: Option<&Arc<ClientConfig>>,
) -> Result<Box<dyn Stream>> {
    let stream = TcpStream::connect(address)
        .context(|| "connecting (is `ulimit -n` high enough?)".into())?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut client: Box<dyn Stream> = match tls {
        None => Box::new(stream),
        Some(config) => Box::new(tls::connect(config, stream)?),
    };
    client.write_all(&startup(VERSION_3_0, &[("user", "u")]))?;
    client.read_exact(&mut [0; 15])?;
    Ok(client)
}
