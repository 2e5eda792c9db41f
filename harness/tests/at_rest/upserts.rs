//! Upserts, joins and what else is written around the plain forms.

use acra_harness::scene::{hex, rows, value};
use acra_harness::{Result, at_rest};

const SECRETS: [&str; 3] = [
    "first secret 0815",
    "second secret 4711",
    "third secret 1234",
];

fn upserts_store_containers_whatever_happens(version: u32) -> Result<()> {
    let scene = crate::vault(version)?;
    let mut connection = scene.proxied()?;
    let [first, second, third] = SECRETS;
    let upsert = |id: i32, secret: &str, action: &str| {
        format!(
            "INSERT INTO vault AS v (id, note, secret) VALUES ({id}, 'n', '{secret}') ON CONFLICT {action} RETURNING secret"
        )
    };
    for (secret, action) in [
        (first, "DO NOTHING".to_owned()),
        (
            second,
            "(id) DO UPDATE SET secret = excluded.secret, note = EXCLUDED.note".to_owned(),
        ),
        (
            third,
            format!("(id) DO UPDATE SET secret = '{third}' WHERE v.id = excluded.id"),
        ),
        (
            third,
            "ON CONSTRAINT vault_pkey DO UPDATE SET \"secret\" = \"excluded\".\"secret\""
                .to_owned(),
        ),
    ] {
        let read = value(&mut connection, &upsert(1, secret, &action))?;
        assert_eq!(read, hex(secret.as_bytes()), "{action}");
        assert!(
            scene
                .stored("SELECT secret FROM vault")?
                .starts_with("\\x252525")
        );
    }
    assert!(rows(&mut connection, &upsert(1, first, "DO NOTHING"))?.is_empty());
    let secrets = SECRETS.map(str::as_bytes);
    assert!(at_rest::find(scene.postgres, &scene.database, &secrets)?.is_empty());
    Ok(())
}

fn joins_open_what_they_select(version: u32) -> Result<()> {
    let scene = crate::vault(version)?;
    let mut connection = scene.proxied()?;
    connection.run("INSERT INTO vault (id, secret) VALUES (1, 'joined secret'), (2, NULL)")?;
    connection.run("INSERT INTO plain (id, note) VALUES (1, 'one'), (3, 'three')")?;
    let opened = hex(b"joined secret");
    for (sql, expected) in [
        (
            "SELECT v.secret, p.note FROM plain p JOIN vault v ON v.id = p.id",
            vec![opened.as_str(), "one"],
        ),
        (
            "SELECT secret FROM vault JOIN plain USING (id)",
            vec![&opened],
        ),
        (
            "SELECT p.id, v.secret FROM plain AS p LEFT JOIN vault AS v USING (id) ORDER BY p.id",
            vec!["1", &opened, "3", "NULL"],
        ),
        (
            "SELECT a.secret, b.id FROM vault a, ONLY vault b WHERE a.id = b.id AND a.secret IS NOT NULL",
            vec![&opened, "1"],
        ),
        (
            "SELECT secret FROM vault CROSS JOIN plain WHERE vault.id = 1 AND plain.id = 3 FOR NO KEY UPDATE OF vault",
            vec![&opened],
        ),
    ] {
        let mut found = Vec::new();
        for row in rows(&mut connection, sql)? {
            found.extend(row);
        }
        assert_eq!(found, expected, "{sql}");
    }
    Ok(())
}

fn tables_are_administered(version: u32) -> Result<()> {
    let scene = crate::vault(version)?;
    let mut connection = scene.proxied()?;
    for sql in [
        "ANALYZE vault",
        "VACUUM (ANALYZE) vault",
        "REINDEX TABLE vault",
        "GRANT SELECT (secret) ON vault TO scram_user",
        "REVOKE ALL ON vault FROM scram_user",
        "BEGIN; LOCK TABLE vault IN SHARE MODE; COMMIT",
        "TRUNCATE vault",
        "DROP TABLE vault",
    ] {
        connection.run(sql)?;
    }
    Ok(())
}

crate::on_each_version! {
    upserts_store_containers_whatever_happens,
    joins_open_what_they_select,
    tables_are_administered,
}
