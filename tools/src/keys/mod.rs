//! `acra-keys`: lists, reads, makes, removes, exports and imports keys (cli.md 13).

mod bundle_files;
mod check;
mod destroy;
mod export;
mod extract_client_id;
mod generate;
mod import;
mod key_id;
mod list;
mod migrate;
mod program;
mod read;
mod table;

pub use program::program;

use crate::program::ignore;
use crate::{Failure, Surroundings};
use acra_cli::Parsed;
use acra_stores::{KeyStore, KeyStoreError, Version, version_of};
use std::path::Path;

/// Runs a command of [`program()`].
///
/// # Errors
///
/// The line with which it ends.
pub fn run(
    command: &str,
    parsed: &Parsed,
    mut surroundings: Surroundings<'_>,
) -> Result<(), Failure> {
    let with = &mut surroundings;
    match command {
        "read" => return read::run(parsed, with),
        "destroy" => return destroy::run(parsed, with),
        "export" => return export::run(parsed, with),
        _ => {}
    }
    ignore(parsed.rest(), with.logger);
    match command {
        "list" => list::run(parsed, with),
        "import" => import::run(parsed, with),
        "migrate" => migrate::run(parsed, with),
        "generate" => generate::run(parsed, with),
        "extract-client-id" => extract_client_id::run(parsed, with),
        "check" => check::run(parsed, with),
        _ => Err(Failure::arguments("unknown command")),
    }
}

/// The key directory.
fn directory(parsed: &Parsed) -> &Path {
    Path::new(parsed.text("keys_dir"))
}

/// The directory of public keys, if it is another one.
fn public_directory(parsed: &Parsed) -> Option<&Path> {
    Some(Path::new(parsed.text("keys_dir_public"))).filter(|path| !path.as_os_str().is_empty())
}

/// Opens the key store of the flags.
fn open(parsed: &Parsed, with: &Surroundings<'_>) -> Result<KeyStore, KeyStoreError> {
    KeyStore::open(
        directory(parsed),
        public_directory(parsed),
        with.master_key().as_deref(),
    )
}

/// How list, read, destroy and generate say that there is no key store to work on.
fn cannot_open(error: KeyStoreError) -> Failure {
    Failure::fatal("Failed to open keystore").caused_by(error)
}

/// How export and import say so.
fn cannot_open_for_backup(parsed: &Parsed) -> impl FnOnce(KeyStoreError) -> Failure {
    let version = version_of(directory(parsed));
    move |error| {
        let message = match (&error, version) {
            (_, Ok(Version::V2)) => "Can't open V2 keystore",
            (KeyStoreError::MasterKey(_), _) => "Can't init keystore KeyEncryptor",
            _ => "Can't open V1 keystore",
        };
        Failure::new(message).caused_by(error)
    }
}
