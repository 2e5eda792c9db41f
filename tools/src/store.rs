//! The key store that a tool works on: its flags, its version, what it has to say.

use acra_cli::families::{self, RedisUse};
use acra_cli::{Availability, Flag};
use acra_stores::{KeyStore, KeyStoreError, Version, version_of};
use acra_telemetry::Logger;
use std::path::Path;

/// What is said if it is not known which version to create.
pub(crate) const VERSION_REQUIRED: &str = "Keystore version is required: --keystore={v1|v2}";

/// A key management service does not exist yet.
pub(crate) const KMS: Availability = Availability::NotYet("a key management service");

/// The flags about where a key store and its master key are, other than in a directory and in the environment.
pub(crate) fn flags() -> Vec<Flag> {
    [
        families::redis(RedisUse::Keys, Availability::NotYet("Redis")),
        families::keystore_strategy(Availability::NotYet(
            "another source of the master key than the environment",
        )),
        families::kms(KMS),
        families::vault(Availability::NotYet("HashiCorp Vault")),
    ]
    .concat()
}

/// The flags about TLS with Redis and Vault.
pub(crate) fn tls_flags() -> Vec<Flag> {
    families::tls_base(Availability::NotYet("TLS with Redis or HashiCorp Vault"))
}

/// Why it is not known which version keys are to be made in.
pub(crate) enum VersionFault {
    /// It is not said which version to create.
    Required,
    /// There is no such version.
    Unknown,
    /// The directory cannot be used.
    Store(KeyStoreError),
}

/// The version that keys are made in: asked for, or found in the directory.
pub(crate) fn version(asked: &str, directory: &Path) -> Result<Version, VersionFault> {
    match asked {
        "v1" => Ok(Version::V1),
        "v2" => Ok(Version::V2),
        "" => match version_of(directory) {
            Ok(Version::Empty) => Err(VersionFault::Required),
            Ok(version) => Ok(version),
            Err(error) => Err(VersionFault::Store(error)),
        },
        _ => Err(VersionFault::Unknown),
    }
}

/// Logs what the key store found that stops nothing.
pub(crate) fn log_notices(store: &KeyStore, logger: &Logger) {
    for notice in store.take_notices() {
        let path = notice.path.display().to_string();
        let name = notice.path.file_name().unwrap_or_default();
        let name = name.to_string_lossy().into_owned();
        let fields = [("KeyID", (&name).into()), ("path", (&path).into())];
        if notice.is_error {
            logger.error(&notice.message, &fields);
        } else {
            logger.warning(&notice.message, &fields);
        }
    }
}
