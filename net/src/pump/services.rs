//! What a pump gets from its process, and tells it.

use super::TimeLimits;
use crate::buffer::Budget;
use crate::lifecycle::Lifecycle;
use crate::transport::Transport;
use acra_engine::keys::ClientId;
use acra_engine::session::{Answer, Ask, ClientError, Event, Side};
use std::future::Future;
use std::io;
use std::time::Instant;

/// What a session needs from its process.
pub trait Services<S>: Send + Sync {
    /// Opens a connection to the database; `encrypted` says whether the client's is. The error text is shown to the
    /// client.
    fn dial(&self, encrypted: bool) -> impl Future<Output = Result<Transport, String>> + Send;
    /// Does the TLS handshake with the client, which has been promised it and may have sent the first bytes of it already;
    /// the error text is for the log.
    fn secure(
        &self,
        client: Transport,
        unread: Vec<u8>,
    ) -> impl Future<Output = Result<SecuredClient, String>> + Send;
    /// Does the TLS handshake with the database, which has been asked for it by the session; the error text is shown to the
    /// client.
    fn secure_server(
        &self,
        server: Transport,
    ) -> impl Future<Output = Result<Transport, String>> + Send;
    /// Answers a session's ask.
    fn answer(&self, ask: Ask) -> impl Future<Output = Answer> + Send + 'static;
    /// Takes note of an event.
    fn event(&self, event: Event);
    /// The time, if it matters to [`Services::handled`].
    fn clock(&self) -> Option<Instant> {
        None
    }
    /// Takes note that what one read brought from a side, begun at `since`, has been through the session.
    fn handled(&self, from: Side, since: Instant) {
        let _ = (from, since);
    }
    /// Brings a session up to date if there is something newer than `seen`.
    fn refresh(&self, session: &mut S, seen: &mut u64);
}

/// A client inside TLS.
#[derive(Debug)]
pub struct SecuredClient {
    /// Its connection.
    pub transport: Transport,
    /// The client id that its certificate stands for, if it is to have one, or what it is told instead.
    pub client_id: Result<Option<ClientId>, ClientError>,
}

/// What all pumps of a process share.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Memory for buffers.
    pub budget: Budget,
    /// Time limits of a session.
    pub limits: TimeLimits,
    /// The end of the process.
    pub lifecycle: Lifecycle,
}

/// How a session ended.
#[derive(Debug)]
pub enum End {
    /// By the protocol, or because a peer closed.
    Closed,
    /// The client's socket failed.
    Client(io::Error),
    /// The database's socket failed.
    Server(io::Error),
    /// The database could not be reached.
    NotDialled,
    /// The TLS handshake with the client failed.
    NotSecured(String),
    /// A time limit has passed, or the process ends.
    Ended(&'static str),
}
