//! The answers that the server still owes, in order (mysql.md 14).
//!
//! Every command that is answered has an entry, which knows how far its answer has come: what a packet of the server means
//! is told by that alone, never by its first byte. An error of our own waits in the queue for its turn.

use super::auth::Auth;
use super::columns::Columns;
use super::own::Own;
use super::packets::Numbers;
use super::registry::Names;
use crate::plan::Plan;
use crate::session::ClientError;
use crate::session::choices::Choices;
use crate::session::stored::Stored;
use crate::wire::mysql::row::RowFormat;
use std::collections::VecDeque;
use std::sync::Arc;

/// What the server owes.
#[derive(Debug)]
pub(super) enum Awaited {
    /// Consent: to the login, or to another user.
    Auth(Box<Auth>),
    /// One OK, EOF or ERR packet.
    Simple,
    /// The same; then the session is as new.
    Reset,
    /// One packet, whatever it says.
    Line,
    /// Definitions, up to their end.
    FieldList,
    /// A statement's number and its definitions.
    Prepare(PrepareStep, Arc<Plan>),
    /// Results.
    Results(Results),
    /// Changes of the database, without end.
    Binlog,
    /// Nothing: the client gets this error when it is its turn.
    Local(Box<ClientError>),
}

/// The results of a text or a prepared statement.
#[derive(Debug)]
pub(super) struct Results {
    pub(super) format: RowFormat,
    /// Number of the prepared statement.
    pub(super) statement: Option<u32>,
    pub(super) step: ResultStep,
    /// Another result follows the current one, whatever its end says.
    pub(super) more: bool,
    /// What the columns of its statements are, if their places tell.
    pub(super) plan: Option<Arc<Plan>>,
    /// How many results have ended.
    pub(super) number: usize,
    /// The last of them counts the rows of an execution in bulk, and is none of the statement's own.
    pub(super) counts_rows: bool,
}

impl Results {
    /// Of a text, or of this prepared statement.
    pub(super) fn new(format: RowFormat, statement: Option<u32>, step: ResultStep) -> Self {
        Self {
            format,
            statement,
            step,
            more: false,
            plan: None,
            number: 0,
            counts_rows: false,
        }
    }
}

/// How far a result has come.
#[derive(Debug)]
pub(super) enum ResultStep {
    /// OK, ERR, a request for a file, or the number of columns.
    Head,
    /// The client sends the file.
    File,
    /// So many definitions follow.
    Definitions(usize, Columns),
    /// The EOF packet after them.
    DefinitionsEnd(Option<Arc<Columns>>),
    /// Rows; without columns they cannot be read.
    Rows(Option<Arc<Columns>>),
}

/// How far the answer to a prepare has come.
#[derive(Debug)]
pub(super) enum PrepareStep {
    /// OK with numbers, or ERR.
    Head,
    /// So many packets of parameters follow, the EOF packet after the definitions included; then columns.
    Definitions(usize, ColumnsAhead),
}

/// Columns of a prepared statement.
#[derive(Debug)]
pub(super) struct ColumnsAhead {
    pub(super) statement: u32,
    /// Number of its parameters.
    pub(super) parameters: usize,
    /// So many packets follow.
    pub(super) left: usize,
    /// The last of them is an EOF packet.
    pub(super) ends: bool,
    pub(super) columns: Columns,
}

/// An entry of the ledger.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) awaited: Awaited,
    /// Numbers of the next packets.
    pub(super) numbers: Numbers,
    /// The client has got an error in the place of what still comes.
    pub(super) withheld: bool,
    /// The client gets this error in the place of the end of the answer.
    pub(super) refused: Option<Box<ClientError>>,
    /// It answers a question of ours.
    pub(super) own: Option<Box<Own>>,
    /// It may change definitions.
    pub(super) redefines: bool,
    /// What it does to the client's choice of whose keys are used; of a statement that is prepared, once it is executed.
    pub(super) choices: Choices,
    /// What it does to names of prepared statements and to variables.
    pub(super) names: Names,
    /// The longest container in it.
    pub(super) stored: Option<Stored>,
    /// The text, if it may have to be told about.
    pub(super) text: Option<Box<[u8]>>,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    entries: VecDeque<Entry>,
    /// Entries behind which nothing may be sent before they are done.
    barriers: usize,
}

impl Entry {
    /// What comes next depends on its end.
    fn is_barrier(&self) -> bool {
        match &self.awaited {
            Awaited::Auth(_) | Awaited::Reset | Awaited::Binlog => true,
            Awaited::Results(_) => !self.choices.is_empty() || !self.names.is_empty(),
            _ => false,
        }
    }

    /// How many results of it are complete.
    pub(super) fn results_done(&self) -> usize {
        match &self.awaited {
            Awaited::Results(results) => results.number,
            _ => 0,
        }
    }
}

impl Ledger {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn push(&mut self, awaited: Awaited, numbers: Numbers) {
        let entry = Entry {
            awaited,
            numbers,
            withheld: false,
            refused: None,
            own: None,
            redefines: false,
            choices: Choices::default(),
            names: Names::default(),
            stored: None,
            text: None,
        };
        self.barriers += usize::from(entry.is_barrier());
        self.entries.push_back(entry);
    }

    /// What the command that was sent last does to the session besides.
    pub(super) fn note(&mut self, note: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.entries.back_mut() {
            let was_barrier = entry.is_barrier();
            note(entry);
            self.barriers += usize::from(entry.is_barrier() && !was_barrier);
        }
    }

    /// Whether the client has to wait before it sends another command.
    pub(super) fn has_barrier(&self) -> bool {
        self.barriers > 0
    }

    /// Whether a statement is being prepared whose number is not known yet.
    pub(super) fn prepares(&self) -> bool {
        let mut entries = self.entries.iter();
        entries.any(|entry| matches!(entry.awaited, Awaited::Prepare(..)))
    }

    /// The entry that the next packet of the server belongs to.
    pub(super) fn head(&mut self) -> Option<&mut Entry> {
        self.entries.front_mut()
    }

    /// Our own error that the client gets next, and the number of its packet.
    pub(super) fn local_error(&self) -> Option<(&ClientError, u8)> {
        match self.entries.front() {
            Some(Entry {
                awaited: Awaited::Local(error),
                numbers,
                ..
            }) => Some((error, numbers.client)),
            _ => None,
        }
    }

    /// The entry of the command that was sent last.
    pub(super) fn last(&mut self) -> Option<&mut Entry> {
        self.entries.back_mut()
    }

    /// The current entry is done.
    pub(super) fn pop(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_front()?;
        self.barriers -= usize::from(entry.is_barrier());
        Some(entry)
    }
}
