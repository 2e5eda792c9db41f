use crate::pki::{Ca, Folder, client};
use crate::revocation_pki::{Server, chain, der, list, list_at, naming, with_length};
use acra_net::tls::Peer;
use acra_net::tls::revocation::{CrlSettings, OcspSettings, Revocation};
use rcgen::{CertificateRevocationListParams, date_time_ymd};

fn lists(url: &str, from_cert: &str, cache_time: i64) -> Revocation {
    Revocation::new(
        OcspSettings::new("", "denyUnknown", "ignore", false).unwrap(),
        CrlSettings::new(url, from_cert, false, 16, cache_time).unwrap(),
    )
}

/// What is said of a certificate with serial number 5 that names this server's list; nothing if it is accepted.
async fn outcome(ca: &Ca, server: &Server) -> String {
    let cert = ca.issue(naming(5, &[&server.url()], &[]));
    match lists("", "prefer", 0)
        .check(&chain(&cert), &ca.roots())
        .await
    {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn the_named_list_decides() {
    let ca = Ca::new("CA");
    let without = Server::of(&der(&ca, &list(&[4, 6, 300]))).await;
    assert_eq!(outcome(&ca, &without).await, "");
    let with = Server::of(&der(&ca, &list(&[300, 5, 6]))).await;
    let cert = ca.issue(naming(5, &[&without.url(), &with.url()], &[]));
    let refused = lists("", "prefer", 0)
        .check(&chain(&cert), &ca.roots())
        .await
        .unwrap_err();
    assert!(refused.is_revoked());
    assert_eq!(refused.reason(), "certificate was revoked");
    let text = refused.to_string();
    assert!(
        text.contains("serial 05") && text.contains("2021-02-03"),
        "{text}"
    );
    // `trust` goes by the first list that the certificate names, `ignore` by none.
    for from_cert in ["trust", "ignore"] {
        let accepted = lists("", from_cert, 0)
            .check(&chain(&cert), &ca.roots())
            .await;
        assert!(accepted.is_ok(), "{from_cert}: {accepted:?}");
    }
    let nameless = ca.issue(client("none"));
    let unasked = lists("", "prefer", 0)
        .check(&chain(&nameless), &ca.roots())
        .await;
    assert!(unasked.unwrap().is_empty());
}

#[tokio::test]
async fn a_list_that_is_not_to_be_relied_on_refuses() {
    let (ca, stranger) = (Ca::new("CA"), Ca::new("CA"));
    let other = Ca::new("Other");
    let expired = CertificateRevocationListParams {
        next_update: date_time_ymd(2021, 1, 1),
        ..list(&[])
    };
    let ahead = CertificateRevocationListParams {
        this_update: date_time_ymd(2998, 1, 1),
        ..list(&[])
    };
    let mut altered = der(&ca, &list(&[4]));
    let last = altered.len() - 1;
    altered[last] ^= 1;
    let mut cut = der(&ca, &list(&[4]));
    cut.pop();
    for (bytes, text) in [
        (der(&ca, &expired), "NextUpdate is behind current time"),
        (der(&ca, &ahead), "ThisUpdate is ahead of current time"),
        (
            der(&stranger, &list(&[])),
            "signature is not of the certificate's issuer",
        ),
        (
            der(&other, &list(&[])),
            "it is not of the certificate's issuer",
        ),
        (altered, "signature is not of the certificate's issuer"),
        (cut, "it is no CRL"),
        (b"hello".to_vec(), "it is no CRL"),
        (Vec::new(), "it is no CRL"),
        (
            der(&ca, &list_at(&[], "http://elsewhere/")),
            "issuingDistributionPoint",
        ),
    ] {
        let server = Server::of(&bytes).await;
        let told = outcome(&ca, &server).await;
        assert!(told.contains(text), "{text}: {told}");
    }
}

#[tokio::test]
async fn a_list_for_the_certificate_s_distribution_point_will_do() {
    let ca = Ca::new("CA");
    for (revoked, told) in [(4, ""), (5, "revoked")] {
        let (mut server, listener) = Server::bind().await;
        let bytes = der(&ca, &list_at(&[revoked], &server.url()));
        server.gives(listener, with_length(&bytes));
        assert!(outcome(&ca, &server).await.contains(told));
    }
}

#[tokio::test]
async fn every_framing_of_http_is_read_and_nothing_else() {
    let ca = Ca::new("CA");
    let list = der(&ca, &list(&[5]));
    let (one, two) = list.split_at(100);
    let chunked = [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64;x=y\r\n",
        one,
        format!("\r\n{:X}\r\n", two.len()).as_bytes(),
        two,
        b"\r\n0\r\n\r\n",
    ]
    .concat();
    let until_end = [b"HTTP/1.0 200 OK\r\n\r\n", &*list].concat();
    let interim = [b"HTTP/1.1 100 Continue\r\n\r\n", &*with_length(&list)].concat();
    let huge = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n".to_vec();
    let short = [b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", &*list].concat();
    let endless = [b"HTTP/1.1 200 OK\r\nX: ", &*vec![b'x'; 40_000]].concat();
    for (answer, text) in [
        (chunked, "certificate was revoked"),
        (until_end, "certificate was revoked"),
        (interim, "certificate was revoked"),
        (huge, "more than 67108864 bytes"),
        (short, "cut short"),
        (endless, "too long"),
        (b"SSH-2.0-x\r\n".to_vec(), "not HTTP"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+4\r\n".to_vec(),
            "malformed",
        ),
        (
            b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec(),
            "server returned non-OK status",
        ),
        (
            b"HTTP/1.1 302 Found\r\nLocation: http://localhost/\r\n\r\n".to_vec(),
            "server returned non-OK status",
        ),
    ] {
        let server = Server::raw(answer).await;
        let told = outcome(&ca, &server).await;
        assert!(told.contains(text), "{text}: {told}");
    }
}

#[tokio::test]
async fn a_dead_server_refuses_unless_the_list_is_kept() {
    let ca = Ca::new("CA");
    let mut server = Server::of(&der(&ca, &list(&[4]))).await;
    let cert = ca.issue(naming(5, &[&server.url()], &[]));
    let revoked = ca.issue(naming(4, &[&server.url()], &[]));
    let (with, without) = (lists("", "prefer", 300), lists("", "prefer", 0));
    let roots = ca.roots();
    for _ in 0..2 {
        assert!(with.check(&chain(&cert), &roots).await.is_ok());
        assert!(without.check(&chain(&cert), &roots).await.is_ok());
    }
    assert_eq!(server.requests(), 1 + 2);
    server.stop().await;
    assert!(with.check(&chain(&cert), &roots).await.is_ok());
    assert!(with.check(&chain(&revoked), &roots).await.is_err());
    let error = without.check(&chain(&cert), &roots).await.unwrap_err();
    assert!(!error.is_revoked());
    assert!(error.to_string().contains("cannot connect"), "{error}");
    let hint = error.hint(Peer::Database);
    assert!(
        hint.contains("--tls_crl_database_from_cert=ignore"),
        "{hint}"
    );
    // Another list is not taken for this one (tls.md 8.3).
    let other = Server::of(&der(&ca, &list(&[7]))).await;
    let elsewhere = ca.issue(naming(7, &[&other.url()], &[]));
    assert!(with.check(&chain(&elsewhere), &roots).await.is_err());
}

#[tokio::test]
async fn checks_at_once_share_one_fetch() {
    let ca = Ca::new("CA");
    let server = Server::of(&der(&ca, &list(&[4]))).await;
    let cert = chain(&ca.issue(naming(5, &[&server.url()], &[])));
    let (lists, roots) = (lists("", "prefer", 0), ca.roots());
    let check = || lists.check(&cert, &roots);
    let (one, two, three) = tokio::join!(check(), check(), check());
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a_configured_list_may_be_a_file() {
    let (ca, folder) = (Ca::new("CA"), Folder::new());
    let pem = list(&[5]).signed_by(ca.issuer()).unwrap().pem().unwrap();
    let path = folder.write("list.pem", &pem);
    let url = format!("file://{}", path.display());
    let check = async |url: &str, from_cert: &str, params| {
        let cert = ca.issue(params);
        let checked = lists(url, from_cert, 0)
            .check(&chain(&cert), &ca.roots())
            .await;
        checked.map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(check(&url, "ignore", naming(4, &[], &[])).await, Ok(()));
    let told = check(&url, "prefer", naming(5, &[], &[])).await;
    assert!(told.unwrap_err().contains("certificate was revoked"));
    let told = check("file:///nowhere", "ignore", naming(4, &[], &[])).await;
    assert!(told.unwrap_err().contains("cannot be read"));
    let told = check("file:///dev/zero", "ignore", naming(4, &[], &[])).await;
    assert!(told.unwrap_err().contains("no file"));
    // A certificate names no files, and nothing but http://.
    let told = check("", "prefer", naming(4, &[&url], &[])).await;
    assert!(
        told.unwrap_err()
            .contains("not allowed to fetch from local (file://) URLs")
    );
    for url in ["https://localhost/a.crl", "ldap://localhost/a"] {
        let told = check("", "prefer", naming(4, &[url], &[])).await;
        assert!(
            told.unwrap_err()
                .contains("cannot fetch CRL, unsupported URL scheme")
        );
    }
    assert!(lists(&url, "ignore", 0).probe().await.is_empty());
    let told = lists("file:///nowhere", "ignore", 0).probe().await;
    assert!(told[0].starts_with("CRL: Cannot fetch configured URL"));
}

#[tokio::test]
async fn intermediate_certificates_are_looked_up_too() {
    let root = Ca::new("Root");
    let server = Server::of(&der(&root, &list(&[77]))).await;
    for (serial, is_accepted) in [(76, true), (77, false)] {
        let mut params = naming(serial, &[&server.url()], &[]);
        params.extended_key_usages.clear();
        let middle = root.below(params);
        let leaf = middle.issue(client("leaf"));
        let sent = [leaf.der.clone(), middle.der()];
        let checked = lists("", "prefer", 0).check(&sent, &root.roots()).await;
        assert_eq!(checked.is_ok(), is_accepted, "{checked:?}");
        let only_leaf = Revocation::new(
            OcspSettings::new("", "denyUnknown", "ignore", true).unwrap(),
            CrlSettings::new("", "prefer", true, 0, 0).unwrap(),
        );
        assert!(only_leaf.check(&sent, &root.roots()).await.is_ok());
    }
    // Without its issuer a certificate that names a list is not accepted.
    let middle = root.below(client("middle"));
    let leaf = middle.issue(naming(1, &[&server.url()], &[]));
    let checked = lists("", "prefer", 0)
        .check(&chain(&leaf), &root.roots())
        .await;
    assert!(
        checked
            .unwrap_err()
            .to_string()
            .contains("issuer is not known")
    );
}
