use crate::pki::{Ca, Cert, Folder, client};
use crate::port::free_port;
use crate::revocation_pki::{Server, chain, naming};
use acra_net::tls::revocation::{CrlSettings, OcspSettings, Revocation, RevocationError};
use rcgen::ExtendedKeyUsagePurpose;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const GOOD: u64 = 0x20;
const REVOKED: u64 = 0x21;
const UNKNOWN: u64 = 0x22;

fn ocsp(url: &str, required: &str, from_cert: &str) -> Revocation {
    Revocation::new(
        OcspSettings::new(url, required, from_cert, false).unwrap(),
        CrlSettings::new("", "ignore", false, 0, 0).unwrap(),
    )
}

/// `openssl ocsp` with an index of its own.
struct Responder {
    child: Child,
    url: String,
    _folder: Folder,
}

impl Responder {
    /// Answers about certificates of `ca`; the signer is that CA or another certificate, by PEM and key.
    fn start(ca: &Ca, signer: (&str, &str), validity: &[&str]) -> Self {
        let folder = Folder::new();
        let index = "V\t991231235959Z\t\t20\tunknown\t/CN=good\n\
                     R\t991231235959Z\t210203040506Z\t21\tunknown\t/CN=revoked\n";
        let files = [
            ("-index", folder.write("index.txt", index)),
            ("-CA", folder.write("ca.pem", &ca.pem())),
            ("-rsigner", folder.write("signer.pem", signer.0)),
            ("-rkey", folder.write("signer.key", signer.1)),
        ];
        let mut command = Command::new("openssl");
        command.args(["ocsp", "-port", "0"]);
        for (flag, path) in files {
            command.arg(flag).arg(path);
        }
        let log = folder.write("log", "");
        let output = std::fs::File::create(&log).unwrap();
        let child = command
            .args(validity)
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        // A connection that asks nothing would occupy it, so its log tells that it is up, and where.
        let until = Instant::now() + Duration::from_secs(60);
        let port = std::iter::from_fn(|| (Instant::now() < until).then_some(())).find_map(|()| {
            std::thread::sleep(Duration::from_millis(10));
            let text = std::fs::read_to_string(&log).unwrap();
            let (_, address) = text.split_once("ACCEPT ")?;
            let (address, rest) = address.split_once(" PID")?;
            let port = address.rsplit_once(':')?.1.parse::<u16>().ok()?;
            rest.contains("waiting for").then_some(port)
        });
        let port = port.expect("openssl ocsp does not listen");
        Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
            _folder: folder,
        }
    }

    fn of(ca: &Ca) -> Self {
        Self::start(ca, (&ca.pem(), &ca.key_pem()), &["-ndays", "1"])
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.child.kill().unwrap_or_default();
        self.child.wait().unwrap();
    }
}

async fn check(
    revocation: &Revocation,
    ca: &Ca,
    cert: &Cert,
) -> Result<Vec<String>, RevocationError> {
    revocation.check(&chain(cert), &ca.roots()).await
}

/// An address at which nobody listens.
fn dead() -> String {
    format!("http://{}", free_port().unwrap())
}

#[tokio::test]
async fn the_responder_decides_as_the_mode_says() {
    let ca = Ca::new("CA");
    let responder = Responder::of(&ca);
    for (serial, required, expected) in [
        (GOOD, "denyUnknown", ""),
        (GOOD, "allowUnknown", ""),
        (GOOD, "requireGood", ""),
        (REVOKED, "denyUnknown", "certificate was revoked"),
        (REVOKED, "allowUnknown", "certificate was revoked"),
        (REVOKED, "requireGood", "certificate was revoked"),
        (
            UNKNOWN,
            "denyUnknown",
            "OCSP server doesn't know about certificate",
        ),
        (UNKNOWN, "allowUnknown", ""),
        (
            UNKNOWN,
            "requireGood",
            "OCSP server doesn't know about certificate",
        ),
    ] {
        for (configured, named) in [(&*responder.url, vec![]), ("", vec![&*responder.url])] {
            if configured.is_empty() && required == "requireGood" {
                continue;
            }
            let cert = ca.issue(naming(serial, &[], &named));
            let told = match check(&ocsp(configured, required, "prefer"), &ca, &cert).await {
                Ok(_) => String::new(),
                Err(error) => error.to_string(),
            };
            let is_expected = match expected {
                "" => told.is_empty(),
                text => told.contains(text),
            };
            assert!(is_expected, "{serial:x} {required}: {told}");
        }
    }
    assert!(
        ocsp(&responder.url, "denyUnknown", "use")
            .probe()
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn a_dead_responder_is_none() {
    let ca = Ca::new("CA");
    let (responder, dead) = (Responder::of(&ca), dead());
    let cert = ca.issue(naming(GOOD, &[], &[&dead]));
    for required in ["denyUnknown", "allowUnknown"] {
        let error = check(&ocsp("", required, "prefer"), &ca, &cert)
            .await
            .unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("none of OCSP servers confirmed the certificate")
                && text.contains("cannot connect"),
            "{text}"
        );
    }
    // Another one makes up for it, which is told; not if all must answer.
    let warnings = check(&ocsp(&responder.url, "denyUnknown", "prefer"), &ca, &cert)
        .await
        .unwrap();
    assert!(
        warnings[0].starts_with("Cannot query OCSP server"),
        "{warnings:?}"
    );
    let error = check(&ocsp(&responder.url, "requireGood", "prefer"), &ca, &cert)
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("cannot query OCSP server, but --tls_ocsp_required=requireGood was passed")
    );
    // What is unknown to one and not answered by another is not what all call unknown.
    let cert = ca.issue(naming(UNKNOWN, &[], &[&dead]));
    let checked = check(&ocsp(&responder.url, "allowUnknown", "use"), &ca, &cert).await;
    assert!(checked.is_err());
    let told = ocsp(&dead, "denyUnknown", "use").probe().await;
    assert!(told[0].starts_with("OCSP: Cannot reach configured server"));
}

