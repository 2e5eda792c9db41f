//! Stores that cannot be reached.

use super::{Place, Tokens, error};
use acra_harness::raw::frontend as f;
use acra_harness::servers::Redis;
use acra_harness::{Result, scene};

#[test]
fn an_outage_fails_what_needs_tokens_and_nothing_else() -> Result<()> {
    let mut place = Place::redis()?;
    let tokens = Tokens::start(&place)?;
    let mut proxied = tokens.proxied()?;
    proxied.run(
        "INSERT INTO people (id, name) VALUES (1, 'a name that is long'), (2, 'another one')",
    )?;
    let Place::Redis(redis) = &mut place else {
        unreachable!()
    };
    Redis::stop(redis)?;
    let stored = tokens.stored("SELECT name FROM people ORDER BY id")?;

    // Reads: an error in the place of the rows, and the connection is in step.
    proxied.run("BEGIN")?;
    let said = error(&proxied.query("SELECT id, name FROM people ORDER BY id")?)?;
    assert!(said.contains("58000") && said.contains("token"), "{said}");
    assert!(!said.contains(&stored[0][0]), "{said}");
    proxied.run("COMMIT")?;
    let said = error(&proxied.query("COPY people (id, name) TO STDOUT")?)?;
    assert!(said.contains("token"), "{said}");
    assert_eq!(
        scene::value(&mut proxied, "SELECT count(*) FROM people")?,
        "2"
    );
    assert_eq!(
        scene::value(&mut proxied, "SELECT id FROM people WHERE id = 2")?,
        "2"
    );

    // Writes: refused at their turn, in a transaction that has failed, and in a pipeline up to Sync.
    proxied.run("BEGIN")?;
    let said = error(&proxied.query("INSERT INTO people (id, name) VALUES (3, 'third')")?)?;
    assert!(
        said.contains("tokens") || said.contains("token store"),
        "{said}"
    );
    let said = error(&proxied.query("SELECT 1")?)?;
    assert!(said.contains("25P02"), "{said}");
    proxied.run("ROLLBACK")?;
    proxied.send_all(&[
        f::parse("", "UPDATE people SET name = $1 WHERE id = 1", &[]),
        f::bind_text("", "", &[Some("a new name")]),
        f::execute("", 0),
        f::sync(),
        f::query("SELECT 'in step'"),
    ])?;
    let said = error(&proxied.ready()?)?;
    assert!(said.contains("58000"), "{said}");
    assert_eq!(scene::rows_of(&proxied.ready()?)?, [["in step"]]);
    assert_eq!(
        tokens.stored("SELECT name FROM people ORDER BY id")?,
        stored
    );

    // It comes back empty: tokens stay tokens, and new ones work.
    redis.restart()?;
    let read = scene::rows(&mut proxied, "SELECT name FROM people ORDER BY id")?;
    assert_eq!(read, stored);
    proxied.run("INSERT INTO people (id, name) VALUES (3, 'third')")?;
    assert_eq!(
        scene::value(&mut proxied, "SELECT name FROM people WHERE id = 3")?,
        "third"
    );
    let log = tokens.acra.log();
    assert!(log.contains("Token storage is not available"), "{log}");
    tokens.works()
}

#[test]
fn an_outage_in_the_middle_of_a_result_ends_it_with_an_error() -> Result<()> {
    let mut place = Place::redis()?;
    let tokens = Tokens::start(&place)?;
    let mut proxied = tokens.proxied()?;
    proxied.run(
        "INSERT INTO people (id, open) SELECT i, repeat('x', 1000) FROM generate_series(1, 20000) i",
    )?;
    proxied.run("UPDATE people SET name = 'same'")?;
    proxied.send_all(&[f::query("SELECT id, name, open FROM people ORDER BY id")])?;
    proxied.until(b'D')?;
    let Place::Redis(redis) = &mut place else {
        unreachable!()
    };
    Redis::stop(redis)?;
    let answers = proxied.ready()?;
    let said = error(&answers)?;
    assert!(said.contains("cannot look up tokens"), "{said}");
    let at = answers.iter().position(|message| message.tag == b'E');
    let rows_behind = answers
        .iter()
        .skip(at.unwrap_or(0))
        .filter(|message| message.tag == b'D');
    assert_eq!(rows_behind.count(), 0);
    for row in answers.iter().filter_map(|message| message.values()) {
        assert_eq!(row[1], Some(&b"same"[..]));
    }
    tokens.works()
}

