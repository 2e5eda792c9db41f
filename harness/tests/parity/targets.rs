//! What stands between the client and PostgreSQL.

use acra_harness::parity::{Side, compare};
use acra_harness::raw::Connection;
use acra_harness::servers::{AcraConfig, AcraServer, Postgres, Proxy};
use acra_harness::{Result, paths};
use std::env;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Once;

/// The kinds of targets.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// The pump alone.
    NullRelay,
    /// `acra-server` with an encryptor configuration for a table that no script names, so that every statement is read.
    AcraServer,
}

const UNUSED_TABLE: &str = "schemas:
  - table: named_by_no_script
    encrypted:
      - column: secret
";

/// A running target.
pub(crate) enum Target {
    NullRelay(Proxy),
    AcraServer(AcraServer),
}

impl Target {
    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        match self {
            Self::NullRelay(relay) => relay.address(),
            Self::AcraServer(server) => server.address(),
        }
    }

    fn log(&self) -> String {
        match self {
            Self::NullRelay(relay) => relay.log(),
            Self::AcraServer(server) => server.log(),
        }
    }
}

/// Starts a target before a server; `None` if it is not built and may be missing.
pub(crate) fn start(kind: Kind, server: &Postgres) -> Result<Option<Target>> {
    Ok(Some(match kind {
        Kind::NullRelay => Target::NullRelay(Proxy::null_relay(server.address())?),
        Kind::AcraServer => {
            if let Err(error) = paths::binary("acra-server") {
                return skip(error);
            }
            let config = AcraConfig::new(server.address()).encryptor_yaml(UNUSED_TABLE);
            Target::AcraServer(AcraServer::start(&config)?)
        }
    }))
}

fn skip(error: acra_harness::Error) -> Result<Option<Target>> {
    static ONCE: Once = Once::new();
    if env::var_os("ACRA_TEST_REQUIRE_ALL").is_some() {
        return Err(error);
    }
    // Not by a macro, whose output is hidden when a test passes.
    ONCE.call_once(|| drop(writeln!(io::stderr(), "SKIPPED: {error}")));
    Ok(None)
}

/// Runs a script directly and through a target.
pub(crate) fn check(
    version: u32,
    kind: Kind,
    script: fn(&Side) -> Result<Vec<Connection>>,
) -> Result<()> {
    let server = Postgres::shared(version)?;
    let Some(target) = start(kind, server)? else {
        return Ok(());
    };
    let database = server.fresh_database()?;
    let side = |name, address| Side {
        name,
        address,
        direct: server.address(),
        database: database.clone(),
    };
    let expected = side(format!("PostgreSQL {version}"), server.address());
    let actual = side(format!("{kind:?}"), target.address());
    compare(&expected, &actual, script).map_err(|error| {
        let log = target.log();
        acra_harness::Error::new(format!("{error}\nlog of {kind:?}:\n{log}"))
    })
}

/// That equal answers mean something: different servers are told apart.
#[test]
fn two_versions_differ() -> Result<()> {
    let (old, new) = (Postgres::shared(15)?, Postgres::shared(18)?);
    let side = |server: &Postgres| -> Result<Side> {
        Ok(Side {
            name: format!("PostgreSQL {}", server.version()),
            address: server.address(),
            direct: server.address(),
            database: server.fresh_database()?,
        })
    };
    let result = compare(&side(old)?, &side(new)?, crate::sessions::trusted);
    let report = result
        .expect_err("two versions answer the same")
        .to_string();
    assert!(report.contains("\n- ParameterStatus"), "{report}");
    assert!(report.contains("\n+ ParameterStatus"), "{report}");
    Ok(())
}
