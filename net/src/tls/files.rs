//! Certificates, keys and CA bundles from PEM files. Blocking: used at start and on reload.

use super::provider::provider;
use super::{Peer, TlsError};
use rustls::RootCertStore;
use rustls::pki_types::pem::{self, SectionKind};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Mode bits that let group or others read a file.
const READABLE_BY_OTHERS: u32 = 0o044;

/// Something loaded, and what the operator should be told about it.
#[derive(Debug)]
pub struct Loaded<T> {
    /// What was loaded.
    pub value: T,
    /// Warnings, each a whole sentence for the log.
    pub warnings: Vec<String>,
}

/// The flags that paths and names come from, for messages.
#[derive(Debug)]
pub(crate) struct Flags {
    pub(crate) cert: &'static str,
    pub(crate) key: &'static str,
    pub(crate) ca: &'static str,
    /// Those of the name that the peer must have.
    pub(crate) name: &'static str,
}

impl Flags {
    pub(crate) fn of(peer: Peer) -> &'static Self {
        match peer {
            Peer::Client => &CLIENT,
            Peer::Database => &DATABASE,
            Peer::Redis => &REDIS,
        }
    }
}

/// The flags of the side of applications.
pub(crate) const CLIENT: Flags = Flags {
    cert: "--tls_client_cert (or --tls_cert)",
    key: "--tls_client_key (or --tls_key)",
    ca: "--tls_client_ca (or --tls_ca)",
    // None is asked for.
    name: "",
};

/// The flags of the side of the database.
const DATABASE: Flags = Flags {
    cert: "--tls_database_cert (or --tls_cert)",
    key: "--tls_database_key (or --tls_key)",
    ca: "--tls_database_ca (or --tls_ca)",
    name: "--tls_database_sni (or --db_host)",
};

/// The flags of the side of Redis.
const REDIS: Flags = Flags {
    cert: "--redis_tls_client_cert (or --tls_cert)",
    key: "--redis_tls_client_key (or --tls_key)",
    ca: "--redis_tls_client_ca (or --tls_ca)",
    name: "--redis_tls_client_sni (or --redis_host_port)",
};

fn fault(flag: &str, path: &Path, text: impl std::fmt::Display) -> TlsError {
    TlsError::Settings(format!("{flag}: {}: {text}", path.display()))
}

fn read(flag: &str, path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    fs::read(path)
        .map(Zeroizing::new)
        .map_err(|error| fault(flag, path, format_args!("cannot be read: {error}")))
}

/// An empty path is none, as the empty value of a flag is.
pub(crate) fn given(path: Option<&PathBuf>) -> Option<&Path> {
    path.map(PathBuf::as_path)
        .filter(|path| !path.as_os_str().is_empty())
}

fn sections(
    flag: &str,
    path: &Path,
    mut text: &[u8],
) -> Result<Vec<(SectionKind, Vec<u8>)>, TlsError> {
    let mut found = Vec::new();
    while let Some(section) = pem::from_buf(&mut text)
        .map_err(|error| fault(flag, path, format_args!("is no valid PEM: {error}")))?
    {
        found.push(section);
    }
    Ok(found)
}

/// The certificates of a file, in its order; other sections are passed over.
///
/// # Errors
///
/// The file cannot be read, is no PEM, or has no certificate.
pub(crate) fn certificates(
    flag: &str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(flag, path)?;
    let found: Vec<_> = sections(flag, path, &text)?
        .into_iter()
        .filter(|(kind, _)| *kind == SectionKind::Certificate)
        .map(|(_, der)| CertificateDer::from(der))
        .collect();
    if !found.is_empty() {
        return Ok(found);
    }
    Err(fault(
        flag,
        path,
        if text.first() == Some(&0x30) {
            "looks like DER, and PEM is needed; convert it with `openssl x509 -inform der -in … -out …`"
        } else {
            "no certificate in it (a PEM section `BEGIN CERTIFICATE`)"
        },
    ))
}

