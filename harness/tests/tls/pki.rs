//! Certificates made for a test: one CA, and whom it vouches for.

use acra_harness::Result;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub(crate) struct Pki {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

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
        pki.issue(
            "server",
            &["localhost"],
            ExtendedKeyUsagePurpose::ServerAuth,
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
        let mut params = CertificateParams::new(names)?;
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
        format!(
            "sslmode=verify-full sslrootcert={} sslcert={} sslkey={}",
            self.ca().display(),
            self.cert(CLIENT).display(),
            self.key(CLIENT).display()
        )
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
