//! Certificate, key and CA files.

use crate::meet::Scene;
use crate::pki::{self, Ca, set_mode};
use acra_net::tls::{AuthMode, ListenerSettings, ListenerTls};
use base64_lines::pem;
use std::path::PathBuf;

/// PEM with any label.
mod base64_lines {
    pub(crate) fn pem(label: &str, der: &[u8]) -> String {
        const ALPHABET: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for chunk in der.chunks(3) {
            let bits = chunk
                .iter()
                .chain([&0, &0])
                .take(3)
                .fold(0, |bits, byte| bits << 8 | usize::from(*byte));
            for place in 0..4 {
                let letter = ALPHABET[bits >> (18 - 6 * place) & 63];
                text.push(if place > chunk.len() {
                    '='
                } else {
                    letter.into()
                });
            }
        }
        let lines: Vec<&str> = text
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        format!(
            "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
            lines.join("\n")
        )
    }
}

/// The key in a PKCS#8 wrapper: PKCS#1 of RSA, SEC1 of ECDSA. It is the first OCTET STRING after the algorithm.
fn inner_key(pkcs8: &[u8]) -> &[u8] {
    fn element(bytes: &[u8]) -> (&[u8], &[u8]) {
        let (header, length) = match bytes[1] {
            0x81 => (3, usize::from(bytes[2])),
            0x82 => (4, usize::from(bytes[2]) << 8 | usize::from(bytes[3])),
            short => (2, usize::from(short)),
        };
        bytes[header..].split_at(length)
    }
    let (content, _) = element(pkcs8);
    let (_, after_version) = element(content);
    let (_, after_algorithm) = element(after_version);
    element(after_algorithm).0
}

fn fault(settings: &ListenerSettings) -> String {
    ListenerTls::new(settings).err().unwrap().to_string()
}

fn assert_has(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }
}

#[test]
fn keys_in_all_forms() {
    let scene = Scene::new(AuthMode::None);
    let rsa = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048);
    let keys = [
        (
            rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256),
            Some("EC PRIVATE KEY"),
        ),
        (
            rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384),
            Some("EC PRIVATE KEY"),
        ),
        (rsa, Some("RSA PRIVATE KEY")),
        (rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519), None),
    ];
    for (key, label) in keys {
        let cert = scene
            .clients
            .issue_for(pki::server(&["acra.test"]), key.unwrap());
        let mut settings = scene.settings.clone();
        (settings.cert, settings.key) = scene.folder.pair("own", &cert);
        let listener = ListenerTls::new(&settings).unwrap();
        assert_eq!(listener.warnings(), [""; 0]);
        if let Some(label) = label {
            let pkcs8 = cert.key.serialize_der();
            // As `openssl ecparam -genkey` writes it, parameters first; they are passed over.
            let text = format!(
                "{}{}",
                pem("EC PARAMETERS", &[6, 8, 42, 134, 72, 206, 61, 3, 1, 7]),
                pem(label, inner_key(&pkcs8)),
            );
            settings.key = Some(scene.folder.write("old.key", &text));
            ListenerTls::new(&settings).unwrap();
        }
    }
}

#[test]
fn certificate_and_key_in_one_file() {
    let scene = Scene::new(AuthMode::None);
    let cert = scene.clients.issue(pki::server(&["acra.test"]));
    let both = format!(
        "{}{}{}",
        cert.key.serialize_pem(),
        cert.pem,
        scene.clients.pem()
    );
    let path = scene.folder.write("both.pem", &both);
    let settings = ListenerSettings {
        cert: Some(path.clone()),
        key: Some(path),
        ..scene.settings.clone()
    };
    ListenerTls::new(&settings).unwrap();
}

#[test]
fn one_path_without_the_other() {
    let scene = Scene::new(AuthMode::None);
    let settings = ListenerSettings {
        key: None,
        ..scene.settings.clone()
    };
    assert_has(
        &fault(&settings),
        &["without --tls_client_key (or --tls_key)"],
    );
    let settings = ListenerSettings {
        cert: Some(PathBuf::new()),
        ..scene.settings.clone()
    };
    assert_has(
        &fault(&settings),
        &["without --tls_client_cert (or --tls_cert)"],
    );
    let settings = ListenerSettings {
        cert: None,
        key: None,
        ..scene.settings.clone()
    };
    assert_has(
        &fault(&settings),
        &["--tls_client_cert", "--tls_client_key"],
    );
}

