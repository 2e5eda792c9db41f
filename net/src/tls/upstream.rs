//! TLS with the database, and with Redis: asked for, agreed on, and verified as far as the mode says. PostgreSQL is asked by SSLRequest;
//! MySQL is asked by the session, whose message that is.

use super::files::{self, Flags, Loaded, given};
use super::provider::{VERSIONS, provider};
use super::verify_server::{ServerVerifier, Trust};
use super::{Peer, TlsError};
use rustls::client::Resumption;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, RootCertStore};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// SSLRequest: its length and its code 80877103 (PostgreSQL documentation, "Message Formats").
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// How far TLS with the database goes, by libpq's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpstreamMode {
    /// `disable`: no TLS.
    Disable,
    /// `prefer`: TLS if the database offers it, and nothing is verified.
    Prefer,
    /// `require`: TLS or no connection; nothing is verified.
    Require,
    /// `verify-ca`: the certificate must come from the CA.
    VerifyCa,
    /// `verify-full`: and it must have the server's name or address in its subjectAltName.
    VerifyFull,
}

impl UpstreamMode {
    /// The mode of a flag's value.
    ///
    /// # Errors
    ///
    /// There is none of this name. The text lists them, and the caller adds the flag.
    pub fn from_name(name: &str) -> Result<Self, TlsError> {
        Ok(match name {
            "disable" => Self::Disable,
            "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => {
                return Err(TlsError::Settings(format!(
                    "`{name}` is no mode of TLS with the database; use disable, prefer, require, verify-ca or verify-full"
                )));
            }
        })
    }

    /// The database's certificate is verified.
    pub fn verifies(self) -> bool {
        matches!(self, Self::VerifyCa | Self::VerifyFull)
    }
}

/// Where TLS with a server comes from. An empty path counts as none.
#[derive(Clone, Debug)]
pub struct UpstreamSettings {
    /// Who that server is.
    pub peer: Peer,
    /// How far it goes.
    pub mode: UpstreamMode,
    /// CAs that the server's certificate is verified against, PEM.
    pub ca: Option<PathBuf>,
    /// CAs of the system are trusted as well. Of use with `verify-full` only.
    pub system_roots: bool,
    /// Certificate chain shown to the server, leaf first, PEM.
    pub cert: Option<PathBuf>,
    /// Its private key, PEM.
    pub key: Option<PathBuf>,
    /// The name or address that is verified; a name is also sent as SNI.
    pub server_name: String,
}

/// TLS with a server, ready for handshakes.
#[derive(Clone, Debug)]
pub struct UpstreamTls {
    peer: Peer,
    mode: UpstreamMode,
    /// None if TLS is disabled.
    client: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    cas: Arc<RootCertStore>,
    warnings: Vec<String>,
}

/// A connection with a server, with or without TLS.
#[derive(Debug)]
pub enum Secured<S> {
    /// Without: TLS is disabled, or only preferred and not offered.
    Plain(S),
    /// With TLS.
    Tls(Box<TlsStream<S>>),
}

