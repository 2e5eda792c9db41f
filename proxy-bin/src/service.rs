//! What sessions get from the process: the database, keys, the log.

use crate::report::{self, Report};
use crate::settings::{Protocol, Settings, StartError};
use crate::snapshot::{Snapshot, log_notices};
use crate::tokens::{self, key_fault, warn_volatile};
use acra_engine::keys::{ClientId, ClientKeys};
use acra_engine::session::mysql::MySqlSession;
use acra_engine::session::pg::PgSession;
use acra_engine::session::{Answer, Ask, ClientError, ClientTls, Event, KeyFault, Session, Side};
use acra_net::tls::HANDSHAKE_DEADLINE;
use acra_net::{
    Budget, End, Handler, Lifecycle, Peer, Rewound, SecuredClient, Services, Terms, Transport, pump,
};
use acra_stores::KeyCache;
use acra_stores::tokens::TokenStore;
use acra_telemetry::metrics::Metrics;
use acra_telemetry::{Level, Logger, codes};
use arc_swap::ArcSwap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tokio::time::timeout;

/// Bytes that all sessions together may hold for messages above the usual buffer size.
const BUFFER_BUDGET: usize = 2 << 30;

/// Shared by all sessions.
pub(crate) struct Service {
    settings: Settings,
    snapshot: ArcSwap<Snapshot>,
    tokens: Arc<TokenStore>,
    /// Number of the snapshot; sessions compare it with that of theirs.
    generation: AtomicU64,
    terms: Terms,
    logger: Logger,
    metrics: Arc<Metrics>,
    sessions: AtomicU64,
}

impl Service {
    /// Reads the encryptor configuration and the keys.
    pub(crate) fn new(
        settings: Settings,
        logger: Logger,
        metrics: Arc<Metrics>,
    ) -> Result<Self, StartError> {
        let snapshot = Snapshot::load(&settings, None, &logger)?;
        let tokens = settings.tokens.open(&logger)?;
        warn_volatile(&snapshot.columns, &tokens, &logger);
        Ok(Self {
            tokens: Arc::new(tokens),
            snapshot: ArcSwap::from_pointee(snapshot),
            generation: AtomicU64::new(0),
            terms: Terms {
                budget: Budget::new(BUFFER_BUDGET),
                limits: settings.time_limits,
                lifecycle: Lifecycle::default(),
            },
            settings,
            logger,
            metrics,
            sessions: AtomicU64::new(0),
        })
    }

    pub(crate) fn lifecycle(&self) -> &Lifecycle {
        &self.terms.lifecycle
    }

    /// Tries what the flags name and only connections would: a fault is told at start.
    pub(crate) async fn probe(&self) {
        if let Err(error) = self.tokens.probe().await {
            tokens::unavailable(&error, &self.logger);
        }
        tokens::warn(&self.tokens, &self.logger);
        let tls = Arc::clone(&self.snapshot.load().tls);
        tls.probe().await;
    }

    /// Reads everything again that a reload may change. What cannot be read leaves things as they are.
    pub(crate) fn reload(&self) {
        let former = self.snapshot.load();
        match Snapshot::load(&self.settings, Some(&former), &self.logger) {
            Ok(snapshot) => {
                self.snapshot.store(Arc::new(snapshot));
                self.generation.fetch_add(1, Ordering::Release);
                self.logger.info(
                    "Reloaded",
                    &[("parts", "configuration, keys, certificates".into())],
                );
            }
            Err(error) => {
                let cause = error.cause.unwrap_or_default();
                self.logger.error(
                    "Reload failed, previous state kept",
                    &[
                        codes::code(error.code),
                        ("reason", (&error.message).into()),
                        ("error", (&cause).into()),
                    ],
                );
            }
        }
    }
}

impl Service {
    async fn dial_plain(&self) -> Result<Transport, String> {
        let dialled = self.settings.upstream.dial(self.settings.time_limits.write);
        dialled.await.map_err(|error| error.to_string())
    }

    async fn dial_database(&self, client_is_encrypted: bool) -> Result<Transport, String> {
        let connection = self.dial_plain().await?;
        // MySQL is asked for TLS later, by its session.
        if self.settings.protocol == Protocol::MySql {
            return Ok(connection);
        }
        let tls = Arc::clone(&self.snapshot.load().tls);
        if !tls.asks_database(client_is_encrypted) || connection.is_local() {
            return Ok(connection);
        }
        match tls.secure_database(connection).await? {
            Some(connection) => Ok(connection),
            None => self.dial_plain().await,
        }
    }

