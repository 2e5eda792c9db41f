//! The handshake with an application.

use super::{ListenerTls, Peer, TlsError};
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What a handshake told about a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerIdentity {
    /// The client's certificates as it sent them, its own first. Empty if it sent none or if it was not verified
    /// (modes 0 to 2): nothing may be concluded from such a certificate.
    pub verified: Vec<CertificateDer<'static>>,
    /// The protocol agreed on by ALPN.
    pub alpn: Option<Vec<u8>>,
}

impl PeerIdentity {
    /// The client's own certificate, if it was verified.
    pub fn leaf(&self) -> Option<&[u8]> {
        self.verified.first().map(AsRef::as_ref)
    }
}

/// Does the server's handshake. `direct` says that the client began with TLS at once, without SSLRequest: it must then
/// name the protocol by ALPN, or bytes for another service could be taken for PostgreSQL's.
///
/// Sets no time limit; see [`HANDSHAKE_DEADLINE`](super::HANDSHAKE_DEADLINE).
///
/// # Errors
///
/// The handshake failed, the connection broke, or ALPN is missing.
pub async fn accept<S>(
    tls: &ListenerTls,
    stream: S,
    direct: bool,
) -> Result<(TlsStream<S>, PeerIdentity), TlsError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let stream = TlsAcceptor::from(tls.config().clone())
        .accept(stream)
        .await
        .map_err(|fault| TlsError::handshake(Peer::Client, fault))?;
    let session = stream.get_ref().1;
    let alpn = session.alpn_protocol().map(<[u8]>::to_vec);
    if direct && alpn.is_none() {
        return Err(TlsError::NoAlpn);
    }
    let verified = match session.peer_certificates() {
        Some(chain) if tls.auth().verifies() => chain
            .iter()
            .map(|certificate| certificate.clone().into_owned())
            .collect(),
        _ => Vec::new(),
    };
    Ok((stream, PeerIdentity { verified, alpn }))
}
