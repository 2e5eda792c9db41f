//! Statements put together at random from everything that a value can hide in: whatever the server makes of them, no
//! protected column holds the value as it was written.

use acra_harness::raw::{Connection, frontend as f};
use acra_harness::scene::{Scene, value};
use acra_harness::statements::{MARK, Random, seed};
use acra_harness::{Error, Result};

/// Sends a statement by either protocol, with a value for its parameter if it has one.
fn send(connection: &mut Connection, sql: &str, extended: bool) -> Result<()> {
    if !extended {
        return connection.query(sql).map(drop);
    }
    let parameters: &[Option<&str>] = match sql.contains("$1") {
        true => &[Some(MARK)],
        false => &[],
    };
    connection.pipeline(&[
        f::parse("", sql, &[]),
        f::bind_text("", "", parameters),
        f::execute("", 0),
        f::sync(),
    ])
}

#[test]
fn no_random_statement_stores_a_value_as_it_is() -> Result<()> {
    let scene = Scene::start()?;
    scene.run_directly("CREATE VIEW vault_view AS SELECT id, note, open FROM vault")?;
    let (mut connection, mut direct) = (scene.proxied()?, scene.direct()?);
    let seed = seed()?;
    let mut random = Random::new(seed);
    let leaks = format!(
        "SELECT count(*) FROM vault WHERE position('{MARK}'::bytea in secret) > 0 OR position('{MARK}'::bytea in other) > 0"
    );
    let mut sealed = 0;
    for number in 0..2000 {
        let sql = random.statement(number);
        // A value in the second position of ON CONFLICT or RETURNING is the server's business, and so is its error.
        send(&mut connection, &sql, number % 2 == 1)?;
        connection.query("ROLLBACK")?;
        if value(&mut direct, &leaks)? != "0" {
            return Err(Error::new(format!(
                "seed {seed}: stored as it is by: {sql}"
            )));
        }
        if number % 10 == 9 {
            let count =
                scene.stored("SELECT count(*) FROM vault WHERE substr(secret, 1, 3) = '%%%'")?;
            sealed += count.parse::<usize>().unwrap_or(0);
            scene.run_directly("TRUNCATE vault")?;
        }
    }
    assert!(
        sealed > 100,
        "only {sealed} values were sealed: the statements are no good"
    );
    scene.works()
}
