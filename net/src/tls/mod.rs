//! TLS with applications, with the database and with Redis: files, settings, handshakes, and the client id of a certificate.
//!
//! Settings are loaded once ([`ListenerTls`], [`UpstreamTls`]) and are not changed afterwards; a reload builds new
//! ones and swaps them. Nothing here is installed for the whole process.

mod accept;
mod error;
mod files;
mod listener;
mod provider;
pub mod revocation;
mod upstream;
mod verify_client;
mod verify_server;

pub use accept::{PeerIdentity, accept};
pub use acra_engine::keys::certificate::{
    Extractor, IdentityError, client_id, extract, subject_text,
};
pub use error::{Peer, TlsError};
pub use files::Loaded;
pub use listener::{AuthMode, ListenerSettings, ListenerTls};
pub use provider::provider;
pub use upstream::{Secured, UpstreamMode, UpstreamSettings, UpstreamTls};

/// Longest time that a handshake should be given; callers set the limit (tls.md 1).
pub const HANDSHAKE_DEADLINE: std::time::Duration = std::time::Duration::from_secs(60);

/// The ALPN name of PostgreSQL's protocol (IANA registry; PostgreSQL 17 and later).
pub const ALPN_POSTGRESQL: &[u8] = b"postgresql";
