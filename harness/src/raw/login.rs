//! Startup and authentication.

use super::connection::Connection;
use super::frontend;
use super::message::Message;
use crate::{Error, Result};
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use std::net::SocketAddr;

/// Who logs in, and how.
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    /// The user.
    pub user: &'a str,
    /// The database.
    pub database: &'a str,
    /// The password, if the server asks for one.
    pub password: &'a str,
    /// The protocol version.
    pub version: u32,
    /// Further parameters of the startup message.
    pub parameters: &'a [(&'a str, &'a str)],
}

impl<'a> Login<'a> {
    /// A login without a password.
    pub fn new(user: &'a str, database: &'a str) -> Self {
        Self {
            user,
            database,
            password: "",
            version: frontend::VERSION_3_0,
            parameters: &[],
        }
    }

    /// With this password.
    pub fn password(mut self, password: &'a str) -> Self {
        self.password = password;
        self
    }
}

impl Connection {
    /// Connects and logs in without a password.
    pub fn login(address: SocketAddr, user: &str, database: &str) -> Result<Self> {
        let mut connection = Self::open(address)?;
        connection.start(Login::new(user, database))?;
        Ok(connection)
    }

    /// Logs in, up to the first ReadyForQuery. The answers are kept whether it works or not.
    pub fn start(&mut self, login: Login<'_>) -> Result<()> {
        let mut parameters = vec![("user", login.user), ("database", login.database)];
        parameters.extend(login.parameters);
        self.send(&frontend::startup(login.version, &parameters))?;
        let mut scram = ScramSha256::new(login.password.as_bytes(), ChannelBinding::unsupported());
        loop {
            let message = self.message()?;
            match message.tag {
                b'R' => self.authenticate(&message, login, &mut scram)?,
                b'E' => return Err(Error::new(format!("login failed: {message}"))),
                b'Z' => return Ok(()),
                _ => {}
            }
        }
    }

    fn authenticate(
        &mut self,
        message: &Message,
        login: Login<'_>,
        scram: &mut ScramSha256,
    ) -> Result<()> {
        let (kind, rest) = message
            .body
            .split_first_chunk()
            .ok_or_else(|| Error::new("an authentication request without a kind"))?;
        let null = [0];
        match u32::from_be_bytes(*kind) {
            0 => Ok(()),
            3 => self.send(&frontend::password(
                &[login.password.as_bytes(), &null].concat(),
            )),
            5 => {
                let salt = rest.try_into()?;
                let hash = md5_hash(login.user.as_bytes(), login.password.as_bytes(), salt);
                self.send(&frontend::password(&[hash.as_bytes(), &null].concat()))
            }
            10 => {
                let first = scram.message();
                let length = u32::try_from(first.len())?.to_be_bytes();
                let body = [SCRAM_SHA_256.as_bytes(), &null, &length, first].concat();
                self.send(&frontend::password(&body))
            }
            11 => {
                scram.update(rest)?;
                self.send(&frontend::password(scram.message()))
            }
            12 => Ok(scram.finish(rest)?),
            other => Err(Error::new(format!(
                "authentication of kind {other} is not spoken here"
            ))),
        }
    }
}