impl UpstreamTls {
    /// Loads the files. Blocking.
    ///
    /// # Errors
    ///
    /// A file is missing or cannot be used, or the server's name is none; the text names the flag.
    pub fn new(settings: &UpstreamSettings) -> Result<Self, TlsError> {
        let (peer, mode) = (settings.peer, settings.mode);
        let flags = Flags::of(peer);
        let mut warnings = Vec::new();
        if mode == UpstreamMode::Disable {
            return Ok(Self {
                peer,
                mode,
                client: None,
                cas: Arc::new(RootCertStore::empty()),
                warnings,
            });
        }
        let name = server_name(peer, &settings.server_name)?;
        let trust = if mode.verifies() {
            Some(trust(settings, &mut warnings)?)
        } else {
            if given(settings.ca.as_ref()).is_some() {
                warnings.push(format!(
                    "{} is set, and the {peer}'s certificate is not verified in this mode; use verify-ca or verify-full",
                    flags.ca,
                ));
            }
            None
        };
        let cas = trust.as_ref().map(|trust| Arc::clone(&trust.roots));
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(VERSIONS)
            .map_err(|error| TlsError::Settings(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(ServerVerifier::new(trust)));
        let (cert, key) = (given(settings.cert.as_ref()), given(settings.key.as_ref()));
        let mut config = match files::identity(flags, cert, key)? {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                warnings.extend(identity.warnings);
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity.value)))
            }
        };
        // A resumed session would not be verified again.
        config.resumption = Resumption::disabled();
        Ok(Self {
            peer,
            mode,
            client: Some((Arc::new(config), name)),
            cas: cas.unwrap_or_else(|| Arc::new(RootCertStore::empty())),
            warnings,
        })
    }

    /// How far TLS goes.
    pub fn mode(&self) -> UpstreamMode {
        self.mode
    }

    /// The same for a server of another name, which is verified and sent as SNI.
    ///
    /// # Errors
    ///
    /// It is neither a DNS name nor an address.
    pub fn named(&self, name: &str) -> Result<Self, TlsError> {
        let mut other = self.clone();
        if let Some((_, expected)) = &mut other.client {
            *expected = server_name(self.peer, name)?;
        }
        Ok(other)
    }

    /// The CAs that the server's certificate is verified against; none if it is not verified.
    pub fn cas(&self) -> &RootCertStore {
        &self.cas
    }

    /// What the operator should be told, each a whole sentence for the log.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Asks PostgreSQL for TLS on a new connection and does the handshake.
    ///
    /// Exactly one byte is read before the handshake, so what somebody puts in after it can only be taken for a TLS
    /// record and never for what the database said (CVE-2021-23214, CVE-2021-23222).
    ///
    /// Sets no time limit; see [`HANDSHAKE_DEADLINE`](super::HANDSHAKE_DEADLINE).
    ///
    /// # Errors
    ///
    /// The database does not offer TLS and the mode demands it, the handshake failed, or the connection broke.
    pub async fn secure<S>(&self, mut tcp: S) -> Result<Secured<S>, TlsError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        if self.client.is_none() {
            return Ok(Secured::Plain(tcp));
        }
        let broken = |fault| TlsError::Io {
            with: Peer::Database,
            fault,
        };
        tcp.write_all(&SSL_REQUEST).await.map_err(broken)?;
        tcp.flush().await.map_err(broken)?;
        let mut answer = [0];
        tcp.read_exact(&mut answer).await.map_err(broken)?;
        match answer {
            [b'S'] => self.handshake(tcp).await,
            [b'N'] if self.mode == UpstreamMode::Prefer => Ok(Secured::Plain(tcp)),
            [b'N'] => Err(TlsError::NotOffered),
            [other] => Err(TlsError::UnexpectedAnswer(other)),
        }
    }
}

impl<S> Secured<S> {
    /// The certificates that the server has shown, its own first; none without TLS.
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        match self {
            Self::Plain(_) => &[],
            Self::Tls(stream) => stream.get_ref().1.peer_certificates().unwrap_or_default(),
        }
    }
}

impl UpstreamTls {
    /// Does the handshake with a server that waits for it.
    ///
    /// Sets no time limit; see [`HANDSHAKE_DEADLINE`](super::HANDSHAKE_DEADLINE).
    ///
    /// # Errors
    ///
    /// The handshake failed, or the connection broke.
    pub async fn handshake<S>(&self, stream: S) -> Result<Secured<S>, TlsError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let Some((config, name)) = &self.client else {
            return Ok(Secured::Plain(stream));
        };
        TlsConnector::from(Arc::clone(config))
            .connect(name.clone(), stream)
            .await
            .map(|stream| Secured::Tls(Box::new(stream)))
            .map_err(|fault| TlsError::handshake(self.peer, fault))
    }
}

fn server_name(peer: Peer, name: &str) -> Result<ServerName<'static>, TlsError> {
    ServerName::try_from(name.to_owned()).map_err(|_| {
        let flags = Flags::of(peer).name;
        let text = format!("{flags}: `{name}` is neither a DNS name nor an IP address");
        TlsError::Settings(text)
    })
}

fn trust(settings: &UpstreamSettings, warnings: &mut Vec<String>) -> Result<Trust, TlsError> {
    let flags = Flags::of(settings.peer);
    let checks_name = settings.mode == UpstreamMode::VerifyFull;
    // With public CAs and no check of the name, anybody's certificate would do.
    let system_roots = settings.system_roots && checks_name;
    let ca = given(settings.ca.as_ref());
    let Loaded {
        value: roots,
        warnings: more,
    } = files::roots(flags, ca, system_roots)?;
    warnings.extend(more);
    if roots.is_empty() {
        return Err(TlsError::Settings(format!(
            "the {}'s certificate is to be verified, and there is no CA to verify it against: set {} to the CA that \
             issued it",
            settings.peer, flags.ca,
        )));
    }
    let pinned = match ca {
        Some(path) => files::certificates(flags.ca, path)?,
        None => Vec::new(),
    };
    Ok(Trust {
        roots: Arc::new(roots),
        pinned,
        checks_name,
    })
}
