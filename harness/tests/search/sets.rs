//! `UNION`, `INTERSECT` and `EXCEPT` give the rows, and as many of them, that they would give of plain tables.

use crate::answers::filled;
use crate::{MARK, fill, in_order, is_in_plain_alone, same, scene, scene_on, sorted};
use acra_harness::Result;
use acra_harness::scene::{rows, value};
use acra_harness::servers::Postgres;

/// With `@n` for the address of number n. Some addresses are NULL, some empty, most are there several times.
const QUERIES: &[&str] = &[
    "SELECT email FROM people UNION SELECT mail FROM accounts",
    "SELECT email FROM people UNION SELECT phone FROM people",
    "SELECT email, grp FROM people WHERE phone = '5550101' UNION DISTINCT SELECT mail, id % 2 FROM accounts WHERE mail = '@3'",
    "SELECT email FROM people UNION SELECT mail FROM accounts UNION SELECT phone FROM people",
    "SELECT email FROM people WHERE id < 5 UNION SELECT mail FROM accounts UNION ALL SELECT email FROM people WHERE id > 35",
    "(SELECT email FROM people ORDER BY id LIMIT 3) UNION (SELECT mail FROM accounts ORDER BY id DESC LIMIT 3)",
    "SELECT CASE WHEN id < 20 THEN email ELSE phone END AS way, 'x', NULL, id % 4 FROM people UNION SELECT mail, 'y', 7, id % 5 FROM accounts",
    "SELECT 1 AS one, email FROM people WHERE id < 9 UNION SELECT 1::numeric, mail FROM accounts",
    "SELECT email FROM people EXCEPT SELECT mail FROM accounts WHERE id < 5",
    "SELECT email FROM people EXCEPT SELECT mail FROM accounts WHERE mail IS NULL",
    "SELECT email FROM people WHERE id < 30 EXCEPT ALL SELECT mail FROM accounts WHERE id < 15",
    "SELECT email, phone FROM people EXCEPT ALL SELECT mail, mail FROM accounts",
    "SELECT email AS e, grp FROM people EXCEPT SELECT mail, (id % 2)::bigint FROM accounts",
    "SELECT email, grp::numeric AS g FROM people WHERE id < 9 EXCEPT SELECT mail, id % 2 FROM accounts",
    "SELECT email FROM people INTERSECT SELECT mail FROM accounts WHERE id > 6",
    "SELECT email FROM people WHERE id < 25 INTERSECT ALL SELECT mail FROM accounts WHERE id > 17",
    "SELECT grp, email FROM people INTERSECT ALL (SELECT id % 4, mail FROM accounts WHERE mail <> '@2')",
    "SELECT email FROM people UNION SELECT mail FROM accounts INTERSECT SELECT email FROM people WHERE id = 2",
    "(SELECT email FROM people WHERE id < 4 UNION SELECT mail FROM accounts) INTERSECT SELECT email FROM people WHERE id BETWEEN 2 AND 6",
    "SELECT email FROM people EXCEPT SELECT mail FROM accounts WHERE id = 3 EXCEPT SELECT email FROM people WHERE grp = 5",
    "SELECT email FROM people EXCEPT (SELECT mail FROM accounts EXCEPT SELECT email FROM people WHERE id IN (1, 3, 8))",
    "SELECT id FROM people WHERE email IN (SELECT mail FROM accounts WHERE id < 4 UNION SELECT mail FROM accounts WHERE id = 6)",
    "SELECT id FROM people WHERE email IN (SELECT email FROM people EXCEPT SELECT mail FROM accounts WHERE id < 5)",
    "SELECT id FROM people WHERE (email, grp) IN (SELECT mail, id % 3 FROM accounts INTERSECT SELECT email, grp FROM people WHERE id < 7)",
    "SELECT count(*) FROM (SELECT email FROM people UNION SELECT mail FROM accounts) AS everyone",
    "SELECT p.id FROM people p WHERE EXISTS (SELECT p.email INTERSECT SELECT mail FROM accounts WHERE id < 4 OR id = 8)",
    "SELECT p.id, x.n FROM people p, LATERAL (SELECT count(*) AS n FROM (SELECT p.email UNION SELECT mail FROM accounts WHERE id = p.grp) AS s) AS x",
    "WITH all_of (e) AS (SELECT email FROM people UNION SELECT mail FROM accounts) SELECT a.id FROM all_of JOIN accounts a ON a.mail = e WHERE e <> '@1'",
    "SELECT email, count(*) AS n FROM people GROUP BY email EXCEPT SELECT DISTINCT mail, 4::bigint + 0 FROM accounts WHERE id < 3",
];

#[test]
fn give_the_rows_of_plain_tables() -> Result<()> {
    for version in [15, 17, 18] {
        let scene = scene_on(Postgres::shared(version)?, |config| config)?;
        fill(&scene)?;
        let mut found = 0;
        for sql in QUERIES {
            found += same(&scene, &filled(sql), &[])?.len();
        }
        assert!(found > 150, "only {found} rows of {version}");
        let by_address = "SELECT email, id FROM people WHERE email = $1 UNION SELECT mail, id FROM accounts WHERE mail = $2";
        let addresses = [3, 6].map(|n| format!("{MARK}-{n}@example.org"));
        let params = addresses.each_ref().map(|address| Some(address.as_bytes()));
        assert_eq!(same(&scene, by_address, &params)?.len(), 8);
    }
    Ok(())
}