    async fn secure_client(
        &self,
        client: Rewound<Transport>,
        direct: bool,
    ) -> Result<SecuredClient, String> {
        let tls = Arc::clone(&self.snapshot.load().tls);
        let outcome = tls.secure_client(client, direct).await;
        match &outcome {
            Ok(secured) => {
                if let Ok(Some(id)) = &secured.client_id {
                    let fields = [("client_id", id.as_str().into())];
                    self.logger.info("Set new clientID", &fields);
                }
            }
            Err(error) => self.logger.error(
                "Error in tls handshake with client",
                &[codes::code(codes::TLS), ("error", error.into())],
            ),
        }
        outcome
    }

    /// Takes a client that begins with TLS at once, without asking (PostgreSQL 17's `sslnegotiation=direct`).
    async fn begin(&self, client: Transport, session: &mut PgSession) -> Result<Transport, String> {
        if self.snapshot.load().tls.client_mode() == ClientTls::Disabled {
            return Ok(client);
        }
        let patience = self
            .settings
            .time_limits
            .startup
            .unwrap_or(HANDSHAKE_DEADLINE);
        match timeout(patience, client.begins_with_tls()).await {
            Ok(true) => {
                let SecuredClient {
                    transport,
                    client_id,
                } = self
                    .secure_client(Rewound::new(Vec::new(), client), true)
                    .await?;
                session.client_secured(client_id);
                Ok(transport)
            }
            Ok(false) => Ok(client),
            Err(_) => Err("nothing was sent".to_owned()),
        }
    }
}

/// A session that a reload brings up to date.
trait Refreshed: Session {
    /// Takes what it needs of a snapshot.
    fn take(&mut self, snapshot: &Snapshot);
}

impl Refreshed for PgSession {
    fn take(&mut self, snapshot: &Snapshot) {
        self.reconfigure(Arc::clone(&snapshot.context));
    }
}

impl Refreshed for MySqlSession {
    fn take(&mut self, snapshot: &Snapshot) {
        let options = Arc::clone(&snapshot.mysql);
        self.reconfigure(Arc::clone(&snapshot.context), options);
    }
}

impl Service {
    fn log_unreachable(&self, error: &String) {
        self.logger.error(
            "Can't connect to db",
            &[
                codes::code(codes::DATABASE_CONNECT),
                ("error", error.into()),
            ],
        );
    }
}

impl<S: Refreshed> Services<S> for Service {
    async fn dial(&self, client_is_encrypted: bool) -> Result<Transport, String> {
        let dialled = self.dial_database(client_is_encrypted).await;
        dialled.inspect_err(|error| self.log_unreachable(error))
    }

    async fn secure(&self, client: Transport, unread: Vec<u8>) -> Result<SecuredClient, String> {
        self.secure_client(Rewound::new(unread, client), false)
            .await
    }

    async fn secure_server(&self, server: Transport) -> Result<Transport, String> {
        let tls = Arc::clone(&self.snapshot.load().tls);
        let secured = tls.secure_asked_database(server).await;
        secured.inspect_err(|error| self.log_unreachable(error))
    }

    fn answer(&self, ask: Ask) -> impl Future<Output = Answer> + Send + 'static {
        let keys = Arc::clone(&self.snapshot.load().keys);
        let logger = self.logger.clone();
        let (tokens, metrics) = (Arc::clone(&self.tokens), Arc::clone(&self.metrics));
        async move {
            match ask {
                Ask::Keys(client_id) => {
                    let outcome = match ClientId::new(&client_id) {
                        Err(_) => Err(KeyFault::Missing),
                        Ok(id) => keys_of(keys, id, logger).await,
                    };
                    Answer::Keys(client_id, outcome)
                }
                Ask::Tokens(side, requests) => {
                    let mut keyring = Vec::new();
                    for id in tokens::clients(&requests) {
                        let loaded = keys_of(Arc::clone(&keys), id.clone(), logger.clone()).await;
                        keyring.push((id, loaded.map_err(key_fault)));
                    }
                    let answers =
                        tokens::answer(&tokens, requests, keyring, &metrics, &logger).await;
                    Answer::Tokens(side, answers)
                }
            }
        }
    }

    fn event(&self, event: Event) {
        if let Event::Poison {
            session,
            client_id,
            statement,
        } = &event
        {
            let poison = &self.settings.poison;
            poison.met(
                &self.logger,
                *session,
                client_id.as_ref(),
                statement.as_deref(),
            );
        }
        report::count(&self.metrics, &event);
        Report(&self.logger).event(event);
    }

    fn clock(&self) -> Option<Instant> {
        self.metrics.measures().then(Instant::now)
    }

    fn handled(&self, from: Side, since: Instant) {
        match from {
            Side::Client => self.metrics.request(since.elapsed()),
            Side::Server => self.metrics.response(since.elapsed()),
        }
    }

    fn refresh(&self, session: &mut S, seen: &mut u64) {
        let generation = self.generation.load(Ordering::Acquire);
        if *seen != generation {
            session.take(&self.snapshot.load());
            *seen = generation;
        }
    }
}

