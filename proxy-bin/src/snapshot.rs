//! What sessions work with and a reload replaces: columns, plans, keys, certificates.

use crate::key_needs::{Needs, missing, needs};
use crate::settings::{Protocol, Settings, StartError};
use crate::tls::Tls;
use acra_engine::columns::{Columns, Database};
use acra_engine::keys::ClientId;
use acra_engine::plan::Planners;
use acra_engine::session::{Context, Poison, mysql};
use acra_stores::{CacheSize, KeyCache, KeyStore, KeyStoreError};
use acra_telemetry::{Logger, codes};
use std::path::Path;
use std::sync::Arc;

/// Bytes of all plans for one database.
const PLAN_CACHE: u64 = 32 << 20;

/// A state of the configuration, replaced as a whole.
pub(crate) struct Snapshot {
    pub(crate) context: Arc<Context>,
    pub(crate) mysql: Arc<mysql::Options>,
    pub(crate) keys: Arc<KeyCache>,
    pub(crate) tls: Arc<Tls>,
    /// The encryptor configuration as it was read: one that has not changed keeps its plans.
    document: Vec<u8>,
    pub(crate) columns: Arc<Columns>,
}

impl Snapshot {
    /// Reads the encryptor configuration and the keys. Plans of `former` are kept if its configuration is the same.
    pub(crate) fn load(
        settings: &Settings,
        former: Option<&Self>,
        logger: &Logger,
    ) -> Result<Self, StartError> {
        let path = settings.encryptor_config.as_deref();
        let document = document(path)?;
        let same = former.filter(|former| former.document == document);
        let (planners, columns) = match same {
            Some(former) => (
                Arc::clone(&former.context.planners),
                Arc::clone(&former.columns),
            ),
            None => {
                let columns = columns(path, &document, settings.protocol, logger)?;
                let columns = Arc::new(columns);
                let planners =
                    Planners::new(Arc::clone(&columns), settings.unsupported, PLAN_CACHE);
                (Arc::new(planners), columns)
            }
        };
        let keys = open_keys(&settings.keys_dir, settings.cache.size, logger)?;
        load_keys(settings, &keys, logger)?;
        let poison = poison(settings, &keys, logger)?;
        logger.info("Configuring transport...", &[]);
        let client_id = settings.client_id()?;
        let tls = Tls::load(&settings.tls, logger)?;
        warn_missing(needs(&columns, client_id.as_ref()), &keys, logger);
        let protects = !columns.is_empty();
        let mysql = mysql::Options {
            database_tls: match settings.upstream.is_local() {
                true => mysql::DatabaseTls::Local,
                false => tls.database_mode(),
            },
            mixed_tls: settings.mixed_tls.clone(),
            compression: settings.compression,
        };
        let context = Context {
            planners,
            schema_probe: settings.schema_probe,
            protects,
            client_id,
            client_id_variable: settings.client_id_variable.clone(),
            client_tls: tls.client_mode(),
            poison,
            scan: settings.scan,
            limits: settings.limits,
        };
        Ok(Self {
            context: Arc::new(context),
            mysql: Arc::new(mysql),
            keys: Arc::new(keys),
            tls: Arc::new(tls),
            document,
            columns,
        })
    }
}

fn wrong_config(path: &Path, cause: &str) -> StartError {
    StartError::new(codes::WRONG_CONFIGURATION, "Can't load encryptor config")
        .caused_by(format!("{}: {cause}", path.display()))
}

/// The text of the encryptor configuration.
pub(crate) fn document(path: Option<&Path>) -> Result<Vec<u8>, StartError> {
    match path {
        None => Ok(Vec::new()),
        Some(path) => std::fs::read(path).map_err(|error| wrong_config(path, &error.to_string())),
    }
}

