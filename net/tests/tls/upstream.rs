//! TLS with the database.

use crate::meet::{tls_error, within};
use crate::pki::{self, Ca, Cert, Folder, as_ca, expired, self_signed};
use acra_net::tls::{
    Peer, Secured, TlsError, UpstreamMode, UpstreamSettings, UpstreamTls, provider,
};
use rustls::server::WebPkiClientVerifier;
use rustls::{CertificateError, Error, NamedGroup, ServerConfig};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio_rustls::{TlsAcceptor, server};

pub(crate) const MODES: [UpstreamMode; 4] = [
    UpstreamMode::Prefer,
    UpstreamMode::Require,
    UpstreamMode::VerifyCa,
    UpstreamMode::VerifyFull,
];

pub(crate) fn settings(mode: UpstreamMode, ca: Option<PathBuf>) -> UpstreamSettings {
    UpstreamSettings {
        peer: Peer::Database,
        mode,
        ca,
        system_roots: false,
        cert: None,
        key: None,
        server_name: "db.test".to_owned(),
    }
}

/// The configuration of a database with this certificate, which asks for client certificates of a CA if there is one.
fn database(cert: &Cert, clients: Option<&Ca>) -> ServerConfig {
    let builder = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(ca) => builder.with_client_cert_verifier(
            WebPkiClientVerifier::builder_with_provider(Arc::new(ca.roots()), provider())
                .build()
                .unwrap(),
        ),
    };
    builder
        .with_single_cert(vec![cert.der.clone()], cert.key_der())
        .unwrap()
}

type Met = (
    Result<Secured<DuplexStream>, TlsError>,
    std::io::Result<server::TlsStream<DuplexStream>>,
);

/// A database that does TLS.
async fn meet(upstream: &UpstreamTls, database: ServerConfig) -> Met {
    let (near, mut far) = duplex(64 << 10);
    let server = async {
        far.read_exact(&mut [0; 8]).await?;
        far.write_all(b"S").await?;
        let acceptor = TlsAcceptor::from(Arc::new(database));
        let mut stream = acceptor.accept(far).await?;
        stream.write_all(b"!").await?;
        Ok(stream)
    };
    within(async { tokio::join!(upstream.secure(near), server) }).await
}

/// What the modes of [`MODES`] make of a certificate; an error is told apart by a predicate.
async fn expect(
    ca: &Ca,
    cert: &Cert,
    accepted: [bool; 4],
    is_expected: impl Fn(&CertificateError) -> bool,
) {
    let folder = Folder::new();
    let ca = folder.write("ca.crt", &ca.pem());
    for (mode, accepted) in MODES.into_iter().zip(accepted) {
        let upstream = UpstreamTls::new(&settings(mode, Some(ca.clone()))).unwrap();
        let (secured, served) = meet(&upstream, database(cert, None)).await;
        match secured {
            Ok(Secured::Tls(mut stream)) => {
                assert!(accepted, "{mode:?}");
                let mut byte = [0];
                stream.read_exact(&mut byte).await.unwrap();
                assert_eq!(byte, *b"!");
            }
            Ok(Secured::Plain(_)) => panic!("{mode:?}: no TLS"),
            Err(error) => {
                assert!(!accepted, "{mode:?}: {error}");
                assert!(error.hint().is_some(), "{error:?}");
                let TlsError::Handshake {
                    fault: Error::InvalidCertificate(fault),
                    ..
                } = &error
                else {
                    panic!("{error:?}");
                };
                assert!(is_expected(fault), "{fault:?}");
                let told = served.err().unwrap();
                assert!(matches!(tls_error(&told), Some(Error::AlertReceived(_))));
            }
        }
    }
}

#[tokio::test]
async fn a_good_certificate_is_accepted_by_every_mode() {
    let ca = Ca::new("CA");
    let cert = ca.issue(pki::server(&["db.test"]));
    expect(&ca, &cert, [true; 4], |_| false).await;
}

#[tokio::test]
async fn a_wrong_name_is_refused_by_verify_full_alone() {
    let ca = Ca::new("CA");
    let is_name =
        |fault: &CertificateError| matches!(fault, CertificateError::NotValidForNameContext { .. });
    let cert = ca.issue(pki::server(&["other.test"]));
    expect(&ca, &cert, [true, true, true, false], is_name).await;
    // The common name does not count.
    let mut params = pki::server(&[]);
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, "db.test");
    expect(&ca, &ca.issue(params), [true, true, true, false], is_name).await;
}

#[tokio::test]
async fn an_unknown_ca_is_refused_by_modes_that_verify() {
    let cert = Ca::new("another CA").issue(pki::server(&["db.test"]));
    expect(&Ca::new("CA"), &cert, [true, true, false, false], |fault| {
        *fault == CertificateError::UnknownIssuer
    })
    .await;
}

#[tokio::test]
async fn an_expired_certificate_is_refused_by_modes_that_verify() {
    let ca = Ca::new("CA");
    let cert = ca.issue(expired(pki::server(&["db.test"])));
    expect(&ca, &cert, [true, true, false, false], |fault| {
        matches!(fault, CertificateError::ExpiredContext { .. })
    })
    .await;
}

