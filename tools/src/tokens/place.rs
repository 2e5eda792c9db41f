//! The token store of the flags.

use super::wrong;
use crate::{Failure, Surroundings};
use acra_cli::Parsed;
use acra_stores::tokens::{RedisFlags, RedisPlace, TokenStore, TokenStoreError};
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

/// Whether it can be used; what it has to say is logged.
pub(super) async fn reach(store: &TokenStore, with: &Surroundings<'_>) -> Result<(), Failure> {
    let reached = store.probe().await.map_err(cannot_open);
    for warning in store.take_warnings() {
        with.logger.warning(&warning, &[]);
    }
    reached
}

fn cannot_open(error: TokenStoreError) -> Failure {
    Failure::fatal("Cannot open token storage").caused_by(error)
}

fn open_redis(parsed: &Parsed) -> Result<TokenStore, TokenStoreError> {
    let place = RedisPlace::new(&RedisFlags {
        text: &|name| parsed.text(name),
        integer: &|name| parsed.integer(name),
        boolean: &|name| parsed.boolean(name),
    })?;
    Ok(TokenStore::in_redis(&place))
}