/// The first private key of a file: PKCS#1, PKCS#8 or SEC1.
///
/// # Errors
///
/// The file cannot be read, or has no key, or its key is encrypted.
pub(crate) fn private_key(
    flag: &str,
    path: &Path,
) -> Result<Loaded<PrivateKeyDer<'static>>, TlsError> {
    let text = read(flag, path)?;
    let mut key = None;
    for (kind, der) in sections_of_key(flag, path, &text)? {
        let der = Zeroizing::new(der);
        key = key.or_else(|| match kind {
            SectionKind::PrivateKey => Some(PrivateKeyDer::Pkcs8(der.to_vec().into())),
            SectionKind::RsaPrivateKey => Some(PrivateKeyDer::Pkcs1(der.to_vec().into())),
            SectionKind::EcPrivateKey => Some(PrivateKeyDer::Sec1(der.to_vec().into())),
            _ => None,
        });
    }
    let Some(value) = key else {
        return Err(fault(
            flag,
            path,
            "no private key in it (a PEM section `BEGIN PRIVATE KEY`, `BEGIN RSA PRIVATE KEY` or `BEGIN EC PRIVATE KEY`)",
        ));
    };
    let mode = fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
    let mut warnings = Vec::new();
    if mode & READABLE_BY_OTHERS != 0 {
        warnings.push(format!(
            "{flag}: {}: the private key can be read by others (mode {:04o}); use `chmod 600`",
            path.display(),
            mode & 0o7777,
        ));
    }
    Ok(Loaded { value, warnings })
}

fn sections_of_key(
    flag: &str,
    path: &Path,
    text: &[u8],
) -> Result<Vec<(SectionKind, Vec<u8>)>, TlsError> {
    let holds = |word: &[u8]| text.windows(word.len()).any(|window| window == word);
    if holds(b"BEGIN ENCRYPTED PRIVATE KEY") || holds(b"Proc-Type: 4,ENCRYPTED") {
        return Err(fault(
            flag,
            path,
            "the private key is encrypted, and there is no way to give its password; write it without one with \
             `openssl pkey -in … -out …` and protect the file (mode 0600)",
        ));
    }
    sections(flag, path, text)
}

/// Our certificate chain and its key; none if neither path is given.
///
/// # Errors
///
/// One path without the other, a fault of either file, or a key that does not belong to the certificate.
pub(crate) fn identity(
    flags: &Flags,
    cert: Option<&Path>,
    key: Option<&Path>,
) -> Result<Option<Loaded<CertifiedKey>>, TlsError> {
    let (cert, key) = match (cert, key) {
        (None, None) => return Ok(None),
        (Some(cert), Some(key)) => (cert, key),
        (Some(_), None) => return Err(half(flags.cert, flags.key)),
        (None, Some(_)) => return Err(half(flags.key, flags.cert)),
    };
    let chain = certificates(flags.cert, cert)?;
    let Loaded { value, warnings } = private_key(flags.key, key)?;
    let certified = CertifiedKey::from_der(chain, value, &provider()).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => fault(
            flags.key,
            key,
            format_args!(
                "the private key does not belong to the first certificate of {} ({})",
                cert.display(),
                flags.cert,
            ),
        ),
        rustls::Error::InvalidCertificate(error) => fault(
            flags.cert,
            cert,
            format_args!("the first certificate cannot be used: {error}"),
        ),
        error => fault(
            flags.key,
            key,
            format_args!(
                "the private key cannot be used ({error}); RSA of 2048 to 8192 bits, ECDSA on P-256, P-384 or P-521 and \
                 Ed25519 can"
            ),
        ),
    })?;
    Ok(Some(Loaded {
        value: certified,
        warnings,
    }))
}

fn half(present: &str, missing: &str) -> TlsError {
    TlsError::Settings(format!(
        "{present} is given without {missing}; give both, or neither"
    ))
}

/// Trusted CAs: those of a file, and those of the system if asked for.
///
/// Certificates that cannot be a trust anchor are left out with a warning.
///
/// # Errors
///
/// The file cannot be read or none of its certificates is usable.
pub(crate) fn roots(
    flags: &Flags,
    ca: Option<&Path>,
    system: bool,
) -> Result<Loaded<RootCertStore>, TlsError> {
    let mut loaded = Loaded {
        value: RootCertStore::empty(),
        warnings: Vec::new(),
    };
    if let Some(path) = ca {
        let cannot = |text: &str| {
            fault(
                flags.ca,
                path,
                format_args!("can't add CA certificate: {text}"),
            )
        };
        let found = certificates(flags.ca, path).map_err(|error| match error {
            TlsError::Settings(text) => {
                TlsError::Settings(format!("can't add CA certificate: {text}"))
            }
            error => error,
        })?;
        for (index, certificate) in found.into_iter().enumerate() {
            if let Err(error) = loaded.value.add(certificate) {
                loaded.warnings.push(format!(
                    "{}: {}: certificate {} cannot be used and is left out: {error}",
                    flags.ca,
                    path.display(),
                    index + 1,
                ));
            }
        }
        if loaded.value.is_empty() {
            return Err(cannot("none of its certificates can be used"));
        }
    }
    if system {
        let found = rustls_native_certs::load_native_certs();
        let (added, _) = loaded.value.add_parsable_certificates(found.certs);
        if added == 0 {
            loaded
                .warnings
                .push("no CA certificates of the system were found".to_owned());
        }
    }
    Ok(loaded)
}
