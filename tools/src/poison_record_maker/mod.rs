//! `acra-poisonrecordmaker`: makes poison records, which look like data and give away whoever decrypts them (cli.md 15,
//! tools.md 4).

mod flags;

pub use flags::flag_set;

use crate::store::log_notices;
use crate::{Failure, Surroundings};
use acra_cli::Parsed;
use acra_engine::crypto::PrivateKey;
use acra_engine::crypto::{BlockKey, Secret, container};
use acra_engine::keys::KeyKind;
use acra_engine::keys::v2::RingError;
use acra_stores::{KeyStore, KeyStoreError};
use acra_telemetry::Level;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::{Rng as _, RngExt as _};
use std::fmt::Display;
use std::path::Path;

/// Longest payload: what a container holds, with room for what it adds.
const MAX_LENGTH: i64 = u32::MAX as i64 - 1024;

/// Which container is made.
#[derive(Clone, Copy)]
enum Type {
    AcraStruct,
    AcraBlock,
}

/// Prints one poison record, and makes the key that it needs if there is none.
///
/// # Errors
///
/// Flags are wrong: nothing is then made. The key cannot be had or made.
pub fn run(parsed: &Parsed, surroundings: Surroundings<'_>) -> Result<(), Failure> {
    surroundings.logger.set_level(Level::Warning);
    let record_type = match parsed.text("type") {
        "acrastruct" => Type::AcraStruct,
        "acrablock" => Type::AcraBlock,
        _ => {
            return Err(Failure::new(
                "Incorrect type of record. Should be used \"acrastruct\" or \"acrablock\"",
            ));
        }
    };
    let payload = payload(parsed.integer("data_length"))?;
    let directory = Path::new(parsed.text("keys_dir"));
    let store = KeyStore::open(directory, None, surroundings.master_key().as_deref())
        .map_err(|error| Failure::new("Can't init keystore").caused_by(error))?;
    let record = match record_type {
        Type::AcraStruct => acrastruct(&store, &payload),
        Type::AcraBlock => acrablock(&store, &payload),
    };
    log_notices(&store, surroundings.logger);
    let line = STANDARD.encode(record?);
    writeln!(surroundings.out, "{line}").map_err(cannot)
}

fn cannot(error: impl Display) -> Failure {
    Failure::new("Can't create poison record").caused_by(error)
}

/// Random bytes: as many as are asked for, or for -1 between 1 and 99.
fn payload(length: i64) -> Result<Vec<u8>, Failure> {
    let length = match length {
        -1 => rand::rng().random_range(1..=99),
        1..=MAX_LENGTH => usize::try_from(length).map_err(cannot)?,
        _ => return Err(cannot("invalid data length")),
    };
    let mut payload = Vec::new();
    payload
        .try_reserve_exact(length)
        .map_err(|_| cannot("invalid data length"))?;
    payload.resize(length, 0);
    rand::rng().fill_bytes(&mut payload);
    Ok(payload)
}

fn acrablock(store: &KeyStore, payload: &[u8]) -> Result<Vec<u8>, Failure> {
    let key = current_key(store, &KeyKind::PoisonSymmetric).map_err(cannot)?;
    let key = BlockKey::new(key).map_err(cannot)?;
    let mut record = Vec::new();
    container::seal_block(&key, &mut rand::rng(), payload, &mut record).map_err(cannot)?;
    Ok(record)
}

fn acrastruct(store: &KeyStore, payload: &[u8]) -> Result<Vec<u8>, Failure> {
    let key = current_key(store, &KeyKind::PoisonPair).map_err(cannot)?;
    // A pair without its public part is none. The part itself follows from the private one, which nobody can have changed.
    store.read_public(&KeyKind::PoisonPair).map_err(cannot)?;
    let key = PrivateKey::from_container(key.as_bytes()).map_err(cannot)?;
    let public = key.public().map_err(cannot)?;
    let mut record = Vec::new();
    container::seal_struct(&public, &mut rand::rng(), payload, &mut record).map_err(cannot)?;
    Ok(record)
}

/// The current key, which is made if there is none. One that is there and cannot be had stays.
fn current_key(store: &KeyStore, kind: &KeyKind) -> Result<Secret, KeyStoreError> {
    match store.read_secret(kind) {
        // A key that was destroyed was destroyed for a reason.
        Err(
            error @ KeyStoreError::Ring {
                error: RingError::Destroyed,
                ..
            },
        ) => Err(error),
        Err(error) if error.is_missing() => {
            store.generate(kind)?;
            store.read_secret(kind)
        }
        other => other,
    }
}
