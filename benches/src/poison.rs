//! What looking for poison records costs: the same rows with and without, for both kinds of container.

use crate::scenario::{self, Scenario};
use crate::target::{DATABASE, Target};
use crate::{Effort, client};
use acra_harness::Result;
use acra_harness::raw::Connection;
use acra_harness::servers::{AcraConfig, AcraServer, Postgres};
use rustix::process::Signal;

const ROWS: usize = 1000;

/// A server with a table that holds what its keys sealed.
struct Side {
    _server: AcraServer,
    target: Target,
    scenario: Scenario,
}

impl Side {
    fn start(
        postgres: &Postgres,
        envelope: &str,
        table: &'static str,
        detects: bool,
    ) -> Result<Self> {
        let yaml = format!(
            "defaults: {{crypto_envelope: {envelope}}}\nschemas:\n  - table: {table}\n    encrypted: [{{column: a}}, {{column: b}}, {{column: c}}]\n"
        );
        let config = AcraConfig {
            poison_keys: true,
            ..AcraConfig::new(postgres.address()).encryptor_yaml(&yaml)
        };
        let config = config.flag(&format!("--poison_detect_enable={detects}"));
        let server = AcraServer::start(&config)?;
        server.keys().add_pair(&config.client_id)?;
        // Keys are read at the start.
        let mut server = server.restart(&config, Signal::TERM)?;
        let create = format!(
            "DROP TABLE IF EXISTS {table}; CREATE TABLE {table} (a bytea, b bytea, c bytea)"
        );
        postgres.run(DATABASE, &create)?;
        let mut connection = Connection::login(server.address(), "postgres", DATABASE)?;
        for id in 0..ROWS {
            connection.run(&format!(
                "INSERT INTO {table} (a, b, c) VALUES ('value a {id:08}', 'value b {id:08}', 'value c {id:08}')"
            ))?;
        }
        let query = format!("SELECT a, b, c FROM {table}");
        Ok(Self {
            target: Target {
                name: table,
                address: server.address(),
                process: Some(server.daemon().id()),
                tls: None,
            },
            scenario: scenario::prepared("poison", &query, &[], scenario::nothing),
            _server: server,
        })
    }
}

/// Prints CPU time per query with and without.
pub(crate) fn run(effort: Effort) -> Result<()> {
    let postgres = Postgres::shared(15)?;
    println!(
        "CPU µs for {ROWS} rows x 3 cells, minimum of {} rounds",
        effort.rounds
    );
    for envelope in ["acrablock", "acrastruct"] {
        let sides = [
            Side::start(postgres, envelope, "without_detection", false)?,
            Side::start(postgres, envelope, "with_detection", true)?,
        ];
        let mut least = [f64::INFINITY; 2];
        for _ in 0..effort.rounds {
            for (side, least) in sides.iter().zip(&mut least) {
                let turn = client::turn(&side.target, &side.scenario, effort)?;
                *least = least.min(turn.cpu());
            }
        }
        let [without, with] = least;
        println!(
            "  {envelope:<12} without {without:>10.1}   with {with:>10.1}   ratio {:.2}",
            with / without
        );
    }
    Ok(())
}
