//! What the flags say of sessions, whatever protocol they speak.

use crate::keys::ClientKeys;
use std::sync::Arc;

/// Which cells of a result are looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScanColumns {
    /// Those that can hold a container by their type or first bytes.
    #[default]
    Typed,
    /// Every cell.
    All,
}

/// Whether a client may or must encrypt its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientTls {
    /// There is no TLS.
    #[default]
    Disabled,
    /// The client decides.
    Allowed,
    /// A client that does not is refused. PostgreSQL's cancel requests may come in clear, as older clients send them so.
    Required,
}

/// How poison records are looked for.
#[derive(Debug, Clone)]
pub struct Poison {
    /// The keys that open them.
    pub keys: Arc<ClientKeys>,
    /// What the client gets.
    pub reply: PoisonReply,
}

/// What a client gets in whose results there is a poison record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PoisonReply {
    /// An error in the place of the row and of all that follows.
    #[default]
    Error,
    /// The row with the record, still encrypted, and what follows.
    Pass,
}
