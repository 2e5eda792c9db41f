//! Asking OCSP responders about certificates (tls.md 7).

use super::error::{Means, RevocationError, Verdict};
use super::http::{Request, ask};
use super::memory::{Cache, Shared};
use super::ocsp::{CertId, Status, Verified};
use super::path::Step;
use super::settings::{FromCert, OcspSettings, Required};
use super::signed::Issuer;
use super::url::HttpUrl;
use super::{date, now};
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// Longest response.
const MAX_RESPONSE: usize = 1 << 20;
/// Longest wait for one.
const PATIENCE: Duration = Duration::from_secs(15);
/// Most answers that are kept.
const CACHE_SIZE: usize = 10_000;
const REQUEST_TYPE: &str = "application/ocsp-request";
const RESPONSE_TYPE: &str = "application/ocsp-response";

type Key = (String, CertId);

/// OCSP for one side.
#[derive(Debug)]
pub(crate) struct Responders {
    settings: OcspSettings,
    /// Answers until their nextUpdate.
    cache: Cache<Key, Verified>,
    running: Shared<Key, Result<Verified, String>>,
}

fn fail<T>(verdict: Verdict, text: impl Into<String>) -> Result<T, RevocationError> {
    Err(RevocationError::new(Means::Ocsp, verdict, text))
}

impl Responders {
    pub(crate) fn new(settings: OcspSettings) -> Self {
        Self {
            settings,
            cache: Cache::new(CACHE_SIZE),
            running: Shared::new(),
        }
    }

    pub(crate) fn settings(&self) -> &OcspSettings {
        &self.settings
    }

    /// Asks the planned responders in their order (the table of tls.md 7.2, with the documented meaning of its values):
    /// a good answer ends it, unless every responder must give one. What could not be asked is added to `warnings`.
    pub(crate) async fn check(
        &self,
        step: &Step<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<(), RevocationError> {
        let OcspSettings {
            required,
            from_cert,
            ..
        } = self.settings;
        let is_configured_used = step.is_leaf && !step.is_self_signed();
        let configured = self.settings.url.as_deref().filter(|_| is_configured_used);
        let plan = from_cert.order(configured, &step.link.responders);
        if plan.is_empty() {
            return Ok(());
        }
        let Some(issuer) = step.issuer else {
            return fail(
                Verdict::Unavailable,
                "the certificate's issuer is not known",
            );
        };
        let (mut good, mut unknown, mut failures) = (false, 0, Vec::new());
        for (url, is_named) in &plan {
            match self.ask(url, &issuer, step).await {
                Err(fault) if required == Required::RequireGood => {
                    let text = format!(
                        "cannot query OCSP server, but --tls_ocsp_required=requireGood was passed: {url}: {fault}"
                    );
                    return fail(Verdict::Unavailable, text);
                }
                Err(fault) => failures.push(format!("{url}: {fault}")),
                Ok(Status::Revoked(at)) => {
                    let text = format!(
                        "certificate was revoked (serial {}, revoked_at {}, OCSP server {url})",
                        step.link.serial_hex(),
                        date(at),
                    );
                    return fail(Verdict::Revoked, text);
                }
                Ok(Status::Unknown) if required == Required::AllowUnknown => unknown += 1,
                Ok(Status::Unknown) => {
                    let text = format!(
                        "OCSP server doesn't know about certificate (serial {}, OCSP server {url})",
                        step.link.serial_hex(),
                    );
                    return fail(Verdict::Unknown, text);
                }
                Ok(Status::Good) => {
                    good = true;
                    if required != Required::RequireGood
                        || *is_named && from_cert == FromCert::Trust
                    {
                        break;
                    }
                }
            }
        }
        if good || unknown == plan.len() {
            let told = failures
                .into_iter()
                .map(|failure| format!("Cannot query OCSP server: {failure}"));
            warnings.extend(told);
            return Ok(());
        }
        let text = format!(
            "none of OCSP servers confirmed the certificate (serial {}): {}",
            step.link.serial_hex(),
            failures.join("; "),
        );
        fail(Verdict::Unavailable, text)
    }

    async fn ask(&self, url: &str, issuer: &Issuer<'_>, step: &Step<'_>) -> Result<Status, String> {
        let key = (url.to_owned(), CertId::new(issuer, &step.link));
        if let Some(kept) = self.cache.get(&key) {
            return Ok(kept.status);
        }
        let query = query(url, &key.1, issuer);
        let verified = self.running.run(key.clone(), query).await?;
        if let Some(next) = verified.next_update {
            let left = u64::try_from(next - now()).unwrap_or_default();
            if let Some(until) = Instant::now().checked_add(Duration::from_secs(left)) {
                self.cache.put(key, verified, until);
            }
        }
        Ok(verified.status)
    }
}

async fn query(url: &str, id: &CertId, issuer: &Issuer<'_>) -> Result<Verified, String> {
    let address = HttpUrl::parse(url)?;
    let body = id.request();
    let request = Request::Post {
        accept: RESPONSE_TYPE,
        kind: REQUEST_TYPE,
        body: &body,
    };
    let answer = match timeout(PATIENCE, ask(&address, request, MAX_RESPONSE)).await {
        Ok(answer) => answer?,
        Err(_) => return Err(format!("no answer within {} s", PATIENCE.as_secs())),
    };
    // The status does not matter if there is a response.
    id.response(&answer.body, issuer, now())
        .map_err(|fault| match answer.status {
            200 => fault,
            status => format!("{fault} (HTTP status {status})"),
        })
}

/// Whether there is a server at the configured address.
pub(crate) async fn probe(url: &str) -> Result<(), String> {
    let address = HttpUrl::parse(url)?;
    match timeout(PATIENCE, ask(&address, Request::Head, 0)).await {
        Ok(answer) => answer.map(|_| ()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}
