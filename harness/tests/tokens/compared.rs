//! What is told by equality, told by tokens: arrays, joins, groups and sets of rows.

use super::{Place, Tokens, error};
use acra_harness::raw::frontend as f;
use acra_harness::{Result, scene};

/// Rows that share names and accounts; the same in a table that nobody protects.
fn fill(tokens: &Tokens<'_>) -> Result<()> {
    tokens.postgres.run(
        &tokens.database,
        "CREATE TABLE plain (id int PRIMARY KEY, age int, account bigint, name text, raw bytea, mail text, code text, long text, open text)",
    )?;
    for (mut connection, table) in [(tokens.proxied()?, "people"), (tokens.direct()?, "plain")] {
        for id in 1..=20 {
            connection.run(&format!(
                "INSERT INTO {table} (id, account, name, open) VALUES ({id}, {}, 'name {}', 'group {}')",
                id % 3,
                id % 4,
                id % 2
            ))?;
        }
    }
    Ok(())
}

#[test]
fn rows_are_those_of_plain_tables() -> Result<()> {
    let place = Place::Memory;
    let tokens = Tokens::start(&place)?;
    fill(&tokens)?;
    let (mut proxied, mut direct) = (tokens.proxied()?, tokens.direct()?);
    let mut found = 0;
    for sql in [
        "SELECT name, count(*), count(DISTINCT account) FROM people GROUP BY name HAVING name <> 'name 1'",
        "SELECT account, open, count(*) FROM people GROUP BY ROLLUP (account, open)",
        "SELECT DISTINCT name, open FROM people",
        "SELECT DISTINCT * FROM (SELECT name, account FROM people) AS d",
        "SELECT count(DISTINCT name), count(DISTINCT (account)) FROM people",
        "SELECT id, count(*) OVER (PARTITION BY name) FROM people",
        "SELECT p.id, q.id, name FROM people p JOIN people q USING (name)",
        "SELECT * FROM (SELECT id, name FROM people) p NATURAL JOIN (SELECT account, name FROM people WHERE id < 4) q",
        "SELECT name FROM people WHERE id < 3 UNION SELECT name FROM people",
        "SELECT account FROM people WHERE id < 3 INTERSECT SELECT account FROM people WHERE id > 4",
        "SELECT name FROM people EXCEPT SELECT name FROM people WHERE account = 1 AND open = 'group 1'",
        "SELECT id FROM people WHERE name = ANY ('{name 1,\"name 3\",nobody,NULL}')",
        "SELECT id FROM people WHERE account <> ALL ('{1,7}'::int[])",
        "SELECT id FROM people WHERE account = ANY (ARRAY[0, 2]) AND name = ANY (ARRAY['name 1', 'name 2']::text[])",
        "SELECT p.id FROM people p JOIN unnest('{name 2,x}'::text[]) AS w(n) ON w.n = p.name",
    ] {
        let plain = sql.replace("people", "plain");
        let (mut rows, mut expected) = (
            scene::rows(&mut proxied, sql)?,
            scene::rows(&mut direct, &plain)?,
        );
        rows.sort();
        expected.sort();
        assert_eq!(rows, expected, "{sql}");
        found += rows.len();
    }
    assert!(found > 150, "only {found} rows");
    // A row in conflict is found by its token.
    proxied.run("DELETE FROM people WHERE id > 3")?;
    tokens
        .postgres
        .run(&tokens.database, "CREATE UNIQUE INDEX ON people (account)")?;
    proxied.run("INSERT INTO people (id, account) VALUES (50, 1) ON CONFLICT (account) DO UPDATE SET open = 'met'")?;
    assert_eq!(
        scene::rows(
            &mut proxied,
            "SELECT id, account FROM people WHERE open = 'met'"
        )?,
        [["1", "1"]]
    );
    for sql in [
        "SELECT age, count(*) FROM people GROUP BY age",
        "SELECT DISTINCT age FROM people",
        "SELECT age FROM people UNION SELECT age FROM people",
        "SELECT name FROM people UNION SELECT 'name 1'",
        "SELECT name FROM people UNION SELECT open FROM people",
    ] {
        let refused = error(&proxied.query(sql)?)?;
        assert!(refused.contains("0A000"), "{sql}: {refused}");
    }
    tokens.works()
}

