//! A connection that sends what it is told to and keeps what comes back.

use super::link::Link;
use super::packet::Packet;
use crate::{Context, Error, Result};
use acra_engine::wire::mysql::compressed::Algorithm;
use acra_engine::wire::mysql::error::is_progress;
use acra_engine::wire::mysql::{Capabilities, Scan, scan, write_message};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// Level of Zstandard that is asked for.
const LEVEL: u8 = 5;

/// A command that fails in a way of its own: what comes before its error answers the commands before it.
const MARKER: &[u8] = b"\x03acra_marker";
const MARKED: &[u8] = b"acra_marker";

/// Who logs in, and with what.
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    /// The user's name; the password is empty.
    pub user: &'a str,
    /// The first answer to authentication.
    pub auth: &'a [u8],
    /// The schema to begin in; empty for none.
    pub schema: &'a str,
    /// What is used, apart from what every login needs.
    pub capabilities: Capabilities,
}

/// A connection.
#[derive(Debug)]
pub struct Connection {
    link: Link,
    buffer: Vec<u8>,
    transcript: Vec<Packet>,
    capabilities: Capabilities,
}

impl Connection {
    /// Connects and reads the greeting.
    pub fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).context(|| format!("connecting to {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut connection = Self {
            link: Link::new(stream),
            buffer: Vec::new(),
            transcript: Vec::new(),
            capabilities: Capabilities::default(),
        };
        let greeting = connection.read()?;
        connection.transcript.push(greeting.masked_greeting());
        Ok(connection)
    }

    /// Says who logs in; the answer is read, whatever it is.
    pub fn login(&mut self, login: Login<'_>) -> Result<&Packet> {
        let mut capabilities = Capabilities::PROTOCOL_41
            .with(Capabilities::SECURE_CONNECTION)
            .with(Capabilities::TRANSACTIONS)
            .with(login.capabilities);
        if !login.schema.is_empty() {
            capabilities = capabilities.with(Capabilities::CONNECT_WITH_DB);
        }
        self.capabilities = capabilities;
        let mut payload = capabilities.base().to_le_bytes().to_vec();
        payload.extend_from_slice(&[0, 0, 0, 64, 45]);
        payload.extend_from_slice(&[0; 19]);
        payload.extend_from_slice(&capabilities.extended().to_le_bytes());
        payload.extend_from_slice(login.user.as_bytes());
        payload.push(0);
        payload.push(u8::try_from(login.auth.len())?);
        payload.extend_from_slice(login.auth);
        if !login.schema.is_empty() {
            payload.extend_from_slice(login.schema.as_bytes());
            payload.push(0);
        }
        if capabilities.has(Capabilities::PLUGIN_AUTH) {
            payload.extend_from_slice(b"mysql_native_password\0");
        }
        let algorithm = if capabilities.has(Capabilities::COMPRESS) {
            Some(Algorithm::Zlib)
        } else if capabilities.has(Capabilities::ZSTD_COMPRESSION) {
            payload.push(LEVEL);
            Some(Algorithm::Zstd)
        } else {
            None
        };
        self.send(1, &payload)?;
        loop {
            let packet = self.read()?;
            let sequence = packet.sequence.wrapping_add(1);
            let is_switch = packet.payload.first() == Some(&0xfe);
            if !is_switch {
                let is_welcome = packet.payload.first() == Some(&0);
                if let Some(algorithm) = algorithm.filter(|_| is_welcome) {
                    self.link.compress(algorithm);
                }
                self.transcript.push(packet);
                return Ok(self.last());
            }
            // Its scramble is drawn by lot. The password of every plugin that is asked for here is empty.
            self.send(sequence, b"")?;
        }
    }

    /// What has been agreed on.
    pub fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// Sends a message whose first packet has this number.
    pub fn send(&mut self, mut sequence: u8, payload: &[u8]) -> Result<()> {
        let mut out = Vec::new();
        write_message(&mut out, &mut sequence, payload);
        self.link.send(&out)
    }

    /// Sends bytes as they are.
    pub fn send_raw(&mut self, bytes: &[u8]) -> Result<()> {
        self.link.send_raw(bytes)
    }

    /// Sends a command; an answer is not waited for.
    pub fn command(&mut self, payload: &[u8]) -> Result<()> {
        self.send(0, payload)
    }

    /// Sends a text.
    pub fn query(&mut self, text: &str) -> Result<()> {
        let mut payload = vec![3];
        if self.capabilities.has(Capabilities::QUERY_ATTRIBUTES) {
            payload.extend_from_slice(&[0, 1]);
        }
        payload.extend_from_slice(text.as_bytes());
        self.command(&payload)
    }

    /// Reads the answers of all commands that were sent, and gives those that have not been read before.
    pub fn answers(&mut self) -> Result<&[Packet]> {
        let before = self.transcript.len();
        let mut marker = MARKER.to_vec();
        if self.capabilities.has(Capabilities::QUERY_ATTRIBUTES) {
            marker.splice(1..1, [0, 1]);
        }
        self.command(&marker)?;
        loop {
            let packet = self.read()?;
            let is_marker = packet.payload.first() == Some(&0xff)
                && memchr::memmem::find(&packet.payload, MARKED).is_some();
            if is_marker {
                return Ok(&self.transcript[before..]);
            }
            self.transcript.push(packet.without_statement());
        }
    }

    /// Runs a text, and fails if the server does.
    pub fn run(&mut self, text: &str) -> Result<()> {
        self.query(text)?;
        let failed = self
            .answers()?
            .iter()
            .find(|packet| packet.payload.first() == Some(&0xff));
        match failed {
            None => Ok(()),
            Some(packet) => Err(Error::new(format!("{text} failed: {packet}"))),
        }
    }

    /// The same for answers that have numbers of statements, which are other ones each time: they are not kept.
    pub fn prepared(&mut self) -> Result<Vec<Packet>> {
        let before = self.transcript.len();
        let answers = self.answers()?.to_vec();
        for packet in &mut self.transcript[before..] {
            // OK, and a length that the answer to COM_STMT_PREPARE has.
            if matches!(packet.payload[..], [0, _, _, _, _, ..])
                && matches!(packet.payload.len(), 12 | 13)
            {
                packet.payload[1..5].fill(0);
            }
        }
        Ok(answers)
    }

    /// Reads one message, past reports of progress.
    pub fn settled(&mut self) -> Result<&Packet> {
        while is_progress(&self.packet()?.payload) {
            self.forget_last();
        }
        Ok(self.last())
    }

    /// Reads one message.
    pub fn packet(&mut self) -> Result<&Packet> {
        let packet = self.read()?;
        self.transcript.push(packet);
        Ok(self.last())
    }

    /// Reads to the end of the connection, which must come.
    pub fn end(&mut self) -> Result<()> {
        while self.link.receive_to_end(&mut self.buffer)? {}
        while !self.buffer.is_empty() {
            let packet = self.read()?;
            self.transcript.push(packet);
        }
        Ok(())
    }

    /// What has been read, but for scrambles and what a marker was answered.
    pub fn transcript(&self) -> &[Packet] {
        &self.transcript
    }

    /// Forgets the last message: what it says is not the same twice.
    pub fn forget_last(&mut self) {
        self.transcript.pop();
    }

    fn last(&self) -> &Packet {
        &self.transcript[self.transcript.len() - 1]
    }

    fn read(&mut self) -> Result<Packet> {
        loop {
            match scan(&self.buffer, 0) {
                Scan::Message(message) => {
                    let packet = Packet {
                        // Compressed packets have numbers of their own; those within are whatever the server likes.
                        sequence: match self.link.is_compressed() {
                            true => 0,
                            false => message.sequence,
                        },
                        payload: message.payload(&self.buffer).into_owned(),
                    };
                    self.buffer.drain(message.range);
                    return Ok(packet);
                }
                Scan::OutOfOrder => return Err(Error::new("packets out of order")),
                Scan::Incomplete(_) => {
                    if !self.link.receive(&mut self.buffer)? {
                        return Err(Error::new("the connection has ended"));
                    }
                }
            }
        }
    }
}
