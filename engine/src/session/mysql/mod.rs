//! A MySQL or MariaDB session (specification: MySQL source documentation, "Client/Server Protocol"; MariaDB documentation of
//! the same name; mysql.md).
//!
//! `connect` takes the greeting and the client's first message, `auth` what follows up to the server's consent, `commands`
//! what the client sends then, `responses` what the server answers; `opening` opens rows. [`MySqlSession`] holds the state
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
mod opening;
mod options;
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

use super::admission::Admission;
use super::ending::Ending;
use super::openings::Openings;
use super::planning::Planning;
use super::tokens::OpenedTokens;
use super::{
    Activity, Answer, ClientError, Context, Cx, Effect, Event, Input, Output, Session, Step,
};
use crate::keys::ClientId;
use crate::plan::Scratch;
use crate::wire::mysql::Capabilities;
use crate::wire::mysql::ok::Status;
pub use codes::number_and_state;
use compression::Agreed;
pub use compression::Compression;
use connect::Connecting;
use ledger::Ledger;
use load::Loading;
pub use options::{DatabaseTls, MixedTls, Options};
use own::Question;
use packets::{Numbers, Passing};
use registry::Registry;
use settings::Settings;
use std::sync::Arc;

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
    options: Arc<Options>,
    phase: Phase,
    openings: Openings,
    /// A user is told of what it may use, so what one user hears serves the sessions of that user alone.
    planning: Planning,
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
    sql: Scratch,
    admission: Admission,
    /// The client's connection does not leave this machine by its nature.
    local: bool,
    /// The database's connection is encrypted.
    database_secured: bool,
    /// Of the last authentication.
    scramble: Box<[u8]>,
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
    pub fn new(context: Arc<Context>, options: Arc<Options>) -> Self {
        Self {
            openings: Openings::new(&context),
            planning: Planning::new(&context),
            asks: None,
            measuring: false,
            mariadb: false,
            announced_version: None,
            settings: Settings::default(),
            charset: settings::UTF8MB4,
            utf8: true,
            opened_tokens: OpenedTokens::default(),
            sql: Scratch::default(),
            context,
            options,
            phase: Phase::New,
            admission: Admission::default(),
            local: false,
            database_secured: false,
            scramble: Box::default(),
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
        }
    }

    /// The same session with a number for its events.
    #[must_use]
    pub fn numbered(mut self, number: u64) -> Self {
        self.openings.identity.number(number);
        self
    }

    /// The same session of a client that does not come by a network, if so.
    #[must_use]
    pub fn local(self, local: bool) -> Self {
        Self { local, ..self }
    }

    /// Answers the client with this error, without troubling the database if it has not been yet.
    pub fn turn_away(&mut self, error: ClientError) {
        self.admission.turn_away(error);
    }

    /// Takes a new snapshot.
    pub fn reconfigure(&mut self, context: Arc<Context>, options: Arc<Options>) {
        let columns_changed = self.planning.reconfigure(&self.context, &context);
        self.openings.reconfigure(&self.context, &context);
        self.context = context;
        self.options = options;
        if columns_changed {
            self.registry.forget_plans();
        }
    }

    /// Whether some column is protected from this client.
    fn protects(&self) -> bool {
        self.openings.protects(&self.context)
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
            Phase::New => match self.admission.refusal() {
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
        self.openings.resume(answer, &mut self.opened_tokens);
    }

    fn client_secured(&mut self, client_id: Result<Option<ClientId>, ClientError>) {
        if let Some(own) = self.admission.secured(client_id) {
            self.openings.identity.certified(own, &self.context);
        }
    }

    fn server_dialled(&mut self, outcome: Result<(), String>, out: &mut Output<'_>) {
        match outcome {
            Ok(()) => self.phase = Phase::Greeting,
            Err(reason) => self.abort(ClientError::unreachable_database(&reason), out),
        }
    }

    fn server_secured(&mut self, outcome: Result<(), String>, out: &mut Output<'_>) {
        match outcome {
            Ok(()) => {
                self.phase = Phase::Secured;
                self.database_secured = true;
            }
            Err(reason) => self.abort(ClientError::unreachable_database(&reason), out),
        }
    }

    /// As with the server itself, an open connection ends without a word: the client's driver knows best what that means.
    fn server_closed(&mut self, out: &mut Output<'_>, cx: &mut Cx<'_>) {
        if !self.ending && self.phase != Phase::Closed {
            cx.events.push(Event::ServerLost);
            if !self.welcome {
                self.abort(ClientError::lost_database(), out);
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