#[test]
fn keep_order_limits_and_names() -> Result<()> {
    let scene = scene(|config| config)?;
    fill(&scene)?;
    for sql in [
        "SELECT email AS e, grp - 9 AS grp FROM people WHERE email = '@1' UNION SELECT mail, id FROM accounts WHERE mail = '@2' ORDER BY grp DESC OFFSET 2 LIMIT 3",
        "SELECT grp, email FROM people WHERE email = '@1' EXCEPT ALL SELECT 9 + id, mail FROM accounts ORDER BY 1 DESC FETCH FIRST 3 ROWS ONLY",
    ] {
        let sql = filled(sql);
        let plain = sql
            .replace("people", "plain_people")
            .replace("accounts", "plain_accounts");
        let expected = rows(&mut scene.direct()?, &plain)?;
        assert_eq!(rows(&mut scene.proxied()?, &sql)?, expected, "{sql}");
        assert_eq!(expected.len(), 3);
    }
    let described = scene
        .proxied()?
        .query("SELECT email AS \"E-mail\", id FROM people EXCEPT SELECT mail, id FROM accounts")?;
    let description = described.iter().find(|message| message.tag == b'T');
    let body = description.map(|message| message.body.clone());
    let body = body.unwrap_or_default();
    assert!(body.windows(7).any(|name| name == b"E-mail\0"));
    assert!(body.windows(3).any(|name| name == b"id\0"));
    Ok(())
}

#[test]
fn are_stored_encrypted() -> Result<()> {
    let scene = scene(|config| config)?;
    fill(&scene)?;
    for (rank, operation) in [(100, "UNION"), (200, "INTERSECT"), (300, "EXCEPT ALL")] {
        let insert = format!(
            "INSERT INTO people (id, email) SELECT row_number() OVER () + {rank}, e FROM \
             (SELECT email AS e FROM people WHERE id < 20 {operation} SELECT email FROM people WHERE id BETWEEN 15 AND 25) AS s"
        );
        let direct = insert.replace("people", "plain_people");
        let (proxied, direct) = (
            scene.proxied()?.query(&insert)?,
            scene.direct()?.query(&direct)?,
        );
        assert_eq!(proxied, direct, "{insert}");
    }
    let all = "SELECT email FROM people WHERE id > 99";
    assert!(same(&scene, all, &[])?.len() > 20);
    let sealed = "SELECT count(*) FROM people WHERE id > 99 AND length(email) > 0 AND \
                  (substr(email, 1, 1) <> '\\x7f' OR substr(email, 34, 3) <> '%%%')";
    assert_eq!(value(&mut scene.direct()?, sealed)?, "0");
    is_in_plain_alone(&scene)?;
    Ok(())
}

#[test]
fn views_of_them_are_read() -> Result<()> {
    let scene = scene(|config| config)?;
    fill(&scene)?;
    let view =
        "CREATE VIEW everyone (mail) AS SELECT email FROM people UNION SELECT mail FROM accounts";
    scene.proxied()?.run(view)?;
    let plain = "CREATE VIEW plain_everyone (mail) AS SELECT email FROM plain_people UNION SELECT mail FROM plain_accounts";
    scene.direct()?.run(plain)?;
    let found = filled("SELECT mail FROM everyone WHERE mail IN ('@1', '@99', '')");
    let proxied = sorted(&mut scene.proxied()?, &found, &[])?;
    let plain = found.replace("everyone", "plain_everyone");
    assert_eq!(proxied, sorted(&mut scene.direct()?, &plain, &[])?);
    assert_eq!(proxied.len(), 2);
    Ok(())
}

#[test]
fn what_hashes_cannot_tell_is_refused() -> Result<()> {
    let scene = scene(|config| config)?;
    let mut proxied = scene.proxied()?;
    for sql in [
        "SELECT email FROM people UNION SELECT owner FROM accounts",
        "SELECT email FROM people EXCEPT SELECT note FROM people",
        "SELECT email FROM people INTERSECT SELECT 'x'",
        "SELECT email, email FROM people UNION SELECT mail, mail FROM accounts",
        "SELECT email, grp + 1 FROM people EXCEPT SELECT mail, id FROM accounts",
        "SELECT email, 'x' AS kind FROM people EXCEPT SELECT mail, 'x' FROM accounts",
        "WITH RECURSIVE r AS (SELECT email FROM people UNION SELECT email FROM r) SELECT email FROM r",
    ] {
        let refused = in_order(&proxied.query(sql)?, sql);
        let refused = refused.expect_err("a refusal").to_string();
        assert!(refused.contains("is compared by"), "{refused}");
    }
    Ok(())
}
