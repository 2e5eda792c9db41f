//! `acra-keys generate` (cli.md 13.6).

use super::{cannot_open, directory, key_id, public_directory, table};
use crate::kind::{Kind, pair_type};
use crate::store::{self, VERSION_REQUIRED, VersionFault, log_notices};
use crate::{Failure, Surroundings, certificate};
use acra_cli::Parsed;
use acra_engine::crypto::KeyPairType;
use acra_engine::keys::{ClientId, ClientIdError, KeyKind};
use acra_stores::KeyStore;
use acra_telemetry::{Logger, codes};
use serde::Serialize;

/// Flags, what they choose, and what that is called, in the order in which keys are made.
const CHOICES: [(&str, Kind, &str); 6] = [
    (
        "client_storage_key",
        Kind::StoragePair,
        "client storage key",
    ),
    (
        "client_storage_symmetric_key",
        Kind::StorageSymmetric,
        "client storage symmetric key",
    ),
    (
        "audit_log_symmetric_key",
        Kind::Log,
        "HMAC key for audit log",
    ),
    (
        "search_hmac_symmetric_key",
        Kind::Search,
        "HMAC key for searchable encryption",
    ),
    (
        "poison_record_keys",
        Kind::PoisonSymmetric,
        "symmetric key for poison records",
    ),
    (
        "poison_record_keys",
        Kind::PoisonPair,
        "keypair for poison records",
    ),
];

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Generated {
    #[serde(rename = "KeyID")]
    key_id: String,
    #[serde(rename = "ClientID", skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
}

pub(super) fn run(parsed: &Parsed, with: &mut Surroundings<'_>) -> Result<(), Failure> {
    let mut chosen: Vec<_> = CHOICES
        .into_iter()
        .filter(|(flag, ..)| parsed.boolean(flag))
        .collect();
    let version = parsed.text("keystore");
    let wants_client = match &*chosen {
        [] => !version.is_empty(),
        chosen => chosen.iter().any(|(_, kind, _)| kind.is_of_client()),
    };
    let pair = pair_type(parsed).map_err(Failure::fatal)?;
    let client_id = client_id(parsed, wants_client, with.logger)?;
    let found = store::version(version, directory(parsed)).map_err(|fault| match fault {
        VersionFault::Required => Failure::fatal(VERSION_REQUIRED),
        VersionFault::Unknown => Failure::fatal(format!("Unknown --keystore option: {version}")),
        VersionFault::Store(error) => cannot_open(error),
    })?;
    let store = KeyStore::create(
        found,
        directory(parsed),
        public_directory(parsed),
        with.master_key().as_deref(),
    )
    .map_err(cannot_open)?;
    if chosen.is_empty() && !version.is_empty() {
        // The first generation.
        chosen = CHOICES.to_vec();
    }
    let mut made = Vec::new();
    let mut result = Ok(());
    for (_, kind, what) in chosen {
        // Each has its id: that was checked.
        let Some(kind) = kind.of(client_id.as_ref()) else {
            continue;
        };
        result = make(&store, &kind, pair, what, with.logger);
        if result.is_err() {
            break;
        }
        made.push(Generated {
            key_id: key_id::of(&kind),
            client_id: kind.client().map(ClientId::to_string),
        });
    }
    if made.is_empty() && result.is_ok() {
        with.logger.info("No keys were updated", &[]);
    }
    if parsed.boolean("json") {
        // The keys are there, whether anybody reads this or not.
        let _ = table::json_line(with.out, &made);
    }
    result
}

fn make(
    store: &KeyStore,
    kind: &KeyKind,
    pair: KeyPairType,
    what: &str,
    logger: &Logger,
) -> Result<(), Failure> {
    let made = store.generate_of_type(kind, pair);
    log_notices(store, logger);
    match made {
        Ok(()) => {
            logger.info(&format!("Generated {what}"), &[]);
            Ok(())
        }
        Err(error) => {
            let error = error.to_string();
            let message = format!("Failed to generate {what}");
            logger.error(&message, &[("error", (&error).into())]);
            Err(Failure::fatal("Failed to generate keys").caused_by(error))
        }
    }
}

/// The client id of the flags. A certificate is only read if a client id is wanted.
fn client_id(
    parsed: &Parsed,
    is_wanted: bool,
    logger: &Logger,
) -> Result<Option<ClientId>, Failure> {
    let (older, newer) = (parsed.text("tls_cert"), parsed.text("tls_client_id_cert"));
    let path = match (older, newer) {
        ("", newer) => newer,
        (older, _) => older,
    };
    let id = parsed.text("client_id");
    if !id.is_empty() {
        if !path.is_empty() {
            logger.error(certificate::ID_OR_CERTIFICATE, &[]);
            return Err(Failure::arguments(
                "client ID and TLS certificate path are both provided",
            ));
        }
        return match ClientId::new(id) {
            Ok(id) => Ok(Some(id)),
            Err(_) => Err(Failure::new(ClientIdError::RULE).code(codes::INVALID_CLIENT_ID)),
        };
    }
    if !is_wanted {
        return Ok(None);
    }
    if path.is_empty() {
        logger.error(
            "--client_id or --tls_cert is required to generate keys",
            &[],
        );
        return Err(Failure::arguments("client ID not specified"));
    }
    if !older.is_empty() && !newer.is_empty() {
        logger.warning(
            "Both --tls_cert (deprecated since 0.96.0) and --tls_client_id_cert are given: --tls_cert is used",
            &[],
        );
    }
    let id = certificate::client_id(path, parsed.text("tls_identifier_extractor_type"));
    id.map(Some).map_err(|fault| {
        fault.log(logger);
        Failure::fatal("Failed to generate clientID from cert").caused_by(fault.cause())
    })
}
