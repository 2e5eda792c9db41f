//! Certificates made for a test: one CA, and whom it vouches for.

use crate::Result;
use crate::servers::{Postgres, postgres_user};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
    CrlDistributionPoint, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyIdMethod,
    KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A CA and the certificates that it issued, as files of a temporary folder.
pub struct Pki {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// Serial number of the certificate "server".
pub const SERVER_SERIAL: u64 = 0x5e;

/// Common name, and name of the files, of the certificate that identifies a client.
pub const CLIENT: &str = "client";

impl std::fmt::Debug for Pki {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pki in {}", self.folder.path().display())
    }
}

impl Pki {
    /// Makes a CA, and certificates for `localhost` ("server"), for another host ("elsewhere") and for a client.
    pub fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        // PostgreSQL's user has to get to its files.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name = name("Test CA");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        fs::write(folder.path().join("ca.pem"), issuer.pem())?;
        let pki = Self { folder, issuer };
        pki.issue_numbered(
            "server",
            SERVER_SERIAL,
            ExtendedKeyUsagePurpose::ServerAuth,
            &[],
        )?;
        pki.issue(
            "elsewhere",
            &["elsewhere.example"],
            ExtendedKeyUsagePurpose::ServerAuth,
        )?;
        pki.issue(CLIENT, &[], ExtendedKeyUsagePurpose::ClientAuth)?;
        Ok(pki)
    }

    fn issue(
        &self,
        common_name: &str,
        names: &[&str],
        usage: ExtendedKeyUsagePurpose,
    ) -> Result<()> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        self.issue_as(common_name, usage, CertificateParams::new(names)?)
    }

    /// Issues a client's certificate with this subject, as files of this name.
    pub fn issue_client(&self, file: &str, subject: &[(DnType, &str)]) -> Result<()> {
        let mut name = DistinguishedName::new();
        for (kind, value) in subject {
            name.push(kind.clone(), *value);
        }
        let params = CertificateParams::default();
        self.issue_to(file, name, ExtendedKeyUsagePurpose::ClientAuth, params)
    }

    fn issue_as(
        &self,
        common_name: &str,
        usage: ExtendedKeyUsagePurpose,
        params: CertificateParams,
    ) -> Result<()> {
        self.issue_to(common_name, name(common_name), usage, params)
    }

    fn issue_to(
        &self,
        common_name: &str,
        subject: DistinguishedName,
        usage: ExtendedKeyUsagePurpose,
        mut params: CertificateParams,
    ) -> Result<()> {
        params.distinguished_name = subject;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        fs::write(self.cert(common_name), certificate.pem())?;
        fs::write(self.key(common_name), key.serialize_pem())?;
        fs::set_permissions(self.key(common_name), Permissions::from_mode(0o600))?;
        Ok(())
    }

    /// Issues a certificate with this serial number, for `localhost`, that names these revocation lists.
    pub fn issue_numbered(
        &self,
        common_name: &str,
        serial: u64,
        usage: ExtendedKeyUsagePurpose,
        lists: &[&str],
    ) -> Result<()> {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
        params.serial_number = Some(SerialNumber::from(serial));
        params.crl_distribution_points = lists
            .iter()
            .map(|url| CrlDistributionPoint {
                uris: vec![(*url).to_owned()],
            })
            .collect();
        self.issue_as(common_name, usage, params)
    }

    /// Writes a revocation list of the CA with this serial number, and gives its address.
    pub fn revoking(&self, serial: u64) -> Result<String> {
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 1),
            next_update: date_time_ymd(2999, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: vec![RevokedCertParams {
                serial_number: SerialNumber::from(serial),
                revocation_time: date_time_ymd(2021, 2, 3),
                reason_code: None,
                invalidity_date: None,
            }],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let path = self.folder.path().join("list.pem");
        fs::write(&path, list.signed_by(&self.issuer)?.pem()?)?;
        Ok(format!("file://{}", path.display()))
    }

    /// The CA's certificate.
    pub fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A certificate by its name.
    pub fn cert(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.pem"))
    }

    /// Its private key.
    pub fn key(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.key"))
    }

    /// A PostgreSQL 18 with TLS and these settings, which asks for client certificates.
    pub fn postgres(&self, settings: &[&str]) -> Result<Postgres> {
        let (cert, key) = self.for_postgres()?;
        let tls = [
            "ssl=on".to_owned(),
            format!("ssl_cert_file={}", cert.display()),
            format!("ssl_key_file={}", key.display()),
            format!("ssl_ca_file={}", self.ca().display()),
        ];
        let all: Vec<&str> = tls
            .iter()
            .map(String::as_str)
            .chain(settings.iter().copied())
            .collect();
        Postgres::start(18, &all)
    }

    /// Certificate and key that PostgreSQL's user may read.
    fn for_postgres(&self) -> Result<(PathBuf, PathBuf)> {
        let key = self.folder.path().join("postgres.key");
        fs::copy(self.key("server"), &key)?;
        fs::set_permissions(&key, Permissions::from_mode(0o600))?;
        if let Some((user, group)) = postgres_user()? {
            chown(&key, Some(user), Some(group))?;
        }
        Ok((self.cert("server"), key))
    }

    /// A file with a certificate and its key, as HAProxy takes them.
    pub fn bundle(&self, name: &str) -> Result<PathBuf> {
        let path = self.folder.path().join(format!("{name}.bundle"));
        let parts = [fs::read(self.cert(name))?, fs::read(self.key(name))?];
        fs::write(&path, parts.concat())?;
        Ok(path)
    }

    /// Flags of `acra-server` for TLS with applications.
    pub fn listener_flags(&self) -> Vec<String> {
        let flag = |name: &str, path: &Path| format!("--{name}={}", path.display());
        vec![
            flag("tls_client_cert", &self.cert("server")),
            flag("tls_client_key", &self.key("server")),
            flag("tls_client_ca", &self.ca()),
        ]
    }

    /// Parameters of libpq for a client with a certificate that verifies the server.
    pub fn mutual(&self) -> String {
        self.mutual_as(CLIENT)
    }

    /// The same for a client with this certificate.
    pub fn mutual_as(&self, name: &str) -> String {
        format!(
            "sslmode=verify-full sslrootcert={} sslcert={} sslkey={}",
            self.ca().display(),
            self.cert(name).display(),
            self.key(name).display()
        )
    }

    /// The same for one without a certificate.
    pub fn verifying(&self) -> String {
        format!(
            "sslmode=verify-full sslrootcert={} sslcert=none",
            self.ca().display()
        )
    }
}

fn name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "Tests");
    name.push(DnType::CommonName, common_name);
    name
}
