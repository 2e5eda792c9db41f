//! How the database's certificate is verified.

use super::provider::provider;
use super::verify_client::verify_unverified_signature;
use acra_engine::keys::certificate::Certificate;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::sync::Arc;

/// The trusted CAs.
#[derive(Debug)]
pub(crate) struct Trust {
    pub(crate) roots: Arc<RootCertStore>,
    /// The certificates of the CA file. A database that shows one of them itself is trusted: `openssl req -x509` makes
    /// self-signed certificates that are marked as a CA's, and people give them to servers.
    pub(crate) pinned: Vec<CertificateDer<'static>>,
    /// The name in the certificate is checked as well.
    pub(crate) checks_name: bool,
}

/// Verifies the chain and the name as far as the mode asks for it. That the server has the key of the certificate it
/// shows is always checked.
#[derive(Debug)]
pub(crate) struct ServerVerifier {
    algorithms: WebPkiSupportedAlgorithms,
    trust: Option<Trust>,
}

impl ServerVerifier {
    /// Without `trust` any certificate will do.
    pub(crate) fn new(trust: Option<Trust>) -> Self {
        Self {
            algorithms: provider().signature_verification_algorithms,
            trust,
        }
    }
}

impl Trust {
    fn verify_chain(
        &self,
        leaf: &CertificateDer<'_>,
        parsed: &ParsedCertificate<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
        algorithms: &WebPkiSupportedAlgorithms,
    ) -> Result<(), Error> {
        if self.pinned.iter().any(|pinned| pinned == leaf) {
            let certificate =
                Certificate::parse(leaf).map_err(|_| CertificateError::BadEncoding)?;
            // A CA's certificate is no leaf for webpki, so what is left to verify is verified here.
            if certificate.is_ca {
                return pinned_ca(&certificate, now);
            }
        }
        verify_server_cert_signed_by_trust_anchor(
            parsed,
            &self.roots,
            intermediates,
            now,
            algorithms.all,
        )
    }
}

fn pinned_ca(certificate: &Certificate<'_>, now: UnixTime) -> Result<(), Error> {
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if !certificate.is_valid_at(now) {
        return Err(CertificateError::Expired.into());
    }
    if !certificate.may_be_server() {
        return Err(CertificateError::InvalidPurpose.into());
    }
    Ok(())
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(trust) = &self.trust {
            let parsed = ParsedCertificate::try_from(end_entity)?;
            trust.verify_chain(end_entity, &parsed, intermediates, now, &self.algorithms)?;
            if trust.checks_name {
                verify_server_name(&parsed, server_name)?;
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match self.trust {
            Some(_) => verify_tls13_signature(message, cert, dss, &self.algorithms),
            None => verify_unverified_signature(message, cert, dss, &self.algorithms),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
