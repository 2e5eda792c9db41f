//! A client and our listener, in memory.

use acra_net::tls::{AuthMode, ListenerSettings, ListenerTls, PeerIdentity, TlsError, accept};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme, SupportedProtocolVersion};
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio_rustls::{TlsConnector, client, server};

use crate::pki::{self, Ca, Cert, Folder};

/// Bytes in flight; more than any handshake here.
const BUFFER: usize = 64 << 10;

pub(crate) type Served = Result<(server::TlsStream<DuplexStream>, PeerIdentity), TlsError>;
pub(crate) type Connected = io::Result<client::TlsStream<DuplexStream>>;

/// A listener with a certificate of its own, and the CA of its clients.
pub(crate) struct Scene {
    pub(crate) clients: Ca,
    pub(crate) settings: ListenerSettings,
    pub(crate) folder: Folder,
}

impl Scene {
    pub(crate) fn new(auth: AuthMode) -> Self {
        let (clients, folder) = (Ca::new("CA of clients"), Folder::new());
        let own = Ca::new("CA of servers").issue(pki::server(&["acra.test"]));
        let (cert, key) = folder.pair("server", &own);
        let ca = Some(folder.write("ca.crt", &clients.pem()));
        let settings = ListenerSettings {
            cert,
            key,
            ca,
            auth,
            system_roots: false,
        };
        Self {
            clients,
            settings,
            folder,
        }
    }

    pub(crate) fn listener(&self) -> ListenerTls {
        ListenerTls::new(&self.settings).unwrap()
    }
}

/// A client that takes any certificate of the server and shows `cert`.
pub(crate) fn client(
    provider: CryptoProvider,
    versions: &[&'static SupportedProtocolVersion],
    cert: Option<&Cert>,
) -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(versions)
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Trusting));
    match cert {
        None => builder.with_no_client_auth(),
        Some(cert) => builder
            .with_client_auth_cert(vec![cert.der.clone()], cert.key_der())
            .unwrap(),
    }
}

/// A handshake. The client also waits for a first byte, since with TLS 1.3 it is done before the server has looked at
/// its certificate.
pub(crate) async fn meet(
    listener: &ListenerTls,
    client: ClientConfig,
    direct: bool,
) -> (Served, Connected) {
    let (near, far) = duplex(BUFFER);
    let server = async {
        let mut served = accept(listener, near, direct).await?;
        served.0.write_all(b"!").await.unwrap();
        Ok(served)
    };
    let client = async {
        let name = ServerName::try_from("acra.test").unwrap();
        let connector = TlsConnector::from(Arc::new(client));
        let mut stream = connector.connect(name, far).await?;
        stream.read_exact(&mut [0]).await?;
        Ok(stream)
    };
    within(async { tokio::join!(server, client) }).await
}

/// Nothing here waits for anything but the other end; what takes long waits for ever.
pub(crate) async fn within<T>(work: impl Future<Output = T>) -> T {
    let limit = std::time::Duration::from_secs(120);
    tokio::time::timeout(limit, work).await.unwrap()
}

/// The TLS error in an I/O error.
pub(crate) fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

#[derive(Debug)]
struct Trusting;

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        acra_net::tls::provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}
