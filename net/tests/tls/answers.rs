//! What a database answers to SSLRequest.

use crate::meet::within;
use crate::pki::{Ca, Folder};
use crate::upstream::{MODES, settings};
use acra_net::tls::{Secured, TlsError, UpstreamMode, UpstreamTls};
use rustls::Error;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

/// A database that answers SSLRequest with these bytes.
async fn answering(
    upstream: &UpstreamTls,
    answer: &[u8],
) -> Result<Secured<DuplexStream>, TlsError> {
    let (near, mut far) = duplex(4096);
    let server = async move {
        let mut request = [0; 8];
        far.read_exact(&mut request).await.unwrap();
        assert_eq!(request, [0, 0, 0, 8, 4, 210, 22, 47]);
        far.write_all(answer).await.unwrap();
    };
    within(async { tokio::join!(upstream.secure(near), server).0 }).await
}

#[tokio::test]
async fn a_database_without_tls() {
    for mode in MODES {
        let folder = Folder::new();
        let ca = folder.write("ca.crt", &Ca::new("CA").pem());
        let upstream = UpstreamTls::new(&settings(mode, Some(ca))).unwrap();
        match answering(&upstream, b"Nrest").await {
            Ok(Secured::Plain(mut stream)) => {
                assert_eq!(mode, UpstreamMode::Prefer);
                let mut rest = String::new();
                stream.read_to_string(&mut rest).await.unwrap();
                assert_eq!(rest, "rest", "nothing but the answer is read");
            }
            Err(error @ TlsError::NotOffered) => {
                assert_ne!(mode, UpstreamMode::Prefer);
                assert!(error.hint().is_some());
            }
            other => panic!("{mode:?}: {other:?}"),
        }
        for (answer, shown) in [(&b"EFATAL"[..], "`E`"), (b"\x16\x03\x01", "`\\x16`")] {
            let error = answering(&upstream, answer).await.err().unwrap();
            assert!(matches!(error, TlsError::UnexpectedAnswer(_)));
            assert!(error.to_string().contains(shown), "{error}");
        }
        let error = answering(&upstream, b"").await.err().unwrap();
        assert!(
            error.to_string().starts_with("the database closed"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn plain_bytes_after_the_answer_are_not_taken_for_the_databases() {
    for mode in MODES {
        let folder = Folder::new();
        let ca = folder.write("ca.crt", &Ca::new("CA").pem());
        let upstream = UpstreamTls::new(&settings(mode, Some(ca))).unwrap();
        // AuthenticationOk and ReadyForQuery, put in by somebody between the two.
        let stuffed = b"SR\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
        let (near, mut far) = duplex(64 << 10);
        let between = async {
            far.read_exact(&mut [0; 8]).await.unwrap();
            far.write_all(stuffed).await.unwrap();
        };
        let error = tokio::join!(upstream.secure(near), between)
            .0
            .err()
            .unwrap();
        assert!(
            matches!(
                error,
                TlsError::Handshake {
                    fault: Error::InvalidMessage(_),
                    ..
                }
            ),
            "{error:?}"
        );
        assert!(error.hint().is_some());
    }
}

#[tokio::test]
async fn disabled_is_silent() {
    let upstream = UpstreamTls::new(&settings(UpstreamMode::Disable, None)).unwrap();
    let (near, mut far) = duplex(64);
    let secured = upstream.secure(near).await;
    assert!(matches!(secured, Ok(Secured::Plain(_))));
    drop(secured);
    let mut sent = Vec::new();
    far.read_to_end(&mut sent).await.unwrap();
    assert!(sent.is_empty());
}
