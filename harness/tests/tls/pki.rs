//! Certificates made for a test: one CA, and whom it vouches for.

use acra_harness::Result;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
    CrlDistributionPoint, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyIdMethod,
    KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub(crate) struct Pki {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// Serial number of the certificate of `server`.
pub(crate) const SERVER_SERIAL: u64 = 0x5e;

/// Subject of the certificates that identify a client.
pub(crate) const CLIENT: &str = "client";

impl Pki {
    pub(crate) fn new() -> Result<Self> {
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

    fn issue_as(
        &self,
        common_name: &str,
        usage: ExtendedKeyUsagePurpose,
        mut params: CertificateParams,
    ) -> Result<()> {
        params.distinguished_name = name(common_name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        fs::write(self.cert(common_name), certificate.pem())?;
        fs::write(self.key(common_name), key.serialize_pem())?;
        fs::set_permissions(self.key(common_name), Permissions::from_mode(0o600))?;
        Ok(())
    }

    /// A certificate with a serial number, for a client or a server, that names these revocation lists.
    pub(crate) fn issue_numbered(
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

    /// The address of a file with a list of the CA that revokes this serial number.
    pub(crate) fn revoking(&self, serial: u64) -> Result<String> {
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

    /// Parameters of libpq for a client with this certificate.
    pub(crate) fn mutual_as(&self, name: &str) -> String {
        format!(
            "sslmode=verify-full sslrootcert={} sslcert={} sslkey={}",
            self.ca().display(),
            self.cert(name).display(),
            self.key(name).display()
        )
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    pub(crate) fn cert(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.pem"))
    }

    pub(crate) fn key(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.key"))
    }

    /// Certificate and key that PostgreSQL's user may read.
    pub(crate) fn for_postgres(&self) -> Result<(PathBuf, PathBuf)> {
        let key = self.folder.path().join("postgres.key");
        fs::copy(self.key("server"), &key)?;
        fs::set_permissions(&key, Permissions::from_mode(0o600))?;
        if let Some((user, group)) = acra_harness::servers::postgres_user()? {
            chown(&key, Some(user), Some(group))?;
        }
        Ok((self.cert("server"), key))
    }

    /// Flags of `acra-server` for TLS with applications.
    pub(crate) fn listener_flags(&self) -> Vec<String> {
        let flag = |name: &str, path: &Path| format!("--{name}={}", path.display());
        vec![
            flag("tls_client_cert", &self.cert("server")),
            flag("tls_client_key", &self.key("server")),
            flag("tls_client_ca", &self.ca()),
        ]
    }

    /// Parameters of libpq for a client with a certificate that verifies the server.
    pub(crate) fn mutual(&self) -> String {
        self.mutual_as(CLIENT)
    }

    /// The same for one without a certificate.
    pub(crate) fn verifying(&self) -> String {
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
