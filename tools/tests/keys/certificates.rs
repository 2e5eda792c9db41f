//! Client ids of certificates: extract-client-id, generate, acra-keymaker (cli.md 13.6, 13.7, 14; keystore.md 2.1).

use crate::support::Place;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// Certificates of the vectors: DER, extractor, client id.
fn certificates() -> Vec<(Vec<u8>, &'static str, Option<String>)> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../engine/tests/vectors/client_id.json"
    );
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut found = Vec::new();
    for vector in file["vectors"].as_array().unwrap() {
        let kind = match vector["op"].as_str().unwrap() {
            "client_id.distinguished_name" => "distinguished_name",
            "client_id.serial_number" => "serial_number",
            _ => continue,
        };
        let Some(digits) = vector["in"]["certificate_der"].as_str() else {
            continue;
        };
        let byte =
            |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        let der = digits.as_bytes().chunks(2).map(byte).collect();
        let id = vector["expect"]["client_id"].as_str().map(str::to_owned);
        found.push((der, kind, id));
    }
    found
}

fn pem(der: &[u8]) -> String {
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        STANDARD.encode(der)
    )
}

#[test]
fn ids_are_those_of_acra() {
    let place = Place::new();
    let (mut good, mut bad) = (0, 0);
    for (der, kind, id) in certificates() {
        place.write("c.pem", pem(&der));
        let kind = format!("--tls_identifier_extractor_type={kind}");
        let line = ["extract-client-id", "--tls_client_id_cert=c.pem", &kind];
        let text = place.keys(&line);
        match id {
            Some(id) => {
                good += 1;
                assert_eq!(text.good(), format!("{id}\n"));
                let json = place.keys(&[&line[..], &["--print_json"]].concat());
                assert_eq!(json.good(), format!("{{\"client_id\":\"{id}\"}}\n"));
                let older = place.keys(&["extract-client-id", "--tls_cert=c.pem", &kind]);
                assert_eq!(older.good(), text.good());
            }
            None => {
                bad += 1;
                text.failed(&[
                    "level=error msg=\"Can't ",
                    "level=fatal msg=\"Failed to extract clientID from cert\"",
                ]);
            }
        }
    }
    assert!(good > 10 && bad > 0, "{good} {bad}");
}

#[test]
fn files_that_give_no_id() {
    let place = Place::new();
    let (der, ..) = certificates()
        .into_iter()
        .find(|(.., id)| id.is_some())
        .unwrap();
    place.write("c.pem", pem(&der));
    place.write(
        "key.pem",
        pem(b"no certificate").replace("CERTIFICATE", "PRIVATE KEY"),
    );
    place.write("der.pem", &der);
    let fatal = "level=fatal msg=\"Failed to extract clientID from cert\"";
    for (flags, text) in [
        (
            &[
                "--tls_client_id_cert=c.pem",
                "--tls_identifier_extractor_type=x",
            ][..],
            "Can't initialize identifier extractor",
        ),
        (
            &["--tls_client_id_cert=none.pem"],
            "Can't read TLS certificate",
        ),
        (
            &["--tls_client_id_cert=der.pem"],
            "Can't parse TLS certificate as PEM encoded file",
        ),
        (
            &["--tls_client_id_cert=key.pem"],
            "Can't parse TLS certificate",
        ),
    ] {
        let line = [&["extract-client-id"], flags].concat();
        place
            .keys(&line)
            .failed(&[&format!("level=error msg=\"{text}\""), fatal]);
    }
    let generate = ["generate", "--keystore=v1", "--tls_client_id_cert=none.pem"];
    place.keys(&generate).failed(&[
        "Can't read TLS certificate",
        "level=fatal msg=\"Failed to generate clientID from cert\"",
    ]);
    let keymaker = [
        "--keystore=v1",
        "--client_id=",
        "--tls_client_id_cert=none.pem",
    ];
    let refused = place.keymaker(&keymaker);
    refused.failed(&["level=error msg=\"Can't read TLS certificate\""]);
    assert_eq!(refused.log.lines().count(), 1);
    assert_eq!(place.files("").len(), 3);
}

#[test]
fn keys_are_made_for_the_id_of_a_certificate() {
    let place = Place::new();
    let (der, _, id) = certificates()
        .into_iter()
        .find(|(_, kind, id)| id.is_some() && *kind == "distinguished_name")
        .unwrap();
    let id = id.unwrap();
    place.write("c.pem", pem(&der));
    place.write("other.pem", "is not read");
    let made = place.keys(&[
        "generate",
        "--keystore=v1",
        "--client_storage_symmetric_key",
        "--tls_cert=c.pem",
        "--tls_client_id_cert=other.pem",
    ]);
    made.good();
    assert!(
        made.log.contains("level=warning msg=\"Both --tls_cert"),
        "{}",
        made.log
    );
    assert_eq!(place.files(".acrakeys"), [format!("{id}_storage_sym")]);
    // A certificate is not read where no client id is needed.
    place
        .keys(&[
            "generate",
            "--audit_log_symmetric_key",
            "--tls_client_id_cert=other.pem",
        ])
        .good();
    let made = place.keymaker(&[
        "--client_id=",
        "--tls_client_id_cert=c.pem",
        "--generate_hmac_key",
    ]);
    assert_eq!(
        made.good(),
        "Generated HMAC key for searchable encryption\n"
    );
    assert!(place.path(&format!(".acrakeys/{id}_hmac")).exists());
    for (flags, text) in [
        (
            &["--tls_client_id_cert=c.pem"][..],
            "You can either specify identifier for keys via specific clientID by --client_id",
        ),
        (
            &[
                "--client_id=",
                "--tls_client_id_cert=c.pem",
                "--tls_cert=c.pem",
            ],
            "You cant specify --tls_cert (deprecated since 0.96.0) and --tls_client_id_cert simultaneously",
        ),
    ] {
        place
            .keymaker(&[flags, &["--generate_hmac_key"]].concat())
            .failed(&[text]);
    }
}
