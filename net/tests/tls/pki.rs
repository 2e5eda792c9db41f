//! CAs, certificates and files with them.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// A certificate authority.
pub(crate) struct Ca(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key.
pub(crate) struct Cert {
    pub(crate) der: CertificateDer<'static>,
    pub(crate) pem: String,
    pub(crate) key: KeyPair,
}

/// Parameters of a leaf for clients with this common name.
pub(crate) fn client(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

/// Parameters of a leaf for a server with these names or addresses.
pub(crate) fn server(names: &[&str]) -> CertificateParams {
    let mut params = client("a server");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.subject_alt_names = names
        .iter()
        .map(|name| match name.parse() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName((*name).try_into().unwrap()),
        })
        .collect();
    params
}

/// The same, expired.
pub(crate) fn expired(mut params: CertificateParams) -> CertificateParams {
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2021, 1, 1);
    params
}

/// The same, marked as a CA's.
pub(crate) fn as_ca(mut params: CertificateParams) -> CertificateParams {
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages.push(KeyUsagePurpose::KeyCertSign);
    params.key_usages.push(KeyUsagePurpose::CrlSign);
    params
}

impl Ca {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = as_ca(client(name));
        params.extended_key_usages.clear();
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn issue(&self, params: CertificateParams) -> Cert {
        self.issue_for(params, KeyPair::generate().unwrap())
    }

    pub(crate) fn issue_for(&self, params: CertificateParams, key: KeyPair) -> Cert {
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Cert {
            der: certificate.der().clone(),
            pem: certificate.pem(),
            key,
        }
    }

    /// A CA below this one.
    pub(crate) fn below(&self, params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::signed_by(as_ca(params), key, &self.0).unwrap())
    }

    pub(crate) fn issuer(&self) -> &Issuer<'static, KeyPair> {
        &self.0
    }

    pub(crate) fn key_pem(&self) -> String {
        self.0.key().serialize_pem()
    }

    pub(crate) fn der(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A store with this CA alone.
    pub(crate) fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.der()).unwrap();
        roots
    }
}

/// A certificate that signed itself.
pub(crate) fn self_signed(params: &CertificateParams) -> Cert {
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Cert {
        der: certificate.der().clone(),
        pem: certificate.pem(),
        key,
    }
}

impl Cert {
    pub(crate) fn key_der(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(self.key.serialize_der().into())
    }
}

/// A certificate with any key; builders of configurations would refuse pairs that do not fit.
pub(crate) fn pair(der: &CertificateDer<'static>, key: &Cert) -> Arc<SingleCertAndKey> {
    let keys = acra_net::tls::provider().key_provider;
    let key = keys.load_private_key(key.key_der()).unwrap();
    Arc::new(CertifiedKey::new(vec![der.clone()], key).into())
}

/// A folder for PEM files.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Writes a file that only its owner can read.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        set_mode(&path, 0o600);
        path
    }

    /// Writes a certificate and its key.
    pub(crate) fn pair(&self, name: &str, cert: &Cert) -> (Option<PathBuf>, Option<PathBuf>) {
        let pem = self.write(&format!("{name}.crt"), &cert.pem);
        let key = self.write(&format!("{name}.key"), &cert.key.serialize_pem());
        (Some(pem), Some(key))
    }
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// The same certificate in X.509 version 1: without version and extensions. Its signature is then wrong.
pub(crate) fn as_version_1(cert: &Cert) -> CertificateDer<'static> {
    fn split(bytes: &[u8]) -> (usize, usize) {
        match bytes[1] {
            0x81 => (3, usize::from(bytes[2])),
            0x82 => (4, usize::from(bytes[2]) << 8 | usize::from(bytes[3])),
            short => (2, usize::from(short)),
        }
    }
    fn sequence(content: &[u8]) -> Vec<u8> {
        let length = content.len();
        let header: &[u8] = match length {
            0..0x80 => &[0x30, length as u8],
            0x80..0x100 => &[0x30, 0x81, length as u8],
            _ => &[0x30, 0x82, (length >> 8) as u8, length as u8],
        };
        [header, content].concat()
    }
    let (outer, _) = split(&cert.der);
    let whole = &cert.der[outer..];
    let (header, length) = split(whole);
    let (tbs, rest) = (&whole[header..header + length], &whole[header + length..]);
    let (mut kept, mut at) = (Vec::new(), 0);
    while at < tbs.len() {
        let (header, length) = split(&tbs[at..]);
        let element = &tbs[at..at + header + length];
        // [0] is the version and [3] the extensions.
        if ![0xa0, 0xa3].contains(&element[0]) {
            kept.extend_from_slice(element);
        }
        at += header + length;
    }
    sequence(&[sequence(&kept).as_slice(), rest].concat()).into()
}
