//! The `http://` addresses of responders and lists (RFC 3986).

/// Longest address that is taken.
const MAX_LENGTH: usize = 2048;

/// An address taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HttpUrl {
    /// Host without the brackets of IPv6.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Host and port as written, for the header `Host`.
    pub(crate) authority: String,
    /// Path and query.
    pub(crate) target: String,
}

impl HttpUrl {
    /// Takes an address apart; the error completes a sentence.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err("it is no URL; http:// is needed");
        };
        if !scheme.eq_ignore_ascii_case("http") {
            return Err("unsupported URL scheme; http:// is needed");
        }
        if text.len() > MAX_LENGTH || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("the URL is too long, or has characters that need escaping");
        }
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => rest.split_once(']').ok_or("the URL's host is not closed")?,
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        if host.is_empty() || authority.contains('@') {
            return Err("the URL needs a host, and no user");
        }
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => 80,
            Some(port) => port
                .parse()
                .ok()
                .filter(|port| *port > 0)
                .ok_or("the URL's port is none")?,
            None => return Err("the URL's port is none"),
        };
        Ok(Self {
            host: host.to_owned(),
            port,
            authority: authority.to_owned(),
            target: match target.as_bytes().first() {
                Some(b'/') => target.to_owned(),
                _ => format!("/{target}"),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let parts = |text| {
            let url = HttpUrl::parse(text).ok()?;
            Some((url.host, url.port, url.target))
        };
        let expect = |host: &str, port, target: &str| Some((host.into(), port, target.into()));
        assert_eq!(parts("http://a.test"), expect("a.test", 80, "/"));
        assert_eq!(parts("HTTP://a:81/x?y#z"), expect("a", 81, "/x?y"));
        assert_eq!(parts("http://[::1]:8080?q"), expect("::1", 8080, "/?q"));
        for text in [
            "https://a/",
            "ldap://a/",
            "a/b",
            "http://",
            "http://:80/",
            "http://u@a/",
            "http://a:b/",
            "http://a:0/",
            "http://[::1/",
            "http://a/ b",
            "http://a/\r\nX: y",
        ] {
            assert_eq!(parts(text), None, "{text}");
        }
    }
}