#[test]
fn a_key_of_another_certificate() {
    let scene = Scene::new(AuthMode::None);
    let other = scene.clients.issue(pki::server(&["acra.test"]));
    let settings = ListenerSettings {
        key: scene.folder.pair("other", &other).1,
        ..scene.settings.clone()
    };
    assert_has(
        &fault(&settings),
        &[
            "--tls_client_key",
            "other.key",
            "does not belong",
            "server.crt",
        ],
    );
    // And one of another type.
    let rsa = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048);
    let text = rsa.unwrap().serialize_pem();
    let settings = ListenerSettings {
        key: Some(scene.folder.write("rsa.key", &text)),
        ..scene.settings.clone()
    };
    assert_has(&fault(&settings), &["rsa.key", "does not belong"]);
}

#[test]
fn keys_that_cannot_be_used() {
    let scene = Scene::new(AuthMode::None);
    let own = std::fs::read_to_string(scene.settings.cert.as_ref().unwrap()).unwrap();
    let legacy = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n\
                  -----END RSA PRIVATE KEY-----\n";
    for (text, words) in [
        (
            pem("ENCRYPTED PRIVATE KEY", &[0x30, 0]),
            ["is encrypted", "openssl pkey"],
        ),
        (legacy.to_owned(), ["is encrypted", "openssl pkey"]),
        (own, ["no private key", "BEGIN PRIVATE KEY"]),
        (String::new(), ["no private key", "BEGIN PRIVATE KEY"]),
        (pem("PRIVATE KEY", &[0x30, 0]), ["cannot be used", "P-256"]),
        (
            "-----BEGIN PRIVATE KEY-----\n?\n".to_owned(),
            ["PEM", "broken.key"],
        ),
    ] {
        let settings = ListenerSettings {
            key: Some(scene.folder.write("broken.key", &text)),
            ..scene.settings.clone()
        };
        let found = fault(&settings);
        assert_has(&found, &words);
        assert_has(&found, &["--tls_client_key", "broken.key"]);
    }
}

#[test]
fn keys_that_others_can_read_are_warned_about() {
    let scene = Scene::new(AuthMode::None);
    let key = scene.settings.key.clone().unwrap();
    for (mode, count) in [(0o600, 0), (0o400, 0), (0o640, 1), (0o604, 1), (0o644, 1)] {
        set_mode(&key, mode);
        let listener = scene.listener();
        assert_eq!(listener.warnings().len(), count, "{mode:o}");
        for warning in listener.warnings() {
            assert_has(
                warning,
                &["server.key", "chmod 600", &format!("{mode:04o}")],
            );
        }
    }
}

#[test]
fn ca_files() {
    let scene = Scene::new(AuthMode::RequireAndVerify);
    let with = |text: &str| ListenerSettings {
        ca: Some(scene.folder.write("bundle.crt", text)),
        ..scene.settings.clone()
    };
    let bundle = format!("# two\n{}{}", Ca::new("a").pem(), Ca::new("b").pem());
    assert_eq!(
        ListenerTls::new(&with(&bundle)).unwrap().warnings(),
        [""; 0]
    );

    let broken = pem("CERTIFICATE", &[0x30, 0]);
    let partly = format!("{broken}{bundle}");
    let listener = ListenerTls::new(&with(&partly)).unwrap();
    assert_eq!(listener.warnings().len(), 1);
    assert_has(&listener.warnings()[0], &["bundle.crt", "certificate 1"]);

    let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
    for text in ["", "nonsense", &key, &broken] {
        let words = ["can't add CA certificate", "--tls_client_ca", "bundle.crt"];
        assert_has(&fault(&with(text)), &words);
    }
    let missing = ListenerSettings {
        ca: Some(PathBuf::from("/nowhere/ca.crt")),
        ..scene.settings.clone()
    };
    assert_has(
        &fault(&missing),
        &["--tls_client_ca", "/nowhere/ca.crt", "cannot be read"],
    );
}
