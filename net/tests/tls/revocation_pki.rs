//! Certificates that name sources of revocations, revocation lists, and a server for these.

use crate::pki::{Ca, Cert, client};
use crate::port::free_port;
use rcgen::{
    CertificateParams, CertificateRevocationListParams, CrlDistributionPoint,
    CrlIssuingDistributionPoint, CustomExtension, KeyIdMethod, RevokedCertParams, SerialNumber,
    date_time_ymd,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A leaf with this serial number that names these lists and responders.
pub(crate) fn naming(serial: u64, lists: &[&str], responders: &[&str]) -> CertificateParams {
    let mut params = client("a client");
    params.serial_number = Some(SerialNumber::from(serial));
    params.crl_distribution_points = lists
        .iter()
        .map(|url| CrlDistributionPoint {
            uris: vec![(*url).to_owned()],
        })
        .collect();
    if !responders.is_empty() {
        let all: Vec<u8> = responders.iter().flat_map(|url| responder(url)).collect();
        params.custom_extensions = vec![CustomExtension::from_oid_content(
            &[1, 3, 6, 1, 5, 5, 7, 1, 1],
            element(0x30, &all),
        )];
    }
    params
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let header = match length {
        0..0x80 => vec![tag, length as u8],
        _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    assert!(!(0x80..0x100).contains(&length), "write 0x81");
    [header.as_slice(), content].concat()
}

fn responder(url: &str) -> Vec<u8> {
    let method: &[u8] = &[6, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 1];
    element(0x30, &[method, &element(0x86, url.as_bytes())].concat())
}

/// A list of these serial numbers that is valid for long.
pub(crate) fn list(revoked: &[u64]) -> CertificateRevocationListParams {
    CertificateRevocationListParams {
        this_update: date_time_ymd(2020, 1, 1),
        next_update: date_time_ymd(2999, 1, 1),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: revoked
            .iter()
            .map(|serial| RevokedCertParams {
                serial_number: SerialNumber::from(*serial),
                revocation_time: date_time_ymd(2021, 2, 3),
                reason_code: None,
                invalidity_date: None,
            })
            .collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    }
}

/// The same for one distribution point.
pub(crate) fn list_at(revoked: &[u64], url: &str) -> CertificateRevocationListParams {
    CertificateRevocationListParams {
        issuing_distribution_point: Some(CrlIssuingDistributionPoint {
            distribution_point: CrlDistributionPoint {
                uris: vec![url.to_owned()],
            },
            scope: None,
        }),
        ..list(revoked)
    }
}

pub(crate) fn der(ca: &Ca, list: &CertificateRevocationListParams) -> Vec<u8> {
    list.signed_by(ca.issuer()).unwrap().der().to_vec()
}

/// A certificate of this CA and the CA's certificate are what is checked.
pub(crate) fn chain(cert: &Cert) -> [rustls::pki_types::CertificateDer<'static>; 1] {
    [cert.der.clone()]
}

/// Gives every client the same bytes.
pub(crate) struct Server {
    address: std::net::SocketAddr,
    requests: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Server {
    /// Listens; what it gives comes with [`Self::gives`].
    pub(crate) async fn bind() -> (Self, TcpListener) {
        let address = free_port().unwrap();
        let listener = TcpListener::bind(address).await.unwrap();
        let server = Self {
            address,
            requests: Arc::default(),
            task: tokio::spawn(async {}),
        };
        (server, listener)
    }

    pub(crate) fn gives(&mut self, listener: TcpListener, answer: Vec<u8>) {
        let requests = Arc::clone(&self.requests);
        self.task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                requests.fetch_add(1, Ordering::Relaxed);
                let mut request = Vec::new();
                while !request.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
                    if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                        break;
                    }
                }
                stream.write_all(&answer).await.unwrap_or_default();
            }
        });
    }

    /// Gives this body.
    pub(crate) async fn of(body: &[u8]) -> Self {
        Self::raw(with_length(body)).await
    }

    pub(crate) async fn raw(answer: Vec<u8>) -> Self {
        let (mut server, listener) = Self::bind().await;
        server.gives(listener, answer);
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/list.crl", self.address)
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    /// Listens no longer.
    pub(crate) async fn stop(&mut self) {
        self.task.abort();
        while !self.task.is_finished() {
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) fn with_length(body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}
