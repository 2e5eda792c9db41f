//! TLS with Redis: its certificate is always verified, and looked up among those that were revoked.

use super::redis_place::RedisFlags;
use acra_net::tls::revocation::{BadSetting, CrlSettings, OcspSettings, Revocation};
use acra_net::tls::{Peer, Secured, TlsError, UpstreamMode, UpstreamSettings, UpstreamTls};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use tokio::net::TcpStream;

/// Most warnings that wait to be taken.
const MOST_WARNINGS: usize = 64;

/// TLS with the servers of one Redis.
#[derive(Debug)]
pub struct RedisTls {
    upstream: UpstreamTls,
    /// All servers have the name that a flag gives; otherwise each has that of its address.
    has_one_name: bool,
    revocation: Revocation,
    /// What the operator should be told.
    warnings: Mutex<Vec<String>>,
}

impl RedisTls {
    /// What flags say of a server at `host`; files are read.
    pub(super) fn new(flags: &RedisFlags<'_>, host: &str) -> Result<Self, String> {
        let text = flags.text;
        let path = |flag| Some(PathBuf::from(text(flag)));
        let sni = text("redis_tls_client_sni");
        let ca = text("redis_tls_client_ca");
        let upstream = UpstreamTls::new(&UpstreamSettings {
            peer: Peer::Redis,
            mode: UpstreamMode::VerifyFull,
            ca: Some(PathBuf::from(ca)),
            // Whoever names authorities wants no others.
            system_roots: ca.is_empty(),
            cert: path("redis_tls_client_cert"),
            key: path("redis_tls_client_key"),
            server_name: if sni.is_empty() { host } else { sni }.to_owned(),
        })
        .map_err(|error| error.to_string())?;
        let refuse = |kind: &str, BadSetting { member, text }| {
            format!("--redis_tls_{kind}_client_{member} (or --tls_{kind}_{member}): {text}")
        };
        let ocsp = OcspSettings::new(
            text("redis_tls_ocsp_client_url"),
            text("redis_tls_ocsp_client_required"),
            text("redis_tls_ocsp_client_from_cert"),
            (flags.boolean)("redis_tls_ocsp_client_check_only_leaf_certificate"),
        )
        .map_err(|bad| refuse("ocsp", bad))?;
        let crl = CrlSettings::new(
            text("redis_tls_crl_client_url"),
            text("redis_tls_crl_client_from_cert"),
            (flags.boolean)("redis_tls_crl_client_check_only_leaf_certificate"),
            (flags.integer)("redis_tls_crl_client_cache_size"),
            (flags.integer)("redis_tls_crl_client_cache_time"),
        )
        .map_err(|bad| refuse("crl", bad))?;
        Ok(Self {
            warnings: Mutex::new(upstream.warnings().to_vec()),
            upstream,
            has_one_name: !sni.is_empty(),
            revocation: Revocation::new(ocsp, crl),
        })
    }

    /// Does the handshake with the server at `host`. Whether its certificate was revoked is for [`Self::check`].
    pub(super) async fn secure(
        &self,
        stream: TcpStream,
        host: &str,
    ) -> Result<Secured<TcpStream>, String> {
        let secured = match self.has_one_name {
            true => self.upstream.handshake(stream).await,
            false => match self.upstream.named(host) {
                Ok(upstream) => upstream.handshake(stream).await,
                Err(error) => Err(error),
            },
        };
        secured.map_err(|error| with_hint(&error))
    }

    /// Looks up the certificates of a server among those that were revoked.
    pub(super) async fn check(&self, secured: &Secured<TcpStream>) -> Result<(), String> {
        let chain = secured.certificates();
        let checked = self.revocation.check(chain, self.upstream.cas()).await;
        let warnings = checked.map_err(|error| format!("{error}: {}", error.hint(Peer::Redis)))?;
        self.warn(warnings);
        Ok(())
    }

    /// Tries the sources of revocations that are configured.
    pub(super) async fn probe(&self) {
        self.warn(self.revocation.probe().await);
    }

    /// What the operator should be told since the last time.
    pub(super) fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn warn(&self, warnings: Vec<String>) {
        let mut waiting = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        for warning in warnings {
            if waiting.len() < MOST_WARNINGS && !waiting.contains(&warning) {
                waiting.push(warning);
            }
        }
    }
}

fn with_hint(error: &TlsError) -> String {
    match error.hint() {
        Some(hint) => format!("{error}: {hint}"),
        None => error.to_string(),
    }
}
