//! A PostgreSQL session (specification: PostgreSQL documentation, "Frontend/Backend Protocol").
//!
//! `startup` takes the untagged packets, `frontend` what the client sends, `backend` what the server answers;
//! `rewrite` seals literals and parameters, `rows` opens cells, `copy` does both for the rows of a COPY. [`PgSession`]
//! holds the state they share.

mod arrays;
mod backend;
mod chosen;
mod copy;
mod frontend;
mod ledger;
mod poison;
mod probe;
mod registry;
mod results;
mod rewrite;
mod rows;
mod startup;
mod stored;
mod texts;
mod tokenize;
mod withhold;

use super::admission::Admission;
use super::openings::Openings;
use super::planning::Planning;
use super::tokens::OpenedTokens;
use super::{
    Activity, Answer, ClientError, Context, Cx, Effect, Event, Input, Output, Session, Severity,
    Step,
};
use crate::keys::ClientId;
use crate::plan::{Lexical, Scratch};
use crate::wire::pg::Formats;
use chosen::Chosen;
use copy::Copies;
use ledger::Ledger;
use probe::Probe;
use registry::Registry;
use results::Fields;
use std::sync::Arc;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Untagged packets.
    Startup,
    /// A StartupMessage waits at the front of the input for the database.
    Dialling,
    /// The database is connected; the StartupMessage has not been passed on.
    Dialled,
    /// Tagged messages.
    Live,
    /// Over.
    Closed,
}

/// One client's session.
#[derive(Debug)]
pub struct PgSession {
    context: Arc<Context>,
    /// The database's name, until the client has been let in.
    database: Option<Box<[u8]>>,
    planning: Planning,
    /// The database is being asked.
    probe: Option<Box<Probe>>,
    /// The open transaction has changed definitions.
    redefined: bool,
    /// A result has ended with an error of ours: the client gets nothing more before ReadyForQuery.
    withholding: bool,
    /// It was one that fails its transaction.
    fails_transaction: bool,
    /// Bytes of a message from the server that are still to be dropped.
    server_dropping: usize,
    openings: Openings,
    chosen: Chosen,
    /// A statement is on its way that may choose a client.
    choosing: bool,
    phase: Phase,
    /// What speaks against the client is told when its StartupMessage comes.
    admission: Admission,
    /// The next message of the client chooses how it proves who it is.
    chooses_mechanism: bool,
    /// Of the last ReadyForQuery; zero before the first.
    transaction: u8,
    ledger: Ledger,
    registry: Registry,
    /// For the rows that have arrived.
    opened_tokens: OpenedTokens,
    lexical: Lexical,
    /// Bytes of a message from the client that still have to pass unread.
    client_passing: usize,
    /// Bytes of a message from the client that still have to be dropped.
    client_dropping: usize,
    /// Bytes of a message from the server that still have to pass unread.
    server_passing: usize,
    copies: Copies,
    /// Columns and formats of the current result of a simple query.
    query_result: Option<(Fields, Formats)>,
    /// The client has said goodbye, or the server has said why it closes.
    ending: bool,
    sql: Scratch,
}

impl PgSession {
    /// A session before its first byte.
    pub fn new(context: Arc<Context>) -> Self {
        Self {
            openings: Openings::new(&context),
            chosen: Chosen::default(),
            choosing: false,
            withholding: false,
            fails_transaction: false,
            server_dropping: 0,
            planning: Planning::new(&context),
            context,
            database: None,
            probe: None,
            redefined: false,
            phase: Phase::Startup,
            admission: Admission::default(),
            chooses_mechanism: false,
            transaction: 0,
            ledger: Ledger::default(),
            registry: Registry::default(),
            opened_tokens: OpenedTokens::default(),
            lexical: Lexical::default(),
            client_passing: 0,
            client_dropping: 0,
            server_passing: 0,
            copies: Copies::default(),
            query_result: None,
            ending: false,
            sql: Scratch::default(),
        }
    }

    /// The same session with a number for its events.
    #[must_use]
    pub fn numbered(mut self, number: u64) -> Self {
        self.openings.identity.number(number);
        self
    }

    /// Answers the client's StartupMessage with this error, without troubling the database.
    pub fn turn_away(&mut self, error: ClientError) {
        self.admission.turn_away(error);
    }

    /// Takes a new snapshot. Statements that are prepared keep the plan they were prepared with, unless the columns have
    /// changed: then they are forgotten, and the client must prepare them again. Portals keep theirs.
    pub fn reconfigure(&mut self, context: Arc<Context>) {
        let columns_changed = self.planning.reconfigure(&self.context, &context);
        self.openings.reconfigure(&self.context, &context);
        self.context = context;
        if columns_changed {
            self.registry.forget_statements();
        }
    }

    /// Whether some column is protected from this client.
    fn protects(&self) -> bool {
        self.openings.protects(&self.context)
    }
}

impl Session for PgSession {
    fn from_client(
        &mut self,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Step {
        loop {
            let step = match self.phase {
                Phase::Startup => self.startup(input, out, cx),
                Phase::Dialling => return Step::Blocked,
                Phase::Dialled => self.pass_startup(input, out),
                Phase::Live => return self.client_messages(input, out, cx),
                Phase::Closed => return Step::Do(Effect::Close),
            };
            if let Some(step) = step {
                return step;
            }
        }
    }

    fn from_server(
        &mut self,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Step {
        match self.phase {
            Phase::Closed => Step::Do(Effect::Close),
            _ => {
                let step = self.server_messages(input, out, cx);
                if matches!(step, Step::NeedMore { .. }) {
                    // The rows that they were for have passed.
                    self.opened_tokens.clear();
                }
                step
            }
        }
    }

    fn resume(&mut self, answer: Answer) {
        self.openings.resume(answer, &mut self.opened_tokens);
    }

    fn client_secured(&mut self, client_id: Result<Option<ClientId>, ClientError>) {
        if let Some(own) = self.admission.secured(client_id) {
            self.openings.identity.certified(own, &self.context);
        }
    }

    fn server_dialled(&mut self, outcome: Result<(), String>, out: &mut Output<'_>) {
        match outcome {
            Ok(()) => self.phase = Phase::Dialled,
            Err(reason) => self.abort(ClientError::unreachable_database(&reason), out),
        }
    }

    /// The database's side is encrypted before the session has it.
    fn server_secured(&mut self, _: Result<(), String>, _: &mut Output<'_>) {}

    fn server_closed(&mut self, out: &mut Output<'_>, cx: &mut Cx<'_>) {
        if !self.ending && self.phase != Phase::Closed {
            cx.events.push(Event::ServerLost);
            let hint = "Connect again; whether the last statement took effect is not known.";
            self.abort(ClientError::lost_database().hint(hint), out);
        }
        self.phase = Phase::Closed;
    }

    fn abort(&mut self, error: ClientError, out: &mut Output<'_>) {
        if self.phase != Phase::Closed && self.server_passing == 0 {
            out.to_client.push(
                ClientError {
                    severity: Severity::Fatal,
                    ..error
                }
                .to_pg(),
            );
        }
        self.phase = Phase::Closed;
    }

    fn activity(&self) -> Activity {
        match self.transaction {
            0 => Activity::Starting,
            _ if self.ledger.len() > 0 || self.client_passing > 0 => Activity::Busy,
            b'I' => Activity::Idle,
            _ => Activity::IdleInTransaction,
        }
    }
}
