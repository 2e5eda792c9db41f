//! A MySQL or MariaDB session (specification: MySQL source documentation, "Client/Server Protocol"; MariaDB documentation of
//! the same name; mysql.md).
//!
//! `connect` takes the greeting and the client's first message, `auth` what follows up to the server's consent, `commands`
//! what the client sends then, `responses` what the server answers; `rows` opens cells. [`MySqlSession`] holds the state
//! they share.
//!
//! `statements`, `parameters` and `load` seal what is stored in protected columns, `definitions` and `planned` show it; `own` asks the
//! database what must be known for that (`settings`, `probe`).

mod auth;
mod case;
mod chosen;
mod codes;
mod columns;
mod commands;
mod compression;
mod connect;
mod definitions;
mod ledger;
mod load;
mod named;
mod own;
mod packets;
mod parameters;
mod password;
mod planned;
mod poison;
mod probe;
mod registry;
mod reply;
mod responses;
mod rows;
mod settings;
mod statements;
mod stored;
mod tokens;
mod withhold;

use super::keyring::Keyring;
use super::openings::Openings;
use super::tokens::OpenedTokens;
use super::{
    Activity, Answer, ClientError, ClientTls, Cx, Effect, Event, Input, Limits, Output, Poison,
    ScanColumns, Session, Side, Step,
};
use crate::crypto::rsa::RsaKey;
use crate::keys::ClientId;
use crate::plan::{Catalog, Claim, Planner, Planners};
use crate::wire::mysql::Capabilities;
use crate::wire::mysql::ok::Status;
pub use codes::number_and_state;
use compression::Agreed;
pub use compression::Compression;
use connect::Connecting;
use ledger::Ledger;
use load::Loading;
use own::Question;
use packets::{Numbers, Passing};
use registry::Registry;
use settings::Settings;
use std::sync::Arc;

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
#[derive(Debug, Clone)]
pub enum MixedTls {
    /// The client gets an error.
    Refuse,
    /// The password ends here, and goes on in the form that the database expects. Clients that hide it do so with this key.
    Terminate(Arc<RsaKey>),
}

/// What all sessions of a server share: an immutable snapshot.
#[derive(Debug)]
pub struct Context {
    /// Plan statements.
    pub planners: Arc<Planners>,
    /// Whether the database is asked what it knows of the configured tables.
    pub schema_probe: bool,
    /// Some column is configured.
    pub protects: bool,
    /// Whose keys open, unless the client's certificate says otherwise.
    pub client_id: Option<ClientId>,
    /// The user variable by which a session chooses its client, with its `@`; `None`: it cannot.
    pub client_id_variable: Option<Box<str>>,
    /// Whether clients encrypt their connections.
    pub client_tls: ClientTls,
    /// Whether the connection with the database is encrypted.
    pub database_tls: DatabaseTls,
    /// What becomes of passwords between a connection that is encrypted and one that is not.
    pub mixed_tls: MixedTls,
    /// Which connections may be compressed.
    pub compression: Compression,
    /// How poison records are looked for, if they are.
    pub poison: Option<Poison>,
    /// Which cells are looked into.
    pub scan: ScanColumns,
    /// Bounds of one session.
    pub limits: Limits,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing has happened.
    New,
    /// The database speaks first.
    Greeting,
    /// The client's first message, which may be a request for TLS.
    Hello,
    /// That message waits at the front of the input for the connection with the database to be encrypted.
    Securing,
    /// It can be passed on.
    Secured,
    /// Commands and their answers, the first of which is the server's consent.
    Live,
    /// Over.
    Closed,
}

/// One client's session.
#[derive(Debug)]
pub struct MySqlSession {
    context: Arc<Context>,
    /// Number by which the shell knows the session.
    number: u64,
    phase: Phase,
    openings: Openings,
    /// Whose keys the session has chosen to use.
    chosen: Option<ClientId>,
    /// Who is logged in.
    user: Box<[u8]>,
    /// What is known of the database.
    catalog: Option<Arc<Catalog>>,
    /// State of the catalog that `planner` is of; zero: of none.
    catalog_seen: u64,
    planner: Arc<Planner>,
    /// The database is being asked about its tables.
    claim: Option<Claim>,
    /// What must be asked before the next text.
    asks: Option<Question>,
    /// The client's message has something too long in it by what was known, and is judged again by what the database says now.
    measuring: bool,
    /// The server is MariaDB.
    mariadb: bool,
    /// The version that it greets with, as comments write it.
    announced_version: Option<u32>,
    settings: Settings,
    /// Number of the character set of results.
    charset: u16,
    /// The client reads UTF-8.
    utf8: bool,
    /// For the rows that have arrived.
    opened_tokens: OpenedTokens,
    sql: crate::plan::Scratch,
    /// The client's connection is encrypted.
    secured: bool,
    /// The client's connection does not leave this machine by its nature.
    local: bool,
    /// The database's connection is encrypted.
    database_secured: bool,
    /// Of the last authentication.
    scramble: Box<[u8]>,
    /// Answers the client instead of the database.
    unwelcome: Option<ClientError>,
    /// What is needed until the client has been let in.
    connecting: Option<Box<Connecting>>,
    /// The client has been let in.
    welcome: bool,
    /// What client and server have agreed on, but for compression.
    capabilities: Capabilities,
    /// What is compressed once the client has been let in.
    compressed: Agreed,
    /// Of the last OK or EOF packet.
    status: Status,
    ledger: Ledger,
    registry: Registry,
    /// The file on its way into a protected table.
    loading: Option<Box<Loading>>,
    /// Numbers of the next packets of the command that the client is sending.
    command: Numbers,
    from_client: Passing,
    from_server: Passing,
    /// The client has said goodbye, or the server has said why it closes.
    ending: bool,
}

