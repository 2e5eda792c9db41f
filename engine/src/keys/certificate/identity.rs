//! The client id of a certificate (tls.md 6, keystore.md 2).

use super::parts::Certificate;
use super::subject;
use sha2::{Digest as _, Sha512};
use std::fmt;

/// What in a certificate names its owner (`--tls_identifier_extractor_type`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extractor {
    /// The subject as text. A renewed certificate has the same id.
    #[default]
    DistinguishedName,
    /// The serial number.
    SerialNumber,
}

impl Extractor {
    /// The extractor of a flag's value.
    ///
    /// # Errors
    ///
    /// There is none of this name.
    pub fn from_name(name: &str) -> Result<Self, IdentityError> {
        match name {
            "distinguished_name" => Ok(Self::DistinguishedName),
            "serial_number" => Ok(Self::SerialNumber),
            _ => Err(IdentityError::InvalidExtractor),
        }
    }
}

/// Why a certificate gives no client id. The texts are Acra's where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdentityError {
    /// There is no verified certificate: none was sent, or it was not verified (modes 0 to 2).
    NoCertificate,
    /// The certificate is that of a CA.
    CaCertificate,
    /// The certificate is not meant for signing or for clients.
    KeyUsage,
    /// The subject is empty.
    Empty,
    /// No extractor of this name.
    InvalidExtractor,
    /// The certificate cannot be parsed.
    Malformed,
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoCertificate => "no peer tls certificate",
            Self::CaCertificate => "used CA certificate for authentication",
            Self::KeyUsage => {
                "peer certificate doesn't have DigitalSignature key usage or ClientAuth ExtKeyUsage values"
            }
            Self::Empty => "empty identifier",
            Self::InvalidExtractor => "invalid identifier extractor type",
            Self::Malformed => "the certificate cannot be parsed",
        })
    }
}

impl std::error::Error for IdentityError {}

/// The text of a subject, given as the DER of its Name.
///
/// # Errors
///
/// It is not the DER of a Name, or has a value that is no character string.
pub fn subject_text(name_der: &[u8]) -> Result<String, IdentityError> {
    subject::text(name_der).map_err(|_| IdentityError::Malformed)
}

/// The client id of a peer that authenticated with this certificate, which must have been verified: lower-case hex of
/// SHA-512, 128 characters.
///
/// # Errors
///
/// The certificate is that of a CA, is not meant for clients, or has no identifier.
pub fn client_id(leaf_der: &[u8], extractor: Extractor) -> Result<String, IdentityError> {
    let certificate = parse(leaf_der)?;
    if certificate.is_ca {
        return Err(IdentityError::CaCertificate);
    }
    if !certificate.may_sign && !certificate.is_for_clients() {
        return Err(IdentityError::KeyUsage);
    }
    id_of(&certificate, extractor)
}

/// The id of any certificate, whatever it may be used for: what tools show.
///
/// # Errors
///
/// The certificate cannot be parsed or has no identifier.
pub fn extract(certificate_der: &[u8], extractor: Extractor) -> Result<String, IdentityError> {
    id_of(&parse(certificate_der)?, extractor)
}

/// Takes a certificate apart; its subject and its serial number must be legal even if the id does not need them.
fn parse(der: &[u8]) -> Result<Certificate<'_>, IdentityError> {
    let certificate = Certificate::parse(der).map_err(|_| IdentityError::Malformed)?;
    let is_negative = certificate.serial.first().is_some_and(|byte| *byte >= 0x80);
    if is_negative || subject::text(certificate.subject).is_err() {
        return Err(IdentityError::Malformed);
    }
    Ok(certificate)
}

fn id_of(certificate: &Certificate<'_>, extractor: Extractor) -> Result<String, IdentityError> {
    let digest = match extractor {
        Extractor::DistinguishedName => {
            let text = subject_text(certificate.subject)?;
            if text.is_empty() {
                return Err(IdentityError::Empty);
            }
            Sha512::digest(text)
        }
        // The magnitude: one zero byte keeps the number from being negative and does not belong to it.
        Extractor::SerialNumber => Sha512::digest(
            certificate
                .serial
                .strip_prefix(&[0])
                .unwrap_or(certificate.serial),
        ),
    };
    Ok(const_hex::encode(digest))
}
