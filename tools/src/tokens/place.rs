//! The token store of the flags.

use super::wrong;
use crate::{Failure, Surroundings};
use acra_cli::Parsed;
use acra_engine::crypto::Secret;
use acra_stores::tokens::{RedisPlace, RedisTls, TokenStore, TokenStoreError};
use std::path::Path;
use std::time::Duration;

/// How long another process that has the file open is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether the flags name one store.
pub(super) fn check(parsed: &Parsed, with: &Surroundings<'_>) -> Result<(), Failure> {
    const WRONG: &str = "token storage is configured incorrectly";
    let names = |flag| !parsed.text(flag).is_empty();
    match (names("redis_host_port"), names("token_db")) {
        (true, true) => Err(wrong(
            with,
            "Both --redis_host_port and --token_db cannot be used simultaneously",
            WRONG,
        )),
        (false, false) => Err(wrong(
            with,
            "Either --redis_host_port or --token_db is required",
            WRONG,
        )),
        _ => Ok(()),
    }
}

/// Opens it.
pub(super) fn open(parsed: &Parsed, with: &Surroundings<'_>) -> Result<TokenStore, Failure> {
    let (opened, warning) = match parsed.text("token_db") {
        "" => (open_redis(parsed), "Cannot initialize Redis client"),
        file => (
            TokenStore::open_file(Path::new(file), PATIENCE),
            "Cannot initialize BoltDB token storage",
        ),
    };
    opened.map_err(|error| {
        with.logger.warning(warning, &[]);
        cannot_open(error)
    })
}

pub(super) fn cannot_open(error: TokenStoreError) -> Failure {
    Failure::fatal("Cannot open token storage").caused_by(error)
}

fn open_redis(parsed: &Parsed) -> Result<TokenStore, TokenStoreError> {
    let mut place = RedisPlace::at(
        parsed.text("redis_host_port"),
        parsed.integer("redis_db_tokens"),
    )?;
    let filled = |name| Some(parsed.text(name)).filter(|text| !text.is_empty());
    place.user = filled("redis_user").map(str::to_owned);
    place.password = match filled("redis_password_file") {
        Some(path) => Some(RedisPlace::read_password(Path::new(path))?),
        None => filled("redis_password").map(|text| Secret::from(text.as_bytes().to_vec())),
    };
    if parsed.boolean("redis_tls_enable") {
        place.tls = Some(RedisTls::read(
            parsed.text("redis_tls_client_ca"),
            parsed.text("redis_tls_client_cert"),
            parsed.text("redis_tls_client_key"),
        )?);
    }
    TokenStore::in_redis(&place)
}
