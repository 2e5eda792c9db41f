//! What is measured: the database itself, and four things that stand before it.

use acra_harness::Result;
use acra_harness::pki::Pki;
use acra_harness::raw::Connection;
use acra_harness::servers::{AcraConfig, AcraServer, Postgres, Proxy};
use rustls::ClientConfig;
use std::net::SocketAddr;
use std::sync::Arc;

/// The database that everything is measured in.
pub(crate) const DATABASE: &str = "postgres";

const COLUMNS: &str = "schemas:
  - table: people
    columns: [id, name, ssn]
    encrypted:
      - column: ssn
  - table: patients
    columns: [a, b, c]
    encrypted:
      - column: a
      - column: b
      - column: c
  - table: sealed
    columns: [id, a, b, c]
    encrypted:
      - column: a
      - column: b
      - column: c
";

const TABLES: &str = "
DROP TABLE IF EXISTS accounts, people, patients, sealed, wide;
CREATE TABLE accounts (id int PRIMARY KEY, note text);
INSERT INTO accounts SELECT n, 'note ' || n FROM generate_series(1, 10000) n;
CREATE TABLE people (id int, name text, ssn bytea);
CREATE TABLE patients (a bytea, b bytea, c bytea);
CREATE TABLE sealed (id int PRIMARY KEY, a bytea, b bytea, c bytea);
CREATE TABLE wide AS SELECT n AS c1, n+1 AS c2, n+2 AS c3, n+3 AS c4, n+4 AS c5, n+5 AS c6, n+6 AS c7, n+7 AS c8,
  n+8 AS c9, n+9 AS c10, 'text ' || n AS c11, 'text ' || n AS c12, 'text ' || n AS c13, 'text ' || n AS c14,
  'text ' || n AS c15, n*1.5 AS c16, n*2.5 AS c17, now() AS c18, now() AS c19, n%2=0 AS c20
  FROM generate_series(1, 1000) n;
ANALYZE accounts; ANALYZE wide;
";

/// Everything that runs.
pub(crate) struct Servers {
    pub(crate) postgres: &'static Postgres,
    relay: Proxy,
    haproxy: Proxy,
    pgbouncer: Proxy,
    ours: AcraServer,
    ours_id: u32,
}

/// Where queries are sent, and the process whose use counts.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    pub(crate) process: Option<u32>,
    /// Whether and how it is reached by TLS.
    pub(crate) tls: Option<Arc<ClientConfig>>,
}

impl Servers {
    /// Starts all of them and fills the tables.
    pub(crate) fn start() -> Result<Self> {
        let postgres = Postgres::shared(15)?;
        let upstream = postgres.address();
        let threads = std::thread::available_parallelism().map_or(1, Into::into);
        postgres.run(DATABASE, TABLES)?;
        let mut ours = AcraServer::start(&AcraConfig::new(upstream).encryptor_yaml(COLUMNS))?;
        fill(ours.address())?;
        postgres.run(DATABASE, "ANALYZE sealed")?;
        let ours_id = ours.daemon().id();
        Ok(Self {
            relay: Proxy::null_relay(upstream)?,
            haproxy: Proxy::haproxy(upstream, threads)?,
            pgbouncer: Proxy::pgbouncer(upstream)?,
            postgres,
            ours,
            ours_id,
        })
    }

    pub(crate) fn targets(&self) -> Vec<Target> {
        let target = |name, address, process| Target {
            name,
            address,
            process,
            tls: None,
        };
        vec![
            target("direct", self.postgres.address(), None),
            target("null relay", self.relay.address(), Some(self.relay.id())),
            target("HAProxy", self.haproxy.address(), Some(self.haproxy.id())),
            target(
                "PgBouncer",
                self.pgbouncer.address(),
                Some(self.pgbouncer.id()),
            ),
            target("acra-server", self.ours.address(), Some(self.ours_id)),
        ]
    }
}

/// The same database with TLS, and what stands before it with TLS on both sides.
pub(crate) struct TlsServers {
    pub(crate) postgres: Postgres,
    haproxy: Proxy,
    ours: AcraServer,
    // After the servers, which read there.
    _pki: Pki,
}

impl TlsServers {
    /// Starts all of them and fills the tables.
    pub(crate) fn start() -> Result<Self> {
        let pki = Pki::new()?;
        let postgres = pki.postgres(&[])?;
        postgres.run(DATABASE, TABLES)?;
        let threads = std::thread::available_parallelism().map_or(1, Into::into);
        let mut config = AcraConfig::new(postgres.address()).encryptor_yaml(COLUMNS);
        config.flags.extend(pki.listener_flags());
        let config = config
            .flag("--tls_client_id_from_cert=false")
            .flag("--tls_client_auth=0")
            .flag("--tls_database_mode=require");
        Ok(Self {
            haproxy: Proxy::haproxy_with_tls(postgres.address(), threads, &pki.bundle("server")?)?,
            ours: AcraServer::start(&config)?,
            postgres,
            _pki: pki,
        })
    }

    pub(crate) fn targets(&mut self) -> Result<Vec<Target>> {
        let tls = Some(crate::tls::config()?);
        let target = |name, address, process| Target {
            name,
            address,
            process,
            tls: tls.clone(),
        };
        Ok(vec![
            target("direct", self.postgres.address(), None),
            target("HAProxy", self.haproxy.address(), Some(self.haproxy.id())),
            target(
                "acra-server",
                self.ours.address(),
                Some(self.ours.daemon().id()),
            ),
        ])
    }
}

/// 1 000 rows of three sealed values of 16 bytes.
fn fill(ours: SocketAddr) -> Result<()> {
    let mut connection = Connection::login(ours, "postgres", DATABASE)?;
    for id in 0..1000 {
        connection.run(&format!(
            "INSERT INTO sealed (id, a, b, c) VALUES ({id}, 'value a {id:08}', 'value b {id:08}', 'value c {id:08}')"
        ))?;
    }
    Ok(())
}
