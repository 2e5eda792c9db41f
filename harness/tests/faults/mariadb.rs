//! MariaDB that fails, and the network before it. What a session was in the middle of is undone, the client is told, and the next
//! connection works.

use acra_engine::wire::mysql::Capabilities;
use acra_harness::mysql::{Connection, Side};
use acra_harness::servers::{AcraConfig, AcraServer, Flavour, MySql, Network, Way};
use acra_harness::{Error, Result};
use std::net::SocketAddr;

/// `acra-server` before a database at this address.
struct Stage {
    acra: AcraServer,
    table: String,
}

impl Stage {
    fn set(database: SocketAddr) -> Result<Self> {
        let config = AcraConfig::new(database)
            .flag("--mysql_enable")
            .flag("--mysql_auth_mixed_tls=refuse")
            .flag("--startup_timeout=10");
        let stage = Self {
            acra: AcraServer::start(&config)?,
            // The server may be one that tests share.
            table: format!("fault_{}_{}", std::process::id(), database.port()),
        };
        stage.login()?.run(&format!(
            "CREATE TABLE {} (id INT PRIMARY KEY) ENGINE=InnoDB",
            stage.table
        ))?;
        Ok(stage)
    }

    fn login(&self) -> Result<Connection> {
        let side = Side {
            address: self.acra.address(),
            flavour: Flavour::MariaDb,
            capabilities: Capabilities::PLUGIN_AUTH,
        };
        side.login()
    }

    /// A session in a transaction with a row of this number in it.
    fn in_a_transaction(&self, id: usize) -> Result<Connection> {
        let mut session = self.login()?;
        session.run("BEGIN")?;
        session.run(&format!("INSERT INTO {} VALUES ({id})", self.table))?;
        Ok(session)
    }

    /// These rows and no others are there, and nobody holds one that is not.
    fn has_rows(&self, ids: &[usize]) -> Result<()> {
        let mut session = self.login()?;
        session.query(&format!(
            "SELECT GROUP_CONCAT(id ORDER BY id) FROM {}",
            self.table
        ))?;
        let expected: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let expected = expected.join(",");
        let row = match expected.is_empty() {
            true => vec![0xfb],
            false => [&[u8::try_from(expected.len())?], expected.as_bytes()].concat(),
        };
        let answers = session.answers()?;
        match answers.iter().any(|packet| packet.payload == row) {
            true => {}
            false => return Err(Error::new(format!("expected rows {expected}: {answers:?}"))),
        }
        // It waits for the lock of whoever has inserted one.
        let free = (0..10).filter(|id| !ids.contains(id));
        for id in free {
            session.run("BEGIN")?;
            session.run(&format!("INSERT INTO {} VALUES ({id})", self.table))?;
            session.run("ROLLBACK")?;
        }
        Ok(())
    }

    /// Removes the table, as others use the server, and looks at what was said.
    fn end(self) -> Result<()> {
        self.login()?.run(&format!("DROP TABLE {}", self.table))?;
        let (_, log) = self.acra.stop()?;
        match log.to_lowercase().contains("panic") {
            true => Err(Error::new(log)),
            false => Ok(()),
        }
    }
}

/// The connection ends in the middle of a transaction: before, within and after an answer.
fn cut_in_a_transaction(server: MySql) -> Result<()> {
    let network = Network::to(server.address())?;
    let stage = Stage::set(network.address())?;
    let mut other = stage.in_a_transaction(9)?;
    for (id, after) in [None, Some(0), Some(3), Some(8)].into_iter().enumerate() {
        let mut inside = stage.in_a_transaction(id)?;
        match after {
            None => network.cut_last(),
            Some(bytes) => {
                network.cut_after(Way::ToClient, bytes);
                inside.query("SELECT REPEAT('x', 100)")?;
            }
        }
        ends(&mut inside)?;
    }
    other.run("COMMIT")?;
    drop(other);
    stage.has_rows(&[9])?;
    stage.end()
}

/// That the client learns of the end. Where a message was cut, a part of it may have come.
fn ends(session: &mut Connection) -> Result<()> {
    match session.end() {
        Ok(()) => Ok(()),
        Err(error) if error.to_string().contains("reset") => Ok(()),
        Err(error) => Err(error),
    }
}

#[test]
#[cfg(not(feature = "containers"))]
fn a_network_that_is_cut_in_a_transaction() -> Result<()> {
    match MySql::shared(Flavour::MariaDb)? {
        Some(server) => cut_in_a_transaction(server),
        None => Ok(()),
    }
}

#[cfg(feature = "containers")]
mod contained {
    use super::{Stage, cut_in_a_transaction, ends};
    use acra_harness::mysql::Connection;
    use acra_harness::servers::MariaDb;
    use acra_harness::{Error, Result};

    /// That a new client is told why it is not let in: by an error in the place of the greeting.
    fn is_refused(stage: &Stage) -> Result<()> {
        let connection = Connection::open(stage.acra.address())?;
        match connection.transcript().first() {
            Some(packet) if packet.payload.first() == Some(&0xff) => Ok(()),
            other => Err(Error::new(format!("expected an error, got {other:?}"))),
        }
    }

    fn ended(end: impl Fn(&MariaDb) -> Result<()>) -> Result<()> {
        let mariadb = MariaDb::start()?;
        let stage = Stage::set(mariadb.server().address())?;
        stage.in_a_transaction(1)?.run("COMMIT")?;
        let (mut idle, mut inside) = (stage.login()?, stage.in_a_transaction(2)?);
        end(&mariadb)?;
        ends(&mut idle)?;
        ends(&mut inside)?;
        is_refused(&stage)?;
        mariadb.start_again()?;
        stage.has_rows(&[1])?;
        stage.end()
    }

    #[test]
    fn a_database_that_is_restarted() -> Result<()> {
        ended(MariaDb::stop)
    }

    #[test]
    fn a_database_that_is_killed() -> Result<()> {
        ended(MariaDb::kill)
    }

    #[test]
    fn a_database_that_is_paused() -> Result<()> {
        let mariadb = MariaDb::start()?;
        let stage = Stage::set(mariadb.server().address())?;
        let mut inside = stage.in_a_transaction(1)?;
        let paused = mariadb.pause()?;
        // Whoever is in a session waits; who comes anew is told.
        inside.query("COMMIT")?;
        is_refused(&stage)?;
        drop(paused);
        inside.answers()?;
        drop(inside);
        stage.has_rows(&[1])?;
        stage.end()
    }

    #[test]
    fn a_network_that_is_cut_in_a_transaction() -> Result<()> {
        let mariadb = MariaDb::start()?;
        cut_in_a_transaction(mariadb.server())
    }
}
