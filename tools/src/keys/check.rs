//! `acra-keys check`, which is ours: the keys that an encryptor configuration needs, and whether they are there and open.

use super::{cannot_open, key_id, open, table};
use crate::store::log_notices;
use crate::{Failure, Surroundings};
use acra_cli::Parsed;
use acra_engine::columns::{Columns, Database, KeyNeeds};
use acra_engine::crypto::BlockKey;
use acra_engine::crypto::PrivateKey;
use acra_engine::keys::{ClientId, ClientIdError, KeyKind};
use acra_stores::{KeyStore, KeyStoreError};
use acra_telemetry::{Logger, codes};
use serde::Serialize;
use std::io::{self, Write};

/// A key that is needed.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Needed {
    #[serde(rename = "KeyID")]
    key_id: String,
    #[serde(rename = "ClientID", skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

pub(super) fn run(parsed: &Parsed, with: &mut Surroundings<'_>) -> Result<(), Failure> {
    let path = parsed.text("encryptor_config_file");
    if path.is_empty() {
        with.logger
            .error("\"check\" command requires --encryptor_config_file", &[]);
        return Err(Failure::arguments("encryptor configuration not specified"));
    }
    let own = match parsed.text("client_id") {
        "" => None,
        id => Some(
            ClientId::new(id)
                .map_err(|_| Failure::new(ClientIdError::RULE).code(codes::INVALID_CLIENT_ID))?,
        ),
    };
    let columns = columns(path, with.logger)?;
    let needs = columns.key_needs(own.as_ref().map(ClientId::as_str));
    if own.is_none() && !columns.needs_of_connections().is_empty() {
        with.logger.warning(
            "Columns without client_id need keys of the clients that connect: give --client_id to check one",
            &[],
        );
    }
    let store = open(parsed, with).map_err(cannot_open)?;
    let mut keys = Vec::new();
    for (client, needed) in needs {
        match ClientId::new(client) {
            Ok(id) => keys.extend(kinds(&id, needed).iter().map(|kind| judge(&store, kind))),
            Err(error) => keys.push(Needed {
                key_id: format!("client/{client}"),
                client_id: Some(client.to_owned()),
                state: "unusable",
                problem: Some(format!("{error} in {path}")),
            }),
        }
    }
    if parsed.boolean("poison_record_keys") {
        let poison = [KeyKind::PoisonPair, KeyKind::PoisonSymmetric];
        keys.extend(poison.iter().map(|kind| judge(&store, kind)));
    }
    log_notices(&store, with.logger);
    match parsed.boolean("json") {
        true => table::json_line(with.out, &keys),
        false => print(with.out, &keys),
    }
    .map_err(|error| Failure::fatal("Failed to print key list").caused_by(error))?;
    match keys.iter().filter(|key| key.problem.is_some()).count() {
        0 => Ok(()),
        count => {
            let error = format!("{count} of {} keys are missing or unusable", keys.len());
            Err(Failure::fatal("Keys are not complete").caused_by(error))
        }
    }
}

/// Reads the configuration.
fn columns(path: &str, logger: &Logger) -> Result<Columns, Failure> {
    let wrong = |error: String| {
        Failure::fatal("Can't load encryptor config")
            .code(codes::WRONG_CONFIGURATION)
            .caused_by(format!("{path}: {error}"))
    };
    let document = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let loaded =
        Columns::parse(&document, Database::PostgreSql).map_err(|error| wrong(error.placed()))?;
    for warning in &loaded.warnings {
        logger.warning(&warning.to_string(), &[("path", path.into())]);
    }
    Ok(loaded.columns)
}

fn kinds(id: &ClientId, needed: KeyNeeds) -> Vec<KeyKind> {
    [
        (needed.pair, KeyKind::StoragePair(id.clone())),
        (needed.symmetric, KeyKind::StorageSymmetric(id.clone())),
        (needed.search, KeyKind::Search(id.clone())),
    ]
    .into_iter()
    .filter_map(|(is_needed, kind)| is_needed.then_some(kind))
    .collect()
}

/// Whether a key is there and opens.
fn judge(store: &KeyStore, kind: &KeyKind) -> Needed {
    let (state, problem) = match usable(store, kind) {
        Ok(()) => ("present", None),
        Err(error) if error.is_missing() => ("missing", Some(advice(kind))),
        Err(error) => ("unusable", Some(error.to_string())),
    };
    Needed {
        key_id: key_id::of(kind),
        client_id: kind.client().map(ClientId::to_string),
        state,
        problem,
    }
}

fn usable(store: &KeyStore, kind: &KeyKind) -> Result<(), KeyStoreError> {
    let key = store.read_secret(kind)?;
    let is_good = match kind.is_pair() {
        true => PrivateKey::from_container(key.as_bytes()).is_ok(),
        false => BlockKey::new(key).is_ok(),
    };
    match is_good {
        true if kind.is_pair() => store.read_public(kind).map(|_| ()),
        true => Ok(()),
        false => Err(KeyStoreError::Damaged(key_id::of(kind))),
    }
}

/// How a key is made.
fn advice(kind: &KeyKind) -> String {
    let flag = match kind {
        KeyKind::StoragePair(_) => "--client_storage_key",
        KeyKind::StorageSymmetric(_) => "--client_storage_symmetric_key",
        KeyKind::Search(_) => "--search_hmac_symmetric_key",
        KeyKind::PoisonPair | KeyKind::PoisonSymmetric => "--poison_record_keys",
        KeyKind::AuditLog => "--audit_log_symmetric_key",
    };
    match kind.client() {
        Some(id) => format!("make it with acra-keys generate --client_id=\"{id}\" {flag}"),
        None => format!("make it with acra-keys generate {flag}"),
    }
}

fn print(out: &mut dyn Write, keys: &[Needed]) -> io::Result<()> {
    let width = keys
        .iter()
        .map(|key| key.key_id.len())
        .max()
        .unwrap_or(0)
        .max("Key ID".len());
    writeln!(out, "{:width$} | State", "Key ID")?;
    writeln!(out, "{}-+---------", "-".repeat(width))?;
    for key in keys {
        let problem = key.problem.as_ref();
        let problem = problem.map_or(String::new(), |problem| format!(": {problem}"));
        writeln!(out, "{:width$} | {}{problem}", key.key_id, key.state)?;
    }
    Ok(())
}
