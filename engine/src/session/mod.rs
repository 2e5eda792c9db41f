//! The state machines of a connection, without sockets and without a clock.
//!
//! A shell (`net::pump`) owns two sockets and one [`Session`]. What it reads goes into [`Session::from_client`] or
//! [`Session::from_server`]; what the session wants written is in the two [`Outbox`]es; what it needs from outside
//! comes back as a [`Step`].
//!
//! # Order of calls
//!
//! 1. `from_client` with no bytes, and then with the first ones, until it returns [`Effect::DialServer`] (or
//!    [`Effect::CancelUpstream`] or [`Effect::Close`]): where the server speaks first, it does so at once.
//! 2. `server_dialled` with the outcome; then `from_client` again, with the same unread bytes.
//!
//!    On [`Effect::SecureClient`], before or after that, write what is in the outbox, do the TLS handshake, the first bytes of
//!    which are those that the session has not taken, call `client_secured`, and go on with what the client sends inside. On
//!    [`Effect::SecureServer`] the same with the database and `server_secured`; nothing may be left unread before it.
//! 3. `from_client` and `from_server` in any order, whenever bytes have arrived **and** the outbox of that direction
//!    is empty: ranges in an outbox refer to the buffer of the peer the bytes came from.
//! 4. After [`Step::Ask`], nothing from that side until `resume`; the other side goes on. Then the same bytes again.
//! 5. `server_closed` when the database has closed; flush what it leaves and close.
//!
//! On [`Effect::Compress`] write what is in both outboxes; then what is read and written is compressed.
//!
//! After every call the shell drains [`Cx::events`]. The same stream, cut into calls at any byte, gives the same
//! output: randomness is drawn per message and never per call.

mod admission;
mod choices;
mod context;
mod ending;
mod errors;
mod events;
mod identity;
mod incoming;
mod keyring;
mod limits;
pub mod mysql;
mod null;
mod openings;
mod options;
mod passing;
pub mod pg;
mod planning;
mod poison;
mod row_tokens;
mod sealing;
mod search;
mod stop;
mod stored;
mod tokenize;
mod tokens;

pub use context::Context;
pub use errors::{ClientError, ClientFacing, Severity};
pub use events::{Event, Side};
pub use keyring::KeyFault;
pub use limits::Limits;
pub use null::NullSession;
pub use options::{ClientTls, Poison, PoisonReply, ScanColumns};
pub use tokens::TokenAnswers;

use crate::keys::{ClientId, ClientKeys};
use crate::tokens::TokenRequest;
use crate::wire::mysql::compressed::Algorithm;
use crate::wire::outbox::Outbox;
use rand::CryptoRng;
use std::sync::Arc;

/// Bytes of one direction. The session advances `at` over what it has taken.
#[derive(Debug)]
pub struct Input<'a> {
    /// The filled part of the buffer; rows are rewritten in it.
    pub bytes: &'a mut [u8],
    /// Offset of the first byte not yet taken.
    pub at: usize,
}

/// Where a session writes.
#[derive(Debug)]
pub struct Output<'a> {
    /// Bytes for the client; ranges refer to the server's buffer.
    pub to_client: &'a mut Outbox,
    /// Bytes for the server; ranges refer to the client's buffer.
    pub to_server: &'a mut Outbox,
}

/// What a session is lent for one call.
pub struct Cx<'a> {
    /// Source of data keys and initialisation vectors.
    pub rng: &'a mut dyn CryptoRng,
    /// Facts for the log and the metrics, drained by the shell after the call.
    pub events: &'a mut Vec<Event>,
}

/// What must happen before more can be done.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// More bytes from this side; `want` of them, counted from `Input::at`, must be in the buffer at once.
    NeedMore {
        /// Number of bytes, at least one more than there are.
        want: usize,
    },
    /// Nothing more is taken from this side before the other has moved.
    Blocked,
    /// Something from outside; then the same bytes again.
    Ask(Ask),
    /// Something for the shell to do.
    Do(Effect),
}

/// What a session needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// The keys of a client, by its id.
    Keys(Box<str>),
    /// Tokens for values, or values of tokens: all that is needed for what has arrived from this side.
    Tokens(Side, Vec<TokenRequest>),
}

/// The answer to an [`Ask`].
#[derive(Debug, Clone)]
pub enum Answer {
    /// Keys of this client, or why there are none.
    Keys(Box<str>, Result<Arc<ClientKeys>, KeyFault>),
    /// The answers to the requests of this side.
    Tokens(Side, TokenAnswers),
}

/// Something only the shell can do.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect {
    /// Flush the answer to the client's request for TLS, do the TLS handshake, then call `client_secured`.
    SecureClient,
    /// Connect to the database, then call `server_dialled`.
    DialServer,
    /// Flush the request for TLS to the database, do the TLS handshake, then call `server_secured`.
    SecureServer,
    /// Send this packet to the database on a connection of its own, wait until it closes, then close the client.
    CancelUpstream(Vec<u8>),
    /// Flush both outboxes, and compress what passes on these connections from the next byte on, in both directions; what has been
    /// read and the session has not taken is compressed already.
    Compress {
        /// The client's connection.
        client: Option<Algorithm>,
        /// The database's connection.
        server: Option<Algorithm>,
    },
    /// Flush both outboxes and close both connections.
    Close,
}

/// One connection from a client through us to the database.
#[allow(
    clippy::wrong_self_convention,
    reason = "from whom the bytes are, not a conversion"
)]
pub trait Session {
    /// Takes bytes that the client sent.
    fn from_client(&mut self, input: &mut Input<'_>, out: &mut Output<'_>, cx: &mut Cx<'_>)
    -> Step;
    /// Takes bytes that the database sent.
    fn from_server(&mut self, input: &mut Input<'_>, out: &mut Output<'_>, cx: &mut Cx<'_>)
    -> Step;
    /// Takes the answer to an ask.
    fn resume(&mut self, answer: Answer);
    /// The connection to the client is encrypted now. The id is the one its certificate stands for, if it is to have one;
    /// with an error instead the client is told so at its first message.
    fn client_secured(&mut self, client_id: Result<Option<ClientId>, ClientError>);
    /// The database was reached, or not; the text says why not and is shown to the client.
    fn server_dialled(&mut self, outcome: Result<(), String>, out: &mut Output<'_>);
    /// The connection to the database is encrypted now, or could not be; the text says why not and is shown to the client.
    fn server_secured(&mut self, outcome: Result<(), String>, out: &mut Output<'_>);
    /// The database has closed the connection.
    fn server_closed(&mut self, out: &mut Output<'_>, cx: &mut Cx<'_>);
    /// An error outside the session ends it: tells the client where the protocol still allows it.
    fn abort(&mut self, error: ClientError, out: &mut Output<'_>);
    /// How busy it is.
    fn activity(&self) -> Activity;
}

/// What a session is doing, for time limits and for an orderly end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// The client has not been let in yet.
    Starting,
    /// Nothing is under way, and no transaction is open.
    Idle,
    /// A transaction is open and the client's turn.
    IdleInTransaction,
    /// The server owes an answer.
    Busy,
}
