//! Why a certificate is not accepted (tls.md 7.2, 8.2 and 11).

use crate::tls::Peer;
use std::fmt;

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Means {
    Ocsp,
    Crl,
    /// Nothing: the chain itself is at fault.
    Chain,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Revoked,
    Unknown,
    Unavailable,
}

/// A certificate that is revoked, or of which it cannot be found out.
#[derive(Clone, Debug)]
pub struct RevocationError {
    pub(crate) means: Means,
    pub(crate) verdict: Verdict,
    pub(crate) text: String,
}

impl RevocationError {
    pub(crate) fn new(means: Means, verdict: Verdict, text: impl Into<String>) -> Self {
        Self {
            means,
            verdict,
            text: text.into(),
        }
    }

    /// The certificate is known to be revoked.
    pub fn is_revoked(&self) -> bool {
        self.verdict == Verdict::Revoked
    }

    /// The reason without addresses, for the peer.
    pub fn reason(&self) -> &'static str {
        match (self.verdict, self.means) {
            (Verdict::Revoked, _) => "certificate was revoked",
            (Verdict::Unknown, _) => "OCSP server doesn't know about certificate",
            (_, Means::Ocsp) => "none of OCSP servers confirmed the certificate",
            (_, Means::Crl) => "the list of revoked certificates cannot be fetched or used",
            (_, Means::Chain) => "the certificate's issuer cannot be made out",
        }
    }

    /// What the operator should look at (tls.md 11).
    pub fn hint(&self, peer: Peer) -> String {
        let (service, side) = match peer {
            Peer::Client => ("", "client"),
            Peer::Database => ("", "database"),
            Peer::Redis => ("redis_", "client"),
        };
        match (self.verdict, self.means) {
            (Verdict::Revoked, _) => {
                format!("the {peer} needs a new certificate from its CA; the old one is revoked")
            }
            (_, Means::Ocsp) => format!(
                "check that the OCSP server runs, is reached from here and knows the CA; \
                 `openssl x509 -noout -ocsp_uri -in …` shows the address in a certificate; --{service}tls_ocsp_{side}_url sets \
                 another, and for tests --{service}tls_ocsp_{side}_from_cert=ignore leaves those in certificates out"
            ),
            (_, Means::Crl) => format!(
                "check that the server of the list runs, is reached from here and has a list that is up to date; \
                 `openssl x509 -noout -ext crlDistributionPoints -in …` shows the address in a certificate; \
                 --{service}tls_crl_{side}_url sets another, and for tests --{service}tls_crl_{side}_from_cert=ignore leaves those in \
                 certificates out"
            ),
            (_, Means::Chain) => format!(
                "the {peer} should send its certificate with the intermediate ones, and --{service}tls_{side}_ca (or --tls_ca) \
                 should have the CA that issued them"
            ),
        }
    }
}

impl fmt::Display for RevocationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.means {
            Means::Ocsp => "OCSP: ",
            Means::Crl => "CRL: ",
            Means::Chain => "",
        })?;
        f.write_str(&self.text)
    }
}

impl std::error::Error for RevocationError {}
