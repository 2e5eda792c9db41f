//! `acra-keys read` (cli.md 13.4, keystore.md 6).

use super::{cannot_open, key_id, open};
use crate::store::log_notices;
use crate::{Failure, Surroundings};
use acra_cli::Parsed;
use acra_engine::keys::KeyKind;
use acra_stores::KeyStoreError;

/// What is said if a secret key would be shown on a screen.
const TERMINAL: &str = "standard output is a terminal, and this key is secret: redirect it to a file or a program, or \
                        give --allow_terminal";

/// What of a key is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Public,
    Private,
    Symmetric,
}

pub(super) fn run(parsed: &Parsed, with: &mut Surroundings<'_>) -> Result<(), Failure> {
    let kind = key_id::only("read", parsed.rest(), with.logger)?;
    let part = part(&kind, parsed, with)?;
    if part != Part::Public && with.out_is_terminal && !parsed.boolean("allow_terminal") {
        return Err(Failure::fatal("Failed to read key").caused_by(TERMINAL));
    }
    let store = open(parsed, with).map_err(cannot_open)?;
    let written = match part {
        Part::Public => store.read_public(&kind).map(|key| with.out.write_all(&key)),
        Part::Private | Part::Symmetric => store
            .read_secret(&kind)
            .map(|key| with.out.write_all(key.as_bytes())),
    };
    log_notices(&store, with.logger);
    written
        .map_err(|error| cannot_read(&kind, part, &error, with))?
        .and_then(|()| with.out.flush())
        .map_err(|error| Failure::fatal("Failed to write key").caused_by(error))
}

/// What the flags choose, for keys that can be read.
fn part(kind: &KeyKind, parsed: &Parsed, with: &Surroundings<'_>) -> Result<Part, Failure> {
    match kind {
        KeyKind::StorageSymmetric(_) => Ok(Part::Symmetric),
        KeyKind::StoragePair(_) | KeyKind::PoisonPair => {
            match (parsed.boolean("public"), parsed.boolean("private")) {
                (true, false) => Ok(Part::Public),
                (false, true) => Ok(Part::Private),
                (true, true) => {
                    with.logger.warning(
                        "Options --private and --public cannot be used simultaneously",
                        &[],
                    );
                    Err(Failure::arguments("both key parts specified"))
                }
                (false, false) => {
                    with.logger
                        .warning("Missing --private or --public for a key pair", &[]);
                    Err(Failure::arguments("key part not specified"))
                }
            }
        }
        KeyKind::Search(_) | KeyKind::PoisonSymmetric | KeyKind::AuditLog => Err(key_id::refuse(
            &key_id::of(kind),
            key_id::KeyIdError::Unsupported,
            with.logger,
        )),
    }
}

fn cannot_read(
    kind: &KeyKind,
    part: Part,
    error: &KeyStoreError,
    with: &Surroundings<'_>,
) -> Failure {
    let message = match (kind, part) {
        (KeyKind::PoisonPair, _) => "Cannot read poison record key pair",
        (_, Part::Public) => "Cannot read client storage public key",
        (_, Part::Private) => "Cannot read client storage private key",
        (_, Part::Symmetric) => "Cannot read client symmetric key",
    };
    with.logger.error(message, &[]);
    Failure::fatal("Failed to read key").caused_by(error)
}