#[tokio::test]
async fn addresses_are_verified_too_and_are_not_sent_as_sni() {
    let ca = Ca::new("CA");
    let folder = Folder::new();
    let path = folder.write("ca.crt", &ca.pem());
    for (names, server_name, accepted, sni) in [
        (["10.1.2.3"], "10.1.2.3", true, None),
        (["10.1.2.3"], "10.1.2.4", false, None),
        (["::1"], "::1", true, None),
        (["db.test"], "db.test", true, Some("db.test")),
    ] {
        let upstream = UpstreamTls::new(&UpstreamSettings {
            server_name: server_name.to_owned(),
            ..settings(UpstreamMode::VerifyFull, Some(path.clone()))
        })
        .unwrap();
        let cert = ca.issue(pki::server(&names));
        let (secured, served) = meet(&upstream, database(&cert, None)).await;
        assert_eq!(secured.is_ok(), accepted, "{server_name}");
        if let Ok(stream) = served {
            assert_eq!(stream.get_ref().1.server_name(), sni);
        }
    }
}

#[tokio::test]
async fn a_self_signed_certificate_in_the_ca_file_is_trusted_even_if_marked_as_a_cas() {
    let folder = Folder::new();
    let accepted = |error: TlsError| panic!("{error:?}");
    for params in [pki::server(&["db.test"]), as_ca(pki::server(&["db.test"]))] {
        let cert = self_signed(&params);
        let ca = folder.write("ca.crt", &cert.pem);
        for mode in MODES {
            let upstream = UpstreamTls::new(&settings(mode, Some(ca.clone()))).unwrap();
            meet(&upstream, database(&cert, None))
                .await
                .0
                .map_err(accepted)
                .unwrap();
        }
        let wrong = UpstreamTls::new(&UpstreamSettings {
            server_name: "other.test".to_owned(),
            ..settings(UpstreamMode::VerifyFull, Some(ca))
        });
        let met = meet(&wrong.unwrap(), database(&cert, None)).await;
        assert!(met.0.is_err(), "the name is checked");
    }
    let refused = [
        expired(as_ca(pki::server(&["db.test"]))),
        as_ca(pki::client("not for servers")),
    ];
    for params in refused {
        let cert = self_signed(&params);
        let ca = folder.write("ca.crt", &cert.pem);
        let upstream = UpstreamTls::new(&settings(UpstreamMode::VerifyCa, Some(ca))).unwrap();
        assert!(meet(&upstream, database(&cert, None)).await.0.is_err());
    }
}

#[tokio::test]
async fn a_version_1_certificate_will_do_where_nothing_is_verified() {
    let (ca, folder) = (Ca::new("CA"), Folder::new());
    let path = folder.write("ca.crt", &ca.pem());
    let cert = ca.issue(pki::server(&["db.test"]));
    let other = ca.issue(pki::server(&["db.test"]));
    for mode in MODES {
        let upstream = UpstreamTls::new(&settings(mode, Some(path.clone()))).unwrap();
        for (key, has_key) in [(&cert, true), (&other, false)] {
            let mut database = database(&cert, None);
            database.cert_resolver = pki::pair(&pki::as_version_1(&cert), key);
            let (secured, _) = meet(&upstream, database).await;
            assert_eq!(secured.is_ok(), !mode.verifies() && has_key, "{mode:?}");
        }
    }
}

#[tokio::test]
async fn our_certificate_is_shown_to_a_database_that_asks() {
    let (ca, folder) = (Ca::new("CA"), Folder::new());
    let own = ca.issue(pki::client("acra"));
    let server = ca.issue(pki::server(&["db.test"]));
    let mut settings = settings(
        UpstreamMode::VerifyFull,
        Some(folder.write("ca.crt", &ca.pem())),
    );
    let without = UpstreamTls::new(&settings).unwrap();
    (settings.cert, settings.key) = folder.pair("own", &own);
    let with = UpstreamTls::new(&settings).unwrap();

    let (secured, served) = meet(&with, database(&server, Some(&ca))).await;
    assert!(matches!(secured, Ok(Secured::Tls(_))));
    let served = served.unwrap();
    let session = served.get_ref().1;
    assert_eq!(session.peer_certificates(), Some(&[own.der][..]));
    let group = session.negotiated_key_exchange_group().unwrap();
    assert_eq!(group.name(), NamedGroup::X25519MLKEM768);
    assert_eq!(session.alpn_protocol(), None);

    let (_, served) = meet(&without, database(&server, Some(&ca))).await;
    assert_eq!(
        tls_error(&served.err().unwrap()),
        Some(&Error::NoCertificatesPresented)
    );
}

#[test]
fn settings_are_checked_at_start() {
    let folder = Folder::new();
    for mode in [UpstreamMode::VerifyCa, UpstreamMode::VerifyFull] {
        let text = UpstreamTls::new(&settings(mode, None))
            .err()
            .unwrap()
            .to_string();
        assert!(text.contains("--tls_database_ca (or --tls_ca)"), "{text}");
    }
    // Public CAs without a check of the name would let in anybody.
    let system = UpstreamSettings {
        system_roots: true,
        ..settings(UpstreamMode::VerifyCa, None)
    };
    assert!(UpstreamTls::new(&system).is_err());
    let nameless = UpstreamSettings {
        server_name: String::new(),
        ..settings(UpstreamMode::Require, None)
    };
    let text = UpstreamTls::new(&nameless).err().unwrap().to_string();
    assert!(text.contains("--tls_database_sni"), "{text}");
    let ca = folder.write("ca.crt", &Ca::new("CA").pem());
    let careless = UpstreamTls::new(&settings(UpstreamMode::Require, Some(ca))).unwrap();
    assert_eq!(careless.warnings().len(), 1);
    for (name, mode) in ["prefer", "require", "verify-ca", "verify-full"]
        .iter()
        .zip(MODES)
    {
        assert_eq!(UpstreamMode::from_name(name).unwrap(), mode);
    }
    let text = UpstreamMode::from_name("verify_full").err().unwrap();
    assert!(text.to_string().contains("verify-full"));
}
