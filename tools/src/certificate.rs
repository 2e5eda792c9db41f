//! The client id of a certificate file (cli.md 13.7).

use crate::Failure;
use acra_cli::Flag;
use acra_engine::keys::ClientId;
use acra_engine::keys::certificate::{Extractor, IdentityError, PemError, certificate_of, extract};

/// What is said if there are an id and a certificate.
pub(crate) const ID_OR_CERTIFICATE: &str = "You can either specify identifier for keys via specific clientID by --client_id \
                                            parameter or via TLS certificate by --tls_cert parameter.";

/// The flags that say which certificate, and what of it counts.
pub(crate) fn flags() -> Vec<Flag> {
    vec![
        Flag::text("tls_cert", "", "older name of tls_client_id_cert"),
        Flag::text(
            "tls_client_id_cert",
            "",
            "certificate (PEM) that gives the client id",
        ),
        Flag::text(
            "tls_identifier_extractor_type",
            "distinguished_name",
            "what of the certificate gives it: distinguished_name or serial_number",
        ),
    ]
}

/// Reads the id. `extractor` is the value of `--tls_identifier_extractor_type`.
///
/// # Errors
///
/// The line that says what is wrong with flag or file.
pub(crate) fn client_id(path: &str, extractor: &str) -> Result<ClientId, Failure> {
    let kind = Extractor::from_name(extractor).map_err(|error| {
        Failure::new("Can't initialize identifier extractor")
            .caused_by(format!(
                "{error}: --tls_identifier_extractor_type takes distinguished_name or serial_number"
            ))
            .field("type", extractor)
    })?;
    let fault =
        |message| move |error: String| Failure::new(message).caused_by(format!("{path}: {error}"));
    let file = std::fs::read(path)
        .map_err(|error| fault("Can't read TLS certificate")(error.to_string()))?;
    let der = certificate_of(&file).map_err(|error| {
        let message = match error {
            PemError::NoBlock => "Can't parse TLS certificate as PEM encoded file",
            PemError::NoCertificate => "Can't parse TLS certificate",
        };
        fault(message)(error.to_string())
    })?;
    let id = extract(&der, kind).map_err(|error| {
        let message = match error {
            IdentityError::Malformed => "Can't parse TLS certificate",
            _ => "Can't extract clientID from TLS certificate",
        };
        fault(message)(error.to_string())
    })?;
    ClientId::new(&id)
        .map_err(|error| fault("Can't extract clientID from TLS certificate")(error.to_string()))
}