#[test]
fn arrays_are_bound_in_every_width() -> Result<()> {
    let place = Place::Memory;
    let tokens = Tokens::start(&place)?;
    fill(&tokens)?;
    let mut proxied = tokens.proxied()?;
    let by_account = "SELECT count(*) FROM people WHERE account = ANY ($1)";
    let by_name = "SELECT count(*) FROM people WHERE name = ANY ($1)";
    let numbers = |of: u32, width: usize| {
        let bytes = [1_i64, 2].map(|number| number.to_be_bytes());
        let elements = bytes.each_ref().map(|number| Some(&number[8 - width..]));
        f::array(of, &elements)
    };
    let names = f::array(25, &[Some(b"name 1"), None, Some(b"nobody")]);
    for (sql, declared, value, format, expected) in [
        (by_account, &[][..], numbers(20, 8), 1, "14"),
        (by_account, &[1016], numbers(20, 8), 1, "14"),
        (by_account, &[1007], numbers(23, 4), 1, "14"),
        (by_account, &[1005], numbers(21, 2), 1, "14"),
        (by_account, &[1005], b"{1,2}".to_vec(), 0, "14"),
        (by_account, &[], b"{ 1 , NULL , 2 }".to_vec(), 0, "14"),
        (by_name, &[], names.clone(), 1, "5"),
        (by_name, &[1009], names, 1, "5"),
        (by_name, &[1009], br#"{"name 1"}"#.to_vec(), 0, "5"),
    ] {
        let bind = f::Bind {
            formats: &[format],
            values: &[Some(&value)],
            ..f::Bind::default()
        };
        proxied.send_all(&[
            f::parse("", sql, declared),
            f::bind("", "", bind),
            f::execute("", 0),
            f::sync(),
        ])?;
        let rows = scene::rows_of(&proxied.ready()?)?;
        assert_eq!(rows, [[expected]], "{sql} {declared:?} {format}");
    }
    // And they are stored.
    proxied.run("INSERT INTO people (id, age, name) SELECT * FROM unnest('{100,101}'::int[], '{7,-8}'::int[], '{a new name,name 1}'::text[])")?;
    let rows = scene::rows(
        &mut proxied,
        "SELECT id, age, name FROM people WHERE id >= 100 ORDER BY id",
    )?;
    assert_eq!(rows, [["100", "7", "a new name"], ["101", "-8", "name 1"]]);
    // No token has a blank, and not both numbers are their own tokens.
    let stored = tokens.stored(
        "SELECT count(*) FILTER (WHERE name LIKE '% %'), count(*) FILTER (WHERE age IN (7, -8)) < 2 FROM people",
    )?;
    assert_eq!(stored, [["0", "t"]]);
    tokens.works()
}

/// A value that has no token yet is stored and looked for by what arrives at once.
#[test]
fn what_one_text_stores_it_finds() -> Result<()> {
    for place in [Place::Memory, Place::file()?] {
        let tokens = Tokens::start(&place)?;
        let mut session = tokens.proxied()?;
        let text = "INSERT INTO people (id, name) VALUES (1, 'unheard of'); SELECT id FROM people WHERE name = 'unheard of'; \
            UPDATE people SET account = 77 WHERE name = 'unheard of'; SELECT id FROM people WHERE account = 77";
        let found = scene::rows_of(&session.query(text)?)?;
        assert_eq!(found, [["1"], ["1"]]);
        let insert = "INSERT INTO people (id, name) VALUES (2, $1)";
        let select = "SELECT id FROM people WHERE name = $1";
        session.send_all(&[
            f::parse("", insert, &[]),
            f::bind_text("", "", &[Some("new")]),
            f::execute("", 0),
            f::parse("", select, &[]),
            f::bind_text("", "", &[Some("new")]),
            f::execute("", 0),
            f::sync(),
        ])?;
        assert_eq!(scene::rows_of(&session.ready()?)?, [["2"]]);
        // Also by one parameter.
        let both = "INSERT INTO people (id, name) SELECT 3, $1 WHERE NOT EXISTS (SELECT 1 FROM people WHERE name = $1) RETURNING id, name";
        for expected in [&[["3", "newer"]][..], &[]] {
            session.send_all(&[
                f::parse("", both, &[]),
                f::bind_text("", "", &[Some("newer")]),
                f::execute("", 0),
                f::sync(),
            ])?;
            assert_eq!(scene::rows_of(&session.ready()?)?, expected);
        }
        tokens.works()?;
    }
    Ok(())
}
