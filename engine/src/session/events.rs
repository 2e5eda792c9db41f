//! Small facts for the log and the metrics. No values, no statement texts.

use super::ClientError;
use crate::columns::Subject;
use crate::keys::ClientId;

/// A side of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The application.
    Client,
    /// The database.
    Server,
}

/// Something an operator may want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A statement or a bound value was refused; the text is the one the client got.
    Refused {
        /// Anchor in docs/errors.md.
        code: &'static str,
        /// The message, which names table and column.
        message: String,
        /// The table or column that it is about, if it is one.
        subject: Option<Box<Subject>>,
    },
    /// A statement was let through that `--unsupported_statements=refuse` would have refused.
    Observed {
        /// Anchor in docs/errors.md.
        code: &'static str,
        /// The message, which names table and column.
        message: String,
        /// The table or column that it is about, if it is one.
        subject: Option<Box<Subject>>,
    },
    /// Containers in results were passed on closed: foreign, damaged, or a key is missing.
    Unopened {
        /// How many.
        containers: u64,
    },
    /// Containers in results were tried with keys; those that failed are in [`Event::Unopened`] too.
    Decrypted(crate::cell::Tally),
    /// Values of a statement or of bound parameters were sealed.
    Sealed {
        /// How many.
        values: u64,
        /// How many of them became AcraStructs; the others became AcraBlocks.
        structs: u64,
    },
    /// A client's keys are missing or cannot be read; cells stay closed, writes are refused.
    KeysUnavailable {
        /// The client id.
        client_id: Box<str>,
    },
    /// A session has chosen its client by a variable of SQL, or goes back to its own.
    ClientChosen {
        /// Number of the session.
        session: u64,
        /// Whose keys it uses from now on.
        client_id: Option<ClientId>,
    },
    /// What the configuration says of a table does not fit what the database says.
    SchemaNote {
        /// The database's name.
        database: String,
        /// A sentence.
        note: String,
    },
    /// The database did not tell what it knows of the configured tables: the configuration alone serves.
    SchemaUnknown {
        /// The database's name.
        database: String,
        /// SQLSTATE, or a few words.
        reason: String,
    },
    /// A result had a poison record in it.
    Poison {
        /// Number of the session, see [`PgSession::numbered`](super::pg::PgSession::numbered).
        session: u64,
        /// Who has asked for it.
        client_id: Option<ClientId>,
        /// The statement with `?` in the place of its literals, if it could be read and is not too long.
        statement: Option<Box<str>>,
    },
    /// A row longer than the limit was passed on without looking into it.
    RowTooLarge {
        /// Its length in bytes.
        bytes: usize,
    },
    /// A peer broke the protocol; the connection was closed.
    Protocol {
        /// Who.
        side: Side,
        /// What was expected.
        expected: &'static str,
    },
    /// The database closed the connection without having been asked to.
    ServerLost,
}

impl Event {
    /// The client has got this error instead of what it wanted; the code is the anchor in docs/errors.md.
    pub(super) fn refused(code: &'static str, error: &ClientError) -> Self {
        Self::Refused {
            code,
            message: error.message.clone(),
            subject: error.subject.clone(),
        }
    }
}
