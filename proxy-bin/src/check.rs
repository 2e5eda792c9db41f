//! `--check_config`: what a start does short of listening, with everything that is wrong told at once.

use crate::key_needs::{missing, needs};
use crate::settings::{self, Problems, Settings, StartError};
use crate::snapshot::{self, log_notices, open_keys};
use crate::tls::Tls;
use crate::{exporter, forbid_core_dumps, log_problems, log_warnings, say};
use acra_cli::Parsed;
use acra_engine::columns::{Columns, KeyNeeds};
use acra_engine::keys::{ClientId, ClientKeys};
use acra_stores::{CacheSize, KeyCache};
use acra_telemetry::{Logger, codes};
use std::fs::OpenOptions;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// Checks, writes to standard error in the form that the log has, and gives the exit code.
///
/// Neither the database nor the addresses to listen at are touched, and no file is written: a running server is not
/// disturbed.
pub(crate) fn run(parsed: &Parsed) -> ExitCode {
    let logger = match settings::console_logger(parsed) {
        Ok(logger) => logger,
        Err(error) => return say(std::io::stderr(), &error.to_string(), 1),
    };
    forbid_core_dumps(&logger);
    log_warnings(parsed, &logger);
    logger.info("Validating service configuration...", &[]);
    let mut problems = Problems::default();
    problems.keep(log_file(parsed));
    problems.keep(exporter::address(parsed));
    let encryptor_config = settings::encryptor_config(parsed);
    let path = encryptor_config.as_deref();
    let document = problems.keep(snapshot::document(path));
    // A wrong choice is told with the other settings.
    let protocol = settings::protocol(parsed).unwrap_or_default();
    let columns =
        document.and_then(|text| problems.keep(snapshot::columns(path, &text, protocol, &logger)));
    let columns = columns.unwrap_or_else(Columns::empty);
    let client_id = match Settings::new(parsed) {
        Ok(settings) => {
            problems.keep(Tls::load(&settings.tls, &logger));
            problems.keep(settings.client_id()).flatten()
        }
        Err(found) => {
            problems.0.extend(found.0);
            // Judged already, or cannot be.
            ClientId::new(parsed.text("client_id")).ok()
        }
    };
    let clients = check_keys(parsed, &columns, client_id.as_ref(), &mut problems, &logger);
    log_problems(&problems, &logger);
    summary(&problems, &columns, clients, &logger)
}

fn summary(problems: &Problems, columns: &Columns, clients: usize, logger: &Logger) -> ExitCode {
    match problems.0.len() {
        0 => {
            let protected: usize = columns.tables().map(|table| table.settings().count()).sum();
            logger.info(
                &format!(
                    "Configuration is good: {protected} protected columns, keys of {clients} clients"
                ),
                &[],
            );
            ExitCode::SUCCESS
        }
        count => {
            let plural = if count == 1 { "" } else { "s" };
            logger.error(
                &format!("Configuration has {count} problem{plural}"),
                &[codes::code(codes::WRONG_CONFIGURATION)],
            );
            ExitCode::FAILURE
        }
    }
}

/// Whether the log could be written; the file is not made.
fn log_file(parsed: &Parsed) -> Result<(), StartError> {
    let path = Path::new(parsed.text("log_to_file"));
    if path.as_os_str().is_empty() {
        return Ok(());
    }
    let there = match path.try_exists() {
        Ok(true) => OpenOptions::new().append(true).open(path).map(|_| ()),
        Ok(false) => {
            let parent = path
                .parent()
                .filter(|parent| !parent.as_os_str().is_empty());
            parent.unwrap_or(Path::new(".")).read_dir().map(|_| ())
        }
        Err(error) => Err(error),
    };
    there.map_err(|error| settings::unwritable_log(&path.display(), error))
}

/// Opens every key of the key store and of the clients that the configuration names; gives the number of clients whose
/// keys open.
fn check_keys(
    parsed: &Parsed,
    columns: &Columns,
    own: Option<&ClientId>,
    problems: &mut Problems,
    logger: &Logger,
) -> usize {
    let Some(keys) = problems.keep(open_keys(
        Path::new(parsed.text("keys_dir")),
        CacheSize::None,
        logger,
    )) else {
        return 0;
    };
    let stored = keys
        .stored_clients()
        .map_err(|error| StartError::new(codes::KEYSTORE, "Can't open keyStore").caused_by(error));
    let stored = problems.keep(stored).unwrap_or_default();
    let named = needs(columns, own);
    let mut usable = 0;
    for client in &stored {
        // Whether a client that the configuration does not name writes to columns, nobody knows here.
        if !named.contains_key(client.as_str()) {
            usable += usize::from(problems.keep(load(&keys, client)).is_some());
        }
    }
    for (id, needed) in named {
        usable += usize::from(problems.keep(check_client(&keys, &id, needed)).is_some());
    }
    log_notices(&keys, logger);
    usable
}

fn load(keys: &KeyCache, client: &ClientId) -> Result<Option<Arc<ClientKeys>>, StartError> {
    match keys.load(client) {
        Ok(keys) => Ok(Some(keys)),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(StartError::new(
            codes::KEYS,
            format!("Can't read keys of client \"{client}\""),
        )
        .caused_by(error)),
    }
}

fn check_client(keys: &KeyCache, id: &str, needed: KeyNeeds) -> Result<(), StartError> {
    let client = ClientId::new(id).map_err(|error| {
        StartError::new(
            codes::INVALID_CLIENT_ID,
            format!("client id \"{id}\" of the encryptor configuration is not one"),
        )
        .caused_by(error)
    })?;
    match missing(needed, load(keys, &client)?.as_deref()) {
        None => Ok(()),
        Some(flags) => Err(StartError::new(
            codes::KEYS,
            format!("No storage key for client \"{id}\": its columns cannot be written"),
        )
        .caused_by(format!(
            "make it with acra-keymaker {flags} --client_id=\"{id}\""
        ))),
    }
}
