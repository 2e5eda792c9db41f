//! Where Redis is and how to get in.

use super::error::TokenStoreError;
use super::redis_tls::RedisTls;
use acra_engine::crypto::Secret;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Where Redis is and how to get in.
#[derive(Debug)]
pub struct RedisPlace {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// User, of those that Redis has since version 6; without one it is `default`.
    pub user: Option<String>,
    /// Password.
    pub password: Option<Secret>,
    /// Number of the database.
    pub database: i64,
    /// Encrypts the connection.
    pub tls: Option<Arc<RedisTls>>,
}

/// How the values of flags are read. They have the same names in every program.
pub struct RedisFlags<'a> {
    /// Gives a text, which is empty where nothing is said.
    pub text: &'a dyn Fn(&str) -> &'a str,
    /// Gives a number.
    pub integer: &'a dyn Fn(&str) -> i64,
    /// Gives a switch.
    pub boolean: &'a dyn Fn(&str) -> bool,
}

impl RedisPlace {
    /// What flags say; files are read.
    ///
    /// # Errors
    ///
    /// The address has another form, a file cannot be read or used, or values do not go together.
    pub fn new(flags: &RedisFlags<'_>) -> Result<Self, TokenStoreError> {
        let text = flags.text;
        let host_port = text("redis_host_port");
        let refused = |error: String| TokenStoreError::Redis {
            address: host_port.to_owned(),
            error,
        };
        let (host, port) = address(host_port)
            .ok_or_else(|| refused("an address has the form <host>:<port>".to_owned()))?;
        let password = match (text("redis_password_file"), text("redis_password")) {
            ("", "") => None,
            ("", password) => Some(Secret::from(password.as_bytes().to_vec())),
            (file, _) => Some(first_line(file)?),
        };
        let tls = match (flags.boolean)("redis_tls_enable") {
            true => Some(Arc::new(RedisTls::new(flags, &host).map_err(refused)?)),
            false => None,
        };
        Ok(Self {
            host,
            port,
            user: Some(text("redis_user").to_owned()).filter(|user| !user.is_empty()),
            password,
            database: (flags.integer)("redis_db_tokens"),
            tls,
        })
    }
}

fn address(host_port: &str) -> Option<(String, u16)> {
    let (host, port) = host_port.rsplit_once(':')?;
    let inner = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let host = inner.unwrap_or(host);
    Some((host.to_owned(), port.parse().ok()?)).filter(|_| !host.is_empty())
}

fn first_line(path: &str) -> Result<Secret, TokenStoreError> {
    let path = Path::new(path);
    let text = std::fs::read(path).map_err(TokenStoreError::io("read", path))?;
    let text = Secret::from(text);
    let line = text.as_bytes().split(|byte| b"\r\n".contains(byte)).next();
    let line = line
        .filter(|line| !line.is_empty())
        .ok_or_else(|| TokenStoreError::io("use", path)(io::Error::other("it has no password")))?;
    Ok(Secret::from(line.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::{RedisFlags, RedisPlace, TokenStoreError};

    /// The place that texts say; other flags have their defaults.
    fn place(texts: &[(&str, &str)], tls: bool) -> Result<RedisPlace, TokenStoreError> {
        RedisPlace::new(&RedisFlags {
            text: &|name| {
                let said = texts.iter().find(|(flag, _)| *flag == name);
                match (said, name) {
                    (Some((_, text)), _) => text,
                    (_, "redis_host_port") => "redis:6379",
                    (_, "redis_tls_ocsp_client_required") => "denyUnknown",
                    (_, name) if name.ends_with("_from_cert") => "prefer",
                    _ => "",
                }
            },
            integer: &|name| match name {
                "redis_db_tokens" => 2,
                _ => 0,
            },
            boolean: &|name| name == "redis_tls_enable" && tls,
        })
    }

    #[test]
    fn addresses() {
        for (host_port, expected) in [
            ("redis:6379", Some(("redis", 6379))),
            ("[::1]:1", Some(("::1", 1))),
            ("redis", None),
            (":6379", None),
            ("redis:", None),
            ("redis:65536", None),
            ("", None),
        ] {
            let place = place(&[("redis_host_port", host_port)], false).ok();
            let found = place.as_ref().map(|place| (&*place.host, place.port));
            assert_eq!(found, expected, "{host_port}");
        }
    }

    #[test]
    fn the_first_line_of_a_file_is_the_password() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("password");
        let flags = [
            ("redis_password", "another"),
            ("redis_password_file", file.to_str().unwrap()),
        ];
        std::fs::write(&file, "secret\r\nmore").unwrap();
        let password = place(&flags, false).unwrap().password.unwrap();
        assert_eq!(password.as_bytes(), b"secret");
        std::fs::write(&file, "\n").unwrap();
        let error = place(&flags, false).unwrap_err().to_string();
        assert!(error.contains("has no password"), "{error}");
    }

    #[test]
    fn what_is_wrong_with_tls_is_told_with_its_flag() {
        for (flag, value, said) in [
            (
                "redis_tls_client_cert",
                "x",
                "--redis_tls_client_cert (or --tls_cert) is given without --redis_tls_client_key",
            ),
            (
                "redis_tls_client_ca",
                "/nowhere",
                "can't add CA certificate: --redis_tls_client_ca (or --tls_ca): /nowhere",
            ),
            (
                "redis_tls_client_sni",
                "no name",
                "--redis_tls_client_sni (or --redis_host_port): `no name` is neither",
            ),
            (
                "redis_tls_ocsp_client_required",
                "x",
                "--redis_tls_ocsp_client_required (or --tls_ocsp_required): invalid",
            ),
            (
                "redis_tls_crl_client_from_cert",
                "x",
                "--redis_tls_crl_client_from_cert (or --tls_crl_from_cert): invalid",
            ),
        ] {
            let error = place(&[(flag, value)], true).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
            // Without TLS they say nothing.
            place(&[(flag, value)], false).unwrap();
        }
    }
}
