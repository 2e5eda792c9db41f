//! `acra-keys list` (cli.md 13.3).

use super::{cannot_open, open, table};
use crate::store::log_notices;
use crate::{Failure, Surroundings};
use acra_cli::Parsed;

pub(super) fn run(parsed: &Parsed, with: &mut Surroundings<'_>) -> Result<(), Failure> {
    let store = open(parsed, with).map_err(cannot_open)?;
    let rotated = parsed.boolean("rotated-keys");
    let keys = store.list(rotated);
    log_notices(&store, with.logger);
    let keys = keys.map_err(|error| Failure::fatal("Failed to read key list").caused_by(error))?;
    if parsed.boolean("json") {
        return table::print_json(with.out, &keys)
            .map_err(|error| Failure::fatal("Failed to print key list in JSON").caused_by(error));
    }
    table::print(with.out, &keys, rotated)
        .map_err(|error| Failure::fatal("Failed to print key list").caused_by(error))
}
