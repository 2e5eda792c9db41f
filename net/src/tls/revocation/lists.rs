//! Looking certificates up in revocation lists (tls.md 8).

use super::crl::Crl;
use super::error::{Means, RevocationError, Verdict};
use super::http::{Request, ask};
use super::memory::{Cache, Shared};
use super::path::Step;
use super::settings::{CrlSettings, FromCert};
use super::signed::Issuer;
use super::url::HttpUrl;
use super::{date, now};
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// Longest list.
const MAX_LIST: usize = 64 << 20;
/// Longest wait for one.
const PATIENCE: Duration = Duration::from_secs(20);
const ACCEPT: &str = "application/pkix-crl, application/pem-certificate-chain";

/// Revocation lists for one side.
#[derive(Debug)]
pub(crate) struct Lists {
    settings: CrlSettings,
    /// By the address that a list was fetched from.
    cache: Cache<String, Arc<Crl>>,
    running: Shared<String, Result<Arc<Crl>, String>>,
}

fn fail(verdict: Verdict, text: String) -> RevocationError {
    RevocationError::new(Means::Crl, verdict, text)
}

impl Lists {
    pub(crate) fn new(settings: CrlSettings) -> Self {
        let size = match settings.cache_time.is_zero() {
            true => 0,
            false => settings.cache_size,
        };
        Self {
            settings,
            cache: Cache::new(size),
            running: Shared::new(),
        }
    }

    pub(crate) fn settings(&self) -> &CrlSettings {
        &self.settings
    }

    /// Every planned list must be there, be usable, and not have the certificate.
    pub(crate) async fn check(&self, step: &Step<'_>) -> Result<(), RevocationError> {
        let is_configured_used = step.is_leaf && !step.is_self_signed();
        let configured = self.settings.url.as_deref().filter(|_| is_configured_used);
        for (url, is_named) in self.settings.from_cert.order(configured, &step.link.lists) {
            self.check_in(step, url, is_named).await?;
            if is_named && self.settings.from_cert == FromCert::Trust {
                break;
            }
        }
        Ok(())
    }

    async fn check_in(
        &self,
        step: &Step<'_>,
        url: &str,
        is_named: bool,
    ) -> Result<(), RevocationError> {
        let unusable =
            |fault: String| fail(Verdict::Unavailable, format!("the list at {url}: {fault}"));
        let issuer = step
            .issuer
            .ok_or_else(|| unusable("the certificate's issuer is not known".to_owned()))?;
        let crl = self.get(url, is_named).await.map_err(unusable)?;
        crl.is_current(now()).map_err(unusable)?;
        verify(&crl, &issuer).await.map_err(unusable)?;
        crl.covers(&step.link, url).map_err(unusable)?;
        match crl.revoked_at(step.link.serial) {
            None => Ok(()),
            Some(at) => Err(fail(
                Verdict::Revoked,
                format!(
                    "certificate was revoked (serial {}, revoked_at {}, list {url})",
                    step.link.serial_hex(),
                    date(at),
                ),
            )),
        }
    }

    async fn get(&self, url: &str, is_named: bool) -> Result<Arc<Crl>, String> {
        if is_named && url.starts_with("file:") {
            return Err("not allowed to fetch from local (file://) URLs".to_owned());
        }
        let key = url.to_owned();
        if let Some(crl) = self.cache.get(&key) {
            return Ok(crl);
        }
        self.running.run(key, self.load(url)).await
    }

    /// Fetches and reads a list, and keeps it.
    pub(crate) async fn load(&self, url: &str) -> Result<Arc<Crl>, String> {
        let since = Instant::now();
        let bytes = match timeout(PATIENCE, fetch(url)).await {
            Ok(fetched) => fetched?,
            Err(_) => return Err(format!("no answer within {} s", PATIENCE.as_secs())),
        };
        let crl = tokio::task::spawn_blocking(move || Crl::read(bytes))
            .await
            .map_err(|_| "it cannot be read".to_owned())?
            .map(Arc::new)?;
        let left = crl.next_update().unwrap_or_default() - now();
        let left = Duration::from_secs(u64::try_from(left).unwrap_or_default());
        let until = since + self.settings.cache_time.min(left);
        self.cache.put(url.to_owned(), Arc::clone(&crl), until);
        Ok(crl)
    }
}

/// Verifies the list once for one issuer, where blocking does no harm.
async fn verify(crl: &Arc<Crl>, issuer: &Issuer<'_>) -> Result<(), String> {
    if crl.is_verified_by(issuer) {
        return Ok(());
    }
    let (crl, issuer) = (Arc::clone(crl), issuer.owned());
    tokio::task::spawn_blocking(move || crl.verify(&issuer.borrowed()))
        .await
        .map_err(|_| "it cannot be read".to_owned())?
}

async fn fetch(url: &str) -> Result<Vec<u8>, String> {
    if let Some(path) = url.strip_prefix("file://") {
        let path = PathBuf::from(path);
        return tokio::task::spawn_blocking(move || read_file(&path))
            .await
            .map_err(|_| "it cannot be read".to_owned())?;
    }
    if !url
        .get(..7)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://"))
    {
        return Err("cannot fetch CRL, unsupported URL scheme".to_owned());
    }
    let address = HttpUrl::parse(url)?;
    let answer = ask(&address, Request::Get { accept: ACCEPT }, MAX_LIST).await?;
    match answer.status {
        200 => Ok(answer.body),
        status => Err(format!("server returned non-OK status ({status})")),
    }
}

fn read_file(path: &std::path::Path) -> Result<Vec<u8>, String> {
    let cannot = |fault: std::io::Error| format!("cannot be read: {fault}");
    // Opening anything else, as a pipe, could wait for ever.
    if !std::fs::metadata(path).map_err(cannot)?.is_file() {
        return Err("it is no file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(cannot)?;
    file.take(MAX_LIST as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(cannot)?;
    match bytes.len() <= MAX_LIST {
        true => Ok(bytes),
        false => Err(format!("it has more than {MAX_LIST} bytes")),
    }
}
