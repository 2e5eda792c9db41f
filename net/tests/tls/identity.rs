//! Client ids of certificates.

use crate::pki::{self, Ca, as_ca};
use acra_net::tls::{Extractor, IdentityError, client_id, extract, subject_text};
use rcgen::{DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyUsagePurpose};
use serde_json::Value;
use sha2::{Digest as _, Sha512};

const VECTORS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../engine/tests/vectors/client_id.json"
);

pub(crate) fn sha512(bytes: &[u8]) -> String {
    const_hex::encode(Sha512::digest(bytes))
}

#[test]
fn vectors() {
    let file: Value = serde_json::from_slice(&std::fs::read(VECTORS).unwrap()).unwrap();
    let mut counts = [0, 0, 0];
    for vector in file["vectors"].as_array().unwrap() {
        let (name, expect) = (&vector["name"], &vector["expect"]);
        let bytes = |field: &str| {
            let text = vector["in"][field].as_str()?;
            Some(const_hex::decode(text).unwrap())
        };
        let extractor = match vector["op"].as_str().unwrap() {
            "client_id.distinguished_name" => Extractor::DistinguishedName,
            "client_id.serial_number" => Extractor::SerialNumber,
            _ => continue,
        };
        if let Some(text) = expect["subject_text"].as_str() {
            counts[1] += 1;
            let subject = bytes("subject_der").unwrap();
            assert_eq!(subject_text(&subject).as_deref(), Ok(text), "{name}");
            assert_eq!(expect["client_id"], sha512(text.as_bytes()), "{name}");
        }
        let Some(certificate) = bytes("certificate_der") else {
            counts[2] += 1;
            let serial = bytes("serial").unwrap();
            assert_eq!(expect["client_id"], sha512(&serial), "{name}");
            continue;
        };
        counts[0] += 1;
        match extract(&certificate, extractor) {
            Ok(id) => assert_eq!(expect["client_id"], id, "{name}"),
            Err(error) => {
                assert_eq!(expect["must_fail"], true, "{name}: {error}");
                assert_eq!(expect["why"], error.to_string(), "{name}");
            }
        }
    }
    assert_eq!(
        counts,
        [28, 13, 1],
        "certificates, subjects, bare serial numbers"
    );
}

#[test]
fn a_made_certificate_has_the_id_of_its_text() {
    let mut params = pki::client("App #1 <main>");
    let own = DnType::CustomDnType(vec![1, 2, 3, 4, 5]);
    for (kind, value) in [
        (own, "golang.org"),
        (DnType::OrganizationName, " Org; Ltd "),
        (DnType::CountryName, "UA"),
    ] {
        params.distinguished_name.push(kind, value);
    }
    params.serial_number = Some(vec![0x80, 1].into());
    let cert = Ca::new("CA").issue(params);
    let text = "CN=App #1 \\<main\\>,O=\\ Org\\; Ltd\\ ,C=UA,1.2.3.4.5=#130a676f6c616e672e6f7267";
    assert_eq!(
        client_id(&cert.der, Extractor::DistinguishedName),
        Ok(sha512(text.as_bytes()))
    );
    assert_eq!(
        client_id(&cert.der, Extractor::SerialNumber),
        Ok(sha512(&[0x80, 1]))
    );
}

#[test]
fn certificates_that_are_not_for_clients_have_no_id() {
    let ca = Ca::new("CA");
    let dn = Extractor::DistinguishedName;
    assert_eq!(client_id(&ca.der(), dn), Err(IdentityError::CaCertificate));
    assert!(extract(&ca.der(), dn).is_ok(), "tools take any certificate");
    let marked = ca.issue(as_ca(pki::client("a")));
    assert_eq!(
        client_id(&marked.der, dn),
        Err(IdentityError::CaCertificate)
    );

    let signs = KeyUsagePurpose::DigitalSignature;
    let enciphers = KeyUsagePurpose::KeyEncipherment;
    let (clients, servers) = (
        ExtendedKeyUsagePurpose::ClientAuth,
        ExtendedKeyUsagePurpose::ServerAuth,
    );
    let any = ExtendedKeyUsagePurpose::Any;
    for (usages, purposes, is_allowed) in [
        (vec![], vec![], false),
        (vec![signs], vec![], true),
        (vec![enciphers], vec![], false),
        (vec![enciphers], vec![servers.clone()], false),
        (
            vec![enciphers],
            vec![servers.clone(), clients.clone()],
            true,
        ),
        (vec![], vec![any], false),
        (vec![], vec![clients], true),
        (vec![signs], vec![servers], true),
    ] {
        let mut params = pki::client("a");
        (params.key_usages, params.extended_key_usages) = (usages, purposes);
        let expected = if is_allowed {
            Ok(sha512(b"CN=a"))
        } else {
            Err(IdentityError::KeyUsage)
        };
        assert_eq!(client_id(&ca.issue(params).der, dn), expected);
    }

    let mut params = pki::client("");
    params.distinguished_name = DistinguishedName::new();
    let nameless = ca.issue(params);
    assert_eq!(client_id(&nameless.der, dn), Err(IdentityError::Empty));
    assert!(client_id(&nameless.der, Extractor::SerialNumber).is_ok());
}

#[test]
fn a_damaged_certificate_has_no_id_and_does_not_panic() {
    let cert = Ca::new("CA").issue(pki::client("a"));
    let dn = Extractor::DistinguishedName;
    for end in 0..cert.der.len() {
        assert_eq!(
            client_id(&cert.der[..end], dn),
            Err(IdentityError::Malformed)
        );
    }
    for at in 0..cert.der.len() {
        for value in [0, 0x7f, 0x80, 0xff] {
            let mut damaged = cert.der.to_vec();
            damaged[at] = value;
            let _ = client_id(&damaged, dn);
        }
    }
}

#[test]
fn texts_are_acras() {
    for (error, text) in [
        (IdentityError::NoCertificate, "no peer tls certificate"),
        (
            IdentityError::CaCertificate,
            "used CA certificate for authentication",
        ),
        (
            IdentityError::KeyUsage,
            "peer certificate doesn't have DigitalSignature key usage or ClientAuth ExtKeyUsage values",
        ),
        (IdentityError::Empty, "empty identifier"),
        (
            IdentityError::InvalidExtractor,
            "invalid identifier extractor type",
        ),
    ] {
        assert_eq!(error.to_string(), text);
    }
    assert_eq!(
        Extractor::from_name("distinguished_name"),
        Ok(Extractor::DistinguishedName)
    );
    assert_eq!(
        Extractor::from_name("serial_number"),
        Ok(Extractor::SerialNumber)
    );
    assert_eq!(
        Extractor::from_name("cn"),
        Err(IdentityError::InvalidExtractor)
    );
}
