//! Values of flags → settings that are known to be usable.

use crate::address;
use crate::poison::PoisonSettings;
use crate::tls::TlsSettings;
use crate::tokens::TokenPlace;
use crate::upstream::Upstream;
use acra_cli::Parsed;
use acra_engine::crypto::rsa::RsaKey;
use acra_engine::keys::ClientId;
use acra_engine::plan::{Unsupported, is_variable};
use acra_engine::session::mysql::{Compression, MixedTls};
use acra_engine::session::{Limits, ScanColumns};
use acra_net::TimeLimits;
use acra_stores::CacheSize;
use acra_telemetry::{Destinations, Format, Logger, codes};
use std::fmt::Display;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// Why the server does not start.
#[derive(Debug)]
pub(crate) struct StartError {
    pub(crate) code: u32,
    pub(crate) message: String,
    pub(crate) cause: Option<String>,
}

impl StartError {
    pub(crate) fn new(code: u32, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            cause: None,
        }
    }

    pub(crate) fn caused_by(mut self, cause: impl Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }
}

/// Everything that is in the way of a start.
#[derive(Debug, Default)]
pub(crate) struct Problems(pub(crate) Vec<StartError>);

impl Problems {
    /// The value, or nothing and one more problem.
    pub(crate) fn keep<T>(&mut self, outcome: Result<T, StartError>) -> Option<T> {
        outcome.map_err(|error| self.0.push(error)).ok()
    }
}

impl From<StartError> for Problems {
    fn from(error: StartError) -> Self {
        Self(vec![error])
    }
}

/// What the server runs with.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) listen: Listen,
    pub(crate) threads: usize,
    pub(crate) max_connections: usize,
    /// How long sessions that are not idle may go on when the process is to end.
    pub(crate) drain: Duration,
    pub(crate) time_limits: TimeLimits,
    pub(crate) protocol: Protocol,
    pub(crate) upstream: Upstream,
    /// What becomes of MySQL's passwords between unequal connections.
    pub(crate) mixed_tls: MixedTls,
    /// Which connections of MySQL may be compressed.
    pub(crate) compression: Compression,
    pub(crate) tls: TlsSettings,
    pub(crate) tokens: TokenPlace,
    pub(crate) keys_dir: PathBuf,
    pub(crate) cache: CacheSettings,
    pub(crate) encryptor_config: Option<PathBuf>,
    /// As it was given; see [`Settings::client_id`].
    client_id: String,
    pub(crate) unsupported: Unsupported,
    pub(crate) poison: PoisonSettings,
    /// Whether databases are asked about the configured tables.
    pub(crate) schema_probe: bool,
    /// The variable of SQL by which a session chooses its client.
    pub(crate) client_id_variable: Option<Box<str>>,
    pub(crate) scan: ScanColumns,
    pub(crate) limits: Limits,
}

/// Which keys are kept in memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CacheSettings {
    pub(crate) size: CacheSize,
    /// Whether all keys are read at the start and at a reload.
    pub(crate) on_start: bool,
}

/// What is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Protocol {
    #[default]
    PostgreSql,
    MySql,
}

