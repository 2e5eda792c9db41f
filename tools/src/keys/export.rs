//! `acra-keys export` (cli.md 13.8, tools.md 7, keystore.md 8.1).

use super::bundle_files::BundleFiles;
use super::{cannot_open_for_backup, key_id, open};
use crate::store::log_notices;
use crate::{Failure, Surroundings};
use acra_cli::Parsed;
use acra_stores::{Bundle, OutputError, Selection, write_files};
use acra_telemetry::Logger;

pub(super) fn run(parsed: &Parsed, with: &mut Surroundings<'_>) -> Result<(), Failure> {
    let logger = with.logger;
    let files = BundleFiles::of(parsed, logger)?;
    let private_keys = parsed.boolean("private_keys");
    let selection = selection(parsed, private_keys, logger)?;
    let store = open(parsed, with).map_err(cannot_open_for_backup(parsed))?;
    let exported = store.export(&selection, private_keys);
    log_notices(&store, logger);
    let (bundle, count) =
        exported.map_err(|error| Failure::fatal("Failed to export keys").caused_by(error))?;
    write(&files, &bundle, logger)?;
    let (data, secret) = (files.data.display(), files.secret.display());
    for line in [
        format!("Exported {count} keys"),
        format!("Exported key data is encrypted and saved here: {data}"),
        format!("New encryption keys for import generated here: {secret}"),
        "DO NOT transport or store these files together".to_owned(),
        format!(
            "Import the keys into another keystore like this:\n\tacra-keys import --key_bundle_file \"{data}\" \
             --key_bundle_secret \"{secret}\""
        ),
    ] {
        logger.info(&line, &[]);
    }
    Ok(())
}

/// Which keys the arguments name.
fn selection(parsed: &Parsed, private_keys: bool, logger: &Logger) -> Result<Selection, Failure> {
    let ids = parsed.rest();
    if parsed.boolean("all") {
        crate::program::ignore(ids, logger);
        return Ok(Selection::All);
    }
    if ids.is_empty() {
        logger.error("\"export\" command requires at least one key ID", &[]);
        logger.info("Use \"--all\" to export all keys", &[]);
        return Err(Failure::arguments("missing key IDs"));
    }
    let mut kinds = Vec::new();
    for id in ids {
        let kind = key_id::exported(id, logger)?;
        if !kind.is_pair() && !private_keys {
            return Err(
                Failure::fatal("Export symmetric keys expect \"--private_keys\"").field("key", id),
            );
        }
        kinds.push(kind);
    }
    Ok(Selection::Keys(kinds))
}

/// Writes both files: data first, then the secret.
fn write(files: &BundleFiles, bundle: &Bundle, logger: &Logger) -> Result<(), Failure> {
    let pair = [
        (files.data.as_path(), bundle.data.as_slice()),
        (files.secret.as_path(), bundle.secret.as_bytes()),
    ];
    write_files(&pair).map_err(|fault| {
        if let OutputError::Mode { path, mode } = &fault {
            let (path, actual) = (path.display().to_string(), symbolic(*mode));
            logger.error(
                "Incorrect output file permissions",
                &[
                    ("path", (&path).into()),
                    ("expected", "-rw-------".into()),
                    ("actual", (&actual).into()),
                ],
            );
        }
        Failure::fatal("Failed to write exported data").caused_by(fault)
    })
}

/// Permission bits as `ls` shows those of a file.
fn symbolic(mode: u32) -> String {
    let letters = "rwxrwxrwx".chars().enumerate();
    let bits = letters.map(|(place, letter)| match mode >> (8 - place) & 1 {
        1 => letter,
        _ => '-',
    });
    std::iter::once('-').chain(bits).collect()
}