/// A client's keys, out of the cache or the key store.
async fn keys_of(
    keys: Arc<KeyCache>,
    id: ClientId,
    logger: Logger,
) -> Result<Arc<ClientKeys>, KeyFault> {
    match keys.cached(&id) {
        Some(keys) => Ok(keys),
        None => load(keys, id, logger).await,
    }
}

/// Reads a client's keys where blocking does no harm.
async fn load(
    keys: Arc<KeyCache>,
    id: ClientId,
    logger: Logger,
) -> Result<Arc<ClientKeys>, KeyFault> {
    let loading = tokio::task::spawn_blocking({
        let logger = logger.clone();
        move || {
            let loaded = keys.load(&id);
            log_notices(&keys, &logger);
            loaded
        }
    });
    match loading.await {
        Ok(Ok(keys)) => Ok(keys),
        Ok(Err(error)) => {
            let missing = error.is_missing();
            let error = error.to_string();
            logger.error(
                "Can't read keys",
                &[codes::code(codes::KEYS), ("error", (&error).into())],
            );
            Err(if missing {
                KeyFault::Missing
            } else {
                KeyFault::Unavailable
            })
        }
        Err(_) => Err(KeyFault::Unavailable),
    }
}

impl Service {
    async fn serve_postgresql(&self, client: Transport, number: u64, is_above_limit: bool) -> End {
        let context = Arc::clone(&self.snapshot.load().context);
        let mut session = PgSession::new(context).numbered(number);
        if is_above_limit {
            session.turn_away(self.too_many("sorry, too many clients already"));
        }
        // Boxed: a session does not carry room for a handshake that is over.
        match Box::pin(self.begin(client, &mut session)).await {
            Ok(client) => pump(client, session, self, &self.terms).await,
            Err(error) => End::NotSecured(error),
        }
    }

    async fn serve_mysql(&self, client: Transport, number: u64, is_above_limit: bool) -> End {
        let snapshot = self.snapshot.load_full();
        let options = Arc::clone(&snapshot.mysql);
        let mut session = MySqlSession::new(Arc::clone(&snapshot.context), options)
            .numbered(number)
            .local(client.is_local());
        if is_above_limit {
            session.turn_away(self.too_many("Too many connections"));
        }
        pump(client, session, self, &self.terms).await
    }

    fn too_many(&self, message: &str) -> ClientError {
        let limit = self.settings.max_connections;
        ClientError::fatal("53300", message).hint(format!(
            "acra-server serves {limit} clients at a time (--max_connections)."
        ))
    }
}

impl Handler for Service {
    async fn serve(&self, client: Transport, from: Peer, is_above_limit: bool) {
        let number = self.sessions.fetch_add(1, Ordering::Relaxed) + 1;
        let _open = self.metrics.connection();
        let verbose = self.logger.is_enabled(Level::Info);
        let client_id = self.snapshot.load().context.client_id.clone();
        let client_id = client_id.filter(|_| verbose);
        let report = Report(&self.logger);
        if verbose {
            report.opened(number, client_id.as_ref(), from);
        }
        let end = match self.settings.protocol {
            Protocol::PostgreSql => self.serve_postgresql(client, number, is_above_limit).await,
            Protocol::MySql => self.serve_mysql(client, number, is_above_limit).await,
        };
        if verbose {
            report.closed(number, client_id.as_ref(), &end);
        }
    }
}
