//! Records one session between a client and a server.
//!
//! A recording is a folder: `client.bin` and `server.bin` hold what each side sent, and `order.txt` says in which
//! pieces, `> n` for n bytes of the client and `< n` for n bytes of the server.

use crate::{Context, Result};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// What a session consisted of.
#[derive(Debug, Default)]
pub struct Recording {
    /// What the client sent.
    pub client: Vec<u8>,
    /// What the server sent.
    pub server: Vec<u8>,
    /// The lengths of the pieces, in their order; `true` for the client's.
    pub order: Vec<(bool, usize)>,
}

impl Recording {
    /// Lets one client through to a server and keeps what they say.
    pub fn of_next_client(listener: &TcpListener, upstream: SocketAddr) -> Result<Self> {
        let (client, _) = listener.accept()?;
        let server =
            TcpStream::connect(upstream).context(|| format!("connecting to {upstream}"))?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let recording = Mutex::new(Self::default());
        thread::scope(|scope| {
            let up = scope.spawn(|| copy(&client, &server, true, &recording));
            let down = copy(&server, &client, false, &recording);
            let up = up
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("a thread panicked")));
            up.and(down)
        })?;
        Ok(recording
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes it into a folder, which is made.
    pub fn save(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("client.bin"), &self.client)?;
        fs::write(folder.join("server.bin"), &self.server)?;
        let mut order = File::create(folder.join("order.txt"))?;
        for (client, length) in &self.order {
            let sign = if *client { '>' } else { '<' };
            writeln!(order, "{sign} {length}")?;
        }
        Ok(())
    }

    fn add(&mut self, client: bool, piece: &[u8]) {
        let stream = if client {
            &mut self.client
        } else {
            &mut self.server
        };
        stream.extend(piece);
        self.order.push((client, piece.len()));
    }
}

fn copy(
    mut from: &TcpStream,
    mut to: &TcpStream,
    client: bool,
    recording: &Mutex<Recording>,
) -> io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = from.read(&mut buffer)?;
        let piece = &buffer[..count];
        if piece.is_empty() {
            return match to.shutdown(Shutdown::Write) {
                // The other side was faster.
                Err(error) if error.kind() != io::ErrorKind::NotConnected => Err(error),
                _ => Ok(()),
            };
        }
        // Before it is sent on, so that an answer comes after what it answers.
        recording
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .add(client, piece);
        to.write_all(piece)?;
    }
}