/// Where clients connect.
#[derive(Debug, Clone)]
pub(crate) enum Listen {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// The log, as the flags ask for it.
pub(crate) fn logger(parsed: &Parsed) -> Result<Logger, StartError> {
    let file = Some(parsed.text("log_to_file")).filter(|path| !path.is_empty());
    let destinations = Destinations {
        console: parsed.boolean("log_to_console"),
        file: file.map(Path::new),
    };
    log_to(parsed, destinations).map_err(|error| unwritable_log(&file.unwrap_or_default(), error))
}

/// The log of a run that serves nobody: on standard error, whatever the flags say.
pub(crate) fn console_logger(parsed: &Parsed) -> std::io::Result<Logger> {
    let console = Destinations {
        console: true,
        file: None,
    };
    log_to(parsed, console)
}

fn log_to(parsed: &Parsed, destinations: Destinations<'_>) -> std::io::Result<Logger> {
    let format = Format::from_name(parsed.text("logging_format"));
    Logger::new(
        "acra-server",
        env!("CARGO_PKG_VERSION"),
        format,
        destinations,
    )
}

/// The log cannot go where `--log_to_file` says.
pub(crate) fn unwritable_log(path: &dyn Display, error: std::io::Error) -> StartError {
    StartError::new(
        codes::CANNOT_START,
        format!("--log_to_file: cannot open {path}: {error}"),
    )
}

impl Settings {
    /// Judges every flag, so that all that is wrong is told at once.
    pub(crate) fn new(parsed: &Parsed) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let protocol = problems.keep(protocol(parsed));
        let mixed_tls = problems.keep(mixed_tls(parsed));
        let compression = problems.keep(compression(parsed));
        let db_host = problems.keep(db_host(parsed));
        let listen = problems.keep(listen(parsed));
        let threads = problems.keep(threads(parsed));
        let max_connections = problems.keep(max_connections(parsed));
        let drain = problems.keep(seconds(parsed, "incoming_connection_close_timeout"));
        let startup = problems.keep(seconds(parsed, "startup_timeout"));
        let idle = problems.keep(seconds(parsed, "idle_timeout"));
        let write = problems.keep(seconds(parsed, "write_timeout"));
        let cache = problems.keep(cache(parsed));
        let tls = problems.keep(TlsSettings::new(parsed, parsed.text("db_host")));
        let db_port = problems.keep(port(parsed, "db_port"));
        let unsupported = problems.keep(unsupported(parsed));
        let schema_probe = problems.keep(schema_probe(parsed));
        let client_id_variable = problems.keep(client_id_variable(parsed));
        let poison = problems.keep(PoisonSettings::new(parsed));
        let scan = problems.keep(scan(parsed));
        let tokens = problems.keep(TokenPlace::new(parsed));
        let max_row = problems.keep(size(parsed, "max_container"));
        let complete = || {
            Some(Self {
                listen: listen?,
                threads: threads?,
                max_connections: max_connections?,
                drain: drain?.unwrap_or_default(),
                time_limits: TimeLimits {
                    startup: startup?,
                    idle: idle?,
                    write: write?,
                },
                tls: tls?,
                mixed_tls: mixed_tls?,
                compression: compression?,
                protocol: protocol?,
                upstream: Upstream::new(db_host?, db_port?, protocol?),
                cache: cache?,
                tokens: tokens?,
                keys_dir: parsed.text("keys_dir").into(),
                encryptor_config: encryptor_config(parsed),
                client_id: parsed.text("client_id").to_owned(),
                unsupported: unsupported?,
                schema_probe: schema_probe?,
                client_id_variable: client_id_variable?,
                poison: poison?,
                scan: scan?,
                limits: Limits {
                    max_row: max_row?,
                    ..Limits::default()
                },
            })
        };
        complete().ok_or(problems)
    }

    /// The client id of connections whose certificate gives none. There must be one source of ids.
    ///
    /// Looked at after the columns and the keys, as their faults come first (cli.md 11.1).
    pub(crate) fn client_id(&self) -> Result<Option<ClientId>, StartError> {
        match &*self.client_id {
            "" if self.tls.identifies_clients() => Ok(None),
            "" => Err(StartError::new(
                codes::TRANSPORT,
                "Configuration error: without encryption you must set <client_id> which will be used to connect to AcraServer",
            )),
            id => ClientId::new(id).map(Some).map_err(|error| {
                StartError::new(
                    codes::INVALID_CLIENT_ID,
                    "Cannot be configured static clientID",
                )
                .caused_by(error)
            }),
        }
    }
}

/// Where the encryptor configuration is, if there is one.
pub(crate) fn encryptor_config(parsed: &Parsed) -> Option<PathBuf> {
    path(parsed, "encryptor_config_file")
}

/// The path that a flag gives; none if it is empty.
pub(crate) fn path(parsed: &Parsed, flag: &str) -> Option<PathBuf> {
    Some(parsed.text(flag))
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
}

