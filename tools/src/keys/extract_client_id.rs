//! `acra-keys extract-client-id` (cli.md 13.7).

use super::table;
use crate::{Failure, Surroundings, certificate};
use acra_cli::Parsed;
use serde::Serialize;

#[derive(Serialize)]
struct Extracted<'a> {
    client_id: &'a str,
}

pub(super) fn run(parsed: &Parsed, with: &mut Surroundings<'_>) -> Result<(), Failure> {
    let (older, newer) = (parsed.text("tls_cert"), parsed.text("tls_client_id_cert"));
    let path = match (older.is_empty(), newer.is_empty()) {
        (false, false) => {
            return Err(Failure::arguments(
                "passed --tls_cert (deprecated since 0.96.0) and --tls_client_id_cert simultaneously",
            ));
        }
        (true, true) => return Err(Failure::arguments("TLS certificate path not specified")),
        (false, true) => older,
        (true, false) => newer,
    };
    let id = certificate::client_id(path, parsed.text("tls_identifier_extractor_type")).map_err(
        |fault| {
            fault.log(with.logger);
            Failure::fatal("Failed to extract clientID from cert").caused_by(fault.cause())
        },
    )?;
    let printed = match parsed.boolean("print_json") {
        true => table::json_line(
            with.out,
            &Extracted {
                client_id: id.as_str(),
            },
        ),
        false => writeln!(with.out, "{id}"),
    };
    printed.map_err(|error| Failure::fatal("Failed to print clientID").caused_by(error))
}
