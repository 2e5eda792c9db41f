//! Values of flags → settings that are known to be usable.

use crate::address;
use acra_cli::Parsed;
use acra_engine::columns::{Columns, ConfigError, Database, Loaded};
use acra_engine::keys::ClientId;
use acra_engine::plan::Unsupported;
use acra_engine::session::Limits;
use acra_engine::session::pg::ScanColumns;
use acra_telemetry::{Destinations, Format, Logger, codes};
use std::fmt::Display;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

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
    pub(crate) listen: SocketAddr,
    pub(crate) threads: usize,
    pub(crate) db_host: String,
    pub(crate) db_port: u16,
    pub(crate) keys_dir: PathBuf,
    pub(crate) client_id: ClientId,
    pub(crate) columns: Columns,
    pub(crate) unsupported: Unsupported,
    pub(crate) scan: ScanColumns,
    pub(crate) limits: Limits,
}

/// The log, as the flags ask for it.
pub(crate) fn logger(parsed: &Parsed) -> Result<Logger, StartError> {
    let file = Some(parsed.text("log_to_file")).filter(|path| !path.is_empty());
    let destinations = Destinations {
        console: parsed.boolean("log_to_console"),
        file: file.map(Path::new),
    };
    let format = Format::from_name(parsed.text("logging_format"));
    Logger::new(
        "acra-server",
        env!("CARGO_PKG_VERSION"),
        format,
        destinations,
    )
    .map_err(|error| unwritable_log(&file.unwrap_or_default(), error))
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
    pub(crate) fn new(parsed: &Parsed, logger: &Logger) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let db_host = problems.keep(db_host(parsed));
        let listen = problems.keep(listen(parsed));
        let threads = problems.keep(threads(parsed));
        let db_port = problems.keep(port(parsed, "db_port"));
        let columns = problems.keep(columns(parsed, logger));
        let client_id = problems.keep(client_id(parsed));
        let unsupported = problems.keep(unsupported(parsed));
        let scan = problems.keep(scan(parsed));
        let max_row = problems.keep(size(parsed, "max_container"));
        let complete = || {
            Some(Self {
                listen: listen?,
                threads: threads?,
                db_host: db_host?,
                db_port: db_port?,
                columns: columns?,
                keys_dir: parsed.text("keys_dir").into(),
                client_id: client_id?,
                unsupported: unsupported?,
                scan: scan?,
                limits: Limits {
                    max_row: max_row?,
                    ..Limits::default()
                },
            })
        };
        complete().ok_or(problems)
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

fn scan(parsed: &Parsed) -> Result<ScanColumns, StartError> {
    match parsed.text("scan_columns") {
        "typed" => Ok(ScanColumns::Typed),
        "all" => Ok(ScanColumns::All),
        other => Err(wrong("scan_columns", other, "typed or all")),
    }
}

fn wrong(flag: &str, value: impl Display, expected: &str) -> StartError {
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
fn listen(parsed: &Parsed) -> Result<SocketAddr, StartError> {
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
    address::resolve(&text).map_err(refuse)
}

/// Without TLS there is one source of a client id. `tls_client_id_from_cert` is true by default, also in files that
/// `--dump_config` has written; beside a `client_id` it says what a TLS handshake would change.
pub(crate) fn client_id(parsed: &Parsed) -> Result<ClientId, StartError> {
    match parsed.text("client_id") {
        "" => Err(StartError::new(
            codes::TRANSPORT,
            "Configuration error: without encryption you must set <client_id> which will be used to connect to AcraServer",
        )),
        id => ClientId::new(id).map_err(|error| {
            StartError::new(
                codes::INVALID_CLIENT_ID,
                "Cannot be configured static clientID",
            )
            .caused_by(error)
        }),
    }
}

/// The encryptor configuration: read, judged, and refused where it asks for what does not exist yet.
fn columns(parsed: &Parsed, logger: &Logger) -> Result<Columns, StartError> {
    let path = parsed.text("encryptor_config_file");
    if path.is_empty() {
        return Ok(Columns::empty());
    }
    logger.info(
        &format!("Load encryptor configuration from {path} ..."),
        &[],
    );
    let loaded = read_columns(path)?;
    for warning in &loaded.warnings {
        logger.warning(&warning.to_string(), &[("path", path.into())]);
    }
    let missing = loaded.columns.unsupported();
    if !missing.is_empty() {
        return Err(wrong_columns(path, missing.join("; ")));
    }
    logger.info("Encryptor configuration loaded", &[]);
    Ok(loaded.columns)
}

/// The encryptor configuration as it is written.
pub(crate) fn read_columns(path: &str) -> Result<Loaded, StartError> {
    let document = std::fs::read(path).map_err(|error| wrong_columns(path, error))?;
    Columns::parse(&document, Database::PostgreSql)
        .map_err(|error| wrong_columns(path, placed(&error)))
}

fn wrong_columns(path: &str, cause: impl Display) -> StartError {
    StartError::new(codes::WRONG_CONFIGURATION, "Can't load encryptor config")
        .caused_by(format!("{path}: {cause}"))
}

/// A fault with its place in the document, where its text does not tell it.
fn placed(error: &ConfigError) -> String {
    let text = error.to_string();
    let mut place = Vec::new();
    if !text.starts_with("yaml:") {
        place.extend(error.line().map(|line| format!("line {line}")));
    }
    if !text.contains("table \"") {
        place.extend(error.table().map(|table| format!("table \"{table}\"")));
        place.extend(error.column().map(|column| format!("column \"{column}\"")));
    }
    match place.is_empty() {
        true => text,
        false => format!("{}: {text}", place.join(", ")),
    }
}
