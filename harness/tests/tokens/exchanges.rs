//! How often Redis is asked.

use super::{CONFIG, TABLES};
use acra_harness::raw::{Connection, frontend as f};
use acra_harness::servers::{AcraConfig, AcraServer, Exchanges, Postgres, Redis};
use acra_harness::{Result, scene};
use std::time::Duration;

const ROWS: usize = 1000;

/// How far away Redis is. All of a result arrives in that time, also if the machine is busy.
const FAR: Duration = Duration::from_millis(500);

#[test]
fn tokens_of_a_thousand_rows_take_at_most_three_exchanges() -> Result<()> {
    for version in [15, 18] {
        let redis = Redis::start()?;
        let counter = Exchanges::before(redis.address(), FAR)?;
        let postgres = Postgres::shared(version)?;
        let database = postgres.fresh_database()?;
        postgres.run(&database, TABLES)?;
        let config = AcraConfig::new(postgres.address()).encryptor_yaml(CONFIG);
        let config = config
            .flag(&format!("--redis_host_port={}", counter.address()))
            .flag("--redis_db_tokens=1");
        let acra = AcraServer::start(&config)?;
        let mut proxied = Connection::login(acra.address(), "postgres", &database)?;
        let rows: Vec<_> = (0..ROWS)
            .map(|id| format!("({id}, {id}, 'name of {id}')"))
            .collect();
        proxied.run(&format!(
            "INSERT INTO people (id, age, name) VALUES {}",
            rows.join(", ")
        ))?;
        let expected: Vec<_> = (0..ROWS)
            .map(|id| vec![id.to_string(), format!("name of {id}")])
            .collect();
        let sql = "SELECT age, name FROM people ORDER BY id";
        let mut counts = Vec::new();
        for round in 0..4 {
            let before = counter.count();
            // By both protocols.
            let rows = match round % 2 {
                0 => scene::rows(&mut proxied, sql)?,
                _ => {
                    proxied.send_all(&[
                        f::parse("", sql, &[]),
                        f::bind_text("", "", &[]),
                        f::execute("", 0),
                        f::sync(),
                    ])?;
                    scene::rows_of(&proxied.ready()?)?
                }
            };
            assert_eq!(rows, expected);
            counts.push(counter.count() - before);
        }
        assert!(
            counts.iter().all(|count| (1..=3).contains(count)),
            "{version}: {counts:?}"
        );

        // All values of a statement at once, too: none of them has a token.
        let before = counter.count();
        let names: Vec<_> = (0..ROWS).map(|id| format!("'nobody {id}'")).collect();
        let sql = format!("SELECT id FROM people WHERE name IN ({})", names.join(", "));
        assert!(scene::rows(&mut proxied, &sql)?.is_empty());
        assert!(
            counter.count() - before <= 2,
            "{}",
            counter.count() - before
        );
    }
    Ok(())
}