/// What is spoken: PostgreSQL's protocol, as without any choice, or MySQL's.
pub(crate) fn protocol(parsed: &Parsed) -> Result<Protocol, StartError> {
    match (
        parsed.boolean("postgresql_enable"),
        parsed.boolean("mysql_enable"),
    ) {
        (true, true) => Err(StartError::new(
            codes::WRONG_CONFIGURATION,
            "only one db supported at one time: --postgresql_enable and --mysql_enable exclude each other",
        )),
        (_, true) => Ok(Protocol::MySql),
        (_, false) => Ok(Protocol::PostgreSql),
    }
}

fn mixed_tls(parsed: &Parsed) -> Result<MixedTls, StartError> {
    match parsed.text("mysql_auth_mixed_tls") {
        "terminate" if parsed.boolean("mysql_enable") => {
            rsa_key(parsed).map(|key| MixedTls::Terminate(Arc::new(key)))
        }
        "terminate" | "refuse" => Ok(MixedTls::Refuse),
        other => Err(wrong("mysql_auth_mixed_tls", other, "terminate or refuse")),
    }
}

fn rsa_key(parsed: &Parsed) -> Result<RsaKey, StartError> {
    let fail = |message: String, cause: &dyn Display| {
        StartError::new(codes::TRANSPORT, message).caused_by(cause)
    };
    match path(parsed, "mysql_rsa_key") {
        None => {
            RsaKey::generate().map_err(|error| fail("Can't make an RSA key".to_owned(), &error))
        }
        Some(path) => {
            let message = || format!("--mysql_rsa_key: cannot use {}", path.display());
            let pem = std::fs::read(&path)
                .map(Zeroizing::new)
                .map_err(|error| fail(message(), &error))?;
            RsaKey::from_pem(&pem).map_err(|error| {
                let hint =
                    format!("{error}; openssl pkcs8 -topk8 -nodes makes the form that is read");
                fail(message(), &hint)
            })
        }
    }
}

fn db_host(parsed: &Parsed) -> Result<String, StartError> {
    match parsed.text("db_host") {
        "" => Err(StartError::new(
            codes::WRONG_CONFIGURATION,
            "db_host is empty: you must specify db_host",
        )),
        host => Ok(host.to_owned()),
    }
}

fn compression(parsed: &Parsed) -> Result<Compression, StartError> {
    let (client, database) = match parsed.text("mysql_compression") {
        "off" => (false, false),
        "client" => (true, false),
        "database" => (false, true),
        "both" => (true, true),
        other => {
            let expected = "off, client, database or both";
            return Err(wrong("mysql_compression", other, expected));
        }
    };
    Ok(Compression { client, database })
}

fn unsupported(parsed: &Parsed) -> Result<Unsupported, StartError> {
    match parsed.text("unsupported_statements") {
        "refuse" => Ok(Unsupported::Refuse),
        "observe" => Ok(Unsupported::Observe),
        "forward" => Ok(Unsupported::Forward),
        other => Err(wrong(
            "unsupported_statements",
            other,
            "refuse, observe or forward",
        )),
    }
}

fn client_id_variable(parsed: &Parsed) -> Result<Option<Box<str>>, StartError> {
    match parsed.text("client_id_sql_varname") {
        "" => Ok(None),
        name if parsed.boolean("mysql_enable") && !is_variable(name) => Err(wrong(
            "client_id_sql_varname",
            name,
            "the name of a user variable, such as @app.client_id, with --mysql_enable",
        )),
        name => Ok(Some(name.into())),
    }
}

fn schema_probe(parsed: &Parsed) -> Result<bool, StartError> {
    match parsed.text("schema_probe") {
        "on" => Ok(true),
        "off" => Ok(false),
        other => Err(wrong("schema_probe", other, "on or off")),
    }
}

fn scan(parsed: &Parsed) -> Result<ScanColumns, StartError> {
    match parsed.text("scan_columns") {
        "typed" => Ok(ScanColumns::Typed),
        "all" => Ok(ScanColumns::All),
        other => Err(wrong("scan_columns", other, "typed or all")),
    }
}

/// A flag has a value that is none of its values.
pub(crate) fn wrong(flag: &str, value: impl Display, expected: &str) -> StartError {
    let message = format!("--{flag}: {value} is not one of the possible values: {expected}");
    StartError::new(codes::WRONG_CONFIGURATION, message)
}

