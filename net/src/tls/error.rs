//! What goes wrong with TLS, for the log, and what the operator can do about it.

use rustls::{AlertDescription, CertificateError, Error};
use std::{fmt, io};

/// Whom a handshake was with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// An application.
    Client,
    /// The database.
    Database,
    /// A Redis server, which keeps tokens.
    Redis,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Database => "database",
            Self::Redis => "Redis server",
        })
    }
}

/// A failure to set TLS up or to agree on it with a peer.
#[derive(Debug)]
#[non_exhaustive]
pub enum TlsError {
    /// A flag or a file. The text names both and says what to do.
    Settings(String),
    /// The handshake failed.
    Handshake {
        /// With whom.
        with: Peer,
        /// Why.
        fault: Error,
    },
    /// The connection broke before the handshake was done.
    Io {
        /// With whom.
        with: Peer,
        /// Why.
        fault: io::Error,
    },
    /// A client began with TLS at once and did not name the protocol by ALPN, as direct TLS demands.
    NoAlpn,
    /// The database answered `N` to SSLRequest although TLS with it is required.
    NotOffered,
    /// The database answered SSLRequest with neither `S` nor `N`.
    UnexpectedAnswer(u8),
}

impl TlsError {
    /// Takes the TLS error out of the I/O error that the handshake ended with.
    pub(crate) fn handshake(with: Peer, fault: io::Error) -> Self {
        match fault.get_ref().and_then(|fault| fault.downcast_ref()) {
            Some(fault) => Self::Handshake {
                with,
                fault: Error::clone(fault),
            },
            None => Self::Io { with, fault },
        }
    }

    /// What the operator should look at, if the situation is one of the common ones (tls.md 11).
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Handshake { with, fault } => match with {
                Peer::Client => client_hint(fault),
                Peer::Database => database_hint(fault),
                Peer::Redis => redis_hint(fault),
            },
            Self::NoAlpn => Some(
                "direct TLS (sslnegotiation=direct) needs a client that offers ALPN `postgresql`; use a newer driver, \
                 or let it ask for TLS by SSLRequest",
            ),
            Self::NotOffered => Some(
                "turn TLS on in the database (`ssl = on` with a certificate and a key), or allow connections to it \
                 without TLS",
            ),
            Self::UnexpectedAnswer(_) => Some(
                "check that --db_host and --db_port lead to a PostgreSQL server, and not to a service that speaks TLS \
                 at once or another protocol",
            ),
            Self::Io {
                with: Peer::Client, ..
            } => Some(
                "the client left during the handshake: it may not trust this server's certificate; give the \
                 application the CA of --tls_client_cert or --tls_cert (sslrootcert)",
            ),
            Self::Settings(_) | Self::Io { .. } => None,
        }
    }
}

/// `openssl x509 -req` without extensions makes such certificates.
const VERSION_1: &str = "the certificate is of X.509 version 1, which cannot be verified: issue it again with extensions \
                         (`openssl x509 -req -extfile …` with keyUsage, extendedKeyUsage and subjectAltName)";

fn client_hint(fault: &Error) -> Option<&'static str> {
    Some(match fault {
        Error::NoCertificatesPresented => {
            "the client sent no certificate: check the driver's SSL mode, sslcert and sslkey (drivers pass over a key \
             file that others can read: it should have mode 0600), and that the database has TLS on; --tls_client_auth \
             or --tls_auth says whether a certificate is demanded"
        }
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "the client's certificate is not signed by a CA of --tls_client_ca (or --tls_ca): set it to the CA that \
             issues client certificates"
        }
        Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        ) => "the client's certificate has expired: renew it, and check both clocks",
        Error::InvalidCertificate(
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. },
        ) => {
            "the client's certificate is not made for clients: it needs extended key usage clientAuth, or none"
        }
        Error::InvalidCertificate(fault) if is_version_1(fault) => VERSION_1,
        Error::InvalidCertificate(fault) if is_ca_as_leaf(fault) => {
            "clients must use certificates of their own, issued by the CA, and not the CA's certificate"
        }
        Error::AlertReceived(
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired
            | AlertDescription::BadRecordMac
            | AlertDescription::DecryptError,
        ) => {
            "the client does not accept this server's certificate: give the application the CA of --tls_client_cert or \
             --tls_cert (sslrootcert), and check the names in the certificate and its validity"
        }
        Error::NoApplicationProtocol => {
            "the client offers only protocols other than `postgresql` by ALPN: it may not be a PostgreSQL client"
        }
        Error::PeerIncompatible(_) => {
            "the client supports neither TLS 1.2 nor 1.3 with a common cipher suite: update the driver or its TLS library"
        }
        Error::InvalidMessage(_) => {
            "what the client sent is not TLS: check that nothing between the two alters the connection"
        }
        _ => return None,
    })
}

