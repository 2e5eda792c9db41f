//! What sessions get from the process: the database, keys, the log.

use crate::report::{self, Report};
use crate::settings::{Settings, StartError};
use acra_engine::columns::Columns;
use acra_engine::keys::ClientId;
use acra_engine::plan::Planner;
use acra_engine::session::pg::{Context, PgSession};
use acra_engine::session::{Answer, Ask, Event, KeyFault, Side};
use acra_net::{Budget, Handler, Services, pump};
use acra_stores::{FileKeyStore, KeyCache, KeyStoreError};
use acra_telemetry::metrics::Metrics;
use acra_telemetry::{Level, Logger, codes};
use std::collections::BTreeSet;
use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// Longest wait for the database to accept a connection.
const DIAL_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of all plans together.
const PLAN_CACHE: u64 = 32 << 20;

/// Bytes that all sessions together may hold for messages above the usual buffer size.
const BUFFER_BUDGET: usize = 2 << 30;

/// Shared by all sessions.
pub(crate) struct Service {
    db_host: String,
    db_port: u16,
    context: Arc<Context>,
    keys: Arc<KeyCache>,
    budget: Budget,
    logger: Logger,
    metrics: Arc<Metrics>,
    sessions: AtomicU64,
}

impl Service {
    /// Opens the key store and reads its keys.
    pub(crate) fn new(
        settings: Settings,
        logger: Logger,
        metrics: Arc<Metrics>,
    ) -> Result<Self, StartError> {
        let keys = open_keys(&settings.keys_dir, &logger)?;
        load_keys(&settings, &keys, &logger)?;
        let columns = Arc::new(settings.columns);
        let context = Context {
            protects: !columns.is_empty(),
            planner: Arc::new(Planner::new(columns, settings.unsupported, PLAN_CACHE)),
            client_id: Some(settings.client_id),
            scan: settings.scan,
            limits: settings.limits,
        };
        Ok(Self {
            db_host: settings.db_host,
            db_port: settings.db_port,
            context: Arc::new(context),
            keys: Arc::new(keys),
            budget: Budget::new(BUFFER_BUDGET),
            logger,
            metrics,
            sessions: AtomicU64::new(0),
        })
    }
}

impl Service {
    /// Whose keys the connections use.
    fn client_id(&self) -> &str {
        self.context.client_id.as_ref().map_or("", ClientId::as_str)
    }
}

/// Opens the key store, without reading keys.
pub(crate) fn open_keys(directory: &Path, logger: &Logger) -> Result<KeyCache, StartError> {
    logger.info("Initialising keystore...", &[]);
    let master_key = std::env::var("ACRA_MASTER_KEY").ok();
    let fail = |error: KeyStoreError| {
        StartError::new(codes::KEYSTORE, "Can't open keyStore")
            .caused_by(format!("{}: {error}", directory.display()))
    };
    let store = FileKeyStore::open(directory, master_key.as_deref()).map_err(fail)?;
    Ok(KeyCache::new(store))
}

fn load_keys(settings: &Settings, cache: &KeyCache, logger: &Logger) -> Result<(), StartError> {
    let path = settings.keys_dir.display().to_string();
    cache.load_all().map_err(|error| {
        StartError::new(codes::KEYSTORE, "Failed to cache keystore on start")
            .caused_by(format!("{path}: {error}"))
    })?;
    logger.info("Cached keystore on start successfully", &[]);
    log_notices(cache, logger);
    logger.info("Keystore init OK", &[("path", (&path).into())]);
    warn_missing(settings, cache, logger);
    Ok(())
}

/// Logs what the key store found that stops nothing: a rotated key that does not open, a file that others can read.
pub(crate) fn log_notices(keys: &KeyCache, logger: &Logger) {
    for notice in keys.take_notices() {
        let path = notice.path.display().to_string();
        let fields = [codes::code(codes::KEYS), ("path", (&path).into())];
        if notice.is_error {
            logger.error(&notice.message, &fields);
        } else {
            logger.warning(&notice.message, &fields);
        }
    }
}

/// A client without keys can connect, but not write; better to hear of it now.
fn warn_missing(settings: &Settings, cache: &KeyCache, logger: &Logger) {
    for id in wanted_clients(&settings.columns, Some(&settings.client_id)) {
        let known = ClientId::new(id).is_ok_and(|id| cache.load(&id).is_ok());
        if !known {
            logger.warning(
                "No storage key for this client: its columns cannot be written",
                &[codes::code(codes::KEYS), ("client_id", id.into())],
            );
        }
    }
}

/// The client ids that the configuration names, in order.
pub(crate) fn wanted_clients<'a>(
    columns: &'a Columns,
    own: Option<&'a ClientId>,
) -> BTreeSet<&'a str> {
    let by_column = columns.tables().flat_map(|table| table.settings());
    by_column
        .filter_map(|setting| setting.client_id.as_deref())
        .chain(own.map(ClientId::as_str))
        .collect()
}

impl Services for Service {
    async fn dial(&self) -> Result<TcpStream, String> {
        let connecting = TcpStream::connect((&*self.db_host, self.db_port));
        let outcome = match tokio::time::timeout(DIAL_TIMEOUT, connecting).await {
            Ok(Ok(socket)) => socket.set_nodelay(true).map(|()| socket),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(std::io::ErrorKind::TimedOut.into()),
        };
        outcome.map_err(|error| {
            let error = error.to_string();
            self.logger.error(
                "Can't connect to db",
                &[
                    codes::code(codes::DATABASE_CONNECT),
                    ("error", (&error).into()),
                ],
            );
            error
        })
    }

    fn answer(&self, Ask::Keys(client_id): Ask) -> impl Future<Output = Answer> + Send + 'static {
        let keys = Arc::clone(&self.keys);
        let logger = self.logger.clone();
        async move {
            let outcome = match ClientId::new(&client_id) {
                Err(_) => Err(KeyFault::Missing),
                Ok(id) => match keys.cached(&id) {
                    Some(keys) => Ok(keys),
                    None => load(keys, id, logger).await,
                },
            };
            Answer::Keys(client_id, outcome)
        }
    }

    fn event(&self, event: Event) {
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
}

/// Reads a client's keys where blocking does no harm.
async fn load(
    keys: Arc<KeyCache>,
    id: ClientId,
    logger: Logger,
) -> Result<Arc<acra_engine::keys::ClientKeys>, KeyFault> {
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

impl Handler for Service {
    async fn serve(&self, client: TcpStream, from: SocketAddr) {
        let number = self.sessions.fetch_add(1, Ordering::Relaxed) + 1;
        let _open = self.metrics.connection();
        let verbose = self.logger.is_enabled(Level::Info);
        if verbose {
            Report(&self.logger).opened(number, self.client_id(), from);
        }
        let session = PgSession::new(Arc::clone(&self.context));
        let end = pump(client, session, self, &self.budget).await;
        if verbose {
            Report(&self.logger).closed(number, self.client_id(), &end);
        }
    }
}
