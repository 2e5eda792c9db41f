//! MariaDB and MySQL, as `scripts/with-mysql.sh` runs them. User `test` may do everything, without a password; see
//! `harness/mysql` for users with one.

use super::AcraConfig;
use crate::mysql::Side;
use crate::{Context, Error, Result};
use acra_engine::wire::mysql::Capabilities;
use std::env;
use std::fmt;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A running server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MySql {
    flavour: Flavour,
    address: SocketAddr,
}

/// Which server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// MariaDB 10.11.
    MariaDb,
    /// MySQL 9.7.
    MySql,
}

impl fmt::Display for Flavour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MariaDb => "MariaDB",
            Self::MySql => "MySQL",
        })
    }
}

impl MySql {
    /// The server of `ACRA_TEST_MARIADB` or `ACRA_TEST_MYSQL`. `None`, said aloud, if it is not there and may be missing:
    /// MariaDB may not where `ACRA_TEST_REQUIRE_ALL` is set.
    pub fn shared(flavour: Flavour) -> Result<Option<Self>> {
        let variable = match flavour {
            Flavour::MariaDb => "ACRA_TEST_MARIADB",
            Flavour::MySql => "ACRA_TEST_MYSQL",
        };
        let Ok(address) = env::var(variable) else {
            let text = format!("{variable} is not set; run the tests by scripts/with-mysql.sh");
            if flavour == Flavour::MariaDb && env::var_os("ACRA_TEST_REQUIRE_ALL").is_some() {
                return Err(Error::new(text));
            }
            // Not by a macro, whose output is hidden when a test passes.
            drop(writeln!(io::stderr(), "SKIPPED: {text}"));
            return Ok(None);
        };
        let address = address
            .parse()
            .context(|| format!("{variable}={address}, which should be an IP:port"))?;
        Ok(Some(Self { flavour, address }))
    }

    /// A server that a test has started.
    #[cfg(feature = "containers")]
    pub(super) fn at(flavour: Flavour, address: SocketAddr) -> Self {
        Self { flavour, address }
    }

    /// Which server it is.
    pub fn flavour(&self) -> Flavour {
        self.flavour
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How to start `acra-server` before it.
    pub fn config(&self) -> AcraConfig {
        AcraConfig::new(self.address).flag("--mysql_enable")
    }

    /// The same where both connections are in clear: no password has to change its form, and no key is made for that.
    pub fn config_in_clear(&self) -> AcraConfig {
        self.config().flag("--mysql_auth_mixed_tls=refuse")
    }

    /// Makes an empty schema with a name of its own.
    pub fn fresh_schema(&self) -> Result<String> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.subsec_nanos();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("s{:010}_{now:09}_{number:04}", std::process::id());
        let side = Side {
            address: self.address,
            flavour: self.flavour,
            capabilities: Capabilities::PLUGIN_AUTH,
        };
        side.login()?
            .run(&format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"))?;
        Ok(name)
    }

    /// The CA of its certificate, which is for `127.0.0.1` and `localhost`.
    pub fn ca(&self) -> Result<PathBuf> {
        let variable = "ACRA_TEST_MYSQL_CA";
        let path = env::var_os(variable).ok_or_else(|| {
            Error::new(format!(
                "{variable} is not set; run the tests by scripts/with-mysql.sh"
            ))
        })?;
        Ok(path.into())
    }
}