#[test]
fn a_store_that_does_not_answer_is_not_waited_for_long() -> Result<()> {
    let place = Place::redis()?;
    let tokens = Tokens::start(&place)?;
    let mut proxied = tokens.proxied()?;
    proxied.run("INSERT INTO people (id, name) VALUES (1, 'a name')")?;
    let Place::Redis(redis) = &place else {
        unreachable!()
    };
    let paused = redis.pause()?;
    proxied.run("BEGIN")?;
    let said = error(&proxied.query("INSERT INTO people (id, name) VALUES (2, 'another')")?)?;
    assert!(said.contains("58000") && said.contains("token"), "{said}");
    proxied.run("ROLLBACK")?;
    // Whoever needs no tokens does not notice.
    assert_eq!(
        scene::value(&mut proxied, "SELECT id FROM people WHERE id = 1")?,
        "1"
    );
    drop(paused);
    proxied.run("INSERT INTO people (id, name) VALUES (2, 'another')")?;
    assert_eq!(
        scene::value(
            &mut tokens.proxied()?,
            "SELECT name FROM people WHERE id = 2"
        )?,
        "another"
    );
    tokens.works()
}

#[test]
fn a_lost_node_of_a_cluster_fails_what_needs_it_and_gives_no_token_for_a_value() -> Result<()> {
    let mut place = Place::cluster()?;
    let tokens = Tokens::start(&place)?;
    let mut proxied = tokens.proxied()?;
    let rows: Vec<_> = (0..60)
        .map(|id| format!("({id}, 'the name of number {id}', {id})"))
        .collect();
    proxied.run(&format!(
        "INSERT INTO people (id, name, age) VALUES {}",
        rows.join(", ")
    ))?;
    let Place::Cluster(cluster) = &mut place else {
        unreachable!()
    };
    // A consistent token has two records, each where its own name says.
    let sizes = cluster.ask_all(&["DBSIZE"])?;
    let sizes: Vec<u32> = sizes.iter().filter_map(|size| size.parse().ok()).collect();
    assert_eq!(sizes.iter().sum::<u32>(), 180, "{sizes:?}");
    assert!(sizes.iter().all(|size| *size > 20), "{sizes:?}");
    let all = "SELECT name, age FROM people ORDER BY id";
    let read = scene::rows(&mut proxied, all)?;
    assert_eq!(read[59], ["the name of number 59", "59"]);
    let stored = tokens.stored(all)?;
    // No token has a blank.
    assert!(stored.iter().all(|row| !row[0].contains(' ')));

    // The one that the flags name.
    cluster.stop(0)?;
    let said = error(&proxied.query(all)?)?;
    assert!(said.contains("58000") && said.contains("token"), "{said}");
    let mut found = 0;
    for (id, stored) in stored.iter().enumerate() {
        let answers = proxied.query(&format!("SELECT name FROM people WHERE id = {id}"))?;
        match scene::rows_of(&answers) {
            Ok(rows) => {
                assert_eq!(rows, [[format!("the name of number {id}")]]);
                found += 1;
            }
            Err(_) => assert!(!format!("{answers:?}").contains(&stored[0]), "{answers:?}"),
        }
    }
    assert!((1..60).contains(&found), "{found} found");
    let rows: Vec<_> = (100..130)
        .map(|id| format!("({id}, 'name {id}')"))
        .collect();
    let sql = format!("INSERT INTO people (id, name) VALUES {}", rows.join(", "));
    let said = error(&proxied.query(&sql)?)?;
    assert!(said.contains("58000") && said.contains("token"), "{said}");
    assert_eq!(tokens.stored(all)?, stored);
    tokens.works()
}
