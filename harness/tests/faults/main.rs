//! Databases and networks that fail: what clients are told, that nothing is stored in clear, and that what a session
//! held comes back.

mod disk;
mod mariadb;
mod network;
mod server;

use acra_harness::metrics::metric;
use acra_harness::port::free_port;
use acra_harness::raw::{Connection, Message, Reply, frontend as f};
use acra_harness::scene::{Scene, eventually};
use acra_harness::servers::{AcraConfig, Postgres};
use acra_harness::{Error, Result, at_rest};
use std::net::SocketAddr;

/// In every value that is to be protected.
const MARK: &str = "Secret-In-A-Fault-57";

/// A result and a copy without an end.
const ENDLESS: &str = "SELECT repeat('x', 1000), generate_series(1, 100000000)";

/// A scene, and what its acra-server says of itself.
struct Stage<'a> {
    scene: Scene<'a>,
    metrics: SocketAddr,
    descriptors: f64,
    memory: f64,
}

impl<'a> Stage<'a> {
    /// Before a server of this address.
    fn set(
        postgres: &'a Postgres,
        database: SocketAddr,
        change: impl FnOnce(AcraConfig) -> AcraConfig,
    ) -> Result<Self> {
        let metrics = free_port()?;
        let flag = format!("--incoming_connection_prometheus_metrics_string=tcp://{metrics}");
        let scene = Scene::on(postgres, |mut config| {
            config.database = database;
            change(config.flag(&flag))
        })?;
        // What the first session leaves behind for all others.
        scene.works()?;
        eventually("the first session has ended", || {
            Ok(metric(metrics, "acraserver_sessions_open")? == 0.0)
        })?;
        Ok(Self {
            descriptors: metric(metrics, "process_open_fds")?,
            memory: metric(metrics, "process_resident_memory_bytes")?,
            scene,
            metrics,
        })
    }

    /// Every client is served again, and all that sessions held is back.
    fn is_as_before(&self) -> Result<()> {
        self.scene.works()?;
        eventually("descriptors are given back", || {
            Ok(metric(self.metrics, "process_open_fds")? <= self.descriptors)
        })?;
        let more = metric(self.metrics, "process_resident_memory_bytes")? - self.memory;
        match more < (16 << 20) as f64 {
            true => Ok(()),
            false => Err(Error::new(format!("{more} bytes of memory are kept"))),
        }
    }

    /// Nothing was stored or logged in clear; `rows` are in the table.
    fn keeps_secrets(&self, rows: usize) -> Result<()> {
        let postgres = self.scene.postgres;
        let stored = self.scene.stored("SELECT count(*) FROM vault")?;
        assert_eq!(stored, rows.to_string(), "rows");
        let found = match postgres.log() {
            Some(log) => {
                assert!(!log.contains(MARK), "{log}");
                at_rest::find(postgres, &self.scene.database, &[MARK.as_bytes()])?
            }
            // Whose files hold what all tests store.
            None => at_rest::in_tables(postgres, &self.scene.database, &[MARK.as_bytes()])?,
        };
        assert!(found.is_empty(), "{found:?}");
        assert!(!self.scene.acra.log().contains(MARK));
        Ok(())
    }
}

/// Begins a transaction with a secret in it.
fn in_a_transaction(connection: &mut Connection, id: usize) -> Result<()> {
    connection.run("BEGIN")?;
    connection.run(&format!(
        "INSERT INTO vault (id, secret) VALUES ({id}, '{MARK} {id}')"
    ))
}

/// Begins a COPY with a secret in it.
fn in_a_copy(connection: &mut Connection, id: usize) -> Result<()> {
    connection.send(&f::query("COPY vault (id, secret) FROM STDIN"))?;
    connection.until(b'G')?;
    copy_row(connection, id)
}

/// One more row of a COPY.
fn copy_row(connection: &mut Connection, id: usize) -> Result<()> {
    connection.send(&f::copy_data(format!("{id}\t{MARK} {id}\n").as_bytes()))
}

/// Reads some rows of a result without an end.
fn in_a_result(connection: &mut Connection) -> Result<()> {
    connection.send(&f::query(ENDLESS))?;
    some_messages(connection, b'T')
}

/// Reads some rows of a COPY without an end.
fn in_a_copy_out(connection: &mut Connection) -> Result<()> {
    connection.send(&f::query(&format!("COPY ({ENDLESS}) TO STDOUT")))?;
    some_messages(connection, b'H')
}

fn some_messages(connection: &mut Connection, first: u8) -> Result<()> {
    connection.until(first)?;
    for _ in 0..100 {
        connection.message()?;
    }
    Ok(())
}

/// Reads to the end. The last message has to be a fatal error with one of these codes.
fn ends_with(connection: &mut Connection, codes: &[&str]) -> Result<Message> {
    let mut last = None;
    while let Reply::Message(message) = connection.reply()? {
        last = Some(message);
    }
    let last = last.ok_or_else(|| Error::new("it ends without a word"))?;
    let fatal = last.field(b'S').as_deref() == Some("FATAL");
    match last.field(b'C') {
        Some(code) if fatal && codes.contains(&&*code) => Ok(last),
        _ => Err(Error::new(format!(
            "expected a fatal error of {codes:?}, got {last}"
        ))),
    }
}

/// The same, but where a message of which the client has a part does not arrive whole.
fn ends_with_or_within_a_message(connection: &mut Connection, codes: &[&str]) -> Result<()> {
    match ends_with(connection, codes) {
        Ok(_) => Ok(()),
        Err(error) if error.to_string().contains("ended within a message") => Ok(()),
        Err(error) => Err(error),
    }
}

/// That a new client is told that there is no database.
fn is_refused(stage: &Stage<'_>) -> Result<()> {
    let mut connection = Connection::open(stage.scene.acra.address())?;
    let parameters = [("user", "postgres"), ("database", &*stage.scene.database)];
    connection.send(&f::startup(f::VERSION_3_0, &parameters))?;
    ends_with(&mut connection, &["08001"]).map(|_| ())
}
