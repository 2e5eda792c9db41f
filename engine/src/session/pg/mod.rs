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

use super::keyring::Keyring;
use super::openings::Openings;
use super::tokens::OpenedTokens;
use super::{
    Activity, Answer, ClientError, ClientTls, Cx, Effect, Event, Input, Limits, Output, Poison,
    ScanColumns, Session, Severity, Side, Step,
};
use crate::keys::ClientId;
use crate::plan::{Catalog, Lexical, Planner, Planners};
use crate::wire::pg::Formats;
use chosen::Chosen;
use copy::Copies;
use ledger::Ledger;
use probe::Probe;
use registry::Registry;
use results::Fields;
use std::sync::Arc;

/// What all sessions of a server share: an immutable snapshot.
#[derive(Debug)]
pub struct Context {
    /// Plan statements.
    pub planners: Arc<Planners>,
    /// Whether the database is asked what it knows of the configured tables.
    pub schema_probe: bool,
    /// Some column is configured, so an unknown statement name cannot be passed on.
    pub protects: bool,
    /// Whose keys open and seal, unless the client's certificate says otherwise; a column may name another client for
    /// sealing.
    pub client_id: Option<ClientId>,
    /// The variable of SQL by which a session chooses its client, if it may.
    pub client_id_variable: Option<Box<str>>,
    /// Whether clients encrypt their connections.
    pub client_tls: ClientTls,
    /// How poison records are looked for, if they are.
    pub poison: Option<Poison>,
    /// Which cells are looked into.
    pub scan: ScanColumns,
    /// Bounds of one session.
    pub limits: Limits,
}

impl Context {
    fn asks_database(&self) -> bool {
        self.protects && self.schema_probe
    }
}

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
    /// What is known of the database.
    catalog: Option<Arc<Catalog>>,
    /// State of the catalog that `planner` is of; zero: of none.
    catalog_seen: u64,
    planner: Arc<Planner>,
    /// The database is being asked.
    probe: Option<Box<Probe>>,
    /// The open transaction has changed definitions.
    redefined: bool,
    /// Number by which the shell knows the session.
    number: u64,
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
    /// The client's connection is encrypted.
    secured: bool,
    /// Answers the StartupMessage instead of the database.
    unwelcome: Option<ClientError>,
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
    sql: crate::plan::Scratch,
}

impl PgSession {
    /// A session before its first byte.
    pub fn new(context: Arc<Context>) -> Self {
        let mut session = Self {
            openings: Openings::default(),
            chosen: Chosen::default(),
            choosing: false,
            number: 0,
            withholding: false,
            fails_transaction: false,
            server_dropping: 0,
            planner: Arc::clone(context.planners.base()),
            context,
            database: None,
            catalog: None,
            catalog_seen: 0,
            probe: None,
            redefined: false,
            phase: Phase::Startup,
            secured: false,
            unwelcome: None,
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
            sql: crate::plan::Scratch::default(),
        };
        let own = session.context.client_id.clone();
        session.identify(own);
        session
    }

    /// The same session with a number for its events.
    #[must_use]
    pub fn numbered(self, number: u64) -> Self {
        Self { number, ..self }
    }

    /// Answers the client's StartupMessage with this error, without troubling the database.
    pub fn turn_away(&mut self, error: ClientError) {
        self.unwelcome = Some(error);
    }

    /// Takes a new snapshot. Statements that are prepared keep the plan they were prepared with, unless the columns have
    /// changed: then they are forgotten, and the client must prepare them again. Portals keep theirs.
    pub fn reconfigure(&mut self, context: Arc<Context>) {
        let columns_changed = !Arc::ptr_eq(&self.context.planners, &context.planners);
        let own = match self.openings.own_client_id == self.context.client_id {
            true => context.client_id.clone(),
            false => self.openings.own_client_id.clone(),
        };
        self.context = context;
        self.identify(own);
        self.openings.keyring = Keyring::default();
        if columns_changed {
            self.registry.forget_statements();
            self.planner = Arc::clone(self.context.planners.base());
            self.catalog = match self.catalog.take() {
                Some(former) if self.context.asks_database() => {
                    self.context.planners.catalog(former.name())
                }
                _ => None,
            };
            self.catalog_seen = 0;
        }
    }

    /// Whether some column is protected from this client.
    fn protects(&self) -> bool {
        self.context.protects && !self.openings.ignored
    }

    /// Ends the session; the client is told why unless a message of the server is half sent.
    fn close(&mut self, error: ClientError, out: &mut Output<'_>) -> Step {
        self.abort(error, out);
        Step::Do(Effect::Close)
    }

    /// A peer sent what the protocol does not allow.
    fn violation(
        &mut self,
        side: Side,
        expected: &'static str,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Step {
        cx.events.push(Event::Protocol { side, expected });
        self.close(ClientError::malformed(side, expected), out)
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
        match answer {
            Answer::Keys(client_id, keys) => self.openings.keyring.insert(client_id, keys),
            Answer::Tokens(Side::Client, answers) => self.openings.tokens = Some(answers),
            Answer::Tokens(Side::Server, answers) => self.opened_tokens.insert(answers),
        }
    }

    fn client_secured(&mut self, client_id: Result<Option<ClientId>, ClientError>) {
        self.secured = true;
        match client_id {
            Ok(None) => {}
            Ok(client_id) => self.identify(client_id),
            Err(error) => self.turn_away(error),
        }
    }

    fn server_dialled(&mut self, outcome: Result<(), String>, out: &mut Output<'_>) {
        match outcome {
            Ok(()) => self.phase = Phase::Dialled,
            Err(reason) => self.abort(
                ClientError::fatal("08001", format!("acra-server cannot reach the database: {reason}"))
                    .hint("Check that the database runs and that --db_host and --db_port of acra-server are right."),
                out,
            ),
        }
    }

    /// The database's side is encrypted before the session has it.
    fn server_secured(&mut self, _: Result<(), String>, _: &mut Output<'_>) {}

    fn server_closed(&mut self, out: &mut Output<'_>, cx: &mut Cx<'_>) {
        if !self.ending && self.phase != Phase::Closed {
            cx.events.push(Event::ServerLost);
            self.abort(
                ClientError::fatal(
                    "08006",
                    "the database closed the connection to acra-server unexpectedly",
                )
                .hint("Connect again; whether the last statement took effect is not known."),
                out,
            );
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
