//! What searchable and tokenized columns cost: CPU time beside the null relay, and exchanges with the token store.

use crate::report::Spread;
use crate::scenario::{nothing, prepared};
use crate::target::{DATABASE, Target};
use crate::{Effort, client};
use acra_harness::Result;
use acra_harness::raw::Connection;
use acra_harness::scene;
use acra_harness::servers::{AcraConfig, AcraServer, Exchanges, Postgres, Proxy, Redis};
use std::time::Duration;

const ROWS: usize = 1000;

const COLUMNS: &str = "schemas:
  - table: searched
    columns: [id, email]
    encrypted: [{column: email, searchable: true}]
  - table: written
    columns: [a, b, c]
    encrypted: [{column: a, searchable: true}, {column: b}, {column: c}]
  - table: tokenized
    columns: [id, name]
    encrypted: [{column: name, token_type: str, consistent_tokenization: true}]
";

const TABLES: &str = "DROP TABLE IF EXISTS searched, written, tokenized;
CREATE TABLE searched (id int, email bytea); CREATE INDEX ON searched (substr(email, 1, 33));
CREATE TABLE written (a bytea, b bytea, c bytea); CREATE TABLE tokenized (id int, name text)";

/// Prints CPU time per query of `acra-server` and of the null relay, which gets what the database gets; and exchanges with Redis.
pub(crate) fn run(effort: Effort) -> Result<()> {
    let postgres = Postgres::shared(15)?;
    postgres.run(DATABASE, TABLES)?;
    let relay = Proxy::null_relay(postgres.address())?;
    let redis = Redis::start()?;
    let counter = Exchanges::before(redis.address(), Duration::ZERO)?;
    let config = AcraConfig {
        search_keys: true,
        ..AcraConfig::new(postgres.address()).encryptor_yaml(COLUMNS)
    };
    let config = config
        .flag(&format!("--redis_host_port={}", counter.address()))
        .flag("--redis_db_tokens=1");
    let mut server = AcraServer::start(&config)?;
    let mut connection = Connection::login(server.address(), "postgres", DATABASE)?;
    for id in 0..ROWS {
        connection.run(&format!(
            "INSERT INTO searched (id, email) VALUES ({id}, 'user{id}@example.org')"
        ))?;
        connection.run(&format!(
            "INSERT INTO tokenized (id, name) VALUES ({id}, 'name of number {id}')"
        ))?;
    }
    postgres.run(DATABASE, "ANALYZE searched; ANALYZE tokenized")?;
    let mut direct = Connection::login(postgres.address(), "postgres", DATABASE)?;
    let hash = "SELECT substr(email, 1, 33) FROM searched WHERE id = 471";
    let hash = scene::value(&mut direct, hash)?;

    let target = |name, address, process| Target {
        name,
        address,
        process: Some(process),
        tls: None,
    };
    let targets = [
        target("null relay", relay.address(), relay.id()),
        target("acra-server", server.address(), server.daemon().id()),
    ];
    let insert = "INSERT INTO written (a, b, c) VALUES ($1, $2, $3)";
    let values = [Some("value a"), Some("value b"), Some("value c")];
    let select = |name, column: &str, value| {
        let sql = format!("SELECT id, email FROM searched WHERE {column} = $1");
        prepared(name, &sql, &[Some(value)], nothing)
    };
    let all = |name| prepared(name, "SELECT id, name FROM tokenized", &[], nothing);
    println!(
        "CPU µs per query, minimum (median) of {} rounds: null relay, acra-server, difference",
        effort.rounds
    );
    for (name, sent) in [
        (
            "point select by a searchable column",
            [
                select("hash", "substr(email, 1, 33)", &hash),
                select("value", "email", "user471@example.org"),
            ],
        ),
        (
            "insert of 3 encrypted values, 1 searchable",
            [
                prepared("plain", insert, &values, nothing),
                prepared("sealed", insert, &values, nothing),
            ],
        ),
        ("1 000 tokenized rows", [all("tokens"), all("values")]),
    ] {
        let mut measured = [Vec::new(), Vec::new()];
        for _ in 0..effort.rounds {
            postgres.run(DATABASE, "TRUNCATE written")?;
            for ((target, scenario), measured) in targets.iter().zip(&sent).zip(&mut measured) {
                measured.push(client::turn(target, scenario, effort)?.cpu());
            }
        }
        let [relay, ours] = measured.map(Spread::of);
        println!(
            "  {name:<44} {:>10.1} ({:.1}) {:>10.1} ({:.1}) {:>10.1} ({:.1})",
            relay.minimum,
            relay.median,
            ours.minimum,
            ours.median,
            ours.minimum - relay.minimum,
            ours.median - relay.median
        );
    }
    let before = counter.count();
    let rows = scene::rows(&mut connection, "SELECT id, name FROM tokenized")?;
    let after = counter.count();
    println!(
        "exchanges with Redis for a select of {} tokenized rows: {}",
        rows.len(),
        after - before
    );
    Ok(())
}
