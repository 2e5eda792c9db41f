//! Compression is agreed on with each side as if the other was not there (MySQL documentation, "Connection Compression Control").
//!
//! The session sees packets as they are: the shell decompresses what comes in and compresses what goes out.

use super::MySqlSession;
use crate::session::{ClientError, Effect};
use crate::wire::mysql::Capabilities;
use crate::wire::mysql::compressed::Algorithm;
use crate::wire::mysql::handshake::HandshakeResponse;

/// Level of Zstandard that is asked of databases, which is the default of MySQL's clients.
const LEVEL: u8 = 3;

/// Which connections may be compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Compression {
    /// Those of clients that ask for it.
    pub client: bool,
    /// Those with databases that offer it.
    pub database: bool,
}

/// What has been agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Agreed {
    pub(super) client: Option<Algorithm>,
    pub(super) database: Option<Algorithm>,
}

impl Agreed {
    /// Whether the client's packets have the numbers that they should have. Inside compressed ones they have any: clients count on
    /// from those, or do not begin anew, and servers do not look.
    pub(super) fn counts_packets(self) -> bool {
        self.client.is_none()
    }

    /// What is to be done once the client has been let in.
    pub(super) fn effect(self) -> Option<Effect> {
        let Self { client, database } = self;
        (client.is_some() || database.is_some()).then_some(Effect::Compress {
            client,
            server: database,
        })
    }
}

/// What of these is used: of both, servers take zlib.
pub(super) fn algorithm(capabilities: Capabilities) -> Option<Algorithm> {
    if capabilities.has(Capabilities::COMPRESS) {
        Some(Algorithm::Zlib)
    } else if capabilities.has(Capabilities::ZSTD_COMPRESSION) {
        Some(Algorithm::Zstd)
    } else {
        None
    }
}

/// The capability that asks for an algorithm.
pub(super) fn capability(algorithm: Option<Algorithm>) -> Capabilities {
    match algorithm {
        Some(Algorithm::Zlib) => Capabilities::COMPRESS,
        Some(Algorithm::Zstd) => Capabilities::ZSTD_COMPRESSION,
        None => Capabilities::default(),
    }
}

/// The error for a client that asks for compression although the greeting did not offer it.
pub(super) fn not_offered() -> ClientError {
    ClientError::fatal("0A000", "acra-server does not offer compression to clients").hint(
        "Connect without compression, or start acra-server with --mysql_compression=client or both",
    )
}

impl MySqlSession {
    /// What is asked of a database that offers these: what costs less.
    pub(super) fn database_compression(&self, offers: Capabilities) -> Option<Algorithm> {
        if !self.options.compression.database {
            None
        } else if offers.has(Capabilities::ZSTD_COMPRESSION) {
            Some(Algorithm::Zstd)
        } else {
            algorithm(offers)
        }
    }
}

/// The end of the client's first message as the database is to get it: where what passes ends, and what follows. The level of
/// compression stands behind attributes that both sides know.
pub(super) fn end(response: &HandshakeResponse<'_>, wanted: Capabilities) -> (usize, Option<u8>) {
    let attributes = &response.attributes_range;
    let knows_attributes = wanted.has(Capabilities::CONNECT_ATTRS);
    match (wanted.has(Capabilities::ZSTD_COMPRESSION), knows_attributes) {
        (true, true) => (attributes.end, Some(LEVEL)),
        (true, false) => (attributes.start, Some(LEVEL)),
        (false, _) => (attributes.end, None),
    }
}
