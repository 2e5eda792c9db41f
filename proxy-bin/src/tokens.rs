//! Where tokens are kept, as the flags ask for it, and the answers that sessions get from there.

use crate::settings::{StartError, path};
use acra_cli::Parsed;
use acra_engine::columns::Columns;
use acra_engine::keys::ClientId;
use acra_engine::session::{KeyFault, TokenAnswers};
use acra_engine::tokens::{ClientKeyring, Operation, Outcome, TokenFault, TokenRequest};
use acra_stores::tokens::{RedisFlags, RedisPlace, TokenStore, TokenStoreError};
use acra_telemetry::metrics::{Metrics, Status, TokenType};
use acra_telemetry::{Logger, codes};
use std::path::PathBuf;
use std::time::Duration;

/// How long a former process, which may be ending, is waited for that has the file open.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where tokens are kept.
#[derive(Debug)]
pub(crate) enum TokenPlace {
    /// In the memory of the process.
    Memory,
    /// In a file.
    File(PathBuf),
    /// In Redis.
    Redis(RedisPlace),
}

impl TokenPlace {
    /// What the flags say: a file comes before Redis.
    pub(crate) fn new(parsed: &Parsed) -> Result<Self, StartError> {
        if let Some(file) = path(parsed, "token_db") {
            return Ok(Self::File(file));
        }
        if parsed.text("redis_host_port").is_empty() {
            return Ok(Self::Memory);
        }
        if parsed.integer("redis_db_tokens") < 0 {
            return Err(StartError::new(
                codes::WRONG_PARAMETER,
                "Identical Redis DB parameters, one of redis_db_tokens or redis_db_keys should be provided",
            )
            .caused_by("--redis_db_tokens is the number of the database for tokens"));
        }
        let flags = RedisFlags {
            text: &|name| parsed.text(name),
            integer: &|name| parsed.integer(name),
            boolean: &|name| parsed.boolean(name),
        };
        RedisPlace::new(&flags).map(Self::Redis).map_err(|error| {
            StartError::new(codes::WRONG_PARAMETER, "Can't initialize Redis options")
                .caused_by(error)
        })
    }

    /// Opens the store. Redis is not connected to yet, so that it may come up later.
    pub(crate) fn open(&self, logger: &Logger) -> Result<TokenStore, StartError> {
        let kind = match self {
            Self::Memory => "in-memory",
            // The word of Acra, whose place the file has.
            Self::File(_) => "bolt",
            Self::Redis(_) => "redis",
        };
        logger.info(&format!("Initialize {kind} db storage for tokens"), &[]);
        let store = match self {
            Self::Memory => TokenStore::in_memory(),
            Self::File(path) => TokenStore::open_file(path, PATIENCE).map_err(|error| {
                let message = "Can't initialize boltdb token storage";
                StartError::new(codes::CANNOT_START, message).caused_by(error)
            })?,
            Self::Redis(place) => TokenStore::in_redis(place),
        };
        logger.info(&format!("Initialized {kind} db storage for tokens"), &[]);
        Ok(store)
    }
}

/// Tokens that end with the process make of a restart a loss of data.
pub(crate) fn warn_volatile(columns: &Columns, store: &TokenStore, logger: &Logger) {
    let mut settings = columns.tables().flat_map(|table| table.settings());
    if store.is_in_memory() && settings.any(|setting| setting.tokenized().is_some()) {
        logger.warning(
            "Tokens are kept in memory: when this process ends, what they stand for is lost",
            &[
                codes::code(codes::GENERAL),
                (
                    "hint",
                    "give --token_db or --redis_host_port and --redis_db_tokens".into(),
                ),
            ],
        );
    }
}

/// Why there are no keys, as tokens have it.
pub(crate) fn key_fault(fault: KeyFault) -> TokenFault {
    match fault {
        KeyFault::Missing => TokenFault::NoKey,
        KeyFault::Unavailable => TokenFault::KeysUnavailable,
    }
}

/// The clients of requests, each once.
pub(crate) fn clients(requests: &[TokenRequest]) -> Vec<ClientId> {
    let mut clients: Vec<ClientId> = Vec::new();
    for TokenRequest { client_id, .. } in requests {
        if !clients.contains(client_id) {
            clients.push(client_id.clone());
        }
    }
    clients
}

/// Answers requests with these keys; counts and tells what came of it.
pub(crate) async fn answer(
    store: &TokenStore,
    requests: Vec<TokenRequest>,
    keys: ClientKeyring,
    metrics: &Metrics,
    logger: &Logger,
) -> TokenAnswers {
    let (outcomes, error) = store.answer(&requests, keys).await;
    warn(store, logger);
    if let Some(error) = error {
        unavailable(&error, logger);
    }
    let mut unknown = 0;
    for (request, outcome) in requests.iter().zip(&outcomes) {
        unknown += i64::from(count(request, outcome, metrics));
    }
    if unknown > 0 {
        logger.warning(
            "Token not found, return as is",
            &[
                codes::code(codes::DECRYPT),
                ("tokens", acra_telemetry::Value::Number(unknown)),
            ],
        );
    }
    TokenAnswers { requests, outcomes }
}

/// Tells what the store has to say.
pub(crate) fn warn(store: &TokenStore, logger: &Logger) {
    for warning in store.take_warnings() {
        logger.warning(&warning, &[codes::code(codes::TLS)]);
    }
}

/// Tells that the store cannot be used, and why.
pub(crate) fn unavailable(error: &TokenStoreError, logger: &Logger) {
    let error = error.to_string();
    logger.error(
        "Token storage is not available",
        &[codes::code(codes::GENERAL), ("error", (&error).into())],
    );
}

/// Counts an answer. Whether it is a token that stays.
fn count(request: &TokenRequest, outcome: &Outcome, metrics: &Metrics) -> bool {
    use acra_engine::tokens::TokenType as Engine;
    let token_type = match request.token_type {
        Engine::Int32 | Engine::Int32String => TokenType::Int32,
        Engine::Int64 | Engine::Int64String => TokenType::Int64,
        Engine::Str => TokenType::String,
        Engine::Bytes => TokenType::Bytes,
        Engine::Email => TokenType::Email,
    };
    let status = match outcome {
        Ok(Some(_)) => Status::Success,
        _ => Status::Fail,
    };
    match request.operation {
        Operation::Open => metrics.detokenizations(status, token_type, 1),
        Operation::Random | Operation::Consistent => metrics.tokenizations(status, token_type, 1),
        // Makes no token.
        Operation::Compare => {}
    }
    request.operation == Operation::Open && *outcome == Ok(None)
}
