//! Where Redis is and how to get in.

use super::error::TokenStoreError;
use acra_engine::crypto::Secret;
use std::io;
use std::path::Path;

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
    pub tls: Option<RedisTls>,
}

/// TLS with Redis. Its certificate is always verified.
#[derive(Debug, Default)]
pub struct RedisTls {
    /// Certificates of authorities in PEM; without them those of the system count.
    pub authorities: Option<Vec<u8>>,
    /// Our certificate chain and its key in PEM.
    pub identity: Option<(Vec<u8>, Secret)>,
}

/// The same as flags give it: texts are empty where nothing is said.
#[derive(Debug)]
pub struct RedisFlags<'a> {
    /// `host:port`; an address of IPv6 stands in brackets.
    pub host_port: &'a str,
    /// Number of the database.
    pub database: i64,
    /// User.
    pub user: &'a str,
    /// Password.
    pub password: &'a str,
    /// File of the password, which then counts.
    pub password_file: &'a str,
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// Files of authorities, of our certificates and of their key.
    pub certificates: [&'a str; 3],
    /// Where it is asked whether certificates were revoked, which is not done with Redis.
    pub revocation: [&'a str; 2],
}

impl<'a> RedisFlags<'a> {
    /// By the names that flags have in every program: `text` gives the value of one.
    pub fn named(text: impl Fn(&str) -> &'a str, database: i64, tls: bool) -> Self {
        Self {
            host_port: text("redis_host_port"),
            database,
            user: text("redis_user"),
            password: text("redis_password"),
            password_file: text("redis_password_file"),
            tls,
            certificates: [
                text("redis_tls_client_ca"),
                text("redis_tls_client_cert"),
                text("redis_tls_client_key"),
            ],
            revocation: [
                text("redis_tls_ocsp_client_url"),
                text("redis_tls_crl_client_url"),
            ],
        }
    }
}

impl RedisPlace {
    /// What flags say; files are read.
    ///
    /// # Errors
    ///
    /// The address has another form, or a file cannot be read; a certificate has no key, or the other way round; it
    /// would have to be asked whether certificates were revoked.
    pub fn new(flags: &RedisFlags<'_>) -> Result<Self, TokenStoreError> {
        let (host, port) = address(flags.host_port)
            .ok_or_else(|| refused(flags, "an address has the form <host>:<port>"))?;
        let password = match (flags.password_file, flags.password) {
            ("", "") => None,
            ("", password) => Some(Secret::from(password.as_bytes().to_vec())),
            (file, _) => Some(first_line(file)?),
        };
        Ok(Self {
            host,
            port,
            user: Some(flags.user.to_owned()).filter(|user| !user.is_empty()),
            password,
            database: flags.database,
            tls: flags.tls.then(|| tls(flags)).transpose()?,
        })
    }
}

fn refused(flags: &RedisFlags<'_>, error: &str) -> TokenStoreError {
    TokenStoreError::Redis {
        address: flags.host_port.to_owned(),
        error: error.to_owned(),
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

fn tls(flags: &RedisFlags<'_>) -> Result<RedisTls, TokenStoreError> {
    if flags.revocation.iter().any(|place| !place.is_empty()) {
        return Err(refused(
            flags,
            "whether its certificate was revoked cannot be asked in this version, and a URL of OCSP or of a CRL is set",
        ));
    }
    let [authorities, certificates, key] = flags.certificates;
    let identity = match (certificates, key) {
        ("", "") => None,
        ("", _) | (_, "") => {
            return Err(refused(flags, "a certificate and its key go together"));
        }
        (certificates, key) => Some((read(certificates)?, Secret::from(read(key)?))),
    };
    let authorities = Some(authorities).filter(|path| !path.is_empty());
    Ok(RedisTls {
        authorities: authorities.map(read).transpose()?,
        identity,
    })
}

fn read(path: &str) -> Result<Vec<u8>, TokenStoreError> {
    let path = Path::new(path);
    std::fs::read(path).map_err(TokenStoreError::io("read", path))
}

fn first_line(path: &str) -> Result<Secret, TokenStoreError> {
    let text = Secret::from(read(path)?);
    let line = text.as_bytes().split(|byte| b"\r\n".contains(byte)).next();
    let line = line.filter(|line| !line.is_empty()).ok_or_else(|| {
        TokenStoreError::io("use", Path::new(path))(io::Error::other("it has no password"))
    })?;
    Ok(Secret::from(line.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::{RedisFlags, RedisPlace};

    const NONE: RedisFlags<'_> = RedisFlags {
        host_port: "redis:6379",
        database: 2,
        user: "",
        password: "",
        password_file: "",
        tls: false,
        certificates: [""; 3],
        revocation: [""; 2],
    };

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
            let place = RedisPlace::new(&RedisFlags { host_port, ..NONE });
            let place = place.ok();
            let found = place.as_ref().map(|place| (&*place.host, place.port));
            assert_eq!(found, expected, "{host_port}");
        }
    }

    #[test]
    fn the_first_line_of_a_file_is_the_password() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("password");
        let flags = RedisFlags {
            password: "another",
            password_file: file.to_str().unwrap(),
            ..NONE
        };
        std::fs::write(&file, "secret\r\nmore").unwrap();
        let password = RedisPlace::new(&flags).unwrap().password.unwrap();
        assert_eq!(password.as_bytes(), b"secret");
        std::fs::write(&file, "\n").unwrap();
        let error = RedisPlace::new(&flags).unwrap_err().to_string();
        assert!(error.contains("has no password"), "{error}");
    }

    #[test]
    fn what_tls_cannot_do_is_refused() {
        let refused = |flags| RedisPlace::new(&flags).unwrap_err().to_string();
        let tls = RedisFlags { tls: true, ..NONE };
        let error = refused(RedisFlags {
            certificates: ["", "x", ""],
            ..tls
        });
        assert!(error.contains("go together"), "{error}");
        let tls = RedisFlags { tls: true, ..NONE };
        let error = refused(RedisFlags {
            revocation: ["http://x", ""],
            ..tls
        });
        assert!(error.contains("revoked"), "{error}");
    }
}
