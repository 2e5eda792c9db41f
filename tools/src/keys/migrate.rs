//! `acra-keys migrate` (cli.md 13.10, tools.md 8).

use super::key_id;
use crate::store::log_notices;
use crate::{Failure, Surroundings};
use acra_cli::Parsed;
use acra_stores::{Destination, KeyStore, KeyStoreError, UnreadKey, migrate};
use acra_telemetry::Logger;
use std::path::Path;

pub(super) fn run(parsed: &Parsed, with: &mut Surroundings<'_>) -> Result<(), Failure> {
    let is_missing = |flag: &str, what: &str| {
        let is_missing = parsed.text(flag).is_empty();
        if is_missing {
            with.logger
                .warning(&format!("Missing required argument: --{flag}={what}"), &[]);
        }
        is_missing
    };
    let both = |flags: [&str; 2], what: &str| flags.map(|flag| is_missing(flag, what));
    if both(["src_keystore", "dst_keystore"], "{v1|v2}").contains(&true) {
        return Err(Failure::arguments("keystore format not specified"));
    }
    if both(["src_keys_dir", "dst_keys_dir"], "<path>").contains(&true) {
        return Err(Failure::arguments("keys directory not specified"));
    }
    let (src, dst) = (parsed.text("src_keystore"), parsed.text("dst_keystore"));
    if (src, dst) != ("v1", "v2") {
        return Err(Failure::fatal("Keystore conversion not supported")
            .field("src", src)
            .field("dst", dst));
    }
    let logger = with.logger;
    let directory = |flag: &str| Path::new(parsed.text(flag));
    let (from, to) = (directory("src_keys_dir"), directory("dst_keys_dir"));
    let public = directory("src_keys_dir_public");
    let public = Some(public).filter(|path| !path.as_os_str().is_empty());
    let source = KeyStore::open(
        from,
        public,
        with.variable("SRC_ACRA_MASTER_KEY").as_deref(),
    )
    .map_err(|error| {
        Failure::fatal("Failed to open keystore v1 (src)")
            .caused_by(cause(&error, "SRC_ACRA_MASTER_KEY"))
    })?;
    let master_key = with.variable("DST_ACRA_MASTER_KEY");
    let destination = Destination::open(to, master_key.as_deref(), parsed.boolean("force"))
        .map_err(|error| refuse(error, logger))?;
    let is_dry = parsed.boolean("dry_run");
    let migrated = migrate(&source, destination, is_dry);
    log_notices(&source, logger);
    migrated.map_err(|error| failed(error, logger))?;
    for line in [
        "Migration complete".to_owned(),
        format!("Old keystore: {}", from.display()),
        format!("New keystore: {}", to.display()),
    ] {
        logger.info(&line, &[]);
    }
    if is_dry {
        logger.info("Run without --dry_run to actually write key data", &[]);
    }
    Ok(())
}

fn refuse(error: KeyStoreError, logger: &Logger) -> Failure {
    if let KeyStoreError::DestinationExists(path) = &error {
        let path = path.display().to_string();
        logger.error("Key directory already exists", &[("path", (&path).into())]);
        logger.info("Run with --force to import into existing directory", &[]);
    }
    Failure::fatal("Failed to open keystore v2 (dst)")
        .caused_by(cause(&error, "DST_ACRA_MASTER_KEY"))
}

/// The text of an error, which for master keys names the variable that they have here.
fn cause(error: &KeyStoreError, variable: &str) -> String {
    match error {
        KeyStoreError::MasterKey(error) => {
            format!("{error}: {variable} must hold the base64 of the master key file")
        }
        _ => error.to_string(),
    }
}

fn failed(error: KeyStoreError, logger: &Logger) -> Failure {
    if let KeyStoreError::Incomplete(keys) = &error {
        for UnreadKey { kind, error } in keys {
            let (id, error) = (key_id::of(kind), error.to_string());
            logger.warning(
                "Failed to import key",
                &[("id", (&id).into()), ("error", (&error).into())],
            );
        }
    }
    Failure::fatal("Migration failed").caused_by(error)
}
