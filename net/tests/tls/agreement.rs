//! What a client and the listener agree on: groups, suites, resumption.

use crate::meet::{Scene, client, meet};
use crate::pki;
use acra_net::tls::{AuthMode, ListenerTls, provider};
use rustls::crypto::aws_lc_rs::kx_group;
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::version::{TLS12, TLS13};
use rustls::{HandshakeKind, NamedGroup};

#[tokio::test]
async fn key_exchange_is_post_quantum_where_both_can() {
    let listener = Scene::new(AuthMode::None).listener();
    let config = client((*provider()).clone(), &[&TLS13], None);
    let (served, _) = meet(&listener, config, false).await;
    let (stream, _) = served.unwrap();
    let group = stream.get_ref().1.negotiated_key_exchange_group().unwrap();
    assert_eq!(group.name(), NamedGroup::X25519MLKEM768);

    let classical: [&'static dyn SupportedKxGroup; 3] =
        [kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1];
    for (version, only) in [&TLS12, &TLS13].into_iter().zip([classical, classical]) {
        for group in only {
            let provider = CryptoProvider {
                kx_groups: vec![group],
                ..(*provider()).clone()
            };
            let (served, _) = meet(&listener, client(provider, &[version], None), false).await;
            let (stream, _) = served.unwrap();
            let agreed = stream.get_ref().1.negotiated_key_exchange_group().unwrap();
            assert_eq!(agreed.name(), group.name());
        }
    }
}

#[tokio::test]
async fn every_suite_of_the_list_and_no_other() {
    let scene = Scene::new(AuthMode::None);
    let ecdsa = scene.listener();
    let mut settings = scene.settings.clone();
    let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)
        .unwrap();
    let rsa = scene.clients.issue_for(pki::server(&["acra.test"]), key);
    (settings.cert, settings.key) = scene.folder.pair("rsa", &rsa);
    let rsa = ListenerTls::new(&settings).unwrap();
    assert_eq!(provider().cipher_suites.len(), 9);
    for suite in &provider().cipher_suites {
        let only = CryptoProvider {
            cipher_suites: vec![*suite],
            ..(*provider()).clone()
        };
        let name = format!("{:?}", suite.suite());
        let listener = if name.contains("_RSA_") { &rsa } else { &ecdsa };
        let version = if suite.tls13().is_some() {
            &TLS13
        } else {
            &TLS12
        };
        let (served, _) = meet(listener, client(only, &[version], None), false).await;
        let (stream, _) = served.unwrap();
        assert_eq!(stream.get_ref().1.negotiated_cipher_suite(), Some(*suite));
    }
}

#[tokio::test]
async fn sessions_are_resumed_only_where_nothing_was_verified() {
    for (mode, expected) in [
        (AuthMode::None, HandshakeKind::Resumed),
        (AuthMode::VerifyIfGiven, HandshakeKind::Full),
        (AuthMode::RequireAndVerify, HandshakeKind::Full),
    ] {
        let scene = Scene::new(mode);
        let listener = scene.listener();
        let cert = scene.clients.issue(pki::client("application"));
        for version in [&TLS12, &TLS13] {
            let config = client((*provider()).clone(), &[version], Some(&cert));
            let (first, _) = meet(&listener, config.clone(), false).await;
            assert!(first.is_ok());
            let (second, _) = meet(&listener, config, false).await;
            let (stream, identity) = second.unwrap();
            assert_eq!(
                stream.get_ref().1.handshake_kind(),
                Some(expected),
                "{mode:?}"
            );
            assert_eq!(identity.leaf().is_some(), mode.verifies());
        }
    }
}
