//! Key IDs: how keys are called on the command line (cli.md 13.1).

use crate::Failure;
use acra_engine::keys::v1::{Entry, POISON_DIRECTORY};
use acra_engine::keys::{ClientId, ClientIdError, KeyKind};
use acra_telemetry::Logger;

/// Why a text is no key ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyIdError {
    /// It has none of the known forms.
    Unknown,
    /// Its client id is not one.
    ClientId,
    /// It is one, of a key that the command does not take.
    Unsupported,
}

impl From<ClientIdError> for KeyIdError {
    fn from(_: ClientIdError) -> Self {
        Self::ClientId
    }
}

/// Reads a key ID.
pub(super) fn parse(text: &str) -> Result<KeyKind, KeyIdError> {
    let parts: Vec<&str> = text.split('/').collect();
    Ok(match *parts.as_slice() {
        ["poison-record"] => KeyKind::PoisonPair,
        ["poison-record-symmetric"] => KeyKind::PoisonSymmetric,
        ["client", id, "storage"] => KeyKind::StoragePair(ClientId::new(id)?),
        ["client", id, "symmetric"] => KeyKind::StorageSymmetric(ClientId::new(id)?),
        ["client", id, "searchable"] => KeyKind::Search(ClientId::new(id)?),
        _ => return Err(KeyIdError::Unknown),
    })
}

/// The key ID of a key; of the audit log's key, which only export takes, the name there.
pub(super) fn of(kind: &KeyKind) -> String {
    match kind {
        KeyKind::PoisonPair => "poison-record".to_owned(),
        KeyKind::PoisonSymmetric => "poison-record-symmetric".to_owned(),
        KeyKind::StoragePair(id) => format!("client/{id}/storage"),
        KeyKind::StorageSymmetric(id) => format!("client/{id}/symmetric"),
        KeyKind::Search(id) => format!("client/{id}/searchable"),
        KeyKind::AuditLog => "audit-log".to_owned(),
    }
}

/// What is said of a key ID that is none.
pub(super) fn refuse(text: &str, error: KeyIdError, logger: &Logger) -> Failure {
    match error {
        KeyIdError::ClientId => {
            logger.error(ClientIdError::RULE, &[("key", text.into())]);
            Failure::arguments(ClientIdError)
        }
        KeyIdError::Unknown => {
            if text.split('/').count() == 3 {
                logger.warning(
                    "Zone keys are deprecated since 0.94.0 and will be removed soon.",
                    &[],
                );
            }
            unknown(text, logger)
        }
        KeyIdError::Unsupported => unknown(text, logger),
    }
}

fn unknown(text: &str, logger: &Logger) -> Failure {
    logger.error(&format!("Unknown key kind: {text}"), &[]);
    Failure::arguments("unknown key kind")
}

/// The key that the arguments of read and destroy name: exactly one.
pub(super) fn only(
    command: &str,
    arguments: &[String],
    logger: &Logger,
) -> Result<KeyKind, Failure> {
    match arguments {
        [] => {
            logger.error(&format!("\"{command}\" command requires key kind"), &[]);
            Err(Failure::arguments("missing key kind"))
        }
        [text] => parse(text).map_err(|error| refuse(text, error, logger)),
        _ => {
            let message = format!("\"{command}\" command does not support more than one key kind");
            logger.error(&message, &[]);
            Err(Failure::arguments("multiple key kinds"))
        }
    }
}

/// The key that an argument of export names: a key ID, a file of a key store v1, or a key ring of v2.
pub(super) fn exported(text: &str, logger: &Logger) -> Result<KeyKind, Failure> {
    let error = match parse(text).or_else(|error| ring(text).ok_or(error)) {
        Ok(kind) => return Ok(kind),
        Err(error) => error,
    };
    let of_file = |path: &str| match Entry::of(path) {
        Entry::Key { kind, .. } => Some(Ok(kind)),
        Entry::Legacy => Some(Err(
            Failure::fatal("Unsupported key provided").field("key", text)
        )),
        _ => None,
    };
    let in_poison_directory = format!("{POISON_DIRECTORY}/{text}");
    let found = match text {
        "poison_key" | "poison_key.pub" | "poison_key_sym" => of_file(&in_poison_directory),
        // A name without underscore would be a legacy key's whatever it is.
        _ if text.contains('_') => of_file(text),
        _ => None,
    };
    found.unwrap_or_else(|| {
        let is_id = text.contains('/') || error == KeyIdError::ClientId;
        Err(match is_id {
            true => refuse(text, error, logger),
            false => Failure::fatal("key purpose not recognized").field("key", text),
        })
    })
}

/// The key of a key ring's path, with or without the suffix of its file.
fn ring(text: &str) -> Option<KeyKind> {
    let path = text.strip_suffix(".keyring").unwrap_or(text);
    let parts: Vec<&str> = path.split('/').collect();
    Some(match *parts.as_slice() {
        ["poison-record"] => KeyKind::PoisonPair,
        ["poison-record-sym"] => KeyKind::PoisonSymmetric,
        ["audit-log"] => KeyKind::AuditLog,
        ["client", id, "storage"] => KeyKind::StoragePair(ClientId::new(id).ok()?),
        ["client", id, "storage-sym"] => KeyKind::StorageSymmetric(ClientId::new(id).ok()?),
        ["client", id, "hmac-sym"] => KeyKind::Search(ClientId::new(id).ok()?),
        _ => return None,
    })
}