impl MySqlSession {
    /// A session before its first byte.
    pub fn new(context: Arc<Context>) -> Self {
        let mut session = Self {
            openings: Openings::default(),
            chosen: None,
            user: Box::default(),
            catalog: None,
            catalog_seen: 0,
            planner: Arc::clone(context.planners.base()),
            claim: None,
            asks: None,
            measuring: false,
            mariadb: false,
            announced_version: None,
            settings: Settings::default(),
            charset: settings::UTF8MB4,
            utf8: true,
            opened_tokens: OpenedTokens::default(),
            sql: crate::plan::Scratch::default(),
            context,
            number: 0,
            phase: Phase::New,
            secured: false,
            local: false,
            database_secured: false,
            scramble: Box::default(),
            unwelcome: None,
            connecting: None,
            welcome: false,
            capabilities: Capabilities::default(),
            compressed: Agreed::default(),
            status: Status::default(),
            ledger: Ledger::default(),
            registry: Registry::default(),
            loading: None,
            command: Numbers::default(),
            from_client: Passing::default(),
            from_server: Passing::default(),
            ending: false,
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

    /// The same session of a client that does not come by a network, if so.
    #[must_use]
    pub fn local(self, local: bool) -> Self {
        Self { local, ..self }
    }

    /// Answers the client with this error, without troubling the database if it has not been yet.
    pub fn turn_away(&mut self, error: ClientError) {
        self.unwelcome = Some(error);
    }

    /// Takes a new snapshot.
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
            self.registry.forget_plans();
            // A question that is under way is answered in vain.
            self.claim = None;
            let user = std::mem::take(&mut self.user);
            self.user_is(&user);
        }
    }

    /// The connection's own client is this one.
    fn identify(&mut self, client_id: Option<ClientId>) {
        let columns = self.context.planners.base().columns();
        self.openings
            .identify(client_id, self.chosen.as_ref(), columns);
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

    /// The number of the next packet to the client.
    fn next_to_client(&mut self) -> u8 {
        match (self.ledger.head(), &self.connecting) {
            (Some(entry), _) => entry.numbers.client,
            (None, Some(connecting)) => connecting.numbers.client,
            (None, None) => 0,
        }
    }
}

impl Session for MySqlSession {
    fn from_client(
        &mut self,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Step {
        match self.phase {
            Phase::New => match self.unwelcome.take() {
                Some(error) => self.close(error, out),
                None => Step::Do(Effect::DialServer),
            },
            Phase::Greeting | Phase::Securing => Step::Blocked,
            Phase::Hello => match self.hello(input, out, cx) {
                Some(step) => step,
                None => self.client_messages(input, out, cx),
            },
            Phase::Secured => match self.pass_hello(input, out, cx) {
                Some(step) => step,
                None => self.client_messages(input, out, cx),
            },
            Phase::Live => self.client_messages(input, out, cx),
            Phase::Closed => Step::Do(Effect::Close),
        }
    }

    fn from_server(
        &mut self,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Step {
        match self.phase {
            Phase::Greeting => self.greeting(input, out, cx),
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
            Ok(()) => self.phase = Phase::Greeting,
            Err(reason) => self.abort(unreachable_database(&reason), out),
        }
    }

    fn server_secured(&mut self, outcome: Result<(), String>, out: &mut Output<'_>) {
        match outcome {
            Ok(()) => {
                self.phase = Phase::Secured;
                self.database_secured = true;
            }
            Err(reason) => self.abort(unreachable_database(&reason), out),
        }
    }

    /// As with the server itself, an open connection ends without a word: the client's driver knows best what that means.
    fn server_closed(&mut self, out: &mut Output<'_>, cx: &mut Cx<'_>) {
        if !self.ending && self.phase != Phase::Closed {
            cx.events.push(Event::ServerLost);
            if !self.welcome {
                self.abort(
                    ClientError::fatal(
                        "08006",
                        "the database closed the connection to acra-server unexpectedly",
                    ),
                    out,
                );
            }
        }
        self.phase = Phase::Closed;
    }

    fn abort(&mut self, error: ClientError, out: &mut Output<'_>) {
        if self.phase != Phase::Closed && !self.from_server.is_under_way() {
            let number = self.next_to_client();
            let knows_states = !matches!(self.phase, Phase::New | Phase::Greeting);
            out.to_client
                .push(codes::packet(&error, number, knows_states));
        }
        self.phase = Phase::Closed;
    }

    fn activity(&self) -> Activity {
        if !self.welcome {
            Activity::Starting
        } else if !self.ledger.is_empty() || self.from_client.is_under_way() {
            Activity::Busy
        } else if self.status.is_in_transaction() {
            Activity::IdleInTransaction
        } else {
            Activity::Idle
        }
    }
}

fn unreachable_database(reason: &str) -> ClientError {
    let message = format!("acra-server cannot reach the database: {reason}");
    ClientError::fatal("08001", message).hint(
        "Check that the database runs and that --db_host and --db_port of acra-server are right.",
    )
}
