//! TLS with applications: who must show a certificate, and what is offered.

use super::files::{self, CLIENT, Loaded, given};
use super::provider::{VERSIONS, provider};
use super::verify_client::AnyCertificate;
use super::{ALPN_POSTGRESQL, TlsError};
use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoClientAuth, NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::SingleCertAndKey;
use rustls::{RootCertStore, ServerConfig};
use std::path::PathBuf;
use std::sync::Arc;

/// What is asked of clients (`--tls_auth`, `--tls_client_auth`; tls.md 3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuthMode {
    /// 0: no certificate is asked for.
    None,
    /// 1: one is asked for; it may be missing and is not verified.
    Request,
    /// 2: one is demanded and not verified.
    RequireAny,
    /// 3: one may be missing; if there is one it is verified.
    VerifyIfGiven,
    /// 4: one is demanded and verified.
    #[default]
    RequireAndVerify,
}

impl AuthMode {
    /// The mode of a flag's number.
    ///
    /// # Errors
    ///
    /// It is not one of 0 to 4.
    pub fn from_level(level: i64) -> Result<Self, TlsError> {
        Ok(match level {
            0 => Self::None,
            1 => Self::Request,
            2 => Self::RequireAny,
            3 => Self::VerifyIfGiven,
            4 => Self::RequireAndVerify,
            _ => {
                return Err(TlsError::Settings(format!(
                    "--tls_client_auth (or --tls_auth): {level} is no mode; 0 asks for no certificate, 1 asks, 2 \
                     demands one, 3 verifies one if there is one, 4 demands and verifies one"
                )));
            }
        })
    }

    /// Certificates are verified, so that a client id can be taken from one.
    pub fn verifies(self) -> bool {
        matches!(self, Self::VerifyIfGiven | Self::RequireAndVerify)
    }
}

/// Where TLS with applications comes from. An empty path counts as none.
#[derive(Clone, Debug, Default)]
pub struct ListenerSettings {
    /// Certificate chain, leaf first, PEM.
    pub cert: Option<PathBuf>,
    /// Its private key, PEM.
    pub key: Option<PathBuf>,
    /// CAs that client certificates are verified against, PEM.
    pub ca: Option<PathBuf>,
    /// What is asked of clients.
    pub auth: AuthMode,
    /// CAs of the system are trusted as well, as in Acra: any of them can then issue a certificate with any client's
    /// name.
    pub system_roots: bool,
}

/// TLS with applications, ready for handshakes.
#[derive(Clone, Debug)]
pub struct ListenerTls {
    config: Arc<ServerConfig>,
    auth: AuthMode,
    cas: Arc<RootCertStore>,
    warnings: Vec<String>,
}

impl ListenerTls {
    /// Loads the files. Blocking.
    ///
    /// # Errors
    ///
    /// A file is missing or cannot be used; the text names its flag.
    pub fn new(settings: &ListenerSettings) -> Result<Self, TlsError> {
        let (cert, key) = (given(settings.cert.as_ref()), given(settings.key.as_ref()));
        let Some(Loaded {
            value: certified,
            mut warnings,
        }) = files::identity(&CLIENT, cert, key)?
        else {
            return Err(TlsError::Settings(format!(
                "TLS with applications needs a certificate and its key: set {} and {}",
                CLIENT.cert, CLIENT.key,
            )));
        };
        let (verifier, cas) = client_verifier(settings, &mut warnings)?;
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(VERSIONS)
            .map_err(|error| TlsError::Settings(error.to_string()))?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        // RFC 7301: a client that offers only other names is refused; one that offers none is served.
        config.alpn_protocols = vec![ALPN_POSTGRESQL.to_vec()];
        if settings.auth.verifies() {
            // A resumed session would not be verified again.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        } else {
            config.ticketer = Ticketer::new().map_err(|error| {
                TlsError::Settings(format!("no keys for session tickets: {error}"))
            })?;
        }
        Ok(Self {
            config: Arc::new(config),
            auth: settings.auth,
            cas,
            warnings,
        })
    }

    /// The configuration of handshakes. Direct TLS has the same one: that it insists on ALPN is checked after the
    /// handshake, by [`accept`](super::accept()).
    pub fn config(&self) -> &Arc<ServerConfig> {
        &self.config
    }

    /// What is asked of clients.
    pub fn auth(&self) -> AuthMode {
        self.auth
    }

    /// The CAs that client certificates are verified against; none if they are not verified.
    pub fn cas(&self) -> &RootCertStore {
        &self.cas
    }

    /// What the operator should be told, each a whole sentence for the log.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

fn client_verifier(
    settings: &ListenerSettings,
    warnings: &mut Vec<String>,
) -> Result<(Arc<dyn ClientCertVerifier>, Arc<RootCertStore>), TlsError> {
    let none = || Arc::new(RootCertStore::empty());
    let is_optional = match settings.auth {
        AuthMode::None => return Ok((Arc::new(NoClientAuth), none())),
        AuthMode::Request => return Ok((Arc::new(AnyCertificate::new(false)), none())),
        AuthMode::RequireAny => return Ok((Arc::new(AnyCertificate::new(true)), none())),
        AuthMode::VerifyIfGiven => true,
        AuthMode::RequireAndVerify => false,
    };
    let ca = given(settings.ca.as_ref());
    let Loaded {
        value: roots,
        warnings: more,
    } = files::roots(&CLIENT, ca, settings.system_roots)?;
    warnings.extend(more);
    if roots.is_empty() {
        return Err(TlsError::Settings(format!(
            "client certificates are verified, and there is no CA to verify them against: set {} to the CA that issues \
             them, or --tls_client_auth (or --tls_auth) to 0, 1 or 2",
            CLIENT.ca,
        )));
    }
    let roots = Arc::new(roots);
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), provider());
    let builder = if is_optional {
        builder.allow_unauthenticated()
    } else {
        builder
    };
    match builder.build() {
        Ok(verifier) => Ok((verifier, roots)),
        Err(error) => Err(TlsError::Settings(format!("{}: {error}", CLIENT.ca))),
    }
}