#[tokio::test]
async fn a_good_answer_is_enough() {
    let ca = Ca::new("CA");
    let (responder, dead) = (Responder::of(&ca), dead());
    let cert = ca.issue(naming(GOOD, &[], &[&responder.url]));
    for (required, from_cert, is_accepted) in [
        ("denyUnknown", "prefer", true),
        ("denyUnknown", "use", true),
        ("requireGood", "prefer", false),
        ("requireGood", "use", false),
        ("requireGood", "trust", true),
        ("denyUnknown", "ignore", false),
    ] {
        let checked = check(&ocsp(&dead, required, from_cert), &ca, &cert).await;
        assert_eq!(
            checked.is_ok(),
            is_accepted,
            "{required} {from_cert}: {checked:?}"
        );
    }
}

#[tokio::test]
async fn only_the_issuer_and_whom_it_charges_may_answer() {
    let (ca, stranger) = (Ca::new("CA"), Ca::new("CA"));
    let mut params = client("responder");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::OcspSigning];
    let delegate = ca.issue(params.clone());
    let impostor = stranger.issue(params.clone());
    let expired = ca.issue(crate::pki::expired(params));
    let plain = ca.issue(client("no responder"));
    for (signer, is_accepted) in [
        (&delegate, true),
        (&impostor, false),
        (&expired, false),
        (&plain, false),
    ] {
        let key = signer.key.serialize_pem();
        let responder = Responder::start(&ca, (&signer.pem, &key), &["-ndays", "1"]);
        let cert = ca.issue(naming(GOOD, &[], &[&responder.url]));
        let checked = check(&ocsp("", "denyUnknown", "prefer"), &ca, &cert).await;
        assert_eq!(checked.is_ok(), is_accepted, "{checked:?}");
        if let Err(error) = checked {
            assert!(error.to_string().contains("is signed neither by"));
        }
    }
    let responder = Responder::start(&ca, (&stranger.pem(), &stranger.key_pem()), &[]);
    let cert = ca.issue(naming(GOOD, &[], &[&responder.url]));
    assert!(
        check(&ocsp("", "denyUnknown", "prefer"), &ca, &cert)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn answers_are_kept_until_their_next_update() {
    let ca = Ca::new("CA");
    let key = ca.key_pem();
    for (validity, is_kept) in [(&["-nmin", "5"][..], true), (&[], false)] {
        let responder = Responder::start(&ca, (&ca.pem(), &key), validity);
        let cert = ca.issue(naming(GOOD, &[], &[&responder.url]));
        let other = ca.issue(naming(REVOKED, &[], &[&responder.url]));
        let asked = ocsp("", "denyUnknown", "prefer");
        assert!(check(&asked, &ca, &cert).await.is_ok());
        drop(responder);
        assert_eq!(check(&asked, &ca, &cert).await.is_ok(), is_kept);
        assert!(
            check(&asked, &ca, &other).await.is_err(),
            "it is another certificate"
        );
    }
}

#[tokio::test]
async fn what_is_no_response_confirms_nothing() {
    let ca = Ca::new("CA");
    for (body, text) in [
        (&b"hello"[..], "no OCSP response"),
        (&[0x30, 3, 0x0a, 1, 6], "unauthorized"),
        (&[0x30, 3, 0x0a, 1, 0], "unknown kind"),
        (&[0x30, 3, 0x0a, 1, 9], "unknown status"),
        (&[], "no OCSP response"),
    ] {
        let server = Server::of(body).await;
        let cert = ca.issue(naming(GOOD, &[], &[&server.url(), "https://localhost/"]));
        let error = check(&ocsp("", "allowUnknown", "prefer"), &ca, &cert)
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(text) && error.contains("unsupported URL scheme"),
            "{error}"
        );
    }
}
