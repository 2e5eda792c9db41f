//! Hashes in a column of their own, which the database makes of what is stored.

use crate::{MARK, scene, scene_on, sorted_extended};
use acra_harness::raw::frontend as f;
use acra_harness::scene::{rows, value};
use acra_harness::servers::{AcraConfig, Postgres};
use acra_harness::{Result, at_rest};

const CONFIG: &str = "
schemas:
  - table: members
    columns: [id, email, email_hash]
    encrypted:
      - {column: email, searchable: true, data_type: str, search_column: email_hash}
  - table: missing
    columns: [id, email]
    encrypted:
      - {column: email, searchable: true, search_column: email_hash}
  - table: ordinary
    encrypted:
      - {column: email, searchable: true, search_column: email_hash}
  - table: shorter
    encrypted:
      - {column: email, searchable: true, search_column: email_hash}
  - table: wider
    encrypted:
      - {column: Email, searchable: true, search_column: email_hash}
";

const TABLES: &str = "
CREATE TABLE members (id int PRIMARY KEY, email bytea, email_hash bytea GENERATED ALWAYS AS (substr(email, 1, 33)) STORED);
CREATE UNIQUE INDEX members_email ON members (email_hash);
CREATE TABLE missing (id int, email bytea);
CREATE TABLE ordinary (id int, email bytea, email_hash bytea);
CREATE TABLE shorter (id int, email bytea, email_hash bytea GENERATED ALWAYS AS (substr(email, 1, 32)) STORED);
CREATE TABLE wider (id int, \"Email\" bytea, email_hash bytea GENERATED ALWAYS AS (substring(\"Email\" FROM 1 FOR 33)) STORED);
CREATE TABLE part (more int) INHERITS (wider)";

fn with_hash_column(config: AcraConfig) -> AcraConfig {
    config.encryptor_yaml(CONFIG)
}

#[test]
fn serves_an_ordinary_index_and_all_ways_of_writing() -> Result<()> {
    let scene = scene(with_hash_column)?;
    scene.run_directly(TABLES)?;
    let mut proxied = scene.proxied()?;
    let address = |n: u32| format!("{MARK}-{n}@example.org");
    let one = address(1);
    proxied.run(&format!(
        "INSERT INTO members (id, email) VALUES (1, '{one}'), (2, NULL), (3, '')"
    ))?;
    let two = address(2);
    let params: [Option<&[u8]>; 1] = [Some(two.as_bytes())];
    sorted_extended(
        &mut proxied,
        "INSERT INTO members (id, email) VALUES (4, $1)",
        &params,
        0,
    )?;
    proxied.run(&format!("INSERT INTO members VALUES (5, '{}')", address(3)))?;
    proxied.run(&format!(
        "UPDATE members SET email = '{}' WHERE email = '{}'",
        address(4),
        address(3)
    ))?;
    proxied.run(&format!(
        "INSERT INTO members (id, email) VALUES (6, '{one}') ON CONFLICT (email) DO UPDATE SET id = 7, email = excluded.email"
    ))?;
    proxied.send_all(&[
        f::query("COPY members (id, email) FROM STDIN"),
        f::copy_data(format!("8\t{}\n", address(5)).as_bytes()),
        f::copy_done(),
    ])?;
    proxied.ready()?;

    let read = "SELECT id, email FROM members WHERE email = ";
    for (id, n) in [("7", 1), ("4", 2), ("5", 4), ("8", 5)] {
        let sought = address(n);
        let expected = [[id.to_owned(), sought.clone()]];
        assert_eq!(rows(&mut proxied, &format!("{read}'{sought}'"))?, expected);
        let params: [Option<&[u8]>; 1] = [Some(sought.as_bytes())];
        for format in [0, 1] {
            let found = sorted_extended(&mut proxied, &format!("{read}$1"), &params, format)?;
            assert_eq!(found, expected);
        }
    }
    assert_eq!(rows(&mut proxied, &format!("{read}''"))?.len(), 1);
    assert_eq!(
        rows(&mut proxied, &format!("{read}'{}'", address(3)))?.len(),
        0
    );
    let all = rows(&mut proxied, "SELECT * FROM members WHERE id = 4")?;
    assert_eq!(all[0][1], two);
    assert!(all[0][2].starts_with("\\x7f") && all[0][2].len() == 68);

    let mut direct = scene.direct()?;
    let front = "SELECT count(*) FROM members WHERE email_hash = substr(email, 1, 33) AND length(email) > 100";
    assert_eq!(value(&mut direct, front)?, "4");
    let found = at_rest::in_tables(scene.postgres, &scene.database, &[MARK.as_bytes()])?;
    assert!(found.is_empty(), "{found:?}");
    Ok(())
}

#[test]
fn is_compared_by_its_plain_index() -> Result<()> {
    let scene = scene(with_hash_column)?;
    scene.run_directly(TABLES)?;
    let mut proxied = scene.proxied()?;
    proxied.run("SET enable_seqscan = off")?;
    for condition in [
        "email = 'x'",
        "email IN ('x', 'y')",
        "members.email = ANY ('{x,y}')",
    ] {
        let sql = format!("EXPLAIN SELECT id FROM members WHERE {condition}");
        let plan = rows(&mut proxied, &sql)?.concat().join("\n");
        let uses = plan.contains("members_email") && plan.contains("Cond: (email_hash = ");
        assert!(uses, "{condition}: {plan}");
    }
    Ok(())
}

#[test]
fn that_is_not_there_or_not_generated_is_told_and_not_used() -> Result<()> {
    for version in [15, 17, 18] {
        let scene = scene_on(Postgres::shared(version)?, with_hash_column)?;
        scene.run_directly(TABLES)?;
        let mut proxied = scene.proxied()?;
        for (table, what) in [
            ("missing", "does not exist in the database"),
            ("ordinary", "is not generated in the database"),
            ("shorter", "is not generated in the database"),
        ] {
            proxied.run(&format!(
                "INSERT INTO {table} (id, email) VALUES (1, 'x'), (2, 'y')"
            ))?;
            let found = format!("SELECT id FROM {table} WHERE email = 'y'");
            assert_eq!(rows(&mut proxied, &found)?, [["2"]]);
            let plan = rows(&mut proxied, &format!("EXPLAIN {found}"))?.concat();
            assert!(plan.concat().contains("substr(email, 1, 33)"), "{plan:?}");
            let log = scene.acra.log();
            let mut lines = log.lines();
            let told =
                lines.any(|line| line.contains(&format!("\\\"{table}\\\"")) && line.contains(what));
            assert!(told, "{table}: {log}");
        }
        // However it is written.
        proxied.run("INSERT INTO wider (id, \"Email\") VALUES (1, 'x'), (2, 'y')")?;
        proxied.run("INSERT INTO part (id, \"Email\") VALUES (3, 'y')")?;
        for (table, expected) in [("wider", 2), ("part", 1)] {
            let found = format!("SELECT id FROM {table} WHERE \"Email\" = 'y'");
            assert_eq!(rows(&mut proxied, &found)?.len(), expected);
            let plan = rows(&mut proxied, &format!("EXPLAIN {found}"))?.concat();
            assert!(plan.concat().contains("email_hash ="), "{plan:?}");
        }
        let log = scene.acra.log();
        let unfit = |line: &&str| line.contains("does not fit") && line.contains("wider");
        assert_eq!(log.lines().find(unfit), None);
        // A table that gets what it lacks.
        scene.run_directly(
            "ALTER TABLE ordinary DROP email_hash, ADD email_hash bytea GENERATED ALWAYS AS (substr(email, 1, 33)) STORED",
        )?;
        proxied.run("CREATE TABLE another (id int)")?;
        let found = "EXPLAIN SELECT id FROM ordinary WHERE email = 'y'";
        let plan = rows(&mut proxied, found)?.concat();
        assert!(plan.concat().contains("email_hash ="), "{plan:?}");
    }
    Ok(())
}
