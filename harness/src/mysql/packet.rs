//! Messages of a server, and which of their bytes depend on the run.

use acra_engine::wire::mysql::Capabilities;
use acra_engine::wire::mysql::greeting::Greeting;
use std::fmt;

/// What `acra-server` does not offer, and what it offers by its own settings: TLS and compression.
const OWN: Capabilities = Capabilities::COMPRESS
    .with(Capabilities::SSL)
    .with(Capabilities::ZSTD_COMPRESSION)
    .with(Capabilities::MARIADB_COM_MULTI)
    .with(Capabilities(1 << 29));

/// How many bytes of a payload are shown.
const SHOWN: usize = 120;

/// A message.
#[derive(Clone, PartialEq, Eq)]
pub struct Packet {
    /// Number of its first packet.
    pub sequence: u8,
    /// What it says; a long one is joined.
    pub payload: Vec<u8>,
}

impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.payload.get(..SHOWN).unwrap_or(&self.payload);
        write!(f, "{} {}", self.sequence, shown.escape_ascii())?;
        match self.payload.len() > SHOWN {
            true => write!(f, "... ({} bytes)", self.payload.len()),
            false => Ok(()),
        }
    }
}

impl fmt::Debug for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Packet {
    /// An error without the number of the statement that it is about, which is another one each time.
    pub fn without_statement(mut self) -> Self {
        // ER_UNKNOWN_STMT_HANDLER, ER_STMT_HAS_NO_OPEN_CURSOR
        if matches!(self.payload[..], [0xff, 0xdb, 4, ..] | [0xff, 0x8d, 5, ..])
            && let Some(start) = self.payload.iter().position(|byte| *byte == b'(')
            && let Some(end) = self.payload.iter().position(|byte| *byte == b')')
        {
            self.payload.drain(start + 1..end);
        }
        self
    }

    /// A greeting without what differs between two connections: thread id, scramble, and what `acra-server` does not offer.
    pub fn masked_greeting(&self) -> Self {
        let mut payload = self.payload.clone();
        let Ok(greeting) = Greeting::read(&self.payload) else {
            return self.clone();
        };
        let start = self.payload.as_ptr() as usize;
        for part in greeting.scramble {
            let at = part.as_ptr() as usize - start;
            payload[at..at + part.len()].fill(b'0');
        }
        let version = self.payload.iter().position(|byte| *byte == 0);
        let thread = version.map_or(0, |end| end + 1);
        payload[thread..thread + 4].fill(0);
        let offered = greeting.capabilities.without(OWN);
        greeting.places().set(&mut payload, offered);
        Self {
            sequence: self.sequence,
            payload,
        }
    }
}
