//! `acra-keymaker`: makes master keys and a client's keys (cli.md 14).
//!
//! So far: master keys and keys of key stores v1 in a directory.

mod flags;
mod kind;

pub use flags::flag_set;
use kind::Kind;

use crate::Failure;
use acra_cli::Parsed;
use acra_engine::crypto::KeyPairType;
use acra_engine::keys::{ClientId, ClientIdError};
use acra_stores::{KeyStore, KeyStoreError, Version, generate_master_key, version_of};
use acra_telemetry::{Logger, codes};
use std::io::Write;
use std::path::Path;

/// What is said if it is not known which version to create.
const VERSION_REQUIRED: &str = "Keystore version is required: --keystore={v1|v2}";

/// Does what the flags ask for. `master_key` is the value of the environment variable `ACRA_MASTER_KEY`.
///
/// Prints a line on `out` for each key that was made.
///
/// # Errors
///
/// The first thing that cannot be done; keys that were made before it stay.
pub fn run(
    parsed: &Parsed,
    master_key: Option<&str>,
    logger: &Logger,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let pair = keypair_type(parsed)?;
    let kinds = Kind::asked_for(|flag| parsed.boolean(flag));
    let master_file = parsed.text("generate_master_key");
    let wants_client = match &*kinds {
        [] => master_file.is_empty(),
        kinds => kinds.iter().any(|kind| kind.is_of_client()),
    };
    // Before anything else is done.
    let client_id = ClientId::new(parsed.text("client_id"));
    if wants_client && client_id.is_err() {
        return Err(Failure::new(ClientIdError::RULE).code(codes::INVALID_CLIENT_ID));
    }
    if !master_file.is_empty() {
        return master_key_file(parsed.text("keystore"), Path::new(master_file), logger);
    }
    let directory = Path::new(parsed.text("keys_output_dir"));
    let public_directory = Path::new(parsed.text("keys_public_output_dir"));
    check_version(parsed.text("keystore"), directory)?;
    let store =
        KeyStore::open(directory, Some(public_directory), master_key).map_err(cannot_open)?;
    let kinds = if kinds.is_empty() {
        Kind::ALL.to_vec()
    } else {
        kinds
    };
    if directory != public_directory && kinds.iter().any(|kind| kind.is_pair()) {
        let message = format!("Public keys are written to {}", public_directory.display());
        logger.info(&message, &[]);
    }
    for kind in kinds {
        make(kind, pair, &store, client_id.as_ref().ok(), logger)?;
        // The key is there, whether anybody reads this or not.
        let _ = writeln!(out, "{}", kind.done());
    }
    Ok(())
}

/// The type of the key pairs that are made.
fn keypair_type(parsed: &Parsed) -> Result<KeyPairType, Failure> {
    let name = parsed.text("keypair_type");
    KeyPairType::from_name(name).ok_or_else(|| {
        Failure::new(format!(
            "Unknown --keypair_type: {name} (supported: p256, x25519)"
        ))
        .code(codes::WRONG_CONFIGURATION)
    })
}

fn make(
    kind: Kind,
    pair: KeyPairType,
    store: &KeyStore,
    client_id: Option<&ClientId>,
    logger: &Logger,
) -> Result<(), Failure> {
    let made = kind.make(store, client_id, pair);
    for notice in store.take_notices() {
        let path = notice.path.display().to_string();
        logger.warning(&notice.message, &[("path", (&path).into())]);
    }
    made.map_err(|error| {
        Failure::new("Failed to generate keys")
            .code(codes::KEYS)
            .field("error", error)
    })
}

fn master_key_file(version: &str, path: &Path, logger: &Logger) -> Result<(), Failure> {
    match version {
        "v1" => {}
        "v2" => return Err(no_version_2()),
        "" => return Err(Failure::new(VERSION_REQUIRED)),
        other => return Err(Failure::new(format!("Unknown --keystore option: {other}"))),
    }
    let kept = generate_master_key(path).map_err(|error| {
        Failure::new("Failed to write master key")
            .field("error", error)
            .field("path", path.display())
    })?;
    if let Some(kept) = kept {
        let message = format!("Previous master key kept as {}", kept.display());
        logger.info(&message, &[]);
    }
    Ok(())
}

/// Whether keys can be made in a directory: version v1, asked for or found there.
fn check_version(asked: &str, directory: &Path) -> Result<(), Failure> {
    match asked {
        "v1" => Ok(()),
        "v2" => Err(no_version_2()),
        "" => match version_of(directory) {
            Ok(Version::V1) => Ok(()),
            Ok(Version::V2) => Err(no_version_2()),
            Ok(Version::Empty) => Err(Failure::new(VERSION_REQUIRED)),
            Err(error) => Err(cannot_open(error)),
        },
        other => Err(Failure::new(format!(
            "Unknown --keystore version: {other} (supported: v1, v2)"
        ))),
    }
}

fn no_version_2() -> Failure {
    Failure::new("Keystore v2 is not available in this version: use --keystore=v1")
        .code(codes::WRONG_CONFIGURATION)
}

fn cannot_open(error: KeyStoreError) -> Failure {
    match error {
        KeyStoreError::MasterKey(_) => {
            Failure::new("Cannot load master key").code(codes::MASTER_KEY)
        }
        _ => Failure::new("Can't init keystore").code(codes::KEYSTORE),
    }
    .field("error", error)
}
