//! MariaDB and MySQL, as `scripts/with-mysql.sh` runs them. User `test` may do everything, without a password; see
//! `harness/mysql` for users with one.

use crate::{Context, Error, Result};
use std::env;
use std::fmt;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

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
