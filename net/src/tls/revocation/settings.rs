//! What the flags say about revocation (cli.md 10.2 and 10.3; tls.md 7.1 and 8.1).

use super::url::HttpUrl;
use std::time::Duration;

/// Most lists that a cache may be told to keep.
const MAX_CACHE_SIZE: i64 = 1_000_000;
/// Longest that a list may be kept, in seconds.
const MAX_CACHE_TIME: i64 = 300;

/// A value that a flag cannot have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadSetting {
    /// The last part of the flag's name: `url`, `required`, `from_cert`, `cache_size` or `cache_time`.
    pub member: &'static str,
    /// What is wrong, in Acra's words, and what to do.
    pub text: String,
}

fn bad<T>(member: &'static str, text: String) -> Result<T, BadSetting> {
    Err(BadSetting { member, text })
}

/// How sources of revocations are used that certificates name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FromCert {
    /// After the configured one.
    Use,
    /// Before the configured one, which is left out if one of them is content with the certificate.
    Trust,
    /// Before the configured one.
    #[default]
    Prefer,
    /// Not at all.
    Ignore,
}

impl FromCert {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "use" => Self::Use,
            "trust" => Self::Trust,
            "prefer" => Self::Prefer,
            "ignore" => Self::Ignore,
            _ => return None,
        })
    }

    /// The sources to ask in their order, each once, and whether it is one that the certificate names.
    pub(crate) fn order<'a>(
        self,
        configured: Option<&'a str>,
        named: &'a [String],
    ) -> Vec<(&'a str, bool)> {
        let named = named.iter().map(|url| (&**url, true));
        let configured = configured.into_iter().map(|url| (url, false));
        let all: Vec<_> = match self {
            Self::Ignore => configured.collect(),
            Self::Use => configured.chain(named).collect(),
            Self::Prefer | Self::Trust => named.chain(configured).collect(),
        };
        let mut order: Vec<(&str, bool)> = Vec::new();
        for source in all {
            if order.iter().all(|(url, _)| *url != source.0) {
                order.push(source);
            }
        }
        order
    }
}

/// What must be known about a certificate by OCSP (`tls_ocsp_required`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Required {
    /// One responder must call it good, and none may say that it is unknown.
    #[default]
    DenyUnknown,
    /// One responder must call it good, or all must say that it is unknown.
    AllowUnknown,
    /// Every responder must call it good.
    RequireGood,
}

/// OCSP for one side.
#[derive(Clone, Debug, Default)]
pub struct OcspSettings {
    pub(crate) url: Option<String>,
    pub(crate) required: Required,
    pub(crate) from_cert: FromCert,
    pub(crate) only_leaf: bool,
}

impl OcspSettings {
    /// Judges the values of the flags `url`, `required`, `from_cert` and `check_only_leaf_certificate`.
    ///
    /// # Errors
    ///
    /// One of them is none of the possible values, or they do not go together.
    pub fn new(
        url: &str,
        required: &str,
        from_cert: &str,
        only_leaf: bool,
    ) -> Result<Self, BadSetting> {
        let Some(from_cert) = FromCert::from_name(from_cert) else {
            let text = format!(
                "invalid `ocsp_from_cert` value: {from_cert} is none of use, trust, prefer and ignore"
            );
            return bad("from_cert", text);
        };
        let required = match required {
            "denyUnknown" => Required::DenyUnknown,
            "allowUnknown" => Required::AllowUnknown,
            "requireGood" if url.is_empty() => {
                let text = "when passing `--tls_ocsp_required=requireGood`, URL is mandatory";
                return bad("url", text.to_owned());
            }
            "requireGood" => Required::RequireGood,
            other => {
                let text = format!(
                    "invalid `ocsp_required` value: {other} is none of denyUnknown, allowUnknown and requireGood"
                );
                return bad("required", text);
            }
        };
        if !url.is_empty()
            && let Err(fault) = HttpUrl::parse(url)
        {
            return bad("url", format!("cannot query OCSP server at {url}: {fault}"));
        }
        Ok(Self {
            url: Some(url.to_owned()).filter(|url| !url.is_empty()),
            required,
            from_cert,
            only_leaf,
        })
    }

    pub(crate) fn is_active(&self) -> bool {
        self.url.is_some() || self.from_cert != FromCert::Ignore
    }
}

/// Revocation lists for one side.
#[derive(Clone, Debug, Default)]
pub struct CrlSettings {
    pub(crate) url: Option<String>,
    pub(crate) from_cert: FromCert,
    pub(crate) only_leaf: bool,
    pub(crate) cache_size: usize,
    pub(crate) cache_time: Duration,
}

impl CrlSettings {
    /// Judges the values of the flags `url`, `from_cert`, `check_only_leaf_certificate`, `cache_size` and
    /// `cache_time` (seconds).
    ///
    /// # Errors
    ///
    /// One of them is none of the possible values.
    pub fn new(
        url: &str,
        from_cert: &str,
        only_leaf: bool,
        cache_size: i64,
        cache_time: i64,
    ) -> Result<Self, BadSetting> {
        let Some(from_cert) = FromCert::from_name(from_cert) else {
            let text = format!(
                "invalid `tls_crl_from_cert` value: {from_cert} is none of use, trust, prefer and ignore"
            );
            return bad("from_cert", text);
        };
        let cache_size = match usize::try_from(cache_size) {
            Ok(size) if cache_size <= MAX_CACHE_SIZE => size,
            _ => {
                let text = format!(
                    "invalid `tls_crl_cache_size` value: {cache_size} is not from 0 (no cache) to {MAX_CACHE_SIZE}"
                );
                return bad("cache_size", text);
            }
        };
        let cache_time = match u64::try_from(cache_time) {
            Ok(time) if cache_time <= MAX_CACHE_TIME => Duration::from_secs(time),
            _ => {
                let text = format!(
                    "invalid `tls_crl_cache_time` value: {cache_time} is not from 0 (no cache) to {MAX_CACHE_TIME} seconds"
                );
                return bad("cache_time", text);
            }
        };
        if !url.is_empty() && !url.starts_with("file:///") {
            if !url.starts_with("http://") {
                let text = format!(
                    "cannot fetch CRL, unsupported URL scheme: {url}; use http:// or file:///absolute/path"
                );
                return bad("url", text);
            }
            if let Err(fault) = HttpUrl::parse(url) {
                return bad("url", format!("cannot fetch CRL at {url}: {fault}"));
            }
        }
        Ok(Self {
            url: Some(url.to_owned()).filter(|url| !url.is_empty()),
            from_cert,
            only_leaf,
            cache_size,
            cache_time,
        })
    }

    pub(crate) fn is_active(&self) -> bool {
        self.url.is_some() || self.from_cert != FromCert::Ignore
    }
}
