//! TLS with applications.

use crate::meet::{Scene, client, meet, tls_error};
use crate::pki::{self, Ca, as_ca, expired};
use acra_net::tls::{
    AuthMode, Extractor, ListenerSettings, ListenerTls, TlsError, accept, client_id, provider,
};
use rustls::version::{TLS12, TLS13};
use rustls::{AlertDescription, CertificateError, Error};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

/// What becomes of a client.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome {
    /// Served, and nothing is known about it.
    Unverified,
    /// Served, with a verified certificate.
    Verified,
    NoCertificate,
    UnknownIssuer,
    Expired,
}

fn outcome(served: &crate::meet::Served) -> Outcome {
    match served {
        Ok((_, identity)) if identity.leaf().is_some() => Outcome::Verified,
        Ok(_) => Outcome::Unverified,
        Err(TlsError::Handshake { fault, .. }) => match fault {
            Error::NoCertificatesPresented => Outcome::NoCertificate,
            Error::InvalidCertificate(CertificateError::UnknownIssuer) => Outcome::UnknownIssuer,
            Error::InvalidCertificate(CertificateError::ExpiredContext { .. }) => Outcome::Expired,
            other => panic!("{other:?}"),
        },
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_mode_with_every_kind_of_certificate() {
    use Outcome::{Expired, NoCertificate, UnknownIssuer, Unverified, Verified};
    // Without a certificate, with a good one, with one of another CA, with an expired one.
    let modes = [
        (0, [Unverified, Unverified, Unverified, Unverified]),
        (1, [Unverified, Unverified, Unverified, Unverified]),
        (2, [NoCertificate, Unverified, Unverified, Unverified]),
        (3, [Unverified, Verified, UnknownIssuer, Expired]),
        (4, [NoCertificate, Verified, UnknownIssuer, Expired]),
    ];
    for (level, expected) in modes {
        let scene = Scene::new(AuthMode::from_level(level).unwrap());
        let listener = scene.listener();
        let certificates = [
            None,
            Some(scene.clients.issue(pki::client("good"))),
            Some(Ca::new("another CA").issue(pki::client("good"))),
            Some(scene.clients.issue(expired(pki::client("good")))),
        ];
        for version in [&TLS12, &TLS13] {
            for (cert, expected) in certificates.iter().zip(expected) {
                let config = client((*provider()).clone(), &[version], cert.as_ref());
                let (served, connected) = meet(&listener, config, false).await;
                assert_eq!(outcome(&served), expected, "mode {level}, {version:?}");
                match served {
                    Ok((_, identity)) if expected == Verified => {
                        assert_eq!(
                            identity.verified,
                            [cert.as_ref().map(|cert| cert.der.clone()).unwrap()]
                        );
                    }
                    Ok(_) => assert!(connected.is_ok()),
                    Err(error) => {
                        assert!(error.hint().is_some(), "{error}");
                        let told = connected.err().unwrap();
                        assert!(
                            matches!(tls_error(&told), Some(Error::AlertReceived(_))),
                            "the client is told by an alert: {told:?}"
                        );
                    }
                }
            }
        }
    }
    assert!(AuthMode::from_level(5).is_err() && AuthMode::from_level(-1).is_err());
}

#[tokio::test]
async fn a_verified_certificate_gives_the_client_id_of_its_subject() {
    let scene = Scene::new(AuthMode::RequireAndVerify);
    let cert = scene.clients.issue(pki::client("application, the first"));
    let config = client((*provider()).clone(), &[&TLS13], Some(&cert));
    let (served, _) = meet(&scene.listener(), config, false).await;
    let (_, identity) = served.unwrap();
    let id = client_id(identity.leaf().unwrap(), Extractor::DistinguishedName).unwrap();
    assert_eq!(
        id,
        crate::identity::sha512("CN=application\\, the first".as_bytes())
    );
}

#[tokio::test]
async fn a_ca_certificate_does_not_authenticate() {
    let scene = Scene::new(AuthMode::RequireAndVerify);
    let cert = scene.clients.issue(as_ca(pki::client("intermediate")));
    let config = client((*provider()).clone(), &[&TLS13], Some(&cert));
    let (served, _) = meet(&scene.listener(), config, false).await;
    let error = served.err().unwrap();
    assert!(
        error
            .to_string()
            .ends_with("used CA certificate for authentication"),
        "{error}"
    );
    assert!(error.hint().is_some());
}

#[tokio::test]
async fn a_certificate_for_servers_does_not_authenticate() {
    let scene = Scene::new(AuthMode::RequireAndVerify);
    let cert = scene.clients.issue(pki::server(&["db.test"]));
    let config = client((*provider()).clone(), &[&TLS13], Some(&cert));
    let (served, _) = meet(&scene.listener(), config, false).await;
    assert!(matches!(
        served.err().unwrap(),
        TlsError::Handshake {
            fault: Error::InvalidCertificate(CertificateError::InvalidPurposeContext { .. }),
            ..
        }
    ));
}

#[tokio::test]
async fn a_certificate_without_its_key_does_not_pass_unverified_modes() {
    let scene = Scene::new(AuthMode::RequireAny);
    let mut cert = scene.clients.issue(pki::client("victim"));
    cert.key = rcgen::KeyPair::generate().unwrap();
    for version in [&TLS12, &TLS13] {
        let mut config = client((*provider()).clone(), &[version], None);
        config.client_auth_cert_resolver = pki::pair(&cert.der, &cert);
        let (served, _) = meet(&scene.listener(), config, false).await;
        assert!(matches!(
            served.err().unwrap(),
            TlsError::Handshake {
                fault: Error::InvalidCertificate(CertificateError::BadSignature),
                ..
            }
        ));
    }
}

#[tokio::test]
async fn version_1_certificates_are_never_verified_and_their_key_still_counts() {
    for (mode, is_served) in [
        (AuthMode::RequireAny, true),
        (AuthMode::RequireAndVerify, false),
    ] {
        let scene = Scene::new(mode);
        let cert = scene.clients.issue(pki::client("old"));
        let old = pki::as_version_1(&cert);
        let other = scene.clients.issue(pki::client("thief"));
        for (key, has_key) in [(&cert, true), (&other, false)] {
            let mut config = client((*provider()).clone(), &[&TLS13], None);
            config.client_auth_cert_resolver = pki::pair(&old, key);
            let (served, _) = meet(&scene.listener(), config, false).await;
            assert_eq!(served.is_ok(), is_served && has_key);
            match served {
                Ok((_, identity)) => assert_eq!(identity.leaf(), None),
                Err(error) => assert_eq!(error.hint().is_some(), !is_served, "{error}"),
            }
        }
    }
}

#[tokio::test]
async fn alpn() {
    let listener = Scene::new(AuthMode::None).listener();
    /// Names offered, direct TLS, and what is agreed on if the client is served.
    type Case = (&'static [&'static str], bool, Option<Option<&'static str>>);
    let cases: &[Case] = &[
        (&[], false, Some(None)),
        (&["postgresql"], false, Some(Some("postgresql"))),
        (&["h2", "postgresql"], false, Some(Some("postgresql"))),
        (&["h2"], false, None),
        (&["postgresql"], true, Some(Some("postgresql"))),
        (&["h2", "postgresql"], true, Some(Some("postgresql"))),
        (&["h2"], true, None),
        (&[], true, None),
    ];
    for (offered, direct, expected) in cases {
        let mut config = client((*provider()).clone(), &[&TLS13, &TLS12], None);
        config.alpn_protocols = offered
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        let (served, connected) = meet(&listener, config, *direct).await;
        match (served, expected) {
            (Ok((_, identity)), Some(expected)) => {
                assert_eq!(identity.alpn.as_deref(), expected.map(str::as_bytes));
            }
            (Err(TlsError::NoAlpn), None) => assert!(offered.is_empty() && *direct),
            (Err(error), None) => {
                assert!(error.hint().is_some(), "{error}");
                let told = connected.err().unwrap();
                assert_eq!(
                    tls_error(&told),
                    Some(&Error::AlertReceived(
                        AlertDescription::NoApplicationProtocol
                    )),
                );
            }
            (served, _) => panic!("{offered:?} direct: {direct}: {:?}", served.err()),
        }
    }
}

#[tokio::test]
async fn tls_1_1_is_refused_with_an_alert() {
    let listener = Scene::new(AuthMode::None).listener();
    // Signature algorithms (ECDSA on P-256), as a client that knows TLS 1.2 sends them; groups (X25519).
    let newer: &[u8] = &[0, 16, 0, 13, 0, 4, 0, 2, 4, 3, 0, 10, 0, 4, 0, 2, 0, 29];
    // protocol_version (70), or handshake_failure (40) for one that does not.
    for (extensions, alert) in [(&[0, 0][..], 40), (newer, 70)] {
        // Version, 32 random bytes, no session, ECDHE_RSA_WITH_AES_128_CBC_SHA, no compression.
        let body = [
            &[3, 2][..],
            &[7; 32],
            &[0, 0, 2, 0xc0, 0x13, 1, 0],
            extensions,
        ]
        .concat();
        let handshake = [&[1, 0, 0, body.len() as u8][..], &body].concat();
        let record = [&[0x16, 3, 1, 0, handshake.len() as u8][..], &handshake].concat();
        let (near, mut far) = duplex(4096);
        far.write_all(&record).await.unwrap();
        let error = accept(&listener, near, false).await.err().unwrap();
        let is_version = matches!(
            error,
            TlsError::Handshake {
                fault: Error::PeerIncompatible(_),
                ..
            }
        );
        assert!(is_version, "{error}");
        assert!(error.hint().is_some());
        let mut answer = Vec::new();
        far.read_to_end(&mut answer).await.unwrap();
        assert_eq!((answer[0], &answer[5..]), (21, &[2, alert][..]));
    }
}

#[tokio::test]
async fn what_is_not_tls_ends_with_an_error() {
    let listener = Scene::new(AuthMode::None).listener();
    let (near, mut far) = duplex(4096);
    far.write_all(&[0, 0, 0, 8, 4, 210, 22, 47]).await.unwrap();
    let error = accept(&listener, near, true).await.err().unwrap();
    assert!(matches!(error, TlsError::Handshake { .. }), "{error}");
    let (near, far) = duplex(4096);
    drop(far);
    let error = accept(&listener, near, true).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "the client closed the connection during the TLS handshake"
    );
}

#[test]
fn verifying_modes_need_a_ca() {
    let scene = Scene::new(AuthMode::RequireAndVerify);
    let settings = ListenerSettings {
        ca: None,
        ..scene.settings.clone()
    };
    let text = ListenerTls::new(&settings).err().unwrap().to_string();
    assert!(text.contains("--tls_client_ca (or --tls_ca)"), "{text}");
    for auth in [AuthMode::None, AuthMode::Request, AuthMode::RequireAny] {
        let settings = ListenerSettings {
            auth,
            ..settings.clone()
        };
        assert!(ListenerTls::new(&settings).is_ok());
    }
}
