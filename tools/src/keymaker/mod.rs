//! `acra-keymaker`: makes master keys and a client's keys (cli.md 14).
//!
//! So far: with key stores in a directory.

mod flags;

pub use flags::flag_set;

use crate::kind::{Kind, pair_type};
use crate::store::{self, VERSION_REQUIRED, VersionFault, log_notices};
use crate::{Failure, Surroundings, certificate};
use acra_cli::Parsed;
use acra_engine::keys::{ClientId, ClientIdError, KeyKind};
use acra_stores::{KeyStore, KeyStoreError, Version, generate_master_key, generate_master_keys};
use acra_telemetry::{Logger, codes};
use std::path::Path;

/// What is made if nothing is chosen.
const ALL: [Kind; 6] = [
    Kind::StoragePair,
    Kind::Search,
    Kind::Log,
    Kind::StorageSymmetric,
    Kind::PoisonSymmetric,
    Kind::PoisonPair,
];

/// Flags and what they choose, in the order in which it is made.
const CHOICES: [(&str, Kind); 6] = [
    ("generate_poisonrecord_keys", Kind::PoisonSymmetric),
    ("generate_poisonrecord_keys", Kind::PoisonPair),
    ("generate_acrawriter_keys", Kind::StoragePair),
    ("generate_hmac_key", Kind::Search),
    ("generate_symmetric_storage_key", Kind::StorageSymmetric),
    ("generate_log_key", Kind::Log),
];

/// Does what the flags ask for, and prints a line for each key that was made.
///
/// # Errors
///
/// The first thing that cannot be done; keys that were made before it stay.
pub fn run(parsed: &Parsed, surroundings: Surroundings<'_>) -> Result<(), Failure> {
    let pair =
        pair_type(parsed).map_err(|error| Failure::new(error).code(codes::WRONG_CONFIGURATION))?;
    let chosen: Vec<Kind> = CHOICES
        .into_iter()
        .filter_map(|(flag, kind)| parsed.boolean(flag).then_some(kind))
        .collect();
    let master_file = parsed.text("generate_master_key");
    let wants_client = match &*chosen {
        [] => master_file.is_empty(),
        kinds => kinds.iter().any(|kind| kind.is_of_client()),
    };
    // Before anything else is done.
    let client_id = client_id(parsed)?;
    if wants_client && client_id.is_none() {
        return Err(Failure::new(ClientIdError::RULE).code(codes::INVALID_CLIENT_ID));
    }
    let logger = surroundings.logger;
    if !master_file.is_empty() {
        return master_key_file(parsed.text("keystore"), Path::new(master_file), logger);
    }
    let directory = Path::new(parsed.text("keys_output_dir"));
    let public_directory = Path::new(parsed.text("keys_public_output_dir"));
    let version = version(parsed.text("keystore"), directory)?;
    let store = KeyStore::create(
        version,
        directory,
        Some(public_directory),
        surroundings.master_key().as_deref(),
    )
    .map_err(cannot_open(version))?;
    let kinds = if chosen.is_empty() {
        ALL.to_vec()
    } else {
        chosen
    };
    // Each has its id: that was checked.
    let of_client = |kind: Kind| Some((kind, kind.of(client_id.as_ref())?));
    let keys: Vec<(Kind, KeyKind)> = kinds.into_iter().filter_map(of_client).collect();
    if version == Version::V1
        && directory != public_directory
        && keys.iter().any(|(_, key)| key.is_pair())
    {
        let message = format!("Public keys are written to {}", public_directory.display());
        logger.info(&message, &[]);
    }
    for (kind, key) in keys {
        let made = store.generate_of_type(&key, pair);
        log_notices(&store, logger);
        made.map_err(|error| {
            Failure::new("Failed to generate keys")
                .code(codes::KEYS)
                .caused_by(error)
        })?;
        // The key is there, whether anybody reads this or not.
        let _ = writeln!(surroundings.out, "{}", done(kind));
    }
    Ok(())
}

/// The client id of the flags, if it is one: given, or that of a certificate.
fn client_id(parsed: &Parsed) -> Result<Option<ClientId>, Failure> {
    let (older, newer) = (parsed.text("tls_cert"), parsed.text("tls_client_id_cert"));
    let id = parsed.text("client_id");
    let file = match (older.is_empty(), newer.is_empty()) {
        (true, true) => return Ok(ClientId::new(id).ok()),
        (false, false) => {
            return Err(Failure::new(
                "You cant specify --tls_cert (deprecated since 0.96.0) and --tls_client_id_cert simultaneously",
            ));
        }
        (false, true) => older,
        (true, false) => newer,
    };
    if !id.is_empty() {
        return Err(Failure::new(certificate::ID_OR_CERTIFICATE));
    }
    certificate::client_id(file, parsed.text("tls_identifier_extractor_type")).map(Some)
}

/// What is printed when a key has been made.
fn done(kind: Kind) -> &'static str {
    match kind {
        Kind::StoragePair => "Generated storage encryption keypair",
        Kind::Search => "Generated HMAC key for searchable encryption",
        Kind::Log => "Generated HMAC key for secure logging",
        Kind::StorageSymmetric => "Generated storage symmetric key for clientID",
        Kind::PoisonSymmetric => "Generated symmetric key for poison records",
        Kind::PoisonPair => "Generated keypair for poison records",
    }
}

fn master_key_file(version: &str, path: &Path, logger: &Logger) -> Result<(), Failure> {
    let generate = match version {
        "v1" => generate_master_key,
        "v2" => generate_master_keys,
        "" => return Err(Failure::new(VERSION_REQUIRED)),
        other => return Err(Failure::new(format!("Unknown --keystore option: {other}"))),
    };
    let kept = generate(path).map_err(|error| {
        Failure::new("Failed to write master key")
            .caused_by(error)
            .field("path", path.display())
    })?;
    if let Some(kept) = kept {
        let message = format!("Previous master key kept as {}", kept.display());
        logger.info(&message, &[]);
    }
    Ok(())
}

/// The version of the key store: the one that is asked for, or the one that is there.
fn version(asked: &str, directory: &Path) -> Result<Version, Failure> {
    store::version(asked, directory).map_err(|fault| match fault {
        VersionFault::Required => Failure::new(VERSION_REQUIRED),
        VersionFault::Unknown => Failure::new(format!(
            "Unknown --keystore version: {asked} (supported: v1, v2)"
        )),
        VersionFault::Store(error) => cannot_open(Version::V1)(error),
    })
}

fn cannot_open(version: Version) -> impl FnOnce(KeyStoreError) -> Failure {
    move |error| {
        let failure = match (&error, version) {
            (KeyStoreError::MasterKey(_), _) => {
                Failure::new("Cannot load master key").code(codes::MASTER_KEY)
            }
            (_, Version::V2) => Failure::new("Cannot open key directory").code(codes::KEYSTORE),
            _ => Failure::new("Can't init keystore").code(codes::KEYSTORE),
        };
        failure.caused_by(error)
    }
}
