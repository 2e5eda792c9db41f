use acra_net::tls::revocation::{CrlSettings, OcspSettings};

#[test]
fn values_are_judged_in_the_words_of_acra() {
    let ocsp = |url, required, from_cert| {
        OcspSettings::new(url, required, from_cert, false)
            .map(|_| ())
            .map_err(|bad| (bad.member, bad.text))
    };
    let crl = |url, from_cert, size, time| {
        CrlSettings::new(url, from_cert, false, size, time)
            .map(|_| ())
            .map_err(|bad| (bad.member, bad.text))
    };
    for from_cert in ["use", "trust", "prefer", "ignore"] {
        assert_eq!(ocsp("", "denyUnknown", from_cert), Ok(()));
        assert_eq!(crl("http://a/b", from_cert, 0, 0), Ok(()));
    }
    assert_eq!(ocsp("http://a", "requireGood", "use"), Ok(()));
    assert_eq!(ocsp("", "allowUnknown", "use"), Ok(()));
    assert_eq!(crl("file:///a", "use", 1_000_000, 300), Ok(()));
    for (outcome, member, text) in [
        (
            ocsp("", "x", "use"),
            "required",
            "invalid `ocsp_required` value",
        ),
        (
            ocsp("", "denyUnknown", "x"),
            "from_cert",
            "invalid `ocsp_from_cert` value",
        ),
        (
            ocsp("", "requireGood", "use"),
            "url",
            "when passing `--tls_ocsp_required=requireGood`, URL is mandatory",
        ),
        (ocsp("https://a", "denyUnknown", "use"), "url", "http://"),
        (
            crl("", "x", 0, 0),
            "from_cert",
            "invalid `tls_crl_from_cert` value",
        ),
        (
            crl("", "use", 1_000_001, 0),
            "cache_size",
            "invalid `tls_crl_cache_size` value",
        ),
        (
            crl("", "use", -1, 0),
            "cache_size",
            "invalid `tls_crl_cache_size` value",
        ),
        (
            crl("", "use", 0, 301),
            "cache_time",
            "invalid `tls_crl_cache_time` value",
        ),
        (
            crl("https://a", "use", 0, 0),
            "url",
            "cannot fetch CRL, unsupported URL scheme",
        ),
        (
            crl("file://a/b", "use", 0, 0),
            "url",
            "cannot fetch CRL, unsupported URL scheme",
        ),
    ] {
        let (found, told) = outcome.expect_err(text);
        assert!(found == member && told.contains(text), "{found}: {told}");
    }
}
