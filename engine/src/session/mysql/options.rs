//! What the flags say of sessions with MySQL or MariaDB alone.

use super::compression::Compression;
use crate::crypto::rsa::RsaKey;
use std::sync::Arc;

/// What all sessions share beside what does not depend on the protocol.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Whether the connection with the database is encrypted.
    pub database_tls: DatabaseTls,
    /// What becomes of passwords between a connection that is encrypted and one that is not.
    pub mixed_tls: MixedTls,
    /// Which connections may be compressed.
    pub compression: Compression,
}

/// Whether the connection with the database is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DatabaseTls {
    /// It is not.
    #[default]
    Disabled,
    /// It does not leave this machine by its nature, which counts as much.
    Local,
    /// If the client's is, and the database offers it (as in Acra).
    AsClient,
    /// If the database offers it.
    Preferred,
    /// A database that does not offer it is not used.
    Required,
}

/// What becomes of the one step of authentication that goes wrong where one of the connections is encrypted and the other is
/// not: the client hides its password, or does not, by what it knows of its own.
#[derive(Debug, Clone, Default)]
pub enum MixedTls {
    /// The client gets an error.
    #[default]
    Refuse,
    /// The password ends here, and goes on in the form that the database expects. Clients that hide it do so with this key.
    Terminate(Arc<RsaKey>),
}
