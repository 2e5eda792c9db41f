//! Revocation of certificates, looked up by OCSP (RFC 6960) and in lists (RFC 5280; tls.md 7 and 8).
//!
//! Fails closed: a certificate with a source of revocations that cannot be asked is not accepted. What was signed by
//! whom is verified with the algorithms of TLS; what is fetched is bounded in size and time.

mod crl;
mod error;
mod http;
mod link;
mod lists;
mod memory;
mod ocsp;
mod path;
mod responders;
mod settings;
mod signed;
mod url;

pub use error::RevocationError;
pub use settings::{BadSetting, CrlSettings, FromCert, OcspSettings, Required};

use super::HANDSHAKE_DEADLINE;
use error::{Means, Verdict};
use lists::Lists;
use responders::{Responders, probe};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::time::timeout;

/// The lookups for one side, with what is kept of them.
#[derive(Debug)]
pub struct Revocation {
    responders: Responders,
    lists: Lists,
}

impl Revocation {
    /// Nothing is looked up yet.
    pub fn new(ocsp: OcspSettings, crl: CrlSettings) -> Self {
        Self {
            responders: Responders::new(ocsp),
            lists: Lists::new(crl),
        }
    }

    /// Whether there may be something to look up.
    pub fn is_active(&self) -> bool {
        self.responders.settings().is_active() || self.lists.settings().is_active()
    }

    /// Looks up the certificates of a peer, which have been verified against these CAs: its own, and those between it
    /// and the CA. To be called after every handshake, before anything that the peer sends is used. Gives what the
    /// operator should be told although the certificates are accepted.
    ///
    /// Ends after [`HANDSHAKE_DEADLINE`] at the latest.
    ///
    /// # Errors
    ///
    /// A certificate is revoked, or it cannot be found out.
    pub async fn check(
        &self,
        chain: &[CertificateDer<'_>],
        cas: &RootCertStore,
    ) -> Result<Vec<String>, RevocationError> {
        if !self.is_active() {
            return Ok(Vec::new());
        }
        match timeout(HANDSHAKE_DEADLINE, self.look_up(chain, cas)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(RevocationError::new(
                Means::Chain,
                Verdict::Unavailable,
                format!(
                    "the certificates could not be checked for revocation within {} s",
                    HANDSHAKE_DEADLINE.as_secs()
                ),
            )),
        }
    }

    async fn look_up(
        &self,
        chain: &[CertificateDer<'_>],
        cas: &RootCertStore,
    ) -> Result<Vec<String>, RevocationError> {
        let steps = path::steps(chain, cas, now())
            .map_err(|text| RevocationError::new(Means::Chain, Verdict::Unavailable, text))?;
        let mut warnings = Vec::new();
        let is_any_configured =
            self.responders.settings().url.is_some() || self.lists.settings().url.is_some();
        if is_any_configured && let Some(leaf) = steps.first().filter(|leaf| leaf.is_self_signed())
        {
            warnings.push(format!(
                "The certificate with serial number {} is signed by itself: configured sources of revocations are not asked about it",
                leaf.link.serial_hex(),
            ));
        }
        for step in &steps {
            let ocsp = self.responders.settings();
            if ocsp.is_active() && (step.is_leaf || !ocsp.only_leaf) {
                self.responders.check(step, &mut warnings).await?;
            }
        }
        for step in &steps {
            let crl = self.lists.settings();
            if crl.is_active() && (step.is_leaf || !crl.only_leaf) {
                self.lists.check(step).await?;
            }
        }
        Ok(warnings)
    }

    /// Tries the configured addresses. Gives what the operator should be told (tls.md 7.1 and 8.1).
    pub async fn probe(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Some(url) = &self.responders.settings().url
            && let Err(fault) = probe(url).await
        {
            warnings.push(format!(
                "OCSP: Cannot reach configured server: {url}: {fault}"
            ));
        }
        if let Some(url) = &self.lists.settings().url {
            let usable = match self.lists.load(url).await {
                Ok(list) => list.is_current(now()),
                Err(fault) => Err(fault),
            };
            if let Err(fault) = usable {
                warnings.push(format!("CRL: Cannot fetch configured URL: {url}: {fault}"));
            }
        }
        warnings
    }
}

/// Seconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

/// The date of a time in seconds since 1970, as in 2026-01-31.
fn date(seconds: i64) -> jiff::civil::Date {
    let time = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX);
    jiff::tz::Offset::UTC.to_datetime(time).date()
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn dates_are_written_out() {
        assert_eq!(date(0).to_string(), "1970-01-01");
        assert_eq!(date(1_709_210_096).to_string(), "2024-02-29");
        assert_eq!(date(-1).to_string(), "1969-12-31");
        assert_eq!(date(2_524_607_999).to_string(), "2049-12-31");
    }
}
