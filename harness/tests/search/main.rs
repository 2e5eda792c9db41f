//! Searchable columns: what is found in them is what would be found in the plain table, and the database has hashes and
//! containers alone.

mod answers;
mod hash_column;
mod sets;
mod shared;
mod stored;

use acra_harness::raw::{Connection, Message, frontend as f};
use acra_harness::scene::{Scene, eventually, rows_of};
use acra_harness::servers::{AcraConfig, Postgres};
use acra_harness::{Result, at_rest};
use rustix::process::Signal;

/// In every secret that is searched for.
const MARK: &str = "Searched-Secret-7c";

/// Searchable columns of two tables and of two clients, and one that is only encrypted.
const CONFIG: &str = "
schemas:
  - table: people
    columns: [id, grp, email, phone, note]
    encrypted:
      - {column: email, searchable: true}
      - {column: phone, searchable: true}
      - {column: note}
  - table: accounts
    columns: [id, mail, owner]
    encrypted:
      - {column: mail, searchable: true, crypto_envelope: acrastruct}
      - {column: owner, searchable: true, client_id: partner}
  - table: words
    columns: [id, word]
    encrypted:
      - {column: word, searchable: true, searchable_prefix: 3}
";

/// The tables, and copies of them that nobody protects.
const TABLES: &str = "
CREATE TABLE people (id int PRIMARY KEY, grp int, email bytea, phone bytea, note bytea);
CREATE TABLE accounts (id int PRIMARY KEY, mail bytea, owner bytea);
CREATE TABLE words (id int PRIMARY KEY, word bytea);
CREATE TABLE plain_words (LIKE words);
CREATE TABLE plain_people (LIKE people);
CREATE TABLE plain_accounts (LIKE accounts)";

/// `acra-server` before tables of searchable columns.
fn scene(change: impl FnOnce(AcraConfig) -> AcraConfig) -> Result<Scene<'static>> {
    scene_on(Postgres::shared(15)?, change)
}

fn scene_on(
    postgres: &Postgres,
    change: impl FnOnce(AcraConfig) -> AcraConfig,
) -> Result<Scene<'_>> {
    let scene = Scene::on(postgres, |config| {
        let config = AcraConfig {
            search_keys: true,
            more_client_ids: vec!["partner".to_owned()],
            ..config.encryptor_yaml(CONFIG).flag("-v")
        };
        change(config)
    })?;
    scene.acra.keys().add_pair("test-client")?;
    scene.acra.signal(Signal::HUP)?;
    eventually("the pair is read", || {
        Ok(scene.acra.log().contains("Reloaded"))
    })?;
    scene.run_directly(TABLES)?;
    Ok(scene)
}

/// That what is searched for is in the clear in plain tables alone, and in what the database has counted of those by itself;
/// gives the places.
fn is_in_plain_alone(scene: &Scene<'_>) -> Result<Vec<at_rest::Found>> {
    let found = at_rest::in_tables(scene.postgres, &scene.database, &[MARK.as_bytes()])?;
    let of_plain = |found: &at_rest::Found| {
        found.place.contains("plain_") || found.place.ends_with("pg_statistic")
    };
    assert!(found.iter().all(of_plain), "{found:?}");
    Ok(found)
}

/// Runs a statement on the protected tables through `acra-server` and on the plain ones past it: both must give the same rows,
/// in any order.
fn same(scene: &Scene<'_>, sql: &str, params: &[Option<&[u8]>]) -> Result<Vec<Vec<String>>> {
    let mut proxied = sorted(&mut scene.proxied()?, sql, params)?;
    let plain = sql
        .replace("people", "plain_people")
        .replace("accounts", "plain_accounts");
    let expected = sorted(&mut scene.direct()?, &plain, params)?;
    assert_eq!(proxied, expected, "{sql} {params:?}");
    if params.is_empty() {
        // And by the extended protocol.
        proxied = sorted_extended(&mut scene.proxied()?, sql, params, 0)?;
        assert_eq!(proxied, expected, "{sql}");
    }
    Ok(proxied)
}

fn sorted(
    connection: &mut Connection,
    sql: &str,
    params: &[Option<&[u8]>],
) -> Result<Vec<Vec<String>>> {
    match params.is_empty() {
        true => in_order(&connection.query(sql)?, sql),
        false => sorted_extended(connection, sql, params, 0),
    }
}

/// By a prepared statement, its parameters in a format.
fn sorted_extended(
    connection: &mut Connection,
    sql: &str,
    params: &[Option<&[u8]>],
    format: u16,
) -> Result<Vec<Vec<String>>> {
    let bind = f::Bind {
        formats: &[format],
        values: params,
        ..f::Bind::default()
    };
    connection.send_all(&[
        f::parse("", sql, &[]),
        f::bind("", "", bind),
        f::execute("", 0),
        f::sync(),
    ])?;
    in_order(&connection.ready()?, sql)
}

fn in_order(answers: &[Message], sql: &str) -> Result<Vec<Vec<String>>> {
    let mut rows =
        rows_of(answers).map_err(|error| acra_harness::Error::new(format!("{sql}: {error}")))?;
    rows.sort();
    Ok(rows)
}

/// Fills both tables with people of whom some share an address, some have none, and some an empty one.
fn fill(scene: &Scene<'_>) -> Result<()> {
    let mut proxied = scene.proxied()?;
    let mut direct = scene.direct()?;
    for id in 0..40 {
        let email = match id % 10 {
            8 => "NULL".to_owned(),
            9 => "''".to_owned(),
            n => format!("'{MARK}-{n}@example.org'"),
        };
        let phone = match id % 7 {
            6 => "NULL".to_owned(),
            n => (5550100 + n).to_string(),
        };
        let grp = id % 3;
        let person = |table: &str, phone: &str| {
            format!(
                "INSERT INTO {table} (id, grp, email, phone, note) VALUES ({id}, {grp}, {email}, {phone}, '{MARK} note {id}')"
            )
        };
        let text = match &*phone {
            "NULL" => phone.clone(),
            number => format!("'{number}'"),
        };
        proxied.run(&person("people", &phone))?;
        direct.run(&person("plain_people", &text))?;
        for (connection, table) in [(&mut proxied, "accounts"), (&mut direct, "plain_accounts")] {
            connection.run(&format!(
                "INSERT INTO {table} VALUES ({id}, {email}, 'owner-{}')",
                id % 4
            ))?;
        }
    }
    Ok(())
}
