//! MariaDB in a container of a test's own, which can be ended, killed and stopped.

use super::Paused;
use super::container::{Container, request};
use super::mysql::{Flavour, MySql};
use crate::mysql::Side;
use crate::port::free_port;
use crate::scene::eventually;
use crate::{Context, Result, paths};
use acra_engine::wire::mysql::Capabilities;
use std::env;
use testcontainers::ImageExt as _;
use testcontainers::core::Mount;

/// A server of its own. User `test` may do everything, without a password.
pub struct MariaDb {
    container: Container,
    server: MySql,
}

impl MariaDb {
    /// Starts one of the image in `ACRA_TEST_MARIADB_IMAGE`.
    pub fn start() -> Result<Self> {
        let variable = "ACRA_TEST_MARIADB_IMAGE";
        let image = env::var(variable)
            .context(|| format!("{variable} is not set; see scripts/test-containers.sh"))?;
        let address = free_port()?;
        let users = paths::workspace().join("harness/mysql/setup-container.sql");
        let request = request(&image, 3306, address, None)
            .with_env_var("MARIADB_ALLOW_EMPTY_ROOT_PASSWORD", "1")
            .with_env_var("MARIADB_DATABASE", "test")
            .with_mount(Mount::bind_mount(
                users.display().to_string(),
                "/docker-entrypoint-initdb.d/users.sql",
            ))
            .with_cmd(["--skip-name-resolve", "--innodb-buffer-pool-size=32M"]);
        let server = Self {
            container: Container::start(request)?,
            server: MySql::at(Flavour::MariaDb, address),
        };
        server.wait()?;
        Ok(server)
    }

    /// Where and what it is.
    pub fn server(&self) -> MySql {
        self.server
    }

    /// Ends it in order, sessions included.
    pub fn stop(&self) -> Result<()> {
        self.container.stop()
    }

    /// As if the machine lost its power.
    pub fn kill(&self) -> Result<()> {
        self.container.kill()
    }

    /// Starts it again, with its data and at the same address.
    pub fn start_again(&self) -> Result<()> {
        self.container.start_again()?;
        self.wait()
    }

    /// Stops all of its processes until what is returned is dropped: it neither answers nor closes anything.
    pub fn pause(&self) -> Result<Paused> {
        self.container.pause()
    }

    /// Waits until it lets `test` in: that the port is open says nothing of what is behind it.
    fn wait(&self) -> Result<()> {
        let side = Side {
            address: self.server.address(),
            flavour: Flavour::MariaDb,
            capabilities: Capabilities::PLUGIN_AUTH,
        };
        let answers = || Ok(side.login().is_ok());
        eventually("MariaDB answers", answers).context(|| self.container.log())
    }
}
