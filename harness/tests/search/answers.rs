//! Queries give the rows that they would give of plain tables.

use crate::{MARK, fill, same, scene, sorted_extended};
use acra_harness::Result;

/// Each on values that are there and that are not, with `@n` for the address of number n.
const QUERIES: &[&str] = &[
    "SELECT * FROM people WHERE email = '@3'",
    "SELECT id, email FROM people p WHERE p.email <> '@3'",
    "SELECT id FROM people WHERE '@4' = email OR phone = '5550102'",
    "SELECT id FROM people WHERE email = ''",
    "SELECT id FROM people WHERE email <> ''",
    "SELECT id FROM people WHERE email IN ('@1', '@2', '@99', '')",
    "SELECT id FROM people WHERE email NOT IN ('@1', '@2')",
    "SELECT id FROM people WHERE email NOT IN ('@1', NULL)",
    "SELECT id FROM people WHERE email IS DISTINCT FROM '@1'",
    "SELECT id FROM people WHERE email IS NOT DISTINCT FROM NULL",
    "SELECT id FROM people WHERE (email, phone) = ('@3', '5550103')",
    "SELECT id FROM people WHERE (phone, grp) IN (('5550103', 0), ('5550104', 1))",
    "SELECT id, CASE email WHEN '@1' THEN 'one' WHEN '@2' THEN 'two' ELSE 'other' END FROM people",
    "SELECT grp, count(*) FILTER (WHERE email = '@1'), count(email) FROM people GROUP BY grp HAVING count(*) > 3",
    "SELECT p.id, a.id FROM people p JOIN accounts a ON p.email = a.mail",
    "SELECT p.id, q.id FROM people p, people q WHERE p.email = q.email AND p.phone <> q.phone",
    "SELECT id FROM people p WHERE EXISTS (SELECT 1 FROM accounts a WHERE a.mail = p.email AND a.id < 5)",
    "SELECT id FROM people WHERE email IN (SELECT mail FROM accounts WHERE id BETWEEN 3 AND 9)",
    "SELECT id FROM people WHERE email = (SELECT mail FROM accounts WHERE id = 3)",
    "WITH x AS (SELECT id, email AS e FROM people WHERE email <> '@1') SELECT x.id FROM x WHERE e = '@2'",
    "SELECT id, email = '@1' AS is_one FROM people",
    "SELECT id FROM people LEFT JOIN (SELECT mail FROM accounts WHERE mail IN ('@1', '@2')) AS s ON mail = email WHERE s.mail IS NULL",
];

fn filled(sql: &str) -> String {
    let mut text = sql.to_owned();
    for n in (0..100).rev() {
        text = text.replace(&format!("@{n}"), &format!("{MARK}-{n}\u{a7}example.org"));
    }
    text.replace('\u{a7}', "@")
}

#[test]
fn are_those_of_plain_tables() -> Result<()> {
    let scene = scene(|config| config)?;
    fill(&scene)?;
    let mut found = 0;
    for sql in QUERIES {
        found += same(&scene, &filled(sql), &[])?.len();
    }
    assert!(found > 300, "only {found} rows");
    scene.run_directly("SELECT 1")?;
    Ok(())
}

#[test]
fn with_parameters_of_every_format() -> Result<()> {
    let scene = scene(|config| config)?;
    fill(&scene)?;
    let one = format!("{MARK}-1@example.org");
    let other = format!("{MARK}-6@example.org");
    let mut found = 0;
    for sql in [
        "SELECT id, email FROM people WHERE email = $1 OR $2 = email",
        "SELECT id FROM people WHERE email <> $1 AND email <> $2",
        "SELECT id FROM people WHERE email IN ($1, $2, NULL)",
        "SELECT id FROM people WHERE email IS DISTINCT FROM $1 AND email IS NOT NULL AND email <> $2",
        "SELECT id FROM people WHERE email = $1::bytea OR email = $2",
        "SELECT p.id FROM people p JOIN accounts a ON a.mail = p.email WHERE a.mail = $1 OR p.email = $1 OR p.email = $2",
    ] {
        for params in [
            [Some(one.as_bytes()), Some(other.as_bytes())],
            [Some(one.as_bytes()), None],
            [Some(b""), Some(b"nobody")],
        ] {
            let text = same(&scene, sql, &params)?;
            let binary = sorted_extended(&mut scene.proxied()?, sql, &params, 1)?;
            assert_eq!(text, binary, "{sql}");
            found += text.len();
        }
    }
    assert!(found > 100, "only {found} rows");
    // A type that the client declares, and one that the text gives.
    let mut proxied = scene.proxied()?;
    let rows = sorted_extended(
        &mut proxied,
        "SELECT id FROM people WHERE email = $1::text",
        &[Some(one.as_bytes())],
        0,
    )?;
    assert_eq!(rows.len(), 4);
    proxied.run(
        "PREPARE by_email (text, int) AS SELECT id FROM people WHERE email = $1 AND id > $2",
    )?;
    let rows = acra_harness::scene::rows(&mut proxied, &format!("EXECUTE by_email ('{one}', 1)"))?;
    assert_eq!(rows.len(), 3);
    Ok(())
}

#[test]
fn after_updates_and_deletes_by_a_searched_value() -> Result<()> {
    let scene = scene(|config| config)?;
    fill(&scene)?;
    let (mut proxied, mut direct) = (scene.proxied()?, scene.direct()?);
    for sql in [
        "UPDATE people SET phone = '999', email = '@50' WHERE email = '@2'",
        "UPDATE people SET note = 'x' FROM accounts a WHERE a.mail = people.email AND a.mail = '@50'",
        "DELETE FROM people USING accounts a WHERE a.mail = people.email AND a.mail IN ('@3', '@4')",
        "INSERT INTO people (id, email) SELECT id + 100, mail FROM accounts WHERE mail = '@5' AND id > 20",
    ] {
        let sql = filled(sql);
        // The envelope of a copied value must be that of the column.
        if sql.starts_with("INSERT") {
            assert!(proxied.run(&sql).is_err());
            continue;
        }
        proxied.run(&sql)?;
        direct.run(
            &sql.replace("people", "plain_people")
                .replace("accounts", "plain_accounts"),
        )?;
        same(&scene, "SELECT * FROM people", &[])?;
    }
    Ok(())
}