/// The encryptor configuration: judged, and refused where it asks for what does not exist yet.
pub(crate) fn columns(
    path: Option<&Path>,
    document: &[u8],
    protocol: Protocol,
    logger: &Logger,
) -> Result<Columns, StartError> {
    let Some(file) = path else {
        return Ok(Columns::empty());
    };
    let path = file.display().to_string();
    logger.info(
        &format!("Load encryptor configuration from {path} ..."),
        &[],
    );
    let loaded = Columns::parse(document, database(protocol))
        .map_err(|error| wrong_config(file, &error.placed()))?;
    for warning in &loaded.warnings {
        logger.warning(&warning.to_string(), &[("path", (&path).into())]);
    }
    let missing = loaded.columns.unsupported();
    if !missing.is_empty() {
        return Err(wrong_config(file, &missing.join("; ")));
    }
    logger.info("Encryptor configuration loaded", &[]);
    Ok(loaded.columns)
}

fn database(protocol: Protocol) -> Database {
    match protocol {
        Protocol::PostgreSql => Database::PostgreSql,
        Protocol::MySql => Database::MySql,
    }
}

/// Opens the key store, without reading keys.
pub(crate) fn open_keys(
    directory: &Path,
    size: CacheSize,
    logger: &Logger,
) -> Result<KeyCache, StartError> {
    logger.info("Initialising keystore...", &[]);
    let master_key = std::env::var("ACRA_MASTER_KEY").ok();
    let fail = |error: KeyStoreError| {
        StartError::new(codes::KEYSTORE, "Can't open keyStore")
            .caused_by(format!("{}: {error}", directory.display()))
    };
    let store = KeyStore::open(directory, None, master_key.as_deref()).map_err(fail)?;
    Ok(KeyCache::new(store, size))
}

fn load_keys(settings: &Settings, cache: &KeyCache, logger: &Logger) -> Result<(), StartError> {
    let path = settings.keys_dir.display().to_string();
    if settings.cache.on_start {
        cache.load_all().map_err(|error| {
            StartError::new(codes::KEYSTORE, "Failed to cache keystore on start")
                .caused_by(format!("{path}: {error}"))
        })?;
        logger.info("Cached keystore on start successfully", &[]);
    }
    log_notices(cache, logger);
    logger.info("Keystore init OK", &[("path", (&path).into())]);
    Ok(())
}

/// The keys of poison records, if those are looked for.
fn poison(
    settings: &Settings,
    keys: &KeyCache,
    logger: &Logger,
) -> Result<Option<Poison>, StartError> {
    let poison = &settings.poison;
    if !poison.detects {
        return Ok(None);
    }
    match keys.load_poison() {
        Ok(keys) => Ok(Some(Poison {
            keys: Arc::new(keys),
            reply: poison.reply,
        })),
        Err(error) if error.is_missing() => {
            logger.error(
                "Can't check for poison record, possible missing Poison record decryption key",
                &[
                    codes::code(codes::POISON_KEYS),
                    (
                        "error",
                        "make them with acra-keymaker --generate_poisonrecord_keys, then reload"
                            .into(),
                    ),
                ],
            );
            Ok(None)
        }
        Err(error) => Err(
            StartError::new(codes::KEYS, "Can't read the keys of poison records").caused_by(error),
        ),
    }
}

/// Logs what the key store found that stops nothing: a rotated key that does not open, a file that others can read.
pub(crate) fn log_notices(keys: &KeyCache, logger: &Logger) {
    for notice in keys.take_notices() {
        let path = notice.path.display().to_string();
        let fields = [codes::code(codes::KEYS), ("path", (&path).into())];
        if notice.is_error {
            logger.error(&notice.message, &fields);
        } else {
            logger.warning(&notice.message, &fields);
        }
    }
}

/// A client without keys can connect, but not write; better to hear of it now.
fn warn_missing(needs: Needs, keys: &KeyCache, logger: &Logger) {
    for (id, needed) in needs {
        let loaded = ClientId::new(&id).ok().and_then(|id| keys.load(&id).ok());
        if let Some(flags) = missing(needed, loaded.as_deref()) {
            logger.warning(
                "No storage key for this client: its columns cannot be written",
                &[
                    codes::code(codes::KEYS),
                    ("client_id", (&id).into()),
                    ("missing", (&*flags).into()),
                ],
            );
        }
    }
}
