//! `acra-keys destroy` (cli.md 13.5, keystore.md 4.5).

use super::{cannot_open, key_id, open, table};
use crate::store::log_notices;
use crate::{Failure, Surroundings};
use acra_cli::Parsed;
use acra_engine::keys::KeyKind;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Destroyed {
    index: u32,
    #[serde(rename = "KeyID")]
    key_id: String,
    state: &'static str,
}

pub(super) fn run(parsed: &Parsed, with: &mut Surroundings<'_>) -> Result<(), Failure> {
    let kind = key_id::only("destroy", parsed.rest(), with.logger)?;
    let index = parsed.integer("index");
    if index <= 0 {
        with.logger.error(
            "\"destroy\" expected --index flag value greater than 1",
            &[],
        );
        return Err(Failure::arguments("invalid index value provided"));
    }
    // No key has an index that does not fit.
    let index = u32::try_from(index).unwrap_or(u32::MAX);
    let store = open(parsed, with).map_err(cannot_open)?;
    let destroyed = store.destroy(&kind, index);
    log_notices(&store, with.logger);
    destroyed.map_err(|error| {
        with.logger.error(&cannot(&kind, index), &[]);
        Failure::fatal("Failed to destroy key").caused_by(error)
    })?;
    if parsed.boolean("json") {
        let destroyed = Destroyed {
            index,
            key_id: key_id::of(&kind),
            state: "destroyed",
        };
        // The key is gone, whether anybody reads this or not.
        let _ = table::json_line(with.out, &destroyed);
    }
    Ok(())
}

fn cannot(kind: &KeyKind, index: u32) -> String {
    let (whose, key) = match kind {
        KeyKind::StoragePair(_) => ("client storage", "key pair"),
        KeyKind::StorageSymmetric(_) => ("client symmetric", "key"),
        KeyKind::Search(_) => ("client hmac", "key"),
        KeyKind::PoisonPair => ("poison record", "key pair"),
        KeyKind::PoisonSymmetric => ("poison record", "symmetric key"),
        KeyKind::AuditLog => ("audit log", "key"),
    };
    match index {
        1 => format!("Cannot destroy {whose} {key}"),
        _ => format!("Cannot destroy {whose} rotated {key} by index"),
    }
}
