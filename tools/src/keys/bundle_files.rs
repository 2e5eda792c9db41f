//! The two files of a bundle (keystore.md 8.1).

use crate::Failure;
use acra_cli::Parsed;
use acra_telemetry::Logger;
use std::path::PathBuf;

/// Their paths.
pub(super) struct BundleFiles {
    pub(super) data: PathBuf,
    pub(super) secret: PathBuf,
}

impl BundleFiles {
    /// The paths of the flags.
    pub(super) fn of(parsed: &Parsed, logger: &Logger) -> Result<Self, Failure> {
        let (data, secret) = (
            parsed.text("key_bundle_file"),
            parsed.text("key_bundle_secret"),
        );
        if data.is_empty() || secret.is_empty() {
            logger.error(
                "\"--key_bundle_file\" and \"--key_bundle_secret\" options are required",
                &[],
            );
            return Err(Failure::arguments("output file not specified"));
        }
        if data == secret {
            logger.error(
                "\"--key_bundle_file\" and \"--key_bundle_secret\" must not be the same file",
                &[],
            );
            return Err(Failure::arguments("output files are the same"));
        }
        Ok(Self {
            data: data.into(),
            secret: secret.into(),
        })
    }
}
