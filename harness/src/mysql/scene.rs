//! A schema of MariaDB or MySQL, and `acra-server` before it.

use super::connection::{Connection, Login};
use crate::at_rest;
use crate::servers::{AcraConfig, AcraServer, Flavour, MySql};
use crate::{Error, Result};
use acra_engine::wire::mysql::Capabilities;
use rustix::process::Signal;
use std::net::SocketAddr;

/// CLIENT_MULTI_RESULTS, CLIENT_PS_MULTI_RESULTS.
const MULTI_RESULTS: Capabilities = Capabilities(0x6_0000);

/// A schema of a test's own, behind `acra-server`.
#[derive(Debug)]
pub struct Scene {
    /// The database server.
    pub server: MySql,
    /// What stands before it.
    pub acra: AcraServer,
    /// The schema.
    pub schema: String,
    config: AcraConfig,
}

impl Scene {
    /// With this encryptor configuration and keys for searching; `None`, said aloud, if the database is not there.
    pub fn start(flavour: Flavour, yaml: &str) -> Result<Option<Self>> {
        Self::with(flavour, |config| config.encryptor_yaml(yaml))
    }

    /// The same with another configuration of `acra-server`.
    pub fn with(
        flavour: Flavour,
        change: impl FnOnce(AcraConfig) -> AcraConfig,
    ) -> Result<Option<Self>> {
        let Some(server) = MySql::shared(flavour)? else {
            return Ok(None);
        };
        let config = change(AcraConfig {
            search_keys: true,
            ..server.config_in_clear()
        });
        let schema = server.fresh_schema()?;
        Ok(Some(Self {
            server,
            acra: AcraServer::start(&config)?,
            schema,
            config,
        }))
    }

    /// The same with another client, who has keys of its own.
    pub fn as_client(self, id: &str) -> Result<Self> {
        self.acra.keys().add_client(id)?;
        self.acra.keys().add_search(id)?;
        let config = AcraConfig {
            client_id: id.into(),
            ..self.config
        };
        Ok(Self {
            acra: self.acra.restart(&config, Signal::TERM)?,
            config,
            ..self
        })
    }

    /// A connection through `acra-server`, of what clients of long ago use.
    pub fn proxied(&self) -> Result<Connection> {
        self.login(self.acra.address(), Capabilities::default())
    }

    /// The same of one that uses more.
    pub fn proxied_with(&self, capabilities: Capabilities) -> Result<Connection> {
        self.login(self.acra.address(), capabilities)
    }

    /// A connection to the database itself.
    pub fn direct(&self) -> Result<Connection> {
        self.login(self.server.address(), Capabilities::default())
    }

    fn login(&self, address: SocketAddr, capabilities: Capabilities) -> Result<Connection> {
        let mut connection = Connection::open(address)?;
        let login = Login {
            user: "test",
            auth: b"",
            schema: &self.schema,
            capabilities: Capabilities::PLUGIN_AUTH
                .with(Capabilities::MULTI_STATEMENTS)
                .with(MULTI_RESULTS)
                .with(capabilities),
        };
        let answer = connection.login(login)?;
        match answer.payload.first() {
            Some(0) => Ok(connection),
            _ => Err(Error::new(format!("login failed: {answer}"))),
        }
    }

    /// Runs SQL past `acra-server`.
    pub fn run_directly(&self, sql: &str) -> Result<()> {
        self.direct()?.run(sql)
    }

    /// The rows of a query, as the database itself has them.
    pub fn stored(&self, sql: &str) -> Result<Vec<Vec<String>>> {
        self.direct()?.strings(sql)
    }

    /// That none of these is kept in the clear, in a table of the schema or in a file of the server.
    pub fn keeps_none_of(&self, secrets: &[&[u8]]) -> Result<()> {
        let found = at_rest::find_in_mysql(&mut self.direct()?, secrets)?;
        match &*found {
            [] => Ok(()),
            _ => Err(Error::new(format!("kept in the clear: {found:?}"))),
        }
    }

    /// The log is told with what went wrong; a panic is an error too.
    pub fn explained(&self, outcome: Result<()>) -> Result<()> {
        let log = self.acra.log();
        outcome.map_err(|error| Error::new(format!("{error}\nlog of acra-server:\n{log}")))?;
        match log.to_lowercase().contains("panic") {
            true => Err(Error::new(format!("a panic:\n{log}"))),
            false => Ok(()),
        }
    }
}