fn database_hint(fault: &Error) -> Option<&'static str> {
    Some(match fault {
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => {
            "the database's certificate is for another name: set --tls_database_sni to a DNS name or an address that \
             is in its subjectAltName (the common name does not count)"
        }
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "the database's certificate is not signed by a known CA: set --tls_database_ca (or --tls_ca) to the CA of \
             the database"
        }
        Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        ) => "the database's certificate has expired: renew it, and check both clocks",
        Error::InvalidCertificate(fault) if is_version_1(fault) => VERSION_1,
        Error::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::HandshakeFailure
            | AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired,
        ) => {
            "the database refuses the certificate it got, or wants one: check --tls_database_cert and \
             --tls_database_key, and the database's `ssl_ca_file`"
        }
        Error::InvalidMessage(_) => {
            "after it agreed to TLS, something that is not TLS arrived from the database: somebody may be between the two"
        }
        _ => return None,
    })
}

fn redis_hint(fault: &Error) -> Option<&'static str> {
    Some(match fault {
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => {
            "the certificate is for another name: set --redis_tls_client_sni to a DNS name or an address that is in its \
             subjectAltName (the common name does not count)"
        }
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "the certificate is not signed by a known CA: set --redis_tls_client_ca (or --tls_ca) to the CA of Redis"
        }
        Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        ) => "the certificate has expired: renew it, and check both clocks",
        Error::InvalidCertificate(fault) if is_version_1(fault) => VERSION_1,
        Error::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::HandshakeFailure
            | AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired,
        ) => {
            "Redis refuses the certificate it got, or wants one: check --redis_tls_client_cert and \
             --redis_tls_client_key, and `tls-auth-clients` and `tls-ca-cert-file` of Redis"
        }
        Error::InvalidMessage(_) => "check that the port is that of TLS (`tls-port` of Redis)",
        _ => return None,
    })
}

/// webpki's errors without a variant of rustls's are told apart by their names.
fn is_named(fault: &CertificateError, name: &str) -> bool {
    matches!(fault, CertificateError::Other(other) if format!("{:?}", other.0) == name)
}

pub(crate) fn is_ca_as_leaf(fault: &CertificateError) -> bool {
    is_named(fault, "CaUsedAsEndEntity")
}

pub(crate) fn is_version_1(fault: &CertificateError) -> bool {
    is_named(fault, "UnsupportedCertVersion")
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings(text) => f.write_str(text),
            Self::Handshake { with, fault } => {
                write!(f, "TLS handshake with the {with} failed: ")?;
                match fault {
                    Error::InvalidCertificate(fault) if is_ca_as_leaf(fault) => {
                        f.write_str("used CA certificate for authentication")
                    }
                    fault => fault.fmt(f),
                }
            }
            Self::Io { with, fault } if fault.kind() == io::ErrorKind::UnexpectedEof => {
                write!(
                    f,
                    "the {with} closed the connection during the TLS handshake"
                )
            }
            Self::Io { with, fault } => {
                write!(
                    f,
                    "the connection with the {with} broke during the TLS handshake: {fault}"
                )
            }
            Self::NoAlpn => f.write_str(
                "direct TLS from a client that does not name the protocol `postgresql` by ALPN",
            ),
            Self::NotOffered => f.write_str("the database does not offer TLS, and TLS is required"),
            Self::UnexpectedAnswer(byte) => write!(
                f,
                "the database answered the request for TLS with `{}`, and not with `S` or `N`",
                byte.escape_ascii()
            ),
        }
    }
}

impl std::error::Error for TlsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Handshake { fault, .. } => Some(fault),
            Self::Io { fault, .. } => Some(fault),
            _ => None,
        }
    }
}