fn port(parsed: &Parsed, flag: &str) -> Result<u16, StartError> {
    let value = parsed.integer(flag);
    u16::try_from(value)
        .ok()
        .filter(|port| *port > 0)
        .ok_or_else(|| wrong(flag, value, "a port from 1 to 65535"))
}

fn size(parsed: &Parsed, flag: &str) -> Result<usize, StartError> {
    let value = parsed.integer(flag);
    usize::try_from(value)
        .ok()
        .filter(|bytes| (4096..=1 << 30).contains(bytes))
        .ok_or_else(|| wrong(flag, value, "a number of bytes from 4096 to 1073741824"))
}

fn max_connections(parsed: &Parsed) -> Result<usize, StartError> {
    let value = parsed.integer("max_connections");
    usize::try_from(value)
        .ok()
        .filter(|count| (1..=1_000_000).contains(count))
        .ok_or_else(|| wrong("max_connections", value, "a number from 1 to 1000000"))
}

/// A number of seconds; none for 0.
fn seconds(parsed: &Parsed, flag: &str) -> Result<Option<Duration>, StartError> {
    let value = parsed.integer(flag);
    match u64::try_from(value) {
        Ok(0) => Ok(None),
        Ok(seconds) if seconds <= 365 * 24 * 3600 => Ok(Some(Duration::from_secs(seconds))),
        _ => Err(wrong(flag, value, "a number of seconds from 0 to 31536000")),
    }
}

fn cache(parsed: &Parsed) -> Result<CacheSettings, StartError> {
    let value = parsed.integer("keystore_cache_size");
    let size = match (value, usize::try_from(value).map(NonZeroUsize::new)) {
        (-1, _) => CacheSize::None,
        (_, Ok(None)) => CacheSize::Unlimited,
        (_, Ok(Some(clients))) => CacheSize::Clients(clients),
        (_, Err(_)) => {
            let expected = "a number of clients, 0 for all, -1 for none";
            return Err(wrong("keystore_cache_size", value, expected));
        }
    };
    let on_start = parsed.boolean("keystore_cache_on_start_enable");
    if on_start && size == CacheSize::None {
        return Err(StartError::new(
            codes::WRONG_CONFIGURATION,
            "Can't cache on start with disabled cache: --keystore_cache_size=-1 needs --keystore_cache_on_start_enable=false",
        ));
    }
    Ok(CacheSettings { size, on_start })
}

fn threads(parsed: &Parsed) -> Result<usize, StartError> {
    match parsed.integer("runtime_threads") {
        0 => Ok(std::thread::available_parallelism().map_or(1, Into::into)),
        value => usize::try_from(value)
            .ok()
            .filter(|threads| *threads <= 1024)
            .ok_or_else(|| {
                wrong(
                    "runtime_threads",
                    value,
                    "0 (one per core) or a number up to 1024",
                )
            }),
    }
}

/// The address of `incoming_connection_string`, unless host or port are given apart (cli.md 11).
fn listen(parsed: &Parsed) -> Result<Listen, StartError> {
    const DEFAULT: (&str, i64) = ("0.0.0.0", 9393);
    let apart = (
        parsed.text("incoming_connection_host"),
        parsed.integer("incoming_connection_port"),
    );
    let text = if apart == DEFAULT {
        parsed.text("incoming_connection_string").to_owned()
    } else {
        port(parsed, "incoming_connection_port")?;
        format!("tcp://{}:{}/", apart.0, apart.1)
    };
    let refuse = |cause: String| {
        let message = format!("--incoming_connection_string: cannot listen at {text}");
        StartError::new(codes::LISTEN, message).caused_by(cause)
    };
    if let Some(path) = text.strip_prefix("unix://") {
        return match path.starts_with('/') {
            true => Ok(Listen::Unix(path.into())),
            false => Err(refuse("expected unix:///absolute/path".to_owned())),
        };
    }
    address::resolve(&text).map(Listen::Tcp).map_err(refuse)
}
