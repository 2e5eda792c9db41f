//! `acra-keys import` (cli.md 13.9, keystore.md 8).

use super::bundle_files::BundleFiles;
use super::{cannot_open_for_backup, directory, public_directory, table};
use crate::store::log_notices;
use crate::{Failure, Surroundings};
use acra_cli::Parsed;
use acra_engine::crypto::Secret;
use acra_stores::{Bundle, KeyStore, KeyStoreError};

pub(super) fn run(parsed: &Parsed, with: &mut Surroundings<'_>) -> Result<(), Failure> {
    let files = BundleFiles::of(parsed, with.logger)?;
    let read = |path: &std::path::Path, message: &str| {
        std::fs::read(path).map_err(|error| {
            Failure::fatal(message).caused_by(format!("{}: {error}", path.display()))
        })
    };
    let bundle = Bundle {
        data: read(&files.data, "Failed to read data file")?,
        secret: Secret::from(read(&files.secret, "Failed to read key file")?),
    };
    let store = KeyStore::for_import(
        &bundle,
        directory(parsed),
        public_directory(parsed),
        with.master_key().as_deref(),
    )
    .map_err(|error| match error {
        KeyStoreError::Bundle(_) | KeyStoreError::BundleSecret(_) => cannot_import(error),
        error => cannot_open_for_backup(parsed)(error),
    })?;
    let imported = store.import(&bundle);
    log_notices(&store, with.logger);
    let imported = imported.map_err(cannot_import)?;
    let message = format!("Successfully imported {} keys", imported.count);
    with.logger.info(&message, &[]);
    match parsed.boolean("json") {
        true => table::print_json(with.out, &imported.keys),
        false => table::print_all(with.out, &imported.keys),
    }
    .map_err(|error| Failure::fatal("Failed to print imported key list").caused_by(error))
}

fn cannot_import(error: KeyStoreError) -> Failure {
    Failure::fatal("Failed to import keys").caused_by(error)
}
