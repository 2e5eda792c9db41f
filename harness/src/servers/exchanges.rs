//! A relay before a server that answers requests, as Redis does; it counts how often the client spoke after an answer.

use crate::Result;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

/// The relay.
pub struct Exchanges {
    address: SocketAddr,
    count: Arc<AtomicUsize>,
}

impl Exchanges {
    /// Starts one. Answers are held until the client has been silent for so long, so that what it sends at once is
    /// one exchange however it is cut into packets.
    pub fn before(server: SocketAddr, silence: Duration) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        spawn(move || {
            while let Ok((client, _)) = listener.accept() {
                // A connection that cannot be made on is closed, and made anew by the client.
                let _ = relay(client, server, silence, &counted);
            }
        });
        Ok(Self { address, count })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many exchanges there were.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }
}

/// Passes bytes on, in both directions, until the connection ends.
fn relay(
    client: TcpStream,
    server: SocketAddr,
    silence: Duration,
    count: &Arc<AtomicUsize>,
) -> Result<()> {
    let server = TcpStream::connect(server)?;
    for socket in [&client, &server] {
        socket.set_nodelay(true)?;
    }
    let answered = Arc::new(AtomicBool::new(true));
    let spoken = Arc::new(Mutex::new(Instant::now()));
    let (count, seen, heard) = (
        Arc::clone(count),
        Arc::clone(&answered),
        Arc::clone(&spoken),
    );
    let requests = (client.try_clone()?, server.try_clone()?);
    spawn(move || {
        pass(requests, || {
            *spoken.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
            if answered.swap(false, Ordering::Relaxed) {
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
    });
    spawn(move || {
        pass((server, client), || {
            let since = || {
                heard
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .elapsed()
            };
            while let Some(rest) = silence.checked_sub(since()).filter(|rest| !rest.is_zero()) {
                sleep(rest);
            }
            seen.store(true, Ordering::Relaxed);
        });
    });
    Ok(())
}

fn pass((mut from, mut to): (TcpStream, TcpStream), mut noted: impl FnMut()) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(read) = from.read(&mut buffer) {
        noted();
        let bytes = buffer.get(..read).unwrap_or_default();
        if read == 0 || to.write_all(bytes).is_err() {
            let _ = to.shutdown(Shutdown::Both);
            return;
        }
    }
}
